import asyncio
import contextlib
import io
import socket
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from drivers import dicos_entity, dicos_pairs, dicos_server
from drivers.base import SensorUnavailable
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_server import NO_RESOURCES, NOT_UNDERSTOOD, REFUSED, SUCCESS, WRONG_CLASS
from drivers.transports import open_transport
from drivers.wire import bundle, dicos
from drivers.xray_dicos import XrayDicosDriver
from edge.sensors.sources import Source
from fusion.types import Origin, ScanSample
from simulators.dicos_sending import send
from tests.drivers.dicos_files import SCAN, high, low, plane, single
from tests.ports import free_port

pydicom = pytest.importorskip("pydicom")
pynetdicom = pytest.importorskip("pynetdicom")

TIMEOUT_S = 30.0
CT = "1.2.840.10008.5.1.4.1.1.2"  # a patient's, which no cargo scanner sends
ECHO = "1.2.840.10008.1.1"


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, TIMEOUT_S))


class Station:
    """An open receiver and what it said."""

    def __init__(self, transport, port):
        self.transport = transport
        self.where = ("127.0.0.1", port)
        self.refused = []

    def sending(self, *files, **titles):
        """The statuses that a sender of these files hears, as a task."""
        return asyncio.create_task(asyncio.to_thread(send, self.where, list(files), **titles))

    async def taken(self, reason=""):
        """The files of the next scan, which is settled for `reason`."""
        data = await self.transport.read()
        await self.transport.settle(reason)
        (read,) = bundle.BundleDecoder().feed(data)
        return [content for _, content in read.files]


@contextlib.asynccontextmanager
async def station(spool=None, **keys):
    port = free_port()
    config = XrayDicosConfig(id="xray-1", lane="l", url=f"dicos://127.0.0.1:{port}", **keys)
    told = []
    transport = await open_transport(config, refuse=told.append, spool=spool)
    made = Station(transport, port)
    made.refused = told
    try:
        yield made
    finally:
        await transport.close()


def associated(where, uid=ECHO, calling="SCANNER", called="ANY-SCP"):
    """An association with one presentation context, established or not."""
    entity = pynetdicom.AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = 5
    entity.add_requested_context(uid)
    return entity.associate(*where, ae_title=called)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


def test_the_sender_hears_of_success_once_the_scan_has_been_dealt_with():
    async def check():
        async with station() as opened:
            sending = opened.sending(single())
            data = await opened.transport.read()
            assert not (await asyncio.wait([sending], timeout=0.1))[0]
            await opened.transport.settle("")
            assert await sending == [SUCCESS]
            (read,) = bundle.BundleDecoder().feed(data)
            assert read.files[0][1] == single()

    run(check())


def test_two_planes_of_a_scan_come_as_one():
    async def check():
        async with station() as opened:
            sending = opened.sending(high(), low())
            data = await opened.transport.read()
            await opened.transport.settle("")
            assert await sending == [SUCCESS, SUCCESS]
            driver = XrayDicosDriver(
                XrayDicosConfig(id="x", lane="l", url="folder:/"), Origin.SENSOR
            )
            (scan,) = driver.feed(data, 0)
            np.testing.assert_array_equal(scan.high, plane(1))
            np.testing.assert_array_equal(scan.low, plane(2))

    run(check())


@pytest.mark.parametrize("keys", [{}, {"planes": "dual"}])
def test_a_plane_whose_other_never_comes_is_a_scan_by_itself(keys):
    async def check():
        async with station(pair_wait_s=0.05, **keys) as opened:
            assert await opened.sending(high()) == [SUCCESS]
            assert await opened.taken() == [high()]

    run(check())


def test_a_plane_that_is_sent_again_is_not_its_own_partner():
    async def check():
        async with station() as opened:
            assert await opened.sending(high()) == [SUCCESS]
            assert await opened.sending(high()) == [SUCCESS]
            sending = opened.sending(low())
            assert sorted(await opened.taken()) == sorted([high(), low()])
            assert await sending == [SUCCESS]

    run(check())


