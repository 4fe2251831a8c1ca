"""What hums: rotors in the air, engines and pumps on the ground, the links of a track."""

import math
from dataclasses import dataclass

import numpy as np

from simulators.ground import Floats, attenuation
from simulators.ground_station import BLOCK_S, SlowNoise, Station, chance
from simulators.movers import Mover
from simulators.scenario import Scenario

SOUND_M_S = 340.0
GROUND_PER_PASCAL = 2e-6
"""m/s of ground for a pascal of low sound over it (facts/seismic.md 3.2, thunder)."""
ROTOR_PA_M = {"ultralight": 11.0, "helicopter": 53.0}
"""Amplitude of the first line, 1 m away, if it spread from there: 75 dB at 100 m of a two-blade
prop, 85 dB at 150 m of a rotor [D]."""
ROTOR_HZ = {"ultralight": (80.0, 100.0), "helicopter": (10.0, 28.0)}
"""Blade rates: two blades at 2,400 to 3,000 rpm; 8 to 30 Hz (facts/seismic.md 3.2)."""
ENGINE_AT_10_M = {"generator": 2.5e-6, "pump": 1.5e-6}
"""Amplitude in m/s of the strongest line."""
TRACK_PITCH_M = (0.12, 0.19)
TRACK_AT_10_M = 30e-6  # of a 20 t vehicle at 4 m/s
KNOTS_PER_S = 20  # slow things are computed so often and drawn between


@dataclass(frozen=True, slots=True)
class Line:
    """A multiple of the base frequency."""

    order: float
    size: float
    phase: float


def lines(random: np.random.Generator, sizes: dict[float, float]) -> tuple[Line, ...]:
    """The orders with sizes that vary by some 30 %, and any phase."""
    return tuple(
        Line(order, size * float(random.lognormal(0.0, 0.3)), float(random.uniform(0.0, 6.28)))
        for order, size in sizes.items()
    )


class Rotor:
    """An aircraft: its line rises towards the station and falls behind it, as 1/r."""

    def __init__(self, station: Station, mover: Mover) -> None:
        random = chance(station.scenario, f"{mover.mover_id}/rotor")
        self._station, self._mover = station, mover
        self.from_s, self.to_s = mover.start_s, mover.end_s + 10.0
        own_hz = float(random.uniform(*ROTOR_HZ[mover.kind]))
        self.base_hz = mover.frequency_hz or own_hz
        if mover.kind == "ultralight":
            # An engine of four cylinders behind a gear: half and whole turns, both faint.
            gear = float(random.uniform(0.36, 0.45))
            sizes = {1.0: 1.0, 2.0: 0.5, 3.0: 0.25, gear: 0.05, 2.0 * gear: 0.06}
        else:
            sizes = {order: float(order) ** -0.8 for order in range(1, 9)}
            sizes[float(random.uniform(4.3, 5.7))] = 0.25  # its tail
        self.lines = lines(random, sizes)
        self._swell = SlowNoise(random, 1.5, 12.0)
        self._hunt = SlowNoise(random, 4.0, 40.0)
        self._pa_m = ROTOR_PA_M[mover.kind] * mover.size

    def turns_and_size(self, times_s: Floats) -> tuple[Floats, Floats, float]:
        """Turns of the base line, amplitude in m/s, and ground range: by air, delayed."""
        mover = self._mover
        x0, y0 = (a - b for a, b in zip(mover.start_m, self._station.place_m, strict=True))
        way_s = max(mover.end_s - mover.start_s, 1e-9)
        vx = (mover.end_m[0] - mover.start_m[0]) / way_s
        vy = (mover.end_m[1] - mover.start_m[1]) / way_s
        # Sent at t - tau, with (c tau)^2 = |place(t - tau)|^2: a quadratic in the delay tau.
        since_s = times_s - mover.start_s
        x, y = x0 + vx * since_s, y0 + vy * since_s
        a = SOUND_M_S**2 - vx * vx - vy * vy
        b = x * vx + y * vy
        c = x * x + y * y + mover.height_m**2
        late_s = (-b + np.sqrt(b * b + a * c)) / a
        sent_s = times_s - late_s
        range_m = np.maximum(SOUND_M_S * late_s, 5.0)
        turns = self.base_hz * (sent_s - mover.start_s + 0.006 * self._hunt.integral(sent_s))
        size = GROUND_PER_PASCAL * self._pa_m / range_m * np.exp(0.25 * self._swell.at(times_s))
        inside_s = np.minimum(sent_s - mover.start_s, mover.end_s - sent_s)
        return turns, size * np.clip(inside_s / 3.0, 0.0, 1.0), 0.0


