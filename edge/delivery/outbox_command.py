"""`garita outbox`: what waits for a side and why, tried again, taken out as JSON Lines.

Everything works beside the running service: `ls` and `export` only read, and `retry` leaves a note
that the service finds within a second, or at its next start.
"""

import argparse
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec

from edge.delivery import dead_letters
from edge.delivery.outbox_file import OutboxError, open_checked
from edge.delivery.outbox_view import OutboxView, SideView, looking
from edge.delivery.rows import DeadLetter
from edge.errors import EXIT_OK, EXIT_USAGE
from edge.protocol.messages import rfc3339

OUTBOX_FILE = "outbox.db"
SECOND_NS = 1_000_000_000
EXIT_NOTHING = 1
SHOWN = 20
"""Dead letters of a side that a person is shown; `--json` has all."""


def main(arguments: argparse.Namespace) -> int:
    """Run `ls`, `retry` or `export`; 0 done, 1 nothing is as it was asked for, 2 cannot be done."""
    actions = {"ls": _ls, "retry": _retry, "export": _export}
    try:
        return actions[arguments.action](arguments.state / OUTBOX_FILE, arguments)
    except (ValueError, OutboxError) as error:
        _say(str(error))
        return EXIT_USAGE


def _ls(path: Path, arguments: argparse.Namespace) -> int:
    now_utc_ns = time.time_ns()
    with looking(path) as outbox:
        if arguments.side is not None:
            _check(outbox, arguments.side)
        shown = [one for one in outbox.sides() if arguments.side in {None, one.side}]
        last_seq = outbox.last_seq
    for one in shown:
        told = _as_json(one, last_seq, now_utc_ns) if arguments.json else _as_text(one, now_utc_ns)
        sys.stdout.write(told)
    return EXIT_OK


def _retry(path: Path, arguments: argparse.Namespace) -> int:
    side, seq = arguments.side, arguments.seq
    with looking(path) as outbox:
        _check(outbox, side)
    try:
        with closing(open_checked(path)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            asked, gone = dead_letters.ask_retry(connection, side, seq)
    except sqlite3.Error as error:
        raise OutboxError(f"outbox {path}: cannot be written ({error})") from error
    if gone:
        _say(f"{gone:,} dead letters of {side} cannot be tried again: no longer kept")
    if not asked:
        what = "no dead letter" if seq is None else f"no dead letter {seq}"
        _say(f"{side} has {what} that could be tried again; see: garita outbox ls")
        return EXIT_NOTHING
    _say(
        f"{asked:,} of {side} will be tried again: within a second by a service that runs and is "
        "connected, else once it is; garita outbox ls tells what came of it"
    )
    return EXIT_OK


def _export(path: Path, arguments: argparse.Namespace) -> int:
    first, last = arguments.first, arguments.last
    count = 0
    with looking(path) as outbox:
        _check(outbox, arguments.side)
        last = outbox.last_seq if last is None else min(last, outbox.last_seq)
        for row in outbox.released(arguments.side, first, last):
            # The very bytes that are signed and sent; never of another side.
            sys.stdout.write(row.payload.decode() + "\n")
            count += 1
    missing = max(0, last - first + 1) - count
    left_out = f"; {missing:,} of {first} to {last} are no longer kept" if missing else ""
    _say(f"{count:,} alerts as {arguments.side} gets them{left_out}")
    return EXIT_OK if count else EXIT_NOTHING


def _check(outbox: OutboxView, side: str) -> None:
    if side not in (known := outbox.configured()):
        raise ValueError(f"there is no side {side!r} here; there are {', '.join(known)}")


def _as_json(one: SideView, last_seq: int, now_utc_ns: int) -> str:
    told = {
        "side": one.side,
        "last_seq": last_seq,
        "waiting": one.waiting,
        "oldest_age_s": _age_s(one.oldest_utc_ns, now_utc_ns),
        "cursor": {"epoch": one.cursor.epoch, "seq": one.cursor.seq},
        "dead_letters": [_letter(one, letter) for letter in one.dead],
    }
    return msgspec.json.encode(told).decode() + "\n"


def _letter(one: SideView, letter: DeadLetter) -> dict[str, object]:
    return {
        "seq": letter.seq,
        "epoch": letter.epoch,
        "part": letter.part,
        "topic": letter.topic,
        "reason": letter.reason,
        "made": rfc3339(letter.created_utc_ns),
        "asked_again": letter.seq in one.asked_again,
    }


def _as_text(one: SideView, now_utc_ns: int) -> str:
    age_s = _age_s(one.oldest_utc_ns, now_utc_ns)
    oldest = "" if age_s is None else f", the oldest for {age_s:,.0f} s"
    stored = f"stored up to {one.cursor.seq}" if one.cursor.seq else "no cursor"
    lines = [f"{one.side}: {one.waiting:,} waiting{oldest}; {stored}; {len(one.dead):,} dead"]
    for letter in one.dead[-SHOWN:]:
        again = ", to be tried again" if letter.seq in one.asked_again else ""
        made = rfc3339(letter.created_utc_ns)[:19]
        lines.append(f"  {letter.seq} {letter.part} of {made}Z: {letter.reason}{again}")
    if len(one.dead) > SHOWN:
        lines.append(f"  and {len(one.dead) - SHOWN:,} older ones (--json has all)")
    return "\n".join([*lines, ""])


def _age_s(utc_ns: int | None, now_utc_ns: int) -> float | None:
    return None if utc_ns is None else round(max(0, now_utc_ns - utc_ns) / SECOND_NS, 1)


def _say(text: str) -> None:
    sys.stderr.write(f"garita outbox: {text}\n")
