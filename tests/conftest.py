"""Shared by all tests: compiled kernels of these very sources, free ports, real brokers.

Of every alert that the fusion core makes in any test the table of reasons must add up.
"""

import contextlib
import signal
import subprocess
import time

import pytest
from hypothesis import settings

from edge.delivery.broker import find_mosquitto, start_broker
from edge.kernel_cache import use_kernel_cache
from tests import adding_up, ports

use_kernel_cache()
adding_up.watch()
# A shell that runs this in the background lets it ignore Ctrl+C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A busy machine takes its time; what hangs is found by the limit of every test.
settings.register_profile("garita", deadline=None)
settings.load_profile("garita")


@pytest.fixture(autouse=True)
def every_alert_adds_up():
    """Fails a test whose alerts, all that the fusion core made in it, do not add up."""
    yield
    assert not (wrong := adding_up.WATCH.take()), "\n".join(wrong[:10])


@pytest.fixture
def free_port():
    """Gives loopback ports that nobody listens on, each only once."""
    return ports.free_port


@pytest.fixture
def until():
    """Waits for a condition; what it last was is the test's failure."""

    def wait(reached, within_s=30.0):
        deadline = time.monotonic() + within_s
        while not (value := reached()):
            assert time.monotonic() < deadline, f"not reached within {within_s} s: {value!r}"
            time.sleep(0.005)
        return value

    return wait


@pytest.fixture
def mosquitto(tmp_path, free_port):
    """Starts real brokers, each in a folder of its own; every one is ended."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with contextlib.ExitStack() as stack:

        def start(port=None, **options):
            port = port or free_port()
            broker = start_broker(
                port, tmp_path / f"broker-{port}", kind="mosquitto", options=options
            )
            stack.callback(broker.kill)
            return broker

        yield start


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", folder], check=True)
