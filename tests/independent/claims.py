"""What the storage makes us expect of one field of an answer.

Where the documents leave a choice open, the claim lists every reading it accepts (`OneOf`) or only asks that the text
is shown at all (`Somewhere`), and the place that makes the claim says why in a comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Protocol


@dataclass(frozen=True)
class Answer:
    """One FHIR resource as this reader understands it."""

    family: str
    key: tuple[Any, ...]
    facts: dict[str, Any]
    strings: frozenset[str] = frozenset()
    name: str = ""
    partial: bool = False  # states only some fields; a field it does not know is not compared


class Claim(Protocol):
    """One expectation of one field."""

    def holds(self, fact: Any, answer: Answer) -> bool:
        """Whether the answer says what is expected."""

    def says_nothing(self) -> bool:
        """Whether nothing is expected; then only an answer that says something is a comparison."""


@dataclass(frozen=True)
class Is:
    """Exactly this value; None means that the answer must not state one."""

    value: Any

    def holds(self, fact: Any, answer: Answer) -> bool:
        return self.value == fact or (not fact and not self.value)

    def says_nothing(self) -> bool:
        return not self.value

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class OneOf:
    """Any of these values, because more than one reading is right."""

    values: tuple[Any, ...]

    def holds(self, fact: Any, answer: Answer) -> bool:
        return any(Is(value).holds(fact, answer) for value in self.values)

    def says_nothing(self) -> bool:
        return not all(self.values)  # silence is one of the readings

    def __str__(self) -> str:
        return " or ".join(map(str, self.values))


@dataclass(frozen=True)
class Includes:
    """At least these members of a set; others may stand beside them."""

    members: frozenset[Any]

    def holds(self, fact: Any, answer: Answer) -> bool:
        return self.members <= (fact or frozenset())

    def says_nothing(self) -> bool:
        return not self.members

    def __str__(self) -> str:
        return "at least " + str(sorted(map(str, self.members)))


@dataclass(frozen=True)
class Shows:
    """A text field that contains each of these texts."""

    texts: tuple[str, ...]

    def holds(self, fact: Any, answer: Answer) -> bool:
        return all(text in (fact or "") for text in self.texts)

    def says_nothing(self) -> bool:
        return not any(self.texts)

    def __str__(self) -> str:
        return "text with " + ", ".join(self.texts)


@dataclass(frozen=True)
class Somewhere:
    """Texts that must be shown, wherever in the resource: the documents name no element."""

    texts: tuple[str, ...]

    def holds(self, fact: Any, answer: Answer) -> bool:
        return all(any(text in string for string in answer.strings) for text in self.texts)

    def says_nothing(self) -> bool:
        return not any(self.texts)

    def __str__(self) -> str:
        return "somewhere " + ", ".join(self.texts)


def one_of(values: Iterable[Any]) -> Claim:
    """`Is` when there is only one reading."""
    distinct = tuple(dict.fromkeys(values))
    return Is(distinct[0]) if len(distinct) == 1 else OneOf(distinct)


@dataclass
class Item:
    """One resource that the storage makes us expect."""

    family: str
    key: tuple[Any, ...]
    where: str
    claims: dict[str, Claim]
    optional: str = ""  # why the resource may also be absent
