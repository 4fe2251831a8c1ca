"""Who drives through the crossing's lanes: lawful traffic with its quirks, and what is asked for.

A lane is filled from its first vehicle to the hour's end. What must come (a threat, a decoy) takes
the next free place after its time. Trucks go through the scanner of a lane that has one, cars and
some trucks drive past it; now and then a truck waits behind the portal and the next overtakes it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from simulators import loads, traffic
from simulators import loads_radioactive as radioactive
from simulators.crossing import SCANNER_AFTER_M, Hour, gone_s
from simulators.crossing_loads import LAWFUL
from simulators.loads import Load
from simulators.scenario import Vehicle

WARM_UP_S = 90.0  # vacant, before an hour's first vehicle: a running background needs it
TAIL_S = 60.0  # a vehicle that comes later would not be through in time
LEAST_GAP_S = 4.0  # between a rear and the next front, unless it follows closely
CLOSE_GAP_S = (0.8, 4.0)
SCAN_GAP_S = 2.0  # a scanner needs it between two vehicles
BOX_M = (4.1, 17.816)  # 45 feet; what a scanner measures its own speed by
TRUCK_M = (18.1, 19.2)
WAITS_AT_M = 21.0  # its rear is out of the portal's beam, its front not yet at the scanner
PAIR_M_S = (1.8, 2.8)  # of two that change places: they manoeuvre within a minute
PAIR_GAP_S = (4.0, 9.0)
LoadMaker = Callable[[Random], Load]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How a lane flows."""

    mix: traffic.Mix
    skip_share: float = 0.08
    """Of the trucks in a lane with a scanner: drive past it."""
    overtake_share: float = 0.03
    """Of the scanned trucks: wait behind the portal until the next has overtaken."""


