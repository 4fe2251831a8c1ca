"""What is hidden in vehicles: where it is put, and how it gets into the scan.

Each thing is drawn on a canvas of its own and inserted into the finished scene by multiplication
of the calibrated transmission, before gain, pulses, quanta and clipping (facts 4).
"""

from dataclasses import dataclass

import numpy as np

from simulators.xray_box import ACROSS_M
from simulators.xray_scene import Flags, Insertion, Random, Scene, Span
from simulators.xray_things import THINGS, Extent, Surroundings, Thing, Wanted
from simulators.xray_truck import ENGINE_HEIGHT_M, ENGINE_M

__all__ = ["Extent", "Hidden", "Surroundings", "Wanted", "hide", "put"]

TRIES = 12  # places that are tried for a thing within a load
MARGIN_M = 0.02  # of a thing's canvas around it


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """One thing, drawn."""

    kind: str
    material: str
    mass_kg: float
    place: str
    extent: Extent
    insertion: Insertion


def hide(kind: str, around: Surroundings, wanted: Wanted, random: Random) -> Hidden:
    """Put one thing of that kind into the scene."""
    place = wanted.place or _usual_place(kind, around, random)
    if kind == "compartment" and place not in ("wall", "floor"):
        place = _usual_place(kind, around, random)  # it is built into the box, not into its load
    thing = THINGS[kind](around, wanted, place, random)
    from_m, bottom_m = _spot(thing, place, around, random)
    return put(kind, thing, place, (from_m, bottom_m), around, strength=wanted.strength)


def put(
    kind: str,
    thing: Thing,
    place: str,
    corner_m: Span,
    around: Surroundings,
    *,
    strength: float = 1.0,
) -> Hidden:
    """Draw the thing with its lower left corner there, and insert it."""
    scene = around.scene
    from_m, bottom_m = corner_m
    extent = Extent(from_m, from_m + thing.length_m, bottom_m, bottom_m + thing.height_m)
    at = scene.window(
        (extent.from_m - MARGIN_M, extent.to_m + MARGIN_M),
        (extent.bottom_m - MARGIN_M, extent.top_m + MARGIN_M),
    )
    canvas = scene.crop(at)
    thing.paint(canvas, from_m, bottom_m)
    drawn_kg = canvas.mass_kg()
    scale = thing.mass_kg / drawn_kg if thing.mass_kg and drawn_kg > 0 else 1.0
    layers = {
        name: (layer * np.float32(scale)).astype(np.float32)
        for name, layer in canvas.layers.items()
        if layer.any()
    }
    there = np.asarray(sum(layers.values(), np.zeros((1, 1), np.float32)) > 0.0)
    extent = _drawn(canvas, there) if there.any() else extent
    for name, load in around.load.items():
        # It takes the place of the load that would be there.
        gone = load[at] * there * np.float32(min(thing.depth_m / ACROSS_M, 1.0))
        if gone.any():
            layers[name] = layers.get(name, np.zeros_like(gone)) - gone
    insertion = Insertion(at, layers, strength)
    scene.insertions.append(insertion)
    return Hidden(
        kind=kind,
        material=thing.material,
        mass_kg=drawn_kg * scale,
        place=place,
        extent=extent,
        insertion=insertion,
    )


def _drawn(canvas: Scene, there: Flags) -> Extent:
    """Where on its canvas a thing is."""
    rows, columns = np.nonzero(there.any(axis=1))[0], np.nonzero(there.any(axis=0))[0]
    alongs = canvas.alongs_m(slice(columns[0], columns[-1] + 1))[0]
    heights = canvas.heights_m(slice(rows[0], rows[-1] + 1))[:, 0]
    half_m = canvas.pitch_m / 2
    return Extent(
        float(alongs[0]) - half_m,
        float(alongs[-1]) + half_m,
        float(heights[-1]) - half_m,
        float(heights[0]) + half_m,
    )


def _usual_place(kind: str, around: Surroundings, random: Random) -> str:
    if kind in ("small", "bricks"):
        places = ["floor", "wall", "roof"]
        if kind == "bricks":
            places += ["cargo"] if around.load else []
            places += ["engine"] if around.engine else []
            places += ["reefer"] if around.box.reefer else []
        return str(random.choice(places))
    if kind == "compartment":
        return str(random.choice(["wall", "floor"]))
    return "cargo" if around.load else "floor"


def _spot(thing: Thing, place: str, around: Surroundings, random: Random) -> Span:
    """(from, bottom) in metres of the thing at such a place."""
    box = around.box
    first, last = box.from_m + 0.05, max(box.to_m - thing.length_m - 0.05, box.from_m + 0.05)
    from_m = float(random.uniform(first, last))
    share = float(random.random())
    if place == "wall" and thing.depth_m > 1.0:  # a false wall, from floor to roof
        return box.from_m, box.deck_m
    if place == "engine":
        last = max(ENGINE_M[1] + 0.5 - thing.length_m, ENGINE_M[0])
        from_m = ENGINE_M[0] + share * (last - ENGINE_M[0])
    elif place == "reefer":
        from_m = box.front_m + 0.05
    elif place == "cargo":
        # Within the load, its own height of it around where there is so much.
        return _within_load(thing, around, random)
    high = max(box.roof_m - 0.35 - thing.height_m, box.deck_m + 0.25)
    bottom_m = {
        "floor": box.deck_m,
        "roof": box.roof_m - thing.height_m - 0.01,
        "wall": box.deck_m + 0.25 + share * (high - box.deck_m - 0.25),
        "engine": ENGINE_HEIGHT_M[0] + 0.5 * float(random.random()),
        "reefer": box.deck_m + 0.2 + share * (box.inside_m - 0.8),
    }[place]
    return from_m, bottom_m


def _within_load(thing: Thing, around: Surroundings, random: Random) -> Span:
    """Of some places, the one that most of the load is around."""
    load = around.load_m
    total = sum(around.load.values(), np.zeros((1, 1), np.float32))
    room_m = (
        max(load.to_m - load.from_m - thing.length_m, 0.0),
        max(load.top_m - load.bottom_m - thing.height_m, 0.0),
    )
    best, most = (load.from_m, load.bottom_m), -1.0
    for u, v in random.random((TRIES, 2)).tolist():
        spot = (load.from_m + u * room_m[0], load.bottom_m + v * room_m[1])
        at = around.scene.box(
            (spot[0] - 0.25, spot[0] + thing.length_m + 0.25),
            (spot[1], spot[1] + thing.height_m + 0.2),
        )
        part = total[at] if total.size > 1 else total
        share = float(np.count_nonzero(part)) / max(part.size, 1)
        if share > most + 0.05:
            best, most = spot, share
    return best
