"""Containers from the side: corrugated walls, roof, floor, posts, castings, doors; reefers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.xray_scene import (
    ALUMINIUM_G_CM3,
    DECK_M,
    INSIDE_HEIGHT_M,
    STEEL_G_CM3,
    Random,
    Scene,
)

INSIDE_HEIGHT_HIGH_M = 2.69  # 9'6"
INSIDE_HEIGHT_REEFER_M = 2.55  # 9'6" with its insulation
ACROSS_M = 2.34  # inside
FLOOR_M = 0.16  # from the load floor to the underside of the bottom rails
ROOF_M = 0.06  # the top side rails

RIB_PERIOD_M = 0.278  # facts 4
RIB_DEPTH_M = 0.036  # facts 4
RIB_WEB_M = 0.068  # along the wall, each of two slanted webs; the rest is flat
FAN_DISTANCE_M = 12.0  # source to vehicle, for the slant of the upper rays
FAN_HEIGHT_M = 1.8  # of the source

ROOF_RAIL_G_CM2 = 9.0  # two 60 mm tubes of 3 mm
ROOF_SHEET_G_CM = 0.2 * 234.0 * STEEL_G_CM3  # 2 mm seen edge-on: its areal density times height
BOTTOM_RAIL_G_CM2 = 6.0
PLYWOOD_G_CM = 2.8 * 110.0  # 28 mm of deck seen edge-on
CROSS_MEMBER_G_CM2 = 60.0  # seen end-on, every 300 mm
POST_G_CM2 = 15.0  # two corner posts of 6 mm steel
CASTING_G_CM2 = 80.0  # two corner castings with 28 mm walls
END_WALL_G_CM2 = 75.0  # corrugated sheet edge-on
DOOR_G_CM2 = 45.0  # two leaves with their frames, edge-on
LOCKING_BARS_G_CM2 = 16.0  # four tubes one behind the other
FINE = 8  # parts of a pixel in which a wall's profile is sampled


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One container as it stands on its chassis."""

    front_m: float
    rear_m: float
    """Outer walls, behind the vehicle's front."""
    deck_m: float = DECK_M
    """Load floor above the road."""
    inside_m: float = INSIDE_HEIGHT_M
    """From the load floor to the roof's underside."""
    reefer: bool = False
    feet: int = 40
    wall_mm: tuple[float, float] = (1.8, 1.8)
    """Thickness of the near and the far wall; facts 4: 1.6 to 2.0."""
    roof_smear_m: float = 0.05
    """Height over which the roof is spread by the slant of the upper rays."""
    floor_smear_m: float = 0.015

    @property
    def roof_m(self) -> float:
        """Underside of the roof above the road."""
        return self.deck_m + self.inside_m

    @property
    def top_m(self) -> float:
        """Upper edge of the roof rails."""
        return self.roof_m + ROOF_M

    @property
    def from_m(self) -> float:
        """Where load can begin."""
        return self.front_m + (0.55 if self.reefer else 0.1)

    @property
    def to_m(self) -> float:
        """Where it must end."""
        return self.rear_m - (0.13 if self.reefer else 0.11)


def draw_box(scene: Scene, box: Box, random: Random) -> None:
    """The container without anything in it."""
    if box.reefer:
        _insulated(scene, box, random)
    else:
        _corrugated(scene, box, random)
        _stamped_roof(scene, box, random)
        _plywood(scene, box)
    whole = (box.front_m, box.rear_m)
    scene.add("steel", whole, (box.roof_m, box.top_m), ROOF_RAIL_G_CM2)
    scene.add("steel", whole, (box.deck_m - FLOOR_M, box.deck_m), BOTTOM_RAIL_G_CM2)
    _cross_members(scene, box, random)
    _ends(scene, box)


