"""`garita audit`: carry a record away, prove it offline, list it."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.errors import EXIT_OK, EXIT_USAGE
from edge.protocol.messages import utc_ns
from edge.record.audit import Finding, audit
from edge.record.carried import export, read_carried
from edge.record.entries import Entry, decode
from edge.record.record import RECORD_FILE, RecordError
from edge.trust.keys import KeyFileError, Keyring, read_keyring

EXIT_WRONG = 1
_WORDS = {"wrong": "WRONG", "proven": "proven", "open": "open"}


def main(arguments: argparse.Namespace) -> int:
    """Run `export`, `verify` or `ls`; 0 fine, 1 something is wrong, 2 cannot be done."""
    try:
        return {"export": _export, "verify": _verify, "ls": _ls}[arguments.action](arguments)
    except (ValueError, KeyFileError) as error:
        _say(str(error))
        return EXIT_USAGE
    except RecordError as error:
        _say(str(error))
        return EXIT_WRONG


def _export(arguments: argparse.Namespace) -> int:
    path = arguments.record or arguments.state / RECORD_FILE
    done = export(path, arguments.out, _keyring(arguments.keys))
    _say(f"{done.entries:,} entries of {done.site} written to {arguments.out}")
    if done.left_out:
        _say(f"{done.left_out:,} newer ones are not signed yet and were left out")
    return EXIT_OK


def _verify(arguments: argparse.Namespace) -> int:
    keyring = _keyring(arguments.keys)
    against = [read_carried(path) for path in arguments.against]
    findings = audit(read_carried(arguments.path), keyring, against)
    write = _as_json if arguments.json else _as_text
    sys.stdout.writelines(write(one) for one in findings)
    wrong = sum(one.kind == "wrong" for one in findings)
    if not arguments.json:
        places = [one.index for one in findings if one.kind == "wrong" and one.index is not None]
        first = min(places, default=None)
        where = "" if first is None else f"; the first wrong entry is {first}"
        sys.stdout.write(f"{wrong} wrong{where}\n" if wrong else "nothing is wrong\n")
    return EXIT_WRONG if wrong else EXIT_OK


def _ls(arguments: argparse.Namespace) -> int:
    first, end = _moment(arguments.start, 0), _moment(arguments.end, 2**63)
    entries = _between(read_carried(arguments.path).lines(), first, end)
    if arguments.json or not sys.stdout.isatty():
        sys.stdout.writelines(line.decode() + "\n" for line, _ in entries)
    else:
        _table(one for _, one in entries)
    return EXIT_OK


def _between(lines: Iterator[bytes], first: int, end: int) -> Iterator[tuple[bytes, Entry]]:
    for place, line in enumerate(lines):
        try:
            entry = decode(line)
            at = utc_ns(entry.time)
        except ValueError as error:
            raise RecordError(f"entry {place} cannot be read ({error}); run: garita audit verify") \
                from error  # fmt: skip
        if first <= at < end:
            yield line, entry


def _table(entries: Iterator[Entry]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for a person
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for name in ("entry", "time", "what", "by", "place"):
        table.add_column(name, no_wrap=True)
    table.add_column("facts", overflow="fold")
    for one in entries:
        facts = " ".join(f"{name}={_short(value)}" for name, value in one.facts.items())
        row = (str(one.index), one.time[:19] + "Z", one.kind, one.by, one.place, facts)
        table.add_row(*(Text(_plain(cell)) for cell in row))  # what an entry says is no markup
    Console().print(table)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 24 else text[:23] + "…"


def _plain(text: str) -> str:
    """Without what moves a cursor: nobody vouches yet for what is read here."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _moment(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2026-11-23 or 2026-11-23T05:00:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1000


def _keyring(path: Path | None) -> Keyring | None:
    return None if path is None else read_keyring(path)


def _as_text(finding: Finding) -> str:
    return f"{_WORDS[finding.kind]:8}{_plain(finding.text)}\n"


def _as_json(finding: Finding) -> str:
    return msgspec.json.encode(finding).decode() + "\n"


def _say(text: str) -> None:
    sys.stderr.write(f"garita audit: {text}\n")
