"""What Garita's score amounts to where the answer is known (facts: fusion 2.1).

Sensors measure x ~ N(0, 1), or N(d', 1) where there is something, and say their log-likelihood
ratio d' x - d'^2 / 2, or only whether x is over a line. No chance is drawn: the score is integrated
over all that the sensors can measure.
"""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, norm

from fusion.score import score
from fusion.scoring_policy import ScoringPolicy
from fusion.types import Detection, Family, Origin

EXACT = 1e-3
NODES = 12  # a direction; twice as many change nothing

# (d' of each sensor, false alarms): best single, 1-of-n, 2-of-n, 3-of-n, sum
DETECTED = {
    ((2.0,) * 3, 1e-2): (0.372, 0.558, 0.743, 0.699, 0.872),
    ((2.0,) * 3, 1e-3): (0.138, 0.222, 0.447, 0.446, 0.646),
    ((2.0,) * 3, 1e-4): (0.043, 0.069, 0.216, 0.244, 0.399),
    ((1.5,) * 3, 1e-3): (0.056, 0.083, 0.189, 0.202, 0.311),
    ((1.5,) * 4, 1e-3): (0.056, 0.092, 0.235, 0.300, 0.464),
    ((1.0, 1.5, 2.5), 1e-3): (0.278, None, None, None, 0.497),
}
IGNORED = {0.1: 2.4, 0.3: 7.3, 0.5: 14.4, 0.9: 32.0}
"""Times too many false alarms of three sensors with that correlation, which nobody regards."""

SEQUENCES = {4.0: (335.0, 8.38), 5.0: (931.0, 10.38), 8.0: (18_962.0, 16.37)}
"""Page's CUSUM with k = 0.5: line in nats to how many measurements it takes, with nothing there and
with a shift of one standard deviation. With that shift x - k is the log-likelihood ratio of x."""

rows = pytest.mark.parametrize(("row", "known"), DETECTED.items(), ids=str)


def said(nats, rho=0.0, pair_rho=None):
    """What the score makes of what sensors of one family say, without a prior."""
    kinds = [f"test-{i}" for i in range(len(nats))]
    policy = ScoringPolicy(
        priors_nats={"something": 0.0},
        caps_nats=dict.fromkeys(kinds, math.inf),
        group_rho={"seismic": rho},
        pair_rho=pair_rho or {},
        decay_s={},
    )
    detections = [
        Detection(
            sensor_id=f"sensor-{i}",
            family=Family.SEISMIC,
            origin=Origin.SENSOR,
            kind=kinds[i],
            start_utc_ns=0,
            end_utc_ns=0,
            facts={},
            nats={"something": value},
        )
        for i, value in enumerate(nats)
    ]
    return score([(d, 1.0) for d in detections], ("something",), 0, policy).nats["something"]


def ratios(measured, shifts):
    """Log-likelihood ratio of each sensor alone."""
    return [d * x - d * d / 2 for x, d in zip(measured, shifts, strict=True)]


def chance(statistic, line, means, covariance):
    """P(statistic(x) >= line) for x ~ N(means, covariance).

    The last of the independent directions, in which most happens, is solved for; the others are
    integrated over (Gauss-Hermite).
    """
    n = len(means)
    variances, directions = np.linalg.eigh(covariance)
    root = directions * np.sqrt(variances)
    root[:, -1] *= np.sign(root[:, -1].sum())
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights /= math.sqrt(math.tau)

    def at(others, last):
        return statistic(means + root @ np.array([*others, last]))

    total = 0.0
    for chosen in itertools.product(range(len(nodes)), repeat=n - 1):
        others = nodes[list(chosen)]
        low, high = at(others, 0.0), at(others, 1.0)
        crossing = (line - low) / (high - low)
        assert at(others, crossing) == pytest.approx(line, abs=1e-9)  # it is a straight line
        total += float(np.prod(weights[list(chosen)])) * float(norm.sf(crossing))
    return total


def line_of(strength, false_alarms):
    """Nats over which a log-likelihood ratio of that strength (d'^2) is so seldom by chance."""
    return norm.isf(false_alarms) * math.sqrt(strength) - strength / 2


def single_line(false_alarms, k, n):
    """False alarms of each sensor where k of n together have so many."""
    return brentq(lambda p: binom.sf(k - 1, n, p) - false_alarms, 1e-12, 0.999, xtol=1e-15)


@rows
def test_the_table_of_detection_is_what_closed_forms_give(row, known):
    (shifts, false_alarms), n = row, len(row[0])
    single, *counted, summed = known
    over = norm.isf(false_alarms)
    assert norm.sf(over - max(shifts)) == pytest.approx(single, abs=6e-4)
    assert norm.sf(over - math.hypot(*shifts)) == pytest.approx(summed, abs=6e-4)
    for k, expected in enumerate(counted, start=1):
        if expected is not None:
            alone = norm.sf(norm.isf(single_line(false_alarms, k, n)) - shifts[0])
            assert binom.sf(k - 1, n, alone) == pytest.approx(expected, abs=6e-4)


@rows
def test_the_score_of_independent_sensors_detects_as_their_ratios_allow(row, known):
    shifts, false_alarms = row
    line = line_of(sum(d * d for d in shifts), false_alarms)
    apart = np.eye(len(shifts))

    def statistic(measured):
        return said(ratios(measured, shifts))

    nothing, something = np.zeros(len(shifts)), np.array(shifts)
    assert chance(statistic, line, nothing, apart) == pytest.approx(false_alarms, rel=EXACT)
    assert chance(statistic, line, something, apart) == pytest.approx(known[-1], abs=EXACT)


