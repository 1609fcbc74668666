"""The outcome of a run as a table for people or as one JSON object."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Iterable

from .compare import Difference, Result


def table(rows: Iterable[tuple[Any, ...]], head: tuple[str, ...]) -> str:
    """Columns of equal width; the first is text, the others are numbers."""
    lines = [tuple(map(str, row)) for row in rows]
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]

    def line(cells: tuple[str, ...]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))
        return "  ".join([cells[0].ljust(widths[0]), *numbers])

    return "\n".join([line(head), *map(line, lines)])


def counts(result: Result) -> str:
    """`field compared equal exceptions wrong`, one line a field."""
    rows = [(name, one.compared, one.equal, one.exceptions, one.wrong) for name, one in sorted(result.counts.items())]
    return table(rows, ("field", "compared", "equal", "exceptions", "wrong"))


def differences(found: list[Difference], show: int) -> str:
    """The first differences of each field."""
    seen: Counter[str] = Counter()
    lines = []
    for one in found:
        seen[one.field] += 1
        if seen[one.field] <= show:
            lines.append(f"{one.field}  {one.where}\n    expected {one.expected}\n    answered {one.answered}")
    lines += [f"{name}: {count - show} more" for name, count in seen.items() if count > show]
    return "\n".join(lines)


def as_json(result: Result, never: list[str], ok: bool, **more: Any) -> str:
    """The same as one object."""
    fields = {
        name: {"compared": one.compared, "equal": one.equal, "exceptions": one.exceptions, "wrong": one.wrong}
        for name, one in sorted(result.counts.items())
    }
    return json.dumps(
        {
            "schema": "independent/1",
            "ok": ok,
            **more,
            "fields": fields,
            "never_compared": never,
            "differences": [vars(one) for one in result.differences],
            "explained": [vars(one) for one in result.explained],
            "unused_exceptions": [vars(one) for one in result.unused()],
        },
        ensure_ascii=False,
        indent=2,
    )
