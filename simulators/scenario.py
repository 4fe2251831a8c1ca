"""The seeded script of a day: who crosses where, when, carrying what, and what is true.

One scenario drives every simulator, so one truck is in the portal, in the scanner and in
the ground at consistent times. All times are seconds from the scenario's start; places are
metres in the checkpoint's frame (x east, y north); lengths along a vehicle run from its front.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulators.movers import Mover as Mover  # noqa: PLC0414 - scenarios are told with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Radioactive material in a vehicle."""

    nuclide: str
    """`"Cs-137"`, `"Tc-99m"`, `"K-40"`, `"Cf-252"`, ...; `"NORM"` for a mix of K, Ra, Th."""
    activity_mbq: float
    from_m: float
    to_m: float
    """Equal to `from_m` for a point; otherwise spread evenly between the two."""
    shield_lead_g_cm2: float = 0.0
    """Lead around it, seen by the portal as attenuation and by the scanner as a dense block."""
    shield_steel_g_cm2: float = 0.0
    shield_poly_g_cm2: float = 0.0
    """Polyethylene around it, which stops neutrons too."""
    in_body: bool = False
    """Within a person: tissue around it."""
    neutrons_per_s: float = 0.0
    across_m: float = 0.0
    """From the lane's middle, towards the second pillar (panels 3 and 4)."""
    height_m: float | None = None
    """Above the road; None: level with the middle of each panel."""
    profile_power: float = 1.5
    """p of the profile (d2 / (d2 + x2))^p: 1 for the inverse square alone, 1.5 with a flat
    panel's cosine (facts/radiation 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """One block of load."""

    kind: str
    """`"bulk"`, `"pallets"`, `"drums"`, `"produce"`, `"scrap"`, `"machinery"` or `"object"`."""
    material: str
    """`"organic"`, `"aluminium"`, `"steel"` or `"lead"`."""
    density_g_cm3: float
    """Mean over the block."""
    from_m: float
    to_m: float
    bottom_m: float = 0.0
    """Above the load floor."""
    top_m: float = 2.2
    width_m: float = 2.2
    """Across the vehicle, along the beam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One passage through a lane: at constant speed, or as `speeds` has it."""

    vehicle_id: str
    lane: str
    at_portal_s: float
    """When its front breaks the portal's beam."""
    speed_m_s: float = 2.2
    length_m: float = 18.0
    box_m: tuple[float, float] = (4.5, 17.5)
    """The container's or trailer's front and rear wall."""
    mass_kg: float = 15_000.0
    suppression: float = 0.12
    """Share of the background that the vehicle shields at its middle."""
    cargo: tuple[Cargo, ...] = ()
    sources: tuple[Source, ...] = ()
    scanned: bool = True
    """False: it drives past the scanner."""
    declared: str = ""
    """What the papers say: `"empty"`, an HS chapter such as `"25"`, or nothing."""
    container: str = ""
    speeds: tuple[tuple[float, float], ...] = ()
    """(seconds after its front broke the beam, metres per second from then on), the first at 0:
    0 is a stop, less than 0 reverses; the last must be more than 0. Empty: `speed_m_s`."""

    def passed_m(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far its front is beyond the portal's beam at these times."""
        since_s = at_s - self.at_portal_s
        if not self.speeds:
            return since_s * self.speed_m_s
        starts_s, speeds_m_s, places_m = self._knots()
        leg = np.clip(np.searchsorted(starts_s, since_s, side="right") - 1, 0, None)
        return np.asarray(places_m[leg] + (since_s - starts_s[leg]) * speeds_m_s[leg])

    def speed_at(self, at_s: float) -> float:
        """Metres per second at that time, less than 0 while it reverses."""
        speed_m_s = self.speeds[0][1] if self.speeds else self.speed_m_s
        for start_s, now_m_s in self.speeds:
            if start_s <= at_s - self.at_portal_s:
                speed_m_s = now_m_s
        return speed_m_s

    def reaches_s(self, place_m: float) -> float:
        """When its front is for the last time so many metres after the portal's beam."""
        return self._crossings_s(place_m)[-1]

    def in_beam_s(self) -> tuple[tuple[float, float], ...]:
        """The times (from, to) during which it breaks the portal's beam: one, or several."""
        times_s = [*self._crossings_s(0.0), *self._crossings_s(self.length_m)]
        times_s.sort()
        spans = []
        for from_s, to_s in itertools.pairwise(times_s):
            middle_m = float(self.passed_m(np.array([(from_s + to_s) / 2]))[0])
            if 0.0 < middle_m < self.length_m:
                spans.append((from_s, to_s))
        return tuple(spans)

    def near_s(self, away_m: float) -> tuple[float, float]:
        """From when its front to when its rear is within so many metres of the beam."""
        spans_s = self.in_beam_s()
        from_s, to_s = spans_s[0][0], spans_s[-1][1]
        return from_s - away_m / self.speed_at(from_s), to_s + away_m / self.speed_at(to_s)

    def _crossings_s(self, place_m: float) -> list[float]:
        """Every time at which its front is at that place, in order."""
        if not self.speeds:
            return [self.at_portal_s + place_m / self.speed_m_s]
        starts_s, speeds_m_s, places_m = (column.tolist() for column in self._knots())
        found = []
        for leg, (start_s, speed_m_s, from_m) in enumerate(
            zip(starts_s, speeds_m_s, places_m, strict=True)
        ):
            if speed_m_s == 0.0:
                continue
            since_s = (place_m - from_m) / speed_m_s
            first = -math.inf if leg == 0 else 0.0
            last = starts_s[leg + 1] - start_s if leg + 1 < len(starts_s) else math.inf
            if first <= since_s < last:
                found.append(self.at_portal_s + start_s + since_s)
        return found

    def _knots(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Start, speed and first place of each leg."""
        starts_s, speeds_m_s = np.array(self.speeds, dtype=np.float64).T
        legs_m = np.diff(starts_s) * speeds_m_s[:-1]
        return starts_s, speeds_m_s, np.concatenate([[0.0], np.cumsum(legs_m)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something happens to a sensor itself."""

    sensor_id: str
    kind: str
    """`"tamper"`, `"silent"`, `"garbage"`; `"stuck"`: the same reading again and again, of TSA
    portals, Shakes and scanners of files; of portals `"gamma-high"`, `"gamma-low"`,
    `"neutron-high"`, `"panel-dead"`, `"panel-noisy"`, of TSA portals `"late"` and
    `"beam-blind"`: a light barrier that no vehicle breaks; of ground sensors
    `"loss"`, `"clock-step"`, `"clock-drift"`, of Shakes `"noisy"`; of scanners `"stripe"`,
    `"partial"`, `"clock-step"`, line by line also `"reorder"`, `"duplicate"`, `"loss"`, `"cut"`,
    `"stall"`, `"restart"`."""
    start_s: float
    end_s: float
    part: int = 0
    """Which panel or detector, counted from 0, where the fault is of one."""
    size: float = 0.0
    """Of a loss the share of packets, of a clock's step and of what comes late seconds, of a drift
    seconds a million, of noise um/s; 0: as usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rain:
    """An episode of rain: radon daughters raise the gamma background, then decay."""

    start_s: float
    end_s: float
    rise: float = 0.1
    """Relative rise of the background at its end; afterwards 30 min half-life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePlace:
    """Where a lane lies. Vehicles drive along `heading_deg` (clockwise from north)."""

    lane: str
    portal_m: tuple[float, float]
    heading_deg: float
    scanner_after_m: float = 25.0
    """From the portal's beam to the scanner's, along the lane."""

    def place_m(self, after_portal_m: float) -> tuple[float, float]:
        """The point so many metres after the portal's beam."""
        angle = math.radians(self.heading_deg)
        return (
            self.portal_m[0] + after_portal_m * math.sin(angle),
            self.portal_m[1] + after_portal_m * math.cos(angle),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorPlace:
    """Where a sensor stands and what it watches."""

    sensor_id: str
    kind: str
    """Sensor kind of the config, such as `"rpm-tsa"`."""
    place_m: tuple[float, float] = (0.0, 0.0)
    lane: str = ""
    zone: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """What the simulator of this kind may be told, such as `("format", "tiff")`."""

    def option(self, name: str, default: str) -> str:
        """The option's value, or `default`."""
        return dict(self.options).get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A label: what really happened, and what a good system says of it."""

    name: str
    """`"clean"`, `"norm"`, `"patient"`, `"bare-source"`, ..."""
    subject: str
    """Vehicle, mover or sensor id."""
    place: str
    """Lane or zone."""
    start_s: float
    end_s: float
    events: tuple[str, ...]
    """Event codes of which at least one is right; empty: lawful, nothing of level 3 or 4."""
    nuclides: tuple[str, ...] = ()
    """What a spectroscopic portal may name."""
    detail: str = ""
    """The commodity, the shield, or what else tells one such thing from another."""
    hidden_m: tuple[tuple[float, float, float, float], ...] = ()
    """Of each thing hidden in a vehicle: (from, to) behind its front, (bottom, top) above the road,
    as a scan of it shows them."""


def fault_truth(fault: Fault, place: str, events: Sequence[str], detail: str = "") -> Truth:
    """The label of a sensor's fault."""
    return Truth(
        name=fault.kind,
        subject=fault.sensor_id,
        place=place,
        start_s=fault.start_s,
        end_s=fault.end_s,
        events=tuple(events),
        detail=detail,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that happens, in one immutable value."""

    name: str
    seed: int
    start_utc_ns: int
    duration_s: float
    lanes: tuple[LanePlace, ...] = ()
    sensors: tuple[SensorPlace, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    movers: tuple[Mover, ...] = ()
    faults: tuple[Fault, ...] = ()
    rain: tuple[Rain, ...] = ()
    wind_m_s: float = 2.0
    site: str = ""
    """Ground of the sensors that name none of their own (`ground_sites.SITES`)."""
    truth: tuple[Truth, ...] = field(default=())

    def lane(self, lane: str) -> LanePlace:
        """The lane of that name. KeyError where there is none."""
        return {place.lane: place for place in self.lanes}[lane]

    def sensor(self, sensor_id: str) -> SensorPlace:
        """The sensor of that id. KeyError where there is none."""
        return {place.sensor_id: place for place in self.sensors}[sensor_id]

    def lane_vehicles(self, lane: str) -> tuple[Vehicle, ...]:
        """The lane's passages in order of arrival at the portal."""
        passages = (vehicle for vehicle in self.vehicles if vehicle.lane == lane)
        return tuple(sorted(passages, key=lambda vehicle: vehicle.at_portal_s))

    def active(self, sensor_id: str, kind: str, at_s: float) -> bool:
        """Whether a fault of that kind is on at that time."""
        return any(
            fault.sensor_id == sensor_id
            and fault.kind == kind
            and fault.start_s <= at_s < fault.end_s
            for fault in self.faults
        )
