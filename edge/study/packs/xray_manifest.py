"""`xray-manifest`: loads whose papers are right, wrong, or say that nothing is in the box.

Wrong papers name the chapter of another load of the same kind of seeds. An inconsistency counts
where its nats pass the line at which the engine tells an advisory, against its prior alone.
"""

import math

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.xray_runs import Run, families, how, runs
from fusion.policy import Policy
from fusion.types import Event
from simulators.xray_cases import FAMILIES, CaseOptions, CaseTruth

NUMBER = 300


def measure(settings: Settings) -> list[Figure]:
    """Shares told of right papers, of wrong ones and of loads declared empty."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    honest = list(runs(seeds, _options, declared=_own))
    wrong = list(runs(seeds, _options, declared=_another))
    declared_empty = list(runs(seeds[: max(number // 3, 1)], _light, declared=lambda _: "empty"))
    source = how(seeds)
    figures = [
        share("right papers asked for", _asked(honest), len(honest), source),
        share("papers of another chapter asked for", _asked(wrong), len(wrong), source),
        share(
            "50 to 500 kg in a box declared empty, told",
            sum(not one.finding.empty for one in declared_empty),
            len(declared_empty),
            source,
        ),
    ]
    for name in sorted({family for one in honest for family in one.truth.families}):
        mine = [one for one in honest if one.truth.families == (name,)]
        if mine:
            figures.append(
                share(f"{name}: right papers asked for", _asked(mine), len(mine), source)
            )
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


def _asked(done: list[Run]) -> int:
    policy = Policy()
    advisory = policy.alarms.level_lines[Event.CARGO_MISMATCH][0]
    line = math.log(advisory / (1.0 - advisory)) - policy.scoring.priors_nats["not-as-declared"]
    return sum(math.fsum(nats for _, nats in one.finding.mismatches) >= line for one in done)
