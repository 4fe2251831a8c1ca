"""A side: one country's broker and centre, how to reach them, and how delivery stands.

What a side is told of an alert is the business of `edge.delivery.release`: what is committed
goes to both sides, to each in its own bytes where they differ.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.config import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files for TLS; the system's own authorities where `ca` is not given."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSettings:
    """What a publisher or a centre must know to reach a side's broker."""

    name: str
    host: str
    port: int
    tls: TlsFiles | None = None
    """None for a connection in the clear."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keeps_cursor: bool = False
    """Its centre says what it has stored; otherwise the broker's acknowledgement is the end."""
    keepalive_s: int = 5
    """A broker that freezes while nothing is under way is noticed after twice this time."""
    ack_timeout_s: float = 5.0
    """Longest wait for one acknowledgement before the connection is given up. A broker that
    works answers within milliseconds; one on the far end of a slow link within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideStatus:
    """How delivery to a side stands."""

    side: str
    connected: bool
    since_utc_ns: int
    """When it connected, or when it was lost."""
    last_error: str
    """Why it is not connected, or why it last was not; `""` at best."""
    refusal: str
    """Why the broker takes no alert of ours, such as `not authorized (135)`; `""` if it does."""
    in_flight: int
    """Messages that the broker has yet to acknowledge."""
    depth: int
    """Alerts that the side has yet to confirm."""
    rate_per_s: float
    """Acknowledged alerts over the last ten seconds."""
    pubacks: "Mapping[int, int]"
    """Acknowledgements by reason code, since the start."""
    stored_seq: int
    """The side has every alert up to here: its cursor, or the broker's acknowledgement."""
    dropped_live: int
    """Live messages that were not sent, because live data never waits."""
    alive: bool
    """The thread that serves the side runs, and has looked around within the last seconds."""


def side_settings(name: str, side: "Side") -> SideSettings:
    """What the configuration says of a side. OSError or KeyError where its secret is missing."""
    address = side.address
    tls = None
    if address.tls:
        files = side.tls
        tls = TlsFiles(
            ca=files.ca if files else None,
            cert=files.cert if files else None,
            key=files.key if files else None,
        )
    return SideSettings(
        name=name,
        host=address.host,
        port=address.port,
        tls=tls,
        username=side.username,
        password=side.password(),
        keeps_cursor=side.keeps_cursor,
        keepalive_s=side.keepalive_s,
    )
