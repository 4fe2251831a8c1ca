"""Fits `EvidenceCalibration`, and the correlations of sensors, on cases of known truth."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.study.calibration_cases import DENSE, EMPTINESS, EVENT, NOBODY, SOMEBODY, Case
from edge.study.calibration_packs import GROUND_RHO, PAIR_RHO, Material
from edge.study.calibration_rho import Rho, ground_curve, ground_pairs, portal_pairs
from edge.study.fitting import TooLittle, Vector, kinds, monotone
from edge.study.reliability import LEAST_SHARE, Reliability, reliability_of
from fusion import evidence
from fusion.evidence_calibration import EvidenceCalibration
from fusion.scoring_policy import ScoringPolicy

LEAST = 30
"""Cases of each class: a line through fewer is drawn by one or two of them."""
DOUBT = 0.01  # as for portals: one case in a hundred is like nothing that the simulator knows
CORRELATIONS = (GROUND_RHO, PAIR_RHO)
FIRST = (NOBODY, SOMEBODY)
OF_LINES = {EMPTINESS: "not-empty", DENSE: "contraband-anomaly"}
"""What each test of a scanner is a line between, and nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a pack has taught."""

    evidence: EvidenceCalibration
    ground_rho: tuple[float, float, float]
    pair_rho: Mapping[str, float]


def known_now() -> Fitted:
    """What the engine has before any fit."""
    scoring = ScoringPolicy()
    return Fitted(
        evidence=EvidenceCalibration(),
        ground_rho=scoring.ground_rho,
        pair_rho=dict(scoring.pair_rho),
    )


def fit(known: Fitted, given: Material, told: str, tests: Sequence[str]) -> Fitted:
    """The numbers of these tests fitted afresh.

    told  seeds, versions and date, for the provenance
    TooLittle where cases of one class are too few.
    """
    cases = given.cases(known.evidence)
    provenance = dict(known.evidence.provenance)
    found = known
    for test in tests:
        if test in CORRELATIONS:
            found, words = _correlated(found, given, test)
        else:
            mine = [case for case in cases if case.test == test]
            found = replace(found, evidence=FITS[test](found.evidence, mine))
            words = _counts(mine)
        provenance[test] = f"{words} on {told}"
    return replace(found, evidence=replace(found.evidence, provenance=provenance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How far the nats of one test hold."""

    log_loss: float
    """Nats a case, of what was right among all explanations."""
    held: Reliability
    """Of every explanation but `nothing`, each with its truth."""


def judged(known: EvidenceCalibration, cases: Sequence[Case], test: str) -> Judged | None:
    """Nats of a test on cases of known truth, where it has said anything.

    The priors are the mix of all cases, so that nats alone are judged. None where one class alone
    is there.
    """
    mix = Counter(case.truth for case in cases if case.test == test)
    mine = [case for case in cases if case.test == test and case.facts]
    if len(mix) < 2 or not mix[NOBODY] or not mine:
        return None
    names = [NOBODY, *sorted(set(mix) - {NOBODY})]
    score = np.array([[nats_of(known, case, name) for name in names] for case in mine])
    score += np.log([mix[name] for name in names])
    score -= score.max(axis=1, keepdims=True)
    predicted = np.exp(score)
    predicted /= predicted.sum(axis=1, keepdims=True)
    right = np.array([[case.truth == name for name in names] for case in mine])
    return Judged(
        log_loss=float(-np.log(np.maximum(predicted[right], LEAST_SHARE)).mean()),
        held=reliability_of(predicted[:, 1:].ravel(), right[:, 1:].ravel()),
    )


def nats_of(known: EvidenceCalibration, case: Case, explanation: str) -> float:
    """What the engine hears of it for an explanation, within the cap of the policy."""
    if not case.facts or explanation == NOBODY:
        return 0.0
    told = evidence.MEASURED[case.test](case.facts, known)
    names = evidence.ON_FOOT if explanation == SOMEBODY else (explanation,)
    both = [np.exp(told[name]) for name in names if name in told]
    cap = ScoringPolicy().caps_nats[case.test]
    return max(-cap, min(cap, float(np.log(np.sum(both))))) if both else 0.0


# --- one detector each -------------------------------------------------------------------


def _event(known: EvidenceCalibration, cases: Sequence[Case]) -> EvidenceCalibration:
    """Five numbers by which all classes compete, each class of the truth weighing the same.

    Classes with too few events are left out; without somebody, or nothing, there is nothing to
    fit. Words of steps that were not sure are bounded anyhow and left out.
    """
    counts = Counter(case.truth for case in cases)
    for name in (NOBODY, SOMEBODY):
        _enough(EVENT, cases, name)
    others = sorted(name for name, n in counts.items() if n >= LEAST and name not in FIRST)
    if not others:
        raise TooLittle(f"{EVENT}: no other class with {LEAST} cases (there are {_counts(cases)})")
    names = [*FIRST, *others]
    used = [case for case in cases if case.truth in names and _is_sure(case)]
    truth = np.array([names.index(case.truth) for case in used])
    common = np.zeros((len(used), len(names), 5))
    on_foot = _column(used, lambda facts: evidence.class_odds(facts, evidence.ON_FOOT, known))
    clear = _column(used, lambda facts: evidence.clear_share(facts, known))
    common[:, 1, :3] = np.column_stack(
        (on_foot, np.where(on_foot > known.foot_offset, clear, 0.0), -np.ones(len(used)))
    )
    for place, name in enumerate(others, start=len(FIRST)):
        common[:, place, 3] = _column(used, _odds_of(name, known))
        common[:, place, 4] = -1.0
    _, found = kinds(np.zeros((len(used), 0)), common, truth, len(names), DOUBT)
    foot_slope, foot_clear, foot_offset, ground_slope, ground_offset = map(_round, found)
    if min(foot_slope, foot_clear, ground_slope) < 0.0:
        raise TooLittle(f"{EVENT}: more of a class's share would speak against it")
    return replace(
        known,
        foot_slope=foot_slope,
        foot_clear_nats=foot_clear,
        foot_offset=foot_offset,
        ground_slope=ground_slope,
        ground_offset=ground_offset,
    )