def test_planes_that_nobody_completes_do_not_pile_up():
    async def check():
        async with station(pair_wait_s=60.0) as opened:
            for number in range(dicos_pairs.MAX_HALVES + 2):
                scan = high(scan=_scan(number))
                assert await opened.sending(scan) == [SUCCESS]
            assert await opened.taken() == [high(scan=_scan(0))]
            assert await opened.taken() == [high(scan=_scan(1))]

    run(check())


def _scan(number):
    return replace(SCAN, scan_id=f"scan-{number}")


@pytest.mark.parametrize(
    ("reason", "status"),
    [("truncated", NOT_UNDERSTOOD), ("unsupported", WRONG_CLASS), ("driver-error", REFUSED),
     ("too-large", NO_RESOURCES), ("duplicate", SUCCESS)],
)  # fmt: skip
def test_the_sender_hears_why_a_scan_was_of_no_use(reason, status):
    async def check():
        async with station() as opened:
            sending = opened.sending(single())
            await opened.taken(reason)
            assert await sending == [status]

    run(check())


def test_two_senders_at_once_hear_each_of_their_own():
    async def check():
        async with station() as opened:
            sendings = [opened.sending(single(plane(seed))) for seed in range(2)]
            for _ in sendings:
                (content,) = await opened.taken("")
                assert content in [single(plane(0)), single(plane(1))]
            assert await asyncio.gather(*sendings) == [[SUCCESS], [SUCCESS]]

    run(check())


def test_an_echo_is_answered_and_brings_nothing():
    async def check():
        async with station() as opened:
            association = await asyncio.to_thread(associated, opened.where)
            assert association.is_established
            assert (await asyncio.to_thread(association.send_c_echo)).Status == SUCCESS
            await asyncio.to_thread(association.release)
            assert not opened.transport._waiting

    run(check())


def test_what_is_no_class_of_dicos_is_not_taken():
    async def check():
        async with station() as opened:
            association = await asyncio.to_thread(associated, opened.where, CT)
            assert not association.is_established
            for uid in dicos.SOP_CLASSES:
                association = await asyncio.to_thread(associated, opened.where, uid)
                assert association.is_established, uid
                await asyncio.to_thread(association.release)

    run(check())


def test_more_senders_than_there_is_room_for_are_rejected_and_later_taken(monkeypatch):
    monkeypatch.setattr(dicos_entity, "MAX_ASSOCIATIONS", 2)

    async def check():
        async with station() as opened:
            first = [await asyncio.to_thread(associated, opened.where) for _ in range(2)]
            assert all(one.is_established for one in first)
            assert (await asyncio.to_thread(associated, opened.where)).is_rejected
            await asyncio.to_thread(first[0].release)
            sending = opened.sending(single())
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]

    run(check())


def test_titles_are_asked_for_where_they_are_configured():
    async def check():
        async with station(ae_title="BORDER", callers=("SCANNER",)) as opened:
            for calling, called, taken in (
                ("SCANNER", "BORDER", True),
                ("SCANNER", "OTHER", False),
                ("STRANGER", "BORDER", False),
            ):
                association = await asyncio.to_thread(
                    associated, opened.where, ECHO, calling, called
                )
                assert association.is_established is taken
                if taken:
                    await asyncio.to_thread(association.release)

    run(check())


def test_a_simulated_scanner_calls_the_station_by_its_name():
    async def check():
        async with station(ae_title="BORDER 1", callers=("XR-7",)) as opened:
            sending = opened.sending(single(), called="BORDER 1", calling="XR-7")
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]
            association = await asyncio.to_thread(associated, opened.where, ECHO, "XR-7", "ANY-SCP")
            assert association.is_rejected
            await until(lambda: opened.refused)
            assert [one.reason for one in opened.refused] == ["not-taken"]
            assert "XR-7" in opened.refused[0].text

    run(check())


