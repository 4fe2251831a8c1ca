"""What workstations, archives and clerks do to a cargo picture, each with its name.

Every function takes what is drawn so far and a random generator and changes one thing only, so
that what breaks an analysis can be told by name.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Random = np.random.Generator
Grey = NDArray[np.uint8]
Shown = NDArray[np.uint8]
"""(rows, columns), or (rows, columns, 3) of blue, green and red."""
Clear = NDArray[np.float32]

CURVES = ("gamma", "log", "window", "equalised", "CLAHE", "hard window")
SHARPENED = ("", "", "", "unsharp", "edges", "blur")
COLOURS = ("grey", "grey", "grey", "grey", "three", "jet", "rainbow", "hot", "tint", "dual", "dual")
FRAMES = ("none", "none", "none", "plain", "coloured", "uneven", "viewer", "ruler", "two bands")
MAPS = {
    "jet": (cv2.COLORMAP_JET, cv2.COLORMAP_TURBO),
    "rainbow": (cv2.COLORMAP_RAINBOW, cv2.COLORMAP_PARULA, cv2.COLORMAP_VIRIDIS),
    "hot": (cv2.COLORMAP_HOT, cv2.COLORMAP_INFERNO, cv2.COLORMAP_PLASMA),
}
WORDS = (
    "2023-04-17 08:12:55",
    "MSKU 907032 3",
    "SCAN 004711",
    "ALFANDEGA",
    "Gate 2 / HCV",
    "6MV 512x2048 ZOOM 1:1",
    "Operator: 07",
)


def shown(clear: Clear, curve: str, random: Random) -> Grey:
    """Transmission to grey values, air bright."""
    least = float(np.exp(-random.uniform(3.5, 9.0)))
    clear = np.clip(clear, least, 1.1)
    gamma = 1.0 / random.uniform(0.6, 2.8)
    if curve == "log":
        share = 1.0 + np.log(clear) / -np.log(least)
    elif curve in {"window", "hard window"}:
        hard = curve == "hard window"
        low = random.uniform(0.0, 0.12 if hard else 0.03)
        high = random.uniform(0.5 if hard else 0.75, 1.02)
        share = ((clear - low) / (high - low)).clip(0.0, 1.0) ** gamma
    else:
        share = clear**gamma
    black, white = random.uniform(0, 40), random.uniform(200, 256)
    grey = np.clip(black + share * (white - black), 0, 255)
    grey = np.clip(grey + random.normal(0.0, random.uniform(0.0, 4.0), grey.shape), 0, 255)
    done = np.asarray(grey, np.uint8)
    if curve == "equalised":
        even = np.asarray(cv2.equalizeHist(done), np.float32)
        part = random.uniform(0.3, 1.0)
        return np.asarray(part * even + (1.0 - part) * done, np.uint8)
    if curve == "CLAHE":
        tiles = int(random.integers(2, 9))
        limit = random.uniform(1.5, 5.0)
        return np.asarray(cv2.createCLAHE(limit, (tiles, tiles)).apply(done), np.uint8)
    return done


def sharpened(grey: Grey, way: str, random: Random) -> Grey:
    """An operator's filter."""
    if way == "blur":
        return np.asarray(cv2.GaussianBlur(grey, (0, 0), random.uniform(0.6, 2.0)), np.uint8)
    if not way:
        return grey
    spread = random.uniform(1.0, 4.0) if way == "unsharp" else random.uniform(1.5, 8.0)
    much = random.uniform(0.5, 1.5) if way == "unsharp" else random.uniform(1.5, 3.0)
    soft = cv2.GaussianBlur(grey, (0, 0), spread)
    return np.asarray(cv2.addWeighted(grey, 1.0 + much, soft, -much, 0.0), np.uint8)


def striped(clear: Clear, random: Random) -> Clear:
    """Rows of weak detectors, lines of missed pulses, a drift of the source."""
    clear = clear.copy()
    rows, columns = clear.shape
    for _ in range(int(random.integers(1, 5))):
        clear[int(random.integers(rows))] *= np.float32(random.choice([0.0, 0.7, 0.9, 1.1]))
    for _ in range(int(random.integers(0, 4))):
        clear[:, int(random.integers(columns))] *= np.float32(random.choice([0.0, 0.6, 0.9, 1.1]))
    bands = np.repeat(random.normal(1.0, 0.02, rows // 16 + 1), 16)[:rows]
    return np.asarray(clear * bands[:, None], np.float32)


def coloured(grey: Grey, clear: Clear, way: str, random: Random) -> Shown:
    """Grey, grey in three channels, or the colours of a viewer."""
    if way == "grey":
        return grey
    if way in MAPS:
        maps = MAPS[way]
        return np.asarray(cv2.applyColorMap(grey, maps[int(random.integers(len(maps)))]), np.uint8)
    three = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    if way == "tint":  # sepia, green or blue phosphor
        share = grey.astype(np.float32)[..., None] / 255.0
        powers = random.permutation([random.uniform(1.0, 1.6), 1.0, random.uniform(0.6, 1.0)])
        return np.asarray(255.0 * share ** powers.astype(np.float32), np.uint8)
    return _dual(grey, clear, random) if way == "dual" else np.asarray(three, np.uint8)


def _dual(grey: Grey, clear: Clear, random: Random) -> Shown:
    """Organic orange, mixed green, steel blue (facts 2.2); lightness is the grey value.

    One energy only is drawn: goods are given a kind by place, what takes much is steel.
    """
    rows, columns = grey.shape
    depth = -np.log(np.clip(clear, 1e-4, 1.0))
    field = cv2.resize(random.standard_normal((5, 14), np.float32), (columns, rows))
    kind = random.uniform(0.6, 1.4) + 0.8 * field  # 0 organic, 1 mixed, 2 steel
    kind = np.where(depth < random.uniform(0.15, 0.5), random.uniform(1.0, 2.0), kind)
    kind = np.where(depth > random.uniform(3.0, 6.0), 2.0, kind)
    even = cv2.GaussianBlur(kind.astype(np.float32), (0, 0), 2.0)
    hue = np.interp(even, [0.0, 1.0, 2.0], [15.0, 60.0, 110.0])
    light = grey.astype(np.float32)
    strong = np.clip(depth / random.uniform(0.1, 0.6), 0.0, 1.0) * random.uniform(120, 255)
    hls = np.dstack([hue, light, np.clip(strong, 0, 255)]).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hls, cv2.COLOR_HLS2BGR), np.uint8)


