"""Why a side gets less of an alert, for a person: per side and field the rule, and its reason.

Answers for an alert at hand, or for one that could be: what is not said of it may let a rule apply
or not, and then the answer says on what it depends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.delivery.release import Rule
from edge.delivery.withholding import EMPTY, IMPLIED, INNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of an alert; None: not said. A place that is empty: neither lane nor zone."""

    event: str | None = None
    direction: str | None = None
    level: int | None = None
    exercise: bool | None = None
    places: frozenset[str] | None = None
    files: tuple[tuple[str, str], ...] = ()
    """Names and media types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """One field, or file, that a side is not told."""

    field: str
    rule: str
    because: str
    """What the alert has that the rule is about; empty where it is about all."""
    told_by: str = ""
    """The field that this one would tell in other words."""
    depends: str = ""
    """What must be so for the rule to apply, where that is not known."""


def explain(rules: Sequence[Rule], asked: Asked) -> list[Withheld]:
    """What a side with these rules is not told, in the order of the fields, then files.

    Where two rules withhold the same, the first one that surely applies is named.
    """
    found: dict[str, Withheld] = {}
    for rule in rules:
        conditions = list(_conditions(rule, asked))
        if any(holds is False for _, holds in conditions):
            continue
        because = " and ".join(text for text, holds in conditions if holds)
        depends = " and ".join(text for text, holds in conditions if holds is None)
        for field, told_by in _fields(rule, asked):
            before = found.get(field)
            if before is None or (before.depends and not depends):
                found[field] = Withheld(
                    field=field, rule=rule.name, because=because, told_by=told_by, depends=depends
                )
    order = [*EMPTY, *INNER]
    return sorted(
        _without_parts(found), key=lambda one: order.index(one.field) if one.field in order else 99
    )


def lines(side: str, withheld: Iterable[Withheld]) -> list[str]:
    """An answer as a person reads it."""
    found = list(withheld)
    if not found:
        return [f"{side}: everything, in the same bytes"]
    told = [f"{side}: not told, but that there is an alert, of what level and when:"]
    for one in found:
        words = f"  {one.field:<13} rule {one.rule}"
        if one.because:
            words += f", since {one.because}"
        if one.told_by:
            words += f"; it would tell {one.told_by} in other words"
        if one.depends:
            words += f"; only where {one.depends}"
        told.append(words)
    return told


def _fields(rule: Rule, asked: Asked) -> Iterable[tuple[str, str]]:
    """Each field and file of a rule, and the field of the rule that brings it."""
    said = tuple(EMPTY) if rule.everything else rule.fields
    yield from ((name, "") for name in said)
    for name in said:
        yield from ((each, name) for each in IMPLIED.get(name, ()) if each not in said)
    for name, media_type in asked.files:
        if {name, media_type} & rule.evidence:
            yield f"file {name}", ""
    if rule.evidence and not asked.files:
        for each in sorted(rule.evidence):
            yield f"files {each}", ""


def _conditions(rule: Rule, asked: Asked) -> Iterable[tuple[str, bool | None]]:
    """Each condition in words, and whether it holds; None: not known."""
    exercise = None if rule.exercise is None else frozenset({rule.exercise})
    sets: tuple[tuple[str, frozenset[object], object], ...] = (
        ("event", frozenset(rule.events), asked.event),
        ("direction", frozenset(rule.directions), asked.direction),
        ("level", frozenset(rule.levels), asked.level),
        ("exercise", frozenset(exercise or ()), asked.exercise),
    )
    for name, wanted, value in sets:
        if wanted:
            yield _words(name, wanted), None if value is None else value in wanted
    if rule.places:
        holds = None if asked.places is None else bool(rule.places & asked.places)
        yield _words("place", frozenset(rule.places)), holds


def _words(name: str, wanted: frozenset[object]) -> str:
    said = " or ".join(sorted(str(one).lower() if name == "exercise" else str(one)
                              for one in wanted))  # fmt: skip
    return f"{name} is {said}"


def _without_parts(found: Mapping[str, Withheld]) -> list[Withheld]:
    """No part of each item of a list that is withheld as a whole, and no file of all."""
    whole = {name for name, one in found.items() if not one.depends}
    return [one for one in found.values() if _list_of(one.field) not in whole]


def _list_of(field: str) -> str:
    if field.startswith("file"):
        return "evidence"
    return INNER[field][0] if field in INNER else ""
