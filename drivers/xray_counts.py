"""Whatever numbers a picture holds as counts of 16 bits, or as a grey display picture.

What was assumed is told in a note, for the same file means another load with another scale:
`white-is-zero` (turned round), `three-channels` (alike, one taken), `signed` (32,768 added),
`scaled` (so that the greatest is 65,535), `transmission` (1 is 50,000), `float-counts` (as they
are), `full-scale` (as declared), `gaps` (numbers that are none, taken for no light).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.wire.pseudo_colour import grey_of

Grey = NDArray[Any]
"""(rows, columns) of 8 or 16 bits."""

MOST_COUNTS = 65_535
AIR_COUNTS = 50_000.0  # of transmission 1: room above it for the noise of clear air
MOST_TRANSMISSION = 1.2  # air with its noise
LEAST_COUNTS = 200.0  # greatest of a plane: below it there is no telling numbers from attenuation
SIGNED_SHIFT, SIGNED_FROM = 32_768, -1024  # less is noise about a dark that was taken off
MOST_GAPS = 0.01  # of all pixels


@dataclass(frozen=True, slots=True)
class Read:
    """One picture, and what was made of its numbers."""

    grey: Grey
    notes: tuple[str, ...] = ()


def as_display(picture: NDArray[Any]) -> Read:
    """An 8-bit picture; of 16 bits, which only a raw one may have, the upper ones are shown.

    picture  (rows, columns), or with channels as OpenCV orders them
    """
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 3 and picture.shape[2] < 3:
        picture = picture[:, :, 0]
    if picture.ndim == 3:
        picture = grey_of(np.asarray(picture[:, :, :3], np.uint8))
    return Read(np.ascontiguousarray(picture))


def as_counts(
    picture: NDArray[Any], *, white_is_zero: bool = False, full_scale: float | None = None
) -> Read | str:
    """A plane of 16 bits, or why the numbers cannot be one.

    picture     (rows, columns), or with channels; of more than 8 bits
    full_scale  of floating point and of more than 16 bits: what is 65,535 counts; None: found
    """
    notes: list[str] = []
    if picture.ndim == 3:
        if picture.shape[2] >= 3:
            first = picture[:, :, 0]
            if not all(np.array_equal(first, picture[:, :, n]) for n in (1, 2)):
                return "its colours differ, so they are no counts"
            notes.append("three-channels")
        picture = np.ascontiguousarray(picture[:, :, 0])
    if picture.dtype == np.int16:
        if shifted := int(picture.min()) < SIGNED_FROM:
            notes.append("signed")
        plane = picture.astype(np.int32) + (SIGNED_SHIFT if shifted else 0)
        picture = np.maximum(plane, 0).astype(np.uint16)
    elif picture.dtype != np.uint16:
        scaled = _scaled(picture, full_scale)
        if isinstance(scaled, str):
            return scaled
        notes += scaled.notes
        picture = scaled.grey
    if white_is_zero:
        notes.append("white-is-zero")
        most = (1 << int(picture.max()).bit_length()) - 1  # 4095 where 12 bits are used
        picture = np.uint16(most) - picture
    return Read(picture, tuple(notes))


def _scaled(picture: NDArray[Any], full_scale: float | None) -> Read | str:
    """Floating point, or whole numbers of 32 bits, as counts."""
    values = picture.astype(np.float32) if picture.dtype == np.float16 else picture
    notes: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    finite = np.isfinite(values)
    if not finite.all():
        if 1.0 - finite.mean() > MOST_GAPS:
            return "more than 1 % of its numbers are none"
        values, notes = np.where(finite, values, 0), ("gaps",)
    least, most = float(values.min()), float(values.max())
    if full_scale is not None:
        factor, note = MOST_COUNTS / full_scale, ("full-scale",)
    elif least < -0.1 * most or most <= 0.0:
        return f"numbers from {least:.4g} to {most:.4g}: no transmission and no counts"
    elif most <= MOST_TRANSMISSION and picture.dtype.kind == "f":
        factor, note = AIR_COUNTS, ("transmission",)
    elif most < LEAST_COUNTS and picture.dtype.kind == "f":
        return f"numbers up to {most:.4g}: attenuation, or on a scale of its own; --set full_scale="
    elif most <= MOST_COUNTS:
        factor, note = 1.0, ("float-counts",) if picture.dtype.kind == "f" else ()
    else:
        factor, note = MOST_COUNTS / most, ("scaled",)
    counts = np.multiply(values, factor, dtype=np.float64 if values.itemsize > 4 else np.float32)
    counts = np.clip(np.rint(counts, out=counts), 0, MOST_COUNTS, out=counts)
    return Read(counts.astype(np.uint16), (*notes, *note))
