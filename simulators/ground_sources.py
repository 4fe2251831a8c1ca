"""What strikes the ground: footfalls, hooves, tools, knocks and pistons, blow by blow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulators.ground_pushes import HEELS_MS
from simulators.ground_station import chance
from simulators.movers import RUN_FROM_M_S, WALKING, Mover
from simulators.scenario import Scenario

WALK_HZ = 1.78  # steps a second at 1.4 m/s: 1.6 to 1.9 were measured (facts/seismic.md 3.1)
RUN_HZ = (2.6, 3.5)
STEALTH_HZ = (1.0, 1.5)
HORSE_KG = 450.0
WALK_BEATS = (0.0, 0.23, 0.5, 0.73)  # of a four-beat walk, in strides; not quite even
TROT_BEATS = (0.0, 0.02, 0.5, 0.52)  # two diagonal pairs
TROT_FROM_M_S = 2.4
SHOES = {"hard": (0, 1, 2), "boots": (3, 4), "soft": (4, 5, 6), "bare": (6, 7)}
"""Where in `HEELS_MS` they strike."""


@dataclass(frozen=True, slots=True)
class Impact:
    """One blow on the ground."""

    at_s: float
    place_m: tuple[float, float]
    kind: str
    """As `ground_pushes.push` has it."""
    size: float
    """Against the impact of a 78 kg walker."""


def impacts(scenario: Scenario, mover: Mover) -> Iterator[Impact]:
    """Every blow of a mover, roughly in order of time; none for what rolls, hums or blows."""
    one = chance(scenario, mover.mover_id)
    if mover.kind == "digging":
        yield from _digging(mover, one)
    elif mover.kind in ("animal", "horse", "cattle"):
        gait = _cow if mover.kind == "cattle" else _horse
        for number in range(mover.count):
            yield from gait(mover, chance(scenario, f"{mover.mover_id}/{number}"), number)
    elif mover.kind in WALKING:
        for number in range(mover.count):
            yield from _walker(mover, chance(scenario, f"{mover.mover_id}/{number}"), number)
    elif mover.kind == "knocks":
        yield from _knocks(mover, one)
    elif mover.kind == "pump" and mover.manner == "piston":
        yield from _piston(mover, one)


def _pace_m_s(mover: Mover) -> float:
    """How fast it really goes."""
    if mover.lasts_s <= 0.0:
        return mover.speed_m_s
    return max(math.dist(mover.start_m, mover.end_m) / mover.lasts_s, 0.05)


def _cadence_hz(mover: Mover, random: np.random.Generator) -> float:
    """Steps a second: with the root of the speed, and each person's own by some 4 %."""
    speed_m_s = _pace_m_s(mover)
    own = float(np.clip(random.normal(1.0, 0.04), 0.9, 1.1))
    if _sneaks(mover):
        return float(np.clip(STEALTH_HZ[0] + 0.35 * speed_m_s * own, *STEALTH_HZ))
    if speed_m_s > RUN_FROM_M_S:
        return float(np.clip(2.75 * own * (speed_m_s / 3.0) ** 0.3, *RUN_HZ))
    return WALK_HZ * own * math.sqrt(max(speed_m_s, 0.5) / 1.4)


def _sneaks(mover: Mover) -> bool:
    return mover.kind == "stealth" or mover.manner == "stealth"


def _walker(mover: Mover, random: np.random.Generator, one: int) -> Iterator[Impact]:
    running = _pace_m_s(mover) > RUN_FROM_M_S
    period_s = 1.0 / _cadence_hz(mover, random)
    behind_s = one * random.uniform(0.4, 1.2) / max(_pace_m_s(mover), 0.3)
    aside_m = (0.0, 0.0) if one == 0 else (random.normal(0.0, 1.0), random.normal(0.0, 1.0))
    limp = random.uniform(0.88, 1.14)  # no two feet fall alike
    own = 1.0 if one == 0 else float(random.uniform(0.75, 1.25))
    weight = mover.size * own * mover.mass_kg / 78.0
    uneven = 0.06 if _sneaks(mover) else float(random.uniform(0.015, 0.045))
    loose = float(random.uniform(0.12, 0.32))
    shoes = mover.shoes or str(random.choice(tuple(SHOES)))
    heel = int(random.choice(SHOES[shoes]))
    if _sneaks(mover):
        weight *= random.uniform(0.5, 0.7)
    at_s = mover.start_s + float(random.uniform(0.0, period_s))
    left = True
    while (place := mover.place_m(at_s)) is not None:
        size = weight * (limp if left else 1.0 / limp)
        ms = HEELS_MS[min(max(heel + int(random.integers(-1, 2)), 0), len(HEELS_MS) - 1)]
        yield Impact(
            at_s + behind_s,
            (place[0] + aside_m[0], place[1] + aside_m[1]),
            "stealth" if _sneaks(mover) else f"run-{ms}" if running else f"walk-{ms}",
            size * float(random.lognormal(0.0, loose)),
        )
        at_s += period_s * float(random.normal(1.0, uneven))
        left = not left


