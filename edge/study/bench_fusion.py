"""Weighing what sensors say: many places at once, and each detection through the real fuser.

Time is the processor's, so that whatever else runs on the machine counts for nothing.
"""

import datetime
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edge.kernel_cache import use_kernel_cache
from edge.study.bench_fusion_day import CELLS, at_each_place, checkpoint, told_again, traffic
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from fusion.cells import Cell
from fusion.cells_batch import Cells
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.score import score
from fusion.screen import layout_of
from fusion.step_curve import StepCurve
from fusion.types import SECOND_NS, Detection

REPORTS = 19_200  # 100 of each of 192 sensors
TWIN_REPORTS = 960
ROUNDS = 9
KALMAN_STEPS = 400
IDLE_TICKS = 2_000
SCORES = 2_000
QUESTIONS = ("radiation", "cargo", "passage", "motion")
GOAL_PER_S = 200_000.0
GOAL_FEED_US = 20.0


def run(options: Options) -> list[Figure]:
    """Detections a second in a batch, the cost of one fed by itself, and of an idle tick.

    Of the feed, how much is the weighing of an incident that is there already.
    """
    use_kernel_cache()
    options.say(f"fusion: {CELLS} places with a sensor of each family, in a batch")
    figures = _batch(options)
    options.say("fusion: the same places, each detection through the fuser by itself")
    return [*figures, *_feeds(options), _weighing(options), _idle()]


def _batch(options: Options) -> list[Figure]:
    policy = Policy()
    layout = layout_of(QUESTIONS, policy)
    priors = layout.priors(policy.scoring.priors_nats)
    reports = list(at_each_place(np.random.default_rng(options.seed), REPORTS))
    took = [_cpu_s(lambda: Cells(layout, CELLS).take(reports, priors)) for _ in range(ROUNDS)]
    per_s = [len(reports) / each for each in took[1:]]  # the first loads the kernel
    twin_s = len(reports) / TWIN_REPORTS * _cpu_s(lambda: _twin(reports[:TWIN_REPORTS], policy))
    middle_s = statistics.median(took[1:])
    how = (
        f"{CELLS} cells x 3 families, each report put into its columns and its cell weighed anew, "
        f"all {len(layout.names)} explanations; one thread, median of {ROUNDS - 1} rounds of "
        f"{len(reports)} reports, {min(per_s):,.0f} to {max(per_s):,.0f}"
    )
    twin = f"fusion.score.score, without a table of reasons kept, on {TWIN_REPORTS} of the reports"
    figures = [
        at_least("fusion.batch", statistics.median(per_s), GOAL_PER_S, "/s", how),
        plain("fusion.twin", twin_s / middle_s, "x", f"the batch against its slow twin: {twin}"),
    ]
    steps_per_s = _stone_soup_steps_per_s()
    if steps_per_s is None:
        options.say("fusion: Stone Soup is not installed; nothing is held against it")
        return figures
    against = (
        "a predict and update of a Kalman filter with 4 states in Stone Soup, one after another"
    )
    return [*figures, plain("fusion.stone-soup", steps_per_s, "/s", against)]


def _twin(reports: list[tuple[int, Detection]], policy: Policy) -> None:
    """What each report changes, weighed in Python."""
    last: dict[int, dict[tuple[str, str], Detection]] = {}
    names = layout_of(QUESTIONS, policy).names
    for cell, detection in reports:
        mine = last.setdefault(cell, {})
        mine[detection.sensor_id, detection.kind] = detection
        score([(each, 1.0) for each in mine.values()], names, detection.end_utc_ns, policy.scoring)


def _stone_soup_steps_per_s() -> float | None:
    if importlib.util.find_spec("stonesoup") is None:
        return None

    linear = _part("models.transition.linear")
    motion = linear.CombinedLinearGaussianTransitionModel([linear.ConstantVelocity(0.05)] * 2)
    model = _part("models.measurement.linear").LinearGaussian(4, (0, 2), np.eye(2))
    predictor = _part("predictor.kalman").KalmanPredictor(motion)
    updater = _part("updater.kalman").KalmanUpdater(model)
    begin = datetime.datetime(2026, 11, 21)
    state = _part("types.state").GaussianState([[0.0], [1.0], [0.0], [1.0]], np.eye(4), begin)
    hypothesis, detection = _part("types.hypothesis"), _part("types.detection")

    def steps() -> None:
        nonlocal state
        for number in range(1, KALMAN_STEPS + 1):
            at = state.timestamp + datetime.timedelta(seconds=1)
            seen = detection.Detection([[number], [number]], at, measurement_model=model)
            expected = predictor.predict(state, timestamp=at)
            state = updater.update(hypothesis.SingleHypothesis(expected, seen))

    steps()
    return KALMAN_STEPS / _cpu_s(steps)


