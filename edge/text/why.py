"""Why an alert says what it says, in plain words: the strongest contributions and their share."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from edge.text.catalogue import Catalogue, catalogue
from fusion.types import Event

DESCRIPTION_REASONS = 2
"""Reasons told in the description; the message carries the whole table beside it."""
WORTH_SAYING_NATS = 0.05
"""A contribution that moves the odds by less than 5 % is not a reason."""
BELIEVABLE_NATS = 1e6
"""Caps are below 20; a message from outside with more is not weighed."""

EXPLANATIONS: Mapping[str, tuple[str, ...]] = {
    Event.RAD_THREAT: ("threat-source",),
    Event.RAD_INNOCENT: ("norm", "medical", "legal-source"),
    Event.RAD_OVERRANGE: ("threat-source", "shielded-source", "medical", "norm", "legal-source"),
    Event.SHIELDED_SOURCE: ("shielded-source",),
    Event.CARGO_ANOMALY: ("contraband-anomaly",),
    Event.CARGO_MISMATCH: ("not-empty", "not-as-declared"),
    Event.CARGO_UNPENETRATED: ("unpenetrated",),
    Event.PERSON: ("person",),
    Event.GROUP: ("group",),
    Event.ANIMAL: ("animal",),
    Event.VEHICLE_OFF_LANE: ("vehicle",),
    Event.DIGGING: ("digging",),
    Event.AIRCRAFT_LOW: ("aircraft",),
    Event.PORTAL_BYPASS: ("bypass",),
    Event.DROP_OFF: ("drop-off", "pick-up"),
    Event.SENSOR_TAMPER: ("tamper",),
    Event.SENSOR_FAULT: ("fault", "drift", "test-piece", "miscount"),
    Event.SENSOR_SILENT: ("silent",),
}
"""Which explanations each event stands for; the reasons told are those of one of them."""


_CLASSES = ("person", "group", "animal", "vehicle", "digging", "aircraft")
"""Classes of ground motion that are explanations as well."""


class Reason(NamedTuple):
    """One reason in plain words."""

    text: str
    share: float
    """Of all the nats that speak for the event's explanation, 0 to 1."""


class HasEvidence(Protocol):
    """A contribution, from the engine or from the wire."""

    @property
    def source(self) -> str:
        """Sensor id, `prior` or `fusion`."""
        ...

    @property
    def kind(self) -> str:
        """Which test."""
        ...

    @property
    def explanation(self) -> str:
        """What it speaks for."""
        ...

    @property
    def nats(self) -> float:
        """How much."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was measured."""
        ...


class HasReasons(Protocol):
    """An alert, from the engine or from the wire."""

    @property
    def event(self) -> str:
        """Event code."""
        ...

    @property
    def contributions(self) -> Sequence[HasEvidence]:
        """The table of why."""
        ...


def supporting(alert: HasReasons) -> list[HasEvidence]:
    """The contributions that speak for what the alert says, strongest first, without the prior.

    Of the explanations that the event stands for it is the one with the highest score.
    """
    rows: dict[str, list[HasEvidence]] = {}
    for each in alert.contributions:
        if abs(each.nats) < BELIEVABLE_NATS:
            rows.setdefault(each.explanation, []).append(each)
    wanted = [name for name in EXPLANATIONS.get(alert.event, ()) if name in rows]
    if not wanted:
        return []
    chosen = max(wanted, key=lambda name: sum(each.nats for each in rows[name]))
    told = [row for row in rows[chosen] if row.kind != "prior" and row.nats > WORTH_SAYING_NATS]
    return sorted(told, key=lambda each: -each.nats)


def reasons(alert: HasReasons, language: str, n: int = DESCRIPTION_REASONS) -> list[Reason]:
    """The `n` strongest reasons in plain words, each with its share.

    What several sensors say alike is one reason: their nats add, the strongest gives the facts.
    """
    return reasons_of(supporting(alert), language, n)


def reasons_of(
    support: Sequence[HasEvidence], language: str, n: int = DESCRIPTION_REASONS
) -> list[Reason]:
    """The same of what `supporting` told."""
    texts = catalogue(language)
    groups: dict[tuple[str, str], list[HasEvidence]] = {}
    for each in support:
        groups.setdefault((each.kind, _variant(texts, each)), []).append(each)
    total = sum(each.nats for group in groups.values() for each in group)
    ranked = sorted(groups.values(), key=lambda group: -sum(each.nats for each in group))
    return [
        Reason(_group_text(texts, group), sum(each.nats for each in group) / total)
        for group in ranked[:n]
    ]


def reason_text(contribution: HasEvidence, language: str) -> str:
    """One contribution in plain words; a missing fact drops its clause."""
    return _reason_text(catalogue(language), contribution)


def _group_text(texts: Catalogue, group: Sequence[HasEvidence]) -> str:
    text = _reason_text(texts, group[0])
    sensors = len({each.source for each in group})
    if sensors == 1:
        return text
    return text + texts.fill(texts.text("phrase", "sensors"), {"n": sensors})


def _reason_text(texts: Catalogue, contribution: HasEvidence) -> str:
    facts = with_place_word(_facts(contribution)) | {
        "source": contribution.source,
        "kind": contribution.kind,
        "explanation": contribution.explanation,
    }
    if contribution.kind not in texts.tables["reason"]:
        return texts.fill(texts.text("phrase", "other_reason"), facts)
    variant = _variant(texts, contribution)
    return texts.fill(texts.text("reason", contribution.kind, variant), facts)


def _variant(texts: Catalogue, contribution: HasEvidence) -> str:
    """`fact=value` of the first variant that holds, else `text`."""
    facts = _facts(contribution)
    if contribution.kind not in texts.tables["reason"]:
        return "text"
    variants: Mapping[str, object] = texts.tables["reason"][contribution.kind]
    for key, text in variants.items():
        name, is_variant, wanted = key.partition("=")
        if is_variant and isinstance(text, str) and _as_code(facts.get(name)) == wanted:
            return key
    return "text"


def _facts(contribution: HasEvidence) -> Mapping[str, Any]:
    """The facts; of ground motion that was taken for something else, the class is `other`."""
    facts, said = contribution.facts, contribution.explanation
    speaks_for_another = said in _CLASSES and facts.get("class") not in {None, said}
    if contribution.kind != "seismic.event" or not speaks_for_another:
        return facts
    return {**facts, "class": "other"}


def _as_code(fact: object) -> str:
    return str(fact).lower() if isinstance(fact, bool) else str(fact)


def with_place_word(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts and `where`, the part of the vehicle: cab, front, middle or rear."""
    position = facts.get("position")
    if facts.get("cab") is True:
        return {**facts, "where": "cab"}
    if isinstance(position, bool) or not isinstance(position, int | float):
        return dict(facts)
    if not 0.0 <= position <= 1.0:
        return dict(facts)
    third = min(2, int(position * 3.0))
    return {**facts, "where": ("front", "middle", "rear")[third]}
