"""A scanner of lines over a link that is cut: it goes on, or its scan is told as broken off."""

import asyncio
import time

from drivers.xray_lines import XrayLinesConfig
from edge.sensors.scans import Measuring
from fusion.types import ScanFinding
from fusion.xray import XrayPolicy
from tests.drivers.test_xray_lines import begin, end, lines
from tests.drivers.test_xray_lines import encode as frame
from tests.edge.sensors.test_sources import Desk, Device, run, running


class Clock(Desk):
    """A desk whose time passes."""

    def now_utc_ns(self):
        return self.utc_ns + time.monotonic_ns()


def source(desk, device, **keys):
    config = XrayLinesConfig(id="x", lane="l", url=device.url, timeout_s=1.0, **keys)
    measure = Measuring(XrayPolicy())

    async def work(read):
        return await asyncio.to_thread(measure, read)

    return desk.source(config, work=work)


def findings(desk):
    return [one for one in desk.samples if isinstance(one, ScanFinding)]


def sent(frames):
    return b"".join(map(frame, frames))


def test_a_link_that_is_back_goes_on_with_the_scan():
    desk = Clock()

    async def check():
        async with Device() as device, running(source(desk, device)):
            writer = await device.send(sent([begin(), *lines(which=range(150))]) + b"\xc5XL1")
            writer.close()
            await device.send(sent([begin(), *lines(which=range(120, 300)), end()]))
            await desk.until(lambda: findings(desk))

    run(check())
    (finding,) = findings(desk)
    assert finding.partial is False
    assert desk.links() == [True, False]


def test_a_link_that_stays_away_ends_the_scan_as_partial():
    desk = Clock()

    async def check():
        async with Device() as device, running(source(desk, device, scan_timeout_s=0.2)):
            writer = await device.send(sent([begin(), *lines(which=range(150))]))
            device.server.close()
            writer.close()
            await desk.until(lambda: findings(desk))

    run(check())
    (finding,) = findings(desk)
    assert finding.partial is True
    assert not finding.empty
    assert desk.recorded[-1] == b""  # a replay is told the same


def test_a_scan_that_breaks_the_analysis_does_not_end_the_lane():
    desk = Clock()

    async def check():
        async with Device() as device:
            it = source(desk, device)
            work, it._work = it._work, _failing
            async with running(it):
                writer = await device.send(sent([begin(), *lines(), end()]))
                while not it.status.malformed:
                    await asyncio.sleep(0.01)
                it._work = work
                writer.write(sent([begin(8), *lines(8), end(8)]))
                await desk.until(lambda: findings(desk))
                assert it.status.malformed["analysis-error"] == 1

    run(check())


async def _failing(read):
    read()
    raise RuntimeError("broken")
