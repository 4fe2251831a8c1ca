import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.terminal import children
from edge.terminal.children import Child

ROOT = Path(__file__).parents[3]


def state(pid):
    """The kernel's letter for it: R running, S sleeping, T stopped, Z ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "Z"
    return status.rsplit(")", 1)[1].split()[0]


def gone(pid):
    return state(pid) == "Z"


def wait_until(what, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def watcher(tmp_path):
    """A child that runs until it is ended: it watches a broker that is not there."""
    child = Child("watch", ["watch", "mqtt://127.0.0.1:1", "--for", "60s"], tmp_path / "log")
    yield child
    child.kill()


def test_a_child_ends_when_asked(watcher):
    assert watcher.code is None
    children.end([watcher])
    assert watcher.code is not None
    assert gone(watcher.pid)


def test_a_child_that_does_not_listen_is_killed(watcher, monkeypatch):
    monkeypatch.setattr(children, "END_S", 0.2)
    os.kill(watcher.pid, signal.SIGSTOP)
    wait_until(lambda: state(watcher.pid) == "T")
    children.end([watcher])
    assert watcher.code == -signal.SIGKILL


def test_ending_twice_and_telling_the_dead_is_nothing(watcher, monkeypatch):
    monkeypatch.setattr(children, "END_S", 30.0)
    watcher.kill()
    ended = watcher.code
    assert ended == -signal.SIGKILL
    watcher.tell("go")
    watcher.kill()
    began = time.monotonic()
    children.end([watcher])
    assert time.monotonic() - began < children.END_S / 2
    assert watcher.code == ended


def test_its_last_words_are_kept(tmp_path):
    child = Child("wrong", ["run", "--config", str(tmp_path / "none.yaml")], tmp_path / "log")
    wait_until(lambda: child.code is not None)
    assert "none.yaml" in child.said()
    child.kill()


def test_its_log_is_followed_line_by_line(tmp_path):
    child = Child("wrong", ["run", "--config", str(tmp_path / "none.yaml")], tmp_path / "log")
    wait_until(lambda: child.code is not None)
    assert any("none.yaml" in line for line in child.says())
    with (tmp_path / "log").open("a") as log:
        log.write("one\ntwo\nhal")
    assert child.says() == ["one", "two"]
    with (tmp_path / "log").open("a") as log:
        log.write("f\n")
    assert child.says() == ["half"]
    assert child.says() == []
    child.kill()


def test_a_child_ends_with_a_parent_that_was_killed(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from edge.terminal.children import Child;"
        f"child = Child('w', ['watch', 'mqtt://127.0.0.1:1'], Path({str(tmp_path / 'log')!r}));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    wait_until(lambda: gone(pid))
