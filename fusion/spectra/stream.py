"""The spectra of one or more lanes as they come: binned, scored, and learned as background."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.spectra import add_detectors, bin_grid, project, stream_tick
from fusion.kernels.spectra_state import (
    NATURAL,
    SHAPES,
    Background,
    Found,
    Layout,
    Pace,
    Ring,
    ScoreTest,
    State,
    learn,
    refresh_test,
    runs_onto,
)
from fusion.spectra.binning import bin_edges
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.steady import steady
from fusion.spectra.templates import Template, TemplateLibrary, template_library
from fusion.types import DetectorSpec

MAX_SLOTS = 512  # slices of the longest window, whatever their length
BIN_STEP = 4  # bins are taken four at a time


@lru_cache(maxsize=8)
def library_of(detector: DetectorSpec) -> TemplateLibrary:
    """The detector's templates on the bins that follow its resolution, a multiple of four."""
    edges_kev = bin_edges(detector)
    return template_library(detector, edges_kev[: 1 + (len(edges_kev) - 1) // BIN_STEP * BIN_STEP])


@lru_cache(maxsize=8)
def spread_templates(detector: DetectorSpec, number: int) -> tuple[Template, ...]:
    """So many templates that every other one is like one of them.

    Each next one is the farthest from those taken (Gonzalez 1985, Theor. Comput. Sci. 38:293),
    by the angle between what is left of both beside the natural series.
    """
    library = library_of(detector)
    templates = [one for one in library.templates if one.category != "norm"]
    natural = library.nuisance_shapes
    weight = 1.0 / np.sqrt(natural.mean(axis=0) + 0.05 / natural.shape[1])
    rows = np.vstack((natural, [one.shape for one in templates])) * weight
    # Gram and Schmidt by sums that are the same on every processor, as those of BLAS are not.
    for k in range(len(natural)):
        rows[k] /= max(math.sqrt(float((rows[k] ** 2).sum())), 1e-12)
        rows[k + 1 :] -= (rows[k + 1 :] * rows[k]).sum(axis=1, keepdims=True) * rows[k]
    rows = rows[len(natural) :]
    rows /= np.maximum(np.sqrt((rows**2).sum(axis=1, keepdims=True)), 1e-12)
    taken = [0]
    alike = (rows * rows[0]).sum(axis=1)
    while len(taken) < min(number, len(templates)):
        taken.append(int(np.argmin(alike)))
        alike = np.maximum(alike, (rows * rows[taken[-1]]).sum(axis=1))
    return tuple(templates[i] for i in sorted(taken))


class Stream:
    """Lanes with equal detectors: same number, same channels. Arrays are made once."""

    def __init__(
        self,
        *,
        lanes: int,
        edges_kev: NDArray[np.floating],
        detector: DetectorSpec,
        policy: SpectraPolicy,
        windows_s: tuple[float, ...],
        slice_s: float,
        counts_type: type = np.uint32,
    ) -> None:
        """edges_kev (detectors, channels + 1) of every lane for now; the first is the grid."""
        detectors, channels = edges_kev.shape[0], edges_kev.shape[1] - 1
        self.library = library_of(detector)
        self.templates = spread_templates(detector, policy.templates)
        self._grid_kev = np.array(edges_kev[0], np.float64)
        bins, templates = len(self.library.edges_kev) - 1, len(self.templates)
        windows = np.array(windows_s)
        slots = min(MAX_SLOTS, math.ceil(windows[-1] / max(slice_s, 1e-3)) + 1)
        block_type = np.float32 if counts_type is np.float32 else np.uint32
        self._grid = np.zeros(channels, block_type)
        least_cps = policy.least_bin_counts / windows[len(windows) // 2]
        self._pace = Pace(windows, policy.average_s, policy.refresh_s, policy.rate_floor, least_cps)
        self._bin_from, covered = self._bins()
        self._segments = [self._segments_of(edges_kev) for _ in range(lanes)]
        self._layout = self._make_layout()
        shapes = [one.shape for one in self.templates] + list(self.library.nuisance_shapes)
        middle_kev = 0.5 * (self.library.edges_kev[1:] + self.library.edges_kev[:-1])
        tilt = steady(np.log(middle_kev))
        self._background = Background(
            rate_cps=np.zeros((lanes, bins)),
            seconds=np.zeros(lanes),
            unused_s=np.zeros(lanes),
            block=np.zeros((lanes, detectors, channels), block_type),
            block_live_s=np.zeros((lanes, detectors)),
        )
        self._test = ScoreTest(
            columns=np.ascontiguousarray((np.array(shapes) * covered).T, np.float32),
            tilt=np.asarray(tilt - tilt.mean(), np.float32),
            inverse_s=np.zeros((lanes, bins), np.float32),
            level=np.zeros((lanes, bins), np.float32),
            lift=np.zeros((lanes, SHAPES, templates), np.float32),
            unit=np.zeros((lanes, templates), np.float32),
            total_cps=np.zeros(lanes),
            seconds=np.zeros(lanes),
        )
        self._ring = Ring(
            scores=np.zeros((lanes, slots, templates + NATURAL), np.float32),
            counts=np.zeros((lanes, slots)),
            live_s=np.zeros((lanes, slots)),
            real_s=np.zeros((lanes, slots)),
            at=np.zeros(lanes, np.int64),
        )
        self.found = Found(
            sigma=np.zeros((lanes, len(windows))),
            template=np.full((lanes, len(windows)), -1),
            binned=np.zeros((lanes, bins), np.float32),
        )
        self._state = self._make_state()

    def tick(
        self,
        counts: NDArray[np.generic],
        live_s: NDArray[np.float64],
        real_s: float,
        vacant: NDArray[np.bool_],
    ) -> None:
        """One slice of every lane; `found` has what it shows.

        counts  (lanes, detectors, channels), live_s (lanes, detectors), vacant (lanes,)
        """
        stream_tick(counts, live_s, real_s, vacant, self._state)

    def calibrate(self, lane: int, edges_kev: NDArray[np.floating]) -> None:
        """The lane's detectors (detectors, channels + 1) have these energies from here on."""
        self._segments[lane] = self._segments_of(edges_kev)
        self._layout = self._make_layout()
        self._state = self._make_state()

    def scores(self, lane: int) -> tuple[NDArray[np.float32], float]:
        """Scores of the latest slice (templates,) and their variance if nothing is there."""
        slot = self._ring.at[lane]
        live_s = float(self._ring.live_s[lane, slot])
        known_s = self._test.seconds[lane]
        if known_s <= 0.0 or self._ring.real_s[lane, slot] <= 0.0:
            return np.zeros(len(self.templates), np.float32), 0.0
        expected = self._test.total_cps[lane] * live_s
        scale = max(1.0, self._ring.counts[lane, slot] / max(expected, 1e-9))
        scores = self._ring.scores[lane, slot, : len(self.templates)].copy()
        return scores, live_s * scale

    def binned(self, lane: int, counts: NDArray[np.generic]) -> NDArray[np.float32]:
        """Counts (detectors, channels) in the stream's bins: in whole channels, as a tick's are.

        Bins of one and the same background must not differ by how they were made.
        """
        grid = np.zeros(len(self._grid), np.float64)
        layout = self._layout
        rows = np.ascontiguousarray(counts, np.float64)
        add_detectors(rows, layout.segments[lane], layout.used[lane], grid)
        binned = np.zeros(len(self.library.edges_kev) - 1, np.float32)
        bin_grid(grid, layout.bin_from[lane], binned)
        return binned

    def detector_scores(
        self, lane: int, counts: NDArray[np.generic], column: int
    ) -> NDArray[np.float64]:
        """What each detector (detectors, channels) adds to the score of one of the templates."""
        scores = np.zeros(len(self.templates) + NATURAL, np.float32)
        found = np.zeros(len(counts))
        for detector in range(len(counts)):
            alone = np.zeros(counts.shape)
            alone[detector] = counts[detector]
            project(lane, self.binned(lane, alone), self._test, scores)
            found[detector] = scores[column]
        return found

    def highest(self, lane: int) -> float:
        """Best sigma of all windows of the latest slice."""
        return float(self.found.sigma[lane].max())

    def seconds(self, lane: int) -> float:
        """Measuring time that the background is worth."""
        return float(self._background.seconds[lane])

    def total_cps(self, lane: int) -> float:
        """Background of all bins and detectors."""
        return float(self._background.rate_cps[lane].sum())

    def learn(self, lane: int, binned: NDArray[np.floating], live_s: float) -> None:
        """Average counts (bins,) of all detectors into the background; the test takes them over."""
        learn(lane, np.asarray(binned, np.float32), live_s, self._background, self._pace)
        if self._background.seconds[lane] > 0.0:
            refresh_test(lane, self._background, self._test, self._pace)

    def forget_background(self, lane: int) -> None:
        """Start from nothing."""
        self._background.seconds[lane] = 0.0
        self._test.seconds[lane] = 0.0
        self._ring.real_s[lane] = 0.0

    def forget_slices(self, lane: int) -> None:
        """The windows begin afresh: what came before is told, or was another vehicle."""
        self._ring.real_s[lane] = 0.0

    def block_s(self, lane: int) -> float:
        """Mean live time of the detectors' own spectra since they were last taken."""
        live_s = self._background.block_live_s[lane]
        # Asked for each slice; `mean()` is this, in four times as long.
        return float(np.add.reduce(live_s)) / len(live_s)

    def take_block(self, lane: int) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        """The detectors' vacant spectra (detectors, channels) since the last call, live times."""
        taken = self._background.block[lane].copy(), self._background.block_live_s[lane].copy()
        self._background.block[lane] = 0
        self._background.block_live_s[lane] = 0.0
        return taken

    def _make_state(self) -> State:
        return State(
            self._grid,
            self._layout,
            self._background,
            self._test,
            self._ring,
            self.found,
            self._pace,
        )

    def _bins(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """First grid channel of each bin, and the share of each bin's width that they cover."""
        edges_kev = self.library.edges_kev
        middle_kev = 0.5 * (self._grid_kev[1:] + self._grid_kev[:-1])
        # Channel 0 holds what is below the threshold; no bin begins with it.
        first = np.maximum(np.searchsorted(middle_kev, edges_kev), 1)
        covered = (self._grid_kev[first[1:]] - self._grid_kev[first[:-1]]) / np.diff(edges_kev)
        return np.asarray(first, np.int64), np.minimum(covered, 2.0)

    def _segments_of(
        self, edges_kev: NDArray[np.floating]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per detector the runs of channels that go to the grid with one shift; how many."""
        return runs_onto(self._grid_kev, np.ascontiguousarray(edges_kev, np.float64))

    def _make_layout(self) -> Layout:
        lanes, detectors = len(self._segments), len(self._segments[0][1])
        most = max(runs.shape[1] for runs, _ in self._segments)
        segments = np.zeros((lanes, detectors, most, 3), np.int64)
        for lane, (runs, _) in enumerate(self._segments):
            segments[lane, :, : runs.shape[1]] = runs
        used = np.array([used for _, used in self._segments])
        return Layout(segments, used, np.tile(self._bin_from, (lanes, 1)))
