"""The scanner's self-check: what every scan of a vehicle says of the scanner that took it.

Facts 3 lists what to watch continuously; each value is left out where a scan cannot show it. The
part of the picture that is looked at is small: some 2 ms for 1200 x 4000 pixels.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.scans.beam import GROUPS, beam_of
from fusion.scans.calibrate import Calibration, Floats, lower_median
from fusion.scans.cells import Cells
from fusion.scans.edges import edge_spread_px
from fusion.scans.geometry import Geometry
from fusion.types import ScanSample

Plane = NDArray[np.uint16]

SEEN_SIGMA = 5.0  # Rose: what stands out by 5 standard deviations is seen
MODULE_ROWS = 16  # detector cards of cargo scanners have 16 or 32 rows (facts 4)
STEEL_G_CM3 = 7.86
FULL = 65_535
BAND_ROWS = 48  # of the air band: enough for a noise to 1 %, few enough for its time
BAND_COLUMNS = 500
APART_PX = 4  # neighbours share noise where a picture was resampled (facts 3: 0.6 along)
TWIN_ROWS = 24  # two lines alike in so many noisy pixels are one line sent twice
HOT_SHARE = 0.005  # of air in the dark: as much as comes through 15 cm of steel
BESIDE_PX = 12  # lit columns at either end that show a row without any vehicle


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What one scan says of its scanner."""

    values: tuple[tuple[str, float], ...]
    """In the order of the README's table."""
    row_gain: tuple[float, ...]
    """Mean gain of each block of `MODULE_ROWS` rows, top first; 0 where none of it is alive."""


def self_check(
    scan: ScanSample, plane: Plane, cells: Cells, geometry: Geometry | None
) -> SelfCheck:
    """Every value that this scan can show of its high-energy (or only) plane, some of the low one.

    plane  (rows, columns) counts that the cells are of; of a composite those that stand for it,
           which say nothing of quanta
    """
    known = cells.calibration
    blocks = _blocks(known)
    values: dict[str, float | None] = {
        **_lines(plane, known, scan.lost_columns),
        **_rows(plane, known, blocks),
        **_box(plane, known, geometry, cells.cell_px),
        "unusable": 1.0 - float(np.count_nonzero(cells.usable)) / cells.usable.size,
    }
    if scan.high is not None:
        values |= {"saturated": _saturated(plane), **_levels(plane, known), **_air(plane, known)}
        values |= _seen_through(values, cells.cell_px, scan.energies_mev)
    if cells.low_calibration is not None:
        values |= _low(cells.low_calibration, scan.lost_columns)
    told = ((name, values.get(name)) for name in ORDER)
    return SelfCheck(
        tuple((name, float(f"{value:.4g}")) for name, value in told if value is not None),
        blocks if scan.high is not None else (),
    )


ORDER = (
    "air_counts",
    "dark_counts",
    "dark_noise_counts",
    "air_noise",
    "snr",
    "quanta",
    "row_gain_sigma",
    "module_step",
    "dead_rows",
    "hot_rows",
    "pulse_sigma",
    "missed_lines",
    "lost_lines",
    "duplicated_lines",
    "saturated",
    "unusable",
    "edge_px",
    "edge_mm",
    "length_error_m",
    "speed_error",
    "penetration_mm",
    "low_air_counts",
    "low_dark_counts",
    "low_air_noise",
    "low_dead_rows",
    "low_pulse_sigma",
    "low_missed_lines",
)
"""Names of all values, in the order in which they are told."""


def _levels(plane: Plane, known: Calibration) -> dict[str, float | None]:
    """Air, and dark with the noise of the electronics alone, from lines without beam."""
    found: dict[str, float | None] = {}
    if "no-air-columns" not in known.notes:
        found["air_counts"] = known.air_counts
    if "no-dark-reference" in known.notes:
        return found
    found["dark_counts"] = float(known.dark.sum()) / known.dark.size
    before = plane[:, : max(known.first_column - 2, 0)].astype(np.int64)
    if before.shape[1] > 1:
        steps = np.abs(np.diff(before, axis=1))
        # Of a normal difference the mean size is 2 / sqrt(pi) of its halves' spread; whole
        # counts have no useful median at 2 or 3 of them.
        found["dark_noise_counts"] = int(steps.sum()) / steps.size * math.sqrt(math.pi) / 2.0
    return found


