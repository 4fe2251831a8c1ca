"""The quiet slices of a series: background, but not at once."""

from collections import deque
from collections.abc import Iterator

from fusion.spectra.event import NeutronRate, neutron_rate
from fusion.spectra.instrument import Instrument
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.slices import Slice, merged, most_slices
from fusion.types import SECOND_NS

SHARE = 0.25  # of the bytes, for what waits and for what was learned
LEAST_SLICES = 4  # however large they are


class Quiet:
    """Slices that wait to be learned, and learned ones that may stand beside an event."""

    def __init__(self, policy: SpectraPolicy) -> None:
        self._policy = policy
        self.recent: deque[Slice] = deque()
        """Not learned yet."""
        self._learned: deque[Slice] = deque()

    def __iter__(self) -> Iterator[Slice]:
        yield from self._learned
        yield from self.recent

    @property
    def neutrons(self) -> NeutronRate | None:
        """Of the learned ones."""
        return neutron_rate(self._learned, self._policy.background_least_s)

    def clear(self) -> None:
        """There is another background."""
        self.recent.clear()
        self._learned.clear()

    def add(self, one: Slice, instrument: Instrument) -> None:
        """The next; what has been quiet for long enough is learned."""
        most = max(LEAST_SLICES, most_slices(self._policy, one, SHARE))
        delay_ns = round(self._policy.monitor_delay_s * SECOND_NS)
        around_ns = round(self._policy.event_around_s * SECOND_NS)
        _append(self.recent, one, delay_ns, most)
        while self.recent and one.end_utc_ns - self.recent[0].end_utc_ns >= delay_ns:
            old = self.recent.popleft()
            instrument.learn(old)
            _append(self._learned, old, around_ns, most)
        while self._learned and one.end_utc_ns - self._learned[0].end_utc_ns > around_ns:
            self._learned.popleft()

    def take_since(self, utc_ns: int) -> list[Slice]:
        """The latest that lasted beyond then, and were not learned; they are no longer quiet."""
        taken: deque[Slice] = deque()
        while self.recent and self.recent[-1].end_utc_ns > utc_ns:
            taken.appendleft(self.recent.pop())
        return list(taken)


def _append(queue: deque[Slice], one: Slice, lasts_ns: int, most: int) -> None:
    """The next of a queue in which each stays for so long: no more than `most` of them.

    Short ones become one up to a length that is always the same, so that the oldest comes of age
    however many follow. Any two neighbours are longer than that, and the oldest may reach beyond:
    at most 2 * lasts / length + 2 of them.
    """
    longest_ns = 2 * lasts_ns // (most - 2)
    if queue and one.end_utc_ns - queue[-1].start_utc_ns <= longest_ns:
        queue[-1] = merged(queue[-1], one)
    else:
        queue.append(one)
