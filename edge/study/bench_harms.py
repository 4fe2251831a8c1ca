"""Disk, clock, certificates, key and rules as a bench: see `edge.study.harms`."""

from edge.study import harms
from edge.study.figures import Figure, Options, at_most


def run(options: Options) -> list[Figure]:
    """Do every harm to the whole service, and look at what is told, and at the end."""
    result = harms.run(say=options.say)
    figures = []
    for one in result.harms:
        how = f'told: "{one.said}"' if one.said else "never told"
        told_s = harms.TOLD_S * 2 if one.told_after_s is None else one.told_after_s
        over_s = harms.OVER_S * 2 if one.over_after_s is None else one.over_after_s
        figures += [
            at_most(f"{one.name}: told", told_s, harms.TOLD_S, "s", how),
            at_most(f"{one.name}: over", over_s, harms.OVER_S, "s", "after it was mended, unaided"),
        ]
    how = f"{result.alerts:,} alerts over {len(result.harms)} harms"
    how += "".join(f"; not here: {name} ({why})" for name, why in result.skipped.items())
    for side, found in result.sides.items():
        wrong = found.changed + found.foreign + found.twice + found.gaps + found.out_of_order
        figures += [
            at_most(f"harms.{side}.lost", found.lost + found.files_lost, 0, "", how),
            at_most(f"harms.{side}.wrong", wrong, 0, "", "changed, foreign, twice, gaps, disorder"),
        ]
    return figures
