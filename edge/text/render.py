"""An alert in the words of one language.

Nothing here decides anything: codes, levels and facts come in, sentences go out. What the
operator reads first is the headline, then the two strongest reasons with their share.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.text.catalogue import LANGUAGES, Catalogue, catalogue
from edge.text.handling import group_headline, handling
from edge.text.why import HasEvidence, reasons_of, supporting, with_place_word
from fusion.types import Alert, Event, Level, Phase

MAX_NAMED = 3
"""Names in a list before the rest is only counted."""
DEVICE_EVENTS = frozenset((Event.SENSOR_FAULT, Event.SENSOR_SILENT))
"""What is over with its cause. A vehicle or a person that is detected no more is only elsewhere."""
AT_LANE = {"start": "track_from_lane", "end": "track_to_lane", "both": "track_at_lane"}


class Info(NamedTuple):
    """The words of an alert, one CAP info block."""

    headline: str
    """One glance: at most 80 characters."""
    description: str
    instruction: str


def render(alert: Alert, language: str) -> Info:
    """The alert's headline, description and instruction. ValueError for an unknown language."""
    texts = catalogue(language)
    support = supporting(alert)
    facts = _alert_facts(alert, support)
    code = _code(texts, alert, support)
    return Info(
        _headline(texts, alert, code, facts),
        _description(texts, alert, code, facts, support),
        _instruction(texts, alert, code),
    )


def headline(alert: Alert, language: str) -> str:
    """The alert's headline alone. ValueError for an unknown language."""
    texts = catalogue(language)
    support = supporting(alert)
    return _headline(texts, alert, _code(texts, alert, support), _alert_facts(alert, support))


def strip_exercise(headline: str) -> str:
    """A headline without the mark of an exercise, for a screen that has a mark of its own."""
    for language in LANGUAGES:
        headline = headline.removeprefix(catalogue(language).text("phrase", "exercise"))
    return headline


def _alert_facts(alert: Alert, support: Sequence[HasEvidence]) -> dict[str, Any]:
    """What the words may need: the alert's own facts, then those of the strongest reasons."""
    facts: dict[str, Any] = {}
    for each in reversed(support):
        facts |= each.facts
    return with_place_word({**facts, **alert.facts})


def _code(texts: Catalogue, alert: Alert, support: Sequence[HasEvidence]) -> str:
    """The event's code, with its explanation where the catalogue tells them apart."""
    best = support[0].explanation if support else ""
    special = f"{alert.event}:{best}"
    return special if special in texts.tables["event"] else str(alert.event)


def _headline(texts: Catalogue, alert: Alert, code: str, facts: Mapping[str, Any]) -> str:
    likelihood = "likely" if alert.probability > 0.5 else "possible"
    told = texts.fill(texts.text("event", code, likelihood), facts)
    over = texts.text("phrase", "over") if alert.phase is Phase.CLEAR else ""
    exercise = texts.text("phrase", "exercise") if alert.exercise else ""
    return exercise + over + group_headline(texts, alert.facts, told)


def _instruction(texts: Catalogue, alert: Alert, code: str) -> str:
    if alert.phase is Phase.CLEAR:
        about = "over_device_instruction" if alert.event in DEVICE_EVENTS else "over_instruction"
        return texts.text("phrase", about)
    if alert.level <= Level.LOG:
        return texts.text("phrase", "log_instruction")
    return texts.text("event", code, Level(alert.level).name.lower())


def _description(
    texts: Catalogue,
    alert: Alert,
    code: str,
    facts: Mapping[str, Any],
    support: Sequence[HasEvidence],
) -> str:
    sentences = [
        _place(texts, alert),
        texts.fill(texts.text("event", code, "description"), facts),
        *_track(texts, alert.facts),
        *(
            texts.text("phrase", name)
            for name in ("taken_back", "ambiguous")
            if alert.facts.get(name) is True
        ),
        *handling(texts, alert.facts),
        _why(texts, alert, support),
        _names(texts, "silent", alert.silent),
        _names(texts, "down", alert.down),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _place(texts: Catalogue, alert: Alert) -> str:
    facts = {"lane": alert.lane, "zone": alert.zone, "direction": alert.direction}
    template = "lane" if alert.lane else "zone" if alert.zone else "site"
    return texts.fill(texts.text("phrase", template), facts | {"site": alert.site})


def _track(texts: Catalogue, facts: Mapping[str, Any]) -> list[str]:
    """Where something goes that several sensors have followed."""
    toward = facts.get("toward")
    words = toward.get(texts.language) if isinstance(toward, Mapping) else None
    told = {**facts, "toward": words}
    course, count = facts.get("course"), facts.get("count")
    names = {"along": ["track_speed"], "across": ["track_across"]}.get(str(course), [])
    names += ["track_turned"] if names and facts.get("turned") is True else []
    names += ["track_count"] if isinstance(count, int) and count > 1 else []
    if facts.get("near_lane") is not None:
        names += [AT_LANE.get(str(facts.get("near_lane_at")), "track_at_lane")]
    if isinstance(zones := facts.get("zones"), tuple | list) and len(zones) > 1:
        told["zones"] = ", ".join(str(zone) for zone in zones[:MAX_NAMED])
        names += ["track_zones"]
    return [texts.fill(texts.text("phrase", name), told) for name in names]


def _why(texts: Catalogue, alert: Alert, support: Sequence[HasEvidence]) -> str:
    told = reasons_of(support, texts.language)
    if not told:
        return ""
    listed = "; ".join(f"{reason.text} ({reason.share * 100:.0f} %)" for reason in told)
    why = texts.fill(texts.text("phrase", "why"), {}) + listed + "."
    # Facts: fusion 2.1, an operator is told when nothing corroborates a sensor.
    about_ground_or_cargo = not alert.event.startswith("SENSOR_")
    if about_ground_or_cargo and len({each.source for each in support}) == 1:
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
