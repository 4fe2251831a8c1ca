"""Tractor, chassis and wheels from the side, under and in front of the boxes they carry."""

from dataclasses import dataclass

from simulators.xray_box import FLOOR_M, Box, draw_box
from simulators.xray_scene import STEEL_G_CM3, Random, Scene

CHASSIS_G_CM2 = 16.0  # two main beams with 10 mm webs
ENGINE_M = (0.55, 1.75)
ENGINE_HEIGHT_M = (0.7, 1.45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One vehicle that carries containers."""

    length_m: float
    boxes: tuple[Box, ...]
    cab_m: float = 2.5
    """Length of the cab; the boxes begin behind it. 0: no tractor and no wheels, boxes alone."""
    cab_top_m: float = 3.1
    trailer_axles: int = 3

    @property
    def top_m(self) -> float:
        """The highest point above the road."""
        return max(self.cab_top_m if self.cab_m else 0.0, *(box.top_m for box in self.boxes))


def draw_rig(scene: Scene, rig: Rig, random: Random) -> None:
    """The whole vehicle, its boxes empty."""
    if rig.cab_m:
        _cab(scene, rig, random)
        _running_gear(scene, rig, random)
    for box in rig.boxes:
        draw_box(scene, box, random)


def _cab(scene: Scene, rig: Rig, random: Random) -> None:
    end_m, top_m = rig.cab_m, rig.cab_top_m
    skin = 2 * 0.12 * STEEL_G_CM3
    rake_m = float(random.uniform(0.1, 0.35))
    outline = [(0.05, 0.55), (0.0, 1.6), (rake_m, top_m - 0.35), (rake_m + 0.35, top_m)]
    outline += [(end_m, top_m - 0.05), (end_m, 0.9), (end_m - 0.6, 0.6)]
    scene.polygon("steel", outline, skin)
    # The side windows are glass: less than the doors.
    window = [(rake_m + 0.15, 1.75), (rake_m + 0.3, 2.45), (1.25, 2.45), (1.25, 1.75)]
    scene.polygon("steel", window, -0.6 * skin)
    scene.polygon("organic", window, 2.5)
    scene.add("steel", (1.3, 1.42), (0.9, top_m - 0.2), 6.0)  # door pillars
    scene.add("steel", (end_m - 0.05, end_m), (0.9, top_m - 0.05), 30.0)  # rear wall, edge-on
    scene.add("steel", (rake_m + 0.3, end_m), (top_m - 0.08, top_m - 0.03), 22.0)  # roof
    scene.add("steel", (0.2, end_m), (0.9, 1.0), 24.0)  # floor
    dashboard = [(0.15, 1.45), (0.2, 1.75), (0.65, 1.7), (0.6, 1.3)]
    scene.polygon("organic", dashboard, 14.0)
    scene.polygon("steel", [(0.55, 1.95), (0.6, 1.95), (0.9, 1.45), (0.85, 1.45)], 6.0)  # wheel
    driver_m = 1.05 + float(random.uniform(-0.08, 0.08))
    _driver(scene, driver_m)
    if end_m > 2.2:
        scene.add("organic", (1.6, end_m - 0.08), (1.25, 1.45), 5.0)  # the bunk
        scene.add("organic", (1.65, end_m - 0.1), (top_m - 0.5, top_m - 0.35), 4.0)
    _engine(scene, random)
    scene.add("steel", (0.02, 0.16), (0.35, 0.75), 14.0)  # bumper
    scene.disc("organic", (0.12, 0.85), 0.09, 3.0)  # lamps


def _driver(scene: Scene, at_m: float) -> None:
    scene.polygon(
        "organic",
        [(at_m, 1.25), (at_m + 0.05, 1.95), (at_m + 0.28, 1.95), (at_m + 0.35, 1.25)],
        28.0,
    )
    scene.disc("organic", (at_m + 0.15, 2.12), 0.12, 15.0)
    scene.add("organic", (at_m - 0.4, at_m + 0.1), (1.25, 1.42), 18.0)  # thighs
    scene.polygon(
        "organic",
        [
            (at_m - 0.1, 1.05),
            (at_m - 0.1, 1.22),
            (at_m + 0.5, 1.22),
            (at_m + 0.62, 2.1),
            (at_m + 0.5, 2.1),
            (at_m + 0.38, 1.05),
        ],
        6.0,
    )  # seat


def _engine(scene: Scene, random: Random) -> None:
    """Six cylinders, a gearbox, the radiator."""
    from_m, to_m = ENGINE_M
    low_m, high_m = ENGINE_HEIGHT_M
    scene.add("steel", (from_m, to_m), (low_m + 0.1, high_m - 0.15), float(random.uniform(45, 60)))
    scene.add("steel", (from_m + 0.05, to_m - 0.05), (high_m - 0.15, high_m), 24.0)
    scene.add("steel", (from_m + 0.1, to_m - 0.1), (low_m - 0.1, low_m + 0.1), 18.0)  # sump
    for i in range(6):
        middle_m = from_m + 0.13 + i * (to_m - from_m - 0.2) / 6 + 0.02
        scene.add("steel", (middle_m, middle_m + 0.1), (high_m - 0.5, high_m - 0.12), -16.0)
    scene.disc("steel", (to_m - 0.1, low_m + 0.35), 0.26, 22.0)  # flywheel housing
    scene.polygon(
        "steel", [(to_m, 0.72), (to_m, 1.15), (to_m + 0.75, 1.0), (to_m + 0.75, 0.78)], 34.0
    )
    scene.add("aluminium", (0.3, 0.42), (0.65, 1.5), 12.0)  # radiator


def _running_gear(scene: Scene, rig: Rig, random: Random) -> None:
    box_from_m, box_to_m = rig.boxes[0].front_m, rig.boxes[-1].rear_m
    under_m = min(box.deck_m for box in rig.boxes) - FLOOR_M
    frame = (under_m - 0.29, under_m - 0.03)
    scene.add("steel", (0.3, box_from_m + 1.9), (0.75, 0.98), CHASSIS_G_CM2)
    # A skeletal trailer: a low neck over the tractor, deeper beams behind it.
    scene.add("steel", (box_from_m, rig.length_m), frame, CHASSIS_G_CM2)
    for web in frame:
        scene.add("steel", (box_from_m, rig.length_m), (web - 0.012, web + 0.012), 16.0)
    for bolster_m in (box_from_m + 0.1, (box_from_m + box_to_m) / 2, box_to_m - 0.15):
        scene.add("steel", (bolster_m - 0.06, bolster_m + 0.06), frame, 40.0)
    scene.add("steel", (box_from_m + 0.4, box_from_m + 1.2), (under_m - 0.2, under_m - 0.08), 18.0)
    _tanks(scene, rig, random)
    axles = [1.35, box_from_m + 0.25, box_from_m + 1.55]
    axles += [box_to_m - 1.0 - 1.31 * i for i in range(rig.trailer_axles)]
    for axle_m in axles:
        _wheel(scene, axle_m + float(random.normal(0.0, 0.01)), random)
    leg_m = box_from_m + 2.7
    scene.add("steel", (leg_m, leg_m + 0.16), (0.35, under_m - 0.1), 15.0)
    scene.add("steel", (leg_m - 0.08, leg_m + 0.24), (0.3, 0.35), 8.0)
    scene.add("steel", (rig.length_m - 0.1, rig.length_m), (0.45, 0.62), 14.0)  # underrun guard
    scene.add("steel", (rig.length_m - 0.06, rig.length_m), (0.62, frame[1]), 6.0)


def _tanks(scene: Scene, rig: Rig, random: Random) -> None:
    """Fuel, air and batteries between the axles of the tractor."""
    from_m = 1.95
    to_m = max(rig.boxes[0].front_m - 0.4, from_m + 0.8)
    scene.add("aluminium", (from_m, to_m), (0.45, 1.0), 2.5)
    level_m = 0.45 + 0.55 * float(random.uniform(0.1, 0.95))
    scene.add("organic", (from_m, to_m), (0.46, level_m), 45.0)
    scene.disc("steel", (to_m + 0.1, 0.6), 0.11, 4.0)
    scene.add("lead", (from_m - 0.02, from_m + 0.3), (1.02, 1.22), 6.0)  # batteries


def _wheel(scene: Scene, axle_m: float, random: Random) -> None:
    """Tyres and rims of both sides, twin ones on most axles."""
    radius_m = 0.5 + float(random.normal(0.0, 0.004))
    middle = (axle_m, radius_m)
    scene.disc("organic", middle, radius_m, 16.0, 0.29)
    scene.disc("organic", middle, radius_m, 14.0, radius_m - 0.05)  # the tread is thicker
    scene.disc("steel", middle, 0.3, 10.0)
    scene.disc("steel", middle, 0.3, 9.0, 0.27)
    scene.disc("steel", middle, 0.14, 40.0)  # hub and brake drum
    scene.add("steel", (axle_m - 0.07, axle_m + 0.07), (radius_m - 0.07, radius_m + 0.07), 60.0)
