"""Processes that end with the one that started them, whatever happens to it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

END_S = 6.0  # the service promises 5 s from SIGTERM; what hangs longer is killed
POLL_S = 0.02
LOG_TAIL_BYTES = 4000


class Child:
    """One `python -m edge ...` in a process group of its own."""

    def __init__(self, name: str, words: Sequence[str], log: Path) -> None:
        self.name = name
        self._log = log
        self._followed = 0
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                [*_ending_with_parent(), sys.executable, "-m", "edge", *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=os.environ | {"PYTHONPATH": path},
                # Ctrl+C in the terminal is for the parent, which then ends its children.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def tell(self, line: str) -> None:
        """Write a line to its stdin; a child that has ended hears nothing."""
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def said(self, lines: int = 5) -> str:
        """The last lines of its log."""
        data = self._log.read_bytes()[-LOG_TAIL_BYTES:]
        return "\n".join(data.decode("utf-8", "replace").strip().splitlines()[-lines:])

    def says(self) -> list[str]:
        """The whole lines of its log since the last call."""
        with self._log.open("rb") as log:
            log.seek(self._followed)
            whole, end, _ = log.read().rpartition(b"\n")
        self._followed += len(whole + end)
        return whole.decode("utf-8", "replace").splitlines()

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self.code is None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to it and to whatever it started."""
        with contextlib.suppress(ProcessLookupError):  # nothing of the group is left
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


def end(children: Iterable[Child]) -> None:
    """Ask all to end, wait for all together, kill what is left."""
    asked = list(children)
    for child in asked:
        child.ask_to_end()
    deadline = time.monotonic() + END_S
    while any(child.code is None for child in asked) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for child in asked:
        child.kill()


def _ending_with_parent() -> list[str]:
    # setpriv is in util-linux, which every Debian has; it becomes the child, so the pid stays.
    # It covers a parent that is killed and cannot end its children itself.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