def written(done: Shown, random: Random) -> Shown:
    """One piece of text, a scale, a logo or a mark burnt in."""
    rows, columns = done.shape[:2]
    what = str(random.choice(["text", "text", "text", "scale", "logo", "mark"]))
    ink = int(random.choice([0, 255]))
    colour = (ink, ink, ink) if random.random() < 0.7 else (0, int(random.choice([0, 255])), 255)
    at = (int(random.uniform(0, 0.7) * columns), int(random.uniform(0.05, 1) * rows))
    size = columns / 1000.0 * random.uniform(0.3, 1.2)
    thick = max(1, round(2 * size))
    if what == "text":
        font = int(random.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX]))
        cv2.putText(done, str(random.choice(WORDS)), at, font, size, colour, thick)
    elif what == "scale":
        y = int(random.uniform(0.02, 0.98) * rows)
        step = max(6, columns // int(random.integers(20, 90)))
        cv2.line(done, (0, y), (columns - 1, y), colour, 1)
        for i, x in enumerate(range(0, columns, step)):
            high = max(rows // 30, 3) * (2 if i % 5 == 0 else 1)
            cv2.line(done, (x, y), (x, y - high), colour, 1)
    elif what == "logo":
        r = max(rows // int(random.integers(10, 25)), 5)
        x = int(random.choice([2 * r, columns - 3 * r]))
        cv2.circle(done, (x, 2 * r), r, colour, -1)
        cv2.putText(done, "XR", (x + r, 3 * r), cv2.FONT_HERSHEY_DUPLEX, r / 20, colour, 2)
    else:
        far = (at[0] + int(0.1 * columns), at[1] - int(random.uniform(0.05, 0.3) * rows))
        cv2.rectangle(done, at, far, (0, 0, 255), max(1, columns // 700))
    return done


def framed(done: Shown, way: str, random: Random) -> tuple[Shown, int, int]:
    """(picture, columns before it, rows above it) with what a viewer or a clerk leaves about it."""
    if way == "none":
        return done, 0, 0
    rows, columns = done.shape[:2]
    top, bottom, left, right = (int(side) for side in random.integers(2, max(4, rows // 6), 4))
    level = int(random.choice([0, 255, int(random.integers(30, 230))]))
    value = (level, level, level)
    if way == "coloured":
        blue, green, red = (int(one) for one in random.integers(0, 256, 3))
        value = (blue, green, red)
        done = _three(done)
    elif way == "uneven":
        top, bottom, left, right = (
            side if random.random() < 0.5 else 0 for side in (top, bottom, left, right)
        )
    elif way == "ruler":
        top, left, right, value = 0, 0, 0, (255, 255, 255)
    elif way == "two bands":
        done = _bordered(done, (3, 3, 3, 3), (255 - level, 255 - level, 255 - level))
        wide, left0, top0 = _bordered(done, (top, bottom, left, right), value), left + 3, top + 3
        return wide, left0, top0
    elif way == "viewer":
        return _viewer(done, random)
    wide = _bordered(done, (top, bottom, left, right), value)
    if way == "ruler":
        for i, x in enumerate(range(0, columns, max(8, columns // 60))):
            high = bottom // 2 if i % 5 == 0 else bottom // 4
            cv2.line(wide, (x, rows), (x, rows + high), (0, 0, 0), 1)
    return wide, left, top


def _viewer(done: Shown, random: Random) -> tuple[Shown, int, int]:
    """A window's title, its tools and its status line about the picture."""
    rows = done.shape[0]
    bar = max(rows // int(random.integers(12, 25)), 10)
    left = int(random.choice([0, bar]))
    level = int(random.choice([60, 212, 240]))
    wide = _bordered(done, (2 * bar, bar, left, 0), (level, level, level))
    ink = (0, 0, 0) if level > 128 else (230, 230, 230)
    for i in range(int(random.integers(4, 14))):
        x = 4 + i * (bar + 4)
        cv2.rectangle(wide, (x, bar + 2), (x + bar - 4, 2 * bar - 3), ink, 1)
    size = bar / 40.0
    cv2.putText(wide, "Image viewer - 004711.jpg", (6, bar - 4), 0, size, ink, 1)
    cv2.putText(wide, "x=102 y=87  W 4096 L 2048", (6, 2 * bar + rows + bar - 4), 0, size, ink, 1)
    return wide, left, 2 * bar


def _bordered(done: Shown, sides: tuple[int, int, int, int], value: tuple[int, int, int]) -> Shown:
    top, bottom, left, right = sides
    filled = cv2.copyMakeBorder(done, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value)
    return np.asarray(filled, np.uint8)


def _three(done: Shown) -> Shown:
    return done if done.ndim == 3 else np.asarray(cv2.cvtColor(done, cv2.COLOR_GRAY2BGR), np.uint8)
