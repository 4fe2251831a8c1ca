"""The vehicles of the cases: which boxes they carry, and how they are built."""

from dataclasses import replace

from simulators.xray_box import (
    INSIDE_HEIGHT_HIGH_M,
    INSIDE_HEIGHT_REEFER_M,
    Box,
)
from simulators.xray_scene import INSIDE_HEIGHT_M, Random
from simulators.xray_truck import Rig

FEET_M = {20: 6.058, 40: 12.192, 45: 13.716}  # ISO 668, outer lengths
BOXES = ("20", "40", "40hc", "45hc", "20+20", "reefer")
SHARES = (0.15, 0.3, 0.25, 0.08, 0.07, 0.15)
BETWEEN_M = 0.1  # of two boxes on one chassis
YARD_DECK_M = 0.6  # of a box without a vehicle, on a low trailer out of the picture


def any_rig(kind: str, random: Random, *, whole: bool) -> Rig:
    """A vehicle with such boxes; whatever is left open comes from `random`.

    ValueError: there is no such box.
    """
    if kind and kind not in BOXES:
        raise ValueError(f"{kind!r} is none of the boxes {BOXES}")
    drawn = str(random.choice(BOXES, p=SHARES))
    kind = kind or drawn
    front_m = float(random.uniform(4.0, 4.8)) if whole else 0.15
    deck_m = float(random.uniform(1.12, 1.3)) if whole else YARD_DECK_M
    first = Box(
        front_m=front_m,
        rear_m=front_m,
        deck_m=deck_m,
        wall_mm=(float(random.uniform(1.6, 2.0)), float(random.uniform(1.6, 2.0))),
        roof_smear_m=float(random.uniform(0.01, 0.06)),
        floor_smear_m=float(random.uniform(0.0, 0.02)),
    )
    boxes = _boxes(kind, first)
    cab_m = float(random.uniform(2.0, min(2.7, front_m - 1.2))) if whole else 0.0
    return Rig(
        length_m=boxes[-1].rear_m + (float(random.uniform(0.05, 0.4)) if whole else 0.15),
        boxes=boxes,
        cab_m=cab_m,
        cab_top_m=float(random.uniform(2.7, 3.7)),
        trailer_axles=2 if kind == "20" else 3,
    )


def _boxes(kind: str, first: Box) -> tuple[Box, ...]:
    feet = {"20": 20, "20+20": 20, "45hc": 45}.get(kind, 40)
    rear_m = first.front_m + FEET_M[feet]
    high = kind in ("40hc", "45hc")
    inside_m = INSIDE_HEIGHT_HIGH_M if high else INSIDE_HEIGHT_M
    if kind == "reefer":
        inside_m = INSIDE_HEIGHT_REEFER_M
    box = replace(first, rear_m=rear_m, feet=feet, inside_m=inside_m, reefer=kind == "reefer")
    if kind != "20+20":
        return (box,)
    front_m = rear_m + BETWEEN_M
    return (box, replace(box, front_m=front_m, rear_m=front_m + FEET_M[20]))
