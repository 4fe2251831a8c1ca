"""Every blow that a station feels, laid into its motion in order of arrival."""

import math
from collections.abc import Iterator

import numpy as np

from simulators.ground import LEAD_S, Floats
from simulators.ground_noise import Wind
from simulators.ground_rolling import USUAL_M, WAGON_M
from simulators.ground_sources import Impact, impacts
from simulators.ground_station import BLOCK_S, Station, chance
from simulators.movers import Mover

BUMPS_RANGE_M = (15.0, 120.0)
RATTLE_RANGE_M = (1.5, 12.0)
RATTLE_WIND_M_S = 8.0
JOLTING = ("vehicle", "car", "truck")
Arrival = tuple[float, float, Impact]
"""(seconds, range in m, blow)."""


class Blows:
    """Wavelets of every impact within reach."""

    def __init__(self, station: Station, wind: Wind) -> None:
        self._station = station
        self._wind = wind
        self._wavelets = station.wavelets
        arrivals: list[Arrival] = []
        for mover in station.scenario.movers:
            for impact in (*impacts(station.scenario, mover), *self._jolts(mover)):
                self._arrive(arrivals, impact)
        for impact in (*self._bumps(), *self._rattles()):
            self._arrive(arrivals, impact)
        self._arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
        self._next = 0

    def add(self, motion: Floats, start_s: int) -> None:
        """The blows that arrive within the block."""
        while self._next < len(self._arrivals):
            arrival_s, range_m, impact = self._arrivals[self._next]
            if arrival_s >= start_s + BLOCK_S:
                break
            self._next += 1
            self._strike(motion, max(arrival_s - start_s, 0.0), range_m, impact)

    def _arrive(self, arrivals: list[Arrival], impact: Impact) -> None:
        range_m = math.dist(impact.place_m, self._station.place_m)
        arrival_s = impact.at_s + self._wavelets.delay_s(range_m)
        if range_m <= self._wavelets.farthest_m and arrival_s >= -LEAD_S:
            arrivals.append((arrival_s, range_m, impact))

    def _strike(self, motion: Floats, after_s: float, range_m: float, impact: Impact) -> None:
        place_m = self._station.place_m
        phases = self._wavelets.phases
        first, phase = divmod(math.floor(after_s * self._station.rate_hz * phases), phases)
        wavelet = self._wavelets.get(impact.kind, range_m)[:, phase]
        wavelet = wavelet * (impact.size * self._station.coupling)
        samples = slice(first, first + wavelet.shape[1])
        east = (place_m[0] - impact.place_m[0]) / max(range_m, 1e-9)
        north = (place_m[1] - impact.place_m[1]) / max(range_m, 1e-9)
        for row, axis in zip(motion, self._station.axes, strict=True):
            if axis == "Z":
                row[samples] += wavelet[0]
            else:
                row[samples] += wavelet[1] * (north if axis == "N" else east)

    def _beside(self, range_m: float, angle: float) -> tuple[float, float]:
        x_m, y_m = self._station.place_m
        return (x_m + range_m * math.cos(angle), y_m + range_m * math.sin(angle))

    def _jolts(self, mover: Mover) -> Iterator[Impact]:
        """A wheel in a hole, every few metres of a bad road; the wheels of a train on a joint."""
        if mover.kind == "train":
            yield from self._joint(mover)
        if mover.kind not in JOLTING:
            return
        random = chance(self._station.scenario, f"{mover.mover_id}/jolts")
        every_s = float(random.lognormal(1.6, 0.6)) * 6.0 / max(mover.speed_m_s, 1.0)
        at_s = mover.start_s + float(random.exponential(every_s))
        while (place := mover.place_m(at_s)) is not None:
            size = mover.size * (mover.mass_kg / 1500.0) ** 0.4 * random.lognormal(-0.5, 0.5)
            size *= mover.speed_m_s / 12.0
            yield Impact(at_s, place, "bump", size)
            behind_s = (mover.length_m or 4.5) * 0.6 / max(mover.speed_m_s, 1.0)
            yield Impact(at_s + behind_s, place, "bump", size * random.uniform(0.6, 1.2))
            at_s += float(random.exponential(every_s)) + 0.3

    def _joint(self, mover: Mover) -> Iterator[Impact]:
        """The joint of the rails that is nearest: struck by both bogies of every wagon."""
        random = chance(self._station.scenario, f"{mover.mover_id}/joint")
        way_m = math.dist(mover.start_m, mover.end_m)
        speed_m_s = way_m / max(mover.end_s - mover.start_s, 1e-9)
        times_s = np.linspace(mover.start_s, mover.end_s, 201)
        places = [mover.place_m(min(float(at_s), mover.end_s)) for at_s in times_s]
        near = [math.dist(place, self._station.place_m) for place in places if place is not None]
        nearest = int(np.argmin(near))
        place = places[nearest]
        assert place is not None
        wagons = round((mover.length_m or USUAL_M["train"]) / WAGON_M)
        for wagon in range(wagons):
            for bogie_m in (0.15 * WAGON_M, 0.85 * WAGON_M):
                at_s = float(times_s[nearest]) + (wagon * WAGON_M + bogie_m) / speed_m_s
                size = mover.size * speed_m_s / 20.0 * float(random.lognormal(2.0, 0.3))
                yield Impact(at_s, place, "bump", size)

    def _bumps(self) -> Iterator[Impact]:
        """Single faint knocks of no known cause, more of them by day."""
        site, scenario = self._station.site, self._station.scenario
        if site.bumps_per_h <= 0.0:
            return
        random = self._station.chance("bumps")
        at_s = float(random.exponential(3600.0 / site.bumps_per_h))
        while at_s < scenario.duration_s:
            day = self._station.day(at_s)
            if random.random() < day / site.swing:
                range_m = float(random.uniform(*BUMPS_RANGE_M))
                wanted_m_s = site.noise_m_s * day * float(random.lognormal(1.8, 0.6))
                kind = str(random.choice(("thud", "slam", "heap", "bump")))
                size = wanted_m_s / self._wavelets.peak(kind, range_m)
                place = self._beside(range_m, float(random.uniform(0.0, 2.0 * math.pi)))
                yield Impact(at_s, place, kind, size)
            at_s += float(random.exponential(3600.0 / site.bumps_per_h))

    def _rattles(self) -> Iterator[Impact]:
        """Branches and fences near by, in the gusts: as the cube of the wind."""
        site, scenario = self._station.site, self._station.scenario
        if site.rattles_per_min <= 0.0:
            return
        random = self._station.chance("rattles")
        most = 3.0 * site.rattles_per_min / 60.0
        number = int(random.poisson(most * scenario.duration_s))
        times_s = np.sort(random.uniform(0.0, scenario.duration_s, number))
        blowing = self._wind.speed_m_s(times_s) / RATTLE_WIND_M_S * self._wind.gust(times_s) / 2.0
        kept = random.random(number) < np.minimum(blowing**3, 3.0) / 3.0
        for at_s in times_s[kept].tolist():
            range_m = float(random.uniform(*RATTLE_RANGE_M))
            place = self._beside(range_m, float(random.uniform(0.0, 2.0 * math.pi)))
            yield Impact(at_s, place, "rattle", float(random.lognormal(-3.2, 0.6)))
