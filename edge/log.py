"""Logs: JSON lines for a machine, colours for a person; always on stderr, always UTC.

Everywhere else: `log = structlog.get_logger()`, then `log.warning("line malformed", sensor=...)`:
the event is a fixed phrase, the values are keys.
"""

import contextlib
import logging
import os
import sys

import structlog

LEVEL_VARIABLE = "GARITA_LOG"
"""Environment variable: debug, info (the default), warning or error."""


def configure(json: bool | None = None) -> None:
    """Set up logging for the process. None: JSON unless stderr is a terminal."""
    terminal = sys.stderr.isatty()
    as_json = not terminal if json is None else json
    level = logging.getLevelNamesMapping().get(os.environ.get(LEVEL_VARIABLE, "").upper(), 20)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(as_json=as_json, colours=terminal and "NO_COLOR" not in os.environ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _StderrLogger(),
        # Not cached: a line costs microseconds more, and logging can be captured at any time.
        cache_logger_on_first_use=False,
    )
    _forward_standard_logging(level)


def _renderers(*, as_json: bool, colours: bool) -> list[structlog.typing.Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]


class _StderrLogger:
    """Writes to whatever stderr is at that moment."""

    def msg(self, message: str) -> None:
        # A terminal that was closed must not end the service.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = fatal = log = msg


class _Forward(logging.Handler):
    """What libraries log, in the same form as our own."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        logger.log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )


def _forward_standard_logging(level: int) -> None:
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Forward)]:
        root.removeHandler(handler)
    root.addHandler(_Forward())
    # Libraries tell more than an operator wants to read; at debug they may.
    root.setLevel(logging.DEBUG if level <= logging.DEBUG else logging.WARNING)
