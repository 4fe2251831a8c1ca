"""Single display pictures as customs systems keep them, made from simulated scans of known truth.

A clear scan is drawn once; what a workstation, an archive and a clerk do to it follows: display
curve, resampling, crop, frame, ruler, burnt-in text, mirroring, inversion, colours, JPEG. Every
choice comes from the seed alone.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import calibrate
from fusion.scans.policy import XrayPolicy
from simulators.xray_cases import (
    REPORT_FAMILIES,
    SETTINGS,
    TUNING_FAMILIES,
    CaseOptions,
    XrayCase,
    case,
)

Random = np.random.Generator
Grey = NDArray[np.uint8]
Clear = NDArray[np.float32]

REPORT_SEED = 1_000_000
LIGHT_SHARE = 0.25  # of the loads: 50 to 500 kg in an otherwise empty box
FULL_SHARE = 0.25  # of the other loads: up to the roof
ROOF_RAIL_M = 0.06
UNDER_DECK_M = 0.16


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is in a picture, and what was done to it."""

    empty: bool
    load_kg: float
    length_ft: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of the box in pixels of the finished picture."""
    pitch_mm: float
    """Of its pixels, along and across."""
    whole: bool
    """The whole truck; else only its box."""
    inverted: bool
    curve: str
    quality: int
    """Of the JPEG."""
    colour: str
    frame: str
    text: int
    """Pieces of it."""
    fill: float
    """Share of the inside that was drawn as load."""
    columns: int
    """Of the picture, without its frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A scan before anybody has displayed it."""

    clear: Clear
    """(rows, columns) transmission, noise included."""
    pitch_mm: float
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels."""
    empty: bool
    load_kg: float
    length_ft: int
    fill: float


@lru_cache(maxsize=8)
def drawn(seed: int) -> Drawn:
    """One scan of a container with or without its truck, empty for every second seed."""
    random = np.random.default_rng([5, seed])
    settings = sorted(SETTINGS)
    load = "light" if random.random() < LIGHT_SHARE else "loaded"
    full = load == "loaded" and random.random() < FULL_SHARE
    options = CaseOptions(
        load="empty" if seed % 2 == 0 else load,
        families=REPORT_FAMILIES if seed >= REPORT_SEED else TUNING_FAMILIES,
        whole=bool(random.random() < 0.7),
        scanner=SETTINGS[settings[int(random.integers(len(settings)))]],
    )
    scan = case(seed, options)
    clear = _calibrated(scan)
    truth = scan.truth
    stretch = (1.0 + truth.speed_error) * 1000.0 / scan.pitch_mm[0]
    up = 1000.0 / scan.pitch_mm[1]
    rows, dark = clear.shape[0], truth.scanner.dark_columns
    box = (
        round(truth.front_column - dark + truth.boxes[0].from_m * stretch),
        round(rows - (truth.boxes[0].top_m + ROOF_RAIL_M) * up),
        round(truth.front_column - dark + truth.boxes[-1].to_m * stretch),
        round(rows - (truth.boxes[0].bottom_m - UNDER_DECK_M) * up),
    )
    clear = np.ascontiguousarray(clear[:, dark:])
    full = full and not truth.empty
    if full:
        _fill_up(clear, box, random)
    return Drawn(
        clear=clear,
        pitch_mm=1000.0 / stretch,
        box=box,
        empty=truth.empty,
        load_kg=truth.load_kg,
        length_ft=truth.container_ft * len(truth.boxes),
        fill=1.0 if full else truth.fill,
    )


def _fill_up(clear: Clear, box: tuple[int, int, int, int], random: Random) -> None:
    """Goods of one kind from wall to wall and up to the roof, over what else is in the box."""
    left, top, right, bottom = (max(place, 0) for place in box)
    height = bottom - top
    rows = slice(top + int(random.uniform(0.03, 0.12) * height), bottom - int(0.06 * height))
    columns = slice(
        left + int(random.uniform(0.05, 0.15) * height),
        right - int(random.uniform(0.05, 0.15) * height),
    )
    part = clear[rows, columns]
    if part.size == 0:
        return
    coarse = random.standard_normal((6, 24), np.float32)
    clouds = cv2.resize(coarse, part.shape[::-1], interpolation=cv2.INTER_LINEAR)
    depth = random.uniform(0.4, 4.0)
    part *= np.exp(-depth * (1.0 + random.uniform(0.0, 0.08) * clouds)).astype(np.float32)


