"""An alert in the words of one language.

Nothing here decides anything: codes, levels and facts come in, sentences go out. What the
operator reads first is the headline, then the two strongest reasons with their share.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.text.catalogue import LANGUAGES, Catalogue, catalogue
from edge.text.why import reasons, supporting, with_place_word
from fusion.types import Alert, Level, Phase

MAX_NAMED = 3
"""Names in a list before the rest is only counted."""


class Info(NamedTuple):
    """The words of an alert, one CAP info block."""

    headline: str
    """One glance: at most 80 characters."""
    description: str
    instruction: str


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
