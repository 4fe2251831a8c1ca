"""The kill -9 harness as a bench: see `edge.study.kills`."""

from edge.study import kills
from edge.study.figures import Figure, Options, at_most, plain

TIMES = 200


def run(options: Options) -> list[Figure]:
    """Kill service and brokers `--times` times; what both centres hold is compared."""
    result = kills.run(times=options.times or TIMES, seed=options.seed, say=options.say)
    how = f"{sum(result.kills.values())} kills {result.kills}, {result.alerts:,} alerts"
    how += f", {result.files:,} files"
    figures = [plain("kills.seconds", result.seconds, "s", how)]
    for side, found in result.sides.items():
        figures += [
            at_most(f"kills.{side}.lost", found.lost + result.missing_from_outbox, 0, "", how),
            at_most(f"kills.{side}.files_lost", found.files_lost, 0, "", "of the alerts' evidence"),
            at_most(f"kills.{side}.gaps", found.gaps, 0, "", "in the receiver's sequence"),
            at_most(
                f"kills.{side}.out_of_order", int(not found.in_order), 0, "", "1: order broken"
            ),
            plain(f"kills.{side}.duplicates", found.duplicates_on_the_wire, "", "on the wire"),
        ]
    return figures
