"""What stations know of each of their channels."""

import numpy as np

from fusion.kernels import seismic_calm as calm
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic import BANDS
from fusion.seismic_noise import Hours
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
        ear = Ear(self, row, sample)
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

    __slots__ = ("_ears", "calibrated", "now", "row", "tail")

    def __init__(self, ears: Ears, row: int, sample: WaveformSample) -> None:
        self._ears = ears
        self.row = row
        self.tail = Tail(sample.rate_hz)
        self.calibrated = sample.calibrated
        self.now: list[float] = [0.0] * window.GLANCE

    @property
    def is_warm(self) -> bool:
        """Whether the quiet is known: one LTA has been heard."""
        return self.now[window.NOW_RATIO] > 0.0

    @property
    def quiet(self) -> calm.Floats:
        """Energy of each band in a bin of quiet, (BANDS,)."""
        return self._ears.memory[self.row, calm.QUIET_0 : calm.QUIET_0 + BANDS]

    @property
    def hours(self) -> Hours:
        """The hours of the day."""
        return Hours(self._ears.memory[self.row, calm.HOURS_0 :])

    @property
    def bins(self) -> int:
        """That have been looked at since it began."""
        return int(self._ears.memory[self.row, calm.BINS])

    @bins.setter
    def bins(self, number: int) -> None:
        self._ears.memory[self.row, calm.BINS] = number

    @property
    def quiet_bins(self) -> int:
        """That the bands' quiet was made of."""
        return int(self._ears.memory[self.row, calm.QUIET_BINS])

    @quiet_bins.setter
    def quiet_bins(self, number: int) -> None:
        self._ears.memory[self.row, calm.QUIET_BINS] = number
