"""A month of referrals from strata of traffic, Garita's and those of the field's test.

A month of one lane has some ninety radiating vehicles among 32,400: each cause is played often and
weighed by how often it comes.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.study.intervals import proportion
from edge.study.portal_cases import HOURS, Case
from simulators.traffic import FIELD

VEHICLES = FIELD.per_hour * HOURS
PATIENTS = VEHICLES * FIELD.patient_share
NORM = (VEHICLES - PATIENTS) * (1.0 - FIELD.car_share) * FIELD.norm_share
COMES: Mapping[str, float] = {
    "clean": VEHICLES - PATIENTS - NORM,
    "norm": NORM,
    "patient": PATIENTS,
}
"""Vehicles of each lawful stratum in the month."""
HIDDEN_SHARE = 0.1
"""Of the threat set, within a load of minerals: thirty times their share of the trucks, since who
knows portals would take one."""
FIELD_SIGMA = 7.0  # as fielded, facts/radiation 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One pass, judged by both."""

    cause: str
    referred: bool
    k_sigma: float
    neutrons: bool
    """Whether the neutron test alone would have alarmed; both portals have the same."""

    def by_k_sigma(self, line: float) -> bool:
        """Whether the field's portal with that threshold would have referred it."""
        return self.neutrons or self.k_sigma >= line


def outcome_of(case: Case) -> Outcome:
    """What remains of a pass."""
    one = case.judged
    return Outcome(
        cause=case.cause,
        referred=one.referred,
        k_sigma=one.k_sigma,
        neutrons=one.neutrons,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Outcomes by stratum, and what a month of them amounts to."""

    strata: Mapping[str, Sequence[Outcome]]

    def detection(self, hidden: float, test: Callable[[Outcome], bool]) -> float:
        """Share of the threat set that a test finds; `hidden` is the share within minerals."""
        return (1.0 - hidden) * self.share("threat", test) + hidden * self.share(
            "threat in norm", test
        )

    def detection_error(self, hidden: float, test: Callable[[Outcome], bool]) -> float:
        """One standard deviation of `detection`."""
        parts = []
        for stratum, weight in (("threat", 1.0 - hidden), ("threat in norm", hidden)):
            share = self.share(stratum, test)
            parts.append(weight**2 * share * (1.0 - share) / len(self.strata[stratum]))
        return math.sqrt(sum(parts))

    def equal_line(self, hidden: float, detection: float) -> float:
        """The highest threshold at which k-sigma finds at least that share of the threat set."""
        scores: list[tuple[float, float]] = []
        for stratum, weight in (("threat", 1.0 - hidden), ("threat in norm", hidden)):
            rows = self.strata[stratum]
            scores += [
                (math.inf if one.neutrons else one.k_sigma, weight / len(rows)) for one in rows
            ]
        found = 0.0
        for sigma, weight in sorted(scores, reverse=True):
            found += weight
            if found >= detection - 1e-9:
                return sigma
        return -math.inf

    def share(self, stratum: str, test: Callable[[Outcome], bool]) -> float:
        """Of a stratum's passes, those that a test refers."""
        rows = self.strata[stratum]
        return sum(map(test, rows)) / len(rows)

    def referrals(self, test: Callable[[Outcome], bool]) -> tuple[float, tuple[float, float]]:
        """A month's referrals with their 95 % interval: the strata's own, added in squares."""
        total, down, up = 0.0, 0.0, 0.0
        for stratum, comes in COMES.items():
            rows = self.strata[stratum]
            hits = sum(map(test, rows))
            low, high = proportion(hits, len(rows))
            share = hits / len(rows)
            total += comes * share
            down += (comes * (share - low)) ** 2
            up += (comes * (high - share)) ** 2
        return total, (max(0.0, total - math.sqrt(down)), total + math.sqrt(up))

    def reduction(self, hidden: float) -> tuple[float, tuple[float, float], float]:
        """Share of k-sigma's referrals that Garita saves, its 95 % interval, and k-sigma's line.

        The interval takes both months' intervals, and k-sigma's at a line where it finds fewer of
        the threat set by what chance may have given Garita.
        """
        detection = self.detection(hidden, referred)
        line = self.equal_line(hidden, detection)
        doubt = 1.96 * self.detection_error(hidden, referred)
        ours, (ours_low, ours_high) = self.referrals(referred)
        theirs, (_, theirs_high) = self.referrals(lambda one: one.by_k_sigma(line))
        strict = self.equal_line(hidden, max(0.0, detection - doubt))
        _, (theirs_low, _) = self.referrals(lambda one: one.by_k_sigma(strict))
        loose = self.equal_line(hidden, min(1.0, detection + doubt))
        _, (_, theirs_high) = self.referrals(lambda one: one.by_k_sigma(loose))
        low = 1.0 - ours_high / max(theirs_low, 1e-9)
        return 1.0 - ours / max(theirs, 1e-9), (low, 1.0 - ours_low / max(theirs_high, 1e-9)), line

    def causes(self, strata: Iterable[str]) -> list[str]:
        """The causes in some strata, by name."""
        return sorted({one.cause for stratum in strata for one in self.strata[stratum]})

    def of_cause(self, stratum: str, cause: str) -> list[Outcome]:
        """The passes of one cause."""
        return [one for one in self.strata[stratum] if one.cause == cause]


def referred(one: Outcome) -> bool:
    """By Garita."""
    return one.referred
