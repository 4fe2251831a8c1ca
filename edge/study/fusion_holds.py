"""Whether what is believed holds: of every incident that was asked, and of alerts that rang."""

import math
from collections.abc import Sequence

import numpy as np

from edge.study.figures import Figure, plain
from edge.study.fusion_hours import Hour
from edge.study.fusion_measures import ADVISORY, Tally
from edge.study.fusion_systems import GARITA
from edge.study.fusion_tables import Goals, held
from edge.study.fusion_told import THREATS
from edge.study.fusion_truth import Happening, Joiner, Kind, alike
from edge.study.reliability import reliability_of
from fusion.policy import ScoringPolicy
from fusion.questions import EVENTS, QUESTIONS
from fusion.types import Event

LEAST_CASES = 30  # fewer incidents of a question say nothing of its probabilities


def calibration(hours: Sequence[Hour], goals: Goals, scoring: ScoringPolicy) -> list[Figure]:
    """Whether what is believed of incidents holds, told or not, question by question.

    Threats are more frequent in a pack than the policy's priors say, and that is no fault of the
    evidence: predictions are moved to the share that the pack draws, counted on other seeds than
    those that are evaluated. Where nobody can count what is no threat, as of motion, they stay.
    """
    figures = []
    for question in QUESTIONS:
        log_odds, right = _beliefs(hours, question)
        if len(right) < LEAST_CASES or not any(right) or all(right):
            continue
        drawn = None if goals.drawn is None else goals.drawn.get(question)
        moved = np.array(log_odds) + _moved_nats(question, drawn, scoring)
        predicted = 1.0 / (1.0 + np.exp(-np.clip(moved, -40.0, 40.0)))
        found = reliability_of(predicted, np.array(right, np.bool_))
        as_told = 1.0 / (1.0 + np.exp(-np.clip(np.array(log_odds), -40.0, 40.0)))
        plainly = reliability_of(as_told, np.array(right, np.bool_))
        how = (
            f"floor {found.floor:.3g}, {found.cases} incidents, {found.hits} threats; log loss "
            f"{found.log_loss:.3g} nats (knowing only how many: {found.known_loss:.3g}); "
        )
        how += (
            "with the policy's own priors"
            if drawn is None
            else f"with a share of threats of {drawn:.3g} as the pack draws them; with the "
            f"policy's own priors {plainly.error:.3g}, log loss {plainly.log_loss:.3g}"
        )
        name = f"ECE of {question}, told or not"
        one = plain(name, found.error, "", how)
        if goals.drawn is not None:
            limit = 1.5 * found.floor
            one = held(one, f"<= {limit:.3g}", found.error <= limit)
        figures.append(one)
    return figures


def alerts_hold(mine: Tally) -> list[Figure]:
    """The same of alerts that rang: only those, so that chance favours none of them."""
    rang = [one for one in mine.verdicts if one.level >= ADVISORY and not one.is_group]
    if len(rang) < LEAST_CASES:
        return []
    predicted = np.array([one.probability for one in rang])
    right = np.array([one.fits for one in rang])
    found = reliability_of(predicted, right)
    how = f"floor {found.floor:.3g}, {found.cases} alerts, log loss {found.log_loss:.3g} nats"
    return [plain("ECE of alerts that rang", found.error, "", how)]


def _beliefs(hours: Sequence[Hour], question: str) -> tuple[list[float], list[bool]]:
    events = frozenset(EVENTS[name] for name in QUESTIONS[question] if name in THREATS)
    log_odds, right = [], []
    for one in hours:
        joiner = Joiner(one.found)
        for asked in one.ways[GARITA].last:
            if asked.question != question:
                continue
            of = joiner.of(asked.place, asked.first_s, asked.last_s, sorted(events))
            so = _is_so(of, events)
            if so is not None:
                log_odds.append(asked.odds_nats)
                right.append(so)
    return log_odds, right


def _is_so(of: Happening | None, events: frozenset[Event]) -> bool | None:
    """Whether the question has that answer; None where either answer is right.

    The lead around a source is an anomaly of the load, and told as the source that it hides.
    """
    if of is None or of.kind is Kind.LAWFUL:
        return False
    if of.event is not None and any(alike(of.event, event) for event in events):
        return True
    return None if of.events & events else False


def _moved_nats(question: str, drawn: float | None, scoring: ScoringPolicy) -> float:
    if drawn is None:
        return 0.0
    names = QUESTIONS[question]
    priors = {name: math.exp(scoring.priors_nats[name]) for name in names}
    threat = sum(value for name, value in priors.items() if name in THREATS)
    other = 1.0 + sum(value for name, value in priors.items() if name not in THREATS)
    return math.log(drawn / (1.0 - drawn)) - math.log(threat / other)
