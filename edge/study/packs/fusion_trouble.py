"""`sensor-trouble`: one sensor dead, stuck or half a second off.

Two questions. Sensors of the day fail in turn: how soon is each fault told? And the same hours are
perceived once with every sensor well and again with one spoilt: what is lost must be no more than
what that sensor adds, which is what is lost where it is not there at all.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.config import checkpoint_of, load_config
from edge.study.figures import Figure, at_most, percentile
from edge.study.fusion_hours import CONFIG, Hour, directions_of, in_workers
from edge.study.fusion_measures import WARNING, found_by
from edge.study.fusion_spoil import SPOILS
from edge.study.fusion_systems import without_sensor
from edge.study.fusion_tables import held, proportion_of
from edge.study.fusion_told import DEVICES, Rung, rungs
from edge.study.fusion_truth import Happening, Kind, happenings
from edge.study.packs import Settings
from edge.study.packs.fusion_days import PACKS, figures, hours_of
from edge.study.tapes import Fed, fused, perceived, rehearsed
from fusion.policy import Policy
from fusion.types import SECOND_NS
from simulators.crossing_days import Options, hour
from simulators.traffic import HOUR_S

SOON_S, OFTEN = 10.0, 0.95
SPOILT_FROM_S = 900.0  # a scanner has scanned some ten vehicles by then, and is known
TICK_S = 0.11  # what a sample brings is told as of the tick before; and rounding
CALLED: Mapping[str, str] = {"rpm": "portal", "xray": "scanner", "geo": "ground sensor"}
SEEDS_APART = 1_000  # spoilt hours from those whose sensors fail by themselves
SPOILT_HOURS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A few sensors of the crossing, alone: a whole one takes longer, and the rest is as it was."""

    day: str
    options: Options
    sensors: tuple[str, ...]
    victim: str


