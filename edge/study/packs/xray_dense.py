"""`xray-dense`: dense things in loads, and how often one is told where there is none.

What counts as dense: a steel box of plates, a tube, a lead pig, a block of steel or lead, or a car,
put into a load of a family that no threshold knows, that takes more of the light than the goods in
whose place it stands. A car in heavier goods takes less, and a hidden compartment is part of a wall
or of the floor: both are told apart, beside the figure. Each load is scanned without it as well:
whatever is told there is a false alarm.
It is found where a region that is told covers its middle along the vehicle to within half its
length or half a metre, and some of its height. Clutter is as the simulator measured it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.study.figures import Figure, percentile
from edge.study.ground_chart import Row, bars
from edge.study.intervals import events, proportion
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.packs.xray_empty import OTHER
from edge.study.xray_runs import OTHER_SHARE, how, runs
from fusion.types import ScanRegion
from fusion.xray import XrayPolicy
from simulators.xray_cases import CaseOptions, Threat

NUMBER = 600
GOAL_FOUND, GOAL_ALARMS, GOAL_PLACE_M = 0.90, 0.1, 0.25
NEAR_M = 0.5
KINDS = ("steel-box", "tube", "lead-pig", "block", "compartment", "car")
CLUTTER = ("low", "medium", "high")
EASY = ("low", "medium")
LINES = (4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0)
"""Sigmas at which the curve is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One load with a dense thing in it, and the same load without."""

    seed: int
    clutter: str
    threat: Threat
    regions: tuple[ScanRegion, ...]
    """Told with it, down to the least sigma of `LINES`."""
    clean: tuple[ScanRegion, ...]
    """Told without."""

    @property
    def dense(self) -> bool:
        """Whether it counts for the figure."""
        return self.threat.kind != "compartment" and self.threat.adds > 0.0

    def best(self) -> ScanRegion | None:
        """The strongest region that is at the thing."""
        at = [region for region in self.regions if hits(region, self.threat)]
        return max(at, key=lambda region: region.sigma, default=None)


def hits(region: ScanRegion, threat: Threat) -> bool:
    """Whether a region is at the thing."""
    extent = threat.extent
    apart_m = abs((region.from_m + region.to_m) / 2 - (extent.from_m + extent.to_m) / 2)
    level = region.bottom_m < extent.top_m and region.top_m > extent.bottom_m
    return level and apart_m <= max(NEAR_M, (extent.to_m - extent.from_m) / 2)


def options_of(seed: int) -> CaseOptions:
    """What a seed draws: kinds and clutter in turn."""
    return CaseOptions(
        load="loaded",
        threat=KINDS[seed % len(KINDS)],
        place="cargo",
        clutter=CLUTTER[seed // len(KINDS) % len(CLUTTER)],
    )


def trials(
    seeds: Sequence[int], setting: str = "", policy: XrayPolicy | None = None
) -> list[Trial]:
    """Each seed with its dense thing and without."""
    asked = replace(policy or XrayPolicy(), region_sigma=min(LINES))
    done = []
    with_it = runs(seeds, options_of, setting=setting, policy=asked)
    without = runs(
        seeds, lambda seed: replace(options_of(seed), threat=""), setting=setting, policy=asked
    )
    for one, clean in zip(with_it, without, strict=True):
        if one.truth.threats:
            done.append(
                Trial(
                    seed=one.seed,
                    clutter=clean.truth.clutter,
                    threat=one.truth.threats[0],
                    regions=one.finding.regions,
                    clean=clean.finding.regions,
                )
            )
    return done


def measure(settings: Settings) -> list[Figure]:
    """Found and false at the policy's line, by clutter and kind; where; and the whole curve."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    rest = range(seeds.stop, seeds.stop + max(number // OTHER_SHARE, 1))
    line = XrayPolicy().region_sigma
    usual = trials(seeds)
    settings.say(f"{len(usual)} trials")
    other = trials(rest, OTHER)
    easy = [one for one in usual if one.clutter in EASY and one.dense]
    source = how(seeds)
    for one in easy:
        if (best := one.best()) is None or best.sigma < line:
            extent = one.threat.extent
            settings.say(
                f"missed seed {one.seed}: {one.threat.kind} of {one.threat.material}, "
                f"{one.threat.mass_kg:.0f} kg, {one.clutter} clutter, "
                f"{extent.to_m - extent.from_m:.2f} x {extent.top_m - extent.bottom_m:.2f} m, "
                f"best {best.sigma if best else 0:.1f}"
            )
        if alarms := [region for region in one.clean if region.sigma >= line]:
            settings.say(f"false seed {one.seed}: {one.clutter} clutter, {alarms[0].sigma:.1f}")
    figures = [
        *_at_line("low and medium clutter", easy, line, source, goals=True),
        *_place(easy, line, source),
    ]
    for clutter in CLUTTER:
        mine = [one for one in usual if one.clutter == clutter and one.dense]
        figures += _at_line(f"{clutter} clutter", mine, line, source)
    for kind in KINDS:
        of_kind = [one for one in usual if one.clutter in EASY and one.threat.kind == kind]
        for dense, name in ((True, kind), (False, f"{kind} (not counted)")):
            mine = [one for one in of_kind if one.dense is dense]
            figures += _found(f"{name} in low and medium clutter", mine, line, source)
    figures += _at_line(
        f"{OTHER}: low and medium clutter",
        [one for one in other if one.clutter in EASY and one.dense],
        line,
        how(rest, OTHER),
    )
    high = [one for one in usual if one.clutter == "high" and one.dense]
    for sigma in LINES:
        figures += _at_line(f"high clutter from {sigma:g} sigma", high, sigma, source)
    if settings.pictures is not None:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        for clutter in CLUTTER:
            mine = [one for one in usual if one.clutter == clutter and one.dense]
            picture = bars(f"Dense things found in {clutter} clutter", _rows(mine), line=GOAL_FOUND)
            (settings.pictures / f"xray-dense-{clutter}.png").write_bytes(picture)
    return figures


