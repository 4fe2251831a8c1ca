"""`garita release`: what each side is told and why not; a value told later, and its check.

    site     garita release tell WHOLE.json --field event --config site.yaml > event.json
    partner  garita release check TOLD.json event.json

The value is carried as the text that it has in the whole alert: its bytes are what was digested.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge.delivery.release import SALTS_FILE, Release, rule_of
from edge.delivery.release_words import Asked, Withheld, explain, lines
from edge.delivery.withholding import EMPTY, INNER, check_revealed, reveal
from edge.errors import EXIT_CONFIG, EXIT_OK, EXIT_USAGE, ConfigError
from edge.protocol.contract import AlertMessage

EXIT_ANOTHER = 1
MAX_BYTES = 100_000_000  # a day of alerts, and more; one has some thousand


class Disclosure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that was withheld and is told now, `garita.disclosure/1`."""

    schema: Literal["garita.disclosure/1"] = "garita.disclosure/1"
    site: str
    alert: str
    epoch: str
    seq: int
    field: str
    value: str
    """JSON, exactly as it stands in the whole alert."""
    salt: str
    """In hex."""


def main(arguments: argparse.Namespace) -> int:
    """Explain, tell or check; 1 a value is not what was withheld, 2 and 3 a file is wrong."""
    actions = {"explain": _explain, "tell": _tell, "check": _check}
    try:
        return actions[arguments.action](arguments)
    except ConfigError as error:
        sys.stderr.write(f"garita release {arguments.action}: {error}\n")
        return EXIT_CONFIG
    except (OSError, ValueError) as error:
        sys.stderr.write(f"garita release {arguments.action}: {error}\n")
        return EXIT_USAGE


# --- explain --------------------------------------------------------------------------------


def _explain(arguments: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415 - brings all drivers

    config = load_config(arguments.config)
    directions = {lane.id: lane.direction for lane in config.lanes}
    asked = _asked(arguments, {name: str(each) for name, each in directions.items()})
    shown = [arguments.side] if arguments.side else list(config.sides)
    answers = {
        side: explain([rule_of(one) for one in config.sides[side].release], asked) for side in shown
    }
    for side, withheld in answers.items():
        sys.stdout.write(_json(side, withheld) if arguments.json else _text(side, withheld))
    return EXIT_OK


def _asked(arguments: argparse.Namespace, directions: dict[str, str]) -> Asked:
    if arguments.alert is not None:
        alert = msgspec.json.decode(_document(arguments.alert), type=AlertMessage)
        if isinstance(alert.withheld, dict):
            raise ValueError(f"{arguments.alert}: it is not whole itself; take the site's own")
        return Asked(
            event=alert.event,
            direction=alert.direction or "",
            level=alert.level,
            exercise=alert.status == "Exercise",
            places=frozenset({alert.lane, alert.zone} - {None}),  # type: ignore[arg-type]
            files=tuple((one.name, one.media_type) for one in alert.evidence),
        )
    if arguments.lane is not None and arguments.lane not in directions:
        raise ValueError(f"there is no lane {arguments.lane!r}; there are {', '.join(directions)}")
    return Asked(
        event=arguments.event,
        direction=arguments.direction or directions.get(arguments.lane or ""),
        level=arguments.level,
        exercise=arguments.exercise,
        places=None if arguments.lane is None else frozenset({arguments.lane}),
    )


def _text(side: str, withheld: list[Withheld]) -> str:
    return "\n".join(lines(side, withheld)) + "\n"


def _json(side: str, withheld: list[Withheld]) -> str:
    return msgspec.json.encode({"side": side, "withheld": withheld}).decode() + "\n"


# --- tell, and check ------------------------------------------------------------------------


def _tell(arguments: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415 - brings all drivers

    config = load_config(arguments.config)
    name = arguments.field
    if name not in EMPTY and name not in INNER:
        raise ValueError(f"{name!r} is never withheld; what is: {', '.join([*EMPTY, *INNER])}")
    whole = _document(arguments.file)
    alert = msgspec.json.decode(whole, type=AlertMessage)
    told = None if arguments.told is None else _document(arguments.told, alert.epoch, alert.seq)
    try:
        value = reveal(whole, told or b'{"evidence":[]}', name)
    except KeyError:
        raise ValueError(f"{arguments.file}: the alert has no {name}") from None
    secret = (config.keys.release_secret_file or config.state_dir / SALTS_FILE).read_bytes()
    salt = Release({}, secret).salt(alert.epoch, alert.seq, name)
    if told is not None and not check_revealed(told, name, value, salt):
        raise ValueError(f"{arguments.told}: it withholds another {name}; is the alert whole?")
    disclosure = Disclosure(
        site=alert.site, alert=alert.id, epoch=alert.epoch, seq=alert.seq, field=name,
        value=value.decode(), salt=salt.hex(),
    )  # fmt: skip
    sys.stdout.write(msgspec.json.encode(disclosure).decode() + "\n")
    return EXIT_OK


def _check(arguments: argparse.Namespace) -> int:
    disclosure = msgspec.json.decode(_read(arguments.disclosure), type=Disclosure)
    told = _document(arguments.file, disclosure.epoch, disclosure.seq)
    alert = msgspec.json.decode(told, type=AlertMessage)
    name = disclosure.field
    at = (alert.site, alert.id, alert.epoch, alert.seq)
    if at != (disclosure.site, disclosure.alert, disclosure.epoch, disclosure.seq):
        raise ValueError(
            f"{arguments.disclosure}: it is of alert {disclosure.alert}, not {alert.id}"
        )
    if not isinstance(alert.withheld, dict) or name not in alert.withheld:
        raise ValueError(f"{arguments.file}: nothing withheld its {name!r}")
    salt = bytes.fromhex(disclosure.salt)
    rule = alert.withheld[name].rule
    if check_revealed(told, name, disclosure.value.encode(), salt):
        sys.stdout.write(f"{name} is what rule {rule} withheld: {disclosure.value}\n")
        return EXIT_OK
    sys.stdout.write(f"{name} is NOT what rule {rule} withheld: the value or the salt is another\n")
    return EXIT_ANOTHER


def _document(path: Path, epoch: str = "", seq: int = -1) -> bytes:
    """The alert in a file: one document, or the line that has that number. ValueError, OSError."""
    data = _read(path)
    try:
        return _unwrapped(data)
    except ValueError:
        if seq < 0:
            raise ValueError(f"{path}: it is no single alert") from None
    for line in data.splitlines():
        one = _unwrapped(line) if line.strip() else b"{}"
        fields: dict[str, Any] = msgspec.json.decode(one)
        if (fields.get("epoch"), fields.get("seq")) == (epoch, seq):
            return one
    raise ValueError(f"{path}: there is no alert {seq} of {epoch}")


def _unwrapped(data: bytes) -> bytes:
    fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    if "schema" not in fields and "alert" in fields:
        return bytes(fields["alert"])
    return data.strip()


def _read(path: Path) -> bytes:
    with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path}: more than {MAX_BYTES:,} bytes")
    return data
