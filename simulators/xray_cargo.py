"""Vehicles of a scenario as scenes: their boxes, their blocks of cargo, their shielded sources."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scenario import Cargo, Source, Vehicle
from simulators.xray_box import Box
from simulators.xray_scene import Floats, Random, Scene
from simulators.xray_truck import Rig, draw_rig

SHIELD_SIDE_M = 0.5  # a lead pig on its pallet
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
    rig = rig_of(vehicle)
    draw_rig(scene, rig, random)
    box = rig.boxes[0]
    for block in vehicle.cargo:
        _block(scene, box, block, random)
    for source in vehicle.sources:
        if source.shield_lead_g_cm2 > 0:
            _shield(scene, box, source)


def _shield(scene: Scene, box: Box, source: Source) -> None:
    """The beam crosses the lead pig's wall twice."""
    middle_m = (source.from_m + source.to_m) / 2
    half_m = SHIELD_SIDE_M / 2
    along = (middle_m - half_m, middle_m + half_m)
    height = (box.deck_m + 0.3, box.deck_m + 0.3 + SHIELD_SIDE_M)
    at = scene.box(along, height)
    # It takes the place of what would stand there.
    for name in ("organic", "aluminium"):
        if name in scene.layers:
            scene.layers[name][at] *= 1 - SHIELD_SIDE_M / BEAM_WIDTH_M
    scene.layer("lead")[at] += 2 * source.shield_lead_g_cm2


def _block(scene: Scene, box: Box, block: Cargo, random: Random) -> None:
    """One load: its pattern has a mean of 1 over the block, so that the density is right."""
    along = (max(block.from_m, box.from_m), min(block.to_m, box.to_m))
    top = min(block.top_m, box.inside_m - 0.02)
    rows, columns = scene.box(along, (box.deck_m + max(block.bottom_m, 0.0), box.deck_m + top))
    height, length = rows.stop - rows.start, columns.stop - columns.start
    if height < 1 or length < 1:
        return
    pattern = PATTERNS[block.kind](height, length, scene.pitch_m, random)
    areal = block.density_g_cm3 * block.width_m * 100.0
    scene.layer(block.material)[rows, columns] += (areal * pattern).astype(np.float32)


# --- what loads look like from the side -------------------------------------------------


def _solid(height: int, length: int, pitch_m: float, random: Random) -> Floats:
    del pitch_m, random
    return np.ones((height, length), np.float32)


def _clouds(
    height: int, length: int, size_px: float, spread: float, random: Random
) -> NDArray[np.float32]:
    """Smooth variation about 1 with structures of about `size_px`."""
    grid = (max(2, round(height / size_px) + 1), max(2, round(length / size_px) + 1))
    coarse = random.standard_normal(grid, np.float32)
    return np.float32(1) + np.float32(spread) * cv2.resize(
        coarse, (length, height), interpolation=cv2.INTER_LINEAR
    )


def _bulk(height: int, length: int, pitch_m: float, random: Random) -> Floats:
    """Grain, sand, ore: one density, slowly varying fill, a top that is never flat."""
    pattern = _clouds(height, length, 1.5 / pitch_m, 0.015, random)
    dip = _clouds(1, length, 1.0 / pitch_m, 1.0, random)[0] - 1
    surface = np.clip(0.06 / pitch_m * (1 + dip), 0, height / 3)
    pattern[np.arange(height)[:, None] < surface[None, :]] = 0
    return pattern


def _cartons(
    shape: tuple[int, int],
    size_m: tuple[float, float],
    spread: float,
    pitch_m: float,
    random: Random,
) -> Floats:
    """Rows of cartons: each its own fill, with a lighter seam between them."""
    height, length = shape
    step_y, step_x = (max(2, round(size / pitch_m)) for size in size_m)
    fills = random.standard_normal((height // step_y + 1, length // step_x + 1), np.float32)
    each = np.repeat(np.repeat(1 + spread * fills, step_y, 0), step_x, 1)[:height, :length]
    each[::step_y] *= 0.93
    each[:, ::step_x] *= 0.93
    return np.asarray(np.clip(each, 0, None), np.float32)


def _produce(height: int, length: int, pitch_m: float, random: Random) -> Floats:
    """Five cartons deep across the vehicle, whose differences average out."""
    fine = _clouds(height, length, 0.06 / pitch_m, 0.02, random)
    return fine * _cartons((height, length), (0.3, 0.4), 0.04, pitch_m, random)


def _pallets(height: int, length: int, pitch_m: float, random: Random) -> Floats:
    """1.2 m pallets, two across: wood below, cartons of unlike fill, gaps between."""
    pattern = _cartons((height, length), (0.25, 0.4), 0.12, pitch_m, random)
    wood = min(round(0.14 / pitch_m), height // 2)
    pattern[height - wood :] *= 0.5
    step, gap = round(1.2 / pitch_m), max(1, round(0.06 / pitch_m))
    for start in range(0, length, step):
        pattern[: int(height * 0.15 * random.random()), start : start + step] *= 0.4
        if start:
            pattern[:, start : start + gap] *= 0.1
    return np.asarray(pattern / max(pattern.mean(), 1e-3), np.float32)


def _drums(height: int, length: int, pitch_m: float, random: Random) -> Floats:
    """Round drums of 0.58 x 0.88 m: thickest in the middle."""
    offset = (np.arange(length) * pitch_m / 0.58) % 1.0 * 2 - 1
    chord = np.sqrt(np.clip(1 - offset**2, 0, 1)) * 4 / np.pi
    fill = np.repeat(
        random.normal(1, 0.05, int(length * pitch_m / 0.58) + 2), round(0.58 / pitch_m)
    )
    pattern = np.repeat((chord * fill[:length])[None, :], height, 0)
    layers = np.arange(height)[::-1] * pitch_m % 0.88
    pattern[layers < 0.03] *= 0.6
    return pattern.astype(np.float32)


def _heap(count_per_m2: float, sizes_m: tuple[float, float]) -> Callable[..., Floats]:
    """Rectangles and discs of random size and weight, one over the other."""

    def pattern(height: int, length: int, pitch_m: float, random: Random) -> Floats:
        heap = np.full((height, length), 0.15, np.float32)
        for _ in range(max(3, int(count_per_m2 * height * length * pitch_m**2))):
            middle = (int(random.integers(length)), int(random.integers(height)))
            half = [max(1, int(random.uniform(*sizes_m) / pitch_m / 2)) for _ in range(2)]
            layer = np.zeros_like(heap)
            if random.random() < 0.5:
                cv2.ellipse(layer, middle, half, 0, 0, 360, 1.0, -1)
            else:
                first = (middle[0] - half[0], middle[1] - half[1])
                cv2.rectangle(layer, first, (middle[0] + half[0], middle[1] + half[1]), 1.0, -1)
            heap += layer * np.float32(random.lognormal(0.0, 0.5))
        return np.asarray(heap / heap.mean(), np.float32)

    return pattern


PATTERNS: dict[str, Callable[[int, int, float, Random], Floats]] = {
    "object": _solid,
    "bulk": _bulk,
    "produce": _produce,
    "pallets": _pallets,
    "drums": _drums,
    "scrap": _heap(12.0, (0.1, 0.6)),
    "machinery": _heap(2.5, (0.4, 1.5)),
}
