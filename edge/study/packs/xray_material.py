"""`xray-material`: what blocks of known material are called, and what shares of loads are told.

A block of 50 to 300 kg of aluminium, steel or lead stands among other goods, or some hundred
kilograms of organic goods alone in a box. It is judged by the region that covers it, where one is
told, from 5 g/cm2. A single group is right or wrong; `unresolved` is neither. How sure a told group
is said to be is held against how often it is right. Where nothing comes through, heaviness alone
tells "dense", as it would of steel: that counts as wrong.
"""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

from edge.study.figures import Figure
from edge.study.ground_chart import confusion
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.packs.xray_dense import hits
from edge.study.packs.xray_empty import OTHER
from edge.study.xray_runs import OTHER_SHARE, how, runs
from fusion.xray import XrayPolicy
from simulators.xray_cases import CaseOptions

NUMBER = 240
GROUPS = ("organic", "light-metal", "steel", "dense")
NAMES = {"organic": "organic", "aluminium": "light-metal", "steel": "steel", "lead": "dense"}
MATERIALS = tuple(NAMES)
GOAL_RIGHT, GOAL_TOLD = 0.90, 0.60
SURE = (0.5, 0.8, 0.95, 1.01)
LEAST_SIGMA = 4.0  # what it is called is asked of weaker places as well


def options_of(seed: int) -> CaseOptions:
    """What a seed draws: materials in turn, in loads that are not cluttered."""
    material = MATERIALS[seed % len(MATERIALS)]
    clutter = ("low", "medium")[seed // len(MATERIALS) % 2]
    if material == "organic":  # a block of it does not stand out of goods: what stands alone
        return CaseOptions(load="light", material=material)
    return CaseOptions(load="loaded", threat="block", material=material, clutter=clutter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What one block was called."""

    truth: str
    name: str
    """Empty: no region is there, or too little of it."""
    sure: float
    """Of the likeliest group; 0 where it is not said."""


def measure(settings: Settings) -> list[Figure]:
    """Shares told and right, how well the told share holds, the matrix, another scanner."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    rest = range(seeds.stop, seeds.stop + max(number // OTHER_SHARE, len(MATERIALS)))
    called, other = blocks(seeds), blocks(rest, OTHER)
    figures = _shares(called, "", how(seeds)) + _sure(called, how(seeds))
    for truth in GROUPS:
        mine = [one for one in called if one.truth == truth]
        told = [one for one in mine if one.name in GROUPS]
        if told:
            right = sum(one.name == truth for one in told)
            source = f"{how(seeds)}; {_others(mine)}"
            figures.append(share(f"{truth}: group right, where told", right, len(told), source))
    figures += _shares(other, f"{OTHER}: ", how(rest, OTHER))
    told_pairs = Counter((one.truth, one.name) for one in called if one.name in GROUPS)
    if settings.pictures is not None and told_pairs:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        picture = confusion("Materials of blocks in loads", GROUPS, told_pairs, how(seeds))
        (settings.pictures / "xray-material.png").write_bytes(picture)
    return figures


def _shares(called: list[Called], before: str, source: str) -> list[Figure]:
    """Of what could be judged, how much is told as one group; of that, how much is right."""
    judged = [one for one in called if one.name]
    told = [one for one in judged if one.name in GROUPS]
    if not told:
        return []
    right = sum(one.name == one.truth for one in told)
    return [
        share(f"{before}group right, where told", right, len(told), source, GOAL_RIGHT),
        share(f"{before}told as one group", len(told), len(judged), source, GOAL_TOLD),
    ]


def _sure(called: list[Called], source: str) -> list[Figure]:
    """How often the likeliest group is right, by how sure it is told to be."""
    figures = []
    for least, most in pairwise(SURE):
        mine = [one for one in called if one.name in GROUPS and least <= one.sure < most]
        if mine:
            mean = sum(one.sure for one in mine) / len(mine)
            right = sum(one.name == one.truth for one in mine)
            name = f"told with {least:.2f} to {min(most, 1.0):.2f}, {mean:.2f} on average: right"
            figures.append(share(name, right, len(mine), source))
    return figures


def _others(mine: list[Called]) -> str:
    counts = Counter(one.name or "not found" for one in mine)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def blocks(seeds: range, setting: str = "") -> list[Called]:
    """What every block was called."""
    policy = replace(XrayPolicy(), region_sigma=LEAST_SIGMA)
    called = []
    for one in runs(seeds, options_of, setting=setting, policy=policy):
        if not one.truth.threats:
            continue
        threat = one.truth.threats[0]
        truth = NAMES.get(threat.material, "organic")
        if one.options.load == "light":  # all there is in the box
            shares = {name: part for name, part in one.finding.materials if name in GROUPS}
            best = max(GROUPS, key=lambda name: shares.get(name, 0.0))
            name = best if shares.get(best, 0.0) > 0.0 else ""
            called.append(Called(truth=truth, name=name, sure=0.0))
            continue
        at = [region for region in one.finding.regions if hits(region, threat)]
        region = max(at, key=lambda region: region.sigma, default=None)
        name, sure = ("", 0.0) if region is None else (region.material, region.material_share)
        called.append(Called(truth=truth, name=name, sure=sure))
    return called
