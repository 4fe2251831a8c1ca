"""Where heavy reading is done, so that one sensor cannot hold up another."""

import asyncio
import threading

from edge.station.checkpoint import CheckpointService
from tests.edge.rehearsed import SENSORS, small_config


def portal(number):
    return {
        "id": f"srpm-{number}",
        "kind": "rpm-n42",
        "lane": "nb-01",
        "url": f"tcp://127.0.0.1:{number}",
        "detector": {},
    }


def test_documents_that_take_for_ever_hold_up_neither_scans_nor_other_portals(tmp_path):
    sensors = [*SENSORS, *map(portal, (1, 2, 3))]
    service = CheckpointService(small_config(tmp_path, sensors=sensors))
    work = {config.id: service._work_of(config) for config in service.config.sensors}
    ended = threading.Event()

    def stuck():
        ended.wait(30)
        return []

    async def check():
        held = [asyncio.create_task(work[name](stuck)) for name in ("srpm-1", "srpm-2")]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                assert await work["srpm-3"](list) == []
                assert await work["xray-1"](list) == []
            assert not any(task.done() for task in held)
        finally:
            ended.set()
        assert await asyncio.gather(*held) == [[], []]

    asyncio.run(check())
