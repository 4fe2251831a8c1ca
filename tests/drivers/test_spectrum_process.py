"""One child: what it answers, and what is left of one that does not."""

import os
import signal
import time
from pathlib import Path

import pytest

from drivers.spectrum_process import GoneError, SpectrumProcess
from drivers.spectrum_reader import installed
from drivers.wire import n42
from tests.drivers.n42_documents import a_pass

pytestmark = pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
WORDS = {"allowed_s": 2.0, "patience_s": 8.0}


@pytest.fixture
def child():
    made = SpectrumProcess()
    yield made
    made.end()


def test_it_is_started_when_asked_and_answers(child):
    assert (child.pid, child.peak_mb) == (None, 0.0)
    written = a_pass(slices=2, detectors=3, channels=16)
    answer, arrays = child.ask("N42_2012", n42.write(written), **WORDS)
    channels = sum(row[-2] for row in answer["measurements"])
    assert channels == 3 * 3 * 16  # background and two slices
    assert len(arrays) == 4 * channels
    assert child.peak_mb > 10
    pid = child.pid
    assert "error" in child.ask("Pcf", b"no pcf", **WORDS)[0]
    assert child.pid == pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_is_gone_or_does_not_move_is_ended_and_another_started(child, number):
    child.ask("Pcf", b"no pcf", **WORDS)
    pid = child.pid
    os.kill(pid, number)
    began = time.monotonic()
    with pytest.raises(GoneError):
        child.ask("Pcf", b"no pcf", allowed_s=0.1, patience_s=0.2)
    assert time.monotonic() - began < 10.0
    assert child.pid is None
    assert not Path(f"/proc/{pid}").exists()
    assert child.peak_mb > 0
    assert "error" in child.ask("Pcf", b"no pcf", **WORDS)[0]
    assert child.pid != pid


def test_ending_one_that_is_not_there_is_nothing(child):
    child.end()
    child.end()
    assert child.pid is None
