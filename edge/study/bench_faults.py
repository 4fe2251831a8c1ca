"""Every kind of fault as a bench: see `edge.study.faults`."""

from edge.study import faults
from edge.study.figures import Figure, Options, at_most, plain

TIMES = 1000


def run(options: Options) -> list[Figure]:
    """Strike `--times` times under 20 alerts a second; what both centres hold is compared."""
    result = faults.run(times=options.times or TIMES, seed=options.seed, say=options.say)
    kinds = faults.by_kind(result.faults)
    how = f"{sum(kinds.values())} faults {kinds}, {result.alerts:,} alerts, seed {result.seed}"
    figures = [
        plain("faults.seconds", result.seconds, "s", how),
        plain(
            "faults.recovery_p95", result.recovery_p95_s, "s", "from the last fault to all stored"
        ),
        at_most("faults.not_recovered", result.not_recovered, 0, "", "without help, within 90 s"),
    ]
    for side, found in result.sides.items():
        again = f"of {found.wire:,} on the wire, {found.wire_again:,} again by (site, epoch, seq)"
        wrong = found.changed + found.foreign + found.twice + found.gaps
        figures += [
            at_most(f"faults.{side}.lost", found.lost + found.files_lost, 0, "", how),
            at_most(f"faults.{side}.out_of_order", found.out_of_order, 0, "", "in storing"),
            at_most(f"faults.{side}.wrong", wrong, 0, "", "changed, foreign, twice, gaps"),
            at_most(f"faults.{side}.duplicates_unexplained", found.wire_differing, 0, "", again),
        ]
    return figures
