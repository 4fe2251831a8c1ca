"""`garita broker`: a side's broker made ready, its certificates listed and renewed."""

import argparse
import sys
import time
from datetime import UTC, datetime

from edge.delivery.broker_files import BrokerPlan, Shown, renew, shown, write_broker
from edge.errors import EXIT_OK, EXIT_USAGE
from fusion.types import SECOND_NS

DAY_NS = 86_400 * SECOND_NS


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 2 where the folder or a name cannot be used."""
    try:
        match arguments.action:
            case "init":
                _init(arguments)
            case "renew":
                _renew(arguments)
            case _:
                _list(shown(arguments.dir))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"garita broker {arguments.action}: {error}\n")
        return EXIT_USAGE
    return EXIT_OK


def _init(arguments: argparse.Namespace) -> None:
    plan = BrokerPlan(
        side=arguments.side,
        sites=tuple(dict.fromkeys(arguments.site)),
        folder=arguments.out,
        version=arguments.mosquitto,
        port=arguments.port,
        hosts=tuple(arguments.host),
        bridge_to=arguments.bridge_to,
        bridge_from=arguments.bridge_from,
        user=arguments.user,
        days=arguments.days,
    )
    made = write_broker(plan, force=arguments.force)
    for each in made:
        sys.stdout.write(f"{each.path}  {each.outcome}\n")
    if any("differ" in each.outcome for each in made):
        sys.stderr.write(
            "garita broker init: files that would differ were kept; --force writes them again "
            "(never keys or certificates)\n"
        )
    sys.stderr.write(f"garita broker init: how to start it: {plan.folder / 'README.txt'}\n")


def _renew(arguments: argparse.Namespace) -> None:
    before_utc_ns = time.time_ns() + arguments.within_days * DAY_NS
    renewed = renew(arguments.dir, before_utc_ns=before_utc_ns, days=arguments.days)
    _list(renewed)
    if renewed:
        said = "hand them to their owners; the broker reads its own after kill -HUP"
    else:
        said = f"nothing ends within {arguments.within_days} days"
    sys.stderr.write(f"garita broker renew: {said}\n")


def _list(certificates: list[Shown]) -> None:
    now_utc_ns = time.time_ns()
    for each in certificates:
        ends = datetime.fromtimestamp(each.ends_utc_ns // SECOND_NS, UTC)
        days = (each.ends_utc_ns - now_utc_ns) // DAY_NS
        left = f"{days} days left" if days >= 0 else "ended"
        sys.stdout.write(f"{each.name:32}  {ends:%Y-%m-%dT%H:%M:%SZ}  {left}\n")