def _part(name: str) -> Any:  # noqa: ANN401 - of a library that is only there for tests
    return importlib.import_module(f"stonesoup.{name}")


class _AllUp:
    """Sensors of which none is down, and that heard no steps between their events."""

    def up(self, sensor_id: str) -> bool:
        """All are."""
        return bool(sensor_id)

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """Nothing."""
        del sensor_id, end_utc_ns
        return None


def _feeds(options: Options) -> list[Figure]:
    """Each detection by itself, association, cues, judge and alarm book included."""
    policy = Policy()
    costs_us: dict[str, list[float]] = {}
    told = 0
    for _ in range(2):  # the first compiles and loads
        costs_us.clear()
        told = 0
        for family, cost_us, alerts in _played(policy, options.seed):
            told += alerts
            if not alerts:
                costs_us.setdefault(family, []).append(cost_us)
    quiet = [cost for costs in costs_us.values() for cost in costs]
    middle = {family: statistics.median(costs) for family, costs in sorted(costs_us.items())}
    how = (
        f"{len(quiet)} feeds of {CELLS} lanes with portal and scanner and {CELLS} zones with "
        f"ground sensors of which nothing was told ({told} alerts besides): association, tracks, "
        "cues, judge and alarm book"
    )
    return [
        at_most("fusion.feed", statistics.median(quiet), GOAL_FEED_US, "us", f"median of {how}"),
        plain("fusion.feed.p95", percentile(quiet, 0.95), "us", f"of {how}"),
        plain("fusion.feed.p99", percentile(quiet, 0.99), "us", f"of {how}"),
        *(
            plain(f"fusion.feed.{family}", cost, "us", f"median of {len(costs_us[family])} of them")
            for family, cost in middle.items()
        ),
    ]


def _played(policy: Policy, seed: int) -> Iterator[tuple[str, float, int]]:
    """Family, processor time in us and alerts of each feed."""
    fuser = Fuser(checkpoint(CELLS, CELLS), policy, _AllUp())
    for utc_ns, found in traffic(np.random.default_rng(seed)):
        if not found:
            fuser.tick(utc_ns, [])
            continue
        began_ns = time.thread_time_ns()
        alerts = fuser.take(found)
        took_ns = time.thread_time_ns() - began_ns
        yield found[0].family.value, took_ns / len(found) / 1e3, len(alerts)


def _weighing(options: Options) -> Figure:
    """A detection that changes only the score of an incident that is there already."""
    policy = Policy()
    layout = layout_of(QUESTIONS, policy)
    cell = Cell(layout, layout.priors(policy.scoring.priors_nats))
    costs_us = []
    faint = 0
    for rows, now_utc_ns in told_again(np.random.default_rng(options.seed), SCORES):
        began_ns = time.thread_time_ns()
        faint += cell.hold(rows)
        cell.worth_telling(now_utc_ns)
        costs_us.append((time.thread_time_ns() - began_ns) / 1e3)
    how = (
        f"median of {SCORES} gamma profiles told again of a vehicle with a scan: its evidence held "
        f"and all {len(layout.names)} explanations weighed by the kernel ({faint} were too faint "
        "for that); a part of fusion.feed, with no association, cues, judge or alarm book"
    )
    return plain("fusion.weighing", statistics.median(costs_us), "us", how)


def _idle() -> Figure:
    """A tick in which nothing happens."""
    fuser = Fuser(checkpoint(10, 4), Policy(), _AllUp())
    costs_us = []
    for number in range(1, IDLE_TICKS + 1):
        utc_ns = number * SECOND_NS // 10
        began_ns = time.thread_time_ns()
        fuser.tick(utc_ns, [])
        costs_us.append((time.thread_time_ns() - began_ns) / 1e3)
    how = f"median of {IDLE_TICKS} ticks in which nothing happens, 10 lanes and 4 zones"
    return plain("fusion.tick", statistics.median(costs_us), "us", how)


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
