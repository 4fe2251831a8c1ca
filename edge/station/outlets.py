"""Everything that goes out: the outbox, a publisher per side, and brokers of our own."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

import structlog

from edge import metrics
from edge.config import Config, Side
from edge.delivery.again import Wanted
from edge.delivery.expiry import Expiry, expiries
from edge.delivery.happenings import Document
from edge.delivery.kept_broker import KeptBroker
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Command, Hooks, Publisher
from edge.delivery.reserved import reserved_places
from edge.delivery.rows import DeadLetter
from edge.delivery.sides import SideSettings, SideStatus, side_settings
from edge.errors import ConfigError, Mistake
from edge.protocol.messages import SideHealth
from edge.trust.keys import KeyFileError, Signer, read_signer
from fusion.types import SECOND_NS

OUTBOX_FILE = "outbox.db"
LIVE_EXPIRY_S = 5
ANSWER_EXPIRY_S = 60  # who asked and has not looked since sees the alerts themselves
LATE_S = 30.0  # a centre stores within a fraction of a second, and a backlog is seen to shrink
RECENT_S = 3600.0  # long enough for an operator to see it, short enough to be seen to be over
MAX_RECENT = 10_000  # dead letters remembered a side, as many as the outbox keeps
PUBLISHER_END_S = 1.5  # of the five seconds in which the service ends

log = structlog.get_logger()


class Outlets:
    """Both sides of one checkpoint."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.reserved = reserved_places(config)
        """By side, the places of which it gets no live values."""
        self._brokers: dict[str, KeptBroker] = {}
        self._buried_s: dict[str, deque[float]] = {}
        self._publishers: dict[str, Publisher] = {}
        self._outbox: Outbox | None = None
        self._goodbye: Callable[[], Document] | None = None
        self.commanded: Callable[[Command], None] = lambda command: None
        """Called by a side's thread when its centre asks something; set before `connect`."""
        self.overheard: Callable[[str, str, bytes], object] = lambda side, topic, payload: None
        """Called with every document and glimpse that a side is sent."""
        self.further: Callable[[str, int], list[str]] = lambda side, now_utc_ns: []
        """What else is wrong with a side, for a person."""

    @property
    def signer(self) -> Signer | None:
        """Who signs for this checkpoint; `open` comes first."""
        return self._signer

    @property
    def outbox(self) -> Outbox:
        """The store; `open` comes first."""
        assert self._outbox is not None
        return self._outbox

    def open(self) -> None:
        """Open the outbox and start the brokers that are ours; the state folder is ours alone.

        ConfigError, OutboxError, BrokerUnavailable; what was opened until then is `close`'s to
        end.
        """
        config = self._config
        self._settings = [_settings(name, side) for name, side in config.sides.items()]
        self._tls = {settings.name: settings.tls for settings in self._settings}
        self._with_cursor = {each.name for each in self._settings if each.keeps_cursor}
        self._signer = _signer(config)
        for name, side in config.sides.items():
            if side.auto:
                restarts = metrics.side_metrics(name).broker_restarts
                broker = KeptBroker(
                    name,
                    side.address.port,
                    config.state_dir / f"broker-{name}",
                    restarted=restarts.inc,
                )
                broker.start()
                self._brokers[name] = broker
        self._outbox = Outbox(
            config.state_dir / OUTBOX_FILE, list(config.sides), on_dead_letter=self._tell_dead
        )

    def connect(self, will: Document, goodbye: Callable[[], Document]) -> None:
        """Start to deliver. The broker retains `will` when it loses us, and `goodbye` when
        we leave."""
        self._goodbye = goodbye
        hooks = Hooks(
            puback=lambda side, reason: metrics.side_metrics(side).puback(str(reason)),
            connected=lambda side, up: metrics.side_metrics(side).connected.set(up),
            delivered=lambda side, seconds: metrics.STAGE_DELIVER.observe(seconds),
            command=self.commanded,
        )
        for settings in self._settings:
            metrics.side_metrics(settings.name).connected.set(0)
            publisher = Publisher(
                settings,
                self.outbox,
                site=self._config.site.id,
                will=will,
                hooks=hooks,
                signer=self._signer,
            )
            self._publishers[settings.name] = publisher
            publisher.start()

    def wake(self) -> None:
        """Alerts have been committed. Any thread."""
        for publisher in self._publishers.values():
            publisher.wake()

    def publish_state(self, topic: str, payload: bytes, sides: Collection[str] = ()) -> None:
        """Retain a document on these sides; on both where none is named."""
        for name, publisher in self._publishers.items():
            if not sides or name in sides:
                self.overheard(name, topic, payload)
                publisher.publish_state(topic, payload)

    def publish_live(self, topic: str, payload: bytes, place: str = "") -> None:
        """Send now or not at all, to the sides that may see live values of a place."""
        for name, publisher in self._publishers.items():
            if place not in self.reserved[name]:
                self.overheard(name, topic, payload)
                publisher.publish_live(topic, payload, expiry_s=LIVE_EXPIRY_S)

    def answer(self, command: Command, payload: bytes) -> None:
        """Answer a command where it asks to be answered, now or not at all."""
        if command.reply is not None:
            command.reply(payload)
            return
        self._publishers[command.side].publish_live(
            command.response_topic,
            payload,
            expiry_s=ANSWER_EXPIRY_S,
            correlation=command.correlation,
            waited_for=True,
        )

    def send_again(self, side: str, wanted: Wanted) -> bool:
        """Send a side alerts once more; False where too much waits already."""
        return self._publishers[side].send_again(wanted)

    def expiries(self, now_utc_ns: int) -> dict[str, Sequence[Expiry]]:
        """How long each side's certificates are good, read now."""
        return {name: expiries(tls, now_utc_ns) for name, tls in self._tls.items()}

    def status(self) -> list[SideStatus]:
        """How delivery to each side stands."""
        return [publisher.status() for publisher in self._publishers.values()]

    def health(self, now_utc_ns: int) -> list[SideHealth]:
        """The same as the health documents tell it."""
        return [
            SideHealth(
                side=status.side,
                connected=status.connected,
                outbox_depth=status.depth,
                oldest_age_s=_age_s(self.outbox.oldest_utc_ns(status.side), now_utc_ns),
                dead_letters=self.outbox.count_dead(status.side),
                text="; ".join(self._troubles(status, now_utc_ns)),
            )
            for status in self.status()
        ]

    def troubles(self, now_utc_ns: int | None = None) -> tuple[bool, list[str]]:
        """Whether any side takes alerts, and what is wrong with each.

        now_utc_ns  by the clock that alerts are stamped with; the machine's without it
        """
        statuses, now_utc_ns = self.status(), now_utc_ns or time.time_ns()
        takes = any(status.connected and not status.refusal for status in statuses)
        return takes, [
            f"{status.side}: {trouble}"
            for status in statuses
            for trouble in self._troubles(status, now_utc_ns)
        ]

    def _troubles(self, status: SideStatus, now_utc_ns: int) -> list[str]:
        broker = self._brokers.get(status.side)
        troubles = [broker.trouble] if broker is not None and broker.trouble else []
        if not status.connected:
            why = f" ({status.last_error})" if status.last_error else ""
            troubles.append(f"broker not connected{why}")
        elif status.refusal:
            troubles.append(f"refuses our alerts: {status.refusal}")
        wall_utc_ns = time.time_ns()  # TLS judges certificates by it
        certificates = expiries(self._tls[status.side], wall_utc_ns)
        troubles += filter(None, (each.trouble(wall_utc_ns) for each in certificates))
        troubles += self.further(status.side, now_utc_ns)
        if status.connected and not status.refusal and status.side in self._with_cursor:
            troubles += filter(None, [self._late(status, now_utc_ns)])
        since_s = time.monotonic() - RECENT_S
        dead = sum(at_s > since_s for at_s in tuple(self._buried_s.get(status.side, ())))
        if dead:
            troubles.append(f"{dead} dead letters within the last hour")
        return troubles

    def _late(self, status: SideStatus, now_utc_ns: int) -> str:
        oldest_utc_ns = self.outbox.oldest_utc_ns(status.side) if status.depth else None
        if oldest_utc_ns is None or now_utc_ns - oldest_utc_ns < LATE_S * SECOND_NS:
            return ""
        # In steps, for each new text is told to both sides at once.
        minutes = int((now_utc_ns - oldest_utc_ns) / SECOND_NS / 60)
        waits = f"{1 << minutes.bit_length() - 1} minutes" if minutes > 1 else f"{LATE_S:.0f} s"
        return f"alerts wait for its centre, the oldest for more than {waits}; is it there?"

    def _tell_dead(self, letter: DeadLetter) -> None:
        metrics.side_metrics(letter.side).dead_letters.inc()
        recent = self._buried_s.setdefault(letter.side, deque(maxlen=MAX_RECENT))
        recent.append(time.monotonic())

    @property
    def key_trouble(self) -> str:
        """What is wrong with the file of our signing key; `""` where nothing is."""
        path = self._config.keys.signer
        if path is None or os.access(path, os.R_OK):
            return ""
        return (
            f"our signing key {path} cannot be read any more: alerts are still signed, but the"
            " next start will be refused (bring it back, or make a successor: `garita keys rotate`)"
        )

    def take_metrics(self, now_utc_ns: int) -> None:
        """Set the gauges of both sides; called at scrape time."""
        for status in self.status():
            metrics.take_side(
                status.side,
                depth=status.depth,
                oldest_utc_ns=self.outbox.oldest_utc_ns(status.side),
                now_utc_ns=now_utc_ns,
            )
            for each in expiries(self._tls[status.side], now_utc_ns):
                metrics.take_certificate(status.side, each.what, each.left_s)

    def urls(self) -> dict[str, str]:
        """Where each side's broker is."""
        return {name: str(side.address) for name, side in self._config.sides.items()}

    async def close(self) -> None:
        """Say goodbye, end the publishers, then the brokers, all sides at once."""
        if self._goodbye is not None:
            goodbye = self._goodbye()
            await asyncio.gather(
                *(
                    asyncio.to_thread(publisher.stop, goodbye, timeout_s=PUBLISHER_END_S)
                    for publisher in self._publishers.values()
                )
            )
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in self._brokers.values()))
        if self._outbox is not None:
            self._outbox.close()


