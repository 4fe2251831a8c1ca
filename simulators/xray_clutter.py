"""Loads that are clutter from the side: scrap, machines, household goods, engines, pipes."""

import math

import numpy as np

from simulators.xray_patterns import Area, Pattern, Stowed, bar, clouds, patch, ring
from simulators.xray_scene import Floats, Random

PIECES_MOST = 500  # a heap of more looks the same and takes longer


def scrap(piece_m: tuple[float, float], *, per_m2: float, weight_spread: float = 0.6) -> Pattern:
    """A heap of sheets, bars, tubes and lumps, its surface uneven, its bulk half air."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = 0.25 * clouds(area, 0.35, 0.35, random)
        surface = clouds(Area(2, area.length, area.pitch_m), 0.9, 0.3, random)[0] - 1.0
        top_px = (0.25 * surface + 0.15).clip(0.02, 0.6) * area.height
        square_m = area.height * area.length * area.pitch_m**2
        for _ in range(min(int(per_m2 * square_m) + 3, PIECES_MOST)):
            x = float(random.uniform(0, area.length))
            y = float(random.uniform(top_px[int(x)], area.height))
            size = float(random.uniform(*piece_m)) / area.pitch_m
            weight = 0.3 * float(random.lognormal(0.0, weight_spread))
            _piece(thick, (x, y), size, weight, random)
        rows = np.arange(area.height)[:, None]
        thick *= np.clip(rows - top_px[None, :] + 0.5, 0, 1).astype(np.float32)
        return Stowed(np.maximum(thick, 0))

    return pattern


def _piece(
    thick: Floats,
    middle: tuple[float, float],
    size: float,
    weight: float,
    random: Random,
) -> None:
    x, y = middle
    turn = float(random.uniform(0, math.pi))
    dx, dy = math.cos(turn) * size / 2, math.sin(turn) * size / 2
    what = int(random.integers(4))
    if what == 0:
        ring(thick, middle, size / 2, size * float(random.choice([0.0, 0.3, 0.42])), weight)
    elif what == 1:
        bar(thick, (x - dx, y - dy, x + dx, y + dy), size * 0.12, 1.5 * weight)
    else:
        angles = np.sort(random.uniform(0, 2 * math.pi, int(random.integers(3, 7))))
        reach = size / 2 * random.uniform(0.5, 1.0, angles.size)
        corners = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)
        patch(thick, corners.astype(np.float32), 0.6 * weight)


def machines(each_m: tuple[float, float]) -> Pattern:
    """Presses, lathes, pumps: a frame on skids, bodies, motors, gears, cables and covers."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick, metal = area.blank(), np.ones((area.height, area.length), np.float32)
        least = min(area.px(each_m[0]), area.length)
        x = float(random.uniform(0, min(area.px(0.4), area.length - least + 1)))
        while x + least <= area.length:
            long = min(float(random.uniform(*each_m)) / area.pitch_m, area.length - x)
            if area.length - x - long < least:  # no room for another: this one takes it
                long = area.length - x
            tall = area.height * float(random.uniform(0.5, 1.0))
            _machine(thick, area, (x, long, tall), random)
            x += long + area.px(float(random.uniform(0.08, 0.5)))
        skid = area.height - area.px(0.12)
        for at in range(0, area.length, area.px(0.9)):
            thick[skid:, at : at + area.px(0.1)] += 0.35
            metal[skid:, at : at + area.px(0.1)] *= 0.2
        return Stowed(thick, metal)

    return pattern


def _machine(thick: Floats, area: Area, place: tuple[float, float, float], random: Random) -> None:
    x, long, tall = place
    floor = area.height - area.px(0.1)
    top = floor - tall + area.px(0.1)
    base = 0.14 * tall
    patch(thick, _rectangle(x, floor - base, long, base), float(random.uniform(0.6, 1.1)))
    for post in (x + 0.03 * long, x + 0.88 * long):
        patch(thick, _rectangle(post, top, 0.08 * long, tall), float(random.uniform(0.25, 0.6)))
    patch(thick, _rectangle(x, top, long, 0.1 * tall), float(random.uniform(0.4, 1.0)))
    # Covers and cabinets over most of it.
    cover = _rectangle(x + 0.04 * long, top + 0.05 * tall, 0.9 * long, 0.9 * tall)
    patch(thick, cover, float(random.uniform(0.15, 0.3)))
    for _ in range(int(random.integers(8, 16))):
        wide, high = random.uniform(0.08, 0.45) * long, random.uniform(0.08, 0.4) * tall
        at = (
            x + float(random.uniform(0.02, 0.95)) * (long - wide),
            top + float(random.uniform(0.05, 0.95)) * (tall - high),
        )
        weight = 0.5 * float(random.lognormal(0.0, 0.6))
        what = int(random.integers(4))
        if what == 0:
            radius = min(wide, high) / 2
            ring(thick, (at[0] + radius, at[1] + radius), radius, 0.35 * radius, 1.4 * weight)
        elif what == 1:
            _motor(thick, (at[0], at[1], wide, 0.6 * high), weight)
        elif what == 2:
            bar(thick, (at[0], at[1], at[0] + wide, at[1] + high), area.px(0.04), weight)
        else:
            patch(thick, _rectangle(at[0], at[1], wide, high), 0.8 * weight)