def found(one: Trial, line: float) -> bool:
    """Whether it is told at a line."""
    best = one.best()
    return best is not None and best.sigma >= line


def alarms(done: Sequence[Trial], line: float) -> int:
    """Regions told in loads without anything in them."""
    return sum(region.sigma >= line for one in done for region in one.clean)


def _found(
    name: str, done: Sequence[Trial], line: float, source: str, goal: float | None = None
) -> list[Figure]:
    if not done:
        return []
    count = sum(found(one, line) for one in done)
    return [share(f"{name}: found", count, len(done), source, goal)]


def _at_line(
    name: str, done: Sequence[Trial], line: float, source: str, *, goals: bool = False
) -> list[Figure]:
    if not done:
        return []
    count = alarms(done, line)
    low, high = (each / len(done) for each in events(count))
    return [
        *_found(name, done, line, source, GOAL_FOUND if goals else None),
        Figure(
            name=f"{name}: false alarms",
            value=count / len(done),
            unit="a scan",
            goal=f"<= {GOAL_ALARMS:g}" if goals else "",
            reached=count / len(done) <= GOAL_ALARMS if goals else None,
            how=f"{source}; {count} in {len(done)}",
            interval=(low, high),
        ),
    ]


def _place(done: Sequence[Trial], line: float, source: str) -> list[Figure]:
    """How far along the vehicle from the thing's middle, and what it is called."""
    told = [(one, one.best()) for one in done if found(one, line)]
    apart: list[float] = []
    names: Counter[str] = Counter()
    for one, best in told:
        assert best is not None
        extent = one.threat.extent
        apart.append(abs((best.from_m + best.to_m) / 2 - (extent.from_m + extent.to_m) / 2))
        names[best.material or "not told"] += 1
    if not apart:
        return []
    median = percentile(apart, 0.5)
    called = ", ".join(f"{name} {count}" for name, count in names.most_common())
    return [
        Figure(
            name="median distance along the vehicle",
            value=median,
            unit="m",
            goal=f"<= {GOAL_PLACE_M:g}",
            reached=median <= GOAL_PLACE_M,
            how=f"{source}; {len(apart)} found, called {called}",
            interval=_median_interval(apart),
        )
    ]


def _median_interval(values: list[float]) -> tuple[float, float]:
    """95 % interval of a median, from the ranks that a fair coin's counts leave open."""
    ranked = sorted(values)
    half = 0.98 * len(ranked) ** 0.5
    low, high = round(len(ranked) / 2 - half), round(len(ranked) / 2 + half)
    return ranked[max(low, 0)], ranked[min(high, len(ranked) - 1)]


def _rows(done: Sequence[Trial]) -> list[Row]:
    rows = []
    for sigma in LINES:
        count = sum(found(one, sigma) for one in done)
        if done:
            low, high = proportion(count, len(done))
            rate = alarms(done, sigma) / len(done)
            words = f"{rate:.2f} a scan"
            rows.append(Row(f"from {sigma:g} sigma", count / len(done), low, high, words))
    return rows
