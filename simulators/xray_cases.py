"""Scans with known truth: what thresholds are fitted on and figures are made of.

One seed and one set of options are one scan, bit by bit. The vehicle, its load, what is hidden in
it and the scanner draw from streams of their own: the same seed with another load has the same
box, and with another scanner the same vehicle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulators.xray_debris import litter
from simulators.xray_families import FAMILIES, REPORT_FAMILIES, TUNING_FAMILIES, stow
from simulators.xray_measures import LEAST_G_CM2, difference, load_extent, measured
from simulators.xray_rigs import any_rig
from simulators.xray_scanner import (
    SETTINGS,
    USUAL,
    Counts,
    Exposure,
    Scanner,
    expose,
    healthy,
)
from simulators.xray_scene import Flags, Floats, Random, Scene
from simulators.xray_threats import Extent, Hidden, Surroundings, Wanted, hide
from simulators.xray_truck import Rig, draw_rig

__all__ = [
    "FAMILIES",
    "LOADS",
    "REPORT_FAMILIES",
    "SETTINGS",
    "THREATS",
    "TUNING_FAMILIES",
    "USUAL",
    "CaseOptions",
    "CaseTruth",
    "Extent",
    "Scanner",
    "Threat",
    "XrayCase",
    "case",
]

LOADS = ("empty", "small", "light", "loaded")
THREATS = (
    "steel-box",
    "tube",
    "bricks",
    "lead-pig",
    "compartment",
    "block",
    "car",
)
STREAM = 20_62  # apart from every other simulator's streams
MIXED_SHARE = 0.15  # of the boxes carry two kinds of load
ROAD_G_CM2 = 120.0  # the road's surface, seen edge-on


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOptions:
    """What is asked for. Whatever is left open comes from the seed."""

    load: str = "loaded"
    """`"empty"` (with the straps and the dirt of real empties), `"small"` (1 L or 1.5 kg in an
    otherwise empty box), `"light"` (50 to 500 kg in one), `"loaded"`."""
    families: tuple[str, ...] = TUNING_FAMILIES
    """Which families a load may come from, see `simulators.xray_families.FAMILIES`."""
    clutter: str = ""
    """`"low"`, `"medium"` or `"high"`: only families that are built to be so; what came of it is
    measured, in the truth."""
    threat: str = ""
    """One of `THREATS`, or `"any"`."""
    material: str = ""
    """Of the threat or of the small load: `"organic"`, `"aluminium"`, `"steel"` or `"lead"`."""
    mass_kg: float = 0.0
    """Of the threat or of the small or light load; 0: from the seed."""
    place: str = ""
    """Of the threat: `"cargo"`, `"wall"`, `"floor"`, `"roof"`, `"engine"` of a whole vehicle,
    `"reefer"` (its motor: the box is a reefer then); of a small load `"wall"`, `"floor"` or
    `"roof"`."""
    strength: float = 1.0
    """s of the insertion I' = I * T^s."""
    box: str = ""
    """`"20"`, `"40"`, `"40hc"`, `"45hc"`, `"20+20"`, `"reefer"`."""
    whole: bool = True
    """False: the container alone, as a port's yard scanner shows it, without tractor or wheels."""
    scanner: Scanner = USUAL
    scan: int = 0
    """Which scan of this very vehicle and load: another one has other pulses and other noise."""
    varied: bool = True
    """Each scan finds the scanner in another ordinary state; False: exactly as `scanner` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """Something inserted, or the whole of a small or light load."""

    kind: str
    """One of `THREATS`, or `"small"` or `"light"`."""
    material: str
    mass_kg: float
    place: str
    extent: Extent
    strength: float
    behind: float
    """Mean attenuation of what stands in front of and behind it, in the high plane."""
    adds: float
    """Mean attenuation that it adds there."""
    mask: Flags = field(repr=False, compare=False)
    """(rows, columns) of the planes: where it takes more than a hundredth of the light."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTruth:
    """What is really there."""

    seed: int
    empty: bool
    """Nothing loaded; what lies about in an empty box is no load."""
    load_kg: float
    """Of everything in the box that is not the box, threats included, dirt excepted."""
    debris_kg: float
    """Of straps, brooms, dunnage and dirt in an empty box."""
    families: tuple[str, ...]
    chapters: tuple[str, ...]
    """HS chapters of the families, in their order: what honest papers say."""
    clutter: str
    """`"low"`, `"medium"` or `"high"` as measured from the load; `""` without one."""
    contrast: float
    """What that was measured by: the 80th percentile over the load, from its floor to its top, of
    how much the mean attenuation of 0.4 m squares differs from that of their surroundings."""
    fill: float
    """Share of the box's inside, seen from the side, that the load takes."""
    threats: tuple[Threat, ...]
    length_m: float
    """Of the vehicle."""
    container_ft: int
    """20, 40 or 45; of two boxes each has 20."""
    boxes: tuple[Extent, ...]
    """Outer front and rear wall, load floor, and the roof's underside."""
    reefer: bool
    lost_columns: tuple[int, ...]
    dead_rows: tuple[int, ...]
    hot_rows: tuple[int, ...]
    speed_error: float
    """Length of the vehicle in the picture over its true one, less 1."""
    front_column: int
    """Where the picture shows the vehicle's front."""
    road_m: float
    """From the picture's lower edge up to the road, 0 in most: heights begin there."""
    scanner: Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayCase:
    """One scan with its truth."""

    high: Counts
    """(rows, columns) raw counts; column 0 is the first line, before the beam is on."""
    low: Counts
    pitch_mm: tuple[float, float]
    """(along, across), nominal, as a sidecar has it."""
    energies_mev: tuple[float, float]
    """End energies of the high and the low plane."""
    truth: CaseTruth


