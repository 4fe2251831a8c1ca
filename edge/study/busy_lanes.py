"""The sending end of `garita bench kills --whole`: portals that never stop raising alerts.

    python -m edge.study.busy_lanes CONFIG SEED

Every truck of the reference checkpoint carries something, and four times as many pass.
"""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from edge.config import load_config
from simulators.scripts import reference
from simulators.serve import open_stage

PLAY_S = 3600.0  # longer than any run; who started it ends it
FASTER = 4.0  # a truck every 20 s in each lane; passing takes 8 s


async def play(config_path: Path, seed: int) -> None:
    """Serve every sensor of the configuration until the scenario ends."""
    urls = {sensor.id: sensor.url for sensor in load_config(config_path).sensors}
    day = reference(seed, time.time_ns(), PLAY_S * FASTER, rare_share=1.0)
    vehicles = tuple(replace(each, at_portal_s=each.at_portal_s / FASTER) for each in day.vehicles)
    busy = replace(day, vehicles=vehicles, duration_s=PLAY_S)
    async with await open_stage(busy, urls) as stage:
        await stage.run(busy, duration_s=PLAY_S)


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), int(sys.argv[2])))
