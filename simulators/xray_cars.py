"""Cars from the side, as a load and within one."""

import numpy as np

from simulators.xray_patterns import Area, Pattern, Stowed, patch, ring
from simulators.xray_scene import Floats, Random


def cars() -> Pattern:
    """Used cars nose to tail, some with goods packed into them."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick, metal = area.blank(), area.blank()
        x = area.px(float(random.uniform(0.05, 0.3)))
        while x + area.px(3.6) < area.length:
            long = min(float(random.uniform(3.7, 4.6)) / area.pitch_m, area.length - x - 1.0)
            draw_car(thick, metal, area, (float(x), float(area.height), long), random)
            x += round(long) + area.px(float(random.uniform(0.1, 0.4)))
        return Stowed(thick, np.clip(metal / np.maximum(thick, 1e-3), 0, 1))

    return pattern


def draw_car(
    thick: Floats,
    metal: Floats,
    area: Area,
    place: tuple[float, float, float],
    random: Random,
) -> None:
    """A car from its front at x, on the floor at y, so long; in units of some 15 g/cm2."""
    x, floor, long = place
    m = 1.0 / area.pitch_m
    high = float(random.uniform(1.38, 1.52)) * m
    body = [(0.0, 0.3), (0.01, 0.62), (0.26, 0.72), (0.36, 1.0), (0.72, 1.0), (0.9, 0.72)]
    body += [(1.0, 0.68), (0.99, 0.25), (0.0, 0.2)]
    nose_right = bool(random.integers(2))

    def at(u: float, v: float) -> tuple[float, float]:
        return x + (1 - u if nose_right else u) * long, floor - v * high

    def shape(points: list[tuple[float, float]], weight: float, steel: float) -> None:
        corners = np.array([at(u, v) for u, v in points], np.float32)
        patch(thick, corners, weight)
        patch(metal, corners, weight * steel)

    def block(u: float, v: float, wide: float, tall: float, *, weight: float, steel: float) -> None:
        shape([(u, v), (u + wide, v), (u + wide, v + tall), (u, v + tall)], weight, steel)

    shape(body, 0.16, 0.9)
    block(0.06, 0.28, 0.17, 0.34, weight=float(random.uniform(2.2, 3.2)), steel=0.9)  # engine
    block(0.2, 0.24, 0.1, 0.18, weight=1.6, steel=0.95)  # gearbox
    block(0.02, 0.26, 0.025, 0.36, weight=0.7, steel=0.4)  # radiator
    block(0.05, 0.2, 0.9, 0.05, weight=0.7, steel=1.0)  # sills and floor
    for seat in (0.42, 0.66):
        block(seat, 0.3, 0.15, 0.1, weight=0.5, steel=0.3)
        shape(
            [(seat + 0.12, 0.32), (seat + 0.17, 0.32), (seat + 0.21, 0.8), (seat + 0.17, 0.8)],
            0.45,
            0.3,
        )
    block(0.72, 0.22, 0.12, 0.12, weight=float(random.uniform(0.3, 1.2)), steel=0.2)  # tank
    block(0.33, 0.56, 0.03, 0.16, weight=0.8, steel=0.5)  # dashboard
    for axle in (0.18, 0.8):
        middle = at(axle, 0.21)
        ring(thick, middle, 0.31 * m, 0.19 * m, 0.9)
        ring(thick, middle, 0.19 * m, 0.0, 0.5)
        ring(metal, middle, 0.19 * m, 0.0, 0.5)
        ring(thick, middle, 0.09 * m, 0.0, 2.0)
        ring(metal, middle, 0.09 * m, 0.0, 2.0)
