"""One station in the ground: what every voice of its motion needs to know, and slow chance."""

import math
import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulators.ground import (
    VARIANTS,
    Complexes,
    Floats,
    Wavelets,
    anti_alias,
    geophone,
    wavelets_of,
)
from simulators.ground_sensors import Instrument, instrument
from simulators.ground_site import Site
from simulators.ground_sites import SITES
from simulators.scenario import Scenario

BLOCK_S = 10  # motion is made so much at a time: long enough to be cheap, short to wait for
SPILL_S = 10  # what begins in a block may go on so long after it
LOCAL_FROM_UTC_S = -7 * 3600  # by which a site has its day; the Sonoran border's hours


def chance(scenario: Scenario, name: str) -> np.random.Generator:
    """A stream of its own for each name, the same for every sensor that looks at it."""
    return np.random.default_rng([scenario.seed & 0xFFFF_FFFF, zlib.crc32(name.encode())])


class SlowNoise:
    """Gaussian noise in closed form: a sum of sines, whenever it is asked for. Unit variance."""

    def __init__(
        self, random: np.random.Generator, shortest_s: float, longest_s: float, terms: int = 16
    ) -> None:
        periods_s = np.exp(random.uniform(math.log(shortest_s), math.log(longest_s), terms))
        self._per_s = 2.0 * math.pi / periods_s
        self._phase = random.uniform(0.0, 2.0 * math.pi, terms)
        self._size = math.sqrt(2.0 / terms)

    def at(self, times_s: Floats) -> Floats:
        """Values at these times, (times,)."""
        return np.asarray(
            self._size * np.sin(np.multiply.outer(times_s, self._per_s) + self._phase).sum(axis=-1)
        )

    def integral(self, times_s: Floats) -> Floats:
        """Its integral over time, up to a constant, (times,)."""
        turns = np.cos(np.multiply.outer(times_s, self._per_s) + self._phase)
        return np.asarray(-self._size * (turns / self._per_s).sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Station:
    """Where a sensor stands, in what ground, and how it listens."""

    scenario: Scenario
    sensor_id: str
    place_m: tuple[float, float]
    site: Site
    instrument: Instrument
    corner_hz: float
    damping: float
    hum_m_s: float
    """Of mains, at its first line."""
    coupling: float
    """How well it is planted, as a factor."""
    rate_hz: int
    axes: str
    wavelets: Wavelets

    def response(self, frequency_hz: Floats) -> Complexes:
        """Of its geophone and its filter."""
        flat = self.instrument.flat_share
        filter_ = anti_alias(frequency_hz, self.rate_hz, flat)
        return np.asarray(geophone(frequency_hz, self.corner_hz, self.damping) * filter_)

    def chance(self, name: str) -> np.random.Generator:
        """A stream for each name that is this station's own."""
        return chance(self.scenario, f"{name}/{self.sensor_id}")

    def day(self, at_s: float) -> float:
        """The site's swing at a time: 1 from 22 to 5, its full size from 9 to 16."""
        local_s = self.scenario.start_utc_ns / 1e9 + at_s + LOCAL_FROM_UTC_S
        hour = local_s / 3600.0 % 24.0
        share = min(max((hour - 5.0) / 4.0, 0.0), max((22.0 - hour) / 6.0, 0.0), 1.0)
        return float(self.site.swing**share)

    def frequencies(self, seconds: float) -> Floats:
        """Of a spectrum of so many seconds."""
        samples = round(seconds * self.rate_hz)
        return np.asarray(np.fft.rfftfreq(samples, 1.0 / self.rate_hz))


class Voice(Protocol):
    """Something that moves the ground at a station."""

    def add(self, motion: Floats, start_s: int) -> None:
        """Add what begins in the `BLOCK_S` from `start_s` on.

        motion  (axes, samples) m/s of the block and of the `SPILL_S` after it
        """
        ...


def station_of(scenario: Scenario, sensor_id: str, rate_hz: int, axes: str) -> Station:
    """The station as the sensor's options, the scenario's site and its kind have it."""
    place = scenario.sensor(sensor_id)
    told = instrument(place)
    preset = place.option("site", scenario.site or place.option("soil", "loess"))
    site = SITES[preset].varied(chance(scenario, f"site/{preset}"))
    corner_hz = float(place.option("corner_hz", str(told.corner_hz)))
    damping = float(place.option("damping", str(told.damping)))
    of_its_own = chance(scenario, f"planted/{sensor_id}")
    variant = 0 if site.plain else int(of_its_own.integers(1, VARIANTS + 1))
    coupling = 1.0 if site.plain else float(of_its_own.lognormal(0.0, 0.2))
    hum = place.option("hum_um_s", "")
    return Station(
        scenario=scenario,
        sensor_id=sensor_id,
        place_m=place.place_m,
        site=site,
        instrument=told,
        corner_hz=corner_hz,
        damping=damping,
        hum_m_s=float(hum) * 1e-6 if hum else site.mains_m_s + told.hum_m_s,
        coupling=coupling,
        rate_hz=rate_hz,
        axes=axes,
        wavelets=wavelets_of(
            site,
            rate_hz,
            corner_hz=corner_hz,
            damping=damping,
            flat_share=told.flat_share,
            variant=variant,
            horizontal=axes != "Z",
        ),
    )
