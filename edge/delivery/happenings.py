"""What can happen on a connection, and what wakes the one who waits for it."""

import contextlib
import os
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The broker has taken us."""

    receive_maximum: int
    """Unacknowledged messages that it takes from us."""
    maximum_packet_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """The broker has answered a message of ours; from 0x80 on it refused it."""

    mid: int
    reason: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """The broker has answered our subscriptions."""

    reasons: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message for us."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int
    user_properties: tuple[tuple[str, str], ...]
    response_topic: str
    correlation: bytes


Happening = Connected | Acked | Subscribed | Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A retained message: the last word on a topic."""

    topic: str
    payload: bytes


class LinkLost(Exception):  # noqa: N818 - it is news, and what the owner does is reconnect
    """The connection is over, or never came about; the message says why."""


class Waker:
    """Lets another thread end a wait."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)
        self._closed = False
        self._lock = threading.Lock()  # a number that was given back may be another file's

    def fileno(self) -> int:
        """What to wait for."""
        return self._out

    def wake(self) -> None:
        """End the wait, or the next one; nothing after `close`."""
        with self._lock, contextlib.suppress(BlockingIOError):  # as awake as can be
            if not self._closed:
                os.write(self._in, b"\0")

    def clear(self) -> None:
        """Wait again from now on."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._out, 65536)

    def close(self) -> None:
        """Give the two file descriptors back; once is enough."""
        with self._lock:
            if not self._closed:
                os.close(self._out)
                os.close(self._in)
            self._closed = True
