"""Where heavy reading is done, so that one sensor cannot hold up another."""

import asyncio

import pytest

from drivers import spectrum_reader
from drivers.radiation_n42 import N42Driver
from drivers.spectrum_reader import installed, shared_reader
from drivers.wire import n42
from drivers.wire.n42_frames import encode
from edge.station.checkpoint import CheckpointService
from fusion.types import Origin, SpectrumSample
from tests.drivers.n42_documents import a_pass, both_stopped
from tests.edge.rehearsed import SENSORS, small_config


def portal(number):
    return {
        "id": f"srpm-{number}",
        "kind": "rpm-n42",
        "lane": "nb-01",
        "url": f"tcp://127.0.0.1:{number}",
        "detector": {},
    }


@pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
def test_documents_that_take_for_ever_hold_up_neither_scans_nor_other_portals(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(spectrum_reader, "PATIENCE", 60.0)
    sensors = [*SENSORS, *map(portal, (1, 2, 3))]
    service = CheckpointService(small_config(tmp_path, sensors=sensors))
    work = {config.id: service._work_of(config) for config in service.config.sensors}
    drivers = {
        config.id: N42Driver(config, Origin.SENSOR)
        for config in service.config.sensors
        if config.kind == "rpm-n42"
    }
    pushed = encode(n42.write(a_pass(slices=2, channels=16)))

    def told(name):
        return work[name](lambda: drivers[name].feed(pushed, 0))

    async def check():
        with both_stopped(shared_reader()):
            held = [asyncio.create_task(told(name)) for name in ("srpm-1", "srpm-2")]
            while shared_reader()._idle:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):  # they are stopped until it is through
                samples = await told("srpm-3")
                assert await work["xray-1"](list) == []
            assert sum(isinstance(one, SpectrumSample) for one in samples) == 3
            assert not any(task.done() for task in held)
        for read in await asyncio.gather(*held):
            assert [one.reason for one in read] == ["reader-ended"]

    try:
        asyncio.run(check())
    finally:
        shared_reader().close()
