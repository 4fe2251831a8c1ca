"""Spectra as a picture: one colour each, logarithmic counts, energies on a square-root scale.

On that scale the peaks of a scintillator are about equally wide.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

WIDTH, HEIGHT = 1100, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 50
DECADES = 4.0
COLOURS = (  # blue, green, red as OpenCV has them; told apart by the colour-blind (Okabe & Ito)
    (0, 0, 0),
    (0, 159, 230),
    (233, 180, 86),
    (115, 158, 0),
    (178, 114, 0),
    (0, 94, 213),
    (167, 121, 204),
)
GREY, LIGHT = (120, 120, 120), (225, 225, 225)
TICKS_KEV = (30, 60, 100, 200, 300, 500, 700, 1000, 1500, 2000, 2600)
FONT, SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One spectrum."""

    title: str
    shape: Vector
    """(bins,) counts per bin."""


def plot(
    edges_kev: Vector, curves: Sequence[Curve], *, title: str, marks_kev: Iterable[float] = ()
) -> bytes:
    """A PNG of the curves, each to its own share of counts per keV; marks are dashed lines."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
    heights = [np.asarray(one.shape) / np.diff(edges_kev) for one in curves]
    top = max(float(one.max()) for one in heights)
    roots = np.sqrt(edges_kev)

    def across(kev: float) -> int:
        part = (np.sqrt(kev) - roots[0]) / (roots[-1] - roots[0])
        return round(LEFT + float(part) * (WIDTH - LEFT - RIGHT))

    for tick in (kev for kev in TICKS_KEV if edges_kev[0] <= kev <= edges_kev[-1]):
        cv2.line(picture, (across(tick), TOP), (across(tick), HEIGHT - BOTTOM), LIGHT, 1)
        _text(picture, f"{tick:g}", (across(tick) - 12, HEIGHT - BOTTOM + 18), GREY)
    for mark in (kev for kev in marks_kev if edges_kev[0] <= kev <= edges_kev[-1]):
        for y in range(TOP, HEIGHT - BOTTOM, 12):
            cv2.line(picture, (across(mark), y), (across(mark), y + 5), GREY, 1)
    middle = [across(float(kev)) for kev in 0.5 * (edges_kev[1:] + edges_kev[:-1])]
    coloured = zip(curves, heights, itertools.cycle(COLOURS), strict=False)
    for row, (curve, height, colour) in enumerate(coloured):
        decades = np.log10(np.maximum(height / top, 10.0**-DECADES)) / DECADES
        down = np.rint(TOP - decades * (HEIGHT - TOP - BOTTOM)).astype(np.int32)
        points = np.column_stack([np.array(middle, dtype=np.int32), down])
        cv2.polylines(picture, [points[:, None, :]], False, colour, 1, cv2.LINE_AA)
        _text(picture, curve.title, (WIDTH - 230, TOP + 16 + 16 * row), colour)
    cv2.rectangle(picture, (LEFT, TOP), (WIDTH - RIGHT, HEIGHT - BOTTOM), GREY, 1)
    _text(picture, title, (LEFT, 30), (0, 0, 0), 0.6)
    _text(picture, "keV", (WIDTH - 60, HEIGHT - 10), GREY)
    _text(picture, f"counts per keV, {DECADES:g} decades", (LEFT, HEIGHT - 10), GREY)
    done, encoded = cv2.imencode(".png", picture)
    if not done:
        raise RuntimeError("OpenCV could not write a PNG")
    return bytes(encoded)


def _text(
    picture: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    colour: tuple[int, int, int],
    scale: float = SCALE,
) -> None:
    cv2.putText(picture, text, at, FONT, scale, colour, 1, cv2.LINE_AA)