def _calibrated(scan: XrayCase) -> Clear:
    """Transmission as a workstation has it: rows and lines that are not there are filled."""
    known = calibrate(scan.high, XrayPolicy())
    every = np.arange(scan.high.shape[1])
    clear = known.transmission(scan.high, slice(0, scan.high.shape[0]), every).astype(np.float32)
    for lines, alive in ((clear, known.gain > 0), (clear.T, known.pulse > 0)):
        there = np.nonzero(alive)[0]
        for line in np.nonzero(~alive)[0].tolist():
            if there.size:
                lines[line] = lines[there[int(np.argmin(np.abs(there - line)))]]
    return np.clip(clear, 0.0, 1.1)


def picture(seed: int) -> tuple[bytes, Truth]:
    """A finished picture as a JPEG file, and its truth."""
    done, truth = displayed(seed)
    options = [cv2.IMWRITE_JPEG_QUALITY, truth.quality]
    return cv2.imencode(".jpg", done, options)[1].tobytes(), truth


def displayed(seed: int) -> tuple[Grey, Truth]:
    """The picture before it is packed: grey, or blue, green and red."""
    scan = drawn(seed)
    random = np.random.default_rng([6, seed])
    whole = bool(random.random() < 0.5)
    clear, box = _cut(replace(scan, clear=_fanned(scan, random)), whole, random)
    width = round(float(np.exp(random.uniform(np.log(400), np.log(4_100 if whole else 2_400)))))
    clear, box, scale = _resampled(clear, box, width, random)
    curve = str(random.choice(["gamma", "gamma", "log", "window", "equalised"]))
    grey = _shown(clear, curve, random)
    if random.random() < 0.3:
        grey, box = grey[:, ::-1], (grey.shape[1] - box[2], box[1], grey.shape[1] - box[0], box[3])
    inverted = bool(random.random() < 0.15)
    grey = np.ascontiguousarray(255 - grey if inverted else grey)
    colour, done = _coloured(grey, random)
    text = int(random.integers(0, 4))
    for _ in range(text):
        _write(done, random)
    frame, done, box = _framed(done, box, random)
    return done, Truth(
        empty=scan.empty,
        load_kg=scan.load_kg,
        length_ft=scan.length_ft,
        box=box,
        pitch_mm=scan.pitch_mm / scale,
        whole=whole,
        inverted=inverted,
        curve=curve,
        quality=int(random.integers(40, 96)),
        colour=colour,
        frame=frame,
        text=text,
        fill=scan.fill,
        columns=grey.shape[1],
    )


Box = tuple[float, float, float, float]


def _fanned(scan: Drawn, random: Random) -> Clear:
    """With roof and floor seen aslant, as a source beside the vehicle sees them."""
    if random.random() < 0.5:
        return scan.clear
    clear = scan.clear.copy()
    left, top, right, bottom = (max(place, 0) for place in scan.box)
    height = bottom - top
    for first, sign in ((top, 1), (bottom - int(0.07 * height), -1)):
        lines = int(random.uniform(0.01, 0.1) * height)
        depth = random.uniform(0.05, 0.6)
        for i in range(lines):
            row = first + sign * i
            if 0 <= row < clear.shape[0]:
                clear[row, left:right] *= np.float32(np.exp(-depth * (1.0 - i / lines)))
    return clear


def _cut(scan: Drawn, whole: bool, random: Random) -> tuple[Clear, Box]:
    """The whole truck, or its box as a clerk's rectangle has it: some centimetres off."""
    if whole:
        rows = scan.clear.shape[0]
        bottom = rows - int(random.uniform(0.0, 0.15) * rows)
        return scan.clear[:bottom], scan.box
    left, top, right, bottom = scan.box
    by = random.uniform(-0.03, 0.06, 4) * (bottom - top)
    x0, y0 = max(int(left - by[0]), 0), max(int(top - by[1]), 0)
    part = scan.clear[y0 : int(bottom + by[2]), x0 : int(right + by[3])]
    return part, (left - x0, top - y0, right - x0, bottom - y0)


