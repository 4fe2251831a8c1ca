"""What is true of a drawn load: where it is, how full the box is, how uneven it is."""

from collections.abc import Mapping
from typing import TypedDict

import cv2
import numpy as np

from simulators.xray_box import Box
from simulators.xray_scene import Floats, Scene
from simulators.xray_things import Extent
from simulators.xray_truck import Rig

LEAST_G_CM2 = 0.2  # less is no load: a hundredth of the light
CM2_G = 0.045  # facts 2.2, around 50 g/cm2
LOW_CONTRAST, HIGH_CONTRAST = 0.25, 0.8  # what a block of 1 cm and of 3 cm of steel adds


def difference(after: Mapping[str, Floats], before: Mapping[str, Floats]) -> dict[str, Floats]:
    """What has come onto the maps since."""
    return {
        name: layer - before[name] if name in before else layer.copy()
        for name, layer in after.items()
    }


def load_extent(scene: Scene, box: Box, load: Mapping[str, Floats]) -> Extent:
    """Where the load is, in the box; the whole inside without one."""
    inside = Extent(box.from_m, box.to_m, box.deck_m, box.roof_m)
    at = scene.box((box.from_m, box.to_m), (box.deck_m, box.roof_m))
    total = sum((layer[at] for layer in load.values()), np.zeros(1, np.float32))
    if not load or not (total > LEAST_G_CM2).any():
        return inside
    there = total > LEAST_G_CM2
    rows, columns = np.nonzero(there.mean(axis=1) > 0.2)[0], np.nonzero(there.any(axis=0))[0]
    top_m = box.deck_m + 0.3
    if rows.size:
        top_m = float(scene.heights_m(at[0])[rows[0], 0])
    along = scene.alongs_m(at[1])[0]
    return Extent(float(along[columns[0]]), float(along[columns[-1]]), box.deck_m, top_m)


class Measures(TypedDict):
    """As `CaseTruth` has them."""

    clutter: str
    contrast: float
    fill: float


def measured(scene: Scene, rig: Rig, load: Mapping[str, Floats]) -> Measures:
    """How full and how uneven the load is, from its maps."""
    total = sum(load.values(), np.zeros((1, 1), np.float32))
    if not load:
        return Measures(clutter="", contrast=0.0, fill=0.0)
    taken, room, contrasts = 0.0, 0.0, []
    for box in rig.boxes:
        at = scene.box((box.from_m, box.to_m), (box.deck_m, box.roof_m))
        areal = total[at]
        taken += float(np.count_nonzero(areal > LEAST_G_CM2))
        room += areal.size
        contrasts.append(_contrasts(areal, scene.pitch_m))
    every = np.concatenate(contrasts)
    contrast = float(np.quantile(every, 0.8)) if every.size else 0.0
    level = "low" if contrast < LOW_CONTRAST else "medium" if contrast < HIGH_CONTRAST else "high"
    return Measures(clutter=level, contrast=contrast, fill=taken / max(room, 1.0))


def _contrasts(areal: Floats, pitch_m: float) -> Floats:
    """How much the attenuation of 0.4 m squares differs from what is within 1.2 m of them."""
    attenuation = areal * np.float32(CM2_G)
    # From the floor up to the load's top: gaps within it are clutter as well.
    there = (np.maximum.accumulate(areal, axis=0) > LEAST_G_CM2).astype(np.float32)
    inner, outer = (2 * round(side_m / pitch_m / 2) + 1 for side_m in (0.4, 1.2))

    def box_sum(picture: Floats, side: int) -> Floats:
        return np.asarray(
            cv2.boxFilter(picture, -1, (side, side), normalize=True, borderType=cv2.BORDER_CONSTANT)
        )

    shares = [box_sum(there, side) for side in (inner, outer)]
    means = [
        box_sum(attenuation * there, side) / np.maximum(share, np.float32(1e-3))
        for side, share in zip((inner, outer), shares, strict=True)
    ]
    # Only where the load surrounds the place: its edge is no clutter.
    within = (shares[0] > 0.95) & (shares[1] > 0.5)
    return np.asarray(np.abs(means[0] - means[1])[within][::7])
