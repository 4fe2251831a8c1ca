"""A million command messages, hostile ones and honest ones among them, through `Asking.take`.

Whatever is not signed, altered, replayed, stale, malformed or huge is answered with why and changes
nothing: what is handled, shelved, asked of the engine, entered or sent again is compared after
each.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

import structlog
from structlog.typing import EventDict, WrappedLogger

from edge.delivery.hooks import Command
from edge.station.asking import may_be_answered
from edge.study.command_fuzz import Fuzz, Kind
from edge.study.command_site import SITE, CommandSite, State
from edge.study.figures import Figure, Options, at_least, at_most, plain
from edge.together.cases import MAX_CASES

CASES = 1_000_000
GROWTH_MB = 64  # resident: the signatures of ten minutes, and what an allocator keeps
SLOWEST_S = 0.25  # of the processor; a command holds up the event loop, and every lane with it
STEP_MS = 5  # of simulated time between two
RENEW_EVERY = 2_000  # so that more alerts are handled than are remembered
TICK_EVERY = 20


def run(options: Options) -> list[Figure]:
    """`--times` messages; a million without."""
    cases = options.times or CASES
    options.say(f"commands: {cases:,} fuzzed messages of two centres")
    with _unlogged():
        return attack(CommandSite(), cases, options.seed)


@dataclass(slots=True)
class _Tally:
    sent: Counter[Kind] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    carried_out: int = 0
    raised: int = 0
    changed: int = 0
    believed: int = 0
    unanswered: int = 0
    slowest_s: float = 0.0


def attack(site: CommandSite, cases: int, seed: int) -> list[Figure]:
    """One message after the other."""
    fuzz, tally = Fuzz(site, Random(seed)), _Tally()
    before_mb = _resident_mb()
    state = _whole(site)
    for number, (kind, command) in enumerate(islice(fuzz, cases)):
        site.passes_ms(STEP_MS)
        if number % TICK_EVERY == 0:
            site.asking.tick()
            state = _whole(site)
        if number % RENEW_EVERY == RENEW_EVERY - 1:
            fuzz.renew()
            state = _whole(site)
        _send(site, kind, command, tally)
        after = _whole(site)
        if kind != "honest" and after != state:
            tally.changed += 1
        state = after
    return _figures(cases, tally, site, _resident_mb() - before_mb)


def _whole(site: CommandSite) -> tuple[State, str]:
    return site.state, site.digest()


def _send(site: CommandSite, kind: Kind, command: Command, tally: _Tally) -> None:
    tally.sent[kind] += 1
    site.answer = b""
    began = time.thread_time()
    try:
        site.asking.take(command)
    except Exception:  # noqa: BLE001 - the very thing that is counted here
        tally.raised += 1
        return
    tally.slowest_s = max(tally.slowest_s, time.thread_time() - began)
    if not site.answer:
        tally.unanswered += may_be_answered(command.response_topic, SITE)
    elif b'"accepted":false' in site.answer:
        tally.refused[site.answer.split(b'"refusal":"', 1)[1].split(b'"', 1)[0].decode()] += 1
    else:
        tally.carried_out += 1
        tally.believed += kind != "honest"


def _figures(cases: int, tally: _Tally, site: CommandSite, grown_mb: float) -> list[Figure]:
    sent = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.sent.items()))
    how = f"{sent}; seeded"
    return [
        at_least("commands.cases", cases, cases, "", how),
        at_most("commands.exceptions", tally.raised, 0, "", how),
        at_most("commands.changed", tally.changed, 0, "", "state after one that is not honest"),
        at_most("commands.believed", tally.believed, 0, "", "carried out, and not honest"),
        at_most("commands.unanswered", tally.unanswered, 0, "", "without a word of why"),
        at_most("commands.slowest", tally.slowest_s * 1e3, SLOWEST_S * 1e3, "ms", "processor"),
        at_most("commands.grown", grown_mb, GROWTH_MB, "MB", "resident, after all"),
        plain("commands.carried_out", tally.carried_out, "", "honest ones"),
        at_most("commands.cases_kept", len(site.asking.handling.cases), MAX_CASES, "", "alerts"),
        plain("commands.entered", site.entered, "", "entries of what was carried out"),
        plain("commands.entered.refused", site.refusals, "", "entries of what was refused"),
        *(
            plain(f"commands.{why}", count, "", "refused")
            for why, count in sorted(tally.refused.items())
        ),
    ]


@contextmanager
def _unlogged() -> Iterator[None]:
    """What is carried out is logged each time; tens of thousands of lines are no figure."""
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(processors=before)


def _drop(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    raise structlog.DropEvent


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
