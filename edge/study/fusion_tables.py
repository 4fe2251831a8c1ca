"""The figures of hours at the crossing, in the order in which they are printed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.study.figures import Figure, percentile, plain
from edge.study.fusion_measures import ADVISORY, WARNING, Tally, share
from edge.study.intervals import events as garwood

BUDGET = 6.0
FOUND, PRECISE, PRECISE_ADVISORY = 0.95, 0.8, 0.5
WAYS = ("northbound", "southbound")
PREVALENCES = (0.1, 1.0, 4.0)  # threats an hour
MOST_CAUSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """Which figures a pack is held to."""

    found: bool = False
    budget_at: float | None = None
    """Threats an hour, as the day usually has them; None: no budget."""
    precise: bool = False
    fewer: bool = False
    drawn: Mapping[str, float] | None = None
    """Whether probabilities are to hold; by question the share of threats that the pack draws."""


def held(figure: Figure, goal: str, reached: bool) -> Figure:
    """The figure with a goal."""
    return replace(figure, goal=goal, reached=reached)


def proportion_of(name: str, hits: int, of: int, how: str) -> Figure:
    """A share with its interval."""
    value, bounds = share(hits, of)
    more = f"; {how}" if how else ""
    words = f"{hits} of {of}{more}"
    return Figure(
        name=name, value=value, unit="", goal="", reached=None, how=words, interval=bounds
    )


def an_hour(name: str, count: int, hours: float, how: str) -> Figure:
    """A rate with its interval."""
    low, high = garwood(count)
    more = f"; {how}" if how else ""
    return Figure(
        name=name,
        value=count / hours,
        unit="/h",
        goal="",
        reached=None,
        how=f"{count} in {hours:.3g} h{more}",
        interval=(low / hours, high / hours),
    )


# --- detection ---------------------------------------------------------------------------


def detection(mine: Tally, goals: Goals, rests: str) -> list[Figure]:
    """Of each event at level 3, of each stratum, and of all at level 2."""
    figures = []
    for event in mine.events:
        hits, of = mine.found(WARNING, lambda one, event=event: one.event is event)  # type: ignore[misc]
        low, _ = mine.found(ADVISORY, lambda one, event=event: one.event is event)  # type: ignore[misc]
        one = proportion_of(f"{event}: told at level >= 3", hits, of, f"at level >= 2 {low}")
        if goals.found:
            one = held(one, f">= {FOUND:g}", hits / of >= FOUND)
        figures.append(one)
    for name in mine.threats:
        hits, of = mine.found(WARNING, lambda one, name=name: one.name == name)  # type: ignore[misc]
        rows = [one for one in mine.outcomes if one.of.name == name]
        other = sum(one.level < WARNING <= one.any_level for one in rows)
        low = sum(one.level >= ADVISORY for one in rows)
        how = f"at level >= 2 {low}; {other} more told at level >= 3 as something else"
        figures.append(proportion_of(f"  {name}", hits, of, how))
    for direction in WAYS:
        hits, of = mine.going(direction).found(WARNING)
        if of:
            figures.append(proportion_of(f"{direction}: all threats at level >= 3", hits, of, ""))
    hits, of = mine.found(WARNING)
    if of:
        figures.append(proportion_of("all threats at level >= 3", hits, of, rests))
    return figures


# --- what the operator hears -------------------------------------------------------------


def operator(mine: Tally, goals: Goals, rests: str) -> list[Figure]:
    """Alerts an hour, at the day's usual share of threats too, and by direction."""
    _, heard = mine.precise(ADVISORY)
    of_each = (mine.outcomes, mine.going(WAYS[0]).outcomes, mine.going(WAYS[1]).outcomes)
    figures = [an_hour("alerts of level >= 2 an hour, one operator", heard, mine.hours, rests)]
    for direction, threats in zip(WAYS, of_each[1:], strict=True):
        count = mine.going(direction).rings(ADVISORY)
        figures.append(an_hour(f"  {direction}", count, mine.hours, f"{len(threats)} threats"))
    if goals.budget_at is not None:
        figures.append(_budget(mine, heard, goals.budget_at))
    for level in (ADVISORY, WARNING):
        causes = mine.nuisances(level)
        count = sum(causes.values())
        figures.append(an_hour(f"nuisances of level >= {level}", count, mine.hours, _words(causes)))
    return figures