def askew(clear: Clear, random: Random) -> Clear:
    """Turned by up to a degree."""
    rows, columns = clear.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), random.uniform(-1.0, 1.0), 1.0)
    return np.asarray(
        cv2.warpAffine(clear, turn, (columns, rows), borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _resampled(clear: Clear, box: Box, width: int, random: Random) -> tuple[Clear, Box, float]:
    scale = width / clear.shape[1]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    clear = np.asarray(cv2.resize(clear, None, fx=scale, fy=scale, interpolation=way), np.float32)
    if random.random() < 0.3:
        clear = askew(clear, random)
    blur = float(random.choice([0.0, 0.0, 0.6, 1.2]))
    if blur:
        clear = np.asarray(cv2.GaussianBlur(clear, (0, 0), blur), np.float32)
    left, top, right, bottom = (scale * place for place in box)
    return clear, (left, top, right, bottom), scale


def _shown(clear: Clear, curve: str, random: Random) -> Grey:
    """Transmission to grey values; air is bright."""
    least = float(np.exp(-random.uniform(4.0, 9.0)))
    clear = np.clip(clear, least, None)
    if curve == "log":
        share = 1.0 + np.log(clear) / -np.log(least)
    elif curve == "window":
        low, high = random.uniform(0.0, 0.03), random.uniform(0.75, 1.05)
        share = ((clear - low) / (high - low)).clip(0.0, 1.0) ** (1 / random.uniform(1.0, 2.6))
    else:
        share = clear ** (1 / random.uniform(1.0, 2.6))
    share = share + _shading(share.shape, random)
    black, white = random.uniform(0, 25), random.uniform(215, 256)
    grey = np.clip(black + share * (white - black), 0, 255).astype(np.uint8)
    grey = np.clip(grey + random.normal(0.0, random.uniform(0.0, 3.0), grey.shape), 0, 255)
    if curve == "equalised":
        limit = random.uniform(1.5, 4.0)
        return np.asarray(cv2.createCLAHE(limit, (4, 4)).apply(grey.astype(np.uint8)), np.uint8)
    return np.asarray(grey, np.uint8)


def _shading(shape: tuple[int, ...], random: Random) -> Clear:
    """What a display picture is brighter at one side than at the other."""
    if random.random() < 0.5:
        return np.zeros((1, 1), np.float32)
    down, along = random.normal(0.0, 0.05, 2)
    rows, columns = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in shape)
    return np.asarray(down * rows[:, None] + along * columns[None, :], np.float32)


def _coloured(grey: Grey, random: Random) -> tuple[str, Grey]:
    """Grey, grey in three channels, or a workstation's colours."""
    way = str(random.choice(["grey", "grey", "grey", "three", "warm", "bone"]))
    if way == "grey":
        return way, grey
    three = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    if way == "bone":
        three = cv2.applyColorMap(grey, cv2.COLORMAP_BONE)
    if way == "warm":  # organic orange where little is taken, blue where much
        t = grey.astype(np.float32) / 255.0
        tint = np.stack([t**1.3, t, t**0.8], axis=2)
        three = np.asarray(np.round(255.0 * tint), np.uint8)
    return way, np.asarray(three, np.uint8)


def _write(done: Grey, random: Random) -> None:
    words = ["2023-04-17 08:12:55", "MSKU 907032 3", "SCAN 004711", "ALFANDEGA", "Gate 2 / HCV"]
    size = done.shape[1] / 1000.0 * random.uniform(0.4, 1.2)
    at = (int(random.uniform(0, 0.7) * done.shape[1]), int(random.uniform(0.05, 1) * done.shape[0]))
    ink = int(random.choice([0, 255]))
    colour = (ink, ink, ink) if random.random() < 0.7 else (0, 255, 255)
    thick = max(1, round(2 * size))
    cv2.putText(done, str(random.choice(words)), at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick)


def _framed(done: Grey, box: Box, random: Random) -> tuple[str, Grey, Box]:
    """Bands of one colour round about, or a ruler below."""
    frame = str(random.choice(["none", "none", "black", "white", "grey", "uneven", "ruler"]))
    if frame == "none":
        return frame, done, box
    most = max(4, done.shape[0] // 8)
    sides = [int(side) for side in random.integers(2, most, 4)]
    if frame == "uneven":
        sides = [side if random.random() < 0.5 else 0 for side in sides]
    level = {"black": 0, "white": 255, "ruler": 255}.get(frame, int(random.integers(60, 220)))
    if frame == "ruler":
        sides = [0, max(20, sides[1]), 0, 0]
    top, bottom, left, right = sides
    filled = cv2.copyMakeBorder(
        done, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(level, level, level)
    )
    if frame == "ruler":
        step = max(8, done.shape[1] // 60)
        first = done.shape[0]
        for i, x in enumerate(range(0, done.shape[1], step)):
            high = bottom // 2 if i % 5 == 0 else bottom // 4
            cv2.line(filled, (x, first), (x, first + high), (0, 0, 0), 1)
    moved = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
    return frame, np.asarray(filled, np.uint8), moved
