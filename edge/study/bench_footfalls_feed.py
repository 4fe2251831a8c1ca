"""The sending end of `garita bench footfalls`: the fence's sensors on their wires.

    python -m edge.study.bench_footfalls_feed CONFIG SEED SECONDS

It opens the wires, says `open` on stdout, waits for a line on stdin with the time at which the day
begins, plays, and says when that was on the monotonic clock, which is one for all processes.
"""

import asyncio
import sys
import time
from pathlib import Path

from drivers.wire.datacast import split
from edge.config import load_config
from edge.study.footfall_fence import fence
from simulators.seismic import PACKET_MS
from simulators.serve import Outlet, open_stage


class Timed:
    """An outlet that knows from its packets when the day began: none is sent before it is full."""

    def __init__(self, outlet: Outlet) -> None:
        self.address = outlet.address
        self.began_ns: int | None = None
        self._outlet = outlet
        self._sent = 0

    async def send(self, data: bytes) -> None:
        """Take the time just before."""
        self._sent += len(split(data))
        began_ns = time.monotonic_ns() - self._sent * PACKET_MS * 1_000_000
        if self.began_ns is None or began_ns < self.began_ns:
            self.began_ns = began_ns
        await self._outlet.send(data)

    async def close(self) -> None:
        """As the outlet."""
        await self._outlet.close()


async def feed(config_path: Path, seed: int, duration_s: float) -> None:
    """Serve the sensors of the configuration, and play when told."""
    urls = {sensor.id: sensor.url for sensor in load_config(config_path).sensors}
    timed: list[Timed] = []

    def around(sensor_id: str, outlet: Outlet) -> Outlet:
        del sensor_id
        timed.append(Timed(outlet))
        return timed[-1]

    async with await open_stage(fence(seed, time.time_ns(), duration_s), urls) as stage:
        stage.wrap(around)
        _say("open")
        start_utc_ns = int(await asyncio.to_thread(sys.stdin.readline))
        await stage.run(fence(seed, start_utc_ns, duration_s), duration_s=duration_s)
    _say(f"{min(one.began_ns for one in timed if one.began_ns is not None)}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(feed(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