@rows
def test_the_score_of_the_best_sensor_alone_detects_less(row, known):
    shifts, false_alarms = row
    best = max(shifts)
    line = line_of(best * best, false_alarms)
    alone = chance(lambda x: said(ratios(x, [best])), line, np.array([best]), np.eye(1))
    assert alone == pytest.approx(known[0], abs=EXACT)


@pytest.mark.parametrize("k", (1, 2, 3))
@pytest.mark.parametrize(("row", "known"), list(DETECTED.items())[:-1], ids=str)
def test_the_score_of_sensors_that_only_decide_counts_them(row, known, k):
    (shifts, false_alarms), n = row, len(row[0])
    alone = single_line(false_alarms, k, n)
    seen = norm.sf(norm.isf(alone) - shifts[0])
    # Chair and Varshney 1986: what a decision says, and what the lack of one says.
    speaks, is_silent = math.log(seen / alone), math.log((1 - seen) / (1 - alone))
    line = said([speaks] * k + [is_silent] * (n - k)) - 1e-9
    told = {True: 0.0, False: 0.0}
    for alarms in itertools.product((True, False), repeat=n):
        if said([speaks if alarm else is_silent for alarm in alarms]) >= line:
            for something, p in ((True, seen), (False, alone)):
                told[something] += math.prod(p if alarm else 1 - p for alarm in alarms)
    assert told[False] == pytest.approx(false_alarms, rel=EXACT)
    assert told[True] == pytest.approx(known[k], abs=EXACT)


@pytest.mark.parametrize(("rho", "times"), IGNORED.items())
def test_correlation_that_is_ignored_costs_as_many_false_alarms_as_known(rho, times):
    shifts, nominal = (1.5,) * 3, 1e-3
    line = line_of(3 * 1.5**2, nominal)
    alarms = chance(lambda x: said(ratios(x, shifts)), line, np.zeros(3), alike(3, rho))
    exact = norm.sf(norm.isf(nominal) / math.sqrt(1 + 2 * rho))
    assert alarms == pytest.approx(exact, rel=EXACT)
    assert alarms / nominal == pytest.approx(times, abs=0.1 if rho < 0.9 else 0.5)


@pytest.mark.parametrize("rho", (0.0, *IGNORED))
@pytest.mark.parametrize("shift", (1.0, 2.0))
def test_the_weights_of_a_group_keep_false_alarms_at_their_nominal_rate(rho, shift):
    nominal, shifts = 1e-3, (shift,) * 3
    strength = 3 * shift**2 / (1 + 2 * rho)

    def statistic(measured):
        return said(ratios(measured, shifts), rho)

    line = line_of(strength, nominal)
    assert chance(statistic, line, np.zeros(3), alike(3, rho)) == pytest.approx(nominal, rel=EXACT)
    detected = chance(statistic, line, np.array(shifts), alike(3, rho))
    best = norm.sf(norm.isf(nominal) - math.sqrt(strength))  # of any test (Neyman, Pearson)
    assert detected == pytest.approx(best, abs=EXACT)


@pytest.mark.parametrize("rho", (0.0, *IGNORED))
def test_what_a_weighted_group_says_is_a_likelihood_ratio(rho):
    assert mean_ratio(alike(2, rho), lambda nats: said(nats, rho)) == pytest.approx(1.0, abs=EXACT)


def test_correlations_of_each_two_tests_make_a_likelihood_ratio_too():
    pairs = {"test-0+test-1": 0.7, "test-0+test-2": 0.1, "test-1+test-2": 0.3}
    covariance = np.array([[1.0, 0.7, 0.1], [0.7, 1.0, 0.3], [0.1, 0.3, 1.0]])
    mean = mean_ratio(covariance, lambda nats: said(nats, 0.5, pairs))
    assert mean == pytest.approx(1.0, abs=EXACT)
    assert mean_ratio(covariance, said) > 1.5  # odds are made of nothing where nobody regards them


def mean_ratio(covariance, statistic):
    """Mean of exp(statistic) where there is nothing: of a ratio p1 / p0 it is 1."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    root = np.linalg.cholesky(covariance)
    n = len(covariance)
    mean = 0.0
    for chosen in itertools.product(range(NODES), repeat=n):
        measured = root @ nodes[list(chosen)]
        chance = float(np.prod(weights[list(chosen)])) / math.tau ** (n / 2)
        mean += chance * math.exp(statistic(ratios(measured, (1.0,) * n)))
    return mean


@pytest.mark.parametrize(("line", "known"), SEQUENCES.items())
def test_the_scores_of_one_measurement_after_another_add_up_to_an_alarm_as_known(line, known):
    # Nothing in Garita sums up like that; whatever will can be held against this.
    low, high = (said(ratios([x], [1.0])) for x in (0.0, 1.0))
    assert said(ratios([3.0], [1.0])) == pytest.approx(low + 3.0 * (high - low))
    for shift, expected in zip((0.0, 1.0), known, strict=True):
        step = norm(low + shift * (high - low), high - low)
        assert mean_run(step, line) == pytest.approx(expected, rel=EXACT, abs=0.5 * (shift == 0.0))


def mean_run(step, line):
    """Steps until S = max(0, S + step) passes the line, from 0 (Page 1954).

    L(s) = 1 + L(0) P(step <= -s) + integral from 0 to the line of L(y) p(y - s) dy, by Gauss and
    Legendre's nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    sums = np.concatenate([[0.0], line * (nodes + 1.0) / 2.0])
    moves = np.empty((len(sums), len(sums)))
    moves[:, 0] = step.cdf(-sums)
    moves[:, 1:] = weights * line / 2.0 * step.pdf(sums[1:] - sums[:, None])
    return float(np.linalg.solve(np.eye(len(sums)) - moves, np.ones(len(sums)))[0])


def alike(n, rho):
    """Covariance of sensors of which any two have the same correlation."""
    return (1.0 - rho) * np.eye(n) + rho
