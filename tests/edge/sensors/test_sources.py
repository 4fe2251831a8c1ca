"""Sources: links that break, devices that lie, sensors that were never there."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from drivers.wire.malformed import Malformed
from edge.sensors import sources
from edge.sensors.intake import LINK, Intake, kind_of
from edge.sensors.sources import Source, Sources
from fusion.types import SECOND_NS, Origin, StatusSample
from simulators.serve import open_stage
from tests.contract.pairs import comparable, pair_of
from tests.contract.scenarios import DEVICE, START_UTC_NS
from tests.ports import free_port

PORTAL = pair_of("rpm-tsa")
SCANNER = pair_of("xray-planes")
LINE = b"GB,000257,000257,000251,000267\r\n"


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


class Desk:
    """What a source is given: a clock, a recorder, a pipeline. All three only remember."""

    def __init__(self):
        self.utc_ns = START_UTC_NS
        self.events = []
        """In order: (`record`, bytes) and (`deliver`, samples)."""
        self.delivered = asyncio.Event()

    def now_utc_ns(self):
        self.utc_ns += 1_000_000
        return self.utc_ns

    def record(self, sensor_id, data, received_utc_ns):
        self.events.append(("record", sensor_id, data, received_utc_ns))

    def deliver(self, sensor_id, samples, received_utc_ns, trigger):
        self.events.append(("deliver", sensor_id, samples, received_utc_ns, trigger))
        self.delivered.set()

    def source(self, config, **keys):
        keys.setdefault("retry_s", (0.001, 0.01))
        return Source(
            config,
            now_utc_ns=self.now_utc_ns,
            record=self.record,
            deliver=self.deliver,
            **keys,
        )

    @property
    def recorded(self):
        return [event[2] for event in self.events if event[0] == "record"]

    @property
    def samples(self):
        return [one for event in self.events if event[0] == "deliver" for one in event[2]]

    def links(self):
        """Whether the link was said to be cut, in order."""
        return [one.active for one in self.samples if getattr(one, "code", "") == LINK]

    async def until(self, condition):
        """Wait for as many deliveries as it takes."""
        while not condition():
            self.delivered.clear()
            await self.delivered.wait()


@asynccontextmanager
async def running(source):
    """The source at work."""
    await source.start()
    task = asyncio.create_task(source.run())
    try:
        yield source
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


class Device:
    """A TCP device that a test holds in its hand."""

    def __init__(self):
        self.clients = asyncio.Queue()
        self.server = None
        self.url = ""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"tcp://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *raised):
        self.server.close()

    async def _join(self, reader, writer):
        await self.clients.put(writer)

    async def send(self, data):
        """To the next client; returns its writer, to be closed by the test."""
        writer = await self.clients.get()
        writer.write(data)
        await writer.drain()
        return writer


def nowhere():
    return f"tcp://127.0.0.1:{free_port()}"


def test_bytes_are_recorded_before_their_samples_are_delivered_with_one_arrival():
    desk = Desk()

    async def check():
        async with Device() as device, running(desk.source(PORTAL.config(device.url))):
            writer = await device.send(LINE)
            await desk.until(lambda: desk.samples)
            writer.close()

    run(check())
    recorded, delivered = desk.events[:2]
    assert recorded[:3] == ("record", DEVICE, LINE)
    assert delivered[:2] == ("deliver", DEVICE)
    assert recorded[3] == delivered[3]
    assert delivered[4] == f"{DEVICE}@{len(LINE)}"
    assert [one.origin for one in delivered[2]] == [Origin.SENSOR]


def test_a_stand_in_by_configuration_is_never_taken_for_the_real_thing():
    desk = Desk()

    async def check():
        async with Device() as device:
            config = PORTAL.config(device.url, origin="simulator")
            async with running(desk.source(config)) as source:
                assert source.status.origin is Origin.SIMULATOR
                writer = await device.send(LINE)
                await desk.until(lambda: desk.samples)
                writer.close()

    run(check())
    assert {one.origin for one in desk.samples} == {Origin.SIMULATOR}


def test_a_cut_link_is_recorded_said_and_opened_again():
    desk = Desk()

    async def check():
        async with Device() as device, running(desk.source(PORTAL.config(device.url))) as source:
            (await device.send(LINE + b"GB,0002")).close()
            writer = await device.send(LINE)
            await desk.until(lambda: desk.links() == [True, False])
            assert (source.status.up, source.status.cuts) == (True, 1)
            writer.close()

    run(check())
    assert desk.recorded[:3] == [LINE + b"GB,0002", b"", LINE]
    # Half a line before the cut and a whole one after it are not one line.
    rates = [one.rate_cps for one in desk.samples if not isinstance(one, StatusSample)]
    assert rates == [(257.0, 257.0, 251.0, 267.0)] * 2


def test_what_was_recorded_gives_the_same_samples_again():
    desk = Desk()

    async def check():
        async with Device() as device, running(desk.source(PORTAL.config(device.url))):
            (await device.send(LINE + b"noise\r\n")).close()
            (await device.send(LINE[:9])).close()
            (await device.send(LINE)).close()
            await desk.until(lambda: desk.links()[:4] == [True, False, True, False])

    run(check())
    replayed = Intake(PORTAL.config(), Origin.SENSOR)
    records = [event for event in desk.events if event[0] == "record"]
    taken = [replayed.feed(event[2], event[3]) for event in records]
    again = [comparable(one) for each in taken for one in each.samples]
    # The address stands in the link's text; a replay knows it from the configuration.
    assert _without_text(again) == _without_text([comparable(one) for one in desk.samples])
    triggers = [event[4] for event in desk.events if event[0] == "deliver"]
    assert triggers == [each.trigger for each in taken if each.samples]


def _without_text(values):
    return [tuple(pair for pair in value if pair[0] != "text") for value in values]


def test_a_sensor_that_does_not_answer_is_said_once_and_found_when_it_comes():
    desk = Desk()

    async def check():
        config = PORTAL.config(nowhere(), timeout_s=0.5)
        with capture_logs() as logs:
            async with running(desk.source(config)) as source:
                await desk.until(lambda: desk.links() == [True])
                assert not source.status.up
                assert config.url in source.status.reason
                port = int(config.url.rpartition(":")[2])
                joined = asyncio.Queue()
                server = await asyncio.start_server(
                    lambda reader, writer: joined.put(writer), "127.0.0.1", port
                )
                writer = await joined.get()
                writer.write(LINE)
                await desk.until(lambda: desk.links() == [True, False])
                assert (source.status.up, source.status.reason) == (True, "")
                writer.close()
                server.close()
        said = [entry for entry in logs if entry["event"] == "sensor unavailable"]
        assert len(said) == 1

    run(check())


def test_without_an_answer_the_simulator_stands_in_and_is_said_to():
    desk = Desk()

    async def check():
        config = PORTAL.config(nowhere(), timeout_s=0.5, fallback="simulator")
        with capture_logs() as logs:
            async with running(desk.source(config, scenario=PORTAL.scenario)) as source:
                assert (source.status.up, source.status.origin) == (True, Origin.SIMULATOR)
                await desk.until(lambda: desk.samples)
        assert [entry["event"] for entry in logs] == ["sensor replaced by its simulator"]

    run(check())
    assert {one.origin for one in desk.samples} == {Origin.SIMULATOR}


@pytest.mark.parametrize("pair", [PORTAL, pair_of("shake-udp")], ids=["portal", "shake"])
def test_a_stand_in_needs_no_scenario(pair):
    desk = Desk()

    async def check():
        config = pair.config(nowhere(), timeout_s=0.2, fallback="simulator")
        async with running(desk.source(config)):
            await desk.until(lambda: desk.samples)

    run(check())


def test_a_peer_that_never_gets_to_a_sample_is_waited_for_longer_and_longer():
    desk = Desk()

    async def check():
        with capture_logs() as logs:
            async with (
                Device() as device,
                running(desk.source(PORTAL.config(device.url))) as source,
            ):
                pauses = watched_pauses(source)
                for _ in range(8):
                    (await device.send(LINE[:7])).close()
                await desk.until(lambda: source.status.cuts >= 8)
                (await device.send(LINE)).close()
                await desk.until(lambda: any(map(is_background, desk.samples)))
        return pauses, [entry["event"] for entry in logs]

    pauses, events = run(check())
    assert max(pauses) > 5 * pauses[0]
    assert events.count("sensor link flapping") == 1
    assert events.count("sensor link cut") == 2
    assert events.count("sensor connected") == 2
    assert events.count("sensor steady again") == 1


def watched_pauses(source):
    """The pauses that the source makes from now on."""
    pauses = []
    pause_s = source._patience.pause_s

    def watch():
        pauses.append(pause_s())
        return pauses[-1]

    source._patience.pause_s = watch
    return pauses


def is_background(sample):
    return hasattr(sample, "rate_cps")


def test_the_reason_of_a_sensor_does_not_repeat_whose_it_is():
    desk = Desk()

    async def check():
        source = desk.source(PORTAL.config(nowhere(), timeout_s=0.1))
        await source.start()
        return source.status

    with capture_logs() as logs:
        status = run(check())
    assert DEVICE not in status.reason
    assert status.reason.startswith("nothing from tcp://")
    assert (logs[0]["sensor"], logs[0]["why"]) == (DEVICE, status.reason)


def test_what_waited_until_all_others_had_started_is_not_read(monkeypatch):
    """A pass that a portal told of meanwhile would be dated by the moment of reading."""
    desk = Desk()
    monkeypatch.setattr(sources, "STALE_S", 0.2)

    async def check():
        async with Device() as device:
            source = desk.source(PORTAL.config(device.url))
            await source.start()
            old = await device.send(LINE)
            await asyncio.sleep(0.25)
            task = asyncio.create_task(source.run())
            new = await device.send(LINE + LINE)
            await desk.until(lambda: desk.samples)
            assert source.status.up
            task.cancel()
            await asyncio.wait([task])
            old.close()
            new.close()

    run(check())
    assert desk.recorded == [LINE + LINE]
    assert len(desk.samples) == 2


def test_waiting_for_a_sensor_that_is_not_there_is_long_enough_for_that():
    assert PORTAL.config(nowhere()).timeout_s > sources.STALE_S


def test_a_sensor_that_went_while_the_others_started_is_looked_for(monkeypatch):
    desk = Desk()
    monkeypatch.setattr(sources, "STALE_S", 0.0)

    async def check():
        async with Device() as device:
            source = desk.source(PORTAL.config(device.url, timeout_s=0.2))
            await source.start()
            writer = await device.clients.get()
            device.server.close()
            writer.close()
            task = asyncio.create_task(source.run())
            await desk.until(lambda: desk.links() == [True])
            assert not source.status.up
            task.cancel()
            await asyncio.wait([task])

    with capture_logs():
        run(check())


def test_a_sensor_lost_later_is_not_replaced():
    desk = Desk()

    async def check():
        async with Device() as device:
            config = PORTAL.config(device.url, fallback="simulator", timeout_s=0.2)
            async with running(desk.source(config)) as source:
                writer = await device.send(LINE)
                await desk.until(lambda: desk.samples)
                device.server.close()
                writer.close()
                await desk.until(lambda: desk.links() == [True])
                for _ in range(50):
                    await asyncio.sleep(0.001)
                assert source.status.origin is Origin.SENSOR

    run(check())
    assert {one.origin for one in desk.samples} == {Origin.SENSOR}


def test_a_burst_of_noise_is_logged_once_and_counted_by_reason():
    desk = Desk()
    source = desk.source(PORTAL.config())

    async def check():
        with capture_logs() as logs:
            for _ in range(20):
                await source._take(b"noise,\xff\r\n" + LINE)
            desk.utc_ns += 60 * SECOND_NS
            await source._take(b"noise\r\n")
        return logs

    logs = run(check())
    assert [entry["event"] for entry in logs] == ["input malformed"] * 3
    assert {"sensor", "reason", "text"} <= logs[0].keys()
    assert logs[1]["counts"] == {"not-a-line": 20}
    assert logs[2]["reason"] == "not-a-line"
    assert sum(source.status.malformed.values()) == 21
    assert source.status.samples == 20


def test_a_driver_that_fails_costs_its_own_bytes_only():
    desk = Desk()
    source = desk.source(PORTAL.config())

    class Broken:
        def feed(self, data, received_utc_ns):
            raise ZeroDivisionError

    async def check():
        source._intake._driver = Broken()
        assert await source._take(LINE) == "driver-error"
        assert await source._take(LINE) == ""

    with capture_logs() as logs:
        run(check())
    assert [entry["event"] for entry in logs][:1] == ["driver failed"]
    assert len(desk.samples) == 1


@asynccontextmanager
async def scanner(desk, tmp_path, **keys):
    url = f"folder:{tmp_path / 'scans'}"
    stage = await open_stage(SCANNER.scenario, {DEVICE: url}, speed=200)
    async with stage, running(desk.source(SCANNER.config(url), **keys)) as source:
        await stage.run()
        yield source


def test_scans_are_read_by_the_worker_and_filed(tmp_path):
    desk, worked = Desk(), []
    desk.utc_ns += 3600 * SECOND_NS  # the scanner plays faster than time: its clock runs ahead

    async def work(read):
        worked.append(await asyncio.to_thread(read))
        return worked[-1]

    async def check():
        async with scanner(desk, tmp_path, work=work):
            await desk.until(lambda: len(desk.samples) == len(SCANNER.records))
            while len(list(done.glob("*"))) < len(SCANNER.records):  # filed after it was delivered
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)  # two more polls, which find nothing

    done = tmp_path / "scans" / ".garita" / "done"
    run(check())
    assert [one for each in worked for one in each] == desk.samples
    assert len(list(done.iterdir())) == len(SCANNER.records)


def test_a_scan_that_breaks_the_analysis_is_put_aside(tmp_path):
    desk = Desk()

    async def work(read):
        raise ZeroDivisionError

    async def check():
        with capture_logs():
            async with scanner(desk, tmp_path, work=work) as source:
                quarantine = tmp_path / "scans" / ".garita" / "quarantine"
                while not [*quarantine.glob("*/reason.txt")]:
                    await asyncio.sleep(0.01)
                assert source.status.malformed["analysis-error"] >= 1
                assert source.status.up
        (reason, *_) = quarantine.glob("*/reason.txt")
        assert reason.read_text() == "analysis-error\n"

    run(check())


def test_a_scan_is_not_filed_before_its_alerts_are_stored(tmp_path):
    desk, work_folder = Desk(), tmp_path / "scans" / ".garita"
    desk.utc_ns += 3600 * SECOND_NS
    asked, disk = asyncio.Event(), asyncio.Event()

    async def stored():
        asked.set()
        await disk.wait()

    async def check():
        async with scanner(desk, tmp_path, stored=stored):
            await asked.wait()
            assert len(desk.samples) == 1
            assert not [*work_folder.glob("done/*")]
            disk.set()
            while not [*work_folder.glob("done/*")]:
                await asyncio.sleep(0.01)

    run(check())


def test_a_set_that_the_folder_refuses_is_counted_too():
    desk = Desk()
    source = desk.source(SCANNER.config("folder:/scans"))
    with capture_logs() as logs:
        source._refuse(Malformed("too-large", "a.tiff"))
    assert source.status.malformed == {"too-large": 1}
    assert logs[0]["reason"] == "too-large"


def test_all_sensors_start_at_once_and_one_that_is_away_holds_up_nobody(monkeypatch):
    desk = Desk()
    monkeypatch.setattr(sources, "STALE_S", 60.0)

    async def check():
        async with Device() as device:
            udp = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
            shake = pair_of("shake-udp").driver
            configs = [
                PORTAL.config(device.url),
                shake.config(id="geo-1", zone="fence", url=udp, timeout_s=2.5),
                shake.config(
                    id="geo-2", zone="fence", url=udp, timeout_s=2.5, fallback="simulator"
                ),
            ]
            sources = Sources(
                configs, now_utc_ns=desk.now_utc_ns, record=desk.record, deliver=desk.deliver
            )
            began = asyncio.get_running_loop().time()
            await sources.start()
            assert asyncio.get_running_loop().time() - began < 5  # the two of them in a row
            up = [(status.sensor_id, status.up, status.origin) for status in sources.status()]
            assert up == [
                (DEVICE, True, Origin.SENSOR),
                ("geo-1", False, Origin.SENSOR),
                ("geo-2", True, Origin.SIMULATOR),
            ]
            running_all = asyncio.create_task(sources.run())
            writer = await device.send(LINE)
            await desk.until(lambda: any(one.sensor_id == DEVICE for one in desk.samples))
            running_all.cancel()
            await asyncio.wait([running_all])
            writer.close()

    run(check())


def test_a_configuration_of_no_kind_is_a_key_error():
    with pytest.raises(KeyError):
        kind_of(object())
