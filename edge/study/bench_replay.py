"""Replay of the reference checkpoint from raw bytes: how much faster than real time, on one core,
and whether the same bytes come out, also with another hash seed.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from edge.config import load_config
from edge.study.figures import Figure, Options, at_least, at_most, plain
from edge.study.rehearsal import record_scenario
from simulators.scripts import reference

CONFIG = Path(__file__).parents[2] / "configs" / "reference.yaml"
DURATION_S = 1200  # 3.8 million ground samples, 150 transits, a dozen scans of 19 MB
HASH_SEEDS = ("0", "0", "4242")
START_UTC_NS = 1_790_000_000_000_000_000


def run(options: Options) -> list[Figure]:
    """Record the reference load once, replay it three times. `--times` sets the seconds."""
    duration_s = options.times or DURATION_S
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        options.say(f"replay: recording {duration_s} s of the reference checkpoint")
        scenario = reference(options.seed, START_UTC_NS, float(max(duration_s, 60)))
        files = record_scenario(scenario, load_config(CONFIG), Path(folder), float(duration_s))
        recorded_bytes = sum(file.stat().st_size for file in files)
        seconds, digests, alerts = [], [], 0
        for seed in HASH_SEEDS:
            options.say(f"replay: one core, PYTHONHASHSEED={seed}")
            began = time.perf_counter()
            out = replay(files, seed)
            seconds.append(time.perf_counter() - began)
            digests.append(hashlib.sha256(out).hexdigest())
            alerts = out.count(b"\n")
    how = f"{duration_s} s, {recorded_bytes / 1e6:,.0f} MB, best of {len(seconds)}, one core"
    best_s = min(seconds)
    return [
        at_least("replay.real_time_ratio", duration_s / best_s, 100, "x", f"{how}, start included"),
        at_most("replay.different_outputs", len(set(digests)) - 1, 0, "", "of seeds 0, 0, 4242"),
        plain("replay.alerts", alerts, "", "lines on stdout"),
        plain("replay.seconds", best_s, "s", how),
    ]


def replay(files: Sequence[Path], hash_seed: str) -> bytes:
    """What `garita replay FILES` prints, run on one core."""
    command = [sys.executable, "-P", "-m", "edge", "replay", *map(str, files)]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": root}
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own files
        command,
        env=environment,
        capture_output=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    if done.returncode != 0:
        raise RuntimeError(f"replay ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return done.stdout
