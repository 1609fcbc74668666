"""Consent papers for every patient of a storage, as a reader of its demographics would write them."""

from __future__ import annotations

import csv
from typing import IO, Iterable

from .chart import Chart, name_by_script
from .values import v2_time, wide_kana

_SEXES = {"M": "male", "F": "female", "O": "other"}


def write(charts: Iterable[Chart], out: IO[str]) -> None:
    """The consent form as CSV without its header: one consent a patient, to all facilities, for everything."""
    lines = csv.writer(out, lineterminator="\n")
    for chart in charts:
        file = max(chart.files("ADT-00"), key=lambda file: file.age, default=chart.newest)
        pid = file.messages[0].first("PID") if file else None
        if not pid:
            continue
        name = name_by_script(pid.reps(5)).get("P")
        kana = wide_kana(name.part(1) + name.part(2)) if name else ""
        birth = v2_time(pid.get(7)[:8]) or ""
        sex = _SEXES.get(pid.get(8), "unknown")
        lines.writerow([
            f"T-{chart.patient}", "C-1", "1", "2026-04-01", "署名者", "self", kana, birth, sex,
            f"{chart.facility}:{chart.patient}", chart.facility, "*", "*", "2020-01-01", "", "説明者", "事務局",
        ])  # fmt: skip
