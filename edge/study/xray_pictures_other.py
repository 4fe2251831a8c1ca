"""Pictures that show no cargo at all, which a folder of scans may hold all the same.

Noise, gradients, pages of text, screens, drawn photographs, a logo: of none of them anything may be
claimed. Photographs are drawn as leaves over leaves of every size, shaded (Lee, Mumford & Huang
2001: such pictures have the statistics of natural ones), or as 1/f clouds.
"""

import cv2
import numpy as np

from edge.study.xray_pictures_looks import WORDS, Random, Shown

KINDS = (
    "noise",
    "coarse noise",
    "blank",
    "gradient",
    "text page",
    "screen",
    "leaves",
    "clouds",
    "logo",
    "chart",
    "street",
    "stripes",
    "blobs",
    "table",
)


def other_picture(seed: int) -> tuple[bytes, str]:
    """(JPEG file, kind of picture)."""
    random = np.random.default_rng([9, seed])
    kind = KINDS[seed % len(KINDS)]
    columns = int(np.exp(random.uniform(np.log(300), np.log(2_400))))
    rows = max(int(columns * random.uniform(0.2, 1.4)), 60)
    done = _drawn(kind, (rows, columns), random)
    quality = int(random.integers(30, 96))
    data = cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return data.tobytes(), kind


