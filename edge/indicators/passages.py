"""How many of those who crossed were looked at, and how many were examined."""

from collections.abc import Sequence
from dataclasses import replace

from edge.indicators.alerts import ALL, EXAMINED, RINGS, Story
from edge.indicators.figures import (
    Figure,
    Window,
    Word,
    number,
    raw,
    share,
    text_of,
    whole,
)
from edge.indicators.reading import Reading
from edge.record.entries import Entry


def rates(table: str, reading: Reading, window: Window, chosen: Sequence[Story]) -> list[Figure]:
    """Inspection and examination rates, of the whole site's lanes and of each.

    chosen  the real alerts of the window
    """
    counted = [entry for entry in reading.within(window, "count") if _lanes(entry)]
    lanes = sorted({lane for entry in reading.of("count") for lane in _lanes(entry)})
    made = []
    for lane in (None, *lanes):
        there = [
            story
            for story in chosen
            if (story.peak.place in lanes if lane is None else story.peak.place == lane)
        ]
        row = (ALL,) if lane is None else (raw(lane),)
        made += _row(table, row, [entry for entry in counted if _of(entry, lane)], lane, there)
    # Where nothing was ever counted, nobody knows which places are lanes.
    return made if lanes else [replace(one, value=None) for one in made]


def _row(
    table: str,
    row: tuple[Word, ...],
    counted: Sequence[Entry],
    lane: str | None,
    there: Sequence[Story],
) -> list[Figure]:
    passed, scanned = (
        sum(pair[at] for entry in counted for pair in _of(entry, lane)) for at in (0, 1)
    )
    sources = [entry.index for entry in counted]
    rang = [story.peak.index for story in there if story.level >= RINGS]
    examined = [
        each.index
        for story in there
        for each in [one for one in story.of("adjudicate") if text_of(one, "code") in EXAMINED][:1]
    ]
    of_rows = [
        replace(number(table, row, ("column", name), sources), value=value if counted else None)
        for name, value in (("passages", passed), ("scans", scanned))
    ]
    made = [
        *of_rows,
        number(table, row, ("column", "rang"), rang),
        number(table, row, ("column", "examined"), examined),
    ]
    for name, hits, indexes in (
        ("inspection-rate", len(rang), rang),
        ("examination-rate", len(examined), examined),
    ):
        made.append(share(table, row, ("column", name), [*sources, *indexes], hits=hits, of=passed))
    # Every scan and every passage was counted: no sample, so no bounds.
    scan_rate = share(table, row, ("column", "scan-rate"), sources, hits=scanned, of=passed)
    return [*made, replace(scan_rate, bounds=None)]


def _of(entry: Entry, lane: str | None) -> list[tuple[int, int]]:
    """Passages and scans that it counts of the lane, or of every lane."""
    found = _lanes(entry)
    if lane is None:
        return list(found.values())
    return [found[lane]] if lane in found else []


def _lanes(entry: Entry) -> dict[str, tuple[int, int]]:
    """Of each lane its passages and scans, where they can be read."""
    lanes = entry.facts.get("lanes")
    if not isinstance(lanes, dict):
        return {}
    return {
        str(lane)[:32]: (whole(each.get("passages")) or 0, whole(each.get("scans")) or 0)
        for lane, each in lanes.items()
        if isinstance(each, dict)
    }
