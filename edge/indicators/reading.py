"""Entries as a report reads them: in their order, with their times, by kind."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from edge.indicators.figures import Window
from edge.record.entries import Entry

DAY_NS = 86_400_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ns_of(time: str) -> int:
    """RFC 3339 with its zone as UTC nanoseconds. ValueError where it is no such time."""
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(f"{time!r} has no zone")
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def day_of(number: int) -> str:
    """The date of a day, counted from 1970-01-01."""
    return f"{_EPOCH + timedelta(days=number):%Y-%m-%d}"


class Reading:
    """What the record says, up to its last entry that was given."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """ValueError unless the indexes rise and every entry has a time of the calendar."""
        self.entries: dict[int, Entry] = {}
        self.times: dict[int, int] = {}
        self._by_kind: dict[str, list[Entry]] = defaultdict(list)
        last = -1
        for entry in entries:
            if entry.index <= last:
                raise ValueError(f"entry {entry.index} stands behind entry {last}")
            last = entry.index
            self.entries[last] = entry
            try:
                self.times[last] = ns_of(entry.time)
            except ValueError as error:
                raise ValueError(f"entry {last}: {error}") from error
            self._by_kind[entry.kind].append(entry)
        self.end_utc_ns = max(self.times.values(), default=0)
        """Of what came later, nobody knows anything."""

    def of(self, *kinds: str) -> list[Entry]:
        """All entries of these kinds, in their order."""
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], [])
        found = [entry for kind in kinds for entry in self._by_kind.get(kind, ())]
        return sorted(found, key=lambda entry: entry.index)

    def within(self, window: Window, *kinds: str) -> Iterator[Entry]:
        """Those of them that were entered in the window; of every kind where none is named."""
        chosen = self.of(*kinds) if kinds else self.entries.values()
        return (entry for entry in chosen if self.times[entry.index] in window)

    def time_ns(self, entry: Entry) -> int:
        """When it was entered."""
        return self.times[entry.index]