def _drawn(kind: str, shape: tuple[int, int], random: Random) -> Shown:
    rows, columns = shape
    level = int(random.choice([255, 240, 0, 128]))
    page = np.full((rows, columns, 3), level, np.uint8)
    if kind in {"noise", "coarse noise"}:
        by = 1 if kind == "noise" else int(random.integers(4, 40))
        small = random.integers(0, 256, (rows // by + 1, columns // by + 1))
        return np.asarray(np.kron(small, np.ones((by, by)))[:rows, :columns], np.uint8)
    if kind == "blank":
        return page
    if kind == "gradient":
        down, along = random.normal(0.0, 200.0, 2)
        y, x = np.linspace(0, 1, rows)[:, None], np.linspace(0, 1, columns)[None, :]
        return np.asarray(np.clip(128 + down * (y - 0.5) + along * (x - 0.5), 0, 255), np.uint8)
    if kind == "clouds":
        return _clouds(shape, random)
    if kind == "stripes":
        wave = np.sin(np.arange(columns) * random.uniform(0.02, 0.6))
        lines = np.broadcast_to(128 + 100 * wave, (rows, columns))
        return np.asarray(lines if random.random() < 0.5 else lines[:, ::-1], np.uint8)
    painter = {
        "text page": _text,
        "screen": _screen,
        "leaves": _leaves,
        "logo": _logo,
        "chart": _chart,
        "street": _street,
        "blobs": _blobs,
        "table": _table,
    }[kind]
    painter(page, random)
    return page


def _ink(page: Shown) -> tuple[int, int, int]:
    return (0, 0, 0) if int(page[0, 0, 0]) > 100 else (235, 235, 235)


def _any(random: Random) -> tuple[int, int, int]:
    blue, green, red = (int(one) for one in random.integers(0, 256, 3))
    return blue, green, red


def _clouds(shape: tuple[int, int], random: Random) -> Shown:
    total = np.zeros(shape, np.float32)
    for octave in range(1, 8):
        side = 2**octave
        fine = random.standard_normal((side, side), np.float32)
        total += cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_CUBIC) / side**0.8
    low, high = float(total.min()), float(total.max())
    return np.asarray(255.0 * (total - low) / (high - low), np.uint8)


def _text(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    size = random.uniform(0.3, 1.0)
    step = int(30 * size) + 4
    for y in range(step, rows, step):
        words = " ".join(str(random.choice(WORDS)) for _ in range(columns // 60))
        if random.random() < 0.85:
            cv2.putText(page, words, (int(0.06 * columns), y), 0, size, _ink(page), 1)


def _screen(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    for _ in range(int(random.integers(2, 7))):
        x, y = int(random.uniform(0, 0.7) * columns), int(random.uniform(0, 0.7) * rows)
        far = (
            x + int(random.uniform(0.2, 0.6) * columns),
            y + int(random.uniform(0.2, 0.6) * rows),
        )
        cv2.rectangle(page, (x, y), far, _any(random), -1)
        cv2.rectangle(page, (x, y), (far[0], y + rows // 30 + 4), _any(random), -1)
        for line in range(y + rows // 12, far[1], max(rows // 25, 12)):
            cv2.putText(page, str(random.choice(WORDS)), (x + 6, line), 0, 0.4, _any(random), 1)


def _leaves(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    most = min(rows, columns) / 2
    for _ in range(400):
        radius = int(np.clip(most / 40 / (1 - random.random()) ** 0.7, 3, most))
        at = (int(random.integers(columns)), int(random.integers(rows)))
        axes = (radius, max(int(radius * random.uniform(0.4, 1.0)), 2))
        cv2.ellipse(page, at, axes, float(random.uniform(0, 180)), 0, 360, _any(random), -1)
    light = _clouds((rows, columns), random).astype(np.float32) / 255.0
    page[:] = np.asarray(page * (0.4 + 0.6 * light[..., None]), np.uint8)


def _street(page: Shown, random: Random) -> None:
    """Sky, houses and a road: level lines and upright ones, as a lorry has."""
    rows, columns = page.shape[:2]
    sky = int(random.uniform(0.2, 0.6) * rows)
    page[:sky] = _any(random)
    page[sky:] = _any(random)
    for _ in range(int(random.integers(3, 12))):
        x, wide = int(random.uniform(0, 1) * columns), int(random.uniform(0.05, 0.3) * columns)
        top = int(random.uniform(0.1, 0.8) * rows)
        base = int(random.uniform(0.6, 0.95) * rows)
        cv2.rectangle(page, (x, top), (x + wide, base), _any(random), -1)
        for y in range(top + 8, base - 8, max(rows // 15, 9)):
            for x0 in range(x + 5, x + wide - 8, max(columns // 40, 9)):
                cv2.rectangle(
                    page, (x0, y), (x0 + columns // 100, y + rows // 40), _any(random), -1
                )
    light = _clouds((rows, columns), random).astype(np.float32) / 255.0
    noise = random.normal(0.0, 4.0, (rows, columns, 1))
    page[:] = np.clip(page * (0.5 + 0.5 * light[..., None]) + noise, 0, 255).astype(np.uint8)


def _logo(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    r = min(rows, columns) // int(random.integers(4, 9))
    cv2.circle(page, (columns // 3, rows // 2), r, _any(random), -1)
    cv2.putText(
        page, "GARITA", (columns // 3 + r, rows // 2), 1, r / 16, _ink(page), max(r // 10, 1)
    )


def _chart(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    x0, y0 = columns // 10, rows * 9 // 10
    cv2.line(page, (x0, y0), (columns - 5, y0), _ink(page), 2)
    cv2.line(page, (x0, y0), (x0, rows // 20), _ink(page), 2)
    bars = int(random.integers(3, 30))
    wide = max((columns - x0 - 10) // bars, 2)
    colour = _any(random)
    for i in range(bars):
        top = int(random.uniform(rows * 0.1, rows * 0.85))
        cv2.rectangle(page, (x0 + i * wide + 2, top), (x0 + (i + 1) * wide - 2, y0), colour, -1)


def _blobs(page: Shown, random: Random) -> None:
    for _ in range(int(random.integers(1, 6))):
        at = tuple(int(random.integers(side)) for side in page.shape[1::-1])
        radius = int(random.uniform(0.03, 0.3) * min(page.shape[:2])) + 2
        cv2.circle(page, at, radius, _any(random), -1)


def _table(page: Shown, random: Random) -> None:
    rows, columns = page.shape[:2]
    high, wide = max(rows // int(random.integers(5, 20)), 12), columns // int(random.integers(3, 9))
    for y in range(high, rows - high, high):
        cv2.line(page, (wide // 3, y), (columns - wide // 3, y), _ink(page), 1)
        for x in range(wide // 3, columns - wide, wide):
            if random.random() < 0.8:
                word = str(random.choice(WORDS))[:9]
                cv2.putText(page, word, (x + 4, y - 3), 0, high / 60, _ink(page), 1)
    for x in range(wide // 3, columns, wide):
        cv2.line(page, (x, high), (x, rows - high), _ink(page), 1)
