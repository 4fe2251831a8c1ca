"""`xray-material`: what blocks of known material are called, and what shares of loads are told.

A block of 50 to 300 kg of aluminium, steel or lead, or bricks of organic goods, stands among other
goods. It is judged by the region that covers it, where one is told, from 5 g/cm2 and while at least
a hundredth of the light gets through. Lead that lets next to nothing through is dense by that
alone; thin lead is not claimed.
"""

from collections import Counter
from dataclasses import replace

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
LEAST_SIGMA = 4.0  # what it is called is asked of weaker places as well


def options_of(seed: int) -> CaseOptions:
    """What a seed draws: materials in turn, in loads that are not cluttered."""
    material = MATERIALS[seed % len(MATERIALS)]
    clutter = ("low", "medium")[seed // len(MATERIALS) % 2]
    if material == "organic":  # a block of it does not stand out of goods: what stands alone
        return CaseOptions(load="light", material=material)
    return CaseOptions(load="loaded", threat="block", material=material, clutter=clutter)


def measure(settings: Settings) -> list[Figure]:
    """Shares called right, with the confusion matrix, for the usual and another scanner."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    rest = range(seeds.stop, seeds.stop + max(number // OTHER_SHARE, len(MATERIALS)))
    called = _called(seeds)
    other = _called(rest, OTHER)
    figures = []
    told = {key: count for key, count in called.items() if key[1]}
    right = sum(count for (truth, name), count in told.items() if truth == name)
    total = sum(told.values())
    if total:
        figures.append(share("group right, where told", right, total, how(seeds)))
    for truth in GROUPS:
        mine = {name: count for (each, name), count in called.items() if each == truth}
        known = sum(count for name, count in mine.items() if name)
        if known:
            others = ", ".join(
                f"{name} {count}" for name, count in sorted(mine.items()) if name and name != truth
            )
            source = f"{how(seeds)}; not told {mine.get('', 0)}, else {others or 'nothing'}"
            figures.append(share(f"{truth}: group right", mine.get(truth, 0), known, source))
    known = sum(count for (_, name), count in other.items() if name)
    if known:
        right = sum(count for (truth, name), count in other.items() if truth == name)
        figures.append(share(f"{OTHER}: group right, where told", right, known, how(rest, OTHER)))
    if settings.pictures is not None and told:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        picture = confusion("Materials of blocks in loads", GROUPS, told, how(seeds))
        (settings.pictures / "xray-material.png").write_bytes(picture)
    return figures


def _called(seeds: range, setting: str = "") -> Counter[tuple[str, str]]:
    """(group, what it was called, empty where not told) of every block."""
    policy = replace(XrayPolicy(), region_sigma=LEAST_SIGMA)
    called: Counter[tuple[str, str]] = Counter()
    for one in runs(seeds, options_of, setting=setting, policy=policy):
        if not one.truth.threats:
            continue
        threat = one.truth.threats[0]
        truth = NAMES.get(threat.material, "organic")
        if one.options.load == "light":  # all there is in the box
            shares = {name: part for name, part in one.finding.materials if name in GROUPS}
            best = max(GROUPS, key=lambda name: shares.get(name, 0.0))
            called[truth, best if shares.get(best, 0.0) > 0.0 else ""] += 1
            continue
        at = [region for region in one.finding.regions if hits(region, threat)]
        best_region = max(at, key=lambda region: region.sigma, default=None)
        called[truth, "" if best_region is None else best_region.material] += 1
    return called
