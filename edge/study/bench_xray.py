"""Whole scans, 1200 x 4000 pixels in two energies: speed, agreement, memory, the same bits.

Two references in NumPy, SciPy and scikit-image give the same finding, field by field:
`edge.study.xray_reference` does the same maths, counts averaged over cells before all else, and
`edge.study.xray_reference_pixels` what is usual, each step on all pixels.
"""

import hashlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.kernel_cache import use_kernel_cache
from edge.station.warmup import example_scan
from edge.study.figures import Figure, Options, at_least, at_most
from fusion.scans.calibrate import ScanMemory
from fusion.scans.cells import Cells, cells_of
from fusion.scans.contents import Contents
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanFinding, ScanSample
from fusion.xray import analyse
from simulators.xray_cases import USUAL, CaseOptions, case

ROWS, COLUMNS = 1200, 4000
PITCH_Y_MM = 4.0
USUAL_LENGTH_MM = 16_000  # of a lorry with a box of 40 ft
SCAN_BYTES = 2 * 2 * ROWS * COLUMNS
ROUNDS = 15  # ours and the reference take turns, so that a noisy neighbour hits both
SCANS = 1_000  # for the memory
THREADS = (1, 2, 4)
LOADS = (
    CaseOptions(box="40hc"),
    CaseOptions(box="40hc", threat="block"),
    CaseOptions(box="40hc", clutter="high"),
    CaseOptions(box="40hc", load="light"),
    CaseOptions(box="40hc", load="empty"),
)
FAR_DOWN = 7.0  # attenuation: 5 quanta a pixel, below which the counts decide and not the maths
POLICY = XrayPolicy()
ROOM: Any = importlib.import_module("fusion.xray")
CELLS, PIXELS = "edge.study.xray_reference", "edge.study.xray_reference_pixels"


def run(options: Options) -> list[Figure]:
    """All of it; `options.times` is the number of scans for the memory."""
    missing = [name for name in ("scipy", "skimage") if importlib.util.find_spec(name) is None]
    if missing:
        options.say(
            f"xray: {' and '.join(missing)} not installed, and the reference is made of them: "
            "pip install -r requirements-test.txt; nothing measured"
        )
        return []
    options.say(f"xray: drawing {len(LOADS)} scans of {ROWS} x {COLUMNS}")
    scans = [scan_of(options.seed + number, load) for number, load in enumerate(LOADS)]
    options.say("xray: against NumPy, SciPy and scikit-image, in turn")
    figures = _speed(scans)
    options.say("xray: how far the two agree")
    figures += _agreement(scans)
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        _keep(scans, room)
        options.say("xray: the same on any number of threads")
        figures += _same_bits(scans, room)
        many = options.times or SCANS
        options.say(f"xray: memory over {many:,} scans")
        figures += _memory(room, many)
    return figures


def scan_of(seed: int, options: CaseOptions) -> ScanSample:
    """A drawn scan of just so many rows and columns."""
    pitch_mm = USUAL_LENGTH_MM / COLUMNS
    for _ in range(2):  # the vehicle's length decides how many columns it fills
        scanner = replace(USUAL, rows=ROWS, pitch_x_mm=pitch_mm, pitch_y_mm=PITCH_Y_MM)
        drawn = case(seed, replace(options, scanner=scanner))
        pitch_mm *= drawn.high.shape[1] / (COLUMNS + 8)
    assert drawn.high.shape[1] >= COLUMNS, drawn.high.shape
    high, low = (np.ascontiguousarray(p[:, :COLUMNS]) for p in (drawn.high, drawn.low))
    return _sample(high, low, scanner.pitch_x_mm, scanner.energies_mev)


def _sample(
    high: NDArray[np.uint16],
    low: NDArray[np.uint16],
    pitch_x_mm: float,
    energies_mev: tuple[float, float],
) -> ScanSample:
    return replace(
        example_scan(12, 12),
        high=high,
        low=low,
        pitch_x_mm=pitch_x_mm,
        pitch_y_mm=PITCH_Y_MM,
        energies_mev=energies_mev,
    )


