"""Keeps of a scan what files of evidence are made of."""

import numpy as np
from numpy.typing import NDArray

from fusion.scan_record import PlaneReference, ScanPixels, ScanRecord
from fusion.scans.calibrate import Calibration
from fusion.scans.cells import Cells
from fusion.scans.geometry import Geometry
from fusion.types import MILLISECOND_NS, ScanSample

UNTOLD, OPAQUE = 0, 5


def scan_record(
    scan: ScanSample,
    cells: Cells,
    geometry: Geometry | None,
    groups: NDArray[np.uint8] | None = None,
) -> ScanRecord:
    """The scan's record; nothing in it is a copy of a plane.

    groups  (rows, columns) of the geometry's zone, in the words of `ScanPixels.groups`
    """
    plane = scan.high if scan.high is not None else scan.composite
    assert plane is not None
    side, calibration = cells.cell_px, cells.calibration
    known = {"high": scan.high, "low": scan.low, "composite": scan.composite}
    names = ("high", "low") if scan.high is not None else ("composite",)
    pixels = ScanPixels(
        high=scan.high,
        low=_fitting(scan),
        composite=scan.composite if scan.high is None else None,
        air_counts=calibration.air_counts,
        dark=calibration.dark,
        gain=calibration.gain,
        pulse=calibration.pulse,
        cell_px=side,
        groups=_whole(cells, geometry, groups),
        references=_references(cells, scan),
    )
    return ScanRecord(
        sensor_id=scan.sensor_id,
        scan_id=scan.scan_id,
        start_utc_ns=scan.start_utc_ns,
        end_utc_ns=scan.start_utc_ns + scan.duration_ms * MILLISECOND_NS,
        partial=scan.partial,
        rows=plane.shape[0],
        columns=plane.shape[1],
        pitch_x_mm=scan.pitch_x_mm if geometry is None else geometry.cell_x_m * 1000.0 / side,
        pitch_y_mm=scan.pitch_y_mm if geometry is None else geometry.cell_y_m * 1000.0 / side,
        front_column=0 if geometry is None else geometry.front * side,
        bottom_row=cells.high.shape[0] * side,
        lost_columns=scan.lost_columns,
        planes=tuple(name for name in names if known[name] is not None),
        energies_mev=None if scan.high is None else scan.energies_mev,
        source=scan.source,
        pixels=pixels,
    )


def _fitting(scan: ScanSample) -> NDArray[np.uint16] | None:
    """The low plane, where it is of the high one's size."""
    if scan.high is None or scan.low is None or scan.low.shape != scan.high.shape:
        return None
    return scan.low


def _whole(
    cells: Cells, geometry: Geometry | None, groups: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """(rows, columns) of all cells: what is told of the load, and nothing of the rest."""
    whole = np.zeros(cells.high.shape, np.uint8)
    if geometry is not None and groups is not None:
        whole[geometry.zone_rows, geometry.zone_columns] = groups
    return whole


def _references(cells: Cells, scan: ScanSample) -> dict[str, PlaneReference]:
    if scan.high is None:
        return {}
    found = {"high": cells.calibration}
    if cells.low_calibration is not None:
        found["low"] = cells.low_calibration
    return {name: _reference(one) for name, one in found.items()}


def _reference(found: Calibration) -> PlaneReference:
    return PlaneReference(
        air_counts=found.air_counts, dark=found.dark, gain=found.gain, pulse=found.pulse
    )