def _motor(thick: Floats, box: tuple[float, float, float, float], weight: float) -> None:
    """A cylinder lying along the vehicle: thickest in its middle."""
    x, y, wide, high = (round(part) for part in box)
    rows = slice(max(y, 0), min(y + max(high, 2), thick.shape[0]))
    columns = slice(max(x, 0), min(x + max(wide, 2), thick.shape[1]))
    count = rows.stop - rows.start
    if count < 1 or columns.stop <= columns.start:
        return
    offset = (np.arange(count) + 0.5) / count * 2 - 1
    thick[rows, columns] += (1.6 * weight * np.sqrt(1 - offset**2))[:, None].astype(np.float32)


def _rectangle(x: float, y: float, wide: float, high: float) -> Floats:
    return np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)], np.float32)


def household() -> Pattern:
    """A move: boxes, furniture, appliances, frames and bundles, stacked as they fit."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick, metal = area.blank(), area.blank()
        for _ in range(3):
            x = 0
            while x < area.length - area.px(0.3):
                wide = min(area.px(float(random.uniform(0.3, 1.1))), area.length - x)
                y = area.height
                tall_to = int(area.height * float(random.uniform(0.0, 0.35)))
                while y > tall_to + area.px(0.25):
                    high = min(area.px(float(random.uniform(0.25, 0.9))), y - tall_to)
                    _item(thick, metal, area, (x, y - high, wide, high), random)
                    y -= high
                x += wide + int(random.integers(0, area.px(0.05) + 1))
        return Stowed(thick * np.float32(1 / 3), np.clip(metal / np.maximum(thick, 1e-3), 0, 1))

    return pattern


def _item(
    thick: Floats, metal: Floats, area: Area, box: tuple[int, int, int, int], random: Random
) -> None:
    x, y, wide, high = box
    at = (slice(y, y + high), slice(x, x + wide))
    what = int(random.integers(6))
    weight = float(random.lognormal(0.0, 0.5))
    if what <= 2:  # a box of things
        inside = Area(high, wide, area.pitch_m)
        thick[at] += weight * clouds(inside, 0.12, 0.35, random).clip(0.1, None)
    elif what == 3:  # a cupboard: boards edge-on
        thick[at] += 0.25 * weight
        edge = area.px(0.02)
        for part in (at[0].start, y + high // 2, y + high - edge):
            thick[part : part + edge, at[1]] += 1.6
    elif what == 4:  # an appliance with its motor
        thick[at] += 0.5
        metal[at] += 0.35
        lump = (slice(y + int(0.75 * high), y + high), slice(x + wide // 4, x + 3 * wide // 4))
        thick[lump] += 2.2
        metal[lump] += 2.0
    else:  # a frame, a bicycle
        radius = 0.45 * min(wide, high)
        ring(thick, (x + wide / 2, y + high / 2), radius, 0.88 * radius, 1.5)
        ring(metal, (x + wide / 2, y + high / 2), radius, 0.88 * radius, 1.5)
        bar(thick, (x, y + high, x + wide, y), area.px(0.03), 1.5)
        bar(metal, (x, y + high, x + wide, y), area.px(0.03), 1.5)


def appliances() -> Pattern:
    """Refrigerators or washers in rows: a shell, foam, a motor at the bottom of each."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick, metal = area.blank(), area.blank()
        wide_m, high_m = float(random.uniform(0.6, 0.72)), float(random.uniform(0.85, 1.15))
        tiers = max(1, int(area.height * area.pitch_m / high_m))
        tier = area.height // tiers
        step = area.px(wide_m + 0.03)
        for _ in range(3):
            shift = int(random.integers(0, area.px(0.1)))
            for x in range(shift, area.length - step, step):
                for level in range(tiers):
                    floor = area.height - level * tier
                    _shell(thick, metal, area, (x, floor, area.px(wide_m), tier), random)
        return Stowed(thick, np.clip(metal / np.maximum(thick, 1e-3), 0, 1))

    return pattern


