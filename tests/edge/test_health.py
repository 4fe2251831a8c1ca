"""/metrics, /healthz and /readyz, asked over the wire."""

import http.client
import json
import socket
import threading

import pytest

from edge import health
from edge.errors import ConfigError
from edge.health import CONNECTIONS, HealthServer, Readiness, readiness


class Service:
    """What the server asks; a test changes it."""

    def __init__(self):
        self.age_s = 0.1
        self.state = Readiness()
        self.refreshed = 0

    def readiness(self):
        if isinstance(self.state, Exception):
            raise self.state
        return self.state

    def refresh(self):
        self.refreshed += 1


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def server(service):
    server = HealthServer(
        host="127.0.0.1",
        port=0,
        heartbeat_age_s=lambda: service.age_s,
        readiness=service.readiness,
        refresh=service.refresh,
    )
    server.start()
    yield server
    server.stop()


def get(server, path, method="GET"):
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        link.request(method, path)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def test_metrics_are_refreshed_at_each_scrape(server, service):
    for count in (1, 2):
        status, body = get(server, "/metrics")
        assert status == 200
        assert b"garita_stage_seconds_bucket" in body
        assert service.refreshed == count


def test_a_figure_that_cannot_be_had_costs_only_itself(server, service):
    def broken():
        raise OSError("the outbox is closed")

    server.refresh = broken
    status, body = get(server, "/metrics")
    assert status == 200
    assert b"garita_build_info" in body


def test_alive_while_the_loop_turns(server, service):
    status, body = get(server, "/healthz")
    assert (status, json.loads(body)) == (200, {"alive": True, "heartbeat_age_s": 0.1})
    service.age_s = 60.0
    status, body = get(server, "/healthz")
    assert (status, json.loads(body)["alive"]) == (503, False)


def test_ready_says_why_not(server, service):
    service.state = Readiness(degraded=["rpm-1: link cut"])
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)) == (
        200,
        {"ready": True, "reasons": [], "degraded": ["rpm-1: link cut"]},
    )
    service.state = Readiness(reasons=["no broker is connected"])
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)["reasons"]) == (503, ["no broker is connected"])


def test_what_cannot_be_told_is_not_ready(server, service):
    service.state = RuntimeError("closed")
    status, body = get(server, "/readyz")
    assert status == 503
    assert "closed" in json.loads(body)["reasons"][0]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 200), ("/", "HEAD", 200), ("/nothing", "GET", 404), ("/metrics", "POST", 405)],
)
def test_anything_else_is_answered_too(server, path, method, status):
    assert get(server, path, method)[0] == status


def test_a_port_in_use_is_told_with_how_to_mend_it(server):
    second = HealthServer(
        host="127.0.0.1", port=server.port, heartbeat_age_s=lambda: 0.0, readiness=Readiness
    )
    with pytest.raises(ConfigError, match=r"Address already in use.*http\.port") as caught:
        second.start()
    assert str(server.port) in str(caught.value)
    second.stop()


def test_a_host_that_is_not_this_machine_is_told():
    server = HealthServer(
        host="192.0.2.1", port=1, heartbeat_age_s=lambda: 0.0, readiness=Readiness
    )
    with pytest.raises(ConfigError, match="cannot listen there"):
        server.start()


def test_stopping_frees_the_port_and_may_be_done_twice(service):
    server = HealthServer(
        host="127.0.0.1", port=0, heartbeat_age_s=lambda: 0.0, readiness=service.readiness
    )
    server.start()
    server.stop()
    server.stop()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", server.port))
    assert "http" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("noise", [b"", b"\x00\xff\r\n\r\n", b"GET /" + b"x" * 70_000 + b"\r\n"])
def test_noise_harms_nobody_else(server, noise):
    with socket.create_connection(("127.0.0.1", server.port), 10) as link:
        link.sendall(noise)
        link.shutdown(socket.SHUT_WR)
        while link.recv(4096):
            pass
    assert get(server, "/healthz")[0] == 200


def test_clients_that_hang_are_bounded_and_cut(server, monkeypatch):
    monkeypatch.setattr(health, "REQUEST_LIMIT_S", 0.0)  # cut at the server's next look
    threads = threading.active_count()
    hanging = [
        socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(2 * CONNECTIONS)
    ]
    for link in hanging:
        assert threading.active_count() <= threads + CONNECTIONS
        assert link.recv(1) == b""  # either refused at once, or cut
        link.close()
    monkeypatch.undo()
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(10)
    assert get(server, "/healthz")[0] == 200


KNOWN = {
    "stale": [],
    "sensors": 2,
    "outbox_error": "",
    "side_takes_alerts": True,
    "sides": ["south: refuses our alerts: not authorized (135)"],
}


def test_one_sensor_and_one_side_make_poorer_not_unready():
    state = readiness(**{**KNOWN, "stale": ["rpm-1: link cut"]})
    assert state.ready
    assert state.degraded == ["rpm-1: link cut", *KNOWN["sides"]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stale": ["a: x", "b: y"]}, "no sensor delivers"),
        ({"outbox_error": "disk full"}, "outbox: disk full"),
        ({"side_takes_alerts": False}, "no side takes our alerts"),
    ],
)
def test_unready_has_its_reason(change, reason):
    assert list(readiness(**KNOWN).reasons) == []
    assert list(readiness(**{**KNOWN, **change}).reasons) == [reason]