BUSY = Flow(mix=traffic.Mix(per_hour=45.0, norm_share=0.01, patient_share=0.004))
"""NORM and patients are somewhat more frequent than `traffic.FIELD` has them, so that hours have
any: 0.3 and 0.2 an hour and lane."""
NIGHT = Flow(mix=replace(BUSY.mix, per_hour=9.0, car_share=0.25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A vehicle that must come."""

    at_s: float
    """Not before."""
    make: LoadMaker
    manner: str = ""
    """`"close"` behind the one before, `"skip"` the scanner, `"waits"` until the next has
    overtaken it, `"overtakes"` one that waits; empty: none of these."""
    detail: str = ""


def one_of(make: LoadMaker) -> Callable[[Random, float], list[Wanted]]:
    """One vehicle with such a load, from a time on."""
    return lambda random, at_s: [Wanted(at_s=at_s, make=make)]


def fill_lane(
    hour: Hour, lane: str, flow: Flow, wanted: Sequence[Wanted] = (), *, gap_s: float | None = None
) -> None:
    """Drive a lane's vehicles for the hour.

    gap_s  between two vehicles, no longer: an hour then has more of them; None: by chance, so
           that the mix's number comes in an hour
    """
    random = Random(f"lane/{hour.name}/{hour.seed}/{lane}")
    _Lane(hour, lane, flow, random, gap_s).fill(sorted(wanted, key=lambda one: one.at_s))


def lawful_load(random: Random, mix: traffic.Mix) -> Load:
    """What an honest vehicle carries, as often as the mix says."""
    if random.random() < mix.patient_share:
        return radioactive.any_patient(random)
    if random.random() < mix.car_share:
        return Load(name="car")
    if random.random() < mix.norm_share:
        return radioactive.any_norm(random)
    if random.random() < mix.scrap_share:
        return loads.scrap(random)
    return random.choice(LAWFUL)(random)


def lawful_truck(random: Random) -> Load:
    """Of an honest truck."""
    return random.choice(LAWFUL)(random)


@dataclass(slots=True)
class _Lane:
    """A lane while it is filled."""

    hour: Hour
    lane: str
    flow: Flow
    random: Random
    gap_s: float | None
    last: Vehicle | None = None
    scanner_free_s: float = 0.0
    count: int = 0

    def fill(self, wanted: Sequence[Wanted]) -> None:
        waiting = list(wanted)
        at_s = WARM_UP_S + self.random.uniform(0.0, 20.0)
        while at_s < self.hour.duration_s - TAIL_S:
            if waiting and waiting[0].at_s <= at_s:
                asked = waiting.pop(0)
            else:
                asked = Wanted(at_s=at_s, make=self._lawful, manner=self._manner())
            if asked.manner in ("waits", "overtakes"):
                self._pair(asked, at_s)
            else:
                self._one(asked, at_s)
            at_s = self._next_s()

    @property
    def _overtake_share(self) -> float:
        """None where a scanner is shared: there is no room to wait before it."""
        own = Counter(self.hour.scanner_of.values())[self.hour.scanner_of.get(self.lane, "")] == 1
        return self.flow.overtake_share if own else 0.0

    def _lawful(self, random: Random) -> Load:
        return lawful_load(random, self.flow.mix)

    def _manner(self) -> str:
        draw = self.random.random()
        for manner, share in (
            ("close", self.flow.mix.close_share),
            ("skip", self.flow.skip_share if self.lane in self.hour.scanner_of else 0.0),
            ("waits", self._overtake_share),
        ):
            draw -= share
            if draw < 0.0:
                return manner
        return ""

    def _one(self, asked: Wanted, at_s: float) -> None:
        load = asked.make(self.random)
        speed_m_s = min(5.0, max(1.2, self.random.lognormvariate(0.8, 0.25)))  # 2.2 m/s, facts 2
        if self.last is not None and asked.manner == "close":
            at_s = self._clear_s() + self.random.uniform(*CLOSE_GAP_S)
            speed_m_s = min(speed_m_s, self.last.speed_m_s)
        vehicle = self._loaded(load, at_s, speed_m_s, skips=asked.manner == "skip")
        speeds = traffic.quirks(self.random, self.flow.mix, speed_m_s, vehicle.length_m)
        vehicle = self._in_order(replace(vehicle, speeds=speeds))
        self._drive(vehicle, load, _joined(asked.detail, _told(asked, vehicle)))
        self.last = vehicle

    def _pair(self, asked: Wanted, at_s: float) -> None:
        """One waits behind the portal until the next has passed it and the scanner."""
        makers = [asked.make, lawful_truck]
        details = [_joined(asked.detail, "is overtaken"), "overtakes"]
        if asked.manner == "overtakes":
            makers, details = makers[::-1], ["is overtaken", _joined(asked.detail, "overtakes")]
        first_load, second_load = (self._truck(make) for make in makers)
        first = self._in_order(self._loaded(first_load, at_s, self.random.uniform(*PAIR_M_S)))
        behind_s = first.in_beam_s()[-1][1] + self.random.uniform(*PAIR_GAP_S)
        second = self._loaded(second_load, behind_s, self.random.uniform(*PAIR_M_S))
        waits_s = WAITS_AT_M / first.speed_m_s
        left_s = (SCANNER_AFTER_M - WAITS_AT_M) / first.speed_m_s
        goes_s = gone_s(second) + SCAN_GAP_S - left_s - first.at_portal_s
        first = replace(
            first, speeds=((0.0, first.speed_m_s), (waits_s, 0.0), (goes_s, first.speed_m_s))
        )
        for vehicle, load, detail in zip(
            (first, second), (first_load, second_load), details, strict=True
        ):
            self._drive(vehicle, load, detail)
        self.last = second

    def _truck(self, make: LoadMaker) -> Load:
        load = make(self.random)
        return lawful_truck(self.random) if load.name == "car" else load

    def _loaded(self, load: Load, at_s: float, speed_m_s: float, *, skips: bool = False) -> Vehicle:
        car = load.name == "car"
        vehicle = load.onto(self._bare(car=car, laden=bool(load.cargo), at_s=at_s))
        scanned = self.lane in self.hour.scanner_of and not car and not skips
        return replace(vehicle, speed_m_s=speed_m_s, scanned=scanned)

    def _bare(self, *, car: bool, laden: bool, at_s: float) -> Vehicle:
        random = self.random
        self.count += 1
        name = f"{self.lane}-{self.count:04d}"
        if car:
            return Vehicle(
                vehicle_id=name,
                lane=self.lane,
                at_portal_s=at_s,
                length_m=random.uniform(4.0, 5.5),
                box_m=(0.0, 0.0),
                mass_kg=random.uniform(1_200.0, 2_600.0),
                suppression=random.uniform(0.02, 0.08),
            )
        return Vehicle(
            vehicle_id=name,
            lane=self.lane,
            at_portal_s=at_s,
            length_m=random.uniform(*TRUCK_M),
            box_m=BOX_M,
            # Facts 5.1.
            suppression=random.uniform(0.10, 0.25) if laden else random.uniform(0.04, 0.12),
            container=f"GRTU{random.randrange(1_000_000):06d}",
        )

    def _in_order(self, vehicle: Vehicle) -> Vehicle:
        """So late that the scanner is free when it comes there."""
        if not vehicle.scanned:
            return vehicle
        wanted_s = vehicle.reaches_s(SCANNER_AFTER_M)
        lasts_s = gone_s(vehicle) - wanted_s
        # Behind the one before in its own lane; those of another lane may come between.
        begins_s = max(wanted_s, self.scanner_free_s + SCAN_GAP_S)
        begins_s = self.hour.free_s(self.lane, begins_s, lasts_s, SCAN_GAP_S)
        return replace(vehicle, at_portal_s=vehicle.at_portal_s + (begins_s - wanted_s))

    def _drive(self, vehicle: Vehicle, load: Load, detail: str) -> None:
        self.hour.drive(vehicle, load, detail)
        if vehicle.scanned:
            self.hour.scan(vehicle)
            self.scanner_free_s = max(self.scanner_free_s, gone_s(vehicle))

    def _clear_s(self) -> float:
        return WARM_UP_S if self.last is None else self.last.in_beam_s()[-1][1]

    def _next_s(self) -> float:
        if self.gap_s is not None:
            return self._clear_s() + self.gap_s
        wanted_s = 3600.0 / self.flow.mix.per_hour
        gap_s = self.random.expovariate(1.0 / max(wanted_s - 12.0, 5.0))
        return self._clear_s() + max(LEAST_GAP_S, gap_s)


def _told(asked: Wanted, vehicle: Vehicle) -> str:
    """What is odd about a passage."""
    if vehicle.speeds:
        return "reverses" if any(speed < 0.0 for _, speed in vehicle.speeds) else "stops"
    if asked.manner == "close":
        return "close behind"
    return "skips the scanner" if asked.manner == "skip" and not vehicle.scanned else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