def _horse(mover: Mover, random: np.random.Generator, one: int) -> Iterator[Impact]:
    """0.8 to 1.5 strides a second of four beats, or a trot's two."""
    speed_m_s = _pace_m_s(mover)
    trots = mover.manner == "trot" or (not mover.manner and speed_m_s > TROT_FROM_M_S)
    own = float(random.normal(1.0, 0.05))
    stride_hz = (1.15 + 0.07 * speed_m_s) if trots else 0.5 + 0.35 * speed_m_s
    stride_s = 1.0 / min(1.5, max(0.8, own * stride_hz))
    beats, kind = (TROT_BEATS, "trot") if trots else (WALK_BEATS, "hoof")
    weight = mover.size * mover.mass_kg / HORSE_KG * 2.4
    aside_m = (0.0, 0.0) if one == 0 else (random.normal(0.0, 2.0), random.normal(0.0, 2.0))
    at_s = mover.start_s + float(random.uniform(0.0, stride_s)) + one * 1.5
    while mover.place_m(at_s) is not None:
        for number, beat in enumerate(beats):
            when_s = at_s + stride_s * (beat + float(random.normal(0.0, 0.012)))
            place = mover.place_m(when_s)
            if place is not None:
                share = 1.15 if number % 2 else 0.85  # the forehand carries more
                yield Impact(
                    when_s,
                    (place[0] + aside_m[0], place[1] + aside_m[1]),
                    kind,
                    weight * share * float(random.lognormal(0.0, 0.12)),
                )
        at_s += stride_s * float(random.normal(1.0, 0.03))


def _cow(mover: Mover, random: np.random.Generator, one: int) -> Iterator[Impact]:
    """Slow strides, a stop to graze every few, no two beasts alike and none in step."""
    weight = mover.size * mover.mass_kg / HORSE_KG * 2.2 * float(random.uniform(0.6, 1.2))
    aside_m = (random.normal(0.0, 4.0), random.normal(0.0, 4.0))
    stride_s = 1.0 / float(random.uniform(0.6, 1.0))
    at_s = mover.start_s + float(random.uniform(0.0, 4.0 * stride_s)) + one * 0.7
    while (place := mover.place_m(at_s)) is not None:
        for beat in WALK_BEATS:
            yield Impact(
                at_s + stride_s * (beat + float(random.normal(0.0, 0.05))),
                (place[0] + aside_m[0], place[1] + aside_m[1]),
                "cow",
                weight * float(random.lognormal(0.0, 0.3)),
            )
        at_s += stride_s * float(np.clip(random.normal(1.0, 0.15), 0.7, 1.6))
        if random.random() < 0.12:
            at_s += float(random.uniform(0.7, 6.0))


def _digging(mover: Mover, random: np.random.Generator) -> Iterator[Impact]:
    """Bouts of 6 to 15 blows, one in 0.35 to 2 s, with rests between, on one spot.

    A pick is swung once or twice a second; a spade is driven in, and what it lifts falls.
    """
    picks = (mover.manner or str(random.choice(("pick", "shovel")))) == "pick"
    strength = mover.size * float(random.lognormal(0.2, 0.2))
    pause_s = float(random.uniform(0.7, 1.2)) if picks else float(random.uniform(1.0, 1.9))
    at_s = mover.start_s + float(random.uniform(0.2, 1.0))
    left = int(random.integers(6, 16))
    while mover.place_m(at_s) is not None:
        size = strength * float(random.lognormal(0.0, 0.35))
        yield Impact(at_s, mover.start_m, "pick" if picks else "spade", size)
        if not picks:
            late_s = float(random.uniform(0.35, 0.55)) * pause_s
            yield Impact(at_s + late_s, mover.start_m, "heap", size * random.uniform(0.4, 1.1))
        at_s += float(np.clip(pause_s * random.gamma(6.0, 1.0 / 6.0), 0.35, 3.0))
        left -= 1
        if left == 0:
            at_s += float(random.uniform(2.0, 6.0))
            left = int(random.integers(6, 16))


def _knocks(mover: Mover, random: np.random.Generator) -> Iterator[Impact]:
    """Single knocks, dropped things and slammed doors, sometimes two at once; no rhythm."""
    at_s = mover.start_s
    while mover.place_m(at_s) is not None:
        kind = str(random.choice(("knock", "slam", "thud", "slam")))
        size = mover.size * float(random.lognormal(0.6, 0.6))
        yield Impact(at_s, mover.start_m, kind, size)
        if random.random() < 0.25:
            yield Impact(at_s + random.uniform(0.15, 0.9), mover.start_m, kind, 0.7 * size)
        at_s += 3.0 + float(random.exponential(25.0))


def _piston(mover: Mover, random: np.random.Generator) -> Iterator[Impact]:
    """One to four thuds a second, as regular as an engine is, for minutes on end."""
    hz = mover.frequency_hz or float(random.uniform(0.8, 4.0))
    loose = float(random.uniform(0.001, 0.006))
    second = float(random.uniform(0.2, 0.9))  # the way back is softer
    at_s = mover.start_s
    while mover.place_m(at_s) is not None:
        jitter_s = float(random.normal(0.0, loose)) / hz
        size = mover.size * float(random.lognormal(0.0, 0.04))
        yield Impact(at_s + jitter_s, mover.start_m, "piston", size)
        yield Impact(at_s + jitter_s + 0.5 / hz, mover.start_m, "piston", size * second)
        at_s += 1.0 / hz
