"""Asking this machine."""

import os
import socket
import sys

import pytest

from edge.config import Http, Recording
from edge.probing.machine import (
    BUILT_UTC,
    ask_clock,
    ask_http,
    ask_recording,
    ask_state_dir,
    synchronised,
)

NOW_S = BUILT_UTC.timestamp() + 1e6


def test_a_clock_from_before_garita_was_made_is_wrong():
    status, text = ask_clock(0.0, is_synchronised=True)
    assert status == "fail"
    assert text.startswith("1970-01-01T00:00:00+00:00")


@pytest.mark.parametrize(("state", "status"), [(True, "ok"), (None, "ok"), (False, "warn")])
def test_a_clock_that_nobody_keeps_is_worth_a_warning(state, status):
    assert ask_clock(NOW_S, is_synchronised=state).status == status


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="adjtimex is Linux's")
def test_the_kernel_can_be_asked():
    assert synchronised() in (True, False, None)


def test_a_state_dir_that_is_not_there_yet_can_be_made(tmp_path):
    status, text = ask_state_dir(tmp_path / "a" / "b")
    assert status in ("ok", "warn")
    assert "GB free" in text
    assert not (tmp_path / "a").exists()


def test_a_state_dir_below_a_file_cannot(tmp_path):
    (tmp_path / "a").touch()
    status, text = ask_state_dir(tmp_path / "a" / "b")
    assert status == "fail"
    assert "no folder" in text


def test_a_disk_that_is_nearly_full_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.probing.machine.FREE_WARN_GB", 1e9)
    assert ask_state_dir(tmp_path).status == "warn"
    monkeypatch.setattr("edge.probing.machine.FREE_FAIL_GB", 1e9)
    assert ask_state_dir(tmp_path).status == "fail"


def test_recording_needs_the_room_it_must_leave(tmp_path):
    assert ask_recording(Recording(dir=tmp_path, keep_free_gb=0)).status == "ok"
    status, text = ask_recording(Recording(dir=tmp_path, keep_free_gb=1e9))
    assert status == "warn"
    assert "keep_free_gb" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    assert ask_state_dir(tmp_path).status == "fail"


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, text = ask_http(Http(port=port))
        assert status == "fail"
        assert "in use" in text
    assert ask_http(Http(port=port)).status == "ok"
