"""Colours of a viewer give back the grey values that they were made from."""

import cv2
import numpy as np
import pytest

from drivers.wire.pseudo_colour import grey_of

SIZE = (120, 400)


def cloudy(seed=3):
    small = np.random.default_rng(seed).random((6, 20)).astype(np.float32)
    return cv2.resize(255.0 * small, SIZE[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def packed(picture, quality=80):
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    "name", ["JET", "TURBO", "RAINBOW", "HOT", "INFERNO", "VIRIDIS", "PARULA", "PLASMA"]
)
@pytest.mark.parametrize("quality", [95, 50])
def test_a_colour_map_is_looked_up_backwards(name, quality):
    grey = cloudy()
    coloured = packed(cv2.applyColorMap(grey, getattr(cv2, f"COLORMAP_{name}")), quality)
    away = np.abs(grey_of(coloured).astype(int) - grey)
    assert np.median(away) <= 6
    assert np.quantile(away, 0.95) <= 25


def test_a_material_view_gives_its_lightness():
    light = cloudy()
    hue = np.repeat(np.linspace(10, 115, SIZE[1])[None], SIZE[0], axis=0)
    strong = np.full(SIZE, 200.0)
    shown = cv2.cvtColor(np.dstack([hue, light, strong]).astype(np.uint8), cv2.COLOR_HLS2BGR)
    away = np.abs(grey_of(shown).astype(int) - light)
    assert np.quantile(away, 0.99) <= 3


def test_grey_and_tinted_pictures_keep_their_luma():
    grey = cloudy()
    assert np.array_equal(grey_of(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), grey)
    sepia = np.stack([grey * 0.7, grey * 0.85, grey], axis=2).astype(np.uint8)
    steps = np.corrcoef(grey_of(sepia).reshape(-1), grey.reshape(-1))[0, 1]
    assert steps > 0.999


def test_a_coloured_mark_on_a_grey_picture_is_filled_from_beside_it():
    grey = np.full(SIZE, 180, np.uint8)
    marked = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    cv2.rectangle(marked, (50, 30), (120, 80), (0, 0, 255), 2)
    assert np.abs(grey_of(marked).astype(int) - grey).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (64, 1, 3)])
def test_any_size_is_taken(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    assert grey_of(picture).shape == shape[:2]
