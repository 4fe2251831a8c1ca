"""Numbers of alerts: within one boot (`epoch`) they count without a gap, the next goes on there.

What was left over at a crash may be entered after the next start, so order does not matter.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from edge.record.entries import Entry


class Sequences:
    """Takes the entries of a record, and tells which numbers of alerts have none."""

    def __init__(self) -> None:
        self.count = 0
        """Alerts, each once."""
        self._numbers: dict[str, dict[int, int]] = defaultdict(dict)
        """Per epoch the entry of each number."""
        self._said: dict[tuple[str, int], int] = {}
        self._starts: list[tuple[str, int, int]] = []
        self._twice: list[tuple[str, int]] = []

    def take(self, entry: Entry) -> None:
        """One entry, in the order of the record."""
        match entry.facts:
            case {"epoch": str(epoch), "seq": int(seq)} if entry.kind == "alert":
                self._alert(entry, epoch, seq)
            case {"epoch": str(epoch), "first_seq": int(first)} if entry.kind == "start":
                self._starts.append((epoch, first, entry.index))

    def wrong(self) -> Iterator[tuple[str, int]]:
        """What is missing or twice, in words, and the entry it shows at."""
        yield from self._twice
        starts = {epoch: first for epoch, first, _ in self._starts}
        for epoch, numbers in self._numbers.items():
            first = min(starts.get(epoch, min(numbers)), *numbers)
            yield from self._holes(epoch, range(first, max(numbers)), ())
        for (epoch, first, _), (follower, after, index) in zip(
            self._starts, self._starts[1:], strict=False
        ):
            top = max(self._numbers.get(epoch, {first - 1: 0}))
            if after > top + 1:  # what the first boot has sent at its end
                yield from self._holes(epoch, range(top + 1, after), (follower,), index)

    def _alert(self, entry: Entry, epoch: str, seq: int) -> None:
        said = hash(msgspec.json.encode(entry.facts, order="deterministic"))
        known = self._said.setdefault((epoch, seq), said)
        if known != said:
            text = (
                f"entry {entry.index}: alert {seq} of epoch {epoch} is told in another way before"
            )
            self._twice.append((text, entry.index))
        if seq not in self._numbers[epoch]:
            self._numbers[epoch][seq] = entry.index
            self.count += 1

    def _holes(
        self, epoch: str, numbers: range, others: tuple[str, ...], index: int = -1
    ) -> Iterator[tuple[str, int]]:
        here = self._numbers.get(epoch, {})
        known = set(here).union(*(self._numbers.get(one, {}) for one in others))
        # Ends with what is known: a start may claim any number.
        first = next((n for n in numbers if n not in known), None)
        if first is None:
            return
        missing = numbers.stop - numbers.start - sum(n in numbers for n in known)
        if index < 0:
            index = here[min(n for n in here if n > first)]
        yield f"{missing:,} alerts of epoch {epoch} were never entered, first {first}", index
