"""The quiet slices of a series: background, but not at once."""

from collections import deque
from collections.abc import Iterator

from fusion.spectra.event import NeutronRate, neutron_rate
from fusion.spectra.instrument import Instrument
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.slices import Slice, halved
from fusion.types import SECOND_NS


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
        self.recent.append(one)
        policy, now_utc_ns = self._policy, one.end_utc_ns
        # A quarter for what waits and one for what was learned, beside the event's own spectra.
        most = policy.kept_bytes // 4
        many = len(self.recent) > policy.kept_slices
        if many or len(self.recent) * one.counts.nbytes > most:
            self.recent = deque(halved(list(self.recent)))
        delay_ns = policy.monitor_delay_s * SECOND_NS
        while self.recent and now_utc_ns - self.recent[0].end_utc_ns >= delay_ns:
            old = self.recent.popleft()
            instrument.learn(old)
            self._learned.append(old)
        around_ns = policy.event_around_s * SECOND_NS
        while self._learned and (
            now_utc_ns - self._learned[0].end_utc_ns > around_ns
            or len(self._learned) > policy.kept_slices
            or len(self._learned) * self._learned[0].counts.nbytes > most
        ):
            self._learned.popleft()

    def take_since(self, utc_ns: int) -> list[Slice]:
        """The latest that began then or later, and were not learned; they are no longer quiet."""
        taken: deque[Slice] = deque()
        while self.recent and self.recent[-1].start_utc_ns >= utc_ns:
            taken.appendleft(self.recent.pop())
        return list(taken)
