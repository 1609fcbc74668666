"""Pairs what is expected with what was answered, and counts every field.

Resources meet by their content keys, never by their ids. Where keys collide, and for what is left over, the most
similar ones are paired, so that a wrong field shows as that field and not as one resource missing and one too many.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, Hashable, Iterable

from .claims import Answer, Item


@dataclass(frozen=True)
class Difference:
    """One field of one resource that is not as expected."""

    field: str
    where: str
    expected: str
    answered: str
    reason: str = ""  # why it is an exception


@dataclass
class Count:
    """How often a field was compared, and how that ended."""

    compared: int = 0
    equal: int = 0
    exceptions: int = 0

    @property
    def wrong(self) -> int:
        return self.compared - self.equal - self.exceptions


@dataclass(frozen=True)
class ExceptionLine:
    """A line of the exceptions file: a field and a place may be patterns with `*`."""

    field: str
    where: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether this line explains a difference."""
        patient = difference.where.split("/", 1)[0]
        places = (difference.where, patient, sha256(patient.encode()).hexdigest()[:12])
        return fnmatchcase(difference.field, self.field) and any(fnmatchcase(one, self.where) for one in places)


@dataclass
class Result:
    """All counts and differences of a run."""

    counts: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    differences: list[Difference] = field(default_factory=list)
    explained: list[Difference] = field(default_factory=list)
    exceptions: list[ExceptionLine] = field(default_factory=list)
    used: set[ExceptionLine] = field(default_factory=set)

    def note(self, name: str, where: str, equal: bool, expected: Any, answered: Any) -> None:
        """Count one comparison."""
        count = self.counts[name]
        count.compared += 1
        if equal:
            count.equal += 1
            return
        difference = Difference(name, where, str(expected), _plain(answered))
        covering = next((one for one in self.exceptions if one.covers(difference)), None)
        if covering:
            count.exceptions += 1
            self.used.add(covering)
            self.explained.append(Difference(name, where, difference.expected, difference.answered, covering.reason))
        else:
            self.differences.append(difference)

    def unused(self) -> list[ExceptionLine]:
        """Lines of the exceptions file that explained nothing."""
        return [one for one in self.exceptions if one not in self.used]


def _plain(value: Any) -> str:
    return str(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


def read_exceptions(path: Path | None) -> list[ExceptionLine]:
    """The lines of an exceptions file; `#` begins a comment, every line needs its reason."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{path}:{number}: needs field, place and reason, separated by tabs")
        found.append(ExceptionLine(*parts))
    return found


def compare(patient: str, items: list[Item], answers: list[Answer], result: Result) -> None:
    """Compare all resources of one patient."""
    families = {one.family for one in (*items, *answers)}
    for family in sorted(families):
        own = [one for one in items if one.family == family]
        found = [one for one in answers if one.family == family]
        pairs, missing, extra = pair(own, found)
        name = f"{family}.present"
        for item, answer in pairs:
            result.note(name, item.where, True, None, None)
            _fields(item, answer, result)
        for item in missing:
            if not item.optional:
                result.note(name, item.where, False, item.key, None)
        for answer in extra:
            result.note(name, f"{patient}/answer", False, None, answer.key)


def _fields(item: Item, answer: Answer, result: Result) -> None:
    for name, claim in item.claims.items():
        if answer.partial and name not in answer.facts:
            continue
        fact = answer.facts.get(name)
        if claim.says_nothing() and not fact:
            continue  # nothing is said on either side: no comparison
        result.note(name, item.where, claim.holds(fact, answer), claim, fact)


# --- pairing ----------------------------------------------------------------------------------------------------------

Pairs = list[tuple[Item, Answer]]


def pair(items: list[Item], answers: list[Answer]) -> tuple[Pairs, list[Item], list[Answer]]:
    """Pairs, items without an answer, answers without an item. Items that may be absent choose last."""
    demanded = [one for one in items if not one.optional]
    optional = [one for one in items if one.optional]
    pairs: Pairs = []
    missing: list[Item] = []
    for group in (demanded, optional):
        more, left, answers = _by_key(group, answers)
        pairs += more
        missing += left
    # What is left may differ in its key: half of the fields must agree to call it the same resource.
    more, missing, answers = _greedy(missing, answers, at_least=0.5)
    return pairs + more, missing, answers


def _by_key(items: list[Item], answers: list[Answer]) -> tuple[Pairs, list[Item], list[Answer]]:
    waiting = _grouped(answers, lambda one: one.key)
    pairs: Pairs = []
    missing: list[Item] = []
    for key, group in _grouped(items, lambda one: one.key).items():
        more, left, waiting[key] = _greedy(group, waiting.get(key, []), at_least=0)
        pairs += more
        missing += left
    return pairs, missing, [one for group in waiting.values() for one in group]


def _grouped(things: Iterable[Any], key: Callable[[Any], Hashable]) -> dict[Hashable, list[Any]]:
    groups: dict[Hashable, list[Any]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return groups


def _greedy(items: list[Item], answers: list[Answer], at_least: float) -> tuple[Pairs, list[Item], list[Answer]]:
    """The most similar pair first, then the next, as long as it is similar enough."""
    if len(items) == 1 and len(answers) == 1 and at_least == 0:
        return [(items[0], answers[0])], [], []
    scores = [(_likeness(item, answer), i, a) for i, item in enumerate(items) for a, answer in enumerate(answers)]
    taken_items: set[int] = set()
    taken_answers: set[int] = set()
    pairs: Pairs = []
    for score, i, a in sorted(scores, key=lambda one: (-one[0], one[1], one[2])):
        if score >= at_least and i not in taken_items and a not in taken_answers:
            pairs.append((items[i], answers[a]))
            taken_items.add(i)
            taken_answers.add(a)
    missing = [item for i, item in enumerate(items) if i not in taken_items]
    return pairs, missing, [answer for a, answer in enumerate(answers) if a not in taken_answers]


def _likeness(item: Item, answer: Answer) -> float:
    said = [(name, claim) for name, claim in item.claims.items() if not claim.says_nothing()]
    if answer.partial:
        said = [(name, claim) for name, claim in said if name in answer.facts]
    agreed = sum(claim.holds(answer.facts.get(name), answer) for name, claim in said)
    return agreed / len(said) if said else 0.0
