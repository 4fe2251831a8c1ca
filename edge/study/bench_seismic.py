"""The streaming kernel of ground sensors against ObsPy's STA/LTA, in turn within one run."""

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edge.study.figures import Figure, Options, at_least, plain
from fusion.kernels.seismic_feed import LANES
from fusion.seismic_bank import Bank
from fusion.seismic_presets import PRESETS

RATE_HZ = 250.0  # a bin, which is what the kernel works on at once, has 50 samples
STA, LTA = 125, 2500  # samples: 0.5 and 10 s
BLOCKS = 400  # of 50 samples, a round; each channel's part stays in the processor's cache
ROUNDS = 25
UM_S_PER_COUNT = 2.5e-3
PACKET = 25  # samples, a Shake's
SHAKE_HZ = 100.0
WINDOW_S = 30.0
PACKETS = 16  # for each channel, a round


def run(options: Options) -> list[Figure]:
    """Ratios; above 1 is faster than the reference."""
    if importlib.util.find_spec("obspy") is None:
        options.say("seismic: ObsPy is not installed, and it is the reference; nothing measured")
        return []
    trigger: Any = importlib.import_module("obspy.signal.trigger")
    over = trigger.recursive_sta_lta
    options.say("seismic: 64 channels in blocks of 50 samples")
    figures = _blocks(over)
    options.say(f"seismic: a packet at a time over a window of {WINDOW_S:.0f} s")
    return [*figures, _windows(over)]


def _blocks(over: Callable[..., object]) -> list[Figure]:
    random = np.random.default_rng(1)
    rows = random.normal(0.0, 300.0, (BLOCKS, 50 * LANES)).astype(np.int32)
    traces = np.ascontiguousarray(rows.reshape(-1, LANES).T, dtype=np.float64)
    floats = rows.astype(np.float32)
    pieces = np.ascontiguousarray(rows.reshape(BLOCKS, 50, LANES).transpose(0, 2, 1))
    full, alone, packets = (Bank(RATE_HZ, PRESETS["footsteps"]) for _ in range(3))
    for bank in (full, alone, packets):
        columns = [bank.open(UM_S_PER_COUNT) for _ in range(LANES)]

    def reference() -> None:
        for trace in traces:
            over(trace, STA, LTA)

    def streamed() -> None:
        for block in pieces:
            for column, counts in zip(columns, block, strict=True):
                packets.put(column, counts)
            packets.advance()

    figures = []
    for name, goal, work, what in (
        ("kernel", 2.5, lambda: full.advance_rows(rows), "all of the kernel"),
        ("sta-lta", 5.0, lambda: alone.ratio_rows(floats), "STA/LTA alone"),
        ("packets", None, streamed, "the kernel, and every channel's packet put by itself"),
    ):
        ratios = _in_turn(work, reference)
        how = (
            f"{what}, {LANES} channels of float32 in blocks of 50, one thread, against obspy "
            f"recursive_sta_lta alone on the same samples; median of {ROUNDS} rounds, "
            f"{ratios[ROUNDS // 10]:.1f} to {ratios[-1 - ROUNDS // 10]:.1f}"
        )
        value = ratios[ROUNDS // 2]
        figures.append(
            at_least(f"seismic.{name}", value, goal, "x", how)
            if goal
            else plain(f"seismic.{name}", value, "x", how)
        )
    return figures


def _windows(over: Callable[..., object]) -> Figure:
    """Each packet of each channel as it comes, against the whole window done anew."""
    random = np.random.default_rng(2)
    bank = Bank(SHAKE_HZ, PRESETS["footsteps"])
    for _ in range(LANES):
        bank.open(UM_S_PER_COUNT)
    rows = random.normal(0.0, 300.0, (BLOCKS, bank.bin_samples * LANES)).astype(np.int32)
    window = random.normal(0.0, 300.0, round(WINDOW_S * SHAKE_HZ))
    packets = PACKETS * LANES
    # So many new samples are in what each of the two works on.
    share = rows.size / (packets * PACKET)

    def ours() -> None:
        bank.advance_rows(rows)

    def reference() -> None:
        for _ in range(packets):
            over(window, round(0.5 * SHAKE_HZ), round(10.0 * SHAKE_HZ))

    ratios = [share * ratio for ratio in _in_turn(ours, reference)]
    how = (
        f"processor time per new sample: obspy recursive_sta_lta over the last {WINDOW_S:.0f} s "
        f"for each packet of {PACKET}, as live monitors do, against all of the kernel; {LANES} "
        f"channels at {SHAKE_HZ:.0f} Hz, median of {ROUNDS} rounds"
    )
    return at_least("seismic.window", ratios[ROUNDS // 2], 100, "x", how)


def _in_turn(ours: Callable[[], object], reference: Callable[[], object]) -> list[float]:
    """Reference over ours of each round, from the lowest; one round goes before."""
    ratios = []
    for number in range(ROUNDS + 1):
        took = []
        for work in (ours, reference):
            began = time.process_time()
            work()
            took.append(time.process_time() - began)
        if number:
            ratios.append(took[1] / took[0])
    return sorted(ratios)