def _settings(name: str, side: Side) -> SideSettings:
    try:
        return side_settings(name, side)
    except (OSError, KeyError) as error:
        file = side.password_file is not None
        mistake = Mistake(
            line=None,
            key=f"sides.{name}.password_{'file' if file else 'env'}",
            value=str(side.password_file if file else side.password_env),
            message=f"the password cannot be read ({error})",
            mend="let the user that Garita runs as read it" if file else "set the variable",
        )
        raise ConfigError("sides", [mistake]) from error


def _signer(config: Config) -> Signer | None:
    path = config.keys.signer
    if path is None:
        return None
    try:
        signer = read_signer(path)
    except KeyFileError as error:
        mistake = Mistake(
            line=None,
            key="keys.signer",
            value=str(path),
            message=str(error),
            mend="make one with `garita keys`, or remove the key: alerts then go out unsigned",
        )
        raise ConfigError("keys", [mistake]) from error
    owner = f"edge/{config.site.id}"
    if (signer.public.owner, signer.public.role) != (owner, "edge"):
        mistake = Mistake(
            line=None,
            key="keys.signer",
            value=str(path),
            message=f"it is of {signer.public.owner} ({signer.public.role}), not of {owner}",
            mend=f"make one for {owner}; no centre would believe this one",
        )
        raise ConfigError("keys", [mistake])
    return signer


def _age_s(utc_ns: int | None, now_utc_ns: int) -> float | None:
    return None if utc_ns is None else round(max(0, now_utc_ns - utc_ns) / SECOND_NS, 1)
