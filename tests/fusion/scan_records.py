"""Scans made by hand, for tests of what is made of them: a box with blocks that are what they are.

Nothing is measured here: groups and places are known, so a picture's pixels can be too.
"""

import numpy as np

from fusion.scan_record import ScanPixels, ScanRecord
from fusion.types import SECOND_NS
from tests.fusion.makers import START_UTC_NS

CELL_PX = 8
LENGTH_M, HEIGHT_M = 19.2, 5.76
FRONT_M = 0.48  # of air before the vehicle
AIR, DARK = 58_000, 600
BLOCKS = (  # group, attenuation, from, to, bottom, top: metres behind the front, above the ground
    (1, 1.0, 6.0, 9.0, 1.6, 3.2),
    (2, 1.0, 9.5, 11.0, 1.6, 3.2),
    (3, 2.5, 12.0, 13.2, 1.6, 2.8),
    (4, 5.0, 14.0, 14.6, 1.6, 2.2),
    (5, 9.0, 15.2, 16.4, 1.6, 2.8),
)
REGIONS = (
    {"from_m": 14.0, "to_m": 14.6, "bottom_m": 1.6, "top_m": 2.2, "excess_g_cm2": 92.0,
     "sigma": 14.2, "material": "dense", "mass_kg": 310.0},
    {"from_m": 12.0, "to_m": 13.2, "bottom_m": 1.6, "top_m": 2.8, "excess_g_cm2": 41.0,
     "sigma": 7.3, "material": "steel", "mass_kg": 560.0},
)  # fmt: skip
FACTS = {
    "empty": False, "fill": 0.43, "unpenetrated": 0.034, "length_m": 17.5, "mass_kg": 11_240.0,
    "mass_sd_kg": 1_600.0, "regions": REGIONS, "declared": "", "container": "CSQU3054383",
    "scan_id": "scan-1", "partial": False, "notes": (),
    "geometry": {"box_from_m": 5.1, "box_to_m": 17.3, "deck_m": 1.5, "roof_m": 4.1},
}  # fmt: skip


def pixels(rows=1200, columns=4000, *, seed=1, low=True, noise=0.01, cell_px=CELL_PX):
    """(rows, columns) counts of the blocks inside a thin box, with noise."""
    random = np.random.default_rng(seed)
    column_m = LENGTH_M / columns
    row_m = HEIGHT_M / rows
    attenuation = np.zeros((rows, columns))
    groups = np.zeros((rows // cell_px, columns // cell_px), np.uint8)

    def put(values, value, place, step=1):
        from_m, to_m, bottom_m, top_m = place
        along = slice(*(round((FRONT_M + m) / column_m / step) for m in (from_m, to_m)))
        values[
            round((HEIGHT_M - top_m) / row_m / step) : round((HEIGHT_M - bottom_m) / row_m / step),
            along,
        ] = value

    put(attenuation, 0.17, (5.1, 17.3, 1.5, 4.1))
    put(attenuation, 0.6, (0.0, 17.5, 0.9, 1.2))
    for group, value, *place in BLOCKS:
        put(attenuation, value, place)
        put(groups, group, place, cell_px)

    def plane(factor):
        signal = AIR * np.exp(-factor * attenuation)
        signal *= 1.0 + noise * random.standard_normal(signal.shape, np.float32)
        return (signal + DARK).clip(0, 65_535).astype(np.uint16)

    return ScanPixels(
        high=plane(1.0),
        low=plane(1.2) if low else None,
        composite=None,
        air_counts=float(AIR),
        dark=np.full(rows, float(DARK)),
        gain=np.ones(rows),
        pulse=np.ones(columns),
        cell_px=cell_px,
        groups=groups,
    )


def composite_pixels(rows=300, columns=1000, cell_px=2):
    """The same as an 8-bit picture."""
    made = pixels(rows, columns, low=False, cell_px=cell_px)
    grey = np.clip((made.high.astype(np.float64) - DARK) / AIR, 0, 1) ** (1 / 2.2)
    return ScanPixels(
        high=None,
        low=None,
        composite=np.rint(255 * grey).astype(np.uint8),
        air_counts=made.air_counts,
        dark=made.dark,
        gain=made.gain,
        pulse=made.pulse,
        cell_px=cell_px,
        groups=np.zeros_like(made.groups),
    )


def scan_record(made=None, **changes):
    """The record of such pixels."""
    made = pixels() if made is None else made
    rows, columns = made.shape
    planes = [name for name in ("high", "low", "composite") if getattr(made, name) is not None]
    told = {
        "sensor_id": "xray-1",
        "scan_id": "scan-1",
        "start_utc_ns": START_UTC_NS,
        "end_utc_ns": START_UTC_NS + 9 * SECOND_NS,
        "partial": False,
        "rows": rows,
        "columns": columns,
        "pitch_x_mm": 1000.0 * LENGTH_M / columns,
        "pitch_y_mm": 1000.0 * HEIGHT_M / rows,
        "front_column": round(FRONT_M / LENGTH_M * columns),
        "bottom_row": rows,
        "lost_columns": (),
        "planes": tuple(planes),
        "pixels": made,
        "facts": FACTS,
    }
    return ScanRecord(**(told | changes))