def _speed(scans: list[ScanSample]) -> list[Figure]:
    """Processor time for the ratios, so that others' work on the machine does not count."""
    works = (analyse, _reference(CELLS).analyse, _reference(PIXELS).analyse)
    took: list[list[float]] = [[], [], []]
    walls = []
    for number in range(-1, ROUNDS):
        scan = scans[number % len(scans)]
        for times, work in zip(took, works, strict=True):
            began, at = time.process_time(), time.perf_counter()
            work(scan, POLICY)
            if number >= 0:
                times.append(time.process_time() - began)
                if work is analyse:
                    walls.append(time.perf_counter() - at)
    middle = ROUNDS // 2
    what = f"{ROWS} x {COLUMNS}, two energies, all of `analyse` on one thread"
    figures = []
    for name, times, against in (
        ("xray.ratio", took[1], "the same maths in float64, counts averaged over cells first"),
        (
            "xray.ratio.pixels",
            took[2],
            "the usual pipeline in float64: normalised, logarithm, local means in three sizes, "
            "opened, closed and parts measured on all pixels, and all else that is told on cells",
        ),
    ):
        ratios = sorted(b / a for a, b in zip(took[0], times, strict=True))
        how = (
            f"{what} against NumPy, SciPy and scikit-image, the same findings by {against} "
            f"({sorted(times)[middle] * 1e3:.0f} ms of processor time), in turn; median of "
            f"{ROUNDS}, {ratios[1]:.0f} to {ratios[-2]:.0f}"
        )
        figures.append(at_least(name, ratios[middle], 30, "x", how))
    walls.sort()
    how = f"{what}; median of {ROUNDS} scans, {walls[0] * 1e3:.1f} to {walls[-1] * 1e3:.1f}"
    return [*figures, at_most("xray.scan", walls[middle] * 1e3, 25, "ms", how)]


@dataclass(slots=True)
class _Parts:
    """What an analysis came to on its way."""

    cells: Cells | None = None
    found: Contents | None = None


def _parts(measure: Callable[[ScanSample, XrayPolicy], ScanFinding], scan: ScanSample) -> _Parts:
    """Runs an analysis and keeps its cells and what it found in the box."""
    parts = _Parts()
    kept = ROOM.find_contents

    def find_contents(cells: Cells, *args: Any, **kwargs: Any) -> Contents:  # noqa: ANN401
        parts.cells = cells
        found: Contents = kept(cells, *args, **kwargs)
        parts.found = found
        return found

    ROOM.find_contents = find_contents
    try:
        measure(scan, POLICY)
    finally:
        ROOM.find_contents = kept
    return parts


def _agreement(scans: list[ScanSample]) -> list[Figure]:
    reference = _reference(CELLS)
    masks: dict[str, list[float]] = {"load": [], "opaque": [], "usable": []}
    classes: list[float] = []
    errors: list[NDArray[np.float64]] = []
    for scan in scans:
        ours, theirs = _parts(analyse, scan), _parts(reference.analyse, scan)
        assert ours.cells and theirs.cells and ours.found and theirs.found
        assert ours.found.high.load.shape == theirs.found.high.load.shape
        masks["usable"].append(_alike(ours.cells.usable, theirs.cells.usable))
        masks["load"].append(_alike(ours.found.high.load, theirs.found.high.load))
        masks["opaque"].append(_alike(ours.found.high.opaque, theirs.found.high.opaque))
        told = theirs.found.high.load
        if told.any():
            classes.append(_alike(ours.found.groups[told], theirs.found.groups[told]))
        for one, other in (
            (ours.cells.high, theirs.cells.high),
            (ours.cells.low, theirs.cells.low),
        ):
            assert one is not None
            assert other is not None
            seen = ours.cells.usable & theirs.cells.usable & (other < FAR_DOWN)
            errors.append(np.abs(one - other)[seen])
    error = np.concatenate(errors)
    figures = [
        at_least(
            f"xray.same.{name}",
            min(alike),
            0.999,
            "",
            f"share of cells, worst of {len(scans)} scans",
        )
        for name, alike in masks.items()
    ]
    how = f"share of the load's cells, worst of {len(classes)} scans"
    return [
        *figures,
        at_least("xray.same.materials", min(classes), 0.99, "", how),
        at_most(
            "xray.log-error",
            float(error.max()),
            1e-3,
            "",
            f"greatest of {error.size:,} cells of both planes with at least exp(-{FAR_DOWN:g}) of "
            f"the light; median {np.median(error):.1e}",
        ),
    ]


def _alike(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.mean(one == other))


