"""The seeded script of a day: who crosses where, when, carrying what, and what is true.

One scenario drives every simulator, so one truck is in the portal, in the scanner and in
the ground at consistent times. All times are seconds from the scenario's start; places are
metres in the checkpoint's frame (x east, y north); lengths along a vehicle run from its front.
"""

import math
from dataclasses import dataclass, field


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
    neutrons_per_s: float = 0.0


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
    """One passage through a lane, at constant speed."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Somebody or something that crosses ground in a straight line."""

    mover_id: str
    kind: str
    """`"person"`, `"group"`, `"animal"`, `"vehicle"` or `"digging"`."""
    zone: str
    start_s: float
    start_m: tuple[float, float]
    end_m: tuple[float, float]
    speed_m_s: float = 1.4
    mass_kg: float = 78.0
    count: int = 1

    @property
    def end_s(self) -> float:
        """When it arrives."""
        return self.start_s + math.dist(self.start_m, self.end_m) / self.speed_m_s

    def place_m(self, at_s: float) -> tuple[float, float] | None:
        """Where it is, or None before it starts and after it has arrived."""
        if not self.start_s <= at_s <= self.end_s:
            return None
        share = (at_s - self.start_s) / max(self.end_s - self.start_s, 1e-9)
        return (
            self.start_m[0] + share * (self.end_m[0] - self.start_m[0]),
            self.start_m[1] + share * (self.end_m[1] - self.start_m[1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something happens to a sensor itself."""

    sensor_id: str
    kind: str
    """`"tamper"`, `"silent"`, `"gamma-high"`, `"garbage"`, `"loss"`, `"stripe"`, `"partial"`."""
    start_s: float
    end_s: float


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
