"""One child process that reads files which nobody vouches for, and what is said to it."""

import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from drivers.spectrum_child import ANSWER, REQUEST

START_S = 20.0  # importing NumPy on a machine that is busy
PIPE_BYTES = 2**20


class GoneError(Exception):
    """The child ended, was too slow, or said what nobody can read."""


class SpectrumProcess:
    """Started when first needed, and again after each end of it. One thread at a time.

    script  the file beside this one that it runs
    """

    def __init__(self, script: str = "spectrum_child.py") -> None:
        self._script = script
        self._child: subprocess.Popen[bytes] | None = None
        self._peak_mb = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    @property
    def peak_mb(self) -> float:
        """The most memory that any child has had so far; 0 before the first.

        Of one that ended by itself Linux tells only the most of it and of us when we started it.
        """
        pid = self.pid
        return max(self._peak_mb, 0.0 if pid is None else _peak_mb(pid))

    def ask(
        self, parser: str, data: bytes, *, allowed_s: float, patience_s: float
    ) -> tuple[dict[str, Any], memoryview]:
        """What the child says of a file. GoneError: nothing, and it was ended.

        allowed_s   processor time
        patience_s  as the clock has it; starting a child is not counted in
        """
        try:
            return self._exchange(parser, data, allowed_s, time.monotonic() + patience_s)
        except (GoneError, OSError, ValueError, msgspec.MsgspecError) as error:
            self.end()
            raise GoneError from error

    def end(self) -> None:
        """End the child. The next file starts another."""
        child, self._child = self._child, None
        if child is not None:
            self._peak_mb = max(self._peak_mb, _ended(child))

    def _exchange(
        self, parser: str, data: bytes, allowed_s: float, ends_s: float
    ) -> tuple[dict[str, Any], memoryview]:
        if self._child is None:
            self._child = _start(self._script)
            ends_s += START_S
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        name = parser.encode()
        head = REQUEST.pack(round(allowed_s * 1000), len(name), len(data)) + name
        _write(self._child.stdin.fileno(), head + data, ends_s)
        source = self._child.stdout.fileno()
        text_bytes, array_bytes = ANSWER.unpack(_read(source, ANSWER.size, ends_s))
        answer = msgspec.json.decode(_read(source, text_bytes, ends_s))
        return answer, memoryview(_read(source, array_bytes, ends_s))


def _start(script: str) -> subprocess.Popen[bytes]:
    place = Path(__file__).with_name(script)
    child = subprocess.Popen(  # noqa: S603 - our own file, our own interpreter
        [sys.executable, "-I", str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Threads of a linear-algebra library reserve memory that the limit then lacks.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        bufsize=0,
    )
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        os.set_blocking(pipe.fileno(), False)
    return child


def _ended(child: subprocess.Popen[bytes]) -> float:
    """End the child; the most memory that it has had, in MB."""
    peak_mb = _peak_mb(child.pid)
    # Not `kill`, which forgets what a child used that has ended by itself.
    os.kill(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        pipe.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return peak_mb or usage.ru_maxrss / 1024


def _peak_mb(pid: int) -> float:
    """Of a process that runs; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _write(target: int, data: bytes, ends_s: float) -> None:
    view = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(target, selectors.EVENT_WRITE)
        while view:
            _wait(selector, ends_s)
            view = view[os.write(target, view[:PIPE_BYTES]) :]


def _read(source: int, size: int, ends_s: float) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while at < size:
            _wait(selector, ends_s)
            got = os.readv(source, [view[at : at + PIPE_BYTES]])
            if not got:
                raise GoneError
            at += got
    return data


def _wait(selector: selectors.BaseSelector, ends_s: float) -> None:
    if not selector.select(max(ends_s - time.monotonic(), 0.0)):
        raise GoneError
