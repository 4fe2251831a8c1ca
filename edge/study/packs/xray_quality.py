"""`xray-quality`: does a scanner's self-check notice what has gone wrong, and nothing else?

A scanner is learned on healthy scans of mixed loads; then something is wrong with it, at several
sizes. Noticed is: the drift of the right cause is told within a few scans. Beside that a thousand
healthy scans, and the test piece on healthy and on worse scanners.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from edge.study.figures import Figure, no_alarms, percentile
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.xray_runs import TOGETHER, VERSION, families, sample
from fusion.scans.drift import Cause
from fusion.scans.scanner import ScannerWatch, failures
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.scans.test_piece import DECLARED
from fusion.types import Family, Origin, ScanFinding, ScanSample, SensorSpec
from fusion.xray import XrayPolicy, analyse
from simulators import xray_test_piece
from simulators.xray_cases import SETTINGS, USUAL, CaseOptions, case
from simulators.xray_scanner import Scanner, expose, healthy
from simulators.xray_scene import Scene

SCANNERS = 10  # each with detectors of its own
HEALTHY = 100  # scans of each, of mixed loads
LEARNED = 12  # scans before something goes wrong: eight are the warm-up
LOOKED = 6  # and after; a step is noticed with the third
GOAL = 0.9  # of the scanners in which it is noticed, from the middle size on
ROWS = 560  # a detector line has as many for every vehicle
LOADS = ("loaded", "loaded", "empty", "loaded", "light", "loaded", "small")
SPEC = SensorSpec(sensor_id="xray", family=Family.XRAY, place="lane")
LINES_A_LOSS = 3  # lines are lost in runs


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with a scanner."""

    cause: Cause
    knobs: tuple[str, ...]
    """Of the simulated scanner; all are set to the same size, or multiplied by it."""
    sizes: tuple[float, float, float]
    times: bool = False
    """The sizes are factors."""


FAULTS: Mapping[str, Fault] = {
    "weaker source, dose times": Fault(
        "source", ("air_counts", "quanta"), (0.97, 0.9, 0.7), times=True
    ),
    "fewer quanta, times": Fault("source", ("quanta",), (0.9, 0.7, 0.5), times=True),
    "pulse jitter": Fault("source", ("pulse_spread",), (0.015, 0.03, 0.05)),
    "missed pulses a scan": Fault("source", ("missed_pulses",), (3, 8, 16)),
    "dark level, counts": Fault("detector", ("dark_counts",), (195.0, 220.0, 300.0)),
    "electronics' noise, times": Fault(
        "detector", ("electronic_counts",), (1.3, 2.0, 4.0), times=True
    ),
    "gain of every second card": Fault("detector", ("gain_drift",), (0.005, 0.02, 0.05)),
    "dead rows": Fault("detector", ("dead_rows",), (1, 3, 8)),
    "hot rows": Fault("detector", ("hot_rows",), (1, 2, 4)),
    "lines lost on the way": Fault("lines", (), (1, 6, 12)),
    "lines sent twice": Fault("lines", ("repeated_lines",), (1, 4, 8)),
    "blur, pixels": Fault("focus", ("psf_px",), (0.9, 1.3, 1.8)),
    "speed error": Fault("speed", ("speed_error",), (0.01, 0.03, 0.08)),
}
WORSE_PIECES: Mapping[str, Mapping[str, float]] = {
    "a quarter of the quanta": {"quanta": 2_500.0},
    "twice the blur": {"psf_px": 1.4},
    "scatter of 2 %": {"scatter_share": 0.02},
}
PIECES = 4  # scans of the test piece by each scanner


def measure(settings: Settings) -> list[Figure]:
    """Share noticed by fault and size, false drift alerts, scores of the test piece."""
    number = settings.number or SCANNERS
    seeds = range(settings.seed, settings.seed + number)
    found = [_false_alerts(settings, seeds)]
    for name, fault in FAULTS.items():
        for i, size in enumerate(fault.sizes):
            found.append(_noticed(name, size, seeds, goal=i > 0))
        settings.say(f"{name}: {', '.join(f'{one.value:.2f}' for one in found[-3:])}")
    return [*found, *_pieces(settings, seeds)]


