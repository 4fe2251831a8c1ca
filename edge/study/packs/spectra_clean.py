"""`spectra-clean`: clean vehicles before a spectroscopic portal, and what lawful loads are called.

The simulator's documents go to the driver's own reading of documents; their way through XML is
left out, which changes no detection (a test holds both ways against each other) and saves most of
the time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from drivers.n42_samples import N42Samples
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from edge.study.figures import Figure, no_alarms, plain
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.portal_cases import HOURS, first_of
from fusion.policy import Policy
from fusion.spectra.portal import Portal
from fusion.types import SECOND_NS, Detection, Family, Origin, SensorSpec
from simulators import loads, traffic
from simulators import loads_radioactive as radioactive
from simulators.loads import Load
from simulators.radiation_n42 import VERSION, SpectroscopicPortalSimulator
from simulators.scenario import Scenario, Vehicle

CLEAN = 3_000  # without any alarm, below 1e-3 at 95 % confidence (facts/radiation 2)
PASSES = 100  # of one hour of clean traffic, so that most come to a portal that knows its traffic
WARM = 40  # clean vehicles before radioactive loads, for the same
GAP_S = 6.0  # vacant between vehicles
LOADS = 60  # passes of each kind of load
KIND = "rpm-n42"
LANE = "nb-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One vehicle and what the portal said of it."""

    vehicle: Vehicle
    load: str
    nuclides: tuple[str, ...]
    told: tuple[Detection, ...]

    @property
    def spectra(self) -> list[Detection]:
        """Final and interim."""
        return [one for one in self.told if one.kind == "gamma.spectrum"]

    @property
    def category(self) -> str:
        """The final word."""
        return next(
            (str(one.facts["category"]) for one in reversed(self.spectra) if one.final), "nothing"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the final word."""
        final = [one for one in self.spectra if one.final]
        told = final[-1].facts["nuclides"] if final else ()
        pairs = told if isinstance(told, tuple) else ()
        return tuple(str(pair[0]) for pair in pairs if isinstance(pair, tuple))


class _Documents(SpectroscopicPortalSimulator):
    """The simulator's documents before they are written."""

    def seconds(self, number: int) -> Iterator[tuple[int, list[n42.Document]]]:
        """(second, documents)"""
        for second in range(1, number + 1):
            self._second = second
            yield second, self._one_second()


def crossings(day: Scenario, policy: Policy) -> Iterator[Crossing]:
    """Every vehicle of the scenario."""
    sensor_id = f"{KIND}-{LANE}"
    simulator = _Documents(day, sensor_id)
    samples = N42Samples(sensor_id, Origin.SIMULATOR, closes=False, max_ahead_s=5.0)
    portal = portal_of(sensor_id, policy)
    told: list[Detection] = []
    for second, documents in simulator.seconds(int(day.duration_s)):
        now_ns = day.start_utc_ns + second * SECOND_NS
        for document in documents:
            for sample in samples.of(document, now_ns):
                if not isinstance(sample, Malformed):
                    told += portal.feed(sample)
        told += portal.tick(now_ns)
    yield from by_vehicle(day, told)


def portal_of(sensor_id: str, policy: Policy) -> Portal:
    """As the engine makes it where no configuration says anything of the detectors."""
    spec = SensorSpec(
        sensor_id=sensor_id, family=Family.RADIATION, place=LANE, origin=Origin.SIMULATOR
    )
    return Portal(spec, policy.radiation, policy.spectra, policy.identify)


def by_vehicle(day: Scenario, told: Sequence[Detection]) -> Iterator[Crossing]:
    """What was told during each vehicle."""
    for vehicle, truth in zip(day.vehicles, day.truth, strict=True):
        from_ns = day.start_utc_ns + int((truth.start_s - 2.0) * SECOND_NS)
        to_ns = day.start_utc_ns + int((truth.end_s + 2.0) * SECOND_NS)
        yield Crossing(
            vehicle=vehicle,
            load=truth.name,
            nuclides=truth.nuclides,
            told=tuple(
                one for one in told if one.end_utc_ns >= from_ns and one.start_utc_ns <= to_ns
            ),
        )


def measure(settings: Settings) -> list[Figure]:
    """False alarms of clean vehicles, and a table of what loads are called."""
    policy = Policy()
    wanted = settings.number or CLEAN
    figures = _clean(settings, policy, wanted)
    return figures + _loads(settings, policy, max(3, min(LOADS, wanted // 50)))


def clean_day(seed: int, passes: int) -> Scenario:
    """An hour's traffic of no radioactivity at all: cars too, in rain at times, some that stop or
    follow closely."""
    mix = replace(traffic.FIELD, norm_share=0.0, patient_share=0.0, per_hour=20.0 + 2.0 * passes)
    hour = traffic.hour(seed, seed % HOURS, lane=LANE, mix=mix, gap_s=GAP_S, kinds=(KIND,))
    return first_of(hour, passes)


def _loads_day(seed: int, maker: traffic.LoadMaker, passes: int) -> Scenario:
    """Radioactive loads of one kind, after clean ones."""
    makers = [_any_clean] * WARM + [maker] * passes
    return traffic.passes_of(seed, makers, lane=LANE, kinds=(KIND,), gap_s=12.0)


def _any_clean(random: Random) -> Load:
    return random.choice(loads.LAWFUL)(random)


def _clean(settings: Settings, policy: Policy, wanted: int) -> list[Figure]:
    gamma = neutron = norm = 0
    strongest: list[float] = []
    seed, left = settings.seed, wanted
    while left > 0:
        passes = min(PASSES, left)
        for one in crossings(clean_day(seed, passes), policy):
            loud = [each for each in one.spectra if each.facts["category"] != "background"]
            natural = all(each.facts["category"] == "norm" for each in loud)
            gamma += bool(loud) and not natural
            norm += bool(loud) and natural
            neutron += any(
                each.kind == "neutron.counts" and each.facts["significant"] is True
                for each in one.told
            )
            sigmas = [float(str(each.facts["gamma_sigma"])) for each in one.spectra]
            strongest.append(max(sigmas, default=0.0))
            for each in loud:
                settings.say(f"seed {seed}: {one.load} {_words(each)}")
        left -= passes
        seed += 1
        if (seed - settings.seed) % 10 == 0:
            settings.say(f"{wanted - left:,} of {wanted:,} passes, strongest {max(strongest):.2f}")
    how = f"{wanted:,} passes on {VERSION}, seeds {settings.seed:,}-{seed - 1:,}"
    line = f"strongest {max(strongest):.2f} of {policy.spectra.significant_sigma:g} sigma"
    return [
        no_alarms("gamma false alarms", gamma, wanted, f"{how}; {line}"),
        no_alarms("neutron false alarms", neutron, wanted, how),
        plain("clean vehicles called norm", float(norm), "", how),
    ]


def _words(one: Detection) -> str:
    facts = one.facts
    return (
        f"{facts['category']} {facts.get('nuclides')} {facts['gamma_sigma']} "
        f"gross {facts.get('gross_sigma')} {facts.get('extent')} final {one.final}"
    )


def _loads(settings: Settings, policy: Policy, number: int) -> list[Figure]:
    figures = []
    for what, maker in (
        ("norm", radioactive.any_norm),
        ("medical", radioactive.any_patient),
        ("threat", traffic.any_threat),
    ):
        called: Counter[str] = Counter()
        named = 0
        total = 0
        seed, left = settings.seed, number
        while left > 0:
            passes = min(PASSES, left)
            for one in islice(crossings(_loads_day(seed, maker, passes), policy), WARM, None):
                called[one.category] += 1
                named += bool(set(one.names) & set(one.nuclides))
                total += 1
                settings.say(
                    f"{what} {one.load} {one.nuclides}: "
                    + "; ".join(_words(each) for each in one.spectra if each.final)
                )
            left -= passes
            seed += 1
        how = f"{total} passes on {VERSION}, seeds {settings.seed:,}-{seed - 1:,}: " + ", ".join(
            f"{name} {count}" for name, count in called.most_common()
        )
        innocent = called["norm"] + called["medical"]
        right = total - called["background"] - innocent if what == "threat" else called[what]
        figures.append(share(f"{what}: category", right, total, how))
        figures.append(share(f"{what}: a nuclide right", named, total, how))
        figures.append(share(f"{what}: told", total - called["background"], total, how))
    return figures
