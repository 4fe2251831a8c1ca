"""What stations know of each of their channels."""

import numpy as np

from fusion.kernels import seismic_calm as calm
from fusion.seismic_tail import Tail
from fusion.types import WaveformSample

ROOM = 64


class Ears:
    """Of all stations: what is learned while nothing happens stands in one array."""

    def __init__(self) -> None:
        self.memory = np.zeros((ROOM, calm.MEMORY))
        self.ears: list[Ear] = []

    def open(self, sample: WaveformSample, instead: "Ear | None" = None) -> "Ear":
        """A new one that knows nothing; `instead`: one that is of no use any more."""
        row = len(self.ears) if instead is None else instead.row
        ear = Ear(row, sample)
        if instead is not None:
            self.memory[row] = 0.0
            self.ears[row] = ear
            return ear
        self.ears.append(ear)
        if row == len(self.memory):
            self.memory = np.concatenate([self.memory, np.zeros_like(self.memory)])
        return ear


class Ear:
    """What a station knows of one of its channels."""

    __slots__ = ("calibrated", "counts_per_m_s", "row", "tail")

    def __init__(self, row: int, sample: WaveformSample) -> None:
        self.row = row
        self.tail = Tail(sample.rate_hz)
        self.calibrated = sample.calibrated
        self.counts_per_m_s = sample.counts_per_m_s

    def fits(self, sample: WaveformSample) -> bool:
        """Whether what it knows is told in the units of this packet, too."""
        return (
            self.tail.rate_hz == sample.rate_hz
            and self.counts_per_m_s == sample.counts_per_m_s
            and self.calibrated == sample.calibrated
        )
