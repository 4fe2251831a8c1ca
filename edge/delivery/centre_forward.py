"""Hands stored alerts on to a program: JSON Lines on its stdin, taken when it ends with 0.

The program is started for what waits, gets it, and ends; only its exit code 0 moves the cursor,
which is in the centre's database. So nothing is lost whoever is killed when, in the order of
storing; what was handed over and not confirmed is handed over again: at least once, exactly once by
(site, epoch, seq). Any program that reads stdin to its end will do, such as `curl --fail -T - URL`.
"""

import contextlib
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from edge.delivery.centre_store import Arrival, CentreStore

BATCH = 256  # alerts a start at most: some 500 kB, and a program's start is nothing beside it
LOOK_S = 1.0
LONGEST_S = 60.0  # a program that takes longer for a batch hangs
PAUSE_S = (0.5, 30.0)  # first and longest, while it fails
STOP_S = 2.0
STDERR = 2

log = structlog.get_logger()


class Forwarder:
    """One program and one cursor, on a thread of its own."""

    def __init__(self, store: Path, command: Sequence[str], *, pause_s: float = PAUSE_S[0]) -> None:
        """`command`: the program and its arguments; no shell reads them."""
        self._path = store
        self._command = list(command)
        self._first_pause_s = pause_s
        self._stopping = threading.Event()
        self._stored = threading.Event()
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="centre-forward", daemon=True)

    def start(self) -> None:
        """Hand on from now on; what waits from before first."""
        self._thread.start()

    def wake(self) -> None:
        """Alerts have been stored."""
        self._stored.set()

    def stop(self) -> None:
        """End; a program that is at work gets a moment to finish."""
        self._stopping.set()
        self._stored.set()
        self._thread.join(STOP_S)
        while self._thread.is_alive():
            with self._lock:
                if self._running is not None:
                    self._running.kill()
            self._thread.join(LOOK_S)

    def _run(self) -> None:
        store = CentreStore(self._path)
        pause_s = 0.0
        try:
            while not self._stopping.is_set():
                self._stored.clear()
                waiting = store.after(store.forwarded(), BATCH)
                if not waiting:
                    self._stored.wait(LOOK_S)
                    continue
                why = self._hand_on([arrival for _, arrival in waiting])
                if not why:
                    store.set_forwarded(waiting[-1][0])
                    if pause_s:
                        log.info("forwarding again")
                    pause_s = 0.0
                    continue
                if not pause_s:
                    log.error("not forwarded, trying again", command=self._command[0], why=why)
                pause_s = min(max(2 * pause_s, self._first_pause_s), PAUSE_S[1])
                self._stopping.wait(pause_s)
        finally:
            store.close()

    def _hand_on(self, arrivals: Sequence[Arrival]) -> str:
        """Why the program has not taken them; `""`: it has."""
        lines = "".join(json_line(arrival, False) + "\n" for arrival in arrivals).encode()
        try:
            # What it says is for a person: our stdout may be read by another program.
            child = subprocess.Popen(  # noqa: S603 - the operator's own command
                self._command, stdin=subprocess.PIPE, stdout=STDERR
            )
        except OSError as error:
            return str(error)
        with self._lock:
            self._running = child
        try:
            child.communicate(lines, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return f"not done within {LONGEST_S:.0f} s, killed"
        finally:
            with self._lock:
                self._running = None
        return "" if child.returncode == 0 else f"exit code {child.returncode}"


def json_line(arrival: Arrival, ahead: bool) -> str:
    """An alert as one JSON object, for a program: the alert as it came, and who vouches for it."""
    alert: object = msgspec.Raw(b"null")
    with contextlib.suppress(msgspec.DecodeError):  # without a keyring anything may come
        alert = msgspec.Raw(msgspec.json.format(arrival.payload, indent=-1))
    told = {
        "site": arrival.site,
        "epoch": arrival.mark.epoch,
        "seq": arrival.mark.seq,
        "ahead": ahead,
        "key": arrival.key,
        "signature": arrival.signature,
        "alert": alert,
    }
    return msgspec.json.encode(told).decode()
