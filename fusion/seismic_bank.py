"""All ground-motion channels of one rate and preset, filtered and described together.

A column is one channel. Columns need not begin, lag or lose packets together, and what one
gives depends on nothing but its own samples, however they were cut.
"""

import math
from array import array
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic as kernel
from fusion.kernels import seismic_feed as feed
from fusion.kernels import seismic_layout as layout
from fusion.seismic_filters import butterworth_band, low_pass
from fusion.seismic_presets import Preset

Number = TypeVar("Number", bound=np.generic)
Counts = NDArray[np.int32]
Rings = NDArray[np.float32]

LINE = 64  # bytes of a cache line
FRAME_HZ = 50.0  # 20 ms: a footstep's envelope is some 100 ms long
FRAMES_PER_BIN = feed.FRAMES_PER_BIN
SLOW_HZ = 500.0  # faster channels are brought down to KEPT_HZ and somewhat more
KEPT_HZ = 250.0
HIGHEST_SHARE = 0.45  # of the rate: a corner at Nyquist has no filter
BANDS_HZ = ((1.5, 5.0), (5.0, 12.0), (12.0, 25.0), (25.0, 45.0), (45.0, 90.0))
BAND_NAMES = ("1-5", "5-12", "12-25", "25-45", "45-90")
"""Thunder and far traffic; a vehicle's body and axles; engines and steps; steps close by;
propellers."""
FLOOR_WARM_S = 10.0
FLOOR_RISE_S = 120.0  # longer than a truck's passage, shorter than the change of a day's wind
FLOOR_FALL_S = 20.0
SETTLE_S = 0.3  # the 5 Hz band-pass has forgotten a kink in the signal by then
LONGEST_GAP_S = 40.0  # all of the frames' ring: nothing before it is left