def test_a_sender_that_hangs_up_within_a_scan_is_told_and_the_next_is_taken():
    async def check():
        async with station() as opened:
            association = await asyncio.to_thread(associated, opened.where, dicos.DX_PROCESSING)
            wire = association.dul.socket.socket
            wire.sendall(b"\x04\x00" + (1 << 20).to_bytes(4, "big") + bytes(200_000))
            await until(lambda: any(one.held for one in opened.transport.server._links.values()))
            wire.shutdown(socket.SHUT_RDWR)
            await until(lambda: opened.refused)
            assert [one.reason for one in opened.refused] == ["truncated"]
            await asyncio.to_thread(association.abort)
            sending = opened.sending(single())
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]

    run(check())


def test_a_sender_that_sends_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(dicos, "MAX_FILE_BYTES", 1 << 20)

    async def check():
        async with station() as opened:
            association = await asyncio.to_thread(associated, opened.where, dicos.DX_PROCESSING)
            wire = association.dul.socket.socket
            wire.sendall(b"\x04\x00" + b"\xff\xff\xff\xff" + bytes(1000))
            await until(lambda: opened.refused)
            assert opened.refused[0].reason == "too-large"
            await until(lambda: not opened.transport.server._links)
            await asyncio.to_thread(association.abort)

    run(check())


def test_who_only_connects_gives_way_to_who_says_what_he_wants(monkeypatch):
    monkeypatch.setattr(dicos_server, "MAX_LINKS", 3)

    async def check():
        async with station() as opened:
            idle = [socket.create_connection(opened.where) for _ in range(3)]
            await until(lambda: opened.transport.server.links == 3)
            sending = opened.sending(single())
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]
            assert "too-many" in {one.reason for one in opened.refused}
            for one in idle:
                one.close()

    run(check())


def test_an_association_that_was_silent_for_long_gives_way_to_another(monkeypatch):
    monkeypatch.setattr(dicos_entity, "MAX_ASSOCIATIONS", 1)
    monkeypatch.setattr(dicos_server, "MAX_ASSOCIATIONS", 1)

    async def check():
        async with station() as opened:
            silent = await asyncio.to_thread(associated, opened.where)
            assert (await asyncio.to_thread(associated, opened.where)).is_rejected
            monkeypatch.setattr(dicos_server, "QUIET_S", 0.0)
            sending = opened.sending(single())
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]
            await until(lambda: not silent.is_established)

    run(check())


def test_a_sender_that_drips_is_cut_off_and_told(monkeypatch):
    monkeypatch.setattr(dicos_server, "STALLED_S", 0.3)
    monkeypatch.setattr(dicos_server, "LEAST_BYTES_S", 1e9)

    async def check():
        async with station() as opened:
            association = await asyncio.to_thread(associated, opened.where, dicos.DX_PROCESSING)
            wire = association.dul.socket.socket
            wire.sendall(b"\x04\x00" + (1 << 20).to_bytes(4, "big"))
            with contextlib.suppress(OSError):
                while not opened.refused:
                    wire.sendall(b"\0")
                    await asyncio.sleep(0.02)
            assert [one.reason for one in opened.refused] == ["too-slow"]
            await asyncio.to_thread(association.abort)

    run(check())


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x01" * 4000, b"\x04\x00", b""])
def test_noise_at_the_port_leaves_nothing(noise):
    async def check():
        async with station() as opened:
            with socket.create_connection(opened.where) as wire:
                wire.sendall(noise)
            sending = opened.sending(single())
            assert await opened.taken() == [single()]
            assert await sending == [SUCCESS]
            await until(lambda: not opened.transport.server._links)

    run(check())


@pytest.mark.parametrize("read", [False, True])
def test_closing_refuses_the_scan_that_waits_and_leaves_no_thread(read):
    async def check():
        before = set(threading.enumerate())
        async with station() as opened:
            sending = opened.sending(single())
            await until(lambda: opened.transport._waiting)
            if read:
                await opened.transport.read()
            await opened.transport.close()
            assert await sending in ([NO_RESOURCES], [-1])
            assert await opened.transport.read() == b""
        left = [one for one in set(threading.enumerate()) - before if "asyncio" not in one.name]
        assert left == []

    run(check())


