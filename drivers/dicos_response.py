"""How a DICOS picture's values go with the radiation, and counts made of them.

DICOM PS3.3 section C.8.11.3.1.2: Pixel Intensity Relationship and its Sign say it of the stored
values; Photometric Interpretation only says how they are shown, and counts where there is no Sign.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.dicos_header import Header, number

FULL = 65_535
MOST_OFFSET = 0.5  # of the scale; DICOM wants none at all for these pictures


@dataclass(frozen=True, slots=True)
class Response:
    """Of all values of one picture."""

    stored_bits: int
    falls: bool
    """High values stand for little radiation."""
    logarithmic: bool
    offset: float
    """What the rescaling adds to a stored value that rises, in stored values."""


def response_of(read: Header, stored_bits: int, relation: str, photometric: str) -> Response | None:
    """What the header says; None: a rescaling that is none of intensities."""
    sign = read.whole("PixelIntensityRelationshipSign", -1 if photometric == "MONOCHROME1" else 1)
    falls = sign < 0
    slope, intercept = (
        default if (value := read.get(name)) is None else number(value)
        for name, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if not slope or intercept is None:
        return None
    full = (1 << min(max(stored_bits, 1), 16)) - 1
    offset = 0.0
    if (slope > 0.0) != falls:  # else it makes densities of them, which begin anywhere
        offset = (intercept + (slope * full if falls else 0.0)) / abs(slope)
    if abs(offset) > MOST_OFFSET * full:
        return None
    return Response(stored_bits, falls, relation == "LOG", offset)


def counts_of(
    plane: NDArray[np.generic], response: Response, log_span: float | None = None
) -> NDArray[np.uint16]:
    """Stored values on the scale of 16 bits, high for much radiation.

    plane     (rows, columns) of 8 or 16 bits
    log_span  of a logarithmic picture: the natural logarithm of its greatest value's radiation
              over that of its least one's
    """
    counts: NDArray[np.uint16] = plane.astype(np.uint16, copy=False)
    bits = response.stored_bits
    if response.logarithmic or response.offset:
        mask = np.uint16((1 << bits) - 1)
        return np.take(_table(response, log_span), counts & mask)
    if bits < 16:  # what lies above the stored bits is overlays, not picture
        counts = (counts & np.uint16((1 << bits) - 1)) << np.uint16(16 - bits)
    return np.uint16(FULL) - counts if response.falls else counts


@functools.lru_cache(8)
def _table(response: Response, log_span: float | None) -> NDArray[np.uint16]:
    """(1 << stored bits,) counts of each stored value. ValueError: a span is needed."""
    full = (1 << response.stored_bits) - 1
    if response.logarithmic and log_span is None:
        raise ValueError("what the logarithms span is not known")
    made = np.empty(full + 1, np.uint16)
    for stored in range(full + 1):
        value = float(full - stored if response.falls else stored)
        if response.logarithmic:
            assert log_span is not None
            share = math.exp((value / full - 1.0) * log_span)
        else:
            share = (value + response.offset) / (full + response.offset)
        made[stored] = round(FULL * min(max(share, 0.0), 1.0))
    return made
