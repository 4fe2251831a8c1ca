"""Cargo pictures as hard as archives may hold them: every look of `xray_pictures_looks`, mixed.

Each scan is shown in several ways. Everything comes from the seed and the way alone; what was done
is told by name, so that a figure can be given for each.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from edge.study.xray_pictures import Box, Drawn, askew, drawn
from edge.study.xray_pictures_looks import (
    COLOURS,
    CURVES,
    FRAMES,
    SHARPENED,
    Clear,
    Random,
    Shown,
    coloured,
    framed,
    sharpened,
    shown,
    striped,
    written,
)

WAYS = 4
"""Pictures of one scan."""
CUTS = ("whole", "whole", "box", "box", "part", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class HardTruth:
    """What is in a picture, and what was done to it."""

    empty: bool
    load_kg: float
    length_ft: int
    """0 where not all of the box is in the picture, or there are two."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom in pixels of the finished picture."""
    fill: float
    done: tuple[str, ...]
    """Names of what was done."""
    quality: int
    """Of the JPEG."""
    columns: int


def hard_picture(seed: int, way: int) -> tuple[bytes, HardTruth]:
    """A finished picture as a JPEG file, and its truth."""
    done, truth = hard_shown(seed, way)
    options = [cv2.IMWRITE_JPEG_QUALITY, truth.quality]
    return cv2.imencode(".jpg", done, options)[1].tobytes(), truth


def hard_shown(seed: int, way: int) -> tuple[Shown, HardTruth]:
    """The picture before it is packed."""
    scan = drawn(seed)
    random = np.random.default_rng([8, seed, way])
    names: list[str] = []
    clear, boxes, cut = _seen(scan, seed, random)
    names.append(cut)
    if random.random() < 0.15 and scan.empty:
        clear = _with_dunnage(clear, boxes[0], random)
        names.append("dunnage")
    if random.random() < 0.15:
        clear = striped(clear, random)
        names.append("stripes")
    clear, boxes, more = _resampled(clear, boxes, random)
    names += more
    curve = str(random.choice(CURVES))
    grey = shown(clear, curve, random)
    way_of = str(random.choice(SHARPENED))
    grey = sharpened(grey, way_of, random)
    names += [curve, *([way_of] if way_of else [])]
    if random.random() < 0.3:
        grey, clear = grey[:, ::-1].copy(), clear[:, ::-1]
        boxes = [(grey.shape[1] - b[2], b[1], grey.shape[1] - b[0], b[3]) for b in boxes]
    colour = str(random.choice(COLOURS))
    if random.random() < 0.15 and colour != "dual":
        grey = np.asarray(255 - grey, np.uint8)
        names.append("inverted")
    done = coloured(grey, clear, colour, random)
    names.append(colour)
    texts = int(random.integers(0, 4))
    done = np.ascontiguousarray(done)
    for _ in range(texts):
        done = written(done, random)
    names += ["text"] if texts else []
    frame = str(random.choice(FRAMES))
    done, left, top = framed(done, frame, random)
    names += [f"frame {frame}"] if frame != "none" else []
    quality = int(random.integers(30, 96))
    names += ["JPEG below 50"] if quality < 50 else []
    names += ["less than 700 columns"] if grey.shape[1] < 700 else []
    return done, HardTruth(
        empty=scan.empty,
        load_kg=scan.load_kg,
        length_ft=scan.length_ft if cut not in {"end", "two"} else 0,
        boxes=tuple((b[0] + left, b[1] + top, b[2] + left, b[3] + top) for b in boxes),
        fill=scan.fill,
        done=tuple(names),
        quality=quality,
        columns=grey.shape[1],
    )


def _seen(scan: Drawn, seed: int, random: Random) -> tuple[Clear, list[Box], str]:
    """What of the scan the picture shows."""
    cut = str(random.choice(CUTS))
    rows = scan.clear.shape[0]
    left, top, right, bottom = scan.box
    height = bottom - top
    if random.random() < 0.05 and seed >= 2:
        other = drawn(seed - 2)
        if other.empty == scan.empty:
            return (*_two(scan, other, random), "two")
    if cut == "end" and not scan.empty and scan.fill < 0.3:
        cut = "part"  # what is cut off could be all of the load
    if cut == "whole":
        low = rows - int(random.uniform(0.0, 0.15) * rows)
        return scan.clear[:low], [scan.box], cut
    by = random.uniform(-0.02, 0.06, 4) * height
    if cut == "part":
        by = random.uniform(0.0, 0.6, 4) * height
    x0, x1 = max(int(left - by[0]), 0), min(int(right + by[1]), scan.clear.shape[1])
    y0, y1 = max(int(top - by[2]), 0), min(int(bottom + by[3]), rows)
    if cut == "end":
        gone = int(random.uniform(0.05, 0.2) * (right - left))
        if random.random() < 0.5:
            x0 = left + gone
        else:
            x1 = right - gone
    box = (max(left - x0, 0), top - y0, min(right, x1) - x0, bottom - y0)
    return scan.clear[y0:y1, x0:x1], [box], cut


def _two(one: Drawn, other: Drawn, random: Random) -> tuple[Clear, list[Box]]:
    """Two vehicles one behind the other, on one road."""
    scale = other.pitch_mm / one.pitch_mm
    second = np.asarray(
        cv2.resize(other.clear, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32
    )
    rows = max(one.clear.shape[0], second.shape[0])
    parts, boxes, along = [], [], 0
    for clear, box, by in ((one.clear, one.box, 1.0), (second, other.box, scale)):
        up = rows - clear.shape[0]
        parts.append(np.pad(clear, ((up, 0), (0, 0)), constant_values=np.float32(1.0)))
        boxes.append((along + by * box[0], up + by * box[1], along + by * box[2], up + by * box[3]))
        along += clear.shape[1]
    return np.concatenate(parts, axis=1), boxes


def _with_dunnage(clear: Clear, box: Box, random: Random) -> Clear:
    """Planks and a broken pallet on an empty box's floor."""
    clear = clear.copy()
    left, top, right, bottom = (int(place) for place in box)
    height = bottom - top
    floor = bottom - int(0.07 * height)
    for _ in range(int(random.integers(1, 4))):
        wide = int(random.uniform(0.1, 0.5) * height)
        high = max(int(random.uniform(0.01, 0.05) * height), 1)
        x = int(random.uniform(left + 0.2 * height, max(right - 0.7 * height, left + 1)))
        part = clear[max(floor - high, 0) : max(floor, 0), max(x, 0) : max(x + wide, 0)]
        part *= np.float32(np.exp(-random.uniform(0.05, 0.4)))
    return clear


def _resampled(
    clear: Clear, boxes: list[Box], random: Random
) -> tuple[Clear, list[Box], list[str]]:
    """At another width, other pixels, a little askew."""
    names = []
    width = float(np.exp(random.uniform(np.log(400), np.log(4_100))))
    along = width / clear.shape[1]
    across = along
    if random.random() < 0.25:
        across *= float(np.exp(random.uniform(-np.log(2.0), np.log(2.0))))
        names.append("aspect")
    way = cv2.INTER_AREA if along < 1 else cv2.INTER_CUBIC
    clear = np.asarray(cv2.resize(clear, None, fx=along, fy=across, interpolation=way), np.float32)
    if random.random() < 0.3:
        clear = askew(clear, random)
        names.append("askew")
    return clear, [(b[0] * along, b[1] * across, b[2] * along, b[3] * across) for b in boxes], names
