"""The fence of `garita bench footfalls`: who walks along it when, and when each is to be heard.

Stretches of three sensors lie so far apart that no two hear the same steps. A footfall is clear
where its peak in the footstep band is four times the noise's rms before it; the fourth is the last
of four clear ones in a row at one sensor, the earliest of a stretch's sensors.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.study.ground_passes import RATE_HZ, Array, footstep_band
from edge.study.ground_scenes import open_sites
from edge.study.packs import REPORT_SEED
from simulators.scenario import Mover, Scenario, SensorPlace

STRETCHES = 16
SENSORS = 3
SPACING_M = 15.0
APART_M = 2_000.0
BEFORE_M = 25.0  # of the way, beyond a stretch's ends
FIRST_S = 45.0  # floors and averages have settled
STAGGER_S = 4.0
REST_S = 85.0  # the last alert is cleared and its track forgotten: 45 s and 30 s
CLEAR, PLAIN = 4.0, 8.0
"""Times the rms."""
NOISE_S = 10.0
IN_A_ROW = 4
REFRACTORY_S = 0.25  # a step's own ringing is no step
NEXT_WITHIN_S = 1.2  # slower than this nobody walks


@dataclass(frozen=True, slots=True)
class Walk:
    """One walker, and when the fourth clear footfall arrives; None where there are no four."""

    stretch: str
    start_s: float
    end_s: float
    fourth_s: float | None
    plain_s: float | None = None
    """The same of footfalls twice as clear."""


def fence(
    seed: int, start_utc_ns: int, duration_s: float, *, stretches: int = STRETCHES
) -> Scenario:
    """Walkers pass every stretch, one at a time, each at its own place, pace and weight."""
    random = np.random.default_rng((seed, 11))
    sites = open_sites(REPORT_SEED + seed)
    sensors: list[SensorPlace] = []
    movers: list[Mover] = []
    for number in range(stretches):
        zone, x_m = f"stretch-{number + 1:02d}", APART_M * number
        site = sites[number % len(sites)]
        sensors += [
            SensorPlace(
                sensor_id=f"geo-{number + 1:02d}-{place + 1}",
                kind="shake-udp",
                zone=zone,
                place_m=(x_m, SPACING_M * place),
                options=(("channels", "EHZ"), ("site", site)),
            )
            for place in range(SENSORS)
        ]
        at_s = FIRST_S + STAGGER_S * number
        while True:
            aside_m = float(random.uniform(2.0, 10.0))
            mover = Mover(
                mover_id=f"{zone}-{round(at_s)}",
                kind="person",
                zone=zone,
                start_s=at_s,
                start_m=(x_m + aside_m, -BEFORE_M),
                end_m=(x_m + aside_m, SPACING_M * (SENSORS - 1) + BEFORE_M),
                speed_m_s=float(random.uniform(1.1, 1.8)),
                mass_kg=float(random.uniform(45.0, 110.0)),
            )
            if mover.end_s + 10.0 > duration_s:
                break
            movers.append(mover)
            at_s = mover.end_s + REST_S
    return Scenario(
        name="fence",
        seed=seed,
        start_utc_ns=start_utc_ns,
        duration_s=math.ceil(duration_s),
        sensors=tuple(sensors),
        movers=tuple(movers),
        wind_m_s=float(random.uniform(1.0, 4.0)),
    )


def walks(scenario: Scenario) -> list[Walk]:
    """Every walker of the scenario."""
    found: dict[tuple[str, float], float] = {}
    still = replace(scenario, movers=())
    for place in scenario.sensors:
        mine = [mover for mover in scenario.movers if mover.zone == place.zone]
        alone = replace(scenario, movers=tuple(mine))
        noise, both = (footstep_band(one, place.sensor_id) for one in (still, alone))
        steps = both - noise
        for mover in mine:
            for clear in (CLEAR, PLAIN):
                at_s = fourth_clear_s(steps, noise, mover.start_s, mover.end_s, clear)
                if at_s is not None:
                    key = (mover.mover_id, clear)
                    found[key] = min(at_s, found.get(key, math.inf))
    return [
        Walk(
            stretch=mover.zone,
            start_s=mover.start_s,
            end_s=mover.end_s,
            fourth_s=found.get((mover.mover_id, CLEAR)),
            plain_s=found.get((mover.mover_id, PLAIN)),
        )
        for mover in scenario.movers
    ]


def fourth_clear_s(
    steps: Array, noise: Array, from_s: float, to_s: float, times: float = CLEAR
) -> float | None:
    """When the last of the first four clear footfalls in a row peaks, in (from_s, to_s)."""
    first, last = round(from_s * RATE_HZ), round((to_s + 1.0) * RATE_HZ)
    before = noise[max(0, first - round(NOISE_S * RATE_HZ)) : first]
    clear = times * float(np.sqrt(np.mean(before**2)))
    size = np.abs(steps[first:last])
    reach = round(REFRACTORY_S * RATE_HZ)
    row: list[int] = []
    for index in np.flatnonzero(size >= clear).tolist():
        if size[index] < size[max(0, index - reach) : index + reach + 1].max():
            continue
        if row and index - row[-1] <= reach:
            continue  # as high as the last, to the count
        if row and index - row[-1] > NEXT_WITHIN_S * RATE_HZ:
            row.clear()
        row.append(index)
        if len(row) == IN_A_ROW:
            return from_s + index / RATE_HZ
    return None