class Engine:
    """A pump or a generator: on and off, with a run-up and a run-down of its speed."""

    def __init__(self, station: Station, mover: Mover) -> None:
        random = chance(station.scenario, f"{mover.mover_id}/engine")
        self._station, self._mover = station, mover
        self.from_s, self.to_s = mover.start_s, mover.end_s
        usual_hz = (24.2, 24.9, 29.0, 29.7, 48.5, 58.2) if mover.kind == "pump" else (25.0, 30.0)
        self.base_hz = mover.frequency_hz or float(random.choice(usual_hz))
        pump = {1.0: 1.0, 2.0: 0.7, 3.0: 0.5, 5.0: 0.4, 6.0: 0.3}
        generator = {0.5: 0.25, 1.0: 0.8, 1.5: 0.4, 2.0: 1.0, 3.0: 0.3, 4.0: 0.4, 6.0: 0.2}
        self.lines = lines(random, pump if mover.kind == "pump" else generator)
        self._hunt = SlowNoise(random, 2.0, 60.0)
        self._swell = SlowNoise(random, 3.0, 90.0)
        self._runs = self._schedule(random)
        self._at_10_m = ENGINE_AT_10_M[mover.kind] * mover.size * station.site.yields

    def _schedule(self, random: np.random.Generator) -> list[tuple[float, float]]:
        """(on, off) of each run: some minutes; a generator's seldom stops."""
        mover = self._mover
        mean_s = 120.0 if mover.kind == "pump" else 1200.0
        runs, at_s = [], mover.start_s
        while at_s < mover.end_s:
            until_s = min(at_s + float(random.uniform(0.4, 1.6)) * mean_s, mover.end_s)
            runs.append((at_s, until_s))
            at_s = until_s + float(random.uniform(0.4, 1.6)) * 0.7 * mean_s
        return runs

    def turns_and_size(self, times_s: Floats) -> tuple[Floats, Floats, float]:
        """Turns of the shaft, amplitude against 1 m from it, and its range."""
        size = np.zeros(times_s.size)
        turns = self.base_hz * (times_s - self.from_s + 0.002 * self._hunt.integral(times_s))
        for on_s, off_s in self._runs:
            if off_s < times_s[0] or on_s > times_s[-1]:
                continue
            run_up_s = 1.5
            since_s = np.clip(times_s - on_s, 0.0, None)
            missed_s = np.where(
                since_s < run_up_s, since_s - 0.5 * since_s**2 / run_up_s, 0.5 * run_up_s
            )
            running = (times_s >= on_s) & (times_s < off_s)
            turns = np.where(running, turns - self.base_hz * missed_s, turns)
            ramp = np.clip(np.minimum(since_s / run_up_s, (off_s - times_s) / 0.6), 0.0, 1.0)
            size += running * ramp
        size *= np.exp(0.15 * self._swell.at(times_s))
        range_m = math.dist(self._mover.start_m, self._station.place_m)
        return turns, size * self._at_10_m, range_m