def _corrugated(scene: Scene, box: Box, random: Random) -> None:
    """Two trapezoidal walls, each with a phase of its own."""
    at = scene.window((box.front_m, box.rear_m), (box.deck_m, box.roof_m))
    slant = math.radians(float(random.uniform(-6.0, 6.0)))
    walls = np.zeros(at[1].stop - at[1].start)
    for thick_mm in box.wall_mm:
        profile = _profile(scene, at[1], float(random.random()), slant)
        walls += profile * thick_mm / 10.0 * STEEL_G_CM3
    elevation = (scene.heights_m(at[0]) - FAN_HEIGHT_M) / FAN_DISTANCE_M
    scene.paint("steel", at, (walls * np.sqrt(1.0 + elevation**2)).astype(np.float32))


def _profile(scene: Scene, columns: slice, phase: float, slant: float) -> NDArray[np.float64]:
    """(columns,) way through a wall of thickness 1, averaged over each pixel.

    Outer face, web, inner face, web: a web is met at its own angle to the beam, more or less
    the beam's azimuth.
    """
    count = (columns.stop - columns.start) * FINE
    along_m = (np.arange(count) / FINE + columns.start) * scene.pitch_m
    place_m = (along_m + phase * RIB_PERIOD_M) % RIB_PERIOD_M
    web = math.atan2(RIB_DEPTH_M, RIB_WEB_M)
    way = np.full(count, 1.0 / math.cos(slant))
    half_m = RIB_PERIOD_M / 2
    way[place_m < RIB_WEB_M] = 1.0 / math.cos(web + slant)
    way[(place_m >= half_m) & (place_m < half_m + RIB_WEB_M)] = 1.0 / math.cos(web - slant)
    return np.asarray(way.reshape(-1, FINE).mean(axis=1))


def _stamped_roof(scene: Scene, box: Box, random: Random) -> None:
    """A sheet seen nearly edge-on, with transverse stampings."""
    height_m = 0.02 + box.roof_smear_m
    at = scene.window((box.front_m, box.rear_m), (box.roof_m - height_m, box.roof_m))
    along = scene.alongs_m(at[1])
    stamped = 1.0 + 0.12 * np.sin(2 * math.pi * (along / 0.21 + random.random()))
    depth = np.clip((box.roof_m - scene.heights_m(at[0])) / scene.pitch_m + 0.5, 0.0, 1.0)
    depth *= np.clip(
        (scene.heights_m(at[0]) - box.roof_m + height_m) / scene.pitch_m + 0.5, 0.0, 1.0
    )
    scene.paint("steel", at, ROOF_SHEET_G_CM / (height_m * 100.0) * depth * stamped)


def _plywood(scene: Scene, box: Box) -> None:
    thick_m = 0.028 + box.floor_smear_m
    scene.add(
        "organic",
        (box.front_m + 0.05, box.rear_m - 0.05),
        (box.deck_m - 0.028, box.deck_m + box.floor_smear_m),
        PLYWOOD_G_CM / (thick_m * 100.0),
    )


def _cross_members(scene: Scene, box: Box, random: Random) -> None:
    first_m = box.front_m + 0.15 + float(random.uniform(-0.03, 0.03))
    for member_m in np.arange(first_m, box.rear_m - 0.05, 0.3):
        jitter_m = float(random.normal(0.0, 0.004))
        start_m = float(member_m) + jitter_m
        # A channel: its web is thin and its flanges are wide.
        for from_m, to_m, bottom_m, top_m in (
            (start_m, start_m + 0.012, 0.15, 0.03),
            (start_m, start_m + 0.045, 0.15, 0.135),
            (start_m, start_m + 0.045, 0.045, 0.03),
        ):
            scene.add(
                "steel",
                (from_m, to_m),
                (box.deck_m - bottom_m, box.deck_m - top_m),
                2.0 * CROSS_MEMBER_G_CM2,
            )


