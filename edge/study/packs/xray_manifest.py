"""`xray-manifest`: loads whose papers are right, wrong, or say that nothing is in the box.

Wrong papers name the chapter of another load of the same kind of seeds. An inconsistency counts
where its nats pass the line at which the engine tells an advisory, against its prior alone; and
once more from where no more than one in fifty right papers is asked for, whatever line that is.
"""

import math
from collections.abc import Callable

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.xray_runs import Run, families, how, runs
from fusion.policy import Policy
from fusion.types import Event
from simulators.xray_cases import FAMILIES, CaseOptions, CaseTruth

NUMBER = 300
RIGHT_SHARE = 0.02
METALS = range(72, 94)
HEAVIER = 1.6  # of two families, by the middle of their stowed densities
KINDS: tuple[tuple[str, Callable[[Run], bool]], ...] = (
    ("metal goods declared as others", lambda one: _metal(one) and not _says_metal(one)),
    ("other goods declared as metal ones", lambda one: not _metal(one) and _says_metal(one)),
    ("goods of another density", lambda one: _metal(one) == _says_metal(one) and _ratio(one)),
    ("goods alike", lambda one: _metal(one) == _says_metal(one) and not _ratio(one)),
)


def measure(settings: Settings) -> list[Figure]:
    """Shares told of right papers, of wrong ones and of loads declared empty."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    honest = list(runs(seeds, _options, declared=_own))
    wrong = list(runs(seeds, _options, declared=_another))
    declared_empty = list(runs(seeds[: max(number // 3, 1)], _light, declared=lambda _: "empty"))
    source, line = how(seeds), _advisory()
    figures = [
        share("right papers asked for", _asked(honest, line), len(honest), source),
        share("papers of another chapter asked for", _asked(wrong, line), len(wrong), source),
    ]
    for name, is_one in KINDS:
        mine = [one for one in wrong if is_one(one)]
        if mine:
            figures.append(share(f"{name}: asked for", _asked(mine, line), len(mine), source))
    least = _line_of(honest)
    found = _asked(wrong, least)
    name = f"of another chapter, at {least:.1f} nats: at most 2 % of right ones"
    figures.append(share(name, found, len(wrong), source))
    told = sum(not one.finding.empty for one in declared_empty)
    name = "50 to 500 kg in a box declared empty, told"
    figures.append(share(name, told, len(declared_empty), source))
    for name in sorted({family for one in honest for family in one.truth.families}):
        mine = [one for one in honest if one.truth.families == (name,)]
        if mine:
            told = _asked(mine, line)
            figures.append(share(f"{name}: right papers asked for", told, len(mine), source))
    return figures


def _options(seed: int) -> CaseOptions:
    del seed
    return CaseOptions(load="loaded")


def _light(seed: int) -> CaseOptions:
    del seed
    return CaseOptions(load="light")


def _own(truth: CaseTruth) -> str:
    return truth.chapters[0] if truth.chapters else ""


def _another(truth: CaseTruth) -> str:
    """The chapter of another family that this seed could have drawn."""
    others = [
        FAMILIES[name].chapter
        for name in families(truth.seed)
        if FAMILIES[name].chapter not in truth.chapters
    ]
    return others[truth.seed % len(others)]


def _metal(one: Run) -> bool:
    return any(int(chapter) in METALS for chapter in one.truth.chapters)


def _says_metal(one: Run) -> bool:
    return int(one.finding.declared) in METALS


def _ratio(one: Run) -> bool:
    """Whether the declared goods are stowed so much heavier or lighter than all that are there."""
    said = [f for f in FAMILIES.values() if f.chapter == one.finding.declared]
    middle = sum(sum(family.density_g_cm3) for family in said) / len(said)
    there = [sum(FAMILIES[name].density_g_cm3) for name in one.truth.families]
    return all(abs(math.log(middle / each)) > math.log(HEAVIER) for each in there)


def _advisory() -> float:
    """Nats at which the engine tells of papers alone."""
    policy = Policy()
    advisory = policy.alarms.level_lines[Event.CARGO_MISMATCH][0]
    return math.log(advisory / (1.0 - advisory)) - policy.scoring.priors_nats["not-as-declared"]


def _nats(one: Run) -> float:
    return math.fsum(nats for _, nats in one.finding.mismatches)


def _line_of(honest: list[Run]) -> float:
    """The least nats that at most `RIGHT_SHARE` of right papers have."""
    nats = sorted((_nats(one) for one in honest), reverse=True)
    allowed = int(RIGHT_SHARE * len(nats))
    return max(nats[allowed] + 0.01, 0.1) if nats else 0.1


def _asked(done: list[Run], line: float) -> int:
    return sum(_nats(one) >= line for one in done)