CORNERS = (
    *(
        Corner(
            day="busy-day",
            options=Options(threats_per_hour=120.0),
            sensors=("rpm-nb-01", "xray-nb-01", "geo-nb-01"),
            victim=victim,
        )
        for victim in ("rpm-nb-01", "xray-nb-01")
    ),
    Corner(
        day="footpaths",
        options=Options(threats_per_hour=48.0),
        sensors=("geo-nf-01", "geo-nf-02", "geo-nf-03", "geo-nf-04"),
        victim="geo-nf-02",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiling:
    """One corner of one hour to be played."""

    corner: Corner
    seed: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What was found of the same threats: with all, without the victim, and with it spoilt."""

    spoiling: Spoiling
    threats: int
    whole: frozenset[int]
    without: frozenset[int]
    spoilt: Mapping[str, frozenset[int]]
    fault_s: Mapping[str, float]
    """After the first spoilt sample, or the last good one; infinite: never."""


def measure(settings: Settings) -> list[Figure]:
    """Both questions, and the table of every day."""
    pack = PACKS["sensor-trouble"]
    hours = hours_of(pack, settings)
    found = [*figures(pack, hours, settings), *faults(hours)]
    number = SPOILT_HOURS if settings.number is None else settings.number
    seed = settings.crossing_seed + SEEDS_APART
    asked = [
        Spoiling(corner=corner, seed=seed + index, duration_s=HOUR_S)
        for corner in CORNERS
        for index in range(number)
    ]
    return found + spoilings(asked, settings)


def faults(hours: Sequence[Hour]) -> list[Figure]:
    """Of each kind of fault: how many were told, and how soon."""
    waits_s: dict[str, list[float]] = {}
    for one in hours:
        for fault in one.found:
            if fault.kind is Kind.FAULT:
                told_s = fault_told_s(one.ways["Garita"].rungs, fault.subject, fault.spans_s[0])
                waits_s.setdefault(f"{called(fault.subject)} {fault.name}", []).append(told_s)
    return [_fault(name, waits_s[name]) for name in sorted(waits_s)]


def called(sensor_id: str) -> str:
    """What kind of sensor that is."""
    return CALLED[sensor_id.partition("-")[0]]


def _fault(name: str, waits_s: Sequence[float]) -> Figure:
    soon = sum(wait_s <= SOON_S for wait_s in waits_s)
    ever = sum(wait_s < math.inf for wait_s in waits_s)
    half_s = percentile(waits_s, 0.5)
    within = f", half within {half_s:.3g} s" if half_s < math.inf else ""
    how = f"{ever} told at all{within}"
    one = proportion_of(f"fault told within {SOON_S:g} s: {name}", soon, len(waits_s), how)
    return held(one, f">= {OFTEN:g}", soon / len(waits_s) >= OFTEN)


def fault_told_s(
    told: Iterable[Rung], sensor_id: str, span_s: tuple[float, float], level: int = 2
) -> float:
    """Seconds from a fault's beginning until something was told of that sensor; else infinite."""
    from_s, to_s = span_s
    return min(
        (
            one.told_s - from_s
            for one in told
            if one.place == sensor_id
            and one.event in DEVICES
            and one.own_level >= level
            and from_s - TICK_S <= one.told_s <= to_s + SOON_S
        ),
        default=math.inf,
    )


# --- spoilt ------------------------------------------------------------------------------


def spoilings(asked: Sequence[Spoiling], settings: Settings) -> list[Figure]:
    """Of each victim and manner: what is lost, and how soon it is told."""

    def told(done: int, one: Spoilt) -> None:
        victim = one.spoiling.corner.victim
        settings.say(f"spoilt {done} of {len(asked)}: {victim}, {one.threats} threats")

    done = in_workers(play, asked, told)
    rests = f"seeds {asked[0].seed:,}-{max(one.seed for one in asked):,}"
    found = []
    for victim in dict.fromkeys(one.spoiling.corner.victim for one in done):
        mine = [one for one in done if one.spoiling.corner.victim == victim]
        for manner in SPOILS:
            found += _lost(victim, manner, mine, rests)
    return found


def _lost(victim: str, manner: str, mine: Sequence[Spoilt], rests: str) -> list[Figure]:
    of = sum(one.threats for one in mine)
    whole, without = sum(len(one.whole) for one in mine), sum(len(one.without) for one in mine)
    spoilt = sum(len(one.spoilt[manner]) for one in mine)
    more = sum(len(one.without - one.spoilt[manner]) for one in mine)
    how = (
        f"level >= 3 of {of} threats: {whole} with all well, {spoilt} spoilt, {without} without; "
        f"{rests}"
    )
    waits_s = [one.fault_s[manner] for one in mine]
    told_s = [wait_s for wait_s in waits_s if wait_s < math.inf]
    times = ", ".join(f"{wait_s:.3g} s" for wait_s in sorted(told_s)) or "never"
    name = f"{called(victim)} {manner}"
    return [
        at_most(f"{name}: threats lost that are found without it", more, 0.0, "", how),
        at_most(
            f"{name}: fault told after, the longest",
            max(waits_s),
            SOON_S,
            "s",
            f"{victim}: told in {len(told_s)} of {len(waits_s)} hours; {times}",
        ),
    ]


def play(asked: Spoiling) -> Spoilt:
    """One corner: simulated once, perceived once for each way to be spoilt."""
    corner = asked.corner
    options = replace(corner.options, duration_s=asked.duration_s)
    scenario = hour(corner.day, asked.seed, 0, options)
    config = load_config(CONFIG)
    kept = [one for one in config.sensors if one.id in corner.sensors]
    config = config.model_copy(update={"sensors": kept})
    checkpoint = checkpoint_of(config)
    samples = rehearsed(scenario, config)
    places = {spec.place for spec in checkpoint.sensors}
    found = happenings(scenario, directions_of(config))
    start_utc_ns = scenario.start_utc_ns
    from_utc_ns = start_utc_ns + round(SPOILT_FROM_S * SECOND_NS)
    tape, told = perceived(samples, checkpoint, Policy())
    less = fused(tape, without_sensor(corner.victim)(checkpoint), Policy())
    spoilt, fault_s = {}, {}
    for manner, made in SPOILS.items():
        spoil = made(corner.victim, from_utc_ns)
        _, heard = perceived(samples, checkpoint, Policy(), spoil)
        mine = rungs(heard, start_utc_ns)
        spoilt[manner] = _found(found, places, mine)
        span_s = (_shows_s(samples, corner.victim, manner, scenario.start_utc_ns), math.inf)
        fault_s[manner] = fault_told_s(mine, corner.victim, span_s)
    return Spoilt(
        spoiling=asked,
        threats=len(_asked(found, places)),
        whole=_found(found, places, rungs(told, start_utc_ns)),
        without=_found(found, places, rungs(less, start_utc_ns)),
        spoilt=spoilt,
        fault_s=fault_s,
    )


def _shows_s(samples: Iterable[Fed], victim: str, manner: str, start_utc_ns: int) -> float:
    """When there is anything to be seen of it: a scanner that is stuck says so with its next."""
    if manner == "dead":
        return SPOILT_FROM_S
    times_s = (
        (one.utc_ns - start_utc_ns) / SECOND_NS
        for one in samples
        if one.sample is not None and one.sample.sensor_id == victim
    )
    return next((at_s for at_s in times_s if at_s >= SPOILT_FROM_S), SPOILT_FROM_S)


def _asked(found: Iterable[Happening], places: Iterable[str]) -> list[Happening]:
    """Threats at these places while the victim is spoilt."""
    here = frozenset(places)
    return [
        one
        for one in found
        if one.kind is Kind.THREAT
        and here & frozenset(one.places)
        and one.spans_s[0][0] > SPOILT_FROM_S
    ]


def _found(
    found: Sequence[Happening], places: Iterable[str], told: Iterable[Rung]
) -> frozenset[int]:
    """Those that were told at level 3."""
    levels = found_by(found, told)
    asked = _asked(found, places)
    return frozenset(one.index for one in asked if levels.get(one.index, 0) >= WARNING)
