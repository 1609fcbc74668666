"""What one patient's files come to, before any of it is turned into expectations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Iterable, Iterator

from .hl7 import Segment, Value
from .storage import File, State, states
from .values import folded_name, has_kanji, v2_time

PATIENT_SYSTEM = "urn:oid:1.2.392.100495.20.3.51.1"


@dataclass
class Chart:
    """The readable states of one patient's slots."""

    patient: str
    facility: str
    today: date
    states: list[State] = field(default_factory=list)
    withheld: list[tuple[File, str]] = field(default_factory=list)
    newest: File | None = None
    doubts: dict[str, str] = field(default_factory=dict)  # by slot: why its resources may be absent

    def of(self, kind: str, *names: str) -> list[State]:
        """States of one data kind, by default those that have a valid or last known content."""
        wanted = names or ("current", "unmarked")
        return [state for state in self.states if state.slot[2] == kind and state.name in wanted]

    def files(self, kind: str) -> Iterator[File]:
        """The current files of one kind."""
        return (state.current for state in self.of(kind) if state.current)


def charts(files: Iterable[File], facility: str, today: date) -> dict[str, Chart]:
    """A chart for every patient folder that has a file of its own patient."""
    by_patient: dict[str, list[File]] = defaultdict(list)
    for file in files:
        by_patient[file.patient].append(file)
    found = {patient: _chart(patient, facility, today, own) for patient, own in by_patient.items()}
    return {patient: chart for patient, chart in found.items() if chart.states}


def _chart(patient: str, facility: str, today: date, files: list[File]) -> Chart:
    chart = Chart(patient, facility, today)
    own = []
    for file in files:
        reason = _foreign(file)
        if reason:
            chart.withheld.append((file, reason))
        else:
            own.append(file)
    known = _evidence(own)
    denied = {file.version: reason for file in own if (reason := known.denies(file))}
    chart.withheld += [(file, denied[file.version]) for file in own if file.version in denied]
    for state in states(own):
        if not state.current or state.current.version not in denied:
            chart.states.append(state)
    # A valid version that may not be shown: whether an older one still speaks for its slot is open.
    valid = [(file, why) for file, why in chart.withheld if file.flag == "1"]
    chart.doubts = {file.where: f"the valid version is withheld: {why}" for file, why in valid}
    chart.doubts |= {file.where: "bytes that cannot be decoded" for file in own if file.doubtful}
    readable = [file for file in own if file.version not in denied and file.flag == "1"]
    chart.newest = max(readable, key=lambda file: file.age, default=None)
    return chart


def _foreign(file: File) -> str:
    """Why a file gives nothing at all: no message in it, or it speaks of another patient."""
    if not file.text.lstrip("\ufeff\r\n").startswith("MSH") or not file.messages:
        return "no message for production"
    for message in file.messages:
        if patient_id(message.first("PID")) != file.patient:
            return "PID-3 names another patient"
    return ""


def patient_id(pid: Segment | None) -> str:
    """The id of type PI, else the first one."""
    reps = pid.reps(3) if pid else []
    chosen = next((rep for rep in reps if rep.part(5) == "PI"), reps[0] if reps else None)
    return chosen.part(1).strip() if chosen else ""


def name_by_script(reps: list[Value]) -> dict[str, Value]:
    """The repetitions of a name by representation: I ideographic, P phonetic, A alphabetic.

    Where component 8 does not say it, the writing does: with a kanji it is I. A single repetition without kanji and
    without a mark is taken as P when it is kana.
    """
    found: dict[str, Value] = {}
    for rep in reps:
        text = rep.part(1) + rep.part(2)
        mark = rep.part(8)
        if mark not in ("I", "P", "A"):
            mark = "I" if has_kanji(text) else "A" if text.isascii() else "P"
        if text and mark not in found:
            found[mark] = rep
    return found


@dataclass
class _Evidence:
    births: set[str]
    names: dict[str, set[str]]
    genders: set[str]

    def denies(self, file: File) -> str:
        """Why a file may not be attributed to this patient although it carries the number."""
        pid = file.messages[0].first("PID")
        if not pid or file.kind == "ADT-00":
            return ""
        birth = v2_time(pid.get(7)[:8])
        if self.births and birth and birth not in self.births:
            return "another birth date"
        own = _folded(pid)
        tested = [mark for mark in own if self.names.get(mark)]
        if tested and not any(own[mark] in self.names[mark] for mark in tested):
            return "another name"
        gender = pid.get(8)
        if not own and self.genders and gender and gender not in self.genders:
            return "another sex"
        return ""


def _folded(pid: Segment) -> dict[str, str]:
    scripts = name_by_script(pid.reps(5))
    texts = {mark: folded_name(rep.part(1) + rep.part(2)) for mark, rep in scripts.items()}
    return {mark: text for mark, text in texts.items() if text}


def _evidence(files: list[File]) -> _Evidence:
    """Birth date, names and sex of every version of the demographics, else of the newest file."""
    sources = [file for file in files if file.kind == "ADT-00"]
    if not sources and files:
        sources = [max(files, key=lambda file: file.age)]
    found = _Evidence(set(), defaultdict(set), set())
    for file in sources:
        pid = file.messages[0].first("PID")
        if not pid:
            continue
        if birth := v2_time(pid.get(7)[:8]):
            found.births.add(birth)
        if gender := pid.get(8):
            found.genders.add(gender)
        for mark, text in _folded(pid).items():
            found.names[mark].add(text)
    return found
