"""The last seconds of a channel's raw samples, for its spectrum."""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic_spectrum as spectrum
from fusion.types import SECOND_NS, WaveformSample

WINDOW_S = 2.0  # lines half a hertz apart are told from each other
SLACK = 1.4  # a window may be so much longer, to be a power of two
LONGEST_NS = 12 * SECOND_NS  # of lag that is waited for, and two windows
STEPPED_NS = 2 * SECOND_NS  # no clock of a station that goes on has gone back by so much
HIGHEST_HZ = 225.0
HIGHEST_SHARE = 0.45  # of the rate
BACKGROUND_KEEP = 0.1  # share of a new spectrum in the background's: a minute or so
HALF = 0.499  # of a sample; exactly half would let rounding decide

Piece = tuple[int, int, int, NDArray[np.int32]]
"""Where a packet begins, and from where to where of its counts are asked for."""


class Tail:
    """What one channel has sent last, by reference, and its spectrum while nothing happened."""

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self.size = 64
        while self.size * 2 <= WINDOW_S * SLACK * rate_hz:
            self.size *= 2
        self.hz = rate_hz / self.size
        self.top_hz = min(HIGHEST_SHARE * rate_hz, HIGHEST_HZ)
        self.background = np.zeros(self.size // 2)
        self._learned = 0
        self._packets: deque[WaveformSample] = deque()

    def keep(self, sample: WaveformSample) -> None:
        """Keep a packet; what is too old goes."""
        packets = self._packets
        packets.append(sample)
        oldest_ns = sample.start_utc_ns - LONGEST_NS
        while packets[0].start_utc_ns < oldest_ns:
            packets.popleft()

    def power(self, end_utc_ns: int, windows: int) -> spectrum.Floats | None:
        """Spectrum of so many windows' length before that time; None: not so much is there."""
        size = windows * self.size
        start_utc_ns = end_utc_ns - round(size * SECOND_NS / self.rate_hz)
        pieces = self._since(start_utc_ns, size)
        if sum(last - first for _, first, last, _ in pieces) < 0.9 * size:
            return None
        _, first, _, counts = pieces[0]
        first_count, samples = int(counts[first]), np.zeros(size)
        for at, first, last, counts in pieces:
            # Exact: float64 holds the difference of any two 32-bit counts.
            into = samples[at + first : at + last]
            np.subtract(counts[first:last], first_count, out=into, dtype=np.float64)
        return spectrum.power_of(samples, self.size)

    def _since(self, start_utc_ns: int, size: int) -> list[Piece]:
        """What there is of so many samples from that time on, oldest first.

        Clocks may have stepped: packets overlap then, and the later one counts.
        """
        rate_hz, oldest_ns = self.rate_hz, start_utc_ns - STEPPED_NS
        kept: list[Piece] = []
        for packet in reversed(self._packets):
            begin_ns, counts = packet.start_utc_ns, packet.counts
            length = len(counts)
            if begin_ns + length * SECOND_NS / rate_hz < oldest_ns:
                break
            at = math.floor((begin_ns - start_utc_ns) * rate_hz / SECOND_NS + HALF)
            first = -at if at < 0 else 0
            last = length if length < size - at else size - at
            if first < last:
                kept.append((at, first, last, counts))
        kept.reverse()
        return kept

    def learn(self, end_utc_ns: int) -> None:
        """Nothing happens now: take it as background."""
        power = self.power(end_utc_ns, 2)
        if power is not None:
            self._learned += 1
            self.background += max(1.0 / self._learned, BACKGROUND_KEEP) * (power - self.background)
