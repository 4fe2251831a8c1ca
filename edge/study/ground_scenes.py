"""Stretches of ground for the studies: what is there, who comes by, and what is true of it.

A scene is drawn from a seed: the site, the sensor, hour, wind, traffic, and one thing to be told.
Seeds for tuning see the sites for tuning, those for reports only sites that no threshold knows.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from edge.study.packs import REPORT_SEED
from simulators.ground_sites import REPORT_SITES, SITES, TUNING_SITES
from simulators.scenario import Mover, Scenario, SensorPlace

MIDNIGHT_NS = 1_763_708_400 * 10**9  # 2025-11-21 00:00, UTC-7
TOGETHER = 8
"""Neighbours by seed share the hour, so that one engine can hear them all."""
WARM_S = 60.0  # nobody is near: floors and averages settle
AFTER_S = 15.0  # for what is told late

Random = np.random.Generator
Point = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SensorModel:
    """A sensor that somebody would put there."""

    name: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()
    share: int = 1
    """How many stand about for each of the rarest."""


SENSORS = (
    SensorModel("Shake 1D, 100 Hz", "shake-udp", (("channels", "EHZ"),), 2),
    SensorModel("Shake 3D, 100 Hz", "shake-udp", (("channels", "EHZ,EHN,EHE"),)),
    SensorModel("Shake 1D, 200 Hz", "shake-udp", (("channels", "EHZ"), ("rate_hz", "200")), 2),
    SensorModel("AnyShake, 100 Hz", "anyshake-serial"),
    SensorModel("AnyShake, 250 Hz", "anyshake-serial", (("rate_hz", "250"),)),
)
STOCK = tuple(model for model in SENSORS for _ in range(model.share))
FAST = tuple(model for model in SENSORS if "250 Hz" in model.name)
"""Those that carry the lines of a propeller, 80 to 100 Hz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A scenario with one sensor in its middle, and what a table says of it."""

    scenario: Scenario
    seed: int
    site: str
    sensor: SensorModel
    what: str
    """Class, gait or condition."""
    from_s: float = 0.0
    to_s: float = 0.0
    """While the thing to be told is about."""
    nearest_s: float = 0.0
    range_m: float = 0.0
    """Least distance to the sensor."""
    detail: str = ""

    def words(self) -> str:
        """For a list of misses."""
        local_h = (self.scenario.start_utc_ns - MIDNIGHT_NS) / 3.6e12
        return (
            f"seed {self.seed}: {self.what} {self.detail}, {self.site}, {self.sensor.name}, "
            f"wind {self.scenario.wind_m_s:.1f} m/s, {local_h:.0f} h"
        )


def all_sites(seed: int) -> tuple[str, ...]:
    """Floors and pavement too."""
    return REPORT_SITES if seed >= REPORT_SEED else TUNING_SITES


def open_sites(seed: int) -> tuple[str, ...]:
    """Soil and rock that a seed may choose: no floors, and no pavement, which is stiff over soft.

    Sensors are buried beside a road and not in it; what paving costs is told apart.
    """
    known = ((name, SITES[name]) for name in all_sites(seed))
    return tuple(name for name, site in known if not site.indoors and site.cut_hz == 0.0)


def paved_sites(seed: int) -> tuple[str, ...]:
    """Roads and aprons."""
    return tuple(name for name in all_sites(seed) if SITES[name].cut_hz > 0.0)


def batches(seed: int, number: int) -> Iterator[range]:
    """The seeds from `seed` on in runs that share their hour."""
    first, end = seed, seed + number
    while first < end:
        last = min((first // TOGETHER + 1) * TOGETHER, end)
        yield range(first, last)
        first = last


def pick(random: Random, of: Sequence[T]) -> T:
    """One of them."""
    return of[int(random.integers(len(of)))]


@dataclass(slots=True)
class Ground:
    """A scene in the making."""

    seed: int
    random: Random
    site: str
    sensor: SensorModel
    start_utc_ns: int
    wind_m_s: float = 2.0
    movers: list[Mover] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, what: int, fit: Sequence[str] = ()) -> "Ground":
        """One of the sites, else of open ground, with a sensor and an hour.

        `what` keeps kinds of scenes apart.
        """
        random = np.random.default_rng((seed, 7, what))
        hour = np.random.default_rng((seed // TOGETHER, 8, what)).uniform(0.0, 24.0)
        start_utc_ns = MIDNIGHT_NS + round(hour * 3600) * 10**9
        site = pick(random, fit or open_sites(seed))
        return cls(seed, random, site, pick(random, STOCK), start_utc_ns)

    @property
    def zone(self) -> str:
        """Where it is."""
        return f"zone-{self.seed}"

    def uniform(self, low: float, high: float) -> float:
        """Any value between."""
        return float(self.random.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        """Any value between, as often below as above their geometric middle."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def scenario(self, duration_s: float) -> Scenario:
        """What has been put there."""
        return Scenario(
            name="ground",
            seed=self.seed,
            start_utc_ns=self.start_utc_ns,
            duration_s=math.ceil(duration_s),
            sensors=(
                SensorPlace(
                    sensor_id=f"geo-{self.seed}",
                    kind=self.sensor.kind,
                    zone=self.zone,
                    options=(("site", self.site), *self.sensor.options),
                ),
            ),
            movers=tuple(self.movers),
            wind_m_s=self.wind_m_s,
        )

    def line(self, nearest_m: float, before_m: float, after_m: float) -> tuple[Point, Point]:
        """Ends of a straight way that passes the sensor so near, in any direction."""
        heading = self.uniform(0.0, 2.0 * math.pi)
        side = pick(self.random, (-1.0, 1.0))
        along = (math.sin(heading), math.cos(heading))
        foot = (side * nearest_m * along[1], -side * nearest_m * along[0])
        return (
            (foot[0] - before_m * along[0], foot[1] - before_m * along[1]),
            (foot[0] + after_m * along[0], foot[1] + after_m * along[1]),
        )

    def spot(self, away_m: float) -> tuple[Point, Point]:
        """A place so far from the sensor, as a way that leads nowhere."""
        ends = self.line(away_m, 0.0, 0.0)
        return ends[0], ends[0]

    def put(self, kind: str, start_s: float, way: tuple[Point, Point], **more: object) -> Mover:
        """Something on a way, with what else a `Mover` may be told."""
        mover = Mover(
            mover_id=f"{kind}-{len(self.movers)}",
            kind=kind,
            zone=self.zone,
            start_s=start_s,
            start_m=way[0],
            end_m=way[1],
            **more,  # type: ignore[arg-type]
        )
        self.movers.append(mover)
        return mover

    def road(self, away_m: float, apart_s: float, duration_s: float) -> None:
        """Cars and trucks both ways on a straight road, as they come."""
        there = self.line(away_m, 350.0, 350.0)
        at_s = -30.0 + float(self.random.exponential(apart_s))
        while at_s < duration_s:
            truck = self.random.uniform() < 0.25
            self.put(
                "truck" if truck else "car",
                at_s,
                there if self.random.uniform() < 0.5 else (there[1], there[0]),
                speed_m_s=self.uniform(8.0, 17.0 if truck else 22.0),
                mass_kg=self.uniform(8e3, 3.5e4) if truck else self.uniform(900.0, 3e3),
            )
            at_s += 1.0 + float(self.random.exponential(apart_s))
