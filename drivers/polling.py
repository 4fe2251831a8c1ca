"""Reads a device that says nothing unasked: sends what its poller wants asked, and waits.

What to ask, and when next, is the poller's (`drivers.base.Poller`), which waits for nothing
itself. Like every transport, a link that was cut or falls silent is a value: `b""`.
"""

import asyncio
from typing import Protocol

from drivers.address import cause_of, unavailable
from drivers.base import Poller, SensorConfig

SHORTEST_WAIT_S = 0.05  # for one of many units, where the time is short


class Link(Protocol):
    """A connection that can be written to."""

    async def read(self) -> bytes:
        """What arrived; `b""` when the link was cut."""
        ...

    async def write(self, data: bytes) -> None:
        """Send. OSError when the link was cut."""
        ...

    async def close(self) -> None:
        """Leave no socket."""
        ...


class PollingTransport:
    """Asks in turn: one request on the way, never more."""

    def __init__(self, link: Link, poller: Poller, timeout_s: float) -> None:
        self._link = link
        self._poller = poller
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._asked_s = self._loop.time()
        self._answer_by_s: float | None = None
        """None: nothing is asked just now."""
        self._first = b""
        self._ended = False

    async def find(self, ends_s: float) -> str:
        """Ask until a device has said what it is, or until `ends_s`; why it has not, or `""`."""
        cause = "no answer to any request"
        try:
            while not self._poller.found:
                if (left_s := ends_s - self._loop.time()) <= 0.0:
                    return cause
                share_s = left_s / self._poller.candidates
                wait_s = min(left_s, max(SHORTEST_WAIT_S, share_s), self._timeout_s)
                if self._answer_by_s is None:
                    self._first = b""
                data = await self._exchange(wait_s)
                if data == b"":
                    return "the link was cut"
                if data is not None:
                    cause = "no answer that makes sense"
                    self._first += data
                elif not self._poller.unanswered():
                    return cause
        except OSError as error:
            return cause_of(error)
        return ""

    async def read(self) -> bytes:
        """What arrived, at least one byte; `b""` when the link was cut or fell silent."""
        if self._first:
            first, self._first = self._first, b""
            return first
        if self._ended:
            return b""
        try:
            data = await self._exchange(self._timeout_s)
        except OSError:
            data = None
        self._ended = not data
        return data or b""

    async def settle(self, reason: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def _exchange(self, wait_s: float) -> bytes | None:
        """Ask if it is time to, and what came next; None: no whole answer in time."""
        if self._answer_by_s is None:
            await self._pause()
        try:
            # From the request on: bytes that never come to an answer must not stretch it.
            async with asyncio.timeout_at(self._answer_by_s or self._asked_s + wait_s):
                if self._answer_by_s is None:
                    self._answer_by_s = self._asked_s + wait_s
                    await self._link.write(self._poller.ask())
                data = await self._link.read()
        except TimeoutError:
            self._answer_by_s = None
            return None
        if self._poller.heard(data):
            self._answer_by_s = None
        return data

    async def _pause(self) -> None:
        due_s = self._asked_s + self._poller.pause_s
        if (early_s := due_s - self._loop.time()) > 0.0:
            await asyncio.sleep(early_s)
        # From when it was due, not from when we got to it: else the rate would drift. One who is
        # late by more than a pause does not make up for it.
        now_s = self._loop.time()
        self._asked_s = due_s if now_s - due_s < self._poller.pause_s else now_s


async def open_polling(
    config: SensorConfig, link: Link, poller: Poller, ends_s: float
) -> PollingTransport:
    """Find the device at the other end of a link that has just been opened.

    ends_s  by the loop's clock; SensorUnavailable when nothing has answered by then
    """
    transport = PollingTransport(link, poller, poller.timeout_s)
    try:
        cause = await transport.find(ends_s)
    except BaseException:  # whatever ends the wait, a cancel above all: the socket must not stay
        await transport.close()
        raise
    if cause:
        await transport.close()
        raise unavailable(config, cause)
    return transport
