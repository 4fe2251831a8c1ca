"""`garita keys`: make, list, rotate and add the keys that sign alerts, commands and changes."""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edge.errors import EXIT_OK, EXIT_USAGE
from edge.protocol.messages import rfc3339
from edge.trust.keys import (
    PUBLIC_SUFFIX,
    KeyFileError,
    PublicKey,
    Signer,
    make_signer,
    read_keyring,
    read_public,
    write_keyring,
)

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
EARLY_NS = 300 * SECOND_NS  # clocks of two countries differ, a new key is good in both at once
SOON_DAYS = 30
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
YELLOW, RED, PLAIN = "\x1b[33m", "\x1b[31m", "\x1b[0m"
GOVERNED = (
    "the keyring is governed: a checkpoint takes it once both sides have signed the change "
    "(garita change new)"
)


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 2 where a file or a name cannot be used."""
    try:
        match arguments.action:
            case "make":
                _make(arguments)
            case "ls":
                _list(_all_of(arguments.paths), time.time_ns())
            case "rotate":
                _rotate(arguments)
            case _:
                _add(arguments.keyring, arguments.public)
    except (OSError, ValueError, KeyFileError) as error:
        sys.stderr.write(f"garita keys {arguments.action}: {error}\n")
        return EXIT_USAGE
    return EXIT_OK


def expires_s(keys: Iterable[PublicKey], now_utc_ns: int) -> dict[str, float]:
    """How long each key is still valid, by its id; negative once it has ended."""
    return {key.key_id: (key.not_after_utc_ns - now_utc_ns) / SECOND_NS for key in keys}


def rotate(
    path: Path, keyring: Path | None, *, days: int, overlap_days: int, now_utc_ns: int
) -> tuple[Path, Signer]:
    """The successor of a key, beside it, and a keyring that believes both for a while.

    path          the private key that is to be followed; it is left as it is and not read, so
                  that one that was lost can be followed too
    keyring       gets both; None: only the key is made
    overlap_days  how long the keyring still believes the old one, at most
    returns       the new private key's file, and the key. KeyFileError, OSError, ValueError
    """
    old = read_public(path.with_suffix(PUBLIC_SUFFIX))
    known = _known(keyring) if keyring is not None else {}
    old = known.get(old.key_id, old)
    place = _next(path)
    new = make_signer(
        place,
        owner=old.owner,
        role=old.role,
        not_before_utc_ns=now_utc_ns - EARLY_NS,
        not_after_utc_ns=now_utc_ns + days * DAY_NS,
    )
    if keyring is None:
        return place, new
    # One that has not begun yet is followed at its first moment, rather than before it.
    until_utc_ns = max(now_utc_ns + overlap_days * DAY_NS, old.not_before_utc_ns + SECOND_NS)
    ended = replace(old, not_after_utc_ns=min(old.not_after_utc_ns, until_utc_ns))
    write_keyring(keyring, [*{**known, ended.key_id: ended}.values(), new.public])
    return place, new


def _next(path: Path) -> Path:
    stem = re.sub(r"-\d+$", "", path.stem)
    places = (path.with_name(f"{stem}-{n}.pem") for n in range(2, 10_000))
    for place in places:
        if not place.exists() and not place.with_suffix(PUBLIC_SUFFIX).exists():
            return place
    raise KeyFileError(f"key {path}: no name is left for its successor; give it another name")


def _make(arguments: argparse.Namespace) -> None:
    now_utc_ns = _now_utc_ns()
    owner, role = arguments.owner, arguments.role
    name = arguments.name
    if name is None:
        name = owner.replace("/", "-") if role == "edge" else f"{owner}-{role}"
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file; write letters, digits, - . and _")
    path = arguments.out / f"{name}.pem"
    signer = make_signer(
        path,
        owner=owner,
        role=role,
        not_before_utc_ns=now_utc_ns - EARLY_NS,
        not_after_utc_ns=now_utc_ns + arguments.days * DAY_NS,
    )
    _told(path, signer)


def _rotate(arguments: argparse.Namespace) -> None:
    path, signer = rotate(
        arguments.key,
        arguments.keyring,
        days=arguments.days,
        overlap_days=arguments.overlap_days,
        now_utc_ns=_now_utc_ns(),
    )
    _told(path, signer)
    if arguments.keyring is not None:
        sys.stderr.write(f"garita keys rotate: {GOVERNED}\n")


def _told(path: Path, signer: Signer) -> None:
    sys.stdout.write(f"{path}  {signer.key_id}  keep it; nobody else may have it\n")
    sys.stdout.write(f"{path.with_suffix(PUBLIC_SUFFIX)}  for the keyrings of all others\n")


def _add(keyring: Path, public: Iterable[Path]) -> None:
    known = _known(keyring)
    for key in map(read_public, public):
        if known.setdefault(key.key_id, key) != key:
            raise KeyFileError(
                f"keyring {keyring}: key {key.key_id} is there with other facts; kept"
            )
    write_keyring(keyring, known.values())
    sys.stdout.write(f"{keyring}  {len(known)} keys\n")
    sys.stderr.write(f"garita keys add: {GOVERNED}\n")


def _known(keyring: Path) -> dict[str, PublicKey]:
    return {key.key_id: key for key in read_keyring(keyring).keys} if keyring.exists() else {}


def _all_of(paths: Iterable[Path]) -> list[PublicKey]:
    """In the order of the paths, a key that several have once for each that tells other facts."""
    return list(dict.fromkeys(key for path in paths for key in _shown(path)))


def _shown(path: Path) -> list[PublicKey]:
    if path.is_dir():
        found = {}
        rings = [path / "keyring.json"] if (path / "keyring.json").exists() else []
        for each in (*sorted(path.glob(f"*{PUBLIC_SUFFIX}")), *rings):
            found.update({key.key_id: key for key in _shown(each)})
        return sorted(found.values(), key=lambda k: (k.owner, k.role, k.not_after_utc_ns))
    if path.suffix == ".pem":
        return [read_public(path.with_suffix(PUBLIC_SUFFIX))]
    if path.name.endswith(PUBLIC_SUFFIX):
        return [read_public(path)]
    return list(read_keyring(path).keys)


def _list(keys: list[PublicKey], now_utc_ns: int) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(f"{'id':16}  {'owner':16}  {'role':7}  {'valid until':20}  days left\n")
    for key in keys:
        left = (key.not_after_utc_ns - now_utc_ns) // DAY_NS
        colour, word = "", ""
        if left < 0:
            colour, word = RED, "ended"
        elif key.not_before_utc_ns > now_utc_ns:
            word = "not yet valid"
        elif left < SOON_DAYS:
            colour, word = YELLOW, "ends soon: garita keys rotate"
        until = rfc3339(key.not_after_utc_ns)[:19] + "Z"
        line = f"{key.key_id}  {key.owner:16}  {key.role:7}  {until:20}  {left:5}  {word}".rstrip()
        sys.stdout.write(f"{colour}{line}{PLAIN}\n" if coloured and colour else f"{line}\n")


def _now_utc_ns() -> int:
    return time.time_ns() // SECOND_NS * SECOND_NS