def instrument(seed: int) -> Scanner:
    """The scanner of that seed."""
    return replace(USUAL, rows=ROWS, device=seed + 1)


def ailing(scanner: Scanner, fault: Fault, size: float) -> Scanner:
    """The scanner with something wrong."""
    changes = {
        knob: getattr(scanner, knob) * size if fault.times else type(getattr(USUAL, knob))(size)
        for knob in fault.knobs
    }
    return replace(scanner, **changes)


def findings(
    scanner: Scanner, seed: int, numbers: Sequence[int], lost: int = 0
) -> Iterator[ScanFinding]:
    """Of one scanner's scans by number, mixed loads; `lost` lines never come in each."""
    policy = XrayPolicy()

    def one(number: int) -> ScanFinding:
        own = 1_000 * seed + number
        options = CaseOptions(
            load=LOADS[number % len(LOADS)], families=families(seed), scanner=scanner
        )
        scan = sample(case(own, options))
        scan = replace(scan, start_utc_ns=number * 180 * 10**9)
        return replace(analyse(_thinned(scan, lost, own), policy), record=None)

    with ThreadPoolExecutor(TOGETHER) as pool:
        yield from pool.map(one, numbers)


def _thinned(scan: ScanSample, lost: int, seed: int) -> ScanSample:
    """The scan as the line driver hands it over after a bad link: runs of lines are missing."""
    if not lost or scan.high is None or scan.low is None:
        return scan
    random = np.random.default_rng([seed, 5])
    high, low, runs = scan.high.copy(), scan.low.copy(), []
    left = lost
    while left > 0:
        first = int(random.integers(100, high.shape[1] - 100))
        run = (first, first + min(left, LINES_A_LOSS))
        high[:, slice(*run)] = low[:, slice(*run)] = 0
        runs.append(run)
        left -= LINES_A_LOSS
    return replace(scan, high=high, low=low, lost_columns=tuple(sorted(runs)))


def noticed_after(fault: Fault, size: float, seed: int) -> int | None:
    """With which scan after it began the fault is told; None: not within `LOOKED`."""
    watch = ScannerWatch(SPEC, ScannerPolicy())
    for finding in _learned(seed):
        watch.feed(finding)
    lost = 0 if fault.knobs else round(size)
    after = range(LEARNED, LEARNED + LOOKED)
    scans = findings(ailing(instrument(seed), fault, size), seed, after, lost)
    for number, finding in enumerate(scans, start=1):
        told = watch.feed(finding)[1]
        if any(one.facts["code"] == f"drift-{fault.cause}" for one in told):
            return number
    return None


_LEARNED: dict[int, list[ScanFinding]] = {}


def _learned(seed: int) -> list[ScanFinding]:
    """The scans before anything went wrong, the same for every fault."""
    if seed not in _LEARNED:
        _LEARNED[seed] = list(findings(instrument(seed), seed, range(LEARNED)))
    return _LEARNED[seed]


def _noticed(name: str, size: float, seeds: Sequence[int], *, goal: bool) -> Figure:
    after = [noticed_after(FAULTS[name], size, seed) for seed in seeds]
    scans = [one for one in after if one is not None]
    share = len(scans) / len(after)
    when = f"with scan {percentile(scans, 0.5)} in the median" if scans else "never"
    return Figure(
        name=f"noticed: {name} {size:g}",
        value=share,
        unit="",
        goal=f">= {GOAL:g}" if goal else "",
        reached=share >= GOAL if goal else None,
        how=f"{VERSION}, {len(after)} scanners from seed {seeds[0]:,}, {LOOKED} scans; {when}",
        interval=proportion(len(scans), len(after)),
    )


