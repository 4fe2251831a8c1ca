"""`flood`: thirty stretches of a fence at once, from the ground to the operator's desk.

Simulated motion, datagrams, senses, fuser and desk: the whole chain. What comes of a flood of
detections made by hand is `fusion-flood`.
"""

from collections.abc import Sequence

from edge.study.figures import Figure, at_least, at_most
from edge.study.flood_scene import UPSET_S, FloodRun, flood_run
from edge.study.packs import Settings
from fusion.policy import Policy
from simulators.catalog import KINDS

NUMBER = 3
SEEN = 10
"""The most that an operator can take in the first ten minutes (facts: fusion 2.3)."""


def measure(settings: Settings) -> list[Figure]:
    """The worst of a few floods."""
    seeds = range(settings.crossing_seed, settings.crossing_seed + (settings.number or NUMBER))
    runs = []
    for seed in seeds:
        runs.append(flood_run(seed, Policy()))
        settings.say(f"seed {seed}: rang {runs[-1].rang}, {runs[-1].reachable} stretches told")
    version = KINDS["shake-udp"].version
    return figures(runs, f"seeds {seeds[0]:,} to {seeds[-1]:,}, shake-udp {version}")


def figures(runs: Sequence[FloodRun], how: str) -> list[Figure]:
    """The worst of these."""
    worst = min(runs, key=lambda one: one.reachable - one.tracks)
    how = f"worst of {len(runs)} floods, {how}"
    return [
        at_most(
            f"flood: alerts with a sound in {UPSET_S / 60:.0f} minutes",
            max(one.rang for one in runs),
            SEEN,
            "",
            how,
        ),
        at_least("flood: stretches told", worst.reachable, worst.tracks, "", how),
    ]
