"""The usual analysis of an X-ray scan, each step on all pixels, in NumPy, SciPy and scikit-image.

What facts 6.1 measured and the field writes: normalise every pixel, take its logarithm, hold it
against means and spreads of its surroundings in three sizes, open and close what stands out, name
and measure the parts. Cells of 8 x 8 pixels are the means of these logarithms. What the pipeline
measures besides (box, walls, emptiness, mass, materials, texture, self-check) is measured here as
well, on those cells, as in `edge.study.xray_reference`: both give the same finding, field by field.
Of calls that do the same the fastest is taken; nothing is worked out twice.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.study import xray_reference as plain
from fusion import xray
from fusion.scans.beam import GROUPS, Beam
from fusion.scans.calibrate import Calibration
from fusion.scans.cells import MAX_ATTENUATION, Cells, cell_side
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanFinding, ScanRegion, ScanSample

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Plane = NDArray[np.uint16]

ndimage: Any = importlib.import_module("scipy.ndimage")
measure: Any = importlib.import_module("skimage.measure")
morphology: Any = importlib.import_module("skimage.morphology")

LOCAL_PX, LOCAL_SIGMA = (31, 63, 127), 2.5  # of local means and spreads (facts 2.3)
SQUARE = np.ones((5, 5), np.bool_)  # opened and closed with


def analyse(scan: ScanSample, policy: XrayPolicy) -> ScanFinding:
    """As `fusion.xray.analyse`."""
    picture = _Picture()
    own: dict[str, Callable[..., Any]] = {
        "cells_of": picture.cells_of,
        "find_regions": picture.find_regions,
    }
    with plain.in_place_of_kernels(plain.TWINS | own):
        return xray.analyse(scan, policy)


@dataclass(slots=True)
class _Picture:
    """One scan pixel by pixel."""

    high: Floats = field(default_factory=lambda: np.empty((0, 0)))
    """(rows, columns) attenuation of the high (or only) plane."""

    def cells_of(
        self,
        high: Plane,
        low: Plane | None,
        policy: XrayPolicy,
        lost: tuple[tuple[int, int], ...] = (),
        memory: object = None,
    ) -> Cells | None:
        """Every pixel's attenuation, and its mean over cells."""
        assert memory is None
        assert low is not None
        side = cell_side(high.shape, policy)
        calibration = plain.calibrated(high, policy, lost)
        low_calibration = plain.calibrated(low, policy, lost)
        self.high, good = _loss(high, calibration)
        below, low_good = _loss(low, low_calibration)
        return Cells(
            high=_pooled(self.high, side),
            low=_pooled(below, side),
            usable=_pooled(good & low_good, side) >= 0.5,
            cell_px=side,
            calibration=calibration,
            low_calibration=low_calibration,
            notes=calibration.notes,
        )

    def find_regions(
        self,
        _high: object,
        _low: object,
        geometry: Geometry,
        beam: Beam,
        policy: XrayPolicy,
        *,
        cell_noise: float,
    ) -> tuple[ScanRegion, ...]:
        """What stands out of its surroundings in the box, densest first."""
        del cell_noise
        mask = np.zeros(self.high.shape, np.bool_)
        squares = self.high * self.high
        for around in LOCAL_PX:
            mean = ndimage.uniform_filter(self.high, around)
            spread = np.sqrt(np.maximum(ndimage.uniform_filter(squares, around) - mean**2, 1e-12))
            mask |= self.high - mean > LOCAL_SIGMA * spread
        mask = morphology.closing(morphology.opening(mask, SQUARE), SQUARE)
        labels = measure.label(mask, connectivity=2)
        names = ("area", "bbox", "intensity_mean")
        parts = measure.regionprops_table(labels, self.high, properties=names)
        middle_m = (parts["bbox-1"] + parts["bbox-3"]) / 2 * geometry.pitch_mm[0] / 1000.0
        middle_m -= geometry.front * geometry.cell_x_m
        boxed = (middle_m > geometry.box_m[0]) & (middle_m < geometry.box_m[1])
        densest = np.argsort(-parts["intensity_mean"] * boxed, kind="stable")
        told = densest[: min(policy.max_regions, np.count_nonzero(boxed))].tolist()
        each = ({name: float(column[index]) for name, column in parts.items()} for index in told)
        return tuple(self._region(part, geometry, beam) for part in each)

    def _region(self, part: dict[str, float], geometry: Geometry, beam: Beam) -> ScanRegion:
        """A part in metres, with how much more is there than in the box about it."""
        top, left, bottom, right = (int(part[f"bbox-{corner}"]) for corner in range(4))
        x_m, y_m = (pitch / 1000.0 for pitch in geometry.pitch_mm)
        tall, long = bottom - top, right - left
        near = self.high[max(top - tall, 0) : bottom + tall, max(left - long, 0) : right + long]
        areal = beam.areal_g_cm2[GROUPS.index("steel")]
        inside, around = np.interp([part["intensity_mean"], float(near.mean())], beam.at, areal)
        front_m = geometry.front * geometry.cell_x_m
        return ScanRegion(
            from_m=left * x_m - front_m,
            to_m=right * x_m - front_m,
            bottom_m=(self.high.shape[0] - bottom) * y_m,
            top_m=(self.high.shape[0] - top) * y_m,
            excess_g_cm2=float(inside - around),
            sigma=LOCAL_SIGMA,
            material="",
            mass_kg=float(inside - around) * part["area"] * x_m * y_m * 10.0,
        )


def _loss(plane: Plane, known: Calibration) -> tuple[Floats, Flags]:
    """(rows, columns) attenuation of every pixel, of dead ones the next one's; which are not."""
    gain, pulse = known.gain[:, None], known.pulse[None, :]
    good = (gain > 0) & (pulse > 0)
    signal = plane - known.dark[:, None]
    clear = np.divide(signal, known.air_counts * gain * pulse, out=np.ones_like(signal), where=good)
    loss = -np.log(np.maximum(clear, np.exp(-MAX_ATTENUATION)))
    for lines, alive in ((loss, known.gain > 0), (loss.T, known.pulse > 0)):
        live, dead = np.flatnonzero(alive), np.flatnonzero(~alive)
        if live.size:
            lines[dead] = lines[live[np.minimum(np.searchsorted(live, dead), live.size - 1)]]
    return loss, good


def _pooled(values: NDArray[Any], side: int) -> Floats:
    """Means of square cells; what does not fill one at the end is left out."""
    rows, columns = (length // side * side for length in values.shape)
    down = values[:rows, :columns].reshape(rows // side, side, columns).sum(axis=1)
    sums = down.reshape(rows // side, columns // side, side).sum(axis=2)
    return np.asarray(sums / side**2, np.float64)
