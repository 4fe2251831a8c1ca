"""A truck as maps of areal density: what the beam meets on its way across the vehicle."""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scenario import Cargo, Source, Vehicle

Floats = NDArray[np.float32]
Random = np.random.Generator

DECK_M = 1.2  # load floor above the road, on a container chassis
INSIDE_HEIGHT_M = 2.39  # ISO 668, 8'6" box
STEEL_G_CM3 = 7.86
WALL_G_CM2 = 0.18 * STEEL_G_CM3  # one side wall, 1.8 mm (facts 4: 1.6 to 2.0)
RIB_PERIOD_M = 0.278  # facts 4
RIB_RISE = 0.35  # a slanted web is met at an angle, which lengthens the way through it
ROOF_RAIL_G_CM2 = 9.0  # two 60 mm tubes of 3 mm
BOTTOM_RAIL_G_CM2 = 6.0
PLYWOOD_G_CM2 = 110.0  # 28 mm deck seen edge-on, softened by the fan beam
CROSS_MEMBER_G_CM2 = 60.0  # seen end-on, every 300 mm
CHASSIS_G_CM2 = 16.0  # two main beams with 10 mm webs
SHIELD_SIDE_M = 0.5  # a lead pig on its pallet
BEAM_WIDTH_M = 2.2  # what a load can fill across the vehicle


@dataclass
class Scene:
    """Areal densities on the picture's pixels; row 0 is the top, column 0 before the front."""

    rows: int
    columns: int
    pitch_m: float
    front_column: int
    layers: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("organic", "steel"):
            self.layer(name)

    def layer(self, material: str) -> Floats:
        """The map of one material, g/cm2."""
        if material not in self.layers:
            self.layers[material] = np.zeros((self.rows, self.columns), np.float32)
        return self.layers[material]

    def column(self, along_m: float) -> int:
        """The column so far behind the vehicle's front, within the picture."""
        return min(max(self.front_column + round(along_m / self.pitch_m), 0), self.columns)

    def row(self, above_road_m: float) -> int:
        """The row so high above the road, within the picture."""
        return min(max(self.rows - round(above_road_m / self.pitch_m), 0), self.rows)

    def box(
        self, along_m: tuple[float, float], height_m: tuple[float, float]
    ) -> tuple[slice, slice]:
        """The pixels of a box given along the vehicle and above the road."""
        return (
            slice(self.row(height_m[1]), self.row(height_m[0])),
            slice(self.column(along_m[0]), self.column(along_m[1])),
        )

    def add(
        self,
        material: str,
        along_m: tuple[float, float],
        height_m: tuple[float, float],
        areal_g_cm2: float | Floats,
    ) -> None:
        """Put so much of a material into a box."""
        self.layer(material)[self.box(along_m, height_m)] += areal_g_cm2


def truck(scene: Scene, vehicle: Vehicle, random: Random) -> None:
    """Draw a tractor, its trailer, the box and everything in it."""
    _tractor(scene, vehicle)
    _container(scene, vehicle, random)
    for block in vehicle.cargo:
        _block(scene, vehicle, block, random)
    for source in vehicle.sources:
        if source.shield_lead_g_cm2 > 0:
            _shield(scene, source)


def _tractor(scene: Scene, vehicle: Vehicle) -> None:
    cab_m = min(2.6, vehicle.box_m[0])
    scene.add("steel", (0.0, cab_m), (0.6, 3.0), 2 * 0.12 * STEEL_G_CM3)
    scene.add("organic", (0.1, cab_m - 0.1), (0.9, 2.2), 6.0)  # trim, seats, dashboard
    scene.add("organic", (1.5, 1.8), (1.5, 2.4), 22.0)  # the driver
    scene.add("steel", (0.7, 2.0), (0.7, 1.4), 70.0)  # engine block
    scene.add("steel", (0.3, vehicle.box_m[0] + 2.0), (0.75, 1.0), CHASSIS_G_CM2)
    rear_m = vehicle.box_m[1]
    scene.add("steel", (rear_m, vehicle.length_m), (0.75, 1.0), CHASSIS_G_CM2)
    scene.add("steel", (vehicle.length_m - 0.12, vehicle.length_m), (0.4, 1.0), 8.0)  # bumper
    for axle_m in (1.1, vehicle.box_m[0] + 0.2, rear_m - 4.0, rear_m - 2.7, rear_m - 1.4):
        _wheel(scene, axle_m)


