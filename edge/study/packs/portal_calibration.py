"""`portal-calibration`: of what is told with 70 %, seven in ten are to be so.

The nats of the fitted calibration with the priors of the pack's own mix, since at the prevalence of
a threat no share can be counted. Expected calibration error over ten bins, beside the floor that a
perfectly calibrated portal would show with as many passes (facts/fusion 2.2).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.month_chart import reliability_chart
from edge.study.packs import Settings
from edge.study.portal_cases import Case, cases, version_of
from edge.study.reliability import Floats, reliability
from fusion.evidence import RADIATION, nats_of
from fusion.policy import Policy
from fusion.radiation_evidence import KINDS_OF_SOURCE
from fusion.types import Event

BINS = 10
STRATA: Mapping[str, float] = {
    "clean": 1.0,
    "norm": 0.5,
    "patient": 0.5,
    "threat anywhere": 1.0,
}
PASSES: Mapping[str, int] = {"rpm-tsa": 600, "rpm-n42": 100}
SEEDS_APART = 10_000
FIRST_SEED_AFTER = 100_000  # the months' strata end below it
GROUPS: Mapping[str, tuple[str, ...]] = {
    "nothing": ("nothing",),
    "norm": ("norm",),
    "medical": ("medical",),
    "a source": ("threat-source", "shielded-source"),
}
"""A source is a source: how it is hidden decides the name, not how sure we are of it."""


def measure(settings: Settings) -> list[Figure]:
    """Both kinds of portal."""
    figures, panels = [], []
    policy = Policy()
    for offset, (kind, passes) in enumerate(PASSES.items()):
        number = settings.number or passes
        found: list[Case] = []
        first = settings.seed + FIRST_SEED_AFTER + offset * SEEDS_APART * len(STRATA)
        for index, (stratum, share) in enumerate(STRATA.items()):
            seed = first + index * SEEDS_APART
            found += cases(stratum, kind, seed, max(10, round(share * number)), policy)
            settings.say(f"{kind}: {len(found):,} passes, {stratum} done")
        how = f"{len(found):,} passes on {version_of(kind)}, seeds from {first:,}"
        predicted, right = table(found, policy)
        error, floor, rows = reliability(predicted.ravel(), right.ravel(), BINS)
        figures.append(_figure(f"{kind}: calibration error", error, f"floor {floor:.4f}; {how}"))
        figures.append(_figure(f"{kind}: log loss, nats", log_loss(predicted, right), how))
        for predicted_share, share, n in rows:
            name = f"{kind}: told with {predicted_share:.3f}"
            hits = round(share * n)
            figures.append(
                Figure(
                    name=name,
                    value=share,
                    unit="",
                    goal="",
                    reached=None,
                    how=f"{hits} of {n} were so",
                    interval=proportion(hits, n),
                )
            )
        bounds = [proportion(round(share * n), n) for _, share, n in rows]
        points = [(*row, *bound) for row, bound in zip(rows, bounds, strict=True)]
        panels.append((f"{kind}, ECE {error:.3f} (floor {floor:.3f})", points))
    if settings.pictures is not None:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        path = settings.pictures / "portal-calibration.png"
        path.write_bytes(reliability_chart(panels))
        settings.say(f"picture: {path}")
    line = policy.alarms.level_lines[Event.RAD_THREAT][0]
    settings.say(f"advisory from {line:g} with the policy's own priors, not those of this pack")
    return figures


def table(found: Sequence[Case], policy: Policy) -> tuple[Floats, NDArray[np.bool_]]:
    """(passes, groups) probability and whether it was so."""
    names = ("nothing", *KINDS_OF_SOURCE)
    mix = Counter(one.explanation for one in found)
    priors = {name: math.log((mix[name] + 0.5) / (mix["nothing"] + 0.5)) for name in names}
    predicted = np.empty((len(found), len(GROUPS)))
    right = np.empty((len(found), len(GROUPS)), np.bool_)
    for row, case in enumerate(found):
        nats = dict(priors)
        for detection in case.judged.detections:
            if detection.kind not in RADIATION:
                continue
            cap = policy.scoring.caps_nats[detection.kind]
            for name, value in nats_of(detection, policy.radiation_evidence).items():
                if name in nats:
                    nats[name] += max(-cap, min(cap, value))
        top = max(nats.values())
        weights = {name: math.exp(value - top) for name, value in nats.items()}
        total = math.fsum(weights.values())
        for column, members in enumerate(GROUPS.values()):
            predicted[row, column] = math.fsum(weights[name] for name in members) / total
            right[row, column] = case.explanation in members
    return predicted, right


def log_loss(predicted: Floats, right: NDArray[np.bool_]) -> float:
    """Mean of minus the log of what the right group was given."""
    return float(-np.log(np.maximum(predicted[right], 1e-12)).mean())


def _figure(name: str, value: float, how: str) -> Figure:
    return Figure(name=name, value=value, unit="", goal="", reached=None, how=how)
