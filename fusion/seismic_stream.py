"""What came of one channel and has not been looked at yet, and the channel's state before it."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic as kernel
from fusion.seismic_channel import Channel
from fusion.types import SECOND_NS, WaveformSample

Counts = NDArray[np.int32]

GAP_NS = 120_000_000  # less is the jitter of a station's clock; a lost packet is 0.25 s
HALF = 0.499  # of a sample; exactly half would let rounding decide where channels are offset


class Stream:
    """One channel of a station, fed a second at a time: one call of the kernel for many packets."""

    __slots__ = (
        "_size",
        "_span_ns",
        "_waiting",
        "channel",
        "counts_per_m_s",
        "end_utc_ns",
        "rate_hz",
    )

    def __init__(self, channel: Channel, first: WaveformSample) -> None:
        self.channel = channel
        self.rate_hz = channel.rate_hz
        self.counts_per_m_s = channel.counts_per_m_s
        self.end_utc_ns = first.start_utc_ns
        """End of the last sample, in UTC ns."""
        self._size = self._span_ns = 0
        self._waiting: deque[tuple[int, int, Counts]] = deque()
        """(start in UTC ns, samples lost before it, counts) of each piece."""
        self.take(first, fresh=True)

    def take(self, sample: WaveformSample, *, fresh: bool = False) -> None:
        """Keep what follows; a gap that nobody counted is seen by its time."""
        start_utc_ns, counts, missing = sample.start_utc_ns, sample.counts, sample.missing
        gap_ns = start_utc_ns - self.end_utc_ns
        if gap_ns > GAP_NS and not missing:
            missing = round(gap_ns * sample.rate_hz / SECOND_NS)
        self._waiting.append((start_utc_ns, 0 if fresh else missing, counts))
        size = len(counts)
        if size != self._size:  # packets are as long as the one before them
            self._size = size
            self._span_ns = round(size * SECOND_NS / self.rate_hz)
        self.end_utc_ns = start_utc_ns + self._span_ns

    def advance(self, until_utc_ns: int) -> bool:
        """Feed the channel all that was before that time; whether there was anything."""
        waiting, channel = self._waiting, self.channel
        pieces: list[Counts] = []
        some = False
        while waiting:
            start_utc_ns, missing, counts = waiting[0]
            before = int((until_utc_ns - start_utc_ns) * channel.rate_hz / SECOND_NS + HALF)
            if before <= 0:
                break
            if missing:
                self._feed(pieces)
                channel.skip(min(missing, kernel.FRAME_RING), int(counts[0]))
            some = True
            if before < len(counts):
                pieces.append(counts[:before])
                rest_utc_ns = start_utc_ns + round(before * SECOND_NS / channel.rate_hz)
                waiting[0] = (rest_utc_ns, 0, counts[before:])
                break
            pieces.append(counts)
            waiting.popleft()
        self._feed(pieces)
        return some

    def _feed(self, pieces: list[Counts]) -> None:
        if pieces:
            # Always a copy: numba would compile anew for an array that is read-only.
            self.channel.feed(np.concatenate(pieces))
            pieces.clear()
