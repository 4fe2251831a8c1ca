"""How long each side was not reached, and which alerts had to wait for it meanwhile."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from edge.indicators.figures import SECOND_NS, Figure, Unit, Window, Word, number, ranges
from edge.indicators.reading import Reading
from edge.indicators.uptime import Span, losses, spans, times


class _Waiting:
    """Which revisions of alerts were entered while a side was not reached."""

    def __init__(self, reading: Reading) -> None:
        self._times = [reading.time_ns(entry) for entry in reading.of("alert")]
        self._indexes = [entry.index for entry in reading.of("alert")]

    def during(self, span: Span) -> list[tuple[int, int]]:
        """Their indexes and times."""
        low, high = (bisect_right(self._indexes, index) for index in span.entries)
        return [
            (self._indexes[at], self._times[at])
            for at in range(low, high)
            if span.from_utc_ns <= self._times[at] < span.to_utc_ns
        ]


def of_sides(table: str, reading: Reading, window: Window) -> list[Figure]:
    """Of each side how long it was reached, and what had to wait for it."""
    known, waiting = spans(reading), _Waiting(reading)
    made = []
    for name in sorted(name for kind, name in known if kind == "side"):
        mine, row = known["side", name], (("side", name),)
        made += times(table, row[0], mine, window, states=("up", "down"))
        told = any(window.overlap_ns(span.from_utc_ns, span.to_utc_ns) for span in mine)
        out = [span for span in mine if span.state == "down"]
        begun = [span for span in losses(mine) if span.from_utc_ns in window]
        waited = [index for span in out for index, at in waiting.during(span) if at in window]
        counted = [
            number(table, row, ("column", "outages"), [span.entries[0] for span in begun]),
            number(table, row, ("column", "backlog"), waited),
            *_longest(table, row, begun, waiting),
        ]
        made += [each if told else replace(each, value=None) for each in counted]
    return made


def _longest(
    table: str, row: tuple[Word, ...], begun: Sequence[Span], waiting: _Waiting
) -> list[Figure]:
    """Of the outages that began in the window."""
    outages = [(span.to_utc_ns - span.from_utc_ns, span.entries) for span in begun]
    most, waits = [], []
    for span in begun:
        if found := waiting.during(span):
            indexes = tuple(index for index, _ in found)
            most.append((len(found), indexes))
            waits.append((span.to_utc_ns - found[0][1], (indexes[0], span.entries[1])))
    return [
        _most(table, row, "longest-outage", outages, "time"),
        _most(table, row, "most-waiting", most, "number"),
        _most(table, row, "longest-wait", waits, "time"),
    ]


def _most(
    table: str,
    row: tuple[Word, ...],
    code: str,
    among: Sequence[tuple[int, tuple[int, ...]]],
    unit: Unit,
) -> Figure:
    value, indexes = max(among, default=(0, ()))
    return Figure(
        table=table,
        row=row,
        column=("column", code),
        unit=unit,
        value=value / SECOND_NS if unit == "time" else value,
        entries=ranges(indexes),
        adds=False,
    )
