"""`xray-mass`: how far the weight that a scan tells is from the load's.

A load counts as unsaturated while less than a fiftieth of the box lets nothing through.
"""

from collections.abc import Callable

from edge.study.figures import Figure, percentile
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.packs.xray_empty import OTHER
from edge.study.xray_runs import OTHER_SHARE, Run, how, runs
from simulators.xray_cases import CaseOptions

NUMBER = 400
GOAL_WITHIN, GOAL_SHARE = 0.15, 0.90
LEAST_KG = 200.0  # lighter ones are for the pack of empties
UNSATURATED = 0.02


def options_of(seed: int) -> CaseOptions:
    """What a seed draws."""
    return CaseOptions(load="light" if seed % 5 == 4 else "loaded")


def measure(settings: Settings) -> list[Figure]:
    """Shares within 15 %, by clutter and family, how the error is told, and the other scanner."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    rest = range(seeds.stop, seeds.stop + max(number // OTHER_SHARE, 1))
    usual = list(runs(seeds, options_of))
    other = list(runs(rest, options_of, setting=OTHER))
    figures = [_within("loads", _unsaturated(usual), how(seeds), GOAL_SHARE)]
    figures += _by(usual, lambda one: one.truth.clutter, how(seeds), "clutter ")
    figures += _by(usual, lambda one: " + ".join(one.truth.families), how(seeds), "")
    figures.append(_error(_unsaturated(usual), how(seeds)))
    figures += _told(_unsaturated(usual), how(seeds))
    figures.append(_within("saturated loads", _saturated(usual), how(seeds)))
    figures.append(_bound(_saturated(usual), how(seeds)))
    figures += _told(_saturated(usual), f"{how(seeds)}; saturated")
    figures.append(_within(f"{OTHER}: loads", _unsaturated(other), how(rest, OTHER)))
    return [one for one in figures if one is not None]


def error(done: Run) -> float:
    """Relative."""
    return (done.finding.mass_kg or 0.0) / done.truth.load_kg - 1.0


def _unsaturated(done: list[Run]) -> list[Run]:
    return [
        one
        for one in done
        if one.finding.unpenetrated < UNSATURATED and one.truth.load_kg >= LEAST_KG
    ]


def _saturated(done: list[Run]) -> list[Run]:
    return [one for one in done if one.finding.unpenetrated >= UNSATURATED]


def _within(name: str, done: list[Run], source: str, goal: float | None = None) -> Figure | None:
    if not done:
        return None
    hits = sum(abs(error(one)) <= GOAL_WITHIN for one in done)
    return share(f"{name} within 15 %", hits, len(done), source, goal)


def _by(
    done: list[Run], kind: Callable[[Run], str], source: str, before: str
) -> list[Figure | None]:
    names = sorted({kind(one) for one in _unsaturated(done)})
    return [
        _within(
            f"{before}{name}:", [one for one in _unsaturated(done) if kind(one) == name], source
        )
        for name in names
    ]


def _error(done: list[Run], source: str) -> Figure | None:
    if not done:
        return None
    median = percentile((error(one) for one in done), 0.5)
    return Figure(
        name="median error",
        value=100.0 * median,
        unit="%",
        goal="",
        reached=None,
        how=f"{source}; nine in ten within "
        f"{100 * percentile((abs(error(one)) for one in done), 0.9):.1f} %",
    )


def _told(done: list[Run], source: str) -> list[Figure]:
    """Whether the standard deviation that is told holds: of one and of two 68 and 95 %."""
    return [
        share(f"loads within {words} told", _within_sd(done, times), len(done), source)
        for words, times in (("the deviation", 1.0), ("two of the deviations", 2.0))
        if done
    ]


def _within_sd(done: list[Run], times: float) -> int:
    return sum(abs(_apart_kg(one)) <= times * (one.finding.mass_sd_kg or 0.0) for one in done)


def _apart_kg(one: Run) -> float:
    return (one.finding.mass_kg or 0.0) - one.truth.load_kg


def _bound(done: list[Run], source: str) -> Figure | None:
    """What stands in opaque cells is at least so much: such loads are not told too heavy."""
    if not done:
        return None
    least = sum(error(one) <= GOAL_WITHIN for one in done)
    return share("saturated loads that weigh as told at least, to 15 %", least, len(done), source)
