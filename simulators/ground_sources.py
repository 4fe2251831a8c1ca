"""What shakes the ground: footfalls, hooves, digging and vehicles of a scenario."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulators.ground import Floats
from simulators.scenario import Mover, Scenario

STEP_LENGTH_M = 0.74  # 1.4 m/s at 1.9 steps a second (facts/seismic.md 3.1)
RUN_STEP_M = 1.05
RUN_FROM_M_S = 2.4
HOOF_BEATS = (0.0, 0.23, 0.5, 0.73)  # of a four-beat walk, in strides; not quite even
APPROACH_M = 300.0  # a lane's vehicles are heard so far before and after its portal
FADE_M = 100.0


@dataclass(frozen=True, slots=True)
class Impact:
    """One blow on the ground."""

    at_s: float
    place_m: tuple[float, float]
    kind: str
    size: float
    """Against the impact of a 78 kg walker."""


def chance(scenario: Scenario, name: str) -> np.random.Generator:
    """A stream of its own for each name, the same for every sensor that looks at it."""
    return np.random.default_rng([scenario.seed & 0xFFFF_FFFF, zlib.crc32(name.encode())])


def impacts(scenario: Scenario, mover: Mover) -> Iterator[Impact]:
    """Every blow of a mover, roughly in order of time; none for a vehicle."""
    if mover.kind == "digging":
        yield from _digging(mover, chance(scenario, mover.mover_id))
    elif mover.kind == "animal":
        for one in range(mover.count):
            yield from _animal(mover, chance(scenario, f"{mover.mover_id}/{one}"))
    elif mover.kind in ("person", "group"):
        for one in range(mover.count):
            yield from _walker(mover, chance(scenario, f"{mover.mover_id}/{one}"), one)


def _walker(mover: Mover, random: np.random.Generator, one: int) -> Iterator[Impact]:
    running = mover.speed_m_s > RUN_FROM_M_S
    step_m = (RUN_STEP_M if running else STEP_LENGTH_M) * random.normal(1.0, 0.05 if one else 0.02)
    period_s = step_m / mover.speed_m_s
    behind_s = one * random.uniform(0.4, 1.2) / mover.speed_m_s
    aside_m = (0.0, 0.0) if one == 0 else (random.normal(0.0, 1.0), random.normal(0.0, 1.0))
    limp = random.uniform(0.85, 1.15)  # no two feet fall alike
    at_s = mover.start_s + float(random.uniform(0.0, period_s))
    left = True
    while (place := mover.place_m(at_s)) is not None:
        size = mover.mass_kg / 78.0 * (2.0 if running else 1.0) * (limp if left else 1.0 / limp)
        yield Impact(
            at_s + behind_s,
            (place[0] + aside_m[0], place[1] + aside_m[1]),
            "step",
            size * float(random.lognormal(0.0, 0.15)),
        )
        at_s += period_s * float(random.normal(1.0, 0.025))
        left = not left


def _animal(mover: Mover, random: np.random.Generator) -> Iterator[Impact]:
    stride_s = 1.0 / min(1.5, max(0.8, 0.75 * mover.speed_m_s))
    at_s = mover.start_s + float(random.uniform(0.0, stride_s))
    while mover.place_m(at_s) is not None:
        for number, beat in enumerate(HOOF_BEATS):
            when_s = at_s + stride_s * (beat + float(random.normal(0.0, 0.012)))
            place = mover.place_m(when_s)
            if place is not None:
                share = 1.15 if number % 2 else 0.85  # the forehand carries more
                size = mover.mass_kg / 78.0 * 0.5 * share
                yield Impact(when_s, place, "hoof", size * float(random.lognormal(0.0, 0.12)))
        at_s += stride_s * float(random.normal(1.0, 0.03))


def _digging(mover: Mover, random: np.random.Generator) -> Iterator[Impact]:
    """Bouts of 6 to 15 blows at 0.5 to 1.5 a second with rests between, on one spot."""
    at_s = mover.start_s + float(random.uniform(0.2, 1.0))
    left = int(random.integers(6, 16))
    while mover.place_m(at_s) is not None:
        yield Impact(at_s, mover.start_m, "strike", float(random.lognormal(0.2, 0.35)))
        at_s += float(np.clip(random.gamma(4.0, 0.25), 0.35, 3.0))
        left -= 1
        if left == 0:
            at_s += float(random.uniform(2.0, 5.0))
            left = int(random.integers(6, 16))


@dataclass(frozen=True, slots=True)
class Traffic:
    """All vehicles of a scenario as arrays, for one look at a time: `Traffic.heard`."""

    from_s: Floats
    to_s: Floats
    base_s: Floats
    """When the front is at the reference point."""
    x_m: Floats
    y_m: Floats
    east: Floats
    north: Floats
    """Direction of travel."""
    speed_m_s: Floats
    length_m: Floats
    power: Floats
    """(10 m rms)^2 against that of a 15 t truck at 2.2 m/s."""
    fades: NDArray[np.bool_] = field(kw_only=True)
    engine: NDArray[np.int64] = field(kw_only=True)
    """Which of the engine speeds it runs at."""

    def heard(self, at_s: float, station_m: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
        """Range of each axle group in m, its power, and its engine, at a moment.

        A vehicle has five axles; where it is further than 40 m they are one.
        """
        on = np.flatnonzero((self.from_s <= at_s) & (at_s <= self.to_s))
        along_m = (at_s - self.base_s[on]) * self.speed_m_s[on]
        dx = self.x_m[on] + along_m * self.east[on] - station_m[0]
        dy = self.y_m[on] + along_m * self.north[on] - station_m[1]
        fade = np.where(
            self.fades[on],
            np.clip((APPROACH_M - np.abs(along_m)) / FADE_M, 0.0, 1.0) ** 2,
            1.0,
        )
        ranges, powers, engines = [], [], []
        near = np.hypot(dx, dy) < 40.0
        for share in (0.08, 0.3, 0.36, 0.86, 0.95):
            back_m = share * self.length_m[on][near]
            ranges.append(
                np.hypot(
                    dx[near] - back_m * self.east[on][near],
                    dy[near] - back_m * self.north[on][near],
                )
            )
            powers.append((self.power[on] * fade)[near] / 5.0)
            engines.append(self.engine[on][near])
        ranges.append(np.hypot(dx[~near], dy[~near]))
        powers.append((self.power[on] * fade)[~near])
        engines.append(self.engine[on][~near])
        return np.concatenate(ranges), np.concatenate(powers), np.concatenate(engines)


ENGINE_HZ = (19.0, 21.0, 23.0, 26.0)
"""Crankshaft speeds of diesels that creep: 1,150 to 1,550 rpm."""


def traffic(scenario: Scenario) -> Traffic:
    """The lanes' vehicles, heard `APPROACH_M` either way, and those that cross ground."""
    rows: list[tuple[float, ...]] = []
    for vehicle in scenario.vehicles:
        lane = scenario.lane(vehicle.lane)
        angle = math.radians(lane.heading_deg)
        reach_s = APPROACH_M / vehicle.speed_m_s
        rows.append(
            (
                vehicle.at_portal_s - reach_s,
                vehicle.at_portal_s + reach_s,
                vehicle.at_portal_s,
                *lane.portal_m,
                math.sin(angle),
                math.cos(angle),
                vehicle.speed_m_s,
                vehicle.length_m,
                _power(vehicle.mass_kg, vehicle.speed_m_s),
                1.0,
                zlib.crc32(vehicle.vehicle_id.encode()) % len(ENGINE_HZ),
            )
        )
    for mover in scenario.movers:
        if mover.kind != "vehicle":
            continue
        reach_m = max(math.dist(mover.start_m, mover.end_m), 1e-9)
        rows.append(
            (
                mover.start_s,
                mover.end_s,
                mover.start_s,
                *mover.start_m,
                (mover.end_m[0] - mover.start_m[0]) / reach_m,
                (mover.end_m[1] - mover.start_m[1]) / reach_m,
                mover.speed_m_s,
                4.5,
                _power(mover.mass_kg, mover.speed_m_s),
                0.0,
                zlib.crc32(mover.mover_id.encode()) % len(ENGINE_HZ),
            )
        )
    table = np.array(rows, dtype=np.float64).reshape(-1, 12)
    return Traffic(
        *(column.copy() for column in table.T[:10]),
        fades=table[:, 10] > 0.0,
        engine=table[:, 11].astype(np.int64),
    )


def _power(mass_kg: float, speed_m_s: float) -> float:
    """Rolling noise grows with weight, and its amplitude with speed."""
    return mass_kg / 15_000.0 * (speed_m_s / 2.2) ** 2
