"""The command: reads a storage, reads answers, compares, and says how that ended."""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from datetime import date, datetime
from pathlib import Path

from . import fhir, papers, report, truth
from .chart import Chart, charts
from .claims import Answer, Item
from .compare import Result, compare, read_exceptions
from .fields import ALL, FAMILIES, required
from .storage import read
from .values import JST


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all agrees, 1 when something does not, 2 when the call is wrong."""
    options = _options(arguments)
    gc.disable()  # one run over trees that stay until its end: nothing to collect, much to look through
    try:
        demanded = required(options.require)
        exceptions = read_exceptions(options.exceptions)
        roster = _roster(options.roster)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    files = read(options.storage, options.fallback)
    found = charts(files, options.facility, options.today)
    if roster is not None:
        found = {patient: chart for patient, chart in found.items() if patient in roster}
    if options.papers:
        with options.papers.open("w", encoding="utf-8", newline="") as out:
            papers.write(found.values(), out)
        return 0
    items = {patient: expectations(chart) for patient, chart in found.items()}
    result = Result(exceptions=exceptions)
    if options.fhir:
        answers = {patient: answered(resources) for patient, resources in fhir.load(options.fhir).items()}
    elif options.truth:
        answers = truth.load(options.truth, options.facility)
        items = {patient: truth.folded(own) for patient, own in items.items()}
    else:
        print(_expectations(found, items, len(files)))
        return 0
    for patient in sorted(set(items) | set(answers)):
        compare(patient, items.get(patient, []), answers.get(patient, []), result)
    return _finish(options, result, demanded, len(files), len(found))


def expectations(chart: Chart) -> list[Item]:
    """Everything that one patient's files make us expect."""
    items = [item for family in FAMILIES for item in family.expected(chart)]
    for item in items:
        item.optional = item.optional or chart.doubts.get(item.where, "")
    return items


def answered(resources: list[fhir.Resource]) -> list[Answer]:
    """The resources of the compared kinds; others (Provenance, Organization, Consent) are not this reading's matter."""
    readers = {family.FAMILY: family.answered for family in FAMILIES}
    return [readers[one["resourceType"]](one) for one in resources if one["resourceType"] in readers]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="independent", description="Compare FHIR answers with an SS-MIX2 storage.")
    add = parser.add_argument
    add("--storage", type=Path, nargs="+", required=True, help="roots: folders or tar archives")
    add("--facility", required=True, help="10-digit code of the hospital")
    add("--fhir", type=Path, help="folder with <local id>.json, all resources of that patient")
    add("--truth", type=Path, help="truth JSON of the generator instead of answers")
    add("--roster", type=Path, help="local ids, one a line, that are expected to be readable; default: all")
    add("--exceptions", type=Path, help="TSV: field, place (slot, local id or its hash; * allowed), reason")
    add("--require", default="all", metavar="FIELDSET", help="all, generated, twins, nho, none, a file, or names with commas")
    add("--fallback", default="cp932", help="encoding of files that show none (default cp932)")
    add("--today", type=date.fromisoformat, default=datetime.now(JST).date(), help="day on which visits are over")
    add("--show", type=int, default=5, help="differences shown for each field")
    add("--json", action="store_true", help="print one JSON object")
    add("--expect-only", action="store_true", help="print what is expected; no answers needed")
    add("--papers", type=Path, help="write a consent form for each patient, CSV without header; no answers needed")
    options = parser.parse_args(arguments)
    if sum(map(bool, (options.fhir, options.truth, options.expect_only, options.papers))) != 1:
        parser.error("one of --fhir, --truth, --expect-only and --papers is needed")
    return options


def _roster(path: Path | None) -> set[str] | None:
    return {line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()} if path else None


def _finish(options: argparse.Namespace, result: Result, demanded: frozenset[str], files: int, patients: int) -> int:
    never = sorted(name for name in demanded if not result.counts[name].compared)
    ok = not never and not result.differences
    if options.json:
        print(report.as_json(result, never, ok, files=files, patients=patients))
        return 0 if ok else 1
    if result.counts:
        print(report.counts(result))
    if result.differences:
        print("\n" + report.differences(result.differences, options.show))
    for name in never:
        print(f"never compared: {name} ({ALL[name]})")
    for one in result.unused():
        print(f"exception explains nothing: {one.field} {one.where}", file=sys.stderr)
    return 0 if ok else 1


def _expectations(found: dict[str, Chart], items: dict[str, list[Item]], files: int) -> str:
    everything = [item for group in items.values() for item in group]
    demanded = Counter(item.family for item in everything if not item.optional)
    optional = Counter(item.family for item in everything if item.optional)
    said = Counter(name for item in everything for name, claim in item.claims.items() if not claim.says_nothing())
    withheld = Counter(f"{file.kind}: {reason}" for chart in found.values() for file, reason in chart.withheld)
    lines = [f"{files} files, {len(found)} patients", ""]
    lines.append(report.table([(name, demanded[name], optional[name]) for name in sorted({*demanded, *optional})],
                              ("resource", "expected", "accepted")))  # fmt: skip
    lines += ["", report.table([(name, said[name]) for name in ALL if name in said], ("field", "stated"))]
    lines += ["", "withheld:"] + [f"  {count} {name}" for name, count in sorted(withheld.items())] if withheld else []
    return "\n".join(lines)
