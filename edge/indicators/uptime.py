"""How long what worked: sensors and sides, between the starts and stops of the service.

While the service was not running, and before the first word of a sensor or side after a start,
nobody knows: that time is `unknown`, never up and never down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edge.indicators.figures import (
    SECOND_NS,
    Figure,
    Window,
    Word,
    number,
    ranges,
    raw,
    seconds,
    text_of,
    whole_of,
)
from edge.indicators.reading import Reading
from edge.record.entries import Entry

State = Literal["up", "down", "simulated"]
LEFT_OVER_NS = 60 * SECOND_NS
"""Longer than any start takes; a crash that is mended sooner costs less than that of known time."""
CONTACT_NS = 10 * SECOND_NS
"""So long a start may take to reach a sensor or a side before it counts as failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One boot, as far as the record tells of it."""

    from_index: int
    to_index: int
    """Its last entry: the stop, or where it was cut off."""
    to_utc_ns: int
    clean: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A while in which something was in one state."""

    state: State
    from_utc_ns: int
    to_utc_ns: int
    entries: tuple[int, int]
    """Those that it lies between."""


def runs(reading: Reading) -> list[Run]:
    """Every boot; where a stop is missing it ends with the last that it entered."""
    found: list[Run] = []
    mine: list[Entry] = []
    for entry in reading.entries.values():
        if entry.kind == "change-refused":
            continue  # it was not let start
        if entry.kind == "start" and mine:
            found.append(_cut_off(reading, mine, reading.time_ns(entry)))
            mine = []
        if mine or entry.kind == "start" or not found:
            mine.append(entry)
        if entry.kind == "stop" and mine:
            clean = entry.facts.get("clean") is not False
            found.append(_run(reading, mine, clean=clean))
            mine = []
    if mine:
        found.append(_run(reading, mine, clean=True))  # it goes on
    return found


def _cut_off(reading: Reading, mine: Sequence[Entry], start_utc_ns: int) -> Run:
    """What a crash left over is entered right before the next start, and is no time of this run."""
    own = [each for each in mine if reading.time_ns(each) < start_utc_ns - LEFT_OVER_NS]
    return _run(reading, own or mine[:1], clean=False)


def _run(reading: Reading, mine: Sequence[Entry], *, clean: bool) -> Run:
    return Run(
        from_index=mine[0].index,
        to_index=mine[-1].index,
        to_utc_ns=reading.time_ns(mine[-1]),
        clean=clean,
    )


def spans(reading: Reading) -> dict[tuple[str, str], list[Span]]:
    """Of every sensor and side, as `(kind, name)`, what is known of its state."""
    found: dict[tuple[str, str], list[Span]] = {}
    told = reading.of("sensor", "side", "fallback")
    at = 0
    for run in runs(reading):
        began: dict[tuple[str, str], tuple[State, Entry]] = {}
        while at < len(told) and told[at].index <= run.to_index:
            entry = told[at]
            at += 1
            what, state = _said(entry)
            if what[1] and state is not None and entry.index >= run.from_index:
                before = began.get(what)
                if before is not None and (before[0] == "simulated" or before[0] == state):
                    continue  # a simulator stands in until the next start
                if before is not None:
                    _end(
                        found,
                        reading,
                        what,
                        before,
                        to_index=entry.index,
                        to_utc_ns=reading.time_ns(entry),
                    )
                began[what] = state, entry
        for what, last in began.items():
            _end(found, reading, what, last, to_index=run.to_index, to_utc_ns=run.to_utc_ns)
    return found


def losses(known: Sequence[Span]) -> list[Span]:
    """Where it failed: not the moments of a start before it is first reached."""
    found = []
    for at, span in enumerate(known):
        worked = (
            at > 0 and known[at - 1].state == "up" and known[at - 1].entries[1] == span.entries[0]
        )
        if span.state == "down" and (worked or span.to_utc_ns - span.from_utc_ns > CONTACT_NS):
            found.append(span)
    return found


def _said(entry: Entry) -> tuple[tuple[str, str], State | None]:
    if entry.kind == "fallback":
        return ("sensor", text_of(entry, "sensor")), "simulated"
    fact = entry.facts.get("up" if entry.kind == "sensor" else "connected")
    state: State | None = None if not isinstance(fact, bool) else "up" if fact else "down"
    return (entry.kind, text_of(entry, entry.kind)), state


def _end(
    found: dict[tuple[str, str], list[Span]],
    reading: Reading,
    what: tuple[str, str],
    began: tuple[State, Entry],
    *,
    to_index: int,
    to_utc_ns: int,
) -> None:
    state, entry = began
    since = reading.time_ns(entry)
    mine = found.setdefault(what, [])
    if mine:  # a clock that was set back must not count a time twice
        since = max(since, mine[-1].to_utc_ns)
    if to_utc_ns > since:
        mine.append(
            Span(
                state=state,
                from_utc_ns=since,
                to_utc_ns=to_utc_ns,
                entries=(entry.index, to_index),
            )
        )


def times(
    table: str, word: Word, known: Sequence[Span], window: Window, *, states: Sequence[State]
) -> list[Figure]:
    """The share of the known time that it was up, each state's time, and what nobody knows."""
    row = (word,)
    there = [each for each in known if window.overlap_ns(each.from_utc_ns, each.to_utc_ns)]
    lasted = dict.fromkeys(("up", "down", "simulated"), 0)
    indexes: dict[str, list[int]] = {state: [] for state in lasted}
    for span in there:
        lasted[span.state] += window.overlap_ns(span.from_utc_ns, span.to_utc_ns)
        indexes[span.state] += span.entries
    total = sum(lasted.values())
    every = [index for span in there for index in span.entries]
    ratio = Figure(
        table=table,
        row=row,
        column=("column", "up-share"),
        unit="share",
        value=lasted["up"] / total if total else None,
        entries=ranges(every),
        adds=False,
    )
    made = [ratio]
    for state in states:
        ns = lasted[state] if total else None
        made.append(seconds(table, row, ("state", state), ns, indexes[state] or every))
    unknown = window.length_ns - total
    made.append(seconds(table, row, ("state", "unknown"), unknown, every))
    return made


def of_sensors(table: str, reading: Reading, window: Window) -> list[Figure]:
    """Of each sensor how long it worked, how often it failed, and what never came of it."""
    known = spans(reading)
    gaps: dict[str, list[Entry]] = {text_of(entry, "sensor"): [] for entry in reading.of("gap")}
    for entry in reading.within(window, "gap"):
        gaps[text_of(entry, "sensor")].append(entry)
    names = sorted({name for kind, name in known if kind == "sensor"} | set(gaps))
    made = []
    for name in names:
        mine, missed = known.get(("sensor", name), []), gaps.get(name, [])
        made += times(table, raw(name), mine, window, states=("up", "down", "simulated"))
        begun = [each.entries[0] for each in losses(mine) if each.from_utc_ns in window]
        counted = [
            number(table, (raw(name),), ("column", "failures"), begun),
            _sum(table, name, "gaps", missed, 1),  # an entry tells of an hour of them
            _sum(table, name, "missing", missed, 0),
        ]
        told = missed or any(window.overlap_ns(one.from_utc_ns, one.to_utc_ns) for one in mine)
        made += [each if told else replace(each, value=None) for each in counted]
    return made


def _sum(table: str, name: str, fact: str, missed: Sequence[Entry], otherwise: int) -> Figure:
    counted = number(table, (raw(name),), ("column", fact), [each.index for each in missed])
    return replace(counted, value=sum(whole_of(each, fact) or otherwise for each in missed))
