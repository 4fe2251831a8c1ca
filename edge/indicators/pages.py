"""Which page shows which entry, and what a link to a figure's entries is."""

from bisect import bisect_right
from collections.abc import Sequence

from edge.indicators.figures import Figure, Ranges
from edge.indicators.words import Words

PER_PAGE = 5_000
"""Entries; a browser still scrolls 2 MB of table."""
RANGES_SHOWN = 100


class Pages:
    """Links of one language."""

    def __init__(self, words: Words, indexes: Sequence[int]) -> None:
        """Indexes of all entries that are shown, ascending."""
        self.words = words
        self._firsts = list(indexes[::PER_PAGE])

    @property
    def count(self) -> int:
        """How many pages of entries there are."""
        return len(self._firsts)

    def name(self, number: int) -> str:
        """File of a page of entries, counted from 0."""
        return f"entries.{self.words.language}.{number + 1}.html"

    @property
    def report(self) -> str:
        """File of the report."""
        return f"report.{self.words.language}.html"

    def of_entry(self, index: int) -> str:
        """Where an entry is shown."""
        return f"{self.name(bisect_right(self._firsts, index) - 1)}#e{index}"

    def of_figure(self, number: int, figure: Figure) -> str:
        """Where the entries of a figure are told."""
        if not figure.entries:
            return "#none"
        (first, last), *more = figure.entries
        return self.of_entry(first) if first == last and not more else f"#f{number}"

    def ranges(self, ranges: Ranges) -> str:
        """Links to the entries, in HTML."""
        parts = []
        for first, last in ranges[:RANGES_SHOWN]:
            link = f'<a href="{self.of_entry(first)}">{first}</a>'
            parts.append(link if first == last else f"{link}–{self._last(last)}")
        if len(ranges) > RANGES_SHOWN:
            parts.append(self.words.page("more", n=len(ranges) - RANGES_SHOWN))
        return ", ".join(parts)

    def _last(self, index: int) -> str:
        return f'<a href="{self.of_entry(index)}">{index}</a>'
