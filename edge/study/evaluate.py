"""`garita evaluate PACK...`: detection, false alarms and identification on known truth.

Simulated accuracy is no field accuracy: each figure says on which simulator, seeds and number of
cases it rests, with its 95 % interval.
"""

import argparse
import sys

from edge import errors
from edge.study.figures import Figure, listing, measured, written
from edge.study.packs import CROSSING_SEED, PACKS, REPORT_SEED, PackError, Settings


def main(args: argparse.Namespace) -> int:
    """Run the named packs; exit code 0 when every goal was reached, else 1."""
    unknown = [name for name in args.packs if name not in PACKS]
    if unknown or not args.packs:
        say(f"there is no {', '.join(unknown)}; there are:" if unknown else "name a pack:")
        for line in listing(PACKS):
            say(line)
        return errors.EXIT_USAGE
    settings = Settings(
        seed=REPORT_SEED if args.seed is None else args.seed,
        crossing_seed=CROSSING_SEED if args.seed is None else args.seed,
        number=args.number,
        data=args.data,
        pictures=args.pictures,
        say=say,
    )
    figures: list[Figure] = []
    for name in args.packs:
        say(f"{name}: {PACKS[name][1]}")
        try:
            figures += measured(PACKS[name], settings)
        except PackError as error:
            say(f"{name}: {error}")
            return errors.EXIT_USAGE
    sys.stdout.write(written(figures, json=args.json))
    return errors.EXIT_OK if all(one.reached is not False for one in figures) else 1


def say(text: str) -> None:
    """A line of progress, on stderr so that pipes work."""
    sys.stderr.write(f"evaluate: {text}\n")
    sys.stderr.flush()
