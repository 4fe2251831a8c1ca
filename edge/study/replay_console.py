"""A recorded day on the operator's console: the same views over an outbox of its own.

Nothing of it is published, asked for or kept: the folder goes with the process, every page wears
the border of a drill, and who looks may only read.
"""

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge.console.line import Began, Setup
from edge.delivery.outbox import Outbox, OutboxError
from edge.delivery.rows import Row
from edge.record.record import RECORD_FILE, Record
from edge.station.kept_console import NAMES_HERE
from edge.station.whole_planes import Limits, WholePlanes
from edge.study.day import Day, ReplayError
from fusion.types import Alert, Checkpoint

SIDES = ("north", "south")
GUEST = "auditor"
BEGIN_S = 30.0
END_S = 5.0
WHOLE_S = 60.0
KEPT = Limits(max_bytes=4 << 30, max_age_s=float("inf"), keep_free_bytes=1 << 30)


class ReplayConsole:
    """One console over what a replay makes; a context manager."""

    def __init__(self, checkpoint: Checkpoint, port: int) -> None:
        """Nothing runs before it is entered. `port`: 0 takes any free one."""
        self._checkpoint, self._port = checkpoint, port
        self._folder = tempfile.TemporaryDirectory(prefix="garita-replay-")
        state = Path(self._folder.name)
        self._outbox = Outbox(state / "outbox.db", SIDES)
        Record(state / RECORD_FILE, site=checkpoint.site, now_utc_ns=time.time_ns).close()
        self.whole = WholePlanes(state / "scans", KEPT, later_s=0.0)
        self._process: subprocess.Popen[bytes] | None = None
        self.link = ""
        """Lets one person in, once."""

    def __enter__(self) -> "ReplayConsole":
        self._process = process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edge.console.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the replay, which then ends it
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._setup()) + b"\n")
        process.stdin.flush()
        late = threading.Timer(BEGIN_S, process.kill)
        late.start()
        try:
            began = msgspec.json.decode(process.stdout.readline(), type=Began)
        except msgspec.DecodeError:
            self.__exit__()
            raise ReplayError(f"the console does not start on port {self._port}") from None
        finally:
            late.cancel()
        self.link = began.link
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
        self.whole.close(0.0)
        self._outbox.close()
        self._folder.cleanup()

    def take(self, row: Row, alert: Alert) -> None:
        """Show an alert, and keep its scans. ReplayError where it cannot be stored."""
        self.put([row])
        self.whole.told(alert)

    def put(self, rows: list[Row]) -> None:
        """Show alerts. ReplayError where they cannot be stored."""
        try:
            self._outbox.commit(rows)
        except OutboxError as error:
            raise ReplayError(f"the console's outbox takes nothing: {error}") from error

    def settle(self) -> None:
        """Everything that was played can be looked at."""
        self.whole.wait(WHOLE_S)

    def _setup(self) -> Setup:
        return Setup(
            site=self._checkpoint.site,
            side=SIDES[0],
            state_dir=self._folder.name,
            host="127.0.0.1",
            port=self._port,
            people=str(Path(self._folder.name) / "people.json"),
            hosts=list(NAMES_HERE),
            guest=GUEST,
            replay=True,
            layout=layout_of(self._checkpoint),
        )


def layout_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """The site as it is drawn, from what its recording says of it."""
    return {
        "names": {},
        "lanes": [
            {
                "id": lane.lane_id,
                "names": {},
                "direction": lane.direction,
                "portal_m": list(lane.portal_m),
                "heading_deg": lane.heading_deg,
            }
            for lane in checkpoint.lanes
        ],
        "zones": [{"id": one.zone_id, "names": {}, "side": one.side} for one in checkpoint.zones],
        "sensors": [
            {
                "id": sensor.sensor_id,
                "family": sensor.family.value,
                "place": sensor.place,
                "position_m": list(sensor.position_m),
            }
            for sensor in checkpoint.sensors
        ],
    }


@contextlib.contextmanager
def shown(day: Day, args: argparse.Namespace) -> Iterator[ReplayConsole]:
    """The console of a day, with its link on stderr; afterwards it stays until it is ended."""
    with ReplayConsole(day.checkpoint, args.port) as console:
        sys.stderr.write(f"garita replay: {day.name}: {console.link}\n")
        sys.stderr.flush()
        yield console
        console.settle()
        sys.stderr.write("garita replay: played; Ctrl+C ends the console\n")
        sys.stderr.flush()
        wait(args.for_s)


ENDINGS = (signal.SIGINT, signal.SIGTERM)


def wait(duration_s: float | None) -> None:
    """Until Ctrl+C or SIGTERM, or the time is over."""
    ended = threading.Event()
    handlers = {one: signal.signal(one, lambda *_: ended.set()) for one in ENDINGS}
    try:
        ended.wait(duration_s)
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
