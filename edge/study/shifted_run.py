"""`garita run` on a machine whose wall clock is wrong: what it reads is off by what a file says.

    python -m edge.study.shifted_run OFFSET_FILE CONFIG

Only this process believes it; sleeping, and what is measured with the monotonic clock, is as it is,
as on a real machine whose clock somebody sets. TLS keeps the true time: it asks the system itself.
"""

import sys
import time
from pathlib import Path

SECOND_NS = 1_000_000_000


def shift(offset: Path) -> None:
    """Have the wall clock be off from now on; before anything else has taken hold of it."""
    true_time_ns = time.time_ns

    def time_ns() -> int:
        try:
            return true_time_ns() + int(offset.read_text("ascii")) * SECOND_NS
        except (OSError, ValueError):  # just being written
            return true_time_ns()

    time.time_ns = time_ns
    time.time = lambda: time_ns() / SECOND_NS


if __name__ == "__main__":
    shift(Path(sys.argv[1]))
    from edge.cli import main

    raise SystemExit(main(["run", "--config", sys.argv[2]]))
