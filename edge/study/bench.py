"""`garita bench`: every figure that Garita names, measured here and now.

A speed is a ratio against a named reference of the same run: machines differ and are noisy.
"""

import argparse
import sys

from edge.study.figures import Figure, Options, listing, measured, written

BENCHES = {
    "decoders": ("edge.study.bench_decoders:run", "random and mutated bytes through every decoder"),
    "stages": ("edge.study.bench_stages:run", "each stage against a named reference"),
    "hostile": ("edge.study.bench_hostile:run", "100,000 mutated N42 documents"),
    "xray-hostile": (
        "edge.study.bench_xray_hostile:run",
        "12,000 mutated X-ray scans: files, DICOS, line streams",
    ),
    "n42": ("edge.study.bench_n42:run", "spectrum documents written and read"),
    "spectra": ("edge.study.bench_spectra:run", "the spectroscopic stream against one sum"),
    "seismic": ("edge.study.bench_seismic:run", "the kernel of ground sensors against ObsPy's"),
    "xray": ("edge.study.bench_xray:run", "whole scans against NumPy, SciPy and scikit-image"),
    "fusion": (
        "edge.study.bench_fusion:run",
        "what sensors say weighed together: in a batch, and each through the fuser",
    ),
    "replay": ("edge.study.bench_replay:run", "the reference checkpoint, faster than real time"),
    "first-alert": ("edge.study.bench_demo:run", "from ./garita demo to an alert on both sides"),
    "load": ("edge.study.bench_load:run", "the reference load, live: latency, CPU and memory"),
    "footfalls": (
        "edge.study.bench_footfalls:run",
        "walkers along a fence, live: from the fourth footfall to the alert on both sides",
    ),
    "xray-lines": (
        "edge.study.bench_xray_lines:run",
        "a stream of X-ray lines through codec, driver and scoring on one core",
    ),
    "xray-alert": (
        "edge.study.bench_xray_alert:run",
        "scans, live: from the last file in the folder to the alert on both sides",
    ),
    "anyshake": ("edge.study.bench_anyshake:run", "the stream of an AnyShake over a bad line"),
    "datacast": ("edge.study.bench_datacast:run", "the datacast of a Shake over a bad network"),
    "console": (
        "edge.study.bench_console:run",
        "the operator's console in Chromium, and what eight viewers cost (5 minutes)",
    ),
    "commands": (
        "edge.study.bench_commands:run",
        "1,000,000 command messages, hostile and honest: nothing changed by what is not signed",
    ),
    "record": (
        "edge.study.bench_record:run",
        "the common record at 100,000 entries: append, prove, find any one change",
    ),
    "delivery": (
        "edge.study.bench_delivery:run",
        "what delivery adds: commit, sign, publish, deliver, verify, over mutual TLS",
    ),
    "backlog": (
        "edge.study.bench_backlog:run",
        "a side away for a week: the other side, how its backlog drains, fresh alerts beside it",
    ),
    "harms": (
        "edge.study.bench_harms:run",
        "disk, clock, certificates, key and rules of a broker, wrong for a while (4 minutes)",
    ),
    "faults": (
        "edge.study.bench_faults:run",
        "kill, freeze, cut, half-open, slow and truncated, alerts flowing (20 minutes)",
    ),
    "kills": ("edge.study.bench_kills:run", "kill -9 of service and brokers, alerts flowing"),
}
"""Name to function and what it measures."""
QUICK = ("decoders", "stages", "replay")
"""What runs when nothing is named: seconds each. The others are long or take ports."""


def main(args: argparse.Namespace) -> int:
    """Run the named benches; exit code 0 when every goal was reached, else 1."""
    names = args.names or list(QUICK)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        say(f"there is no {', '.join(unknown)}; there are:")
        for line in listing(BENCHES):
            say(line)
        return 2
    figures: list[Figure] = []
    for name in names:
        say(f"{name}: {BENCHES[name][1]}")
        figures += measured(BENCHES[name], Options(seed=args.seed, times=args.times, say=say))
    sys.stdout.write(written(figures, json=args.json))
    return 0 if all(figure.reached is not False for figure in figures) else 1


def say(text: str) -> None:
    """A line of progress, on stderr so that pipes work."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