def _same_bits(scans: list[ScanSample], room: Path) -> list[Figure]:
    """In threads side by side, and in programs whose libraries have so many threads."""
    found = set()
    for threads in THREADS:
        with ThreadPoolExecutor(threads) as pool:
            findings = list(pool.map(lambda scan: analyse(scan, POLICY), scans))
        found.add(_joined(findings, scans))
    for threads in THREADS:
        limits = {
            name: str(threads)
            for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
        }
        found.add(_child(f"digest({str(room)!r})", limits))
    how = (
        f"different results of {len(scans)} scans with {', '.join(map(str, THREADS))} at once, and "
        "in programs whose libraries have so many threads"
    )
    return [at_most("xray.results", len(found), 1, "", how)]


def digest(room: str) -> str:
    """What a child program makes of the bench's scans."""
    scans = [_kept(Path(room), number) for number in range(len(LOADS))]
    return _joined([analyse(scan, POLICY) for scan in scans], scans)


def _joined(findings: list[ScanFinding], scans: list[ScanSample]) -> str:
    """Of everything that the findings say, and of the cells that they come from."""
    found = hashlib.sha256()
    for finding, scan in zip(findings, scans, strict=True):
        assert scan.high is not None
        cells = cells_of(scan.high, scan.low, POLICY)
        assert cells is not None
        assert cells.low is not None
        found.update(repr(replace(finding, record=None)).encode())
        for part in (cells.high, cells.low, cells.usable):
            found.update(part.tobytes())
    return found.hexdigest()


def _memory(room: Path, many: int) -> list[Figure]:
    found = json.loads(_child(f"memory({str(room)!r}, {many})", {}))
    times = found["peak"] / SCAN_BYTES
    how = (
        f"the most over {many:,} scans above the program before the first, its own planes "
        f"included, in raw scans of {SCAN_BYTES / 1e6:.1f} MB"
    )
    growth = f"resident memory after the last of {many:,} scans over that after a tenth of them"
    return [
        at_most("xray.memory", times, 6, "x", how),
        at_most("xray.memory.growth", found["growth"] / 1e6, 2, "MB", growth),
    ]


def memory(room: str, many: int) -> str:
    """In a child of its own: bytes above the start at most, and growth after the first tenth."""
    status = Path(f"/proc/{os.getpid()}")
    analyse(example_scan(300, 900), POLICY)  # so that every kernel is there
    begin = _resident(status)
    (status / "clear_refs").write_text("5")  # the peak begins anew
    after_tenth = 0
    known = ScanMemory()
    for number in range(many):
        analyse(_kept(Path(room), number % len(LOADS)), POLICY, known)
        if number == max(many // 10, min(20, many - 1)):
            after_tenth = _resident(status)
    peak = _resident(status, "VmHWM") - begin
    return json.dumps({"peak": peak, "growth": _resident(status) - after_tenth})


def _keep(scans: list[ScanSample], room: Path) -> None:
    """For the child programs: drawing takes seconds and much memory."""
    for number, scan in enumerate(scans):
        assert scan.high is not None
        assert scan.low is not None
        np.save(room / f"{number}-high.npy", scan.high)
        np.save(room / f"{number}-low.npy", scan.low)
        (room / f"{number}.json").write_text(json.dumps([scan.pitch_x_mm, scan.energies_mev]))


def _kept(room: Path, number: int) -> ScanSample:
    pitch_x_mm, energies_mev = json.loads((room / f"{number}.json").read_text())
    return _sample(
        np.load(room / f"{number}-high.npy"),
        np.load(room / f"{number}-low.npy"),
        pitch_x_mm,
        tuple(energies_mev),
    )


def _resident(process: Path, line: str = "VmRSS") -> int:
    for each in (process / "status").read_text().splitlines():
        if each.startswith(line):
            return int(each.split()[1]) * 1024
    raise RuntimeError(f"no {line}: memory is measured on Linux only")


def _child(call: str, variables: dict[str, str]) -> str:
    """What a function of this module says in a program of its own."""
    code = (
        f"from edge.study import bench_xray as bench; bench.use_kernel_cache(); print(bench.{call})"
    )
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        [sys.executable, "-P", "-c", code],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def _reference(name: str) -> Any:  # noqa: ANN401 - loaded only where its libraries are
    return importlib.import_module(name)


__all__ = ["digest", "memory", "run", "use_kernel_cache"]
