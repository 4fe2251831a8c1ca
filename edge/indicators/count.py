"""Entries and a window in, figures out; each names the entries that it was counted from.

An alert belongs to the window in which the record first tells of it, and is counted by its highest
level; answers to it are counted however late they came. Exercises stand in tables of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.indicators import alerts, doings, outages, passages, uptime, wholeness
from edge.indicators.figures import Figure, Window
from edge.indicators.reading import Reading
from edge.indicators.uptime import Span
from edge.record.entries import Entry

OF_ALERTS = ("alerts", "days", "outcomes", "codes", "precision", "times", "answers", "hand-overs")
"""Tables that there are of the real and of exercises."""
TABLES = (
    *OF_ALERTS,
    "passages",
    "sensors",
    "sides",
    "shelved",
    "refused",
    "changes",
    "kinds",
    "holes",
    *(f"drill-{name}" for name in OF_ALERTS),
)
"""In the order of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a report is made of."""

    site: str
    window: Window
    figures: tuple[Figure, ...]
    spans: dict[tuple[str, str], list[Span]]
    """What is known of each `("sensor" or "side", name)`."""
    entries: int
    """So many of the record are in the window."""

    def of(self, table: str) -> list[Figure]:
        """The figures of one table."""
        return [figure for figure in self.figures if figure.table == table]


def count(entries: Iterable[Entry] | Reading, window: Window) -> Counted:
    """Every figure of the window.

    entries  of the record from its first on: what was up when the window began, and what came of
             its alerts, may stand outside of it
    ValueError where they are not in the order of their indexes.
    """
    reading = entries if isinstance(entries, Reading) else Reading(entries)
    known = alerts.stories(reading)
    made: list[Figure] = []
    for drill in (False, True):
        made += _of_alerts("drill-" if drill else "", reading, window, known, drill=drill)
    real = alerts.begun_in(reading, known.values(), window, drill=False)
    made += passages.rates("passages", reading, window, real)
    made += uptime.of_sensors("sensors", reading, window)
    made += outages.of_sides("sides", reading, window)
    made += doings.shelved("shelved", reading, window)
    made += doings.refused("refused", reading, window)
    made += doings.changes("changes", reading, window)
    made += wholeness.kinds("kinds", reading, window)
    made += wholeness.holes("holes", reading, window, known)
    order = {name: at for at, name in enumerate(TABLES)}
    return Counted(
        site=next((entry.site for entry in reading.entries.values()), ""),
        window=window,
        figures=tuple(sorted(made, key=lambda figure: order[figure.table])),
        spans=uptime.spans(reading),
        entries=sum(1 for _ in reading.within(window)),
    )


def _of_alerts(
    prefix: str, reading: Reading, window: Window, known: dict[str, alerts.Story], *, drill: bool
) -> list[Figure]:
    chosen = alerts.begun_in(reading, known.values(), window, drill=drill)
    made = alerts.by_side(f"{prefix}answers", reading, window, known, drill=drill)
    made += doings.hand_overs(f"{prefix}hand-overs", reading, window, known, drill=drill)
    if chosen or not drill:
        made += alerts.by_event(f"{prefix}alerts", chosen)
        made += alerts.by_day(f"{prefix}days", reading, chosen)
    if chosen:
        made += alerts.by_outcome(f"{prefix}outcomes", chosen)
        made += alerts.by_code(f"{prefix}codes", chosen)
        made += alerts.how_right(f"{prefix}precision", chosen)
        made += alerts.how_fast(f"{prefix}times", reading, chosen)
    return made
