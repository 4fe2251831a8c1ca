"""Fits `RadiationCalibration` on passes of known truth."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.study.fitting import TooLittle, excess_line, kinds
from edge.study.portal_cases import Case, cases, seeds_of, version_of
from fusion import radiation_evidence as evidence
from fusion.radiation_calibration import RadiationCalibration
from fusion.types import Fact

COUNTS, SPECTRA = "rpm-tsa", "rpm-n42"
# Shares of `--number` clean passes. Sources are told from clean traffic by few; the tail of clean
# traffic is what takes many.
SHARES: Mapping[str, Mapping[str, float]] = {
    COUNTS: {
        "clean": 1.0,
        "norm": 0.125,
        "patient": 0.1,
        "threat anywhere": 0.2,
        "container": 0.05,
    },
    SPECTRA: {"clean": 1.0, "norm": 2.0, "patient": 0.35, "threat anywhere": 0.6},
}
USUAL: Mapping[str, int] = {COUNTS: 6_000, SPECTRA: 250}
"""Clean passes of each kind: four minutes and ten."""
FIRST_SEED: Mapping[str, int] = {COUNTS: 0, SPECTRA: 5_000}
SEEDS_APART = 1_000  # of the strata: as many hours of traffic each
LEAST = 40  # passes of each explanation
LEAST_TOLD = 12  # of those whose spectrum is told as something: one in ten of the loads is
LEAST_CLEAN = 100
DOUBT = 0.01  # one pass in a hundred is like nothing that the simulator knows

GROUPS = (("norm",), ("medical",), ("threat-source", "shielded-source"))
"""Explanations that a spectrum tells apart: whether there is a shield, it hardly does."""

LOOK_POINTS = tuple(0.125 * step for step in range(-16, 17))
"""Among which what a shape of 0 says is searched, of gross counts at a portal with spectra."""

Facts = Mapping[str, Fact]
Row = tuple[str, Facts]
"""The right explanation, and the facts of one detection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which passes are made for the fit."""

    kind: str
    seed: int
    number: int | None
    """Of clean passes; the others follow `SHARES`. None for `USUAL`."""
    date: str

    def strata(self) -> Iterable[tuple[str, int, int]]:
        """(stratum, first seed, passes) of each."""
        seed = self.seed + FIRST_SEED[self.kind]
        for stratum, share in SHARES[self.kind].items():
            yield stratum, seed, max(1, round(share * (self.number or USUAL[self.kind])))
            seed += SEEDS_APART

    @property
    def last_seed(self) -> int:
        """No seed beyond it is used."""
        return max(seed for _, seed, _ in self.strata()) + SEEDS_APART - 1


def fit_portal(
    known: RadiationCalibration, plan: Plan, say: Callable[[str], None]
) -> RadiationCalibration:
    """The calibration with the numbers of one kind of portal fitted afresh.

    TooLittle where passes are too few.
    """
    found: list[Case] = []
    seeds = []
    for stratum, seed, number in plan.strata():
        say(f"{plan.kind}: {number:,} passes of {stratum}")
        found += cases(stratum, plan.kind, seed, number)
        seeds.append(f"{seed}-{seed + seeds_of(stratum, plan.kind, seed, number) - 1}")
    fitted = fit_counts(known, found) if plan.kind == COUNTS else fit_spectra(known, found)
    passes = ", ".join(
        f"{sum(one.explanation == name for one in found)} {name}"
        for name in ("nothing", *evidence.KINDS_OF_SOURCE)
    )
    if plan.kind == SPECTRA:
        passes += f"; spectra told {_few(found, fitted)}"
    told = f"{passes} on {version_of(plan.kind)}, seeds {' '.join(seeds)}"
    provenance = {**known.provenance, plan.kind: f"{told}, {plan.date}".rstrip(", ")}
    return replace(fitted, provenance=provenance)


def _few(found: Sequence[Case], known: RadiationCalibration) -> str:
    """Of how many passes of each explanation a spectrum told anything: what a fit is thin by."""
    told = Counter(
        name
        for name, facts in _rows(found, "gamma.spectrum")
        if evidence.category_lags(facts, known)
    )
    return ", ".join(f"{told[name]} {name}" for name in ("nothing", *evidence.KINDS_OF_SOURCE))


def fit_counts(known: RadiationCalibration, found: Sequence[Case]) -> RadiationCalibration:
    """From passes at a portal that counts."""
    known = _fit_profile(known, _rows(found, "gamma.profile"))
    return _fit_neutrons(known, found)


def fit_spectra(known: RadiationCalibration, found: Sequence[Case]) -> RadiationCalibration:
    """From passes at a portal that takes spectra."""
    rows = _rows(found, "gamma.spectrum")
    return fit_gross_look(_fit_spectrum(known, rows), rows)


def _rows(found: Iterable[Case], kind: str) -> list[Row]:
    return [(one.explanation, d.facts) for one in found for d in one.judged.of(kind)]


def _fit_profile(known: RadiationCalibration, rows: list[Row]) -> RadiationCalibration:
    slope, offset, missed = _line(
        rows, evidence.profile_excess, known.profile_full_nats, "gamma.profile"
    )
    seen: list[tuple[str, float, dict[str, float]]] = [
        (name, evidence.profile_shape(facts, known), {})
        for name, facts in rows
        if name != "nothing" and slope * evidence.profile_excess(facts) > offset
    ]
    point, shape, _ = _look(seen, (("norm",), evidence.POINTS), LEAST, "gamma.profile")
    return replace(
        known,
        profile_slope=_round(slope),
        profile_offset=_round(offset),
        profile_missed_nats=_round(missed),
        profile_point=_round(point),
        profile_shape=_round(shape),
    )


def _fit_spectrum(known: RadiationCalibration, rows: list[Row]) -> RadiationCalibration:
    full = known.profile_full_nats
    gross_slope, gross_offset, _ = _line(rows, evidence.profile_excess, full, "gamma.spectrum")
    seen = [
        (name, evidence.profile_shape(facts, known), under)
        for name, facts in rows
        if name != "nothing" and (under := evidence.category_lags(facts, known))
    ]
    point, shape, category = _look(seen, GROUPS, LEAST_TOLD, "gamma.spectrum")
    weakest, nats = _told(rows, known)
    return replace(
        known,
        spectrum_slope=_round(gross_slope),
        spectrum_offset=_round(gross_slope * weakest - nats),
        spectrum_gross_slope=_round(gross_slope),
        spectrum_gross_offset=_round(gross_offset),
        spectrum_category=_round(category),
        spectrum_point=_round(point),
        spectrum_shape=_round(shape),
    )


def fit_gross_look(known: RadiationCalibration, rows: list[Row]) -> RadiationCalibration:
    """What a shape of 0 says where gross counts are all there is: of many, the least log loss.

    Clean vehicles have a shape too, and by the law of the excess alone they would have none: they
    are part of this fit, each group of explanations with the same weight.
    """
    groups = (("nothing",), *GROUPS)
    members = {name: row for row, group in enumerate(groups) for name in group}
    untold = [
        (members[name], facts) for name, facts in rows if not evidence.category_lags(facts, known)
    ]
    weights = 1.0 / np.maximum(np.bincount([row for row, _ in untold], minlength=len(groups)), 1)

    def loss(look: RadiationCalibration) -> float:
        total = 0.0
        for row, facts in untold:
            nats = {"nothing": 0.0} | evidence.gamma_spectrum(facts, look)
            likely = [np.mean([np.exp(nats[name]) for name in group]) for group in groups]
            total -= float(weights[row]) * float(np.log(likely[row] / np.sum(likely)))
        return total

    return min((replace(known, spectrum_gross_point=point) for point in LOOK_POINTS), key=loss)


def _told(rows: list[Row], known: RadiationCalibration) -> tuple[float, float]:
    """Likelihood ratio of the weakest sources that are told, and what it is worth in nats.

    A source is only told at all where its spectrum is significant, which next to no clean vehicle
    is. The weakest quarter of those told is worth what their share says against the share of clean
    vehicles that are told.
    """
    told = {True: 0, False: 0}
    excess = []
    for name, facts in rows:
        if evidence.category_lags(facts, known):
            told[name == "nothing"] += 1
            if name != "nothing":
                excess.append(evidence.spectrum_excess(facts))
    clean = sum(name == "nothing" for name, _ in rows)
    if clean < LEAST_CLEAN or told[False] < LEAST:
        raise TooLittle(f"gamma.spectrum: {clean} clean passes, {told[False]} told as a source")
    falsely = (told[True] + 0.5) / (clean + 1)
    weakest = 0.25 * told[False] / (len(rows) - clean)
    return float(np.quantile(excess, 0.125)), float(np.log(weakest / falsely))


def _fit_neutrons(known: RadiationCalibration, counted: Sequence[Case]) -> RadiationCalibration:
    rows = [
        ("threat-source" if one.cause.startswith("neutrons") else "nothing", d.facts)
        for one in counted
        if not one.cause.startswith("Pu-239")  # which emits some, mostly too few
        for d in one.judged.of("neutron.counts")
    ]
    slope, offset, _ = _line(
        rows, evidence.neutron_excess, known.neutron_full_nats, "neutron.counts"
    )
    return replace(known, neutron_slope=_round(slope), neutron_offset=_round(offset))


def _line(
    rows: list[Row], excess: Callable[[Facts], float], full: float, kind: str
) -> tuple[float, float, float]:
    nothing = np.array([min(full, excess(facts)) for name, facts in rows if name == "nothing"])
    source = np.array([min(full, excess(facts)) for name, facts in rows if name != "nothing"])
    if len(nothing) < LEAST_CLEAN or len(source) < LEAST:
        raise TooLittle(f"{kind}: {len(nothing)} clean passes and {len(source)} with a source")
    return excess_line(nothing, source)


def _look(
    seen: Sequence[tuple[str, float, Mapping[str, float]]],
    groups: Sequence[tuple[str, ...]],
    least: int,
    kind: str,
) -> tuple[float, float, float]:
    """What being a point, each unit of shape, and each nat that a category lags, are worth.

    (right explanation, shape, lags by explanation) of each pass; `groups` are the explanations
    that look alike. The same coefficients hold for all: patients and sources are points alike.
    """
    truth = np.array([[name in group for group in groups].index(True) for name, _, _ in seen])
    counts = np.bincount(truth, minlength=len(groups))
    if counts.min() < least:
        few = groups[int(counts.argmin())]
        raise TooLittle(f"{kind}: {counts.min()} passes show {'/'.join(few)}, {least} are needed")
    is_point = np.array([float(group[0] != "norm") for group in groups])
    shape = np.array([one for _, one, _ in seen])
    common = np.empty((len(seen), len(groups), 3))
    common[:, :, 0] = is_point
    common[:, :, 1] = shape[:, None] * is_point
    common[:, :, 2] = [[-lags.get(group[0], 0.0) for group in groups] for _, _, lags in seen]
    own = np.zeros((len(seen), 0))
    _, found = kinds(own, common, truth.astype(np.int64), len(groups), DOUBT)
    if found[1] < 0.0 or found[2] < 0.0:
        raise TooLittle(f"{kind}: more of a point, or of a category, would speak against it")
    return float(found[0]), float(found[1]), float(found[2])


def _round(value: float) -> float:
    return round(float(value), 4)