class Bank:
    """Streams in, rings of frames and bins out; `advance` works on what was put."""

    def __init__(self, rate_hz: float, preset: Preset) -> None:
        """`rate_hz` is that of the raw samples, 20 to some 10,000."""
        self.rate_hz = rate_hz
        self.factor = 1 if rate_hz < SLOW_HZ else int(rate_hz / KEPT_HZ)
        """Raw samples to one that is kept."""
        self.kept_hz = rate_hz / self.factor
        self.frame_samples = max(1, round(self.kept_hz / FRAME_HZ))
        self.frame_s = self.frame_samples / self.kept_hz
        self.bin_samples = FRAMES_PER_BIN * self.frame_samples
        """Kept ones."""
        self.bin_s = FRAMES_PER_BIN * self.frame_s
        self._settle = round(SETTLE_S * rate_hz)
        self._longest_gap = round(LONGEST_GAP_S * rate_hz)
        self._setup, self._gains = self._design(preset)
        self._taps = low_pass(self.factor)
        if self.factor > 1:
            self._taps *= feed.FRACTION
        self._free: list[int] = []
        self._pieces: list[Counts] = []
        self._whose = array("q")
        self._waiting = 0
        self._done: list[int] = []
        rows = layout.HISTORY + self.bin_samples
        told = feed.FRAMES_PER_BIN + layout.FIELDS
        self._cursors = np.zeros((feed.CURSOR_FIELDS, 0), np.int64)
        self._history = np.zeros((0, 2 * len(self._taps)))
        self._block = _zeros((0, rows, feed.LANES), np.int32)
        self._weights = np.ones((0, self.bin_samples, feed.LANES), np.float32)
        self._state = _zeros((0, layout.STATE_ROWS * feed.LANES), np.float32)
        self._work = _zeros(((self.bin_samples + told) * feed.LANES,), np.float32)
        self._frames = _zeros((layout.FRAME_RING, 0), np.float32)
        self._bins = _zeros((layout.BIN_RING, layout.FIELDS, 0), np.float32)
        self._rings = self._frames.T, self._bins.transpose(2, 0, 1)

    @property
    def rings(self) -> tuple[Rings, Rings]:
        """Frames (columns, FRAME_RING) in um/s and bins (columns, BIN_RING, FIELDS).

        Bin n of a column is at n % BIN_RING, its frames at 10 n to 10 n + 9, each % FRAME_RING.
        Ask anew after `open`: more columns may need more room.
        """
        return self._rings

    def open(self, scale: float, at: int = 0) -> int:
        """A new column of `scale` um/s per count, whose first sample is the `at`th kept one.

        Bins are numbered from the 0th sample on; in the place of samples before the first
        stands silence. Where the sensitivity is unknown, `scale` is 1 and um/s are counts.
        """
        if not self._free:
            self._add_tile()
        column = self._free.pop()
        tile, lane = column // feed.LANES, column % feed.LANES
        begun = at % self.bin_samples
        self._cursors[:, column] = 0
        self._cursors[feed.BIN, column] = at // self.bin_samples
        self._cursors[[feed.FILLED, feed.LOST], column] = begun
        self._history[column] = 0.0
        self._block[tile, :, lane] = 0
        self._weights[tile, :, lane] = 1.0
        self._weights[tile, :begun, lane] = 0.0
        rows = self._state[tile].reshape(layout.STATE_ROWS, feed.LANES)[:, lane]
        rows[:] = 0.0
        if self.factor > 1:
            scale /= feed.FRACTION
        rows[layout.SCALE] = scale * self._gains[0]
        rows[layout.BAND_SCALE :] = (scale * np.array(self._gains[1:])) ** 2
        self._frames[:, column] = 0.0
        self._bins[:, :, column] = 0.0
        self._done[column] = at // self.bin_samples
        return column

    def close(self, column: int) -> None:
        """Give the column back; its rings are good until the next `open`."""
        if self._whose:
            self.advance()
        self._cursors[feed.FILLED, column] = 0
        self._free.append(column)

    def put(self, column: int, counts: Counts, missing: int = 0) -> None:
        """The raw samples that follow, (samples,), after `missing` lost ones; at least one."""
        size = len(counts)
        if missing > self._longest_gap:  # noqa: PLR1730 - a call for every packet
            missing = self._longest_gap
        self._whose.extend((column, self._waiting, size, missing, 0))
        self._pieces.append(counts)
        self._waiting += size

    def advance(self) -> None:
        """Filter all that was put, and finish the bins that it fills."""
        if not self._whose:
            return
        kernel.advance(
            np.concatenate(self._pieces),
            np.array(self._whose, np.int64).reshape(-1, feed.PIECE_FIELDS),
            self.factor,
            self._settle,
            self._cursors,
            self._taps,
            self._history,
            self._setup,
            self._block,
            self._weights,
            self._state,
            self._work,
            self._frames,
            self._bins,
        )
        self._pieces.clear()
        self._whose = array("q")
        self._waiting = 0
        self._done = self._cursors[feed.BIN].tolist()

    def advance_rows(self, counts: Counts) -> None:
        """Take whole bins of a full first tile, (bins, bin samples * LANES), and nothing else."""
        kernel.advance_rows(
            counts,
            self._cursors,
            self._setup,
            self._block,
            self._state,
            self._work,
            self._frames,
            self._bins,
        )
        self._done = self._cursors[feed.BIN].tolist()

    def ratio_rows(self, passed: Rings) -> None:
        """STA/LTA alone over filtered values of the same shape, into the first tile's state."""
        fields = np.zeros(layout.FIELDS * feed.LANES, np.float32)
        kernel.ratio_rows(passed, self._setup, self._state[0], fields)

    @property
    def done(self) -> NDArray[np.int64]:
        """The same of every column, (columns,)."""
        done: NDArray[np.int64] = self._cursors[feed.BIN]
        return done

    def bins(self, column: int) -> int:
        """The number of the bin that is being filled: all before it are finished."""
        return self._done[column]

    def _add_tile(self) -> None:
        """Make room for some more columns; what there was stays."""
        columns = len(self._done)
        self._cursors = _wider(self._cursors)
        self._history = _longer(self._history, feed.LANES)
        self._block = _longer(self._block, 1)
        self._weights = _longer(self._weights, 1)
        self._state = _longer(self._state, 1)
        self._frames = _wider(self._frames)
        self._bins = _wider(self._bins)
        self._rings = self._frames.T, self._bins.transpose(2, 0, 1)
        self._done += [0] * feed.LANES
        self._free += range(columns + feed.LANES - 1, columns - 1, -1)

    def _design(self, preset: Preset) -> tuple[feed.Floats, list[float]]:
        """The kernel's constants; the gains of the band-pass and of each band, 0 if not carried."""
        rate_hz, highest_hz = self.kept_hz, HIGHEST_SHARE * self.kept_hz
        low_hz, high_hz = preset.band_hz
        setup = np.zeros(layout.GOES_ON + self.bin_samples, np.float32)
        wide_hz = min(low_hz, 0.5 * highest_hz), min(high_hz, highest_hz)
        sections, gain = butterworth_band(layout.PASS_SECTIONS, *wide_hz, rate_hz)
        gains = [gain]
        for low_hz, high_hz in BANDS_HZ:
            carried = low_hz < 0.8 * highest_hz
            band_hz = (low_hz, min(high_hz, highest_hz)) if carried else BANDS_HZ[0]
            pair, gain = butterworth_band(layout.BAND_SECTIONS, *band_hz, rate_hz)
            sections += pair
            gains.append(gain if carried else 0.0)
        setup[: layout.SHORT] = -np.ravel(sections)
        setup[layout.SHORT] = 1.0 / round(preset.sta_s * rate_hz)
        setup[layout.LONG] = 1.0 / round(preset.lta_s * rate_hz)
        setup[layout.LONG_SAMPLES] = round(preset.lta_s * rate_hz)
        setup[layout.ON] = preset.on
        setup[layout.WARM_BINS] = round(FLOOR_WARM_S / self.bin_s)
        setup[layout.RISE] = self.bin_s / FLOOR_RISE_S
        setup[layout.FALL] = self.bin_s / FLOOR_FALL_S
        setup[layout.FRAME_PART] = 1.0 / self.frame_samples
        setup[layout.GOES_ON :] = np.arange(self.bin_samples) % self.frame_samples > 0
        return setup, gains


def _zeros(shape: tuple[int, ...], dtype: type[Number]) -> NDArray[Number]:
    """Zeros that begin where a cache line does: a vector that lies across two takes longer."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(dtype).reshape(shape)


def _longer(array: NDArray[Number], rows: int) -> NDArray[Number]:
    longer = _zeros((len(array) + rows, *array.shape[1:]), array.dtype.type)
    longer[: len(array)] = array
    return longer


def _wider(array: NDArray[Number]) -> NDArray[Number]:
    """With another tile's columns."""
    columns = array.shape[-1]
    wider = _zeros((*array.shape[:-1], columns + feed.LANES), array.dtype.type)
    wider[..., :columns] = array
    return wider