def case(seed: int, options: CaseOptions = CaseOptions()) -> XrayCase:
    """The scan of that seed. The same on any number of threads.

    ValueError: no such load, or no family with that clutter among those allowed.
    """
    if options.load not in LOADS:
        raise ValueError(f"{options.load!r} is none of the loads {LOADS}")
    vehicle_random, load_random, threat_random, scanner_random = (
        np.random.default_rng([STREAM, seed, *part])
        for part in ((0,), (1,), (2,), (3, options.scan) if options.scan else (3,))
    )
    scanner = healthy(options.scanner, scanner_random) if options.varied else options.scanner
    asked = options.box or ("reefer" if options.place == "reefer" else "")
    rig = any_rig(asked, vehicle_random, whole=options.whole)
    scene = _canvas(rig, scanner, vehicle_random)
    draw_rig(scene, rig, vehicle_random)
    bare = {name: layer.copy() for name, layer in scene.layers.items()}
    loaded = _load(scene, rig, options, load_random)
    load = difference(scene.layers, bare)
    inside = _hidden(scene, rig, options, load if loaded.kg else {}, threat_random)
    exposure = expose(scene, scanner, scanner_random)
    truth = CaseTruth(
        seed=seed,
        empty=options.load == "empty" and not inside,
        load_kg=loaded.kg + sum(one.mass_kg for one in inside),
        debris_kg=loaded.debris_kg,
        families=loaded.families,
        chapters=tuple(FAMILIES[name].chapter for name in loaded.families),
        **measured(scene, rig, load if loaded.kg else {}),
        threats=tuple(_threat(one, scene, exposure) for one in inside),
        length_m=rig.length_m,
        container_ft=rig.boxes[0].feet,
        boxes=tuple(Extent(b.front_m, b.rear_m, b.deck_m, b.roof_m) for b in rig.boxes),
        reefer=rig.boxes[0].reefer,
        lost_columns=exposure.lost_columns,
        dead_rows=exposure.dead_rows,
        hot_rows=exposure.hot_rows,
        speed_error=exposure.speed_error,
        front_column=exposure.column_of(scene.front_column),
        road_m=scene.below_rows * scene.pitch_m,
        scanner=scanner,
    )
    return XrayCase(
        high=exposure.high,
        low=exposure.low,
        pitch_mm=(scanner.pitch_x_mm, scanner.pitch_y_mm),
        energies_mev=scanner.energies_mev,
        truth=truth,
    )


