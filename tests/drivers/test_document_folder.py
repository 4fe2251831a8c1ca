"""A portal's folder: one document an occupancy, each read once and filed."""

import asyncio

from drivers.document_folder import document_sets, frame_of
from drivers.radiation_n42 import N42Config, N42Driver
from drivers.scan_folder import WORK_DIRECTORY
from drivers.transports import open_transport
from drivers.wire import bundle, n42
from drivers.wire.n42_frames import encode
from fusion.types import Origin, SpectrumSample
from tests.drivers.n42_documents import START_UTC_NS, a_pass


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def portal(folder):
    return N42Config(id="srpm-1", lane="nb-01", url=f"folder:{folder}")


def filed(folder, where):
    return sorted(path.name for path in (folder / WORK_DIRECTORY / where).rglob("*.n42"))


def test_documents_are_told_by_their_names():
    names = ["b.n42", "a.XML", ".c.n42.tmp", ".d.n42", "e.txt"]
    assert [one.names for one in document_sets(names)] == [("a.XML",), ("b.n42",)]


def test_a_bundle_becomes_the_frame_that_would_have_come_over_tcp():
    assert frame_of(bundle.encode({"a.n42": b"<a/>"})) == encode(b"<a/>")
    assert frame_of(b"no bundle") == b""


def test_each_document_is_read_once_and_filed(tmp_path):
    config = portal(tmp_path)
    driver = N42Driver(config, Origin.SENSOR)
    document = n42.write(a_pass(slices=3))

    async def check():
        transport = await open_transport(config)
        (tmp_path / "1.n42").write_bytes(document)
        data = await transport.read()
        assert data == encode(document)
        found = driver.feed(data, START_UTC_NS + 10**9)
        assert sum(isinstance(one, SpectrumSample) for one in found) == 4
        await transport.settle("")
        (tmp_path / "2.n42").write_bytes(b"no document")
        (bad,) = driver.feed(await transport.read(), START_UTC_NS + 2 * 10**9)
        await transport.settle(bad.reason)
        await transport.close()

    run(check())
    assert list(tmp_path.glob("*.n42")) == []
    assert filed(tmp_path, "done") == ["1.n42"]
    assert filed(tmp_path, "quarantine") == ["2.n42"]


def test_a_document_that_is_still_being_written_is_waited_for(tmp_path, monkeypatch):
    async def check():
        transport = await open_transport(portal(tmp_path))
        poll, pieces = transport._folder.poll, [b"<a/>"] * 8

        def written_between():
            """A piece between each look and the next, however far apart they are."""
            if pieces:
                with (tmp_path / "slow.n42").open("ab") as slow:
                    slow.write(pieces.pop())
            return poll()

        monkeypatch.setattr(transport._folder, "poll", written_between)
        assert await transport.read() == encode(b"<a/>" * 8)
        await transport.close()

    run(check())
