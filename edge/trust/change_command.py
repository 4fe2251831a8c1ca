"""`garita change`: ask for what only both sides may change, sign it, show it."""

import argparse
import sys
import time
from pathlib import Path

from edge.errors import EXIT_CONFIG, EXIT_OK, EXIT_USAGE, ConfigError
from edge.protocol.messages import utc_ns
from edge.trust.changes import (
    Change,
    approve,
    change_of,
    new_envelope,
    read_change,
    sign,
    write_change,
)
from edge.trust.governance import Governance, governed
from edge.trust.keys import KeyFileError, Refused, read_keyring, read_signer

DAY_NS = 86_400 * 1_000_000_000
EXIT_NOT_BOTH = 1


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 not both have signed, or it is something else; 2, 3 a file is wrong."""
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
    sys.stderr.write(f"garita change sign: signed as {signer.public.owner}:\n")
    sys.stderr.write(_in_words(change_of(envelope)))
    sys.stdout.write(f"{arguments.file}  {len(envelope.signatures)} signed\n")


def _show(arguments: argparse.Namespace) -> int:
    envelope = read_change(arguments.file)
    change = change_of(envelope)
    sys.stdout.write(_in_words(change))
    for key_id in envelope.signatures:
        sys.stdout.write(f"signed by {key_id}\n")
    if arguments.config is not None and not _would_bring(change, arguments.config):
        sys.stdout.write(f"{arguments.config} would bring something else\n")
        return EXIT_NOT_BOTH
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


def _would_bring(change: Change, path: Path) -> bool:
    """Whether an officer's own copy of the configuration is what is asked for."""
    from edge.config import load_config, load_policy  # noqa: PLC0415 - brings all drivers

    config = load_config(path)
    policy, at_utc_ns = load_policy(config.policy), utc_ns(change.created)
    # Inhibits that were agreed on before count to their end: known where this is the site itself.
    before = Governance(config.state_dir).in_force
    if governed(config, policy, before, at_utc_ns=at_utc_ns).digest(at_utc_ns) != change.after:
        return False
    sys.stdout.write(f"{path} would bring just this: digest {change.after}\n")
    return True


def _in_words(change: Change) -> str:
    """What is asked for, as a person reads it before signing."""
    told = [
        f"{change.site}: {', '.join(change.what)}",
        f"reason: {change.reason}",
        f"made {change.created}, can be taken until {change.not_after}",
        f"digest {change.before} -> {change.after}",
        *(f"  {one}" for one in change.differences),
    ]
    # What another wrote must not move the cursor of who reads it.
    return "".join("".join(c for c in line if c.isprintable()) + "\n" for line in told)
