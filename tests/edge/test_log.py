"""Logs."""

import io
import json
import logging
import sys

import pytest
import structlog

from edge import log


@pytest.fixture(autouse=True)
def untouched_afterwards(monkeypatch):
    monkeypatch.delenv(log.LEVEL_VARIABLE, raising=False)
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers[:] = handlers


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_away_from_a_terminal_every_line_is_json_in_utc(capsys):
    log.configure()
    structlog.get_logger().warning("line malformed", sensor="rpm-1", reason="noise")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "line malformed",
        "level": "warning",
        "sensor": "rpm-1",
        "reason": "noise",
    }


def test_a_person_gets_text(capsys):
    log.configure(json=False)
    structlog.get_logger().info("sensor connected", sensor="rpm-1")
    shown = capsys.readouterr()
    assert "sensor connected" in shown.err
    assert "sensor=rpm-1" in shown.err
    assert "\x1b" not in shown.err
    assert shown.out == ""


def test_an_exception_stays_on_one_json_line(capsys):
    log.configure(json=True)
    try:
        raise ValueError("no")
    except ValueError:
        structlog.get_logger().exception("analysis failed")
    (line,) = lines(capsys)
    assert "ValueError: no" in line["exception"]


def test_what_libraries_log_has_the_same_form(capsys):
    log.configure(json=True)
    log.configure(json=True)
    logging.getLogger("asyncio").error("task %s died", "x")
    logging.getLogger("asyncio").info("not worth a line")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("task x died", "asyncio")


def test_the_level_comes_from_the_environment(capsys, monkeypatch):
    log.configure(json=True)
    structlog.get_logger().debug("too fine")
    monkeypatch.setenv(log.LEVEL_VARIABLE, "debug")
    log.configure(json=True)
    structlog.get_logger().debug("fine")
    assert [line["event"] for line in lines(capsys)] == ["fine"]


def test_a_terminal_that_was_closed_ends_nothing(monkeypatch):
    log.configure(json=True)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with pytest.raises(ValueError, match="closed file"):
        sys.stderr.write("as this stream does by itself")
    structlog.get_logger().error("nobody reads this")
    reopened = io.StringIO()
    monkeypatch.setattr(sys, "stderr", reopened)
    structlog.get_logger().error("somebody reads this")
    assert [json.loads(line)["event"] for line in reopened.getvalue().splitlines()] == [
        "somebody reads this"
    ]
