"""An alert in the words of one language.

Nothing here decides anything: codes, levels and facts come in, sentences go out. What the
operator reads first is the headline, then the two strongest reasons with their share.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from edge.text.catalogue import LANGUAGES, Catalogue, catalogue
from fusion.types import Alert, Event, Level, Phase

DESCRIPTION_REASONS = 2
"""Reasons told in the description; the message carries the whole table beside it."""
MAX_NAMED = 3
"""Names in a list before the rest is only counted."""
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
    Event.CARGO_MISMATCH: ("not-empty",),
    Event.CARGO_UNPENETRATED: ("unpenetrated",),
    Event.PERSON: ("person",),
    Event.GROUP: ("group",),
    Event.ANIMAL: ("animal",),
    Event.VEHICLE_OFF_LANE: ("vehicle",),
    Event.DIGGING: ("digging",),
    Event.AIRCRAFT_LOW: ("aircraft",),
    Event.PORTAL_BYPASS: ("bypass",),
    Event.DROP_OFF: ("drop-off",),
    Event.SENSOR_TAMPER: ("tamper",),
    Event.SENSOR_FAULT: ("fault",),
    Event.SENSOR_SILENT: ("silent",),
}
"""Which explanations each event stands for; the reasons told are those of one of them."""


class Info(NamedTuple):
    """The words of an alert, one CAP info block."""

    headline: str
    """One glance: at most 80 characters."""
    description: str
    instruction: str


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
    texts = catalogue(language)
    groups: dict[tuple[str, str], list[HasEvidence]] = {}
    for each in supporting(alert):
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
    facts = with_place_word(contribution.facts) | {
        "source": contribution.source,
        "kind": contribution.kind,
    }
    if contribution.kind not in texts.tables["reason"]:
        return texts.fill(texts.text("phrase", "other_reason"), facts)
    variant = _variant(texts, contribution)
    return texts.fill(texts.text("reason", contribution.kind, variant), facts)


def _variant(texts: Catalogue, contribution: HasEvidence) -> str:
    """`fact=value` of the first variant that holds, else `text`."""
    if contribution.kind not in texts.tables["reason"]:
        return "text"
    for key in texts.table("reason", contribution.kind):
        name, is_variant, wanted = key.partition("=")
        if is_variant and _as_code(contribution.facts.get(name)) == wanted:
            return key
    return "text"


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


def render(alert: Alert, language: str) -> Info:
    """The alert's headline, description and instruction. ValueError for an unknown language."""
    texts = catalogue(language)
    facts = _alert_facts(alert)
    return Info(
        _headline(texts, alert, facts),
        _description(texts, alert, facts),
        _instruction(texts, alert),
    )


def strip_exercise(headline: str) -> str:
    """A headline without the mark of an exercise, for a screen that has a mark of its own."""
    for language in LANGUAGES:
        headline = headline.removeprefix(catalogue(language).text("phrase", "exercise"))
    return headline


def _alert_facts(alert: Alert) -> dict[str, Any]:
    """What the words may need: the alert's own facts, then those of the strongest reasons."""
    facts: dict[str, Any] = {}
    for each in reversed(supporting(alert)):
        facts |= each.facts
    return with_place_word({**facts, **alert.facts})


def _code(texts: Catalogue, alert: Alert) -> str:
    """The event's code, with its explanation where the catalogue tells them apart."""
    strongest = supporting(alert)
    best = strongest[0].explanation if strongest else ""
    special = f"{alert.event}:{best}"
    return special if special in texts.tables["event"] else str(alert.event)


def _headline(texts: Catalogue, alert: Alert, facts: Mapping[str, Any]) -> str:
    likelihood = "likely" if alert.probability > 0.5 else "possible"
    headline = texts.fill(texts.text("event", _code(texts, alert), likelihood), facts)
    over = texts.text("phrase", "over") if alert.phase is Phase.CLEAR else ""
    exercise = texts.text("phrase", "exercise") if alert.exercise else ""
    return exercise + over + headline


def _instruction(texts: Catalogue, alert: Alert) -> str:
    if alert.phase is Phase.CLEAR:
        return texts.text("phrase", "over_instruction")
    if alert.level <= Level.LOG:
        return texts.text("phrase", "log_instruction")
    return texts.text("event", _code(texts, alert), Level(alert.level).name.lower())


def _description(texts: Catalogue, alert: Alert, facts: Mapping[str, Any]) -> str:
    sentences = [
        _place(texts, alert),
        texts.fill(texts.text("event", _code(texts, alert), "description"), facts),
        _why(texts, alert),
        _names(texts, "silent", alert.silent),
        _names(texts, "down", alert.down),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _place(texts: Catalogue, alert: Alert) -> str:
    facts = {"lane": alert.lane, "zone": alert.zone, "direction": alert.direction}
    template = "lane" if alert.lane else "zone" if alert.zone else "site"
    return texts.fill(texts.text("phrase", template), facts | {"site": alert.site})


def _why(texts: Catalogue, alert: Alert) -> str:
    told = reasons(alert, texts.language)
    if not told:
        return ""
    listed = "; ".join(f"{reason.text} ({reason.share * 100:.0f} %)" for reason in told)
    why = texts.fill(texts.text("phrase", "why"), {}) + listed + "."
    # Facts: fusion 2.1, an operator is told when nothing corroborates a sensor.
    about_ground_or_cargo = not alert.event.startswith("SENSOR_")
    if about_ground_or_cargo and len({each.source for each in supporting(alert)}) == 1:
        why += " " + texts.text("phrase", "one_source")
    return why


def _names(texts: Catalogue, phrase: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:MAX_NAMED])
    more = len(names) - MAX_NAMED
    rest = texts.fill(texts.text("phrase", "more"), {"n": more}) if more > 0 else ""
    return texts.text("phrase", phrase) + listed + rest + "."


def word(table: str, code: str, language: str) -> str:
    """The word for a code: `level`, `direction`, `explanation`, `class`, `family`, ..."""
    return catalogue(language).word(table, code)


def say(table: str, name: str, language: str, /, **facts: object) -> str:
    """A phrase of the catalogue's table `screen`, `demo`, ... with its facts."""
    texts = catalogue(language)
    return texts.fill(texts.text(table, name), facts)
