"""What was stored is handed on to a program, whatever becomes of either."""

import json
import sys
from contextlib import closing

import pytest

from edge.cli import main as garita
from edge.delivery.centre_forward import BATCH, Forwarder
from edge.delivery.centre_store import Arrival, CentreStore
from edge.delivery.rows import ORIGIN, Mark

TAKES = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
HALF = """
import os, sys
lines = sys.stdin.readlines()
first = not os.path.exists(sys.argv[1])
open(sys.argv[1], 'a').writelines(lines[: len(lines) // 2] if first else lines)
os._exit(9 if first else 0)
"""
HANGS = "import time; time.sleep(60)"


@pytest.fixture
def store(tmp_path):
    """Stores the next alerts of a centre; the file's path is `store.path`."""
    path = tmp_path / "north.db"

    def add(count):
        with closing(CentreStore(path)) as held:
            last = held.cursors().get("mariposa", ORIGIN)
            arrivals = [
                Arrival(
                    site="mariposa", mark=Mark(epoch="E", seq=seq),
                    after=Mark(epoch="E", seq=seq - 1) if seq > 1 else ORIGIN,
                    topic="garita/v1/mariposa/nb-01/alert", payload=b'{"seq": %d}' % seq,
                    key="k", signature="c2ln",
                )
                for seq in range(last.seq + 1, last.seq + count + 1)
            ]  # fmt: skip
            held.store(arrivals)

    add.path = path
    return add


@pytest.fixture
def forwarder(store, tmp_path):
    """Starts one with a Python program that gets a file's name; every one is stopped."""
    made = []

    def start(code):
        command = [sys.executable, "-S", "-c", code, str(tmp_path / "taken")]
        made.append(Forwarder(store.path, command, pause_s=0.01))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()


def taken(tmp_path):
    path = tmp_path / "taken"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line)["seq"] for line in text.splitlines() if line.endswith("}")]


def forwarded(store):
    with closing(CentreStore(store.path)) as held:
        return held.forwarded()


def test_all_is_handed_on_once_and_in_order_across_restarts(store, forwarder, tmp_path, until):
    store(BATCH + 3)
    first = forwarder(TAKES)
    until(lambda: forwarded(store) == BATCH + 3)
    store(2)
    first.wake()
    until(lambda: forwarded(store) == BATCH + 5)
    first.stop()
    store(1)
    forwarder(TAKES)
    until(lambda: forwarded(store) == BATCH + 6)
    assert taken(tmp_path) == list(range(1, BATCH + 7))
    line = json.loads((tmp_path / "taken").read_text().splitlines()[0])
    assert line == {
        "site": "mariposa", "epoch": "E", "seq": 1, "ahead": False, "key": "k",
        "signature": "c2ln", "alert": {"seq": 1},
    }  # fmt: skip


def test_what_a_program_died_with_is_handed_on_again(store, forwarder, tmp_path, until):
    store(10)
    forwarder(HALF)
    until(lambda: forwarded(store) == 10)
    assert taken(tmp_path) == [1, 2, 3, 4, 5, *range(1, 11)]


def test_a_program_that_is_gone_is_waited_for(store, tmp_path, until):
    store(1)
    program = tmp_path / "program"
    forwarder = Forwarder(store.path, [str(program)], pause_s=0.01)
    forwarder.start()
    program.write_text(f"#!/bin/sh\ncat > {tmp_path / 'taken'}\n")
    program.chmod(0o755)
    until(lambda: forwarded(store) == 1)
    forwarder.stop()
    assert taken(tmp_path) == [1]


def test_a_program_that_hangs_keeps_nobody_from_ending(store, forwarder, until, monkeypatch):
    monkeypatch.setattr("edge.delivery.centre_forward.STOP_S", 0.1)
    store(1)
    hanging = forwarder(HANGS)
    until(lambda: hanging._running is not None)
    hanging.stop()
    assert forwarded(store) == 0


@pytest.mark.parametrize("command", ["no-such-program-here", "", "'unclosed"])
def test_a_program_that_cannot_be_started_is_told_at_once(command, tmp_path, capsys):
    url = ["--url", "mqtt://127.0.0.1:1", "--store", str(tmp_path / "north.db")]
    assert garita(["centre", "--side", "north", *url, "--forward", command]) == 3
    assert "--forward" in capsys.readouterr().err
