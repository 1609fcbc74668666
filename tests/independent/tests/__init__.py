"""Tests of the independent reading: `python3 -m unittest discover -s tests/independent -t tests`."""
