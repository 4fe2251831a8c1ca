"""What delivery adds: from before the commit of an alert until a centre has it, over mutual TLS.

Commit, sign, publish, broker, verify, store, print: all of it, at 20 alerts a second, to both
countries at once.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from edge.study.figures import Figure, Options, at_most, percentile
from edge.study.two_sides import RATE_PER_S, SIDES, SWITCH_S, TwoSides

SECONDS = 60


def run(options: Options) -> list[Figure]:
    """For `--times` seconds; 60 without."""
    seconds = options.times or SECONDS
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory(prefix="garita-delivery-") as folder, ExitStack() as stack:
        site = TwoSides(Path(folder), stack, tls=True)
        site.commit(1)
        site.wait_for(SIDES, 1)
        options.say(f"delivery: {RATE_PER_S:g} alerts/s to both sides for {seconds} s, TLS 1.3")
        began = site.flow(float(seconds))
        found = []
        for side in SIDES:
            delays = site.delays(side, began)
            how = f"{len(delays)} alerts, commit to the line that {side}'s centre prints"
            for share, goal in ((0.5, 3.0), (0.99, 15.0)):
                name = f"{side}: p{share * 100:g}"
                found.append(at_most(name, percentile(delays, share) * 1e3, goal, "ms", how))
    return found