def _low(known: Calibration, lost: tuple[tuple[int, int], ...]) -> dict[str, float | None]:
    """Beam and detectors of the low-energy plane, which materials rest on as much."""
    lit = slice(known.first_column, known.last_column)
    pulse, gone = known.pulse[lit], _lost(known.pulse.size, lost)[lit]
    air, dark = "no-air-columns" not in known.notes, "no-dark-reference" not in known.notes
    return {
        "low_air_counts": known.air_counts if air else None,
        "low_dark_counts": float(known.dark.sum()) / known.dark.size if dark else None,
        "low_air_noise": known.air_noise or None,
        "low_dead_rows": float(np.count_nonzero(known.gain == 0)),
        "low_pulse_sigma": _spread(pulse[pulse > 0]) if known.air_rows and pulse.any() else None,
        "low_missed_lines": float(np.count_nonzero((pulse == 0) & ~gone)),
    }


def _saturated(plane: Plane) -> float:
    """Share of the pixels at the converter's end."""
    probe = plane[:: max(1, plane.shape[0] // 64)]
    return float(np.count_nonzero(probe == FULL)) / probe.size


def _air(plane: Plane, known: Calibration) -> dict[str, float | None]:
    """Noise of a pixel in air from differences, and what calibration leaves beside it."""
    rows = np.nonzero(known.gain[: known.air_rows] > 0)[0][:BAND_ROWS]
    columns = np.nonzero(known.pulse > 0)[0]
    columns = columns[:: -(-columns.size // BAND_COLUMNS) or 1]
    if rows.size < 2 * APART_PX or columns.size < 2 * APART_PX:
        return {}
    clear = known.transmission(plane, slice(0, int(rows[-1]) + 1), columns)[rows]
    # Across and along at once: what a whole row or a whole pulse has more of cancels.
    down = clear[APART_PX:] - clear[:-APART_PX]
    steps = down[:, APART_PX:] - down[:, :-APART_PX]
    noise = 1.4826 * lower_median(np.abs(steps).reshape(-1)) / 2.0
    mean = float(clear.sum()) / clear.size
    spread = math.sqrt(float(((clear - mean) ** 2).sum()) / clear.size)
    found: dict[str, float | None] = {"air_noise": noise}
    if spread > 0.0 and noise > 0.0:
        found |= {"snr": mean / spread, "quanta": 1.0 / noise**2}
    return found


def _rows(plane: Plane, known: Calibration, blocks: tuple[float, ...]) -> dict[str, float | None]:
    """What the detector's rows are worth: alive, alike, even from module to module."""
    alive = known.gain > 0
    beside = (
        plane[:, known.first_column + 2 :][:, :BESIDE_PX],
        plane[:, : max(known.last_column - 2, 0)][:, -BESIDE_PX:],
    )
    light = np.concatenate(beside, axis=1).sum(axis=1, dtype=np.int64) / max(
        sum(part.shape[1] for part in beside), 1
    )
    in_dark = known.dark > lower_median(known.dark) + HOT_SHARE * known.air_counts
    # Twice as bright as it should be, or at the converter's end where the others are not.
    full = (light > 0.999 * FULL) & (lower_median(light) < 0.97 * FULL)
    hot = in_dark | full | ((light - known.dark > 1.9 * known.air_counts) & ~alive)
    found: dict[str, float | None] = {
        "hot_rows": float(np.count_nonzero(hot)),
        "dead_rows": float(np.count_nonzero(~alive & ~hot)),
    }
    if "no-air-columns" in known.notes or not alive.any():
        return found
    gain = known.gain[alive & ~hot]
    found["row_gain_sigma"] = _spread(gain) if gain.size else None
    steps = np.diff([mean for mean in blocks if mean > 0])
    if steps.size:
        found["module_step"] = math.sqrt(float((steps**2).sum()) / steps.size)
    return found


def _blocks(known: Calibration) -> tuple[float, ...]:
    """(blocks of rows) mean gain of those that are alive; nothing where gains are assumed."""
    if "no-air-columns" in known.notes:
        return ()
    count = known.gain.size // MODULE_ROWS
    gain = known.gain[: count * MODULE_ROWS].reshape(count, MODULE_ROWS)
    alive = np.count_nonzero(gain > 0, axis=1)
    means = np.divide(gain.sum(axis=1), alive, out=np.zeros(count), where=alive > 0)
    return tuple(float(f"{mean:.5g}") for mean in means)


def _lines(
    plane: Plane, known: Calibration, lost: tuple[tuple[int, int], ...]
) -> dict[str, float | None]:
    """Pulses that jump or fail, lines that never came or came twice."""
    lit = slice(known.first_column, known.last_column)
    pulse, gone = known.pulse[lit], _lost(plane.shape[1], lost)[lit]
    fired = pulse[(pulse > 0) & ~gone]
    rows = np.linspace(0, plane.shape[0] - 1, TWIN_ROWS).astype(np.int64)
    sample = plane[rows, lit]
    twins = (sample[:, 1:] == sample[:, :-1]).all(axis=0)
    twins &= (pulse[1:] > 0) & ~gone[1:] & (sample[:, 1:].min(axis=0) < FULL)
    seen = known.air_rows > 0
    return {
        "pulse_sigma": _spread(fired) if seen and fired.size else None,
        "missed_lines": float(np.count_nonzero((pulse == 0) & ~gone)),
        "lost_lines": float(np.count_nonzero(gone)),
        "duplicated_lines": float(np.count_nonzero(twins)),
    }


def _lost(columns: int, lost: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """(columns,) which never came."""
    never = np.zeros(columns, np.bool_)
    for first, beyond in lost:
        never[first:beyond] = True
    return never


def _box(
    plane: Plane, known: Calibration, geometry: Geometry | None, cell_px: int
) -> dict[str, float | None]:
    """How sharp the end posts are, and how much too long an ISO box came out."""
    if geometry is None or geometry.posts[1] <= 0.0:
        return {}
    rows = slice(geometry.zone_rows.start * cell_px, geometry.zone_rows.stop * cell_px)
    spread = edge_spread_px(plane, known, rows, geometry.posts)
    found: dict[str, float | None] = {"edge_px": spread}
    if spread is not None:
        found["edge_mm"] = spread * geometry.pitch_mm[0]
    error = geometry.speed_error
    if error is not None:
        length_m = geometry.box_m[1] - geometry.box_m[0]
        found |= {"speed_error": error, "length_error_m": length_m * error / (1.0 + error)}
    return found


def _seen_through(
    values: dict[str, float | None], cell_px: int, energies_mev: tuple[float, float]
) -> dict[str, float | None]:
    """Steel behind which a cell is still seen: largest x with N0 T(x) A >= k2 (facts 3).

    With n quanta a pixel behind it and the electronics' noise as e quanta, A n2 >= k2 (n + e2).
    """
    quanta, air = values.get("quanta"), values.get("air_counts")
    if quanta is None or not air:
        return {}
    electronics = (values.get("dark_noise_counts") or 0.0) / air * quanta
    area, k2 = float(cell_px**2), SEEN_SIGMA**2
    least = (k2 + math.sqrt(k2**2 + 4.0 * area * k2 * electronics**2)) / (2.0 * area)
    most = max(math.log(quanta / least), 0.0)
    beam = beam_of(energies_mev)
    steel_g_cm2 = float(np.interp(most, beam.at, beam.areal_g_cm2[GROUPS.index("steel")]))
    return {"penetration_mm": 10.0 * steel_g_cm2 / STEEL_G_CM3}


def _spread(values: Floats) -> float:
    """Standard deviation as the median distance gives it."""
    return 1.4826 * lower_median(np.abs(values - lower_median(values)))