def _budget(mine: Tally, heard: int, usual: float) -> Figure:
    """Threats are more frequent here than on such a day: what they ring counts as there.

    All else, helicopters and faults of sensors too, counts as it came.
    """
    rung = mine.of_threats(ADVISORY)
    each = rung / max(1, len(mine.outcomes))
    low, high = (bound / mine.hours for bound in garwood(heard - rung))
    value = (heard - rung) / mine.hours + usual * each
    return Figure(
        name=f"alerts of level >= 2 an hour, with {usual:g} threats in it",
        value=value,
        unit="/h",
        goal=f"<= {BUDGET:g}",
        reached=value <= BUDGET,
        how=f"{each:.2f} alerts a threat; all else as it came: {heard - rung}",
        interval=(low + usual * each, high + usual * each),
    )


def _words(causes: Counter[str]) -> str:
    most = causes.most_common(MOST_CAUSES)
    rest = sum(causes.values()) - sum(count for _, count in most)
    words = [f"{count} {name}" for name, count in most] + ([f"{rest} other"] if rest else [])
    return ", ".join(words)


def precision(mine: Tally, goals: Goals) -> list[Figure]:
    """Of alerts, those of something that had to be told; and where threats are as rare as so."""
    figures = []
    for level, goal in ((WARNING, PRECISE), (ADVISORY, PRECISE_ADVISORY)):
        hits, of = mine.precise(level)
        if not of or not mine.outcomes:  # without any threat, none can be right
            continue
        each = mine.of_threats(level) / max(1, len(mine.outcomes))
        wrong = (of - hits) / mine.hours
        others = ", ".join(f"{_at(each * rate, wrong):.2g} at {rate:g}" for rate in PREVALENCES)
        rate = len(mine.outcomes) / mine.hours
        how = f"with {rate:.3g} threats an hour; {others}"
        figures.append(proportion_of(f"PPV of level >= {level}", hits, of, how))
        if goals.precise and goals.budget_at is not None:
            figures.append(_precision_at(mine, level, goals.budget_at, goal))
    return figures


def _precision_at(mine: Tally, level: int, usual: float, goal: float) -> Figure:
    """Where threats come as often as on such a day; the interval is that of the nuisances."""
    hits, of = mine.precise(level)
    rung = mine.of_threats(level)
    right = usual * rung / max(1, len(mine.outcomes)) + (hits - rung) / mine.hours
    low, high = (bound / mine.hours for bound in garwood(of - hits))
    value = _at(right, (of - hits) / mine.hours)
    return Figure(
        name=f"PPV of level >= {level}, with {usual:g} threats an hour",
        value=value,
        unit="",
        goal=f">= {goal:g}",
        reached=value >= goal,
        how=f"{of - hits} nuisances in {mine.hours:.3g} h, {right:.3g} right alerts an hour there",
        interval=(_at(right, high), _at(right, low)),
    )


def _at(right: float, wrong: float) -> float:
    return right / (right + wrong) if right + wrong > 0.0 else 1.0


def waits(mine: Tally) -> list[Figure]:
    """Seconds until a threat is told at level 3."""
    evidence_s, start_s = mine.waits_s()
    figures = []
    for words, values in (("first evidence", evidence_s), ("it began", start_s)):
        if values:
            how = (
                f"p50 {percentile(values, 0.5):.3g} s, most {max(values):.3g} s, n = {len(values)}"
            )
            name = f"time to level 3 since {words}, p95"
            figures.append(plain(name, percentile(values, 0.95), "s", how))
    return figures
