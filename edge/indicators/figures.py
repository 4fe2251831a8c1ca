"""A figure: one number of a report, and the entries of the record that it was counted from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.record.entries import Entry
from edge.study.intervals import proportion

SECOND_NS = 1_000_000_000
MOST_HITS = 10_000
"""Of more the bounds are as wide as the last digit that is shown, and would take seconds."""
MOST = 2**53
SHOWN = 120  # characters of a text that somebody else wrote, in a row's name

Ranges = tuple[tuple[int, int], ...]
"""Indexes of entries, ascending: first and last of each unbroken run."""
Unit = Literal["number", "time", "share"]
Word = tuple[str, str]
"""A table of the catalogue and a code of it; `("", text)` is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when a report counts; `to_utc_ns` is no longer in it."""

    from_utc_ns: int
    to_utc_ns: int

    def __contains__(self, utc_ns: int) -> bool:
        return self.from_utc_ns <= utc_ns < self.to_utc_ns

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.to_utc_ns - self.from_utc_ns

    def overlap_ns(self, from_utc_ns: int, to_utc_ns: int) -> int:
        """How much of another time lies in it."""
        return max(0, min(self.to_utc_ns, to_utc_ns) - max(self.from_utc_ns, from_utc_ns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number in a table of a report."""

    table: str
    """Which of `edge.indicators.count.TABLES`."""
    row: tuple[Word, ...]
    column: Word
    unit: Unit = "number"
    value: float | None
    """None where nobody measured or decided it, which is not zero; times are in seconds."""
    of: int | None = None
    """Of how many, where it is a share or a choice among them."""
    bounds: tuple[float, float] | None = None
    """95 % confidence."""
    entries: Ranges = ()
    adds: bool = True
    """Whether those of two windows without overlap add up to the one of both."""


def ranges(indexes: Iterable[int]) -> Ranges:
    """The same indexes in as few runs as there are, whatever their order and repeats."""
    runs: list[tuple[int, int]] = []
    for index in sorted(set(indexes)):
        if runs and runs[-1][1] + 1 == index:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return tuple(runs)


def number(
    table: str, row: Sequence[Word], column: Word, indexes: Iterable[int], *, of: int | None = None
) -> Figure:
    """As many as there are entries, each counted once."""
    found = ranges(indexes)
    value = sum(last - first + 1 for first, last in found)
    return Figure(table=table, row=tuple(row), column=column, value=value, of=of, entries=found)


def share(
    table: str, row: Sequence[Word], column: Word, indexes: Iterable[int], *, hits: int, of: int
) -> Figure:
    """A share of some, with its Clopper-Pearson bounds where it is a proportion; None of none."""
    return Figure(
        table=table,
        row=tuple(row),
        column=column,
        unit="share",
        value=hits / of if of else None,
        of=of,
        bounds=proportion(hits, of) if of and hits <= min(of, MOST_HITS) else None,
        entries=ranges(indexes),
        adds=False,
    )


def seconds(
    table: str, row: Sequence[Word], column: Word, ns: int | None, indexes: Iterable[int]
) -> Figure:
    """A length of time that adds up over windows; None where nobody knows it."""
    return Figure(
        table=table,
        row=tuple(row),
        column=column,
        unit="time",
        value=None if ns is None else ns / SECOND_NS,
        entries=ranges(indexes),
    )


def ranked(values: Sequence[int], hundredths: int) -> int:
    """The smallest value that so many hundredths of all do not pass: always one of them."""
    at = -(-len(values) * hundredths // 100)
    return sorted(values)[max(0, at - 1)]


def spread(
    table: str, row: Sequence[Word], lengths_ns: Sequence[int], indexes: Iterable[int]
) -> list[Figure]:
    """Median, 90th percentile and the most of some lengths of time; None each of none."""
    found = ranges(indexes)
    made = []
    for code, hundredths in (("median", 50), ("p90", 90), ("most", 100)):
        value = ranked(lengths_ns, hundredths) / SECOND_NS if lengths_ns else None
        made.append(
            Figure(
                table=table,
                row=tuple(row),
                column=("column", code),
                unit="time",
                value=value,
                of=len(lengths_ns),
                entries=found,
                adds=False,
            )
        )
    return made


# --- facts that somebody else wrote ----------------------------------------------------


def text_of(entry: Entry, name: str) -> str:
    """A fact that is a text; `""` where it is missing or something else."""
    value = entry.facts.get(name)
    return value if isinstance(value, str) else ""


def whole_of(entry: Entry, name: str) -> int | None:
    """A fact that is a whole number from 0 up; None where it is missing or something else."""
    return whole(entry.facts.get(name))


def whole(value: object) -> int | None:
    """A whole number from 0 up that every reader of JSON reads alike; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST else None


def side_of(entry: Entry) -> str:
    """Whose centre asked for it: `south` of `south/supervisor`; `edge` where none did."""
    return entry.by.partition("/")[0]


def raw(text: str) -> Word:
    """A text as somebody else wrote it, for the name of a row."""
    return "", text[:SHOWN]
