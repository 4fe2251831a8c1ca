"""A station behind a SeedLink server as the service reads it, over cuts and restarts."""

import asyncio
import time

import numpy as np
import pytest

from drivers.seismic_seedlink import SeedLinkConfig
from drivers.wire.miniseed import frames
from edge.sensors.bookmarks import FileBookmark
from edge.sensors.sources import Source
from fusion.types import WaveformSample
from simulators.answering import AnsweringOutlet
from simulators.scenario import Scenario, SensorPlace
from simulators.seismic_seedlink import HISTORY_BYTES, SeedLinkResponder, SeedLinkSimulator

START_UTC_NS = 1_700_000_000_000_000_000
SECONDS = 12


def records():
    place = SensorPlace(sensor_id="geo-1", kind="seedlink", zone="fence")
    scenario = Scenario(
        name="links", seed=3, start_utc_ns=START_UTC_NS, duration_s=60.0, sensors=(place,)
    )
    return list(frames(SeedLinkSimulator(scenario, "geo-1").step(1000 * SECONDS)))


class Reader:
    """The source, and what it delivered and recorded."""

    def __init__(self, url, path, protocol):
        self.samples, self.recorded = [], []
        self.source = Source(
            SeedLinkConfig(
                id="geo-1", zone="fence", url=url, streams="XX_GEO1:EHZ", protocol=protocol
            ),
            now_utc_ns=time.time_ns,
            record=lambda sensor, data, utc_ns: self.recorded.append(data),
            deliver=self._deliver,
            retry_s=(0.01, 0.05),
            bookmark=FileBookmark(path),
        )

    def _deliver(self, sensor_id, samples, received_utc_ns, trigger):
        self.samples += [one for one in samples if isinstance(one, WaveformSample)]

    async def until(self, count):
        while len(self.samples) < count:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("protocol", ["3", "4"])
def test_nothing_is_lost_and_nothing_comes_twice(protocol, tmp_path):
    async def check():
        sent = records()
        outlet = await AnsweringOutlet.open("tcp://127.0.0.1:0", SeedLinkResponder, HISTORY_BYTES)
        path = tmp_path / "geo-1.txt"
        reader = Reader(outlet.address, path, protocol)
        await reader.source.start()
        running = asyncio.create_task(reader.source.run())
        await asyncio.sleep(0.05)
        for number, record in enumerate(sent[:16]):
            await outlet.send(record)
            if number == 0:
                await reader.until(1)  # the first that it hears is where its bookmark begins
            if number % 5 == 4:
                outlet.cut()
        # The server is started anew while nobody can reach it, and has heard more meanwhile.
        await reader.until(10)
        await outlet.close()
        again = await AnsweringOutlet.open(outlet.address, SeedLinkResponder, HISTORY_BYTES)
        await again.send(b"".join(sent[:20]))
        await reader.until(20)
        # The service is started anew, and finds what came in between.
        running.cancel()
        await asyncio.wait([running])
        await again.send(sent[20] + sent[21])
        after = Reader(outlet.address, path, protocol)
        await after.source.start()
        running = asyncio.create_task(after.source.run())
        await after.until(2)
        await again.send(sent[22] + sent[23])
        await after.until(4)
        running.cancel()
        await asyncio.wait([running])
        await again.close()
        return reader.samples + after.samples, reader.recorded + after.recorded

    samples, recorded = asyncio.run(asyncio.wait_for(check(), 30.0))
    assert [one.start_utc_ns for one in samples] == [
        START_UTC_NS + number * 500_000_000 for number in range(2 * SECONDS)
    ]
    assert all(one.missing == 0 for one in samples)
    assert len(np.concatenate([one.counts for one in samples])) == 100 * SECONDS
    assert b"".join(recorded) == b"".join(records())
