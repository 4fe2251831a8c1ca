"""What real empties are not free of: straps, a broom, battens, sweepings."""

import math

import numpy as np

from simulators.xray_box import Box
from simulators.xray_patterns import Area, clouds
from simulators.xray_scene import Random, Scene


def litter(scene: Scene, box: Box, random: Random) -> float:
    """Draw what lies about; returns its mass in kg."""
    before_kg = scene.mass_kg()
    strap, dirt, broom, batten = random.random(4)
    if strap < 0.4:
        for _ in range(int(random.integers(1, 4))):
            _strap(scene, box, random)
    if dirt < 0.6:
        _dirt(scene, box, random)
    if broom < 0.06:
        _broom(scene, box, random)
    if batten < 0.1:
        _batten(scene, box, random)
    return scene.mass_kg() - before_kg


def _strap(scene: Scene, box: Box, random: Random) -> None:
    """Webbing of 50 mm hanging down a wall, its ratchet at the end."""
    at_m = float(random.uniform(box.from_m + 0.2, box.to_m - 0.2))
    top_m = box.deck_m + float(random.uniform(0.8, box.inside_m - 0.2))
    scene.add("organic", (at_m, at_m + 0.05), (box.deck_m, top_m), 0.35)
    scene.add("steel", (at_m - 0.01, at_m + 0.06), (box.deck_m, box.deck_m + 0.1), 3.0)


def _dirt(scene: Scene, box: Box, random: Random) -> None:
    """Sweepings: a film on the floor, a centimetre or two high, thicker here and there."""
    at = scene.window((box.from_m, box.to_m), (box.deck_m, box.deck_m + 0.02))
    area = Area(at[0].stop - at[0].start, at[1].stop - at[1].start, scene.pitch_m)
    if area.height < 1 or area.length < 2:
        return
    film = clouds(Area(2, area.length, area.pitch_m), 0.5, 1.0, random)[0] - 1.0
    film = np.clip(film - 0.4, 0, 2) * float(random.uniform(0.2, 1.0))
    scene.paint("organic", at, np.broadcast_to(film, (area.height, area.length)))


def _broom(scene: Scene, box: Box, random: Random) -> None:
    """Left leaning at the front wall."""
    lean = math.radians(float(random.uniform(8, 25)))
    foot_m = box.from_m + 0.1 + 1.3 * math.sin(lean)
    head = (box.from_m + 0.1, box.deck_m + 1.3 * math.cos(lean))
    scene.polygon(
        "organic",
        [
            (foot_m, box.deck_m + 0.05),
            (foot_m + 0.025, box.deck_m + 0.05),
            (head[0] + 0.025, head[1]),
            head,
        ],
        1.6,
    )
    scene.add("organic", (foot_m - 0.03, foot_m + 0.05), (box.deck_m, box.deck_m + 0.1), 5.0)


def _batten(scene: Scene, box: Box, random: Random) -> None:
    """A length of wood on the floor, along the box."""
    from_m = float(random.uniform(box.from_m, box.to_m - 1.5))
    scene.add(
        "organic",
        (from_m, from_m + float(random.uniform(0.4, 1.2))),
        (box.deck_m, box.deck_m + 0.05),
        3.0,
    )
