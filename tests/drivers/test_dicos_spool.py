import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from drivers import dicos_spool
from drivers.dicos_server import NO_RESOURCES, SUCCESS
from drivers.dicos_spool import Spool
from simulators.dicos_sending import send
from tests.drivers.dicos_files import high, low, plane, single
from tests.drivers.test_dicos_receiver import run, station, until
from tests.ports import free_port

pytest.importorskip("pydicom")
pytest.importorskip("pynetdicom")

STATION = """
import asyncio, sys
from pathlib import Path
from drivers.dicos_config import XrayDicosConfig
from drivers.transports import open_transport

async def main(port, spool):
    config = XrayDicosConfig(id="x", lane="l", url=f"dicos://127.0.0.1:{port}")
    transport = await open_transport(config, spool=Path(spool))
    print("open", flush=True)
    await transport.read()
    print("read", flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


async def killed_after(spool, *files, read=False):
    """The statuses that a sender heard of a station that was killed right after; with `read`, in
    the middle of dealing with the scan."""
    port = free_port()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STATION, str(port), str(spool), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await child.stdout.readline() == b"open\n"
        sending = asyncio.create_task(asyncio.to_thread(send, ("127.0.0.1", port), list(files)))
        if read:
            assert await child.stdout.readline() == b"read\n"
        else:
            await sending
    finally:
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
    return await sending


def left(spool):
    return sorted(path.read_bytes() for path in spool.glob("*.dcs"))


def test_a_plane_of_which_success_was_heard_outlives_a_kill_and_meets_the_other(tmp_path):
    async def check():
        assert await killed_after(tmp_path, high()) == [SUCCESS]
        assert left(tmp_path) == [high()]
        async with station(tmp_path) as opened:
            sending = opened.sending(low())
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert await sending == [SUCCESS]
            assert left(tmp_path) == []

    run(check())


def test_a_plane_that_outlived_a_kill_is_a_scan_by_itself_after_the_told_time(tmp_path):
    async def check():
        assert await killed_after(tmp_path, low()) == [SUCCESS]
        async with station(tmp_path, pair_wait_s=0.05) as opened:
            assert await opened.taken() == [low()]
            assert left(tmp_path) == []

    run(check())


def test_a_kill_while_both_are_dealt_with_loses_nothing_of_which_success_was_heard(tmp_path):
    async def check():
        # The second sender heard of no success: it has to send again, and does.
        assert await killed_after(tmp_path, high(), low(), read=True) == [SUCCESS, -1]
        assert left(tmp_path) == [high()]
        async with station(tmp_path) as opened:
            sending = opened.sending(low())
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert await sending == [SUCCESS]

    run(check())


def test_both_planes_on_disk_are_one_scan_after_a_start(tmp_path):
    async def check():
        spool = Spool(tmp_path)
        spool.begin()
        spool.put("1.2", high())
        spool.put("1.3", low())
        (tmp_path / "1.4.part").write_bytes(b"cut off by the kill")
        async with station(tmp_path) as opened:
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]

    run(check())


def test_a_scan_that_was_dealt_with_is_not_taken_again_after_a_restart(tmp_path):
    async def check():
        async with station(tmp_path) as opened:
            for files in ((single(),), (high(), low())):
                sending = opened.sending(*files)
                await opened.taken()
                assert set(await sending) == {SUCCESS}
        async with station(tmp_path) as opened:
            assert await opened.sending(single(), high(), low()) == [SUCCESS] * 3
            await until(lambda: len(opened.refused) == 3)
            assert {one.reason for one in opened.refused} == {"duplicate"}
            assert not opened.transport._waiting

    run(check())


def test_half_a_scan_that_was_dealt_with_is_taken_again_when_the_other_half_comes(tmp_path):
    async def check():
        async with station(tmp_path, pair_wait_s=0.05) as opened:
            assert await opened.sending(high()) == [SUCCESS]
            assert await opened.taken() == [high()]
        async with station(tmp_path) as opened:
            sending = opened.sending(high(), low())
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert await sending == [SUCCESS, SUCCESS]

    run(check())


def test_closing_leaves_what_waits_on_disk(tmp_path):
    async def check():
        async with station(tmp_path) as opened:
            assert await opened.sending(high()) == [SUCCESS]
        assert left(tmp_path) == [high()]

    run(check())


def test_two_senders_at_the_same_moment_make_one_scan(tmp_path):
    async def check():
        async with station(tmp_path, pair_wait_s=60.0) as opened:
            sendings = [opened.sending(one) for one in (high(), low())]
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert await asyncio.gather(*sendings) == [[SUCCESS], [SUCCESS]]

    run(check())


def test_a_plane_that_cannot_be_kept_is_not_said_to_be_taken(tmp_path, monkeypatch):
    async def check():
        async with station(tmp_path) as opened:
            for name, value in (("KEEP_FREE_BYTES", 2**62), ("MAX_BYTES", 10)):
                with monkeypatch.context() as full:
                    full.setattr(dicos_spool, name, value)
                    assert await opened.sending(high()) == [NO_RESOURCES]
            await until(lambda: len(opened.refused) == 2)
            assert {one.reason for one in opened.refused} == {"not-stored"}
            assert left(tmp_path) == []

    run(check())


def test_a_plane_that_was_of_no_use_is_kept_with_the_reason(tmp_path):
    async def check():
        async with station(tmp_path, pair_wait_s=0.01) as opened:
            for number in range(dicos_spool.MAX_REFUSED + 2):
                assert await opened.sending(high(plane(number))) == [SUCCESS]
                await opened.taken("analysis-error")
            kept = list((tmp_path / "refused").iterdir())
            assert len(kept) == dicos_spool.MAX_REFUSED
            assert all(path.name.endswith("-analysis-error.dcs") for path in kept)

    run(check())


def test_planes_that_come_at_once_each_have_a_name(tmp_path):
    spool = Spool(tmp_path)
    spool.begin()
    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(lambda number: spool.put("1.2", bytes([number])), range(20)))
    assert sorted(one.read() for one in held) == [bytes([number]) for number in range(20)]
    assert {one.name for one in held} == {"1.2"}
