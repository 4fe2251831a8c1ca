"""The sending end of `garita bench load`: the simulators on their wires, each send noted.

    python -m edge.study.bench_feed WHICH CONFIG SEED SECONDS NOTES

It opens the wires (WHICH is `lines`) or the scanners' folders (`scans`), says `open` on stdout,
waits for a line on stdin with the time at which the day begins, and plays. NOTES gets a line a
send: sensor, bytes sent so far, and the monotonic clock in nanoseconds, which is one for all
processes of the machine. Scans have a process of their own: drawing one takes a second of a
core, which no line may wait for.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TextIO

from edge.config import load_config
from simulators.scripts import reference
from simulators.serve import Outlet, open_stage


class Noted:
    """An outlet that notes when it has handed bytes to the system."""

    def __init__(self, sensor_id: str, outlet: Outlet, notes: TextIO) -> None:
        self.address = outlet.address
        self._sensor_id = sensor_id
        self._outlet = outlet
        self._notes = notes
        self._sent_bytes = 0

    async def send(self, data: bytes) -> None:
        """Note the time just before: what follows is part of the way."""
        self._sent_bytes += len(data)
        before_ns = time.monotonic_ns()
        await self._outlet.send(data)
        # A scan is complete with its last file; a line with its first byte on the wire.
        at_ns = time.monotonic_ns() if self.address.startswith("folder:") else before_ns
        self._notes.write(f"{self._sensor_id} {self._sent_bytes} {at_ns}\n")

    async def close(self) -> None:
        """As the outlet."""
        await self._outlet.close()


async def feed(
    which: str, config_path: Path, seed: int, duration_s: float, notes_path: Path
) -> None:
    """Serve the sensors of the configuration, and play when told."""
    urls = {
        sensor.id: sensor.url
        for sensor in load_config(config_path).sensors
        if sensor.url.startswith("folder:") == (which == "scans")
    }
    first = reference(seed, time.time_ns(), duration_s + 60.0, rare_share=1.0)
    with notes_path.open("w", buffering=1) as notes:
        async with await open_stage(first, urls) as stage:
            stage.wrap(lambda sensor_id, outlet: Noted(sensor_id, outlet, notes))
            sys.stdout.write("open\n")
            sys.stdout.flush()
            start_utc_ns = int(await asyncio.to_thread(sys.stdin.readline))
            day = reference(seed, start_utc_ns, duration_s + 60.0, rare_share=1.0)
            await stage.run(day, duration_s=duration_s)


def main(which: str, config: str, seed: str, duration_s: str, notes: str) -> None:
    """From the command line."""
    if which == "scans":
        os.nice(19)  # a scanner has a computer of its own
    asyncio.run(feed(which, Path(config), int(seed), float(duration_s), Path(notes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
