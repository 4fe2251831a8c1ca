"""What the checkpoint consists of and how it is, as the service last said it."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from edge.console.feed import Event, Feed
from edge.console.line import Told

SILENT_S = 2.2
"""The service says something every second; a page says within three that it has gone quiet."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Once a second, so that silence is noticed."""

    utc_ns: int
    service: bool
    """Whether the service is there and speaks."""
    quiet_s: float
    """How long it has said nothing."""
    trouble: str
    """Why alerts cannot be read from the disk."""


class Site:
    """The last word on everything; on the loop's thread."""

    def __init__(
        self,
        *,
        site: str,
        side: str,
        layout: dict[str, Any] | None = None,
        replay: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of a site, for a side's people.

        layout  lanes, zones, sensors with their places, as the configuration has them
        replay  a recorded day is shown, not the present one
        """
        self.name, self.side = site, side
        self._layout = layout or {}
        self._replay = replay
        self._monotonic = monotonic
        self._heard_s: float | None = None
        self._birth: msgspec.Raw | None = None
        self._health: dict[str, msgspec.Raw] = {}
        self._status: msgspec.Raw | None = None
        self.trouble = ""

    def told(self, message: Told, feed: Feed) -> None:
        """The service has said something."""
        self._heard_s = self._monotonic()
        match message.kind:
            case "birth":
                self._birth = message.data
            case "health":
                self._health[message.topic] = message.data
            case "status":
                self._status = message.data
            case "live":
                feed.tell(Event(kind="live", data=bytes(message.data), topic=message.topic))
                return
            case _:
                return
        data = msgspec.json.encode(
            {"kind": message.kind, "topic": message.topic, "data": message.data}
        )
        feed.tell(Event(kind="site", data=data))

    def lost(self) -> None:
        """The service is gone."""
        self._heard_s = None

    @property
    def quiet_s(self) -> float:
        """How long the service has said nothing; infinite where it is not there."""
        return float("inf") if self._heard_s is None else self._monotonic() - self._heard_s

    def beat(self) -> bytes:
        """What every page is told once a second."""
        quiet_s = self.quiet_s
        return msgspec.json.encode(
            Beat(
                utc_ns=time.time_ns(),
                service=quiet_s < SILENT_S or self._replay,
                quiet_s=round(min(quiet_s, 1e6), 1),
                trouble=self.trouble,
            )
        )

    def document(self, feed: Feed) -> bytes:
        """All of it, for a page that opens."""
        return msgspec.json.encode(
            {
                "site": self.name,
                "side": self.side,
                "replay": self._replay,
                "layout": self._layout,
                "birth": self._birth,
                "health": self._health,
                "status": self._status,
                "stored": feed.stored(),
                "beat": msgspec.Raw(self.beat()),
            }
        )
