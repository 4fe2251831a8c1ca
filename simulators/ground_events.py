"""What comes once and dies away: thunder, quakes, blasts, and the far hum that swells."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulators.ground import Floats
from simulators.ground_station import BLOCK_S, Station, chance
from simulators.ground_tones import GROUND_PER_PASCAL, SOUND_M_S
from simulators.movers import Mover

HIGHEST_HZ = 80.0


@dataclass(frozen=True, slots=True)
class Part:
    """Shaped noise with an envelope."""

    after_s: float
    """From the event's first motion."""
    size_m_s: float
    """Amplitude (of a sine of the same power) at the envelope's height."""
    centre_hz: float
    width_octaves: float
    rise_s: float
    fall_s: float
    """Of an exponential."""
    hold_s: float = 0.0

    @property
    def lasts_s(self) -> float:
        """Until 1/400 is left."""
        return 4.0 * self.rise_s + self.hold_s + 6.0 * self.fall_s

    def envelope(self, since_s: Floats) -> Floats:
        """Height at times since its own beginning."""
        rise = np.clip(since_s / max(self.rise_s, 1e-3), 0.0, 1.0)
        late_s = np.clip(since_s - self.rise_s - self.hold_s, 0.0, None)
        return np.asarray(np.sin(0.5 * math.pi * rise) * np.exp(-late_s / self.fall_s))


@dataclass(frozen=True, slots=True)
class Event:
    """Some parts that begin together."""

    at_s: float
    name: str
    parts: tuple[Part, ...]

    @property
    def lasts_s(self) -> float:
        """Until nothing is left of any part."""
        return max(part.after_s + part.lasts_s for part in self.parts)


def _thunder(mover: Mover, station: Station) -> Iterator[Event]:
    """A clap every half minute, 4 to 12 Hz for 5 to 30 s, at the speed of sound."""
    random = chance(station.scenario, f"{mover.mover_id}/thunder")
    at_s = mover.start_s + float(random.uniform(0.0, 4.0))
    number = 0
    while at_s < mover.end_s:
        angle = random.uniform(0.0, 2.0 * math.pi)
        out_m = float(random.lognormal(7.6, 0.6))  # 2 km, more or less
        place = (
            mover.start_m[0] + out_m * math.cos(angle),
            mover.start_m[1] + out_m * math.sin(angle),
        )
        range_m = math.dist(place, station.place_m)
        height = GROUND_PER_PASCAL * mover.size * 2000.0 / max(range_m, 300.0)
        claps = [
            Part(
                after_s=float(random.exponential(2.5)) if clap else 0.0,
                size_m_s=height * float(random.lognormal(0.0, 0.6)) * (0.6 if clap else 1.0),
                centre_hz=float(random.uniform(4.5, 11.0)),
                width_octaves=0.7,
                rise_s=float(random.uniform(0.15, 1.2)),
                fall_s=float(random.uniform(1.0, 4.5)),
            )
            for clap in range(int(random.integers(2, 7)))
        ]
        yield Event(at_s + range_m / SOUND_M_S, f"{mover.mover_id}/{number}", tuple(claps))
        at_s += 5.0 + float(random.exponential(30.0))
        number += 1


def _quake(mover: Mover, station: Station) -> Iterator[Event]:
    """P sharp and small, S larger and lower, then a coda of its scattering."""
    random = chance(station.scenario, f"{mover.mover_id}/quake")
    apart_s = mover.frequency_hz or float(random.uniform(1.5, 14.0))
    peak = mover.size * 1e-6
    far = math.exp(-apart_s / 12.0)  # high frequencies do not come from afar
    parts = (
        Part(0.0, 0.35 * peak, 3.0 + 5.0 * far, 1.0, 0.08, 0.8 + 0.4 * apart_s),
        Part(apart_s, peak, 2.0 + 4.0 * far, 1.1, 0.3, 1.5 + 0.25 * apart_s),
        Part(apart_s, 0.35 * peak, 1.6 + 3.0 * far, 1.0, 1.0, 6.0 + 0.9 * apart_s),
    )
    yield Event(mover.start_s, mover.mover_id, parts)


