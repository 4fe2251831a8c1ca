"""A scanner of lines over a link that is cut: it goes on, or its scan is told as broken off."""

import asyncio
import time
from dataclasses import replace

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


def test_a_link_that_hangs_is_opened_again_and_the_scan_goes_on(monkeypatch):
    """Half open: the scanner is gone, and nobody has said so."""
    monkeypatch.setattr(XrayLinesConfig, "hung_s", 0.1)
    desk = Clock()

    async def check():
        async with Device() as device, running(source(desk, device)):
            silent = await device.send(sent([begin(), *lines(which=range(150))]) + b"\xc5XL1\0\0")
            await device.send(sent([begin(), *lines(which=range(140, 300)), end()]))
            await desk.until(lambda: findings(desk))
            silent.close()

    run(check())
    (finding,) = findings(desk)
    assert finding.partial is False
    assert desk.links() == [True, False]


def test_a_link_that_hangs_for_good_leaves_a_partial_scan(monkeypatch):
    monkeypatch.setattr(XrayLinesConfig, "hung_s", 0.1)
    desk = Clock()

    async def check():
        async with Device() as device, running(source(desk, device, scan_timeout_s=0.2)):
            silent = await device.send(sent([begin(), *lines(which=range(150))]))
            device.server.close()
            await desk.until(lambda: findings(desk))
            silent.close()

    run(check())
    (finding,) = findings(desk)
    assert (finding.partial, finding.empty) == (True, False)


def test_two_readers_of_one_scanner_are_each_told_the_whole():
    desks = [Clock(), Clock()]

    async def check():
        async with (
            Device() as device,
            running(source(desks[0], device)),
            running(source(desks[1], device)),
        ):
            for _ in desks:
                await device.send(sent([begin(), *lines(), end()]))
            for desk in desks:
                await desk.until(lambda desk=desk: findings(desk))

    run(check())
    told = [findings(desk) for desk in desks]
    assert [len(each) for each in told] == [1, 1]
    assert told[0][0].digests == told[1][0].digests


def test_a_scan_that_comes_while_the_one_before_is_measured_is_told_whole():
    """Its lines wait in the socket; the scanner dates them, not whoever reads them."""
    desk = Clock()
    measuring, go_on = asyncio.Event(), asyncio.Event()

    async def check():
        async with Device() as device:
            it = source(desk, device)
            usual = it._work

            async def slow(read):
                found = await usual(read)
                if any(isinstance(one, ScanFinding) for one in found) and not go_on.is_set():
                    measuring.set()
                    await go_on.wait()
                return found

            it._work = slow
            async with running(it):
                writer = await device.send(sent([begin(), *lines(), end()]))
                await measuring.wait()
                half_a_second_later = [
                    replace(one, scan_id=8, t_ns=one.t_ns + 1_100_000_000)
                    for one in [begin(), *lines(), end()]
                ]
                writer.write(sent(half_a_second_later))
                await writer.drain()  # nobody reads, and the scanner need not wait
                assert not findings(desk)
                go_on.set()
                await desk.until(lambda: len(findings(desk)) == 2)

    run(check())
    first, second = findings(desk)
    assert (first.partial, second.partial) == (False, False)
    assert second.start_utc_ns - first.start_utc_ns == 1_100_000_000
