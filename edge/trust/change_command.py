"""`garita change`: ask for what only both sides may change, sign it, show it."""

import argparse
import sys
import time

import msgspec

from edge.errors import EXIT_CONFIG, EXIT_OK, EXIT_USAGE, ConfigError
from edge.trust.changes import approve, change_of, new_envelope, read_change, sign, write_change
from edge.trust.governance import Governance
from edge.trust.keys import KeyFileError, Refused, read_keyring, read_signer

DAY_NS = 86_400 * 1_000_000_000
EXIT_NOT_BOTH = 1


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 where not both sides have signed, 2 and 3 where a file is wrong."""
    try:
        match arguments.action:
            case "new":
                _new(arguments)
            case "sign":
                _sign(arguments)
            case _:
                return _show(arguments)
    except ConfigError as error:
        sys.stderr.write(f"garita change {arguments.action}: {error}\n")
        return EXIT_CONFIG
    except (OSError, ValueError, KeyFileError, Refused) as error:
        sys.stderr.write(f"garita change {arguments.action}: {error}\n")
        return EXIT_USAGE
    return EXIT_OK


def _new(arguments: argparse.Namespace) -> None:
    from edge.config import load_config, load_policy  # noqa: PLC0415 - brings all drivers

    config = load_config(arguments.config)
    now_utc_ns = time.time_ns()
    change = Governance(config.state_dir).proposal(
        config,
        load_policy(config.policy),
        reason=arguments.reason,
        at_utc_ns=now_utc_ns,
        not_after=now_utc_ns + arguments.days * DAY_NS,
    )
    if arguments.out.exists():
        raise FileExistsError(f"{arguments.out} is there already; name another, or remove it")
    write_change(arguments.out, new_envelope(change))
    sys.stdout.write(f"{arguments.out}  {', '.join(change.what)}\n")


def _sign(arguments: argparse.Namespace) -> None:
    envelope = read_change(arguments.file)
    signer = read_signer(arguments.key)
    sign(envelope, signer)
    write_change(arguments.file, envelope)
    said = msgspec.json.format(envelope.payload, indent=2).decode()
    sys.stderr.write(f"garita change sign: signed as {signer.public.owner}:\n{said}\n")
    sys.stdout.write(f"{arguments.file}  {len(envelope.signatures)} signed\n")


def _show(arguments: argparse.Namespace) -> int:
    envelope = read_change(arguments.file)
    change = change_of(envelope)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(change), indent=2).decode() + "\n")
    for key_id in envelope.signatures:
        sys.stdout.write(f"signed by {key_id}\n")
    if arguments.keyring is None:
        sys.stderr.write("garita change show: signatures were not checked; give --keyring FILE\n")
        return EXIT_OK
    try:
        approved = approve(envelope, read_keyring(arguments.keyring), time.time_ns())
    except Refused as error:
        sys.stdout.write(f"not approved: {error}\n")
        return EXIT_NOT_BOTH
    owners = " and ".join(f"{key.owner} ({key.key_id})" for key in approved.signers)
    sys.stdout.write(f"approved by {owners}\n")
    return EXIT_OK