def _shell(
    thick: Floats, metal: Floats, area: Area, box: tuple[int, int, int, int], random: Random
) -> None:
    x, floor, wide, tall = box
    top = floor - tall + area.px(0.03)
    shares = (
        (0.0, 0.0, 1.0, 1.0, 0.35, 0.4),
        (0.0, 0.0, 0.06, 1.0, 0.35, 0.3),
        (0.94, 0.0, 0.06, 1.0, 0.35, 0.3),
        (0.0, 0.0, 1.0, 0.05, 0.5, 0.2),
        (0.1, 0.82, 0.35, 0.16, float(random.uniform(1.6, 2.2)), 0.9),
    )
    for left, up, part_x, part_y, weight, steel in shares:
        corners = _rectangle(
            x + left * wide, top + up * (floor - top), part_x * wide, part_y * (floor - top)
        )
        patch(thick, corners, weight)
        patch(metal, corners, weight * steel)


def engines() -> Pattern:
    """Engines and gearboxes on skids and in crates: a period of dense lumps."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick, metal = area.blank(), area.blank()
        tiers = max(1, int(area.height * area.pitch_m / 1.0))
        tier = area.height // tiers
        for level in range(tiers):
            floor = area.height - level * tier
            x = float(random.uniform(0, area.px(0.2)))
            while x < area.length - area.px(0.8):
                long, tall = area.px(float(random.uniform(0.6, 0.9))), 0.75 * tier
                thick[floor - area.px(0.12) : floor, int(x) : int(x) + long] += 0.5
                for _ in range(5):
                    wide, high = random.uniform(0.25, 0.7) * long, random.uniform(0.25, 0.7) * tall
                    left = x + float(random.uniform(0, 1)) * (long - wide)
                    up = (
                        floor - area.px(0.12) - tall + float(random.uniform(0.2, 1)) * (tall - high)
                    )
                    lump = _rectangle(left, up, wide, high)
                    weight = float(random.lognormal(0.1, 0.4))
                    patch(thick, lump, weight)
                    patch(metal, lump, weight)
                ring(thick, (x + 0.2 * long, floor - 0.45 * tier), 0.18 * long, 0.0, 1.3)
                ring(metal, (x + 0.2 * long, floor - 0.45 * tier), 0.18 * long, 0.0, 1.3)
                x += long + area.px(float(random.uniform(0.05, 0.3)))
        return Stowed(thick, np.clip(metal / np.maximum(thick, 1e-3), 0, 1))

    return pattern


def pipes() -> Pattern:
    """Bundles of pipes along the vehicle, fittings in boxes between them."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        y = float(area.height)
        while y > area.px(0.3):
            radius = float(random.uniform(0.025, 0.11)) / area.pitch_m
            bundle = int(random.integers(3, 7))
            start = float(random.uniform(0, area.px(1.0)))
            end = area.length - float(random.uniform(0, area.px(2.5)))
            for _ in range(bundle):
                y -= 2 * radius
                if y < 0:
                    break
                _pipe(thick, (start, end - float(random.uniform(0, area.px(0.3)))), y, radius)
            y -= area.px(0.06)
        for _ in range(int(random.integers(2, 6))):
            x = float(random.uniform(0, max(area.length - area.px(1.0), 1)))
            inside = Area(area.px(0.5), area.px(0.8), area.pitch_m)
            at = (slice(area.height - inside.height, None), slice(int(x), int(x) + inside.length))
            lumps = clouds(inside, 0.08, 0.6, random).clip(0.1, None)
            part = thick[at]
            part += 1.3 * lumps[: part.shape[0], : part.shape[1]]
        return Stowed(thick)

    return pattern


def _pipe(thick: Floats, ends: tuple[float, float], y: float, radius: float) -> None:
    rows = slice(max(int(y - 1), 0), min(int(y + 2 * radius + 2), thick.shape[0]))
    offset = (np.arange(rows.start, rows.stop) + 0.5 - y - radius) / radius
    inner = 0.86
    wall = np.sqrt(np.clip(1 - offset**2, 0, 1)) - np.sqrt(np.clip(inner**2 - offset**2, 0, 1))
    thick[rows, int(ends[0]) : int(ends[1])] += (2.2 * wall)[:, None].astype(np.float32)
