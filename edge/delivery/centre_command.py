"""`garita centre`: the reference centre as a command, storing, and telling what it has stored."""

import argparse
import contextlib
import shlex
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import structlog

from edge.delivery.centre import Centre
from edge.delivery.centre_forward import Forwarder, json_line
from edge.delivery.centre_record import CentreRecord
from edge.delivery.centre_store import Arrival, CentreStore
from edge.delivery.sides import SideSettings, TlsFiles
from edge.errors import EXIT_OK, ConfigError, Mistake
from edge.log import configure
from edge.protocol.messages import AlertMessage, decode_alert
from edge.settings.addresses import broker_address
from edge.text import say, word
from edge.trust.keys import KeyFileError, Keyring, Signer, read_keyring, read_signer

log = structlog.get_logger()

Tell = Callable[[Arrival, bool], None]
"""Told of an alert, and whether it came ahead of a backlog."""


def main(arguments: argparse.Namespace) -> int:
    """Receive until SIGTERM or Ctrl+C. ConfigError says what cannot be used."""
    configure()
    settings = _settings(arguments)
    keyring = _keyring(arguments.keyring)
    store = arguments.store or Path(f"centre-{settings.name}.db")
    _check_store(store)
    tell = _teller(arguments)
    forwarder = _forwarder(arguments.forward, store)
    record = None
    if keyring is not None:
        signer = _signer(arguments.signing_key, settings.name)
        record = CentreRecord(settings.name, store.absolute().parent, keyring, signer)

    def stored(arrival: Arrival) -> None:
        tell(arrival, False)
        if forwarder is not None:
            forwarder.wake()

    centre = Centre(
        settings,
        store,
        keyring=keyring,
        record=record,
        stored=stored,
        fresh=lambda arrival: tell(arrival, True),
    )
    if arguments.for_s is not None:
        timer = threading.Timer(arguments.for_s, centre.ask_to_stop)
        timer.daemon = True
        timer.start()
    if forwarder is not None:
        forwarder.start()
    with _ending(centre):
        centre.run()
    if forwarder is not None:
        forwarder.stop()
    if record is not None:
        record.close()
    log.info("centre ended", side=settings.name, refused=dict(centre.reading.refused))
    return EXIT_OK


@contextlib.contextmanager
def _ending(centre: Centre) -> Iterator[None]:
    before = {
        number: signal.signal(number, lambda _number, _frame: centre.ask_to_stop())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(arguments: argparse.Namespace) -> SideSettings:
    try:
        address = broker_address(arguments.url)
    except ValueError as error:
        raise _unusable("--url", arguments.url, str(error), "write mqtts://HOST:PORT") from None
    password = None
    if arguments.password_file is not None:
        try:
            text = arguments.password_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(
                "--password-file", arguments.password_file, f"cannot be read ({error})", ""
            ) from error
        password = text.split("\n", 1)[0].rstrip("\r")
    tls = None
    if address.tls:
        for name in ("ca", "cert", "key"):
            path = getattr(arguments, name)
            if path is not None and not path.is_file():
                raise _unusable(f"--{name}", path, "there is no such file", "")
        tls = TlsFiles(ca=arguments.ca, cert=arguments.cert, key=arguments.key)
    return SideSettings(
        name=arguments.side,
        host=address.host,
        port=address.port,
        tls=tls,
        username=arguments.username,
        password=password,
    )


def _keyring(path: Path | None) -> Keyring | None:
    if path is None:
        log.warning("signatures are not verified", mend="give --keyring FILE")
        return None
    try:
        return read_keyring(path)
    except KeyFileError as error:
        raise _unusable("--keyring", path, str(error), "make one with `garita keys`") from error


def _signer(path: Path | None, side: str) -> Signer | None:
    if path is None:
        return None
    try:
        signer = read_signer(path)
    except KeyFileError as error:
        raise _unusable("--signing-key", path, str(error), "make one with `garita keys`") from error
    if (signer.public.owner, signer.public.role) != (side, "centre"):
        said = f"it is of {signer.public.owner} ({signer.public.role})"
        raise _unusable("--signing-key", path, said, f"one of {side} (centre) is needed")
    return signer


def _forwarder(command: str | None, store: Path) -> Forwarder | None:
    if command is None:
        return None
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise _unusable("--forward", command, str(error), "close what is quoted") from error
    if not words or shutil.which(words[0]) is None:
        raise _unusable("--forward", command, "there is no such program", "name one by its path")
    return Forwarder(store, words)


def _check_store(path: Path) -> None:
    try:
        CentreStore(path).close()
    except (OSError, sqlite3.Error) as error:
        mend = "name a file that this user may write"
        raise _unusable("--store", path, f"cannot be used ({error})", mend) from error


def _unusable(key: str, value: object, message: str, mend: str) -> ConfigError:
    mistake = Mistake(line=None, key=key, value=str(value), message=message, mend=mend)
    return ConfigError("garita centre", [mistake])


# --- telling ----------------------------------------------------------------------------


def _teller(arguments: argparse.Namespace) -> Tell:
    if arguments.quiet:
        return lambda arrival, ahead: None

    def tell(arrival: Arrival, ahead: bool) -> None:
        plain = partial(line, language=arguments.language)
        sys.stdout.write((json_line if arguments.json else plain)(arrival, ahead) + "\n")
        sys.stdout.flush()  # who reads a pipe must not wait for the next alert

    return tell


def line(arrival: Arrival, ahead: bool, language: str) -> str:
    """An alert as a person reads it."""
    where = arrival.topic.split("/")[-2]
    pieces = [f"{arrival.site}/{where}", f"#{arrival.mark.seq}"]
    try:
        message = decode_alert(arrival.payload)
    except msgspec.DecodeError:
        return "  ".join([*pieces, say("screen", "unreadable", language, n=1)])
    level = word("level", str(message.level), language)
    pieces = [message.updated[:19] + "Z", *pieces, level, _headline(message, language)]
    if isinstance(message.withheld, dict):
        rules = ", ".join(sorted({each.rule for each in message.withheld.values()}))
        fields = ", ".join(message.withheld)
        pieces.append(say("screen", "withheld", language, rules=rules, fields=fields))
    if ahead:
        pieces.append(say("screen", "ahead", language))
    return "  ".join("".join(c for c in piece if c.isprintable()) for piece in pieces)


def _headline(message: AlertMessage, language: str) -> str:
    blocks = {each.language: each.headline for each in message.info}
    return blocks.get(language) or next(iter(blocks.values()), message.event)