def _false_alerts(settings: Settings, seeds: Sequence[int]) -> Figure:
    """Drift told of healthy scanners."""
    alarms = 0
    for seed in seeds:
        watch = ScannerWatch(SPEC, ScannerPolicy())
        scans = findings(instrument(seed), seed, range(HEALTHY))
        head = list(islice(scans, LEARNED))
        _LEARNED[seed] = head
        for finding in (*head, *scans):
            for one in watch.feed(finding)[1]:
                alarms += one.facts["active"] is True
                settings.say(f"false, scanner {seed}: {dict(one.facts)}")
    scans_done = HEALTHY * len(seeds)
    how = f"{VERSION}, {len(seeds)} scanners from seed {seeds[0]:,}, {scans_done} scans"
    return no_alarms("false drift alerts", alarms, scans_done, how)


def piece_scan(scanner: Scanner, seed: int) -> ScanSample:
    """A scan of the test piece."""
    pitch_m = min(scanner.pitch_x_mm, scanner.pitch_y_mm) / 1000.0
    air = round(scanner.air_m / pitch_m)
    scene = Scene(round(2.5 / pitch_m), round(6.0 / pitch_m) + 2 * air, pitch_m, air)
    xray_test_piece.draw(scene)
    random = np.random.default_rng([seed, 62523])
    exposure = expose(scene, healthy(replace(scanner, rows=0), random), random)
    return ScanSample(
        sensor_id="xray",
        origin=Origin.SIMULATOR,
        start_utc_ns=0,
        duration_ms=3000,
        scan_id=f"piece-{seed}",
        high=exposure.high,
        low=exposure.low,
        composite=None,
        pitch_x_mm=scanner.pitch_x_mm,
        pitch_y_mm=scanner.pitch_y_mm,
        declared=DECLARED,
        container="",
        digests=(),
        energies_mev=scanner.energies_mev,
    )


def _pieces(settings: Settings, seeds: Sequence[int]) -> list[Figure]:
    found = []
    for name, setting in SETTINGS.items():
        scores, passed = _scored(setting, seeds)
        found += [_score(f"{name}: {test}", scores[test], len(seeds)) for test in scores]
        if setting == USUAL:
            found.append(_share("healthy test pieces passed", passed, 0.98))
        settings.say(f"test piece, {name}: {sum(passed)} of {len(passed)} passed")
    for name, knobs in WORSE_PIECES.items():
        _, passed = _scored(replace(USUAL, **knobs), seeds)  # type: ignore[arg-type]
        found.append(_share(f"test piece failed, {name}", [not one for one in passed], GOAL))
    return found


def _scored(scanner: Scanner, seeds: Sequence[int]) -> tuple[dict[str, list[float]], list[bool]]:
    """Scores by test, and whether each scan passed."""
    scores: dict[str, list[float]] = {}
    passed = []
    limits = ScannerPolicy().test_piece_limits
    for seed in seeds:
        for turn in range(PIECES):
            own = replace(scanner, device=seed + 1)
            told = analyse(piece_scan(own, 1_000 * seed + turn), XrayPolicy()).test_piece
            passed.append(not failures(told, limits))
            for test, score in told:
                scores.setdefault(test, []).append(score)
    return scores, passed


def _score(name: str, scores: Sequence[float], scanners: int) -> Figure:
    return Figure(
        name=f"test piece, {name}",
        value=percentile(scores, 0.5),
        unit="",
        goal="",
        reached=None,
        how=f"median and 95 % of {len(scores)} scans of {scanners} scanners",
        interval=(percentile(scores, 0.025), percentile(scores, 0.975)),
    )


def _share(name: str, right: Sequence[bool], goal: float) -> Figure:
    share = sum(right) / len(right)
    return Figure(
        name=name,
        value=share,
        unit="",
        goal=f">= {goal:g}",
        reached=share >= goal,
        how=f"{VERSION}, {len(right)} scans",
        interval=proportion(sum(right), len(right)),
    )
