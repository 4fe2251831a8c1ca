"""A broker of our own that is started again when it dies.

It has a thread of its own, because a broker ends with the thread that started it, and
because nobody else may wait for it.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from edge.delivery.broker import STOP_S, BrokerProcess, start_broker
from edge.errors import BrokerUnavailable

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0  # what keeps ending a broker, such as a full disk, is not mended sooner
STEADY_S = 60.0  # one that ran for so long has nothing to do with the end before
LOOK_S = 0.1

log = structlog.get_logger()


class KeptBroker:
    """A side's broker, from `start` to `stop`."""

    def __init__(
        self,
        side: str,
        port: int,
        directory: Path,
        *,
        restarted: Callable[[], object] = lambda: None,
    ) -> None:
        """Nothing is started before `start`.

        restarted  called each time that it runs again, by the broker's thread
        """
        self._side = side
        self._port = port
        self._directory = directory
        self._restarted = restarted
        self._broker: BrokerProcess | None = None
        self._refused: Exception | None = None
        self._started = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"broker-{side}", daemon=True)
        self.trouble = ""
        """Why it does not run, `""` while it does."""

    @property
    def pid(self) -> int:
        """Process id of the broker that runs, or ran last."""
        assert self._broker is not None
        return self._broker.pid

    def start(self) -> None:
        """Start it and wait until it answers. BrokerUnavailable says what is in the way."""
        self._thread.start()
        self._started.wait()
        if self._refused is not None:
            self._thread.join()
            raise BrokerUnavailable(f"side {self._side}: {self._refused}") from self._refused

    def stop(self) -> None:
        """End it for good; once is enough."""
        self._stopping.set()
        self._thread.join(STOP_S + 1.0)

    # --- the broker's thread -----------------------------------------------------------

    def _run(self) -> None:
        try:
            broker = self._start()
        except (BrokerUnavailable, OSError) as error:
            self._refused = error
            return
        finally:
            self._started.set()
        log.info("broker started", side=self._side, kind=broker.kind, url=broker.url)
        self._keep(broker)

    def _start(self) -> BrokerProcess:
        self._broker = start_broker(self._port, self._directory)
        return self._broker

    def _keep(self, broker: BrokerProcess) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            began_s = time.monotonic()
            while not broker.wait(LOOK_S):
                if self._stopping.is_set():
                    broker.stop()
                    return
            if time.monotonic() - began_s > STEADY_S:
                wait_s = FIRST_WAIT_S
            self.trouble = f"broker ended ({broker.ending}), being started again"
            log.error(
                "broker ended", side=self._side, ending=broker.ending, again_in_s=wait_s,
                log=str(self._directory / "broker.log"),
            )  # fmt: skip
            again = self._start_again(wait_s)
            if again is None:
                return
            broker = again
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _start_again(self, wait_s: float) -> BrokerProcess | None:
        """With longer and longer pauses; None where it is wanted no more."""
        while not self._stopping.wait(wait_s):
            try:
                broker = self._start()
            except (BrokerUnavailable, OSError) as error:
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                self.trouble = f"broker cannot be started again ({error})"
                log.error("broker not started", side=self._side, error=str(error))
                continue
            self.trouble = ""
            log.warning("broker started again", side=self._side, url=broker.url)
            self._restarted()
            return broker
        return None
