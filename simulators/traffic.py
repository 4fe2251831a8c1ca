"""A month of a crossing's traffic, an hour at a time, with the field's rates and quirks.

`month` yields scenarios of one lane and one hour each, with the truth of every pass; `played` lets
a portal of it send its bytes. With `gap_s` an hour is compressed: the lane is vacant for that
long between vehicles and no longer, which costs a portal's background nothing and saves half the
time. Weather and the time of day go on as in the hour itself. Every hour has a seed of its own, so
any hour can be played alone, and the portal stays the same portal throughout.

    for hour in month(seed=1, lane="nb-01", days=30, gap_s=25.0):
        for utc_ns, data in played(hour, "rpm-tsa-nb-01"):
            ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from simulators import loads
from simulators import loads_radioactive as radioactive
from simulators.catalog import KINDS
from simulators.loads import Load
from simulators.scenario import LanePlace, Rain, Scenario, SensorPlace, Truth, Vehicle

HOUR_S = 3600.0
STEP_MS = 200
WARM_UP_S = 90.0  # vacant, before an hour's first vehicle: a running background needs it
TAIL_S = 20.0  # and after its last
MONDAY_UTC_NS = 1_789_948_800 * 10**9  # 2026-09-21 00:00 UTC
LoadMaker = Callable[[Random], Load]
Passes = list[tuple[Vehicle, Load]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Who comes, and how."""

    per_hour: float = 45.0
    """Vehicles in the lane."""
    car_share: float = 0.35
    norm_share: float = 0.0035
    """Of the trucks. With patients it makes 0.3 to 0.4 % of all vehicles, as facts/radiation 3.1
    has it for alarms; a port may have a hundred times as many."""
    patient_share: float = 1.5 / 2600.0
    """One American in 2,600 carries a detectable nuclide (facts 3.1); 1.5 people a vehicle."""
    scrap_share: float = 0.03
    """Of the trucks: metal that makes neutrons."""
    threat_share: float = 0.0
    close_share: float = 0.04
    """That follow the one before so closely that the beam's hold-in may join the two."""
    stop_share: float = 0.012
    """That stop in the beam."""
    reverse_share: float = 0.003
    """That go back a little within it."""
    rain_a_day: float = 0.25
    """Episodes."""


FIELD = Mix()


def month(
    seed: int,
    *,
    lane: str = "nb-01",
    days: float = 30.0,
    mix: Mix = FIELD,
    gap_s: float | None = None,
    kinds: Sequence[str] = ("rpm-tsa",),
) -> Iterator[Scenario]:
    """The lane's hours in order. A portal of each kind stands in it, called `<kind>-<lane>`."""
    for number in range(round(days * 24)):
        yield hour(seed, number, lane=lane, mix=mix, gap_s=gap_s, kinds=kinds)


def hour(
    seed: int,
    number: int,
    *,
    lane: str = "nb-01",
    mix: Mix = FIELD,
    gap_s: float | None = None,
    kinds: Sequence[str] = ("rpm-tsa",),
) -> Scenario:
    """Hour `number` of the month."""
    random = Random(f"traffic/{seed}/{lane}/{number}")
    at_s = WARM_UP_S
    passes: Passes = []
    for _ in range(count_of(random, mix.per_hour)):
        load = any_load(random, mix)
        name = f"{lane}-{number:04d}-{len(passes):03d}"
        vehicle = _vehicle(random, load, mix, lane=lane, at_s=at_s, name=name)
        passes.append((vehicle, load))
        clear_s = vehicle.in_beam_s()[-1][1]
        if random.random() < mix.close_share:
            at_s = clear_s + random.uniform(0.8, 4.0)
        elif gap_s is not None:
            at_s = clear_s + gap_s
        else:
            wanted_s = HOUR_S / mix.per_hour
            at_s = clear_s + max(4.0, random.expovariate(1.0 / max(wanted_s - 8.0, 5.0)))
    rain = _rain(seed, number, mix)
    return _scenario(passes, seed=seed, number=number, lane=lane, kinds=kinds, rain=rain)


def passes_of(
    seed: int,
    makers: Sequence[LoadMaker],
    *,
    lane: str = "nb-01",
    gap_s: float = 25.0,
    mix: Mix = FIELD,
    kinds: Sequence[str] = ("rpm-tsa",),
    start_utc_ns: int = MONDAY_UTC_NS,
) -> Scenario:
    """One truck for each maker of loads, one after the other in a dry hour: for trials."""
    random = Random(f"passes/{seed}")
    plain = replace(mix, car_share=0.0, stop_share=0.0, reverse_share=0.0)
    at_s = WARM_UP_S
    passes: Passes = []
    for number, maker in enumerate(makers):
        load = maker(random)
        name = f"{lane}-{number:05d}"
        vehicle = _vehicle(random, load, plain, lane=lane, at_s=at_s, name=name)
        passes.append((vehicle, load))
        at_s = vehicle.in_beam_s()[-1][1] + gap_s
    day = _scenario(passes, seed=seed, number=0, lane=lane, kinds=kinds)
    return replace(day, start_utc_ns=start_utc_ns)


def played(
    scenario: Scenario, sensor_id: str, *, step_ms: int = STEP_MS
) -> Iterator[tuple[int, bytes]]:
    """(UTC at which it was sent, bytes) of all that a sensor of the scenario sends."""
    simulator = KINDS[scenario.sensor(sensor_id).kind].build(scenario, sensor_id)
    for elapsed_ms in range(step_ms, round(scenario.duration_s * 1000) + 1, step_ms):
        if data := simulator.step(step_ms):
            yield scenario.start_utc_ns + elapsed_ms * 1_000_000, data