def _ends(scene: Scene, box: Box) -> None:
    """Corner posts, castings, the front wall, the doors and their locking bars."""
    bottom_m = box.deck_m - FLOOR_M
    for end_m, inward in ((box.front_m, 1.0), (box.rear_m, -1.0)):
        post = _span(end_m, end_m + 0.12 * inward)
        scene.add("steel", post, (bottom_m, box.top_m), POST_G_CM2)
        casting = _span(end_m, end_m + 0.178 * inward)
        for low_m, high_m in ((bottom_m, bottom_m + 0.118), (box.top_m - 0.118, box.top_m)):
            scene.add("steel", casting, (low_m, high_m), CASTING_G_CM2)
    inner = (box.deck_m, box.roof_m)
    scene.add("steel", (box.front_m + 0.015, box.front_m + 0.06), inner, END_WALL_G_CM2)
    scene.add("steel", (box.rear_m - 0.075, box.rear_m - 0.03), inner, DOOR_G_CM2)
    outer = (bottom_m + 0.03, box.top_m - 0.03)
    scene.add("steel", (box.rear_m - 0.03, box.rear_m + 0.005), outer, LOCKING_BARS_G_CM2)
    for height_m in (0.35, 0.9, 1.5, 2.1):  # keepers and handles of the locking bars
        place_m = box.deck_m + min(height_m, box.inside_m - 0.1)
        scene.add("steel", (box.rear_m - 0.04, box.rear_m + 0.02), (place_m, place_m + 0.06), 12.0)


def _insulated(scene: Scene, box: Box, random: Random) -> None:
    """A reefer: foam between thin skins, a floor of aluminium profiles, the machine in front."""
    inner_m = (box.deck_m, box.roof_m)
    # So thin, the aluminium skins are as good as their weight in three parts of organic matter and
    # one of steel, and the whole box stays in the table.
    skins = 2 * 0.08 * ALUMINIUM_G_CM3
    scene.add("steel", (box.front_m, box.rear_m), inner_m, 2 * 0.07 * STEEL_G_CM3 + skins / 4)
    scene.add("organic", (box.front_m, box.rear_m), inner_m, 2 * 6.5 * 0.045 + skins * 3 / 4)
    foam = (box.from_m - 0.1, box.rear_m - 0.05)
    scene.add("organic", foam, (box.roof_m - 0.1, box.roof_m), 0.045 * 234.0)
    skin = ROOF_SHEET_G_CM * 0.4 / ((0.01 + box.roof_smear_m) * 100.0)
    scene.add("steel", foam, (box.roof_m - 0.01 - box.roof_smear_m, box.roof_m), skin)
    scene.add("aluminium", foam, (box.deck_m - 0.02, box.deck_m), 60.0)
    scene.add("aluminium", foam, (box.deck_m, box.deck_m + 0.05), 16.0)
    scene.add("organic", foam, (box.deck_m - 0.1, box.deck_m - 0.02), 0.045 * 234.0)
    scene.add("organic", (box.from_m - 0.1, box.from_m), inner_m, 0.045 * 234.0)
    _machine(scene, box, random)


def _machine(scene: Scene, box: Box, random: Random) -> None:
    """Compressor, motors, coils and a control box in the reefer's front end."""
    from_m, to_m = box.front_m + 0.03, box.from_m - 0.1
    scene.add("steel", (from_m, to_m), (box.deck_m, box.roof_m), 4.0)
    scene.add(
        "aluminium", (from_m + 0.05, to_m - 0.05), (box.roof_m - 0.7, box.roof_m - 0.15), 18.0
    )
    scene.add("steel", (from_m + 0.08, to_m - 0.1), (box.roof_m - 0.6, box.roof_m - 0.3), 12.0)
    scene.disc("steel", (from_m + 0.2, box.deck_m + 0.35), 0.17, float(random.uniform(45, 70)))
    scene.disc("steel", (from_m + 0.22, box.roof_m - 0.95), 0.1, float(random.uniform(30, 50)))
    scene.add("steel", (from_m, to_m - 0.15), (box.deck_m + 0.75, box.deck_m + 1.1), 14.0)
    scene.add("aluminium", (from_m, to_m), (box.deck_m + 1.15, box.deck_m + 1.45), 10.0)


def _span(one_m: float, other_m: float) -> tuple[float, float]:
    return min(one_m, other_m), max(one_m, other_m)
