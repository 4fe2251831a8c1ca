"""The detectors of one portal: calibration, gain, background, the stream over them, and the way
in which its clean vehicles change that background."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.binning import binned
from fusion.spectra.gain import GainFollower
from fusion.spectra.identify import Identifier
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.shape_mode import ShapeMode
from fusion.spectra.sharp import is_sharp
from fusion.spectra.slices import Slice, Slices, added
from fusion.spectra.stream import Stream
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec, SpectrumSample

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
# The device's first sample may be a background of minutes; the slices that follow are short. What
# reports faster than portals do has its longest window cut by `stream.MAX_SLOTS`.
USUAL_SLICE_S = 0.1
_VACANT, _OCCUPIED = np.array([True]), np.array([False])


class Instrument:
    """One set of detectors with as many channels; another set is another instrument."""

    def __init__(
        self,
        sample: SpectrumSample,
        detector: DetectorSpec,
        policy: SpectraPolicy,
        windows_s: tuple[float, ...],
        identify: IdentifyPolicy,
    ) -> None:
        self.names = sample.detectors
        self.detector = detector
        self.detector_type = sample.detector_type or detector.material
        self.device_edges_kev = sample.edges_kev
        self._policy = policy
        self._gains = [GainFollower(policy) for _ in self.names]
        self._gain_s = 0.0
        detectors, channels = sample.counts.shape
        self.background_counts = np.zeros((detectors, channels))
        self.background_live_s = np.zeros(detectors)
        self.edges_kev = np.asarray(sample.edges_kev, np.float64)
        self.stream = Stream(
            lanes=1,
            edges_kev=self.edges_kev,
            detector=detector,
            policy=policy,
            windows_s=windows_s,
            slice_s=min(USUAL_SLICE_S, max(sample.duration_ms, 1) / 1000),
        )
        self.identifier = Identifier(self.stream.library, identify)
        self._shape = ShapeMode()

    def fits(self, sample: SpectrumSample) -> bool:
        """Whether a sample is of these detectors."""
        return sample.detectors == self.names and sample.edges_kev.shape == self.edges_kev.shape

    def take_calibration(self, sample: SpectrumSample) -> None:
        """The device has calibrated itself: it has found its own gain."""
        if sample.edges_kev is self.device_edges_kev:
            return
        same = np.array_equal(sample.edges_kev, self.device_edges_kev)
        self.device_edges_kev = sample.edges_kev
        if not same:
            self._fold()
            self._gains = [GainFollower(self._policy) for _ in self.names]
            self._calibrate()

    @property
    def gains(self) -> tuple[float, ...]:
        """Factor on each detector's energies."""
        return tuple(gain.factor for gain in self._gains)

    @property
    def has_background(self) -> bool:
        """Whether there is enough of it for a comparison."""
        return float(self.background_live_s.max(initial=0.0)) >= self._policy.background_least_s

    def test(self, one: Slice, *, vacant: bool) -> Slice:
        """The slice with its scores; learned as background where the lane is vacant.

        What was learned needs no scores, and has none.
        """
        flag = _VACANT if vacant else _OCCUPIED
        self.stream.tick(one.counts[None], one.live_s[None], one.real_s, flag)
        if vacant:
            if self.stream.block_s(0) >= self._policy.block_s:
                self._fold()
            return one
        scores, variance = self.stream.scores(0)
        return replace(one, scores=scores, variance=variance)

    def learn(self, one: Slice) -> None:
        """Average a slice that was found quiet only later."""
        self._average(one.counts.astype(np.float64), one.live_s)
        self.stream.learn(0, self.stream.binned(0, one.counts), float(one.live_s.mean()))

    def start_background(self, counts: NDArray[np.generic], live_s: Vector) -> None:
        """This (detectors, channels) is the background from here on."""
        self.stream.take_block(0)
        self.stream.forget_background(0)
        self.background_counts = np.array(counts, np.float64)
        self.background_live_s = np.array(live_s, np.float64)
        self._gain_s = self._policy.gain_every_s
        self._follow_gain()
        binned = self.stream.binned(0, self.background_counts)
        self.stream.learn(0, binned, float(live_s.mean()))

    @property
    def shape_mode(self) -> Vector | None:
        """(bins,) how clean vehicles change the background beyond its level, once that is known."""
        return self._shape.mode

    def learn_shape(self, slices: Slices) -> None:
        """Of a vehicle in which nothing was found; peaks that are sharp need no shape."""
        if is_sharp(self.detector):
            return
        counts, live_s = added(slices)
        known_s = np.maximum(self.background_live_s, 1e-9)
        expected = self.background_counts * (live_s / known_s)[:, None]
        ratio = float(live_s.mean()) / max(float(self.background_live_s.mean()), 1e-9)
        self._shape.update(self.binned(counts), self.binned(expected), ratio)

    def finish_block(self) -> None:
        """A vehicle comes: what was learned until now is the background."""
        if self.stream.block_s(0) > 0.0:
            self._fold()

    def binned(self, counts: NDArray[np.generic], which: Sequence[int] | None = None) -> Vector:
        """Counts (detectors, channels) of all or some detectors in the library's bins."""
        rows = range(len(self.names)) if which is None else which
        chosen = list(rows)
        return binned(counts[chosen], self.edges_kev[chosen], self.stream.library.edges_kev)

    def _fold(self) -> None:
        counts, live_s = self.stream.take_block(0)
        self._average(counts.astype(np.float64), live_s)
        self._follow_gain()

    def _average(self, counts: Matrix, live_s: Vector) -> None:
        # Not NumPy's exponential, whose last bits go by the processor.
        kept = np.array([math.exp(-one / self._policy.average_s) for one in live_s])
        self.background_counts = self.background_counts * kept[:, None] + counts
        self.background_live_s = self.background_live_s * kept + live_s
        self._gain_s += float(live_s.mean())

    def _follow_gain(self) -> None:
        if self._gain_s < self._policy.gain_every_s:
            return
        self._gain_s = 0.0
        device_kev = np.asarray(self.device_edges_kev, np.float64)
        moved = [
            gain.follow(counts, edges, self.detector)
            for gain, counts, edges in zip(
                self._gains, self.background_counts, device_kev, strict=True
            )
        ]
        if any(moved):
            self._calibrate()

    def _calibrate(self) -> None:
        factors = np.array(self.gains)
        self.edges_kev = np.asarray(self.device_edges_kev, np.float64) * factors[:, None]
        self.stream.calibrate(0, self.edges_kev)
