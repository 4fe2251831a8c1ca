"""What evidence is calibrated on: simulated days, and drawn loads for scanners."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.base import SensorConfig
from edge.config import Config, checkpoint_of, load_config
from edge.study.calibration_cases import (
    DENSE,
    EMPTINESS,
    EVENT,
    Case,
    Heard,
    dense_case,
    ground_cases,
    scan_cases,
)
from edge.study.packs.xray_dense import options_of
from edge.study.tapes import Fed, rehearsed
from edge.study.xray_runs import runs
from fusion.evidence_calibration import EvidenceCalibration
from fusion.policy import Policy
from fusion.senses import Senses
from fusion.types import Detection
from fusion.xray import detections
from simulators.catalog import KINDS
from simulators.crossing_days import Options, hour
from simulators.xray_cases import CaseOptions

CROSSING = Path(__file__).parents[2] / "configs" / "crossing.yaml"
GROUND_RHO, PAIR_RHO = "ground_rho", "pair_rho"
LOADS_AT_ONCE = 100
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Where cases come from."""

    what: str
    fits: tuple[str, ...]
    """What is fitted on it."""
    number: int
    """Seeds unless more are asked for: hours, or loads."""
    sensors: tuple[str, ...] = ("xray-", "rpm-", "geo-")
    """Beginnings of the names of those that are played."""
    options: Options | None = None
    """Of the hours; None: drawn loads."""

    @property
    def unit(self) -> str:
        """What a seed is."""
        return "loads" if self.options is None else "hours"


TIGHT = 8.0  # s between vehicles: as many of them as an hour can hold
PACKS: Mapping[str, Pack] = {
    "quiet-day": Pack(
        what="lawful traffic at night: how far sensors err together where nothing is",
        fits=(GROUND_RHO, PAIR_RHO),
        number=20,
        options=Options(),
    ),
    "busy-day": Pack(
        what="everything at once",
        fits=(EVENT, EMPTINESS, DENSE, GROUND_RHO, PAIR_RHO),
        number=12,
        options=Options(threats_per_hour=24.0),
    ),
    "smuggling": Pack(
        what="scanned lanes, closely packed, one truck in four with something in it",
        fits=(EMPTINESS, DENSE, PAIR_RHO),
        number=6,
        sensors=("xray-", "rpm-nb-01", "rpm-sb-01"),
        options=Options(gap_s=TIGHT, threats_per_hour=90.0),
    ),
    "footpaths": Pack(
        what="two fences of ground sensors: people, beasts, vehicles, weather and engines",
        fits=(EVENT, GROUND_RHO),
        number=8,
        sensors=("geo-nf", "geo-sf"),
        options=Options(),
    ),
    "loads": Pack(
        what="drawn loads of all clutter, each scanned with a dense thing in it and without",
        fits=(DENSE,),
        number=600,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a fit is made on."""

    pack: Pack
    hours: tuple[Heard, ...]
    drawn: tuple[Case, ...]
    """Of loads."""
    simulators: str
    """Their versions."""

    def cases(self, known: EvidenceCalibration) -> list[Case]:
        """Of every detector; the loudest words are those by `known`."""
        found = list(self.drawn)
        for heard in self.hours:
            if DENSE in self.pack.fits:
                found += scan_cases(heard)
            if EVENT in self.pack.fits:
                found += ground_cases(heard, known)
        return found


SENSORS: Mapping[str, str] = {
    EVENT: "geo-",
    GROUND_RHO: "geo-",
    EMPTINESS: "xray-",
    DENSE: "xray-",
    PAIR_RHO: "rpm-",
}
"""Beginning of the names of those that a test is of; nobody else needs to be played."""


def material(name: str, seeds: range, tests: Sequence[str], say: Say) -> Material:
    """Play a pack's seeds for these tests: hours of a day, one a seed, or loads."""
    pack = PACKS[name]
    if pack.options is None:
        return Material(
            pack=pack,
            hours=(),
            drawn=tuple(_drawn(seeds, say)),
            simulators=_version("xray-planes"),
        )
    of_pack = with_sensors(load_config(CROSSING), pack.sensors)
    config = with_sensors(of_pack, [SENSORS[test] for test in tests])
    hours = []
    for count, seed in enumerate(seeds, start=1):
        hours.append(played(name, seed, pack.options, config))
        found = len(hours[-1].detections)
        say(f"{name}, seed {seed}: hour {count} of {len(seeds)}, {found:,} detections")
    names = {sensor.id for sensor in config.sensors}
    places = [place for place in hours[0].scenario.sensors if place.sensor_id in names]
    kinds = sorted({place.kind for place in places})
    return Material(
        pack=pack,
        hours=tuple(hours),
        drawn=(),
        simulators=", ".join(_version(kind) for kind in kinds),
    )


def _version(kind: str) -> str:
    """Of a simulator, with its name."""
    version = KINDS[kind].version
    return f"{kind} {version}" if version.isdigit() else version


def with_sensors(config: Config, beginnings: Sequence[str]) -> Config:
    """The configuration with those sensors alone whose names begin so."""
    kept: list[SensorConfig] = [
        sensor for sensor in config.sensors if sensor.id.startswith(tuple(beginnings))
    ]
    return config.model_copy(update={"sensors": kept})


def played(name: str, seed: int, options: Options, config: Config) -> Heard:
    """One hour of the day through simulators, drivers and detectors; nothing is fused."""
    scenario = hour(name, seed, 0, options)
    senses = Senses(checkpoint_of(config), Policy())
    found = tuple(_sensed(senses, rehearsed(scenario, config)))
    return Heard(scenario=scenario, detections=found)


def _sensed(senses: Senses, fed: Sequence[Fed]) -> Iterator[Detection]:
    for utc_ns, sample in fed:
        for one in senses.tick(utc_ns) if sample is None else senses.feed(sample):
            yield replace(one, record=None)


def _drawn(seeds: range, say: Say) -> Iterator[Case]:
    """Each load with a dense thing in it and without."""
    policy = Policy().xray

    def without(seed: int) -> CaseOptions:
        return replace(options_of(seed), threat="")

    for first in range(seeds.start, seeds.stop, LOADS_AT_ONCE):
        some = range(first, min(first + LOADS_AT_ONCE, seeds.stop))
        for options in (options_of, without):
            for run in runs(some, options, policy=policy):
                places = [one.facts for one in detections(run.finding, policy) if one.kind == DENSE]
                if options is without or run.truth.threats:
                    yield dense_case(places, hides=options is not without)
        say(f"loads: {some.stop - seeds.start:,} of {len(seeds):,}")
