"""The test piece of IEC 62523's five tests, drawn: steel steps, wires, plates, bars, materials.

Its numbers stand a second time in `fusion.scans.test_piece_layout`, which this room may not
import; a test holds the two against each other.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simulators.xray_scene import ALUMINIUM_G_CM3, LEAD_G_CM3, STEEL_G_CM3, Scene

DECLARED = "test-piece"
"""The load of a vehicle that is no vehicle but this."""

DENSITY_G_CM3 = {
    "steel": STEEL_G_CM3,
    "lead": LEAD_G_CM3,
    "aluminium": ALUMINIUM_G_CM3,
    "polyethylene": 0.95,
}
FRONT_M = 1.0  # of the frame, behind the front of what carries it
BASE_M = 1.0  # over the road, on a trolley
TROLLEY_G_CM2 = 3.0  # two legs of thin steel


class Part(NamedTuple):
    """A block of one material, in millimetres from the frame's lower front corner."""

    material: str
    along_mm: float
    up_mm: float
    length_mm: float
    height_mm: float
    thickness_mm: float


class Wire(NamedTuple):
    """A leaning steel wire; its lower end's middle."""

    along_mm: float
    up_mm: float
    height_mm: float
    lean_mm: float
    diameter_mm: float


def parts() -> Iterator[Part]:
    """Everything that is flat."""
    yield Part("steel", 0, 0, 4000, 60, 60)
    yield Part("steel", 0, 940, 4000, 60, 60)
    yield Part("steel", 0, 60, 60, 880, 60)
    yield Part("steel", 3940, 60, 60, 880, 60)
    cubes = ((35, 40), (125, 40), (125, 130), (35, 130))
    for i, thickness in enumerate((150, 200, 250, 300, 350, 400, 450)):
        along, up = 120 + 260 * i, 680
        yield Part("steel", along, up, 230, 240, thickness)
        yield Part("steel", along + cubes[i % 4][0], up + cubes[i % 4][1], 70, 70, 70)
    yield Part("steel", 1040, 90, 840, 440, 100)
    yield Part("steel", 120, 90, 840, 440, 100)
    for i, percent in enumerate((0.25, 0.5, 1.0, 2.0, 4.0, 8.0)):
        yield Part("steel", 180 + 270 * (i % 3), 150 + 200 * (i // 3), 120, 120, percent)
    at = 2700.0
    for i, width in enumerate((4.0, 5.0, 6.3, 8.0, 10.0, 12.5, 16.0, 20.0, 25.0)):
        for bar in range(4):
            yield Part("steel", at + 2 * width * bar, 820, width, 100, 20)
            yield Part("steel", 2700 + 110 * i, 620 + 2 * width * bar, 80, width, 20)
        at += 7 * width + 30
    yield Part("steel", 3760, 820, 100, 100, 20)
    blocks = (("polyethylene", 421), ("aluminium", 148), ("steel", 50.9), ("lead", 35.2))
    for i, (material, thick) in enumerate(blocks):
        yield Part(material, 1960 + 260 * i, 180, 220, 220, thick)


def wires() -> Iterator[Wire]:
    """In air and before the plate."""
    for i, diameter in enumerate((0.8, 1, 1.25, 1.6, 2, 2.5, 3.2, 4)):
        yield Wire(2000 + 80 * i, 620, 300, 60, diameter)
    for i, diameter in enumerate((2, 2.5, 3.2, 4, 5, 6.3, 8, 10)):
        yield Wire(1120 + 80 * i, 160, 300, 60, diameter)


def draw(scene: Scene, front_m: float = FRONT_M, base_m: float = BASE_M) -> None:
    """The piece on its trolley, its frame's front so far behind the scene's."""
    for leg_m in (front_m + 0.5, front_m + 3.4):
        scene.add("steel", (leg_m, leg_m + 0.04), (0.0, base_m), TROLLEY_G_CM2)
    for part in parts():
        along = front_m + part.along_mm / 1000.0
        up = base_m + part.up_mm / 1000.0
        scene.add(
            part.material,
            (along, along + part.length_mm / 1000.0),
            (up, up + part.height_mm / 1000.0),
            DENSITY_G_CM3[part.material] * part.thickness_mm / 10.0,
        )
    for wire in wires():
        _draw_wire(scene, wire, front_m, base_m)


def _draw_wire(scene: Scene, wire: Wire, front_m: float, base_m: float) -> None:
    """Every row gets the wire's whole cross-section, spread over the pixels that it covers."""
    steel = scene.layer("steel")
    bottom_m, top_m = (base_m + (wire.up_mm + up) / 1000.0 for up in (0.0, wire.height_mm))
    first, last = round(scene.down_px(top_m)), round(scene.down_px(bottom_m))
    radius_px = wire.diameter_mm / 2000.0 / scene.pitch_m
    for row in range(max(first, 0), min(last, scene.rows)):
        share = (last - row - 0.5) / (last - first)
        along_m = front_m + (wire.along_mm + wire.lean_mm * share) / 1000.0
        middle = scene.along_px(along_m)
        start, stop = math.floor(middle - radius_px), math.ceil(middle + radius_px)
        edges = np.clip((np.arange(start, stop + 1) - middle) / radius_px, -1.0, 1.0)
        # Integral of a circle's chord, over its area.
        inside = 0.5 + (edges * np.sqrt(1.0 - edges**2) + np.arcsin(edges)) / math.pi
        area_cm2 = math.pi * (wire.diameter_mm / 20.0) ** 2
        per_pixel = np.diff(inside) * area_cm2 / (scene.pitch_m * 100.0)
        steel[row, start:stop] += (STEEL_G_CM3 * per_pixel).astype(np.float32)
