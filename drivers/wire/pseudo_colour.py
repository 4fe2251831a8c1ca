"""Grey values of a display picture in colours: what a viewer's colour map or material view hid.

Three kinds of colours are told apart. Those of a map along which a viewer shows grey values (jet,
rainbow, fire) are looked up backwards: luma would fold them. Those of a material view, orange,
green and blue of two energies (facts 2.2), have the attenuation in their lightness. All else, grey
and tinted pictures, has it in its luma.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

MAPS = (
    cv2.COLORMAP_JET,
    cv2.COLORMAP_TURBO,
    cv2.COLORMAP_RAINBOW,
    cv2.COLORMAP_HSV,
    cv2.COLORMAP_PARULA,
    cv2.COLORMAP_VIRIDIS,
    cv2.COLORMAP_HOT,
    cv2.COLORMAP_INFERNO,
    cv2.COLORMAP_PLASMA,
    cv2.COLORMAP_MAGMA,
)
BITS = 5  # of each colour that are looked up: finer, JPEG leaves nothing
PROBES = 6_000  # pixels that are asked which colours these are
COLOURFUL = 24  # largest less least of a pixel's three
LEAST_COLOURFUL = 0.5  # of the pixels: a map colours all of a picture, air too
MOST_AWAY = 38.0  # mean levels from a map's curve; drawn material views begin at 42
LEAST_HUED = 0.03  # of the pixels: text and marks alone make no material view
INK, INK_PX = 60, 12  # how colourful a mark on a grey picture is; half of what it is filled from
OFF_CURVE = 110  # levels from a map's curve: white and black that were written over it
HUES_APART = 0.02  # a tint has one hue; less spread than so of hues is no material view


def grey_of(picture: Bytes) -> Bytes:
    """(rows, columns) of a picture of (rows, columns, 3) blue, green and red."""
    pixels = _probed(picture)
    table = _best_map(pixels)
    if table is not None:
        places = picture >> (8 - BITS)
        blue, green, red = (places[..., channel].astype(np.uint16) for channel in range(3))
        flat = (blue << (2 * BITS)) | (green << BITS) | red
        return np.asarray(table[flat], np.uint8)
    if _is_material_view(pixels):
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2HLS)[..., 1], np.uint8)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    share = float(np.count_nonzero(_colourful(pixels))) / max(len(pixels), 1)
    return _without_ink(grey, picture) if 0.0 < share < LEAST_COLOURFUL / 10 else grey


def _without_ink(grey: Bytes, picture: Bytes) -> Bytes:
    """A grey picture without the coloured marks that somebody has drawn on it."""
    high, low = picture.max(axis=2), picture.min(axis=2)
    ink = (cv2.subtract(high, low) > INK).astype(np.uint8)
    if not ink.any():
        return grey
    side = 2 * INK_PX + 1
    beside = cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 0
    wide = cv2.blur(np.where(beside, 0, grey).astype(np.float32), (side, side))
    share = cv2.blur((~beside).astype(np.float32), (side, side))
    filled = np.round(wide / np.maximum(share, 1e-3)).astype(np.uint8)
    return np.where(beside & (share > 0.05), filled, grey).astype(np.uint8)


def _probed(picture: Bytes) -> NDArray[np.int16]:
    """(pixels, 3) spread evenly over the picture."""
    flat = picture.reshape(-1, 3)
    step = max(flat.shape[0] // PROBES, 1) | 1
    return flat[::step].astype(np.int16)


def _colourful(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.asarray(pixels.max(axis=1) - pixels.min(axis=1) > COLOURFUL, np.bool_)


def _best_map(pixels: NDArray[np.int16]) -> Bytes | None:
    """Grey value for every colour by the map on whose curve the pixels lie, or None."""
    some = pixels[_colourful(pixels)]
    if len(some) < LEAST_COLOURFUL * len(pixels):
        return None
    weights = np.array([1 << 2 * BITS, 1 << BITS, 1])
    places = (some >> (8 - BITS)).astype(np.int64) @ weights
    away = [float(_backwards(number)[1][places].sum(dtype=np.int64)) for number in MAPS]
    best = int(np.argmin(away))
    return _backwards(MAPS[best])[0] if away[best] <= MOST_AWAY * len(some) else None


@lru_cache(maxsize=len(MAPS))
def _backwards(number: int) -> tuple[Bytes, Bytes]:
    """(grey value of the nearest colour of a map, how far that is) for every colour of few bits."""
    curve = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], number)[:, 0].astype(int)
    side = (np.arange(1 << BITS) << (8 - BITS)) + (1 << (7 - BITS))
    best = np.full((side.size,) * 3, 1 << 30, np.int64)
    grey = np.zeros(best.shape, np.uint8)
    for value, (blue, green, red) in enumerate(curve.tolist()):
        away = (
            np.square(side - blue)[:, None, None]
            + np.square(side - green)[None, :, None]
            + np.square(side - red)[None, None, :]
        )
        nearer = away < best
        best[nearer] = away[nearer]
        grey[nearer] = value
    far = np.minimum(np.sqrt(best), 255.0).astype(np.uint8)
    luma = 0.114 * side[:, None, None] + 0.587 * side[None, :, None] + 0.299 * side[None, None, :]
    grey = np.where(far > OFF_CURVE, luma.astype(np.uint8), grey)
    return grey.reshape(-1), far.reshape(-1)


def _is_material_view(pixels: NDArray[np.int16]) -> bool:
    """Whether colours of more than one hue stand in a picture that is light where it is grey."""
    some = pixels[_colourful(pixels)]
    if len(some) < LEAST_HUED * len(pixels):
        return False
    warm = np.count_nonzero(some[:, 2] > some[:, 0] + COLOURFUL // 2) / len(some)
    cold = np.count_nonzero(some[:, 0] > some[:, 2] + COLOURFUL // 2) / len(some)
    green = np.count_nonzero((some[:, 1] >= some[:, 0]) & (some[:, 1] >= some[:, 2])) / len(some)
    hues = sorted((warm, cold, green))
    return bool(hues[1] > HUES_APART)
