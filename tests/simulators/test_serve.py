"""Simulators on their wires: many clients, none, late ones, and all of them in time."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from drivers.wire import bundle
from simulators.base import SimulatorKind
from simulators.catalog import KINDS
from simulators.scenario import Fault, SensorPlace
from simulators.serve import open_outlet, open_stage, serve, write_bundles
from tests.contract.scenarios import DEVICE, small_day

PORTAL = small_day("rpm-tsa")
ANY_TCP = "tcp://127.0.0.1:0"
PLAIN = SimulatorKind("plain", build=lambda scenario, sensor_id: None, version="0")


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def day_of(kind, scenario):
    simulator = KINDS[kind].build(scenario, DEVICE)
    return b"".join(simulator.step(100) for _ in range(round(scenario.duration_s * 10)))


def open_files():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir() if path.exists())


async def connect(url):
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def test_every_client_hears_the_same_from_when_it_joined():
    async def check():
        async with await open_stage(PORTAL, {DEVICE: ANY_TCP}, speed=200) as stage:
            early, writer = await connect(stage.addresses[DEVICE])
            playing = asyncio.create_task(stage.run())
            heard = await early.readexactly(200)
            late, late_writer = await connect(stage.addresses[DEVICE])
            await playing
            await stage.close()
            heard += await early.read()
            heard_late = await late.read()
            for one in (writer, late_writer):
                one.close()
        assert heard == day_of("rpm-tsa", PORTAL)
        assert heard.endswith(heard_late)
        assert 0 < len(heard_late) < len(heard)

    run(check())


def test_it_ends_by_itself_and_at_the_scenarios_pace():
    async def check():
        began = asyncio.get_running_loop().time()
        await serve(PORTAL, DEVICE, ANY_TCP, speed=100)
        return asyncio.get_running_loop().time() - began

    took_s = run(check())
    assert took_s >= PORTAL.duration_s / 100


def test_a_shorter_show_can_be_asked_for():
    async def check():
        async with await open_stage(PORTAL, {DEVICE: ANY_TCP}, speed=50) as stage:
            reader, writer = await connect(stage.addresses[DEVICE])
            await stage.run(duration_s=10.0)
            await stage.close()
            heard = await reader.read()
            writer.close()
        whole = day_of("rpm-tsa", PORTAL)
        assert whole.startswith(heard)
        assert len(heard) < len(whole) / 2

    run(check())


def test_several_simulators_of_one_scenario_play_at_the_same_time():
    other = replace(PORTAL.sensors[0], sensor_id="device-2")
    scenario = replace(PORTAL, sensors=(*PORTAL.sensors, other))

    async def check():
        urls = {DEVICE: ANY_TCP, "device-2": ANY_TCP}
        async with await open_stage(scenario, urls, speed=5) as stage:
            ends = [await connect(stage.addresses[name]) for name in urls]
            playing = asyncio.create_task(stage.run())
            first, second = [reader for reader, _ in ends]
            opened = []
            for reader in (first, second):
                while b"SP," not in await reader.readline():
                    pass
                opened.append(asyncio.get_running_loop().time())
            # One truck drives through both: two seconds apart would be ten of its own.
            assert abs(opened[0] - opened[1]) < 2.0
            playing.cancel()
            for _, writer in ends:
                writer.close()

    run(check())


def test_another_scenario_may_go_on_over_the_same_wires():
    quiet = replace(PORTAL, vehicles=(), seed=99, duration_s=20.0)

    async def check():
        async with await open_stage(PORTAL, {DEVICE: ANY_TCP}, speed=200) as stage:
            reader, writer = await connect(stage.addresses[DEVICE])
            await stage.run(quiet)
            await stage.run()
            await stage.close()
            heard = await reader.read()
            writer.close()
        assert heard == day_of("rpm-tsa", quiet) + day_of("rpm-tsa", PORTAL)

    run(check())


def test_a_client_that_never_reads_is_cut_and_the_others_are_not():
    async def check():
        outlet = await open_outlet(ANY_TCP, PLAIN)
        reader, writer = await connect(outlet.address)
        deaf = socket.create_connection(("127.0.0.1", urlsplit(outlet.address).port))
        while len(outlet._clients) < 2:
            await asyncio.sleep(0.005)
        sent = 0
        while len(outlet._clients) > 1:
            await outlet.send(b"x" * 65_536)
            sent += 65_536
            assert len(await reader.readexactly(65_536)) == 65_536
            assert sent < 64 * 2**20
        writer.close()
        deaf.close()
        await outlet.close()

    run(check())


def test_a_client_that_has_stopped_reading_does_not_hold_up_the_end():
    async def check():
        outlet = await open_outlet(ANY_TCP, PLAIN)
        deaf = socket.create_connection(("127.0.0.1", urlsplit(outlet.address).port))
        while not outlet._clients:
            await asyncio.sleep(0.005)
        for _ in range(200):
            await outlet.send(b"x" * 65_536)
        began = asyncio.get_running_loop().time()
        await outlet.close()
        deaf.close()
        return asyncio.get_running_loop().time() - began

    assert run(check()) < 10


def test_a_port_in_use_is_said_with_the_sensor_and_opens_nothing():
    async def check():
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            url = f"tcp://127.0.0.1:{other.getsockname()[1]}"
            scenario = replace(
                PORTAL, sensors=(*PORTAL.sensors, replace(PORTAL.sensors[0], sensor_id="second"))
            )
            before = open_files()
            with pytest.raises(OSError, match=f"second: cannot serve on {url} .*in use"):
                await open_stage(scenario, {DEVICE: "pty:", "second": url})
            assert open_files() == before

    run(check())


@pytest.mark.parametrize("url", ["", "http://x", "/dev/ttyUSB0"])
def test_another_url_is_no_wire_of_a_simulator(url):
    with pytest.raises(ValueError, match="no wire of a simulator"):
        run(open_outlet(url, PLAIN))


def test_a_pty_that_nobody_reads_loses_bytes_and_holds_up_nobody():
    async def check():
        outlet = await open_outlet("pty:", PLAIN)
        began = asyncio.get_running_loop().time()
        for _ in range(50):
            await outlet.send(b"x" * 4096)
        took_s = asyncio.get_running_loop().time() - began
        await outlet.close()
        return took_s

    assert run(check()) < 15  # one stall of a second, and not one for each of fifty


def test_files_of_a_scan_appear_whole_and_the_sidecar_last(tmp_path):
    seen = []

    class Watching(type(tmp_path)):
        """Notes each rename."""

        def rename(self, target):
            seen.append((self.name, target.name, sorted(p.name for p in target.parent.iterdir())))
            return super().rename(target)

    data = bundle.encode({"a.json": b"{}", "a_high.png": b"1", "a_low.png": b"2"})
    write_bundles(Watching(tmp_path), [data])
    assert [target for _, target, _ in seen] == ["a_high.png", "a_low.png", "a.json"]
    assert all(unfinished == f".{target}.tmp" for unfinished, target, _ in seen)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a_high.png", "a_low.png"]


def test_a_silent_sensor_is_still_served():
    scenario = replace(
        PORTAL,
        faults=(Fault(sensor_id=DEVICE, kind="silent", start_s=0, end_s=PORTAL.duration_s),),
    )

    async def check():
        async with await open_stage(scenario, {DEVICE: ANY_TCP}, speed=200) as stage:
            reader, writer = await connect(stage.addresses[DEVICE])
            await stage.run()
            await stage.close()
            heard = await reader.read()
            writer.close()
        return heard

    assert run(check()) == b""


def test_an_unknown_sensor_is_a_key_error():
    with pytest.raises(KeyError):
        run(open_stage(PORTAL, {"nobody": ANY_TCP}))


def test_a_sensor_of_another_kind_keeps_its_own_bytes():
    place = SensorPlace(sensor_id="shake", kind="shake-udp", zone="fence")
    scenario = replace(PORTAL, sensors=(*PORTAL.sensors, place))
    assert day_of("rpm-tsa", scenario) == day_of("rpm-tsa", PORTAL)
