"""What delivery adds: from before the commit of an alert until a centre believes it; mutual TLS.

Commit, sign, publish, broker, verify: all of it, at 20 alerts a second, to both countries at
once; and beside it until the centre has stored it as well.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from edge.study.figures import Figure, Options, at_most, percentile, plain
from edge.study.two_sides import RATE_PER_S, SIDES, SWITCH_S, TwoSides, machine

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
        found = [plain("commit: p50", percentile(site.commits_s, 0.5) * 1e3, "ms", machine())]
        for side in SIDES:
            delays = site.delays(side, began)
            how = f"{len(delays)} alerts, from before the commit until {side}'s centre verified"
            for share, goal in ((0.5, 3.0), (0.99, 15.0)):
                name = f"{side}: p{share * 100:g}"
                found.append(at_most(name, percentile(delays, share) * 1e3, goal, "ms", how))
            stored = site.delays_to_stored(side, began)
            how = f"the same until {side}'s centre has it on disk"
            for share in (0.5, 0.99):
                name = f"{side}, stored: p{share * 100:g}"
                found.append(plain(name, percentile(stored, share) * 1e3, "ms", how))
    return found