class Track:
    """The links of a tracked vehicle: a comb at speed over pitch."""

    def __init__(self, station: Station, mover: Mover) -> None:
        random = chance(station.scenario, f"{mover.mover_id}/track")
        self._station, self._mover = station, mover
        self.from_s, self.to_s = mover.start_s, mover.end_s
        self._speed_m_s = math.dist(mover.start_m, mover.end_m) / max(self.to_s - self.from_s, 1e-9)
        pitch_hz = self._speed_m_s / float(random.uniform(*TRACK_PITCH_M))
        self.base_hz = mover.frequency_hz or pitch_hz
        self.lines = lines(random, {1.0: 1.0, 2.0: 0.6, 3.0: 0.4, 4.0: 0.2})
        self._hunt = SlowNoise(random, 3.0, 20.0)
        heavy = math.sqrt(mover.mass_kg / 20_000.0) * self._speed_m_s / 4.0
        self._at_10_m = TRACK_AT_10_M * mover.size * heavy * station.site.yields

    def turns_and_size(self, times_s: Floats) -> tuple[Floats, Floats, float]:
        """Turns of the comb's first line, amplitude against 1 m from it, and its range."""
        mover = self._mover
        share = np.clip((times_s - self.from_s) / max(self.to_s - self.from_s, 1e-9), 0.0, 1.0)
        x_m = mover.start_m[0] + share * (mover.end_m[0] - mover.start_m[0])
        y_m = mover.start_m[1] + share * (mover.end_m[1] - mover.start_m[1])
        range_m = np.hypot(x_m - self._station.place_m[0], y_m - self._station.place_m[1])
        inside_s = np.minimum(times_s - self.from_s, self.to_s - times_s)
        size = self._at_10_m * np.clip(inside_s / 3.0, 0.0, 1.0)
        turns = self.base_hz * (times_s - self.from_s + 0.03 * self._hunt.integral(times_s))
        # The loss with range is that of the block's middle; the spreading is exact.
        middle_m = float(range_m[range_m.size // 2])
        spread = np.sqrt(max(middle_m, 1.0) / np.maximum(range_m, 1.0))
        return turns, size * spread, middle_m


Tone = Rotor | Engine | Track


def tones(station: Station, scenario: Scenario) -> list[Tone]:
    """Everything that hums in a scenario, by when it starts."""
    found: list[Tone] = []
    for mover in scenario.movers:
        if mover.kind in ROTOR_PA_M:
            found.append(Rotor(station, mover))
        elif mover.kind == "tracked":
            found.append(Track(station, mover))
        elif mover.kind in ENGINE_AT_10_M and mover.manner != "piston":
            found.append(Engine(station, mover))
    return sorted(found, key=lambda tone: tone.from_s)


class Tones:
    """The waves of all lines, each through ground or air, geophone and filter."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._tones = tones(station, station.scenario)
        self._samples = BLOCK_S * station.rate_hz
        self._offsets_s = np.arange(self._samples) / station.rate_hz
        knots = BLOCK_S * KNOTS_PER_S + 1
        self._knots_s = np.arange(knots) / KNOTS_PER_S

    def add(self, motion: Floats, start_s: int) -> None:
        """The lines that sound in the block."""
        for tone in self._tones:
            if tone.from_s < start_s + BLOCK_S and start_s < tone.to_s:
                self._sound(motion, tone, start_s)

    def _sound(self, motion: Floats, tone: Tone, start_s: int) -> None:
        station = self._station
        turns, size, range_m = tone.turns_and_size(start_s + self._knots_s)
        if not size.any():
            return
        hz = float(np.median(np.diff(turns))) * KNOTS_PER_S
        # What the line runs ahead of its middle frequency is smooth, and drawn between knots.
        ahead = np.interp(self._offsets_s, self._knots_s, turns - turns[0] - hz * self._knots_s)
        phase = 2.0 * math.pi * (turns[0] + hz * self._offsets_s + ahead)
        amplitude = np.interp(self._offsets_s, self._knots_s, size) * station.coupling
        for line in tone.lines:
            line_hz = np.array([line.order * hz])
            gain = complex(station.response(line_hz)[0]) * line.size
            if range_m > 0.0:
                ranges = np.array([range_m, 10.0])
                loss = attenuation(station.site, line_hz, ranges)[:, 0]
                gain *= float(loss[0] / loss[1])
            if abs(gain) < 1e-4:
                continue
            for row, axis in zip(motion, station.axes, strict=True):
                turn = 0.0 if axis == "Z" else 1.2
                wave = np.sin(line.order * phase + line.phase + turn)
                row[: self._samples] += (
                    wave * amplitude * (abs(gain) * (1.0 if axis == "Z" else 0.6))
                )
