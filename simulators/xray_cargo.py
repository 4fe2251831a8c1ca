"""Vehicles of a scenario as scenes: their boxes, their blocks of cargo, their shielded sources."""

from collections.abc import Mapping

import numpy as np

from simulators import xray_test_piece
from simulators.scenario import Cargo, Source, Vehicle
from simulators.xray_box import Box
from simulators.xray_clutter import machines, scrap
from simulators.xray_patterns import Area, Pattern, cartons, cylinders, mound, pallets
from simulators.xray_scene import Random, Scene
from simulators.xray_truck import Rig, draw_rig

SHIELD_SIDE_M = 0.5  # a lead pig on its pallet
SHIELD_BOTTOM_M = 0.3
BEAM_WIDTH_M = 2.2  # what a load can fill across the vehicle


def rig_of(vehicle: Vehicle) -> Rig:
    """The vehicle as it is drawn."""
    front_m, rear_m = vehicle.box_m
    return Rig(
        length_m=vehicle.length_m,
        boxes=(Box(front_m=front_m, rear_m=rear_m, roof_smear_m=0.0, floor_smear_m=0.0),),
        cab_m=min(2.6, front_m),
    )


def draw_vehicle(scene: Scene, vehicle: Vehicle, random: Random) -> None:
    """Draw a tractor, its trailer, the box and everything in it."""
    if vehicle.declared == xray_test_piece.DECLARED:
        xray_test_piece.draw(scene)
        return
    rig = rig_of(vehicle)
    draw_rig(scene, rig, random)
    box = rig.boxes[0]
    for block in vehicle.cargo:
        _block(scene, box, block, random)
    for source in vehicle.sources:
        if shielded(source):
            _shield(scene, box, source)


def hidden_m(vehicle: Vehicle) -> tuple[tuple[float, float, float, float], ...]:
    """(from, to, bottom, top) of each object and each shield in its load."""
    deck_m = rig_of(vehicle).boxes[0].deck_m
    objects = [
        (block.from_m, block.to_m, deck_m + block.bottom_m, deck_m + block.top_m)
        for block in vehicle.cargo
        if block.kind == "object"
    ]
    shields = [_shield_m(source, deck_m) for source in vehicle.sources if shielded(source)]
    return (*objects, *shields)


def shielded(source: Source) -> bool:
    """Whether a scan shows its shield: polyethylene looks like any load."""
    return source.shield_lead_g_cm2 > 0.0 or source.shield_steel_g_cm2 > 0.0


def _shield_m(source: Source, deck_m: float) -> tuple[float, float, float, float]:
    middle_m = (source.from_m + source.to_m) / 2
    half_m, bottom_m = SHIELD_SIDE_M / 2, deck_m + SHIELD_BOTTOM_M
    return middle_m - half_m, middle_m + half_m, bottom_m, bottom_m + SHIELD_SIDE_M


def _shield(scene: Scene, box: Box, source: Source) -> None:
    """The beam crosses each of its walls twice."""
    from_m, to_m, bottom_m, top_m = _shield_m(source, box.deck_m)
    at = scene.box((from_m, to_m), (bottom_m, top_m))
    # It takes the place of what would stand there.
    for name in ("organic", "aluminium"):
        if name in scene.layers:
            scene.layers[name][at] *= 1 - SHIELD_SIDE_M / BEAM_WIDTH_M
    for material, g_cm2 in (
        ("lead", source.shield_lead_g_cm2),
        ("steel", source.shield_steel_g_cm2),
        ("organic", source.shield_poly_g_cm2),
    ):
        if g_cm2 > 0.0:
            scene.layer(material)[at] += 2 * g_cm2


def _block(scene: Scene, box: Box, block: Cargo, random: Random) -> None:
    """One load; whatever its pattern, its mean density over the block is the one that is asked."""
    along = (max(block.from_m, box.from_m), min(block.to_m, box.to_m))
    top_m = box.deck_m + min(block.top_m, box.inside_m - 0.02)
    at = scene.box(along, (box.deck_m + max(block.bottom_m, 0.0), top_m))
    area = Area(at[0].stop - at[0].start, at[1].stop - at[1].start, scene.pitch_m)
    if area.height < 1 or area.length < 1:
        return
    areal_g_cm2 = block.density_g_cm3 * block.width_m * 100.0
    if block.kind == "object":
        scene.paint(block.material, at, np.full((area.height, area.length), areal_g_cm2))
        return
    thick = PATTERNS[block.kind](area, random).thick
    scene.paint(block.material, at, areal_g_cm2 / max(float(thick.mean()), 1e-3) * thick)


PATTERNS: Mapping[str, Pattern] = {
    "bulk": mound(),
    "produce": cartons(0.4, 0.3, spread=0.06),
    "pallets": pallets(fill=(0.85, 1.0), density_spread=0.08),
    "drums": cylinders(0.58, 0.88, rows=4),
    "scrap": scrap((0.1, 0.6), per_m2=20.0),
    "machinery": machines((1.2, 2.8)),
}
