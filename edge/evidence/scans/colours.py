"""The colours of a scan: what it is made of is the hue, how much light comes through is how bright.

Organic orange, light metal green, steel blue, dense violet to black, air white (facts 2.2); what
is not told is grey. The lowest sixteen are the sheet's own, for letters and marks.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.evidence.canvas import PALETTE
from edge.evidence.png import Colour

VIOLET, YELLOW, DUSK, MIST = range(12, 16)
OWN: tuple[Colour, ...] = (
    *PALETTE,
    (214, 130, 255),  # hatching over what no light comes through
    (255, 235, 60),
    (24, 8, 34),
    (214, 220, 226),  # where nothing was measured
)
LEVELS = 48
"""Steps from black to air; the eye tells no more apart in one hue."""
UNTOLD, ORGANIC, LIGHT_METAL, STEEL, DENSE, OPAQUE = range(6)
HUES: tuple[Colour, ...] = (
    (128, 128, 128),
    (240, 140, 10),
    (30, 165, 60),
    (30, 95, 225),
    (120, 20, 140),
)
FULL_AT = 0.55
"""Of the way from black to white a hue is purest."""
NO_LIGHT = 8.0  # attenuation at which a pixel is black; 390 mm of steel at 6 MV
CURVE = 0.6
AIR_COUNTS = 58_000
"""What a clear pixel is scaled to before its level is looked up."""


def colour_of(group: int, level: int) -> int:
    """Where a group's level stands in the palette."""
    return len(OWN) + LEVELS * group + level


@cache
def palette() -> tuple[Colour, ...]:
    """All 256."""
    found = list(OWN)
    for hue in HUES:
        for level in range(LEVELS):
            found.append(_shade(hue, level / (LEVELS - 1)))
    return tuple(found)


def _shade(hue: Colour, light: float) -> Colour:
    """Black at 0, the hue at `FULL_AT`, white at 1."""
    if light <= FULL_AT:
        red, green, blue = (round(part * light / FULL_AT) for part in hue)
    else:
        share = (light - FULL_AT) / (1.0 - FULL_AT)
        red, green, blue = (round(part + (255 - part) * share) for part in hue)
    return red, green, blue


@cache
def levels_of_counts() -> NDArray[np.uint8]:
    """(65,536,) level of a corrected count, where `AIR_COUNTS` is air."""
    transmission = np.maximum(np.arange(65_536) / AIR_COUNTS, 1e-5)
    lost = np.clip(-np.log(transmission) / NO_LIGHT, 0.0, 1.0) ** CURVE
    # Rounded first, so that a last bit of another machine's logarithm changes nothing.
    return np.rint(np.round((1.0 - lost) * (LEVELS - 1), 6)).astype(np.uint8)


@cache
def levels_of_grey() -> NDArray[np.uint8]:
    """(256,) level of a grey value of a picture that was made to be looked at."""
    return (np.arange(256) * (LEVELS - 1) // 255).astype(np.uint8)
