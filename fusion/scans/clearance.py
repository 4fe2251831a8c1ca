"""What of a box a scan has really shown: only that can be told clear, or weighed.

A scanner that freezes, saturates or stops goes on to deliver files of the right form. Noise is
what no two places of a real scan share, and a box has ends, walls and a floor: where these are
missing, nothing was seen, whatever the counts look like.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.beam import GROUPS, beam_of
from fusion.scans.calibrate import Calibration, Flags, Floats
from fusion.scans.cells import Cells
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy
from fusion.scans.repeats import repeats
from fusion.scans.sizes import ISO_LENGTH_M
from fusion.types import ScanFinding

Plane = NDArray[np.uint16]

DIM = 6.0  # attenuation: behind more there is scattered light, which is even
FEW_COUNTS = 100  # a step of the converter is less than noise of 1 %, if there are more of them
SPREAD_8_BITS = 257
UNKNOWN = {"no-box", "deck-assumed"}  # what load may be in, or stand on, was not found
DARK_END = 1.0  # attenuation beside the vehicle: no air is like that
LEAST_LIGHT = 0.4  # attenuation: an empty box and its ribs have less
COLUMNS_LOOKED_AT = 64  # of the zone, for what is usual in it
END_CELLS = 6  # on either side of where the zone ends: post, end wall and their blur
END_ATTENUATION = 0.15  # over the inside; posts and end walls seen edge-on have 0.6 and more
HIDES_ENDS = 0.6  # attenuation of most of the box: a load may be as dark as its end walls
WIDE_SHARE = 0.1  # of the box: with more of it saturated, air is as well, and nothing has a level
HALF_LOAD_KG = 14_000.0  # of what a 40 ft box may carry: that much may be where nobody has seen
LEAST_CUT = 0.25  # of a box, where nobody knows how long it is
MOST_WEIGHED = 0.5  # of the box unseen: nothing can be said of the whole load
DARK_SHARE = 0.003  # of air: what detectors show without beam (facts 3: 1st percentile 228 counts)
AIR_ROWS = 2  # cells at the upper and at the lower edge
AIR_SHARE = 0.98  # of a row of cells without any vehicle
RIGHT_WAY_SHARE = 0.9  # clear at the top, at most, where a picture is upside down: wheels
UNIFORM = 0.1  # attenuation: air is as even as that, whatever it is drawn as
RATIO_CELLS = 50
RATIO_BETWEEN = (0.3, 3.0)  # attenuation that both planes measure well
SAME = 1e-4  # attenuation: two measurements of one cell differ by ten times as much by noise
APART = 2.0  # low over high: facts 2.2 has 1.045 (lead, 6/9 MV) to 1.44 (plastic, 4/9 MV)
LEAST_DUE = 0.03  # of steel, over 1: nearer energies tell nothing
SWAPPED_SHARE = 0.4  # of that below 1: no load is like that, and swapped steel more than twice so


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How far the box was seen."""

    usable: Flags
    """(rows, columns) of all cells: measured, and a picture of their own."""
    unseen: float
    """Share of the box that was not."""
    is_cut: bool
    """The picture ends within the box."""
    nats: tuple[float, float]
    """What may be said for empty, at least and at most."""
    is_weighed: bool
    """False: too little was seen, or its level is not known, for any mass."""
    notes: tuple[str, ...]