def test_a_port_that_somebody_has_is_said():
    async def check():
        async with station() as opened:
            url = "dicos://{}:{}".format(*opened.where)
            config = XrayDicosConfig(id="xray-2", lane="l", url=url, timeout_s=0.2)
            with pytest.raises(SensorUnavailable, match=r"xray-2.*in use"):
                await open_transport(config)

    run(check())


def test_without_pynetdicom_it_is_said_what_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    config = XrayDicosConfig(id="xray-1", lane="l", url=f"dicos://127.0.0.1:{free_port()}")
    with pytest.raises(SensorUnavailable, match=r"pynetdicom.*garita\[dicos\]"):
        run(open_transport(config))


def test_a_sender_is_answered_by_what_a_source_makes_of_its_scan():
    async def check():
        port = free_port()
        config = XrayDicosConfig(id="xray-1", lane="l", url=f"dicos://127.0.0.1:{port}")
        taken, kept = [], []
        source = Source(
            config,
            now_utc_ns=lambda: 1_790_000_100_000_000_000,
            record=lambda sensor, data, at: kept.append(data),
            deliver=lambda sensor, samples, at, trigger: taken.extend(samples),
        )
        await source.start()
        running = asyncio.create_task(source.run())
        where = ("127.0.0.1", port)
        assert await asyncio.to_thread(send, where, [high(), low()]) == [SUCCESS, SUCCESS]
        assert await asyncio.to_thread(send, where, [high(), low()]) == [SUCCESS, SUCCESS]
        assert await asyncio.to_thread(send, where, [_damaged()]) == [WRONG_CLASS]
        running.cancel()
        await asyncio.wait([running])
        (scan,) = (one for one in taken if isinstance(one, ScanSample))
        # What was kept replays to the very same sample.
        driver = XrayDicosDriver(config, Origin.SENSOR)
        (again,) = driver.feed(kept[0], 1_790_000_100_000_000_000)
        np.testing.assert_array_equal(again.high, scan.high)
        assert again.digests == scan.digests
        assert dict(source.status.malformed) == {"duplicate": 2, "unsupported": 1}  # each file

    run(check())


def _damaged():
    read = pydicom.dcmread(io.BytesIO(single()))
    read.OOIType = "PERSON"
    out = io.BytesIO()
    read.save_as(out, enforce_file_format=False)
    return out.getvalue()


VENDORS_CLIENT = """
import sys, pyDICOS as sdk
client = sdk.DcsClient()
client.SetServerPortandIP(int(sys.argv[1]), sdk.DcsString("127.0.0.1"))
client.SetReadTimeoutInMilliseconds(5000)
client.SetWriteTimeoutInMilliseconds(5000)
client.SetSourceApplication(sdk.DcsApplicationEntity("SCANNER"))
client.SetDestinationApplication(sdk.DcsApplicationEntity("GARITA"))
assert client.ConnectToServer()
begun = client.StartDicosSession(int(sdk.SOPCLASSUID.enumSopAll))
assert begun, client.GetErrorLog().GetErrorLog().Get()
assert client.CanSendDXProcessing() and client.CanSendDXPresentation()
assert client.Echo()
client.StopDicosSession()
client.DisconnectFromServer()
"""


def test_the_vendors_own_client_begins_a_session():
    pytest.importorskip("pyDICOS")

    async def check():
        async with station(ae_title="GARITA", callers=("SCANNER",)) as opened:
            # A process of its own: the client holds Python's lock while it waits.
            client = await asyncio.create_subprocess_exec(
                sys.executable, "-c", VENDORS_CLIENT, str(opened.where[1]), stderr=-1
            )
            _, said = await client.communicate()
            assert client.returncode == 0, said.decode()

    run(check())
