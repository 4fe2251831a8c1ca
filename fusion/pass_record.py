"""Everything that one portal saw of one vehicle: what evidence files are made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraRecord:
    """The spectra of a pass, and the background beside them."""

    detectors: tuple[str, ...]
    edges_kev: NDArray[np.float32]
    """(detectors, channels + 1)"""
    starts_utc_ns: NDArray[np.int64]
    """(slices,)"""
    real_s: NDArray[np.float64]
    """(slices,)"""
    live_s: NDArray[np.float64]
    """(slices, detectors)"""
    counts: NDArray[np.uint32]
    """(slices, detectors, channels)"""
    background_counts: NDArray[np.float64] | None
    """(detectors, channels)"""
    background_live_s: float
    window: tuple[int, int]
    """First and one past the last slice that the verdict rests on."""
    detector_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """One occupancy, so far or whole. Lengths run in metres from the vehicle's front."""

    sensor_id: str
    panels: int
    opened_utc_ns: int
    closed_utc_ns: int | None
    """None while the vehicle is still there."""
    counter: int | None
    speed_m_s: float | None
    length_m: float | None
    starts_utc_ns: NDArray[np.int64]
    """(scans,)"""
    scan_s: float
    gamma_counts: NDArray[np.int64]
    """(scans, panels)"""
    passed_m: NDArray[np.float64]
    """(scans,) which place of the vehicle was at the portal in the middle of each scan."""
    gamma_background_cps: NDArray[np.float64] | None
    """(panels,) frozen when the vehicle came."""
    gamma_background_s: float
    """Measuring time behind it."""
    clean_counts: NDArray[np.float64] | None
    """(scans,) of all panels: the fitted background with the vehicle's shadow."""
    fitted_counts: NDArray[np.float64] | None
    """(scans,) the same with the fitted source."""
    alarm_counts: NDArray[np.float64] | None
    """(scans,) where a single scan would reach the alarm line over `clean_counts`."""
    neutron_starts_utc_ns: NDArray[np.int64]
    """(intervals,)"""
    neutron_s: NDArray[np.float64]
    """(intervals,)"""
    neutron_counts: NDArray[np.int64]
    """(intervals,)"""
    neutron_background_cps: float | None
    neutron_background_s: float
    spectra: SpectraRecord | None = None
