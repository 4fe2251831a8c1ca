"""Reads the brokers of both sides and shows what they say; never writes to them."""

import queue
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from drivers.address import cause_of
from edge.errors import BrokerUnavailable
from edge.protocol import topics
from edge.settings.addresses import BrokerAddress
from edge.terminal.board import Board, Entry, Notice, filters
from edge.terminal.evidence import EvidenceFolder, FileCame
from edge.terminal.stream import Screen

KEEPALIVE_S = 10  # a frozen broker is noticed after twice this (facts: delivery 2)
MAX_PACKET_BYTES = 1_000_000  # an alert has some 10 kB; nothing here is near a hundred times that
MAX_WAITING = 10_000  # messages between two looks, 0.1 s apart: 100,000 a second is no alert stream
POLL_S = 0.1  # a tenth of a second is below what a person notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a broker may ask for before it lets a viewer in."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One broker and what to call it."""

    side: str
    address: BrokerAddress


@dataclass(frozen=True, slots=True)
class _Came:
    """Something came from a side: a message, or its link changed."""

    side: str
    connected: bool | None = None
    refused: str = ""
    topic: str = ""
    payload: bytes = b""
    retained: bool = False
    file: FileCame | None = None


class Reader:
    """One read-only connection; whatever happens on it ends up in the queue."""

    def __init__(
        self,
        target: Target,
        came: "queue.Queue[_Came]",
        *,
        site: str | None = None,
        access: Access | None = None,
        files: bool = False,
    ) -> None:
        """`files`: the alerts' evidence is wanted as well."""
        self.side, self._address = target.side, target.address
        self._came = came
        self._filters = filters(site)
        if files:
            roots = (topics.ROOT, topics.EXERCISE_ROOT)
            self._filters += [topics.evidence_filter(root, site or "+") for root in roots]
        self.dropped = 0
        """Messages that were not looked at in time."""
        self.unreached = ""
        """Why the last try to connect came to nothing; empty once one did."""
        # clean_start below: a viewer that comes back wants the state of now, not a backlog.
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_socket_open = _no_delay
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 5)
        _let_in(self._client, target, access or Access())

    def start(self) -> None:
        """Connect, and again whenever the link is lost."""
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.MaximumPacketSize = MAX_PACKET_BYTES
        self._client.connect_async(
            self._address.host,
            self._address.port,
            keepalive=KEEPALIVE_S,
            clean_start=True,
            properties=limits,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    # paho's network thread dies of an exception in a callback while `is_connected()` stays
    # true (facts: delivery 2), so each of these only says what came.

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._came.put(_Came(self.side, connected=False, refused=str(reason)))
            return
        self.unreached = ""
        client.subscribe([(each, SubscribeOptions(qos=1)) for each in self._filters])
        self._came.put(_Came(self.side, connected=True))

    def _on_connect_fail(self, *_: object) -> None:
        # Called while paho handles the error, which it does not hand over.
        self.unreached = why(sys.exception())

    def _on_disconnect(self, *_: object) -> None:
        self._came.put(_Came(self.side, connected=False))

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no topic of ours, and paho's thread must live
            return
        if self._came.qsize() >= MAX_WAITING:
            # The terminal is paused; the viewer says so when it goes on.
            self.dropped += 1
            return
        payload = bytes(message.payload)
        if topics.parse_evidence_topic(topic) is not None:
            told = dict(getattr(message.properties, "UserProperty", ()))
            name, sha256 = str(told.get("name", "")), str(told.get("sha256", ""))
            file = FileCame(topic=topic, payload=payload, name=name, sha256=sha256)
            self._came.put(_Came(self.side, file=file))
            return
        self._came.put(_Came(self.side, topic=topic, payload=payload, retained=message.retain))


def _no_delay(_client: mqtt.Client, _data: object, sock: object) -> None:
    """Without it Nagle and delayed acknowledgements cost 40 ms (facts: delivery 1.3)."""
    if isinstance(sock, socket.socket):  # paho also knows websockets, which we do not use
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def why(error: BaseException | None) -> str:
    """Why there is no connection, in the words of the system or of TLS."""
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
    return cause_of(error) if error is not None else "no connection"


def _let_in(client: mqtt.Client, target: Target, access: Access) -> None:
    if access.username is not None:
        client.username_pw_set(access.username, access.password)
    if not target.address.tls:
        return
    try:
        context = ssl.create_default_context(cafile=access.ca)
        if access.cert is not None:
            context.load_cert_chain(access.cert, access.key)
    except OSError as error:  # ssl.SSLError is one
        raise BrokerUnavailable(
            f"{target.address}: a certificate or key cannot be used ({error}); "
            "check --ca, --cert and --key"
        ) from error
    client.tls_set_context(context)


class Viewer:
    """Reads brokers and shows what they say until told to stop."""

    def __init__(
        self,
        targets: Sequence[Target],
        screen: Screen,
        *,
        site: str | None = None,
        access: Access | None = None,
        evidence: Path | None = None,
    ) -> None:
        """`evidence`: the folder to keep the alerts' files in."""
        self.board = Board([target.side for target in targets])
        self.entries: list[Entry] = []
        """What was shown in the last turn."""
        self._screen = screen
        self._came: queue.Queue[_Came] = queue.Queue()
        self._folder = None if evidence is None else EvidenceFolder(evidence)
        self._notices: list[Notice] = []
        self._readers = [
            Reader(target, self._came, site=site, access=access, files=evidence is not None)
            for target in targets
        ]
        self._dropped = 0
        self.refusals: dict[str, str] = {}
        """Why there is no connection to a side's broker, as far as is known."""
        self.connected: set[str] = set()

    def start(self) -> None:
        """Connect to every broker, each on its own."""
        for reader in self._readers:
            reader.start()

    def turn(self) -> None:
        """Wait for news for at most `POLL_S`, then show what there is."""
        try:
            self._take(self._came.get(timeout=POLL_S))
            while True:
                self._take(self._came.get_nowait())
        except queue.Empty:
            pass
        for reader in self._readers:
            if reader.unreached:
                self.refusals[reader.side] = reader.unreached
        now_s = time.monotonic()
        shown = self.board.take(now_s) + self._notices + self._drops()
        self._notices = []
        self.entries = [each for each in shown if isinstance(each, Entry)]
        self._screen.show(shown)
        self._screen.status(self.board.status(now_s), now_s)

    def stop(self) -> None:
        """End every connection."""
        for reader in self._readers:
            reader.stop()

    def _keep(self, file: FileCame) -> None:
        if self._folder is None:
            return
        try:
            notice = self._folder.take(file)
        except OSError as error:
            notice = Notice(name="evidence_lost", facts={"error": str(error)})
        self._notices += [notice] if notice is not None else []

    def _drops(self) -> list[Entry | Notice]:
        dropped = sum(reader.dropped for reader in self._readers)
        new, self._dropped = dropped - self._dropped, dropped
        return [Notice(name="dropped", facts={"n": new})] if new else []

    def _take(self, came: _Came) -> None:
        if came.file is not None:
            self._keep(came.file)
            return
        if came.connected is None:
            now_s = time.monotonic()
            self.board.message(came.side, came.topic, came.payload, now_s, retained=came.retained)
            return
        self.board.link(came.side, came.connected)
        if came.connected:
            self.connected.add(came.side)
            self.refusals.pop(came.side, None)
            return
        if came.refused:
            self.refusals[came.side] = came.refused
        elif came.side not in self.connected:
            self.refusals.setdefault(came.side, "it closed the connection")
        self.connected.discard(came.side)
