"""What came of one channel and has not been looked at yet, and the channel's state before it."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic as kernel
from fusion.seismic_channel import Channel
from fusion.types import SECOND_NS, WaveformSample

Counts = NDArray[np.int32]

GAP_S = 0.12  # less is the jitter of a station's clock; a lost packet is 0.25 s
HALF = 0.499  # of a sample; exactly half would let rounding decide where channels are offset


class Stream:
    """One channel of a station, fed a second at a time: one call of the kernel for many packets."""

    __slots__ = ("_waiting", "channel", "end_utc_ns")

    def __init__(self, channel: Channel, first: WaveformSample) -> None:
        self.channel = channel
        self.end_utc_ns = first.start_utc_ns
        self._waiting: deque[tuple[int, int, Counts]] = deque()
        """(start in UTC ns, samples lost before it, counts) of each piece."""
        self._put(first, 0)

    def fits(self, sample: WaveformSample) -> bool:
        """Whether the sample's rate and sensitivity are those of the channel."""
        channel = self.channel
        return sample.rate_hz == channel.rate_hz and sample.counts_per_m_s == channel.counts_per_m_s

    def take(self, sample: WaveformSample) -> None:
        """Keep what follows; a gap that nobody counted is seen by its time."""
        missing = sample.missing
        if not missing:
            gap_s = (sample.start_utc_ns - self.end_utc_ns) / SECOND_NS
            if gap_s > GAP_S:
                missing = round(gap_s * sample.rate_hz)
        self._put(sample, missing)

    def _put(self, sample: WaveformSample, missing: int) -> None:
        counts = sample.counts
        self._waiting.append((sample.start_utc_ns, missing, counts))
        self.end_utc_ns = sample.start_utc_ns + round(len(counts) * SECOND_NS / sample.rate_hz)

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
