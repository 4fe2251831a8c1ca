"""Where along a vehicle the source lies that a spectrum shows.

Gross counts tell the place of what stands out in them. A source that only a spectrum shows lies
elsewhere: where its own lines are seen best.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.spectra_pass import profiles
from fusion.pass_record import PassRecord
from fusion.spectra.assess import Assessment
from fusion.spectra.slices import Slice
from fusion.types import Fact

STEP_M = 0.25  # a tenth of the profile's half width
BEYOND_M = 1.5  # of the bumpers: the error of the speed
POINTS = ("medical", "industrial", "snm", "unknown")


def place_facts(
    found: Assessment,
    spectral: Mapping[str, Fact],
    slices: list[Slice],
    record: PassRecord | None,
    *,
    distance_m: float,
    cab_m: float,
) -> dict[str, Fact]:
    """Position of what the spectrum names, whose facts are `spectral`; nothing of a load."""
    told = spectral["category"] in POINTS and spectral["category_nats"]
    if found.column is None or not told or record is None or len(record.passed_m) < 2:
        return {}
    start_ns = int(record.starts_utc_ns[0])
    scans_s = (record.starts_utc_ns - start_ns) / 1e9 + 0.5 * record.scan_s
    middle_s = np.array([0.5 * (one.start_utc_ns + one.end_utc_ns) - start_ns for one in slices])
    passed_m = np.interp(middle_s / 1e9, scans_s, record.passed_m)
    end_m = record.length_m or float(record.passed_m[-1])
    position_m = best_place_m(slices, found.column, passed_m, end_m, distance_m)
    if position_m is None:
        return {}
    facts: dict[str, Fact] = {"position_m": round(position_m, 2), "cab": position_m <= cab_m}
    if record.length_m:
        facts["position"] = round(min(max(position_m / record.length_m, 0.0), 1.0), 3)
    return facts


def best_place_m(
    slices: list[Slice],
    column: int,
    passed_m: NDArray[np.float64],
    end_m: float,
    distance_m: float,
) -> float | None:
    """Where a point explains the scores of one template best; None where none of them is known.

    passed_m  (slices,) which place of the vehicle is at the portal in the middle of each
    """
    known = [column < len(one.scores) and one.variance > 0.0 for one in slices]
    if not any(known):
        return None
    both = list(zip(slices, known, strict=True))
    scores = np.array([float(one.scores[column]) if told else 0.0 for one, told in both])
    variances = np.array([one.variance if told else 0.0 for one, told in both])
    live_s = np.array([float(one.live_s.mean()) for one in slices])
    passed_m = np.ascontiguousarray(passed_m, np.float64)
    places_m = np.arange(-BEYOND_M, end_m + BEYOND_M, STEP_M)
    shapes = profiles(passed_m, places_m, distance_m) * live_s
    spread = (shapes * shapes * variances).sum(axis=1).tolist()
    heights = (shapes * scores).sum(axis=1).tolist()
    best, highest = None, 0.0
    for place_m, height, variance in zip(places_m.tolist(), heights, spread, strict=True):
        if variance > 0.0 and height / variance**0.5 > highest:
            best, highest = place_m, height / variance**0.5
    return best
