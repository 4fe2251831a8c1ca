"""Probes cannot hang each other."""

import socket
import threading
import time

from drivers.seismic_shake_config import ShakeConfig
from edge.config import Http, Side
from edge.probing.brokers import broker_probes
from edge.probing.machine import ask_http
from edge.probing.run import Probe, run
from edge.probing.sensors import ask
from edge.probing.verdict import OK, Verdict, cause


def probe(name, ask, timeout_s=5.0):
    return Probe(group="machine", name=name, ask=ask, timeout_s=timeout_s)


def test_answers_come_in_the_order_of_the_questions():
    found = run([probe("a", lambda: Verdict(OK, "1")), probe("b", lambda: Verdict(OK, "2"))])
    assert [(one.name, one.text) for one in found] == [("a", "1"), ("b", "2")]


def test_a_probe_that_never_answers_fails_and_delays_nobody(monkeypatch):
    monkeypatch.setattr("edge.probing.run.GRACE_S", 0.1)
    never = threading.Event()
    began = time.monotonic()
    hung, fine = run(
        [
            probe("hung", lambda: never.wait() and Verdict(OK, ""), 0.1),
            probe("fine", lambda: Verdict(OK, "")),
        ]
    )
    assert time.monotonic() - began < 4.0
    assert (hung.status, hung.text) == ("fail", "no answer within 0.1 s")
    assert fine.status == "ok"
    never.set()


def test_a_probe_that_breaks_has_failed():
    (found,) = run([probe("a", lambda: 1 / 0)])
    assert (found.status, found.text) == ("fail", "division by zero")


def test_a_cause_is_in_the_systems_words():
    assert cause(ConnectionRefusedError(111, "x")) == "Connection refused"
    assert cause(TimeoutError()) == "no answer in time"
    assert cause(OSError()) == "OSError"


def test_an_address_in_use_may_be_the_running_services_own():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = [
            ask_http(Http(port=port)).text,
            broker_probes([("north", Side(port=port))], site="a")[0].ask().text,
        ]
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        said.append(ask(ShakeConfig(id="geo", zone="z", url=url)).text)
    assert ["in use, by the running service if there is one" in text for text in said] == [True] * 3