def _blast(mover: Mover, station: Station) -> Iterator[Event]:
    """A quarry's shot: body waves, then the slow surface wave, then the bang through the air."""
    random = chance(station.scenario, f"{mover.mover_id}/blast")
    range_m = max(math.dist(mover.start_m, station.place_m), float(random.uniform(800.0, 4000.0)))
    peak = mover.size * 1e-6
    parts = (
        Part(0.0, 0.4 * peak, 11.0, 0.8, 0.05, 0.5),
        Part(range_m / 1200.0, peak, float(random.uniform(2.5, 7.0)), 0.7, 0.5, 1.6),
        Part(range_m / SOUND_M_S, 0.7 * peak, 12.0, 1.0, 0.03, 0.25),
    )
    yield Event(mover.start_s, mover.mover_id, parts)


def _swells(station: Station) -> Iterator[Event]:
    """Far traffic and whatever else rises out of the noise for half a minute."""
    site = station.site
    if site.bumps_per_h <= 0.0:
        return
    random = station.chance("swells")
    mean_s = 3600.0 / (0.4 * site.bumps_per_h)
    at_s = float(random.exponential(mean_s))
    while at_s < station.scenario.duration_s:
        day = station.day(at_s)
        long_s = float(random.lognormal(2.2, 0.6))
        part = Part(
            after_s=0.0,
            size_m_s=site.noise_m_s * day * float(random.lognormal(1.0, 0.4)),
            centre_hz=float(random.uniform(4.0, 20.0)),
            width_octaves=float(random.uniform(0.3, 1.2)),
            rise_s=0.5 * long_s,
            fall_s=0.25 * long_s,
        )
        if random.random() < day / site.swing:
            yield Event(at_s, f"swell/{at_s:.3f}", (part,))
        at_s += float(random.exponential(mean_s))


_EVENTS: dict[str, Callable[[Mover, Station], Iterator[Event]]] = {
    "thunder": _thunder,
    "quake": _quake,
    "blast": _blast,
}


class Events:
    """Each event's motion, drawn when it comes and kept until it has died away."""

    def __init__(self, station: Station) -> None:
        self._station = station
        found = [
            event
            for mover in station.scenario.movers
            if mover.kind in _EVENTS
            for event in _EVENTS[mover.kind](mover, station)
        ]
        found += _swells(station)
        self._events = sorted(found, key=lambda event: event.at_s)
        self._next = 0
        self._sounding: list[tuple[int, Floats]] = []

    def add(self, motion: Floats, start_s: int) -> None:
        """The part of each event that lies in the block."""
        rate = self._station.rate_hz
        while self._next < len(self._events):
            event = self._events[self._next]
            if event.at_s >= start_s + BLOCK_S:
                break
            self._next += 1
            self._sounding.append((round(event.at_s * rate), self._made(event)))
        first, last = start_s * rate, (start_s + BLOCK_S) * rate
        for at, wave in self._sounding:
            from_, to = max(at, first), min(at + wave.shape[1], last)
            if to > from_:
                motion[:, from_ - first : to - first] += wave[:, from_ - at : to - at]
        self._sounding = [one for one in self._sounding if one[0] + one[1].shape[1] > last]

    def _made(self, event: Event) -> Floats:
        """(axes, samples) m/s, at the station."""
        station = self._station
        rate = station.rate_hz
        random = station.chance(event.name)
        samples = math.ceil(event.lasts_s * rate)
        wave = np.zeros((len(station.axes), samples))
        for part in event.parts:
            first = round(part.after_s * rate)
            number = min(math.ceil(part.lasts_s * rate), samples - first)
            seconds = 2.0 ** math.ceil(math.log2(max(number / rate, 1.0)))
            f = station.frequencies(seconds)
            f = f[f <= HIGHEST_HZ]
            octaves = np.log2(np.maximum(f, 0.05) / part.centre_hz) / (0.5 * part.width_octaves)
            shape = np.exp(-0.5 * octaves**2) * np.abs(station.response(f))
            flat = float(np.sqrt((np.exp(-(octaves**2))).sum()))
            normal = random.standard_normal((len(station.axes), f.size, 2))
            spectrum = normal.view(np.complex128)[..., 0] * shape
            whole = round(seconds * rate)
            noise = np.fft.irfft(spectrum, whole)[:, :number] * (whole / (2.0 * flat))
            since_s = np.arange(number) / rate
            size = part.size_m_s * station.coupling * 0.7071
            wave[:, first : first + number] += noise * part.envelope(since_s) * size
        return wave