def any_load(random: Random, mix: Mix = FIELD) -> Load:
    """What a vehicle carries, lawful or not, as often as the mix says."""
    at = random.random()
    if at < mix.threat_share:
        return any_threat(random)
    if random.random() < mix.patient_share:
        return radioactive.any_patient(random)
    if random.random() < mix.car_share:
        return Load(name="car")
    if random.random() < mix.norm_share:
        return radioactive.any_norm(random)
    if random.random() < mix.scrap_share:
        return loads.scrap(random)
    return random.choice(loads.LAWFUL)(random)


def any_threat(random: Random) -> Load:
    """One of the threat set."""
    return random.choice(THREATS)(random)


def _threat(nuclide: str, shield: str) -> LoadMaker:
    return lambda random: radioactive.source(random, nuclide, shield=shield)


def _neutrons(kind: str) -> LoadMaker:
    return lambda random: radioactive.neutron_source(random, kind)


# What a shield leaves nothing of is not in it: the set is the same for every method compared.
THREATS: tuple[LoadMaker, ...] = (
    *(_threat(nuclide, "bare") for nuclide in radioactive.INDUSTRIAL + radioactive.SPECIAL),
    *(
        _threat(nuclide, shield)
        for nuclide in ("Cs-137", "Co-60", "Ba-133", "Ir-192", "Eu-152", "U-238", "Np-237")
        for shield in ("lead-1cm", "steel-2cm", "steel-5cm", "poly-8cm")
    ),
    *(_neutrons(kind) for kind in ("Cf-252", "AmBe", "AmLi")),
)
"""Makers of the threat set: industrial and special nuclear sources bare and shielded, neutrons."""


def _scenario(
    passes: Passes,
    *,
    seed: int,
    number: int,
    lane: str,
    kinds: Sequence[str],
    rain: tuple[Rain, ...] = (),
) -> Scenario:
    ends_s = passes[-1][0].in_beam_s()[-1][1] if passes else WARM_UP_S
    truth = tuple(
        Truth(
            name=load.name,
            subject=vehicle.vehicle_id,
            place=lane,
            start_s=vehicle.at_portal_s,
            end_s=vehicle.in_beam_s()[-1][1],
            events=load.events,
            nuclides=load.nuclides,
            detail=load.detail,
        )
        for vehicle, load in passes
    )
    sensors = tuple(
        SensorPlace(
            sensor_id=f"{kind}-{lane}", kind=kind, lane=lane, options=(("portal", str(seed)),)
        )
        for kind in kinds
    )
    return Scenario(
        name="traffic",
        seed=seed * 100_000 + number,
        start_utc_ns=MONDAY_UTC_NS + round(number * HOUR_S) * 10**9,
        duration_s=max(HOUR_S if not passes else 0.0, ends_s + TAIL_S),
        lanes=(LanePlace(lane=lane, portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=sensors,
        vehicles=tuple(vehicle for vehicle, _ in passes),
        rain=rain,
        truth=truth,
    )


def _vehicle(random: Random, load: Load, mix: Mix, *, lane: str, at_s: float, name: str) -> Vehicle:
    speed_m_s = min(5.0, max(1.2, random.lognormvariate(0.8, 0.25)))  # 2.2 m/s, facts 2
    if load.name == "car":
        length_m, box_m, suppression = random.uniform(4.0, 5.5), (0.0, 0.0), (0.02, 0.08)
    else:
        length_m, box_m = random.uniform(17.6, 19.0), (4.5, 17.5)
        suppression = (0.10, 0.25) if load.cargo else (0.04, 0.12)
    vehicle = Vehicle(
        vehicle_id=name,
        lane=lane,
        at_portal_s=at_s,
        speed_m_s=speed_m_s,
        length_m=length_m,
        box_m=box_m,
        suppression=random.uniform(*suppression),  # facts 5.1
        speeds=quirks(random, mix, speed_m_s, length_m),
        scanned=False,
    )
    return load.onto(vehicle)


def quirks(
    random: Random, mix: Mix, speed_m_s: float, length_m: float
) -> tuple[tuple[float, float], ...]:
    """Most keep their speed; some stop in the beam, some go back in it."""
    quirk = random.random()
    middle_s = random.uniform(0.2, 0.8) * length_m / speed_m_s
    if quirk < mix.stop_share:
        return (
            (0.0, speed_m_s),
            (middle_s, 0.0),
            (middle_s + random.uniform(3.0, 40.0), speed_m_s),
        )
    if quirk < mix.stop_share + mix.reverse_share:
        back_s = random.uniform(1.0, 5.0)
        return (
            (0.0, speed_m_s),
            (middle_s, -0.8),
            (middle_s + back_s, 0.0),
            (middle_s + back_s + 2.0, speed_m_s),
        )
    return ()


def _rain(seed: int, number: int, mix: Mix) -> tuple[Rain, ...]:
    """Episodes that still matter in this hour, on its clock; the same from every hour."""
    found = []
    for day in range(number // 24 - 1, number // 24 + 1):
        random = Random(f"rain/{seed}/{day}")
        if day >= 0 and random.random() < mix.rain_a_day:
            start_s = (day * 24 - number) * HOUR_S + random.uniform(0.0, 24 * HOUR_S)
            lasts_s = random.uniform(0.5, 3.0) * HOUR_S
            found.append(
                Rain(start_s=start_s, end_s=start_s + lasts_s, rise=random.uniform(0.03, 0.2))
            )
    return tuple(found)


def count_of(random: Random, mean: float) -> int:
    """Poisson, by Knuth's product in logarithms."""
    count, left = 0, mean
    while (left := left - random.expovariate(1.0)) > 0.0:
        count += 1
    return count
