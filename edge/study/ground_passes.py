"""Somebody on foot passes one ground sensor, in wind, with a road some way off."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.study.ground_scenes import AFTER_S, WARM_S, Ground, Scene
from simulators.scenario import Scenario
from simulators.seismic import GroundMotion

HALF_WAY_M = 45.0  # a pass is told from so far before its nearest point to so far after
BESIDE_M = (1.0, 20.0)
"""The figures are of walkers that pass within 20 m of the sensor."""
MASS_KG = (45.0, 110.0)  # facts/seismic.md 3.3
WIND_M_S = (1.0, 9.0)  # calm to a fresh breeze
ROAD_M = (150.0, 500.0)
"""To the road; the demo's fence stands 400 m from its lanes."""
APART_S = (60.0, 300.0)  # between vehicles, both ways together
BUSY_ROAD_M, BUSY_APART_S = (60.0, 150.0), (20.0, 60.0)
GAITS = {"walking": (1.0, 1.9), "running": (2.5, 4.2), "stealthy": (0.5, 1.0)}
"""Speed in m/s."""
RATE_HZ = 100
BAND_HZ = (5.0, 40.0)
STEP_S = 0.6
IN_A_ROW = 8
NOISE_S = 6.0

Array = NDArray[np.float64]


def pass_by(
    seed: int, gait: str = "walking", sites: Sequence[str] = (), *, busy: bool = False
) -> Scene:
    """One pass of one person on one of the sites, else on open ground; beside a busy road."""
    ground = Ground.of(seed, 1, sites)
    nearest_m = ground.uniform(*BESIDE_M)
    speed_m_s = ground.uniform(*GAITS[gait])
    mass_kg = ground.uniform(*MASS_KG)
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    mover = ground.put(
        "stealth" if gait == "stealthy" else "person",
        WARM_S,
        ground.line(nearest_m, HALF_WAY_M, HALF_WAY_M),
        speed_m_s=speed_m_s,
        mass_kg=mass_kg,
    )
    duration_s = mover.end_s + AFTER_S
    road_m = ground.log_uniform(*(BUSY_ROAD_M if busy else ROAD_M))
    apart_s = ground.log_uniform(*(BUSY_APART_S if busy else APART_S))
    ground.road(road_m, apart_s, duration_s)
    return Scene(
        scenario=ground.scenario(duration_s),
        seed=seed,
        site=ground.site,
        sensor=ground.sensor,
        what=gait,
        from_s=mover.start_s,
        to_s=mover.end_s,
        nearest_s=(mover.start_s + mover.end_s) / 2.0,
        range_m=nearest_m,
        detail=f"{nearest_m:.0f} m, {speed_m_s:.1f} m/s, {mass_kg:.0f} kg, "
        f"a vehicle in {apart_s:.0f} s at {road_m:.0f} m",
    )


def footstep_band(scenario: Scenario, sensor_id: str) -> Array:
    """(samples,) vertical velocity at a sensor in the footstep band, m/s at 100 Hz."""
    ground = GroundMotion(scenario, sensor_id, RATE_HZ, "Z")
    seconds = math.ceil(scenario.duration_s)
    motion = np.concatenate([ground.next_second()[0] for _ in range(seconds)])
    spectrum = np.fft.rfft(motion)
    frequency_hz = np.fft.rfftfreq(len(motion), 1.0 / RATE_HZ)
    spectrum[(frequency_hz < BAND_HZ[0]) | (frequency_hz > BAND_HZ[1])] = 0.0
    return np.fft.irfft(spectrum, len(motion))


def clearness(scenario: Scenario) -> float:
    """How far the steps of the scenario's first mover stand out at its sensor.

    The median peak of eight steps in a row over the rms of all else around each, at best.
    """
    sensor_id = scenario.sensors[0].sensor_id
    noise = footstep_band(replace(scenario, movers=scenario.movers[1:]), sensor_id)
    steps = footstep_band(scenario, sensor_id) - noise
    size = round(STEP_S * RATE_HZ)
    rows = len(steps) // size
    peaks = np.abs(steps[: rows * size]).reshape(rows, size).max(axis=1)
    power = (noise[: rows * size] ** 2).reshape(rows, size).mean(axis=1)
    reach = round(NOISE_S / STEP_S) // 2
    around = np.ones(2 * reach + 1) / (2 * reach + 1)
    rms = np.sqrt(np.convolve(np.pad(power, reach, mode="edge"), around, "valid"))
    windows = np.lib.stride_tricks.sliding_window_view(peaks / rms, IN_A_ROW)
    return float(np.median(windows, axis=1).max())