def _wheel(scene: Scene, axle_m: float) -> None:
    """Tyres and rims of both sides."""
    rows, columns = scene.box((axle_m - 0.5, axle_m + 0.5), (0.0, 1.0))
    high = (scene.rows - np.arange(rows.start, rows.stop) - 0.5) * scene.pitch_m - 0.5
    along = (np.arange(columns.start, columns.stop) + 0.5 - scene.front_column) * scene.pitch_m
    radius = np.hypot(high[:, None], along[None, :] - axle_m)
    scene.layer("organic")[rows, columns] += np.where((radius < 0.5) & (radius > 0.29), 24.0, 0.0)
    scene.layer("steel")[rows, columns] += np.where(radius < 0.3, 14.0, 0.0)


def _container(scene: Scene, vehicle: Vehicle, random: Random) -> None:
    front, rear = vehicle.box_m
    top = DECK_M + INSIDE_HEIGHT_M
    along = (np.arange(scene.columns) - scene.front_column) * scene.pitch_m
    wall = np.zeros(scene.columns, np.float32)
    for _ in range(2):
        phase = along / RIB_PERIOD_M + random.random()
        slanted = (phase % 0.5) < 0.125  # two webs in a period, each an eighth of it
        wall += (WALL_G_CM2 * (1 + RIB_RISE * slanted)).astype(np.float32)
    rows, columns = scene.box((front, rear), (DECK_M, top))
    scene.layer("steel")[rows, columns] += wall[columns]
    scene.add("steel", (front, rear), (top, top + 0.06), ROOF_RAIL_G_CM2)
    scene.add("organic", (front, rear), (DECK_M - 0.028, DECK_M), PLYWOOD_G_CM2)
    scene.add("steel", (front, rear), (DECK_M - 0.16, DECK_M), BOTTOM_RAIL_G_CM2)
    for member_m in np.arange(front + 0.15, rear, 0.3):
        scene.add(
            "steel",
            (member_m, member_m + 0.045),
            (DECK_M - 0.15, DECK_M - 0.03),
            CROSS_MEMBER_G_CM2,
        )
    scene.add("steel", (front, rear), (0.75, DECK_M - 0.17), CHASSIS_G_CM2)
    for end_m, inward in ((front, 1.0), (rear, -1.0)):
        post = sorted((end_m, end_m + 0.15 * inward))
        sheet = sorted((end_m + 0.02 * inward, end_m + 0.06 * inward))
        scene.add("steel", (post[0], post[1]), (DECK_M - 0.16, top + 0.06), 14.0)
        scene.add("steel", (sheet[0], sheet[1]), (DECK_M, top), 70.0)  # end wall, edge-on


def _shield(scene: Scene, source: Source) -> None:
    """The beam crosses the lead pig's wall twice."""
    middle_m = (source.from_m + source.to_m) / 2
    half_m = SHIELD_SIDE_M / 2
    along = (middle_m - half_m, middle_m + half_m)
    height = (DECK_M + 0.3, DECK_M + 0.3 + SHIELD_SIDE_M)
    box = scene.box(along, height)
    # It takes the place of what would stand there.
    for name in ("organic", "aluminium"):
        if name in scene.layers:
            scene.layers[name][box] *= 1 - SHIELD_SIDE_M / BEAM_WIDTH_M
    scene.layer("lead")[box] += 2 * source.shield_lead_g_cm2


def _block(scene: Scene, vehicle: Vehicle, block: Cargo, random: Random) -> None:
    """One load: its pattern has a mean of 1 over the block, so that the density is right."""
    along = (max(block.from_m, vehicle.box_m[0] + 0.1), min(block.to_m, vehicle.box_m[1] - 0.1))
    top = min(block.top_m, INSIDE_HEIGHT_M - 0.02)
    rows, columns = scene.box(along, (DECK_M + max(block.bottom_m, 0.0), DECK_M + top))
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
