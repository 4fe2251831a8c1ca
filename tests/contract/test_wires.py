"""One suite over every driver and its simulator: clauses 10 to 12, over the real wires."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import pytest

from drivers.base import SensorUnavailable
from drivers.catalog import KINDS as DRIVERS
from drivers.transports import open_transport
from simulators.serve import open_stage
from tests.contract.pairs import pair_of
from tests.contract.scenarios import DEVICE, WIRES
from tests.ports import free_port

SPEED = 100.0  # a simulated minute in 0.6 s; datagrams still leave in small groups
TIMEOUT_S = 30.0

ON_WIRES = [(kind, form) for kind in sorted(DRIVERS) for form in WIRES[kind].serve]
NOT_OURS = "dicos://192.0.2.1:11112"  # RFC 5737: no machine has it, so nobody can listen there
WHOLE = ("folder", "dicos")  # a read is a whole scan or document
URL_FORMS = {"pty": "serial"}  # how an address names the wire, where the two differ
FORMS = [(kind, URL_FORMS.get(form, form)) for kind, form in ON_WIRES]


def run(coroutine):
    """Run with a limit: a test that hangs says so."""
    return asyncio.run(asyncio.wait_for(coroutine, TIMEOUT_S))


@pytest.fixture(params=ON_WIRES, ids=" over ".join)
def wired(request, tmp_path):
    kind, form = request.param
    return pair_of(kind), form, tmp_path


def serving_url(form, directory):
    """Where to put a simulator on a wire of this form."""
    return {
        "tcp": "tcp://127.0.0.1:0",
        "udp": f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        "dicos": f"dicos://127.0.0.1:{free_port(socket.SOCK_STREAM)}",
        "pty": "pty:",
        "folder": f"folder:{directory / 'scans'}",
    }[form]


async def bound(url):
    """Wait until somebody listens at a UDP address."""
    port = int(url.rpartition(":")[2])
    while True:
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            return
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def linked(pair, form, directory):
    """A simulator at one end of a real wire and a transport at the other."""
    url = serving_url(form, directory)
    async with await open_stage(pair.scenario, {DEVICE: url}, speed=SPEED) as stage:
        config = pair.config(url=stage.addresses[DEVICE], timeout_s=10.0)
        opening = asyncio.create_task(open_transport(config))
        if form == "udp":
            await bound(url)  # it has answered only when the first datagram is there
            playing = asyncio.create_task(stage.run())
            transport = await opening
        else:
            transport = await opening
            playing = asyncio.create_task(stage.run())
        try:
            yield transport
        finally:
            await transport.close()
            playing.cancel()
            await asyncio.wait([playing])


async def received(pair, form, directory):
    """The chunks of a whole day over the wire."""
    chunks = []
    async with linked(pair, form, directory) as transport:
        left = len(pair.data) if form not in WHOLE else len(pair.records)
        while left > 0:
            data = await transport.read()
            assert data, f"cut with {left} to come"
            chunks.append(data)
            left -= len(data) if form not in WHOLE else 1
            await transport.settle("")
    return chunks


def test_there_are_wires_to_test():
    assert ON_WIRES


@pytest.mark.parametrize("kind", sorted(DRIVERS))
def test_a_kind_takes_the_forms_of_address_over_which_it_is_tested(kind):
    tested = {URL_FORMS.get(form, form) for form in WIRES[kind].serve}
    assert tested == set(DRIVERS[kind].config.url_forms)


def test_10_over_the_real_wire_the_samples_equal_those_in_memory(wired):
    pair, form, directory = wired
    chunks = run(received(pair, form, directory))
    if form in WHOLE:
        # One bundle is one scan; the files' order within it is the transport's own affair.
        timed = [(at, data) for (at, _), data in zip(pair.records, chunks, strict=True)]
        assert pair.samples(timed) == pair.samples(pair.records)
        return
    assert b"".join(chunks) == pair.data
    # The chunks as they were cut by the wire, each at the time of its last byte.
    assert untimed(pair.samples(arrivals_of(pair, chunks))) == untimed(pair.samples(pair.arrivals))


def arrivals_of(pair, chunks):
    """The chunks with the times at which the day says that their last bytes arrived."""
    ends = []
    end = 0
    for at, data in pair.arrivals:
        end += len(data)
        ends.append((end, at))
    timed, end = [], 0
    for data in chunks:
        end += len(data)
        timed.append((next(at for known_end, at in ends if known_end >= end), data))
    return timed


def untimed(samples):
    """Without start times, which for a device without a clock follow the arrival."""
    return [tuple(value for value in one if value[0] != "start_utc_ns") for one in samples]


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=lambda value: value)
def test_11_nothing_listening_is_said_in_time_with_sensor_and_address(kind, form, tmp_path):
    url = {
        "tcp": f"tcp://127.0.0.1:{free_port(socket.SOCK_STREAM)}",
        "udp": f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        "dicos": NOT_OURS,
        "serial": str(tmp_path / "ttyUSB7"),
        "folder": f"folder:{tmp_path / 'not-mounted'}",
    }[form]

    async def check():
        began = asyncio.get_running_loop().time()
        with pytest.raises(SensorUnavailable) as raised:
            await open_transport(pair_of(kind).config(url=url, timeout_s=0.3))
        return asyncio.get_running_loop().time() - began, str(raised.value)

    took_s, message = run(check())
    assert took_s < 0.3 + 5.0  # the timeout, and what a busy machine adds
    assert DEVICE in message
    assert url in message


def left_open(before):
    """What is open now and was not before."""
    files, tasks, threads = open_things()
    known_files, known_tasks, known_threads = before
    return (files - known_files), tasks - known_tasks, threads - known_threads


async def nothing_left(before):
    """Wait a moment: the loop closes sockets a turn later, and a thread takes time to end."""
    for _ in range(1000):
        if not any(left_open(before)):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"left open: {left_open(before)}")


def open_things():
    """Open descriptors, tasks and threads, but those that the loop keeps for itself."""
    # By number and target: a descriptor that was closed and given out again shows.
    files = {
        (path.name, str(path.readlink()))
        for path in Path("/proc/self/fd").iterdir()
        if path.exists()
    }
    threads = {one for one in threading.enumerate() if not one.name.startswith("asyncio_")}
    return files, asyncio.all_tasks(), threads


def test_12_closing_leaves_no_task_socket_or_file(wired):
    pair, form, directory = wired

    async def check():
        before = open_things()
        for number in range(3):
            place = directory / str(number)
            place.mkdir()
            async with linked(pair, form, place) as transport:
                await transport.read()
                await transport.settle("")
            # A cancelled read must not hold anything either.
            async with linked(pair, form, place) as transport:
                reading = asyncio.create_task(transport.read())
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
        await nothing_left(before)

    run(check())


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=lambda value: value)
def test_12_nor_does_an_attempt_that_failed_or_was_cancelled(kind, form, tmp_path):
    async def check():
        urls = {
            "tcp": f"tcp://127.0.0.1:{free_port(socket.SOCK_STREAM)}",
            "udp": f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
            "dicos": NOT_OURS,
            "serial": str(tmp_path / "ttyUSB7"),
            "folder": f"folder:{tmp_path / 'not-mounted'}",
        }
        config = pair_of(kind).config(url=urls[form], timeout_s=0.1)
        await asyncio.to_thread(int)
        before = open_things()
        with pytest.raises(SensorUnavailable):
            await open_transport(config)
        attempt = asyncio.create_task(open_transport(config, patient=True))
        await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait([attempt])
        await nothing_left(before)

    run(check())
