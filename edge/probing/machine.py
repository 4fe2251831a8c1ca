"""Clock, disk and ports of this machine."""

import ctypes
import os
import shutil
import socket
import struct
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from edge.config import Config, Http, Recording
from edge.probing.run import Probe
from edge.probing.verdict import FAIL, OK, WARN, Verdict, cause

TIMEOUT_S = 5.0  # a network share that is away blocks for ever
BUILT_UTC = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time than this was written."""
GB = 1_000_000_000
FREE_FAIL_GB, FREE_WARN_GB = 0.1, 1.0
"""A million alerts take about 3 GB in the outbox; 0.1 GB is a busy week with both sides away."""
STA_UNSYNC = 0x40  # Linux, adjtimex(2)
TIMEX_BYTES, TIMEX_STATUS_AT = 256, 40  # struct timex on 64 bits is 208 bytes; status after 5 words


def machine_probes(config: Config) -> list[Probe]:
    """Everything that is not a sensor or a broker."""
    questions: list[tuple[str, Callable[[], Verdict]]] = [
        ("clock", partial(ask_clock, time.time(), synchronised())),
        ("state_dir", partial(ask_state_dir, config.state_dir)),
        ("http", partial(ask_http, config.http)),
    ]
    if config.recording is not None:
        questions.append(("recording", partial(ask_recording, config.recording)))
    return [
        Probe(group="machine", name=name, ask=question, timeout_s=TIMEOUT_S)
        for name, question in questions
    ]


def ask_clock(now_s: float, is_synchronised: bool | None) -> Verdict:
    """Whether the time can be right, and whether something keeps it so."""
    shown = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
    if now_s < BUILT_UTC.timestamp():
        return Verdict(FAIL, f"{shown} is before Garita was made; set the clock")
    if is_synchronised is None:
        return Verdict(OK, f"{shown}; whether it is synchronised cannot be read here")
    if not is_synchronised:
        return Verdict(WARN, f"{shown}, not synchronised; run chrony or systemd-timesyncd")
    return Verdict(OK, f"{shown}, synchronised")


def synchronised() -> bool | None:
    """Whether the kernel says that its clock is kept by NTP; None where it cannot be asked."""
    if not sys.platform.startswith("linux") or struct.calcsize("l") != 8:
        return None
    buffer = ctypes.create_string_buffer(TIMEX_BYTES)  # modes = 0: only read
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
            return None
    except (OSError, AttributeError):  # no such call in this C library
        return None
    status: int = struct.unpack_from("i", buffer, TIMEX_STATUS_AT)[0]
    return not status & STA_UNSYNC


def ask_state_dir(directory: Path) -> Verdict:
    """Whether the outbox can be written, and for how long."""
    free_gb, problem = _writable(directory)
    if problem:
        return Verdict(FAIL, f"{directory}: {problem}")
    text = f"{directory}: {free_gb:.1f} GB free"
    if free_gb < FREE_FAIL_GB:
        return Verdict(FAIL, f"{text}; alerts could not be kept, make room")
    return Verdict(WARN if free_gb < FREE_WARN_GB else OK, text)


def ask_recording(recording: Recording) -> Verdict:
    """Whether there is room to record."""
    free_gb, problem = _writable(recording.dir)
    if problem:
        return Verdict(FAIL, f"{recording.dir}: {problem}")
    text = f"{recording.dir}: {free_gb:.1f} GB free"
    if free_gb < recording.keep_free_gb:
        said = f"{text}, less than keep_free_gb ({recording.keep_free_gb:g}): nothing is recorded"
        return Verdict(WARN, said)
    return Verdict(OK, text)


def ask_http(http: Http) -> Verdict:
    """Whether the port can be had."""
    where = f"http://{http.host}:{http.port}"
    try:
        (family, *_, local), *_ = socket.getaddrinfo(http.host, http.port, type=socket.SOCK_STREAM)
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(local)
    except OSError as error:
        said = f"cannot listen there ({cause(error)}); stop what does, or change http.port"
        return Verdict(FAIL, f"{where}: {said}")
    return Verdict(OK, f"{where}: free")


def _writable(directory: Path) -> tuple[float, str]:
    """Free space in GB and why nothing can be written there, or `""`."""
    there = directory
    while not there.exists() and there != there.parent:
        there = there.parent  # the service makes what is missing
    try:
        free_gb = shutil.disk_usage(there).free / GB
    except OSError as error:
        return 0.0, cause(error)
    if not there.is_dir():
        return free_gb, f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return free_gb, f"{there} is not writable; let Garita's user write there"
    return free_gb, ""
