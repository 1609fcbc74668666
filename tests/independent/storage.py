"""The files of a standardized storage, and which of them are the current statement of the hospital.

A storage is a set of roots: folders or tar archives. Path and name of a file say patient, day, kind, order number, time,
department and flag; the first three are read from the path as well, and a file whose path and name disagree about the
patient belongs to nobody.
"""

from __future__ import annotations

import re
import tarfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Iterable, Iterator

from .charset import REPLACEMENT, decode
from .hl7 import Message, messages
from .values import v2_time

EVENT_KINDS = frozenset({"ADT-12", "ADT-31", "ADT-32", "ADT-41", "ADT-42"})
CANCELS = frozenset("A11 A12 A13 A23 A25 A26 A27 A52 A53 A55".split())
NO_ORDER = "9" * 15

Slot = tuple[str, str, str, str]


@dataclass(frozen=True)
class File:
    """One file; equal in all roots where name and bytes are the same."""

    patient: str
    day: str
    kind: str
    order: str
    time: str
    department: str
    flag: str
    raw: bytes
    fallback: str = "cp932"

    @property
    def slot(self) -> Slot:
        """What the standard calls the same data: only one version of it is valid at a time."""
        return (self.patient, self.day, self.kind, self.order)

    @property
    def version(self) -> tuple[str, ...]:
        """The name without its flag."""
        return (*self.slot, self.time, self.department)

    @property
    def age(self) -> tuple[str, ...]:
        """Sorts versions of a slot; times of 14 or 15 digits are filled up."""
        return (self.time.ljust(17, "0"), self.department)

    @property
    def where(self) -> str:
        """The slot as one text for reports and exceptions."""
        return "/".join(self.slot)

    @cached_property
    def text(self) -> str:
        """The decoded file."""
        return decode(self.raw, self.fallback)[0]

    @cached_property
    def messages(self) -> list[Message]:
        """The messages in it that are meant for production."""
        return [one for one in messages(self.text) if (head := one.first("MSH")) and head.get(11) == "P"]

    @property
    def doubtful(self) -> bool:
        """Some byte could not be decoded; whether such a file counts as undecodable is left open."""
        return REPLACEMENT in self.text

    @property
    def cancels(self) -> bool:
        """The message takes an event back."""
        return any(one.trigger in CANCELS for one in self.messages)

    @cached_property
    def event_time(self) -> str | None:
        """When the event of an ADT message happened, by its kind."""
        head = self.messages[0] if self.messages else Message()
        segment, number = {
            "ADT-12": ("PV1", 44), "ADT-22": ("PV1", 44), "ADT-52": ("PV1", 45), "ADT-51": ("PV2", 9),
            "ADT-21": ("PV2", 8), "ADT-41": ("PV2", 8),
        }.get(self.kind, ("EVN", 6))  # fmt: skip
        found = head.first(segment)
        return v2_time(found.get(number)) if found else None


@dataclass(frozen=True)
class State:
    """The set of versions of one slot, read."""

    slot: Slot
    name: str  # "current", "deleted", "unmarked" (only superseded versions), "cancelled"
    current: File | None
    older: tuple[File, ...]


# --- reading roots ----------------------------------------------------------------------------------------------------


def read(roots: Iterable[Path], fallback: str = "cp932") -> list[File]:
    """All files of all roots whose path and name can be read, without double ones."""
    found: dict[tuple[str, ...], dict[tuple[str, bytes], File]] = defaultdict(dict)
    for root in roots:
        for path, raw in _contents(Path(root)):
            file = parse(path, raw, fallback)
            if file:
                found[file.version][(file.flag, file.raw)] = file
    return [file for copies in found.values() for file in _one_flag(list(copies.values()))]


def _one_flag(copies: list[File]) -> list[File]:
    """One version with two flags in two roots: valid wins, else deleted."""
    flag = next(flag for flag in "102" if any(copy.flag == flag for copy in copies))
    return [copy for copy in copies if copy.flag == flag]


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    if root.is_dir():
        for path in sorted(root.rglob("*")):
            if path.is_file():
                yield path.relative_to(root).as_posix(), path.read_bytes()
        return
    with tarfile.open(root) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream:
                yield member.name, stream.read()


def parse(path: str, raw: bytes, fallback: str = "cp932") -> File | None:
    """A file from its path, read from the right; None for what is no file of a storage."""
    parts = PurePosixPath(path).parts
    if len(parts) < 4:
        return None
    patient, day, kind = parts[-4:-1]
    name = re.fullmatch(
        r"(?P<patient>[0-9A-Za-z-]{1,15})_(?P<day>\d{8}|-)_(?P<kind>[A-Z]{3}(?:-\d{2})?)_(?P<order>[^_]+)"
        r"_(?P<time>\d{14,17})(?:_(?P<department>[^_]*))?_(?P<flag>[012])",
        parts[-1],
    )
    if not name or name["patient"] != patient or name["kind"] != kind or name["day"] != day:
        return None
    return File(**{**name.groupdict(), "department": name["department"] or "-"}, raw=raw, fallback=fallback)


# --- which file is valid ----------------------------------------------------------------------------------------------


def states(files: Iterable[File]) -> list[State]:
    """The state of every slot. A cancel that is itself valid voids the same event in other slots of its kind too."""
    slots: dict[tuple[object, ...], list[File]] = defaultdict(list)
    for file in files:
        # Without an order number two receptions of one day share a slot, so the event time has to tell them apart.
        apart = file.event_time if file.kind in EVENT_KINDS and file.order == NO_ORDER else None
        slots[(*file.slot, apart)].append(file)
    found = [_state(versions) for versions in slots.values()]
    voided = {
        (state.slot[0], state.slot[2], state.current.event_time)
        for state in found
        if state.name == "cancelled" and state.current and state.current.flag == "1" and state.current.event_time
    }
    return [_voided(state, voided) for state in found]


def _state(versions: list[File]) -> State:
    versions = sorted(versions, key=lambda file: file.age)
    valid = [file for file in versions if file.flag == "1"]
    if valid:
        name, current = "current", valid[-1]
    elif any(file.flag == "0" for file in versions):
        return State(versions[0].slot, "deleted", None, tuple(versions))
    else:
        name, current = "unmarked", versions[-1]
    older = tuple(file for file in versions if file is not current)
    return State(current.slot, "cancelled" if current.cancels else name, current, older)


def _voided(state: State, voided: set[tuple[str, str, str | None]]) -> State:
    file = state.current
    if state.name in ("current", "unmarked") and file and (file.patient, file.kind, file.event_time) in voided:
        return State(state.slot, "cancelled", file, state.older)
    return state
