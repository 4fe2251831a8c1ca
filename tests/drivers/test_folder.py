"""The folder as a transport: waiting for it, losing it, and never holding up the loop."""

import asyncio
from pathlib import Path

import pytest

from drivers.base import SensorUnavailable
from drivers.radiation import TsaConfig
from drivers.transports import open_transport
from drivers.wire import bundle
from drivers.xray import XrayPlanesConfig


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def scanner(folder, **keys):
    return XrayPlanesConfig(
        id="xray-1", lane="nb-01", url=f"folder:{folder}", planes="composite", **keys
    )


def write(folder, scan):
    (folder / f"{scan}.jpg").write_bytes(f"no picture: {scan}".encode())
    (folder / f"{scan}.json").write_bytes(b"{}")


def names(data):
    (one,) = bundle.BundleDecoder().feed(data)
    return [name for name, _ in one.files]


def test_scans_come_one_by_one_as_bundles(tmp_path):
    async def check():
        transport = await open_transport(scanner(tmp_path))
        for scan in ("a", "b"):
            write(tmp_path, scan)
            assert sorted(names(await transport.read())) == [f"{scan}.jpg", f"{scan}.json"]
            await transport.settle("")
        await transport.close()
        await transport.close()

    run(check())


def test_a_share_that_is_mounted_late_is_found_by_the_patient(tmp_path):
    folder = tmp_path / "mnt"

    async def check():
        opening = asyncio.create_task(open_transport(scanner(folder, timeout_s=0.05), patient=True))
        await asyncio.sleep(0.3)
        assert not opening.done()
        folder.mkdir()
        transport = await opening
        await transport.close()

    run(check())


def test_a_share_that_is_not_mounted_is_unavailable_and_not_made_up(tmp_path):
    folder = tmp_path / "mnt"
    with pytest.raises(SensorUnavailable, match=r"xray-1: nothing from folder:.*No such file"):
        run(open_transport(scanner(folder, timeout_s=0.2)))
    assert not folder.exists()


def test_what_is_a_file_and_no_folder_is_unavailable(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SensorUnavailable, match="mount the share"):
        run(open_transport(scanner(tmp_path / "file", timeout_s=0.2)))


def test_a_share_that_is_lost_is_a_cut_link(tmp_path):
    folder = tmp_path / "mnt"
    folder.mkdir()

    async def check():
        transport = await open_transport(scanner(folder))
        folder.rename(tmp_path / "away")
        assert await transport.read() == b""
        assert await transport.read() == b""
        await transport.close()

    run(check())


def test_a_share_that_is_lost_while_a_scan_is_read_is_a_cut_link_too(tmp_path):
    folder = tmp_path / "mnt"
    folder.mkdir()

    async def check():
        transport = await open_transport(scanner(folder))
        write(folder, "a")
        await transport.read()
        folder.rename(tmp_path / "away")
        await transport.settle("")
        assert await transport.read() == b""
        await transport.close()

    run(check())


def test_what_is_not_worth_reading_is_told_on_the_loop(tmp_path):
    told = []

    async def check():
        refused = asyncio.Event()

        def refuse(one):
            asyncio.get_running_loop()  # raises elsewhere than on the loop
            told.append(one.reason)
            refused.set()

        transport = await open_transport(scanner(tmp_path), refuse=refuse)
        write(tmp_path, "a")
        with (tmp_path / "a.jpg").open("r+b") as file:
            file.truncate(bundle.MAX_BUNDLE_BYTES + 1)
        reading = asyncio.create_task(transport.read())
        await refused.wait()
        reading.cancel()
        await asyncio.wait([reading])
        await transport.close()

    run(check())
    assert told == ["too-large"]


def test_the_loop_goes_on_while_a_slow_disk_is_visited(tmp_path, monkeypatch):
    async def check():
        transport = await open_transport(scanner(tmp_path))
        slow = asyncio.Event()
        loop = asyncio.get_running_loop()
        poll = transport._folder.poll

        def slow_poll():
            # Returns only when the loop has turned: on the loop itself it never would.
            asyncio.run_coroutine_threadsafe(slow.wait(), loop).result(10)
            return poll()

        monkeypatch.setattr(transport._folder, "poll", slow_poll)
        write(tmp_path, "a")
        reading = asyncio.create_task(transport.read())
        await asyncio.sleep(0.05)
        slow.set()
        assert names(await reading)
        await transport.close()

    run(check())


def test_a_sensor_of_another_kind_is_not_read_from_a_folder(tmp_path):
    config = TsaConfig(id="portal-north", lane="nb-01", url=f"folder:{Path(tmp_path)}")
    with pytest.raises(ValueError, match="portal-north"):
        run(open_transport(config))
