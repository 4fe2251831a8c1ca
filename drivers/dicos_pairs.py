"""Planes that wait for the other plane of their scan, each for so long and no longer."""

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from drivers.dicos_instance import Key
from drivers.dicos_spool import Held

MAX_HALVES = 4  # planes that wait; when one more comes the oldest is a scan by itself


@dataclass(slots=True)
class _Half:
    held: Held
    expiry: asyncio.TimerHandle | None = None


class Pairs:
    """The waiting planes of one receiver. From any thread; timers run on the loop.

    wait_s  how long a plane waits
    scan    takes both planes of one, or the one that nobody completed
    again   takes each that was sent once more, and is of no use now
    """

    def __init__(
        self,
        wait_s: float,
        *,
        scan: Callable[[tuple[Held, ...]], object],
        again: Callable[[Held], object],
    ) -> None:
        self._wait_s = wait_s
        self._scan = scan
        self._again = again
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._halves: OrderedDict[Key, _Half] = OrderedDict()
        self._closed = False

    def take(self, keys: tuple[Key, Key], name: str) -> Held | None:
        """The plane that goes with this one, which waits no more; None: this one has to wait.

        keys  what this one is, and what it waits for
        name  of this one
        """
        with self._lock:
            half = self._other(keys, name)
        if half is None:
            return None
        self._stop(half)
        return half.held

    def hold(self, keys: tuple[Key, Key], held: Held) -> bool:
        """Let it wait, unless the other has come meanwhile; False: nothing waits any more."""
        mine, _ = keys
        half, alone = _Half(held), []
        with self._lock:
            if self._closed:
                return False
            other = self._other(keys, held.name)
            before = self._halves.pop(mine, None) if other is None else None
            if other is None:
                self._halves[mine] = half
            if len(self._halves) > MAX_HALVES:
                alone.append(self._halves.popitem(last=False)[1])
        if other is not None:
            self._stop(other)
            self._scan((other.held, held))
            return True
        self._on_loop(lambda: self._begin(mine, half))
        if before is not None and before.held.name == held.name:
            self._stop(before)
            self._again(before.held)
        elif before is not None:
            alone.insert(0, before)
        for one in alone:
            self._stop(one)
            self._scan((one.held,))
        return True

    def _other(self, keys: tuple[Key, Key], name: str) -> _Half | None:
        """Within the lock."""
        mine, others = keys
        half = self._halves.get(others)
        # Where neither says which plane it is, one that was sent again is not its own partner.
        if half is None or (mine == others and half.held.name == name):
            return None
        return self._halves.pop(others)

    def close(self) -> None:
        """Nothing waits any more. On the loop."""
        with self._lock:
            self._closed = True
            halves = list(self._halves.values())
            self._halves.clear()
        for half in halves:
            if half.expiry is not None:
                half.expiry.cancel()

    def _begin(self, key: Key, half: _Half) -> None:
        if self._halves.get(key) is half:
            half.expiry = self._loop.call_later(self._wait_s, lambda: self._expire(key, half))

    def _expire(self, key: Key, half: _Half) -> None:
        with self._lock:
            if self._halves.get(key) is not half:
                return
            del self._halves[key]
        self._scan((half.held,))

    def _stop(self, half: _Half) -> None:
        self._on_loop(lambda: half.expiry.cancel() if half.expiry is not None else None)

    def _on_loop(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended before its senders
            self._loop.call_soon_threadsafe(work)
