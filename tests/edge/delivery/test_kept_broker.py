# ruff: noqa: PLR0917 - fixtures come by position
"""A real broker that is killed for real."""

import os
import signal
import socket
import threading

import pytest
from structlog.testing import capture_logs

from edge.delivery import kept_broker
from edge.delivery.broker import find_mosquitto
from edge.delivery.kept_broker import KeptBroker
from edge.errors import BrokerUnavailable

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")


@pytest.fixture
def kept(tmp_path, free_port, until):
    made = []

    def start(port=None, **options):
        made.append(KeptBroker("north", port or free_port(), tmp_path / "broker", **options))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("broker-")])


@pytest.fixture
def again(monkeypatch):
    """Brokers are started while this is set, and wait for it where it is not."""
    allowed = threading.Event()
    allowed.set()
    start = kept_broker.start_broker

    def start_when_allowed(*values):
        assert allowed.wait(30)
        return start(*values)

    monkeypatch.setattr(kept_broker, "start_broker", start_when_allowed)
    yield allowed
    allowed.set()


def test_alerts_flow_again_after_the_broker_was_killed(
    again, kept, outbox, publisher, make_rows, free_port, until
):
    port, restarts = free_port(), []
    broker = kept(port, restarted=lambda: restarts.append(1))
    north = publisher(port)
    until(lambda: north.status().connected)
    with capture_logs() as logs:
        first = broker.pid
        again.clear()
        os.kill(first, signal.SIGKILL)
        until(lambda: broker.trouble)
        assert broker.trouble == "broker ended (killed by SIGKILL), being started again"
        outbox.commit(make_rows(3))
        again.set()
        until(lambda: restarts)
        until(lambda: outbox.depth("north") == 0)
    assert broker.trouble == ""
    assert broker.pid != first
    ended = next(entry for entry in logs if entry["event"] == "broker ended")
    assert (ended["side"], ended["ending"]) == ("north", "killed by SIGKILL")
    assert "broker started again" in [entry["event"] for entry in logs]


def test_a_port_that_is_taken_in_between_is_waited_for(again, kept, free_port, until, monkeypatch):
    monkeypatch.setattr(kept_broker, "FIRST_WAIT_S", 0.2)
    port = free_port()
    broker = kept(port)
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        again.clear()
        os.kill(broker.pid, signal.SIGTERM)
        until(lambda: "exit code 0" in broker.trouble)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        again.set()
        until(lambda: "cannot be started again" in broker.trouble)
        assert "in use" in broker.trouble
    until(lambda: broker.trouble == "")


def test_one_that_cannot_be_started_is_refused_with_its_side(kept):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerUnavailable, match=rf"side north: .*{port}.*in use"):
            kept(port)


def test_stopping_ends_the_process_and_no_other_is_started(kept, until):
    broker = kept()
    pid = broker.pid
    broker.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert broker.pid == pid
