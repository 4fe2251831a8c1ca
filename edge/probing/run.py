"""Asks everything at once. No probe can hang the others.

A probe runs on a thread of its own: a name service or a dead network share may block longer
than any timeout that can be set. Who has not answered by then has failed, and is left behind.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.probing.verdict import FAIL, Verdict, cause

GRACE_S = 1.0  # for the thread to say what its own timeout has told it


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question."""

    group: str
    """`sensor`, `broker` or `machine`."""
    name: str
    ask: Callable[[], Verdict]
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one probe."""

    group: str
    name: str
    status: str
    """`ok`, `warn` or `fail`."""
    text: str


def run(probes: Sequence[Probe]) -> list[Finding]:
    """Ask all at once; in the order of the probes. Takes the longest timeout at most."""
    answers: dict[int, Verdict] = {}
    asked = []
    for index, probe in enumerate(probes):
        thread = threading.Thread(target=_answer, args=(probe, answers, index), daemon=True)
        thread.start()
        asked.append((thread, time.monotonic() + probe.timeout_s + GRACE_S))
    for thread, until in asked:
        thread.join(max(0.0, until - time.monotonic()))
    return [_finding(probe, answers.get(index)) for index, probe in enumerate(probes)]


def _answer(probe: Probe, answers: dict[int, Verdict], index: int) -> None:
    try:
        answers[index] = probe.ask()
    except Exception as error:  # noqa: BLE001 - a probe that breaks has not found what it seeks
        answers[index] = Verdict(FAIL, cause(error))


def _finding(probe: Probe, verdict: Verdict | None) -> Finding:
    status, text = verdict or (FAIL, f"no answer within {probe.timeout_s:g} s")
    return Finding(group=probe.group, name=probe.name, status=status, text=text)