class _Loaded(NamedTuple):
    kg: float
    debris_kg: float
    families: tuple[str, ...]


def _canvas(rig: Rig, scanner: Scanner, random: Random) -> Scene:
    """An empty scene that the vehicle fits into, with clear air all around it."""
    pitch_m = min(scanner.pitch_x_mm, scanner.pitch_y_mm) / 1000.0
    air = round(scanner.air_m / pitch_m)
    over_m = float(random.uniform(0.2, 0.45))
    rows = (
        round(scanner.rows * scanner.pitch_y_mm / 1000.0 / pitch_m)
        if scanner.rows
        else round((rig.top_m + over_m) / pitch_m)
    )
    below = round(scanner.road_m / pitch_m)
    scene = Scene(rows + below, 2 * air + round(rig.length_m / pitch_m), pitch_m, air, below)
    if below:
        scene.layer("steel")[rows : rows + max(below // 2, 1)] += ROAD_G_CM2
    return scene


def _load(scene: Scene, rig: Rig, options: CaseOptions, random: Random) -> _Loaded:
    if options.load != "loaded":
        dirty = sum(litter(scene, box, random) for box in rig.boxes)
        return _Loaded(0.0, dirty, ())
    names = [
        name
        for name in options.families
        if not options.clutter or FAMILIES[name].clutter == options.clutter
    ]
    if not names:
        raise ValueError(f"no family of {options.clutter!r} clutter among {options.families}")
    loaded_kg, used = 0.0, []
    for box in rig.boxes:
        parts = 2 if random.random() < MIXED_SHARE and box.feet > 20 else 1
        room_m = (box.to_m - box.from_m) / parts
        for part in range(parts):
            name = str(random.choice(names))
            family = FAMILIES[name]
            fills_m = room_m * float(random.uniform(*family.fill))
            slack_m = room_m - fills_m
            # Loads stand against the front wall, or a little off it.
            from_m = box.from_m + part * room_m + slack_m * float(random.uniform(0.0, 0.3))
            loaded_kg += stow(scene, box, family, (from_m, from_m + fills_m), random)
            used.append(name)
    return _Loaded(loaded_kg, 0.0, tuple(dict.fromkeys(used)))


def _hidden(
    scene: Scene, rig: Rig, options: CaseOptions, load: Mapping[str, Floats], random: Random
) -> list[Hidden]:
    """What is inserted: the threat, or the whole of a small or a light load."""
    kinds = [options.load] if options.load in ("small", "light") else []
    if options.threat == "any":
        kinds.append(str(random.choice(THREATS)))
    elif options.threat:
        kinds.append(options.threat)
    wanted = Wanted(
        material=options.material,
        mass_kg=options.mass_kg,
        place=options.place,
        strength=options.strength,
    )
    placed = []
    for kind in kinds:
        box = rig.boxes[int(random.integers(len(rig.boxes)))]
        around = Surroundings(
            scene=scene,
            box=box,
            load_m=load_extent(scene, box, load),
            load=load,
            engine=rig.cab_m > 0,
        )
        placed.append(hide(kind, around, wanted, random))
    return placed


def _threat(one: Hidden, scene: Scene, exposure: Exposure) -> Threat:
    mask = np.zeros((scene.rows, scene.columns), np.bool_)
    areal = sum(one.insertion.layers.values(), np.zeros(1, np.float32))
    there = np.abs(areal) > LEAST_G_CM2
    mask[one.insertion.at] = there
    before, after = one.insertion.seen(scene.layers, exposure.end_mev)
    return Threat(
        kind=one.kind,
        material=one.material,
        mass_kg=one.mass_kg,
        place=one.place,
        extent=one.extent,
        strength=one.insertion.strength,
        behind=float(before[there].mean()) if there.any() else 0.0,
        adds=float((after - before)[there].mean()) if there.any() else 0.0,
        mask=exposure.seen(mask),
    )
