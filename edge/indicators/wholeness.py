"""Whether the record is whole: what never came, what was cut off, what answers to nothing."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from edge.indicators.alerts import ANSWERS, Story
from edge.indicators.figures import Figure, Window, number, text_of, whole_of
from edge.indicators.reading import Reading
from edge.indicators.uptime import runs


def kinds(table: str, reading: Reading, window: Window) -> list[Figure]:
    """Entries of the window, kind by kind."""
    found: dict[str, list[int]] = defaultdict(list)
    for entry in reading.within(window):
        found[entry.kind].append(entry.index)
    return [
        number(table, (("kind", kind),), ("column", "entries"), found[kind])
        for kind in sorted(found)
    ]


def holes(table: str, reading: Reading, window: Window, known: Mapping[str, Story]) -> list[Figure]:
    """What is missing or odd in the window."""
    crashed = [run.to_index for run in runs(reading) if not run.clean and run.to_utc_ns in window]
    orphans = [
        entry.index
        for entry in reading.within(window, *ANSWERS, "hand-over")
        if text_of(entry, "alert") and not _answers(entry.index, known.get(text_of(entry, "alert")))
    ]
    made = [
        _row(table, "crashes", crashed),
        _row(table, "orphans", orphans),
        _row(table, "clock-back", _set_back(reading, window)),
    ]
    absent, behind = _absent(reading, window)
    made.append(replace(_row(table, "missing-entries", behind), value=absent))
    absent, behind = _unlogged(reading, window)
    made.append(replace(_row(table, "missing-alerts", behind), value=absent))
    return made


def _row(table: str, code: str, indexes: list[int]) -> Figure:
    return number(table, (("row", code),), ("column", "all"), indexes)


def _answers(index: int, story: Story | None) -> bool:
    return story is not None and story.first.index < index


def _set_back(reading: Reading, window: Window) -> list[int]:
    """Entries with an earlier time than the one before."""
    found, before = [], None
    for index, at in reading.times.items():
        if before is not None and at < before and at in window:
            found.append(index)
        before = at
    return found


def _absent(reading: Reading, window: Window) -> tuple[int, list[int]]:
    """How many indexes are missing, and the entries that stand behind a hole."""
    total, behind, expected = 0, [], 0
    for index, at in reading.times.items():
        if index > expected and at in window:
            total += index - expected
            behind.append(index)
        expected = index + 1
    return total, behind


def _unlogged(reading: Reading, window: Window) -> tuple[int, list[int]]:
    """Sequence numbers of alerts that were never entered, and the entries behind each hole.

    Within one boot (`epoch`) they count without gaps; the next boot goes on from there. What was
    left over at a crash may be entered after the next start, so order does not matter here.
    """
    numbers: dict[str, dict[int, int]] = defaultdict(dict)
    for entry in reading.of("alert"):
        seq = whole_of(entry, "seq")
        if seq is not None:
            numbers[text_of(entry, "epoch")].setdefault(seq, entry.index)
    starts = {
        text_of(entry, "epoch"): first
        for entry in reading.of("start")
        if (first := whole_of(entry, "first_seq")) is not None
    }
    total, behind = 0, []
    for epoch, seqs in numbers.items():
        before = starts[epoch] - 1 if epoch in starts else min(seqs) - 1
        for seq in sorted(seqs):
            if seq > before + 1 and reading.times[seqs[seq]] in window:
                total += seq - before - 1
                behind.append(seqs[seq])
            before = max(before, seq)
    return total, behind
