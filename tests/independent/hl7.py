"""HL7 v2 text: messages, segments, fields, components. Everything is read by position, nothing is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterator

NULL = '""'


@dataclass(frozen=True)
class Marks:
    """The delimiters that a message declares for itself."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"


@dataclass(frozen=True)
class Value:
    """One repetition of a field."""

    raw: str
    marks: Marks

    def __bool__(self) -> bool:
        return self.raw not in ("", NULL)

    def part(self, number: int) -> str:
        """Component `number` (from 1), unescaped; sub-components of a text are joined by `&` as they stood."""
        parts = self.raw.split(self.marks.component)
        text = parts[number - 1] if number <= len(parts) else ""
        return "" if text == NULL else unescape(text, self.marks)

    def sub(self, number: int, sub: int) -> str:
        """Sub-component `sub` of component `number`, both from 1."""
        parts = self.raw.split(self.marks.component)
        if number > len(parts):
            return ""
        subs = parts[number - 1].split(self.marks.sub)
        text = subs[sub - 1] if sub <= len(subs) else ""
        return "" if text == NULL else unescape(text, self.marks)

    @property
    def text(self) -> str:
        """The whole repetition as one text."""
        return "" if self.raw == NULL else unescape(self.raw, self.marks)


@dataclass(frozen=True)
class Segment:
    """A segment; `fields[n]` is field n of the standard, `fields[0]` its name."""

    name: str
    fields: tuple[str, ...]
    marks: Marks

    def reps(self, number: int) -> list[Value]:
        """The repetitions of a field that state something."""
        if number >= len(self.fields):
            return []
        text = self.fields[number]
        parts = [text] if self.name == "MSH" and number <= 2 else text.split(self.marks.repetition)
        return [value for value in (Value(part, self.marks) for part in parts) if value]

    def first(self, number: int) -> Value:
        """The first repetition that states something, else an empty value."""
        return next(iter(self.reps(number)), Value("", self.marks))

    def get(self, number: int, component: int = 1) -> str:
        """A component of the first repetition as stripped text."""
        return strip(self.first(number).part(component))


@dataclass
class Message:
    """One message in the order of its segments."""

    segments: list[Segment] = field(default_factory=list)

    def all(self, name: str) -> list[Segment]:
        """All segments of one name."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of one name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def groups(self, opener: str) -> Iterator[list[Segment]]:
        """Runs of segments that begin with `opener`."""
        group: list[Segment] = []
        for segment in self.segments:
            if segment.name == opener:
                if group:
                    yield group
                group = [segment]
            elif group:
                group.append(segment)
        if group:
            yield group

    @property
    def trigger(self) -> str:
        """The event of MSH-9, such as A01."""
        head = self.first("MSH")
        return head.get(9, 2) if head else ""


def strip(text: str) -> str:
    """Without blanks at the ends, the full-width blank included."""
    return text.strip(" \t\r\n\u3000")


def messages(text: str) -> list[Message]:
    """All messages of a file; batch wrappers, blank lines, byte order mark and trailing filler fall away."""
    found: list[Message] = []
    marks = Marks()
    for line in re.split(r"[\r\n]+", text.strip("\ufeff\x00\x1a \r\n")):
        line = line.strip("\x00\x1a")
        if line.startswith("MSH") and len(line) > 4:
            marks = _marks(line)
            found.append(Message())
        if found and re.match(r"[A-Z][A-Z0-9]{2}", line) and line[:3] not in ("FHS", "BHS", "BTS", "FTS"):
            found[-1].segments.append(_segment(line, marks))
    return found


def _marks(line: str) -> Marks:
    separator = line[3]
    # A converter may have turned the backslash into a yen sign; it still is the escape character.
    declared = line[4:].split(separator)[0].replace("¥", "\\").replace("￥", "\\")
    return Marks(separator, *(declared[:4] + "^~\\&"[len(declared) :]))


def _segment(line: str, marks: Marks) -> Segment:
    name, *rest = line.split(marks.field)
    return Segment(name, (name, marks.field, *rest) if name == "MSH" else (name, *rest), marks)


def unescape(text: str, marks: Marks) -> str:
    """Escape sequences replaced, once, from left to right; what is unknown stays as it was written."""
    if marks.escape not in text:
        return text
    mark = re.escape(marks.escape)
    plain = {"F": marks.field, "S": marks.component, "T": marks.sub, "R": marks.repetition, "E": marks.escape}
    plain |= {"H": "", "N": "", ".br": "\n"}

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in plain:
            return plain[name]
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", name):
            return bytes.fromhex(name[1:]).decode("cp932", "replace").replace("\r", "\n")
        if re.fullmatch(r"\.sp ?\d*", name):
            return "\n"
        return "" if re.fullmatch(r"\.(in|ti) ?-?\d+|\.(fi|nf|ce)", name) else match.group(0)

    return re.sub(f"{mark}([^{mark}]*){mark}", replace, text)