def wrong_way(cells: Cells) -> str:
    """`"upside-down"`, `"air-dark"` (inverted), or `""`.

    Air is above a vehicle, under it between its wheels, and nothing in a scan is brighter.
    """
    known = cells.calibration
    if "no-air-band" not in known.notes:
        return ""
    lit = slice(-(-known.first_column // cells.cell_px), known.last_column // cells.cell_px)
    values = cells.high[:, lit]
    if values.size == 0:
        return ""
    top, bottom = values[:AIR_ROWS], values[-AIR_ROWS:]
    above, below = (float(np.mean(np.abs(part) < UNIFORM)) for part in (top, bottom))
    if below >= AIR_SHARE and above < RIGHT_WAY_SHARE:
        return "upside-down"
    level = _middle(top)
    darker = int(np.count_nonzero(values > level + UNIFORM)) / values.size
    even = int(np.count_nonzero(np.abs(top - level) < UNIFORM)) / top.size
    is_dark = level > 3.0 * UNIFORM and darker < 0.05 and even > AIR_SHARE - 0.1
    return "air-dark" if is_dark and "no-dark-reference" in known.notes else ""


def righted(cells: Cells, energies_mev: tuple[float, float]) -> tuple[Cells, tuple[str, ...]]:
    """The cells with each plane in its place, and what was wrong with them.

    The lower energy always loses more. A plane that loses less is the other one; one that loses
    the same everywhere is the same one again, and one of quite another scale is none of this scan.
    """
    if cells.low is None or cells.low_calibration is None:
        return cells, ()
    high, low = cells.high[::3, ::3], cells.low[::3, ::3]
    measured = cells.usable[::3, ::3] & (high > RATIO_BETWEEN[0]) & (high < RATIO_BETWEEN[1])
    high, low = high[measured], low[measured]
    if high.size < RATIO_CELLS:
        return cells, ()
    ratio = float(np.sum(low)) / float(np.sum(high))
    due = _steel_ratio(energies_mev) - 1.0
    if np.count_nonzero(np.abs(low - high) < SAME) > 0.9 * high.size:
        note = "planes-alike"
    elif not 1.0 / APART < ratio < APART:
        note = "planes-apart"
    elif due < LEAST_DUE or ratio > 1.0 - SWAPPED_SHARE * due:
        return cells, ()
    else:
        return _swapped(cells, cells.low, cells.low_calibration), ("planes-swapped",)
    return replace(cells, low=None, low_calibration=None), (note,)


def _steel_ratio(energies_mev: tuple[float, float]) -> float:
    """What steel takes from the low plane over what it takes from the high one: boxes are of it."""
    beam = beam_of(energies_mev)
    return float(np.interp(1.0, beam.at, beam.low[GROUPS.index("steel")]))


def _swapped(cells: Cells, low: Floats, low_calibration: Calibration) -> Cells:
    return replace(
        cells,
        high=low,
        low=cells.high,
        calibration=low_calibration,
        low_calibration=cells.calibration,
    )


def sight_of(plane: Plane, cells: Cells, geometry: Geometry, policy: XrayPolicy) -> Sight:
    """Look for what is missing of the box, and for what only looks like it.

    plane  (rows, columns) counts of the plane that `cells.high` is of: a fault of the other one
           makes no load go away
    """
    zone = geometry.zone_rows, geometry.zone_columns
    light = min(_enough_light(plane, cells, geometry), DIM)
    usable = cells.usable[zone]
    lit = usable & (cells.high[zone] < light)
    looks = _not_seen(plane, cells, geometry, policy)
    faults = {name: lit & one for name, one in looks.items() if one.any()}
    faults["rows-dark"] = usable & _dark_rows(cells)[zone[0], None]
    blind = ~usable
    faults["unmeasured"] = blind.copy()
    for fault in faults.values():
        blind |= fault
    unseen = _share(blind)
    shares = {name: _share(fault) for name, fault in faults.items()}
    notes = [name for name, share in shares.items() if share > policy.most_blind_share]
    if unseen > policy.most_blind_share and not notes:
        notes = [name for name, share in shares.items() if share > 0.0]  # a little of each
    notes += ["few-counts"] if light < LEAST_LIGHT else []
    is_cut = _is_cut(cells, geometry, policy)
    notes += ["cut-off"] if is_cut else []
    is_unknown = is_cut or light < LEAST_LIGHT or bool(UNKNOWN & set(geometry.notes))
    is_unknown |= unseen > policy.most_blind_share
    everything = cells.usable.copy() if notes else cells.usable
    if notes:
        everything[zone] = ~blind
    no_level = (
        shares.get("saturated", 0.0) > WIDE_SHARE or unseen > MOST_WEIGHED or _is_topless(geometry)
    )
    return Sight(
        usable=everything,
        unseen=unseen,
        is_cut=is_cut,
        nats=(
            0.0 if no_level else -math.inf,
            0.0 if is_unknown else math.inf,
        ),
        is_weighed=not {"saturated", "rows-dark"} & set(notes) and not no_level,
        notes=tuple(notes),
    )


def weighed(finding: ScanFinding, sight: Sight, cells: Cells, geometry: Geometry) -> ScanFinding:
    """The finding with a mass that is as sure as what was seen of the load."""
    if finding.mass_kg is None or finding.mass_sd_kg is None:
        return finding
    if not sight.is_weighed:
        return replace(finding, mass_kg=None, mass_sd_kg=None)
    missing_kg = HALF_LOAD_KG * sight.unseen if sight.notes else 0.0
    if sight.is_cut:
        seen_m = (geometry.zone_columns.stop - geometry.zone_columns.start) * geometry.cell_x_m
        missing_kg += HALF_LOAD_KG * max(1.0 - seen_m / ISO_LENGTH_M[40], LEAST_CUT)
    dark_kg = 0.0
    if "no-dark-reference" in cells.notes and "last-dark-reference" not in cells.notes:
        zone = cells.high[geometry.zone_rows, geometry.zone_columns]
        dark_kg = _if_dark(zone) * finding.mass_kg
    if not missing_kg and not dark_kg:
        return finding
    spread = math.hypot(finding.mass_sd_kg, missing_kg, dark_kg)
    return replace(finding, mass_sd_kg=round(spread, 1))


def _if_dark(values: Floats) -> float:
    """How much more a load would take if so much of the counts as usual were no light."""
    loaded = np.maximum(values, 0.0)
    light = np.maximum(np.exp(-loaded), 1.5 * DARK_SHARE)
    more = -np.log1p(-DARK_SHARE / light)
    total = float(np.sum(loaded))
    return float(np.sum(more * (loaded > 0.0))) / total if total > 0.0 else 0.0


def _not_seen(
    plane: Plane, cells: Cells, geometry: Geometry, policy: XrayPolicy
) -> dict[str, Flags]:
    """Name to (rows, columns) of the zone for each way in which a part of it is no picture."""
    zone = geometry.zone_rows, geometry.zone_columns
    alive, fired = cells.calibration.gain > 0, cells.calibration.pulse > 0
    thin = cells.high[zone] < policy.vehicle_attenuation
    found = repeats(plane, (alive, fired), cells.cell_px, zone, thin)
    return {
        "saturated": found.saturated,
        "lines-repeated": found.lines,
        "rows-repeated": found.rows,
        "flat-parts": found.flat,
        "walls-unseen": thin & ~_between(geometry, policy),
    }


def _dark_rows(cells: Cells) -> Flags:
    """(rows,) of all cells that show no light even where the picture begins and ends with air."""
    known, side = cells.calibration, cells.cell_px
    first, last = -(-known.first_column // side), known.last_column // side
    ends = np.concatenate(
        [cells.high[:, first : first + 2], cells.high[:, max(last - 2, first) : last]], axis=1
    )
    if ends.shape[1] < 4 or _middle(ends) > UNIFORM:
        return np.zeros(cells.high.shape[0], np.bool_)
    dark = ends.min(axis=1) > DARK_END
    beside = np.concatenate([[False], dark, [False]])
    return np.asarray(dark | beside[2:] | beside[:-2], np.bool_)


def _enough_light(plane: Plane, cells: Cells, geometry: Geometry) -> float:
    """Attenuation up to which counts differ by noise alone: few ones are alike by chance."""
    side = cells.cell_px
    rows, columns = (
        slice(part.start * side, part.stop * side, 10 * side)
        for part in (geometry.zone_rows, geometry.zone_columns)
    )
    # Pictures of 8 bits come spread over 16.
    step = int(np.gcd.reduce(plane[rows, columns], axis=None))
    step = step if 0 < step <= SPREAD_8_BITS else 1
    return math.log(max(cells.calibration.air_counts / (step * FEW_COUNTS), 1.0))


def _between(geometry: Geometry, policy: XrayPolicy) -> Flags:
    """(1, columns) of the zone where two boxes of 20 ft leave air between them."""
    columns = geometry.zone_columns.stop - geometry.zone_columns.start
    reach, middle = max(round(policy.box_ends_m / geometry.cell_x_m), 1), columns // 2
    found = np.zeros((1, columns), np.bool_)
    if geometry.boxes == 2:
        found[0, max(middle - reach, 0) : middle + reach] = True
    return found


def _is_topless(geometry: Geometry) -> bool:
    """Whether the box goes on above the picture, so that nobody knows where its floor is."""
    return round(geometry.roof_m / geometry.cell_y_m) >= geometry.rows


def _is_cut(cells: Cells, geometry: Geometry, policy: XrayPolicy) -> bool:
    """Whether the picture, or its beam, ends before the box does."""
    if "no-box" in geometry.notes:
        return False
    known, cell = cells.calibration, cells.cell_px
    if _is_topless(geometry):
        return True
    if "deck-assumed" in geometry.notes and geometry.zone_rows.stop >= geometry.rows:
        return True
    margin = max(round(policy.end_margin_m / geometry.cell_x_m), 1) + 1
    part, columns = cells.high[geometry.zone_rows], geometry.zone_columns
    step = max((columns.stop - columns.start) // COLUMNS_LOOKED_AT, 1)
    usual = _middle(_through(part[:, columns.start : columns.stop : step]))
    near = max(END_CELLS, margin + 2)
    ends = (
        (columns.start - -(-known.first_column // cell), max(columns.start - near, 0)),
        (known.last_column // cell - columns.stop, columns.stop - 1),
    )
    for beside, first in ends:
        through = float(_through(part[:, first : first + near + 1]).max())
        has_post = through > usual + END_ATTENUATION
        hidden = usual > HIDES_ENDS
        # A load as dark as its end walls hides them: then only what is beside it tells its end.
        if not (has_post or hidden) or (beside <= margin and (hidden or not geometry.container_ft)):
            return True
    return False


def _through(part: Floats) -> Floats:
    """(columns,) what all but an eighth of a column is darker than: few loads reach the roof."""
    place = part.shape[0] // 8
    return np.asarray(np.partition(part, place, axis=0)[place], np.float64)


def _middle(values: Floats) -> float:
    """The lower median."""
    flat = values.reshape(-1)
    middle = (flat.size - 1) // 2
    return float(np.partition(flat, middle)[middle])


def _share(flags: Flags) -> float:
    return int(np.count_nonzero(flags)) / flags.size
