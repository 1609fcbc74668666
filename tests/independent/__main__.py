"""Entry point: works as ``python3 tests/independent`` and as ``python3 -m independent`` inside ``tests``."""

import sys
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from independent.cli import main  # noqa: E402  (the path above must be set first)

sys.exit(main())