def _is_sure(case: Case) -> bool:
    return case.truth != SOMEBODY or case.facts.get("sure") is not False


def _odds_of(name: str, known: EvidenceCalibration) -> Callable[[evidence.Facts], float]:
    return lambda facts: evidence.class_odds(facts, (name,), known)


def _emptiness(known: EvidenceCalibration, cases: Sequence[Case]) -> EvidenceCalibration:
    nats = _column(cases, lambda facts: evidence.load_nats(facts, known))
    slopes, offset = _line(EMPTINESS, cases, nats)
    slope = min(1.0, slopes[0])  # a likelihood ratio is never worth more than it is
    return replace(
        known,
        emptiness_slope=_round(slope),
        emptiness_offset=_round(offset if slope == slopes[0] else 0.0),
    )


def _dense(known: EvidenceCalibration, cases: Sequence[Case]) -> EvidenceCalibration:
    """Of metal, and of what cannot be told from it; a scan without any speaks by its silence."""
    seen = [case for case in cases if case.facts.get("material") in evidence.METALS]
    sigma = _column(seen, lambda facts: evidence.number(facts, "sigma"))
    # Of all scans so many show any such place, with a thing in the load and without.
    shown = _share(cases, seen, nothing=False) / _share(cases, seen, nothing=True)
    silent = [case for case in cases if not case.facts]
    missed = _share(cases, silent, nothing=False) / _share(cases, silent, nothing=True)
    slopes, offset = _line(DENSE, seen, sigma)
    return replace(
        known,
        dense_slope=_round(slopes[0]),
        dense_offset=_round(offset - float(np.log(shown))),
        dense_least_nats=_round(min(0.0, float(np.log(missed)))),
    )


def _share(cases: Sequence[Case], of: Sequence[Case], *, nothing: bool) -> float:
    every = sum((case.truth == NOBODY) is nothing for case in cases)
    return (sum((case.truth == NOBODY) is nothing for case in of) + 0.5) / (every + 1.0)


FITS: Mapping[str, Callable[[EvidenceCalibration, Sequence[Case]], EvidenceCalibration]] = {
    EVENT: _event,
    EMPTINESS: _emptiness,
    DENSE: _dense,
}


# --- between them ------------------------------------------------------------------------


def _correlated(found: Fitted, given: Material, test: str) -> tuple[Fitted, str]:
    scoring = ScoringPolicy()
    if test == PAIR_RHO:
        pairs = portal_pairs(given.hours, scoring.group_rho["radiation"])
        fresh = {name: _round(rho.value) for name, rho in pairs.items()}
        return replace(found, pair_rho={**found.pair_rho, **fresh}), _rhos(pairs)
    rhos = ground_pairs(given.hours, found.evidence, found.ground_rho)
    curve = ground_curve(rhos, found.ground_rho)
    near, far, reach_m = (_round(value) for value in curve)
    named = {f"{away_m:g} m": rho for away_m, rho in rhos.items()}
    return replace(found, ground_rho=(near, far, reach_m)), _rhos(named)


def _rhos(found: Mapping[str, Rho]) -> str:
    return "; ".join(f"{name} {rho.words()}" for name, rho in found.items())


def _line(test: str, cases: Sequence[Case], *columns: Vector) -> tuple[Vector, float]:
    for name in sorted({NOBODY, OF_LINES[test]}):
        _enough(test, cases, name)
    right = np.array([case.truth != NOBODY for case in cases], np.bool_)
    return monotone(np.column_stack(columns), right, DOUBT)


def _enough(test: str, cases: Sequence[Case], name: str) -> None:
    count = sum(case.truth == name for case in cases)
    if count < LEAST:
        there = _counts(cases) or "no case at all"
        words = f"{test}: {count} of {name}, {LEAST} are needed (there are {there})"
        raise TooLittle(words, count, LEAST)


def _column(cases: Sequence[Case], measured: Callable[[evidence.Facts], float]) -> Vector:
    return np.array([measured(case.facts) for case in cases])


def _counts(cases: Sequence[Case]) -> str:
    found = Counter(case.truth for case in cases)
    return ", ".join(f"{found[name]} {name}" for name in sorted(found))


def _round(value: float) -> float:
    return round(float(value), 4)
