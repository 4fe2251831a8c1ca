"""One MQTT 5 connection, driven by whoever owns it: no thread, no reconnecting, no queue.

Paho's own thread can die while `is_connected()` stays true, its reconnect sends everything
unacknowledged at once, and its callbacks run under its locks. So its loop functions are
called here, by one thread; a callback only notes what happened; and every connection has a
client of its own, which is thrown away with all its state when the connection ends.
"""

import contextlib
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.delivery.happenings import (
    Acked,
    Connected,
    Document,
    Happening,
    LinkLost,
    Received,
    Subscribed,
    Waker,
)
from edge.delivery.quick_properties import Outgoing, install
from edge.delivery.sides import SideSettings, TlsFiles

install()

CONNECT_S = 3.0  # TCP and TLS; the service itself must be able to end within 5 s
MAX_PACKETS_A_STEP = 64  # enough to store a burst in one transaction, few enough to stay lively
MAX_RECEIVED_BYTES = 1024 * 1024  # alerts have some 3 kB; nobody can make us hold more
RECEIVE_MAXIMUM = 65535  # what a server that does not say takes, MQTT 5 section 3.2.2.3.3
FIXED_BYTES = 12  # fixed header, lengths and packet id of a PUBLISH at their longest


class Link:
    """A connection from its first byte to its last."""

    def __init__(
        self,
        settings: SideSettings,
        waker: Waker,
        *,
        client_id: str,
        clean_start: bool = True,
        session_expiry_s: int = 0,
        will: Document | None = None,
        manual_ack: bool = False,
        receive_maximum: int = RECEIVE_MAXIMUM,
    ) -> None:
        """Open the socket and send CONNECT; blocks for `CONNECT_S` at most. LinkLost.

        receive_maximum  messages that the broker may send us before we acknowledge one
        """
        self._settings = settings
        self._waker = waker
        self._happened: deque[Happening] = deque()
        self._lost = ""
        self._connected = False
        self._opened_s = time.monotonic()
        self._selector: selectors.BaseSelector | None = None
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=manual_ack,
        )
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        self._prepare()
        try:
            self._open(clean_start, session_expiry_s, receive_maximum)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self.close()
            raise LinkLost(f"no connection to {self.address} ({_plain(error)})") from error

    def _prepare(self) -> None:
        client, settings = self._client, self._settings
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)  # the owner's window is the only one
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = _set_nodelay
        # With it, publish() only queues: nothing is written but in `step`.
        client.on_socket_register_write = _ignore
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)

    def _open(self, clean_start: bool, session_expiry_s: int, receive_maximum: int) -> None:
        client, settings = self._client, self._settings
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = session_expiry_s
        properties.MaximumPacketSize = MAX_RECEIVED_BYTES
        properties.ReceiveMaximum = receive_maximum
        if settings.tls is not None:
            client.tls_set_context(_tls_context(settings.tls))
        client.connect_async(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=clean_start,
            properties=properties,
        )
        client.reconnect()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket(), selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)

    @property
    def address(self) -> str:
        """Where the broker is."""
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def clogged(self) -> bool:
        """The socket does not take what is waiting to be written."""
        return self._client.want_write()

    def step(self, timeout_s: float) -> list[Happening]:
        """Write what waits, wait for news, read it. LinkLost where the connection is over."""
        try:
            self._exchange(timeout_s)
        except Exception as error:  # whatever paho trips over costs this connection only
            raise LinkLost(f"{self.address}: {_plain(error)}") from error
        happened = list(self._happened)
        self._happened.clear()
        if happened:
            # What was heard before the end still counts; the end is told by the next step.
            return happened
        if self._lost or self._client.socket() is None:
            raise LinkLost(f"{self.address}: {self._lost or 'the broker closed the connection'}")
        if not self._connected and time.monotonic() - self._opened_s > self._settings.ack_timeout_s:
            raise LinkLost(
                f"{self.address}: no answer to CONNECT within {self._settings.ack_timeout_s:g} s"
            )
        return []

    def flush(self) -> None:
        """Write now what the socket takes, for what must not wait for the next `step`. LinkLost."""
        if self._client.socket() is None or not self._client.want_write():
            return
        try:
            self._client.loop_write()
        except Exception as error:  # as in `step`
            raise LinkLost(f"{self.address}: {_plain(error)}") from error

    def _exchange(self, timeout_s: float) -> None:
        client, selector = self._client, self._selector
        if client.socket() is None or selector is None:
            return
        sock = self._socket()
        if client.want_write():
            client.loop_write()
            if client.socket() is None:  # it was lost just now, and paho has said why
                return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
        selector.modify(sock, events)
        if _decrypted(sock):
            timeout_s = 0.0
        for key, _ in selector.select(timeout_s):
            if key.fileobj is self._waker:
                self._waker.clear()
        if client.want_write():
            client.loop_write()
            if client.socket() is None:
                return
        for _ in range(MAX_PACKETS_A_STEP):
            if not (_decrypted(sock) or _readable(sock, selector)):
                break
            client.loop_read()
            if client.socket() is None:
                return
        client.loop_misc()

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._client.socket())

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        user_properties: Sequence[tuple[str, str]] = (),
        content_type: str = "",
        expiry_s: int = 0,
        correlation: bytes = b"",
        response_topic: str = "",
        limit_bytes: int | None = None,
    ) -> int:
        """Queue a message for the next `step`; returns the id its `Acked` will carry.

        ValueError where no broker could take it, or it is longer than `limit_bytes`.
        """
        properties = Outgoing(
            user_properties=user_properties,
            content_type=content_type,
            expiry_s=expiry_s,
            correlation=correlation,
            response_topic=response_topic,
        )
        if limit_bytes is not None:
            length = len(topic.encode()) + len(payload) + len(properties.pack()) + FIXED_BYTES
            if length > limit_bytes:
                raise ValueError(f"{length} bytes; the broker takes {limit_bytes}")
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise LinkLost(f"{self.address}: {mqtt.error_string(info.rc)}")
        return info.mid

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for topics with QoS 1."""
        options = SubscribeOptions(qos=1)
        self._client.subscribe([(each, options) for each in filters])

    def acknowledge(self, message: Received) -> None:
        """Tell the broker that a message is safe with us; only with `manual_ack`."""
        self._client.ack(message.mid, message.qos)

    def close(self, *, politely: bool = False) -> None:
        """End the connection; politely, the broker does not publish the will."""
        if politely and self._client.socket() is not None:
            with contextlib.suppress(Exception):  # it is over anyway
                self._client.disconnect()
                self._client.loop_write()
        if self._selector is not None:
            self._selector.close()
            self._selector = None
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    # --- paho's callbacks: note what happened, nothing else ----------------------------

    def _on_connect(
        self, _c: object, _u: object, _f: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._lost = f"the broker refused us ({reason})"
            return
        self._connected = True
        self._happened.append(
            Connected(
                receive_maximum=getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM),
                maximum_packet_bytes=getattr(properties, "MaximumPacketSize", None),
            )
        )

    def _on_disconnect(
        self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object
    ) -> None:
        self._lost = self._lost or f"connection lost ({reason})"

    def _on_publish(self, _c: object, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        self._happened.append(Acked(mid=mid, reason=reason.value, text=str(reason)))

    def _on_subscribe(
        self, _c: object, _u: object, _mid: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        self._happened.append(Subscribed(reasons=tuple(reason.value for reason in reasons)))

    def _on_message(self, _c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        self._happened.append(
            Received(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                mid=message.mid,
                qos=message.qos,
                user_properties=tuple(getattr(properties, "UserProperty", ())),
                response_topic=getattr(properties, "ResponseTopic", ""),
                correlation=getattr(properties, "CorrelationData", b""),
            )
        )


def _ignore(*_: object) -> None:
    pass


def _set_nodelay(_client: object, _userdata: object, sock: object) -> None:
    # Without it a message may wait 40 ms for Nagle's algorithm and a delayed acknowledgement.
    cast("socket.socket", sock).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _readable(sock: socket.socket, selector: selectors.BaseSelector) -> bool:
    return any(
        key.fileobj is sock and mask & selectors.EVENT_READ for key, mask in selector.select(0)
    )


def _decrypted(sock: socket.socket) -> bool:
    """TLS may hold bytes that the kernel no longer has."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.ca) if files.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if files.cert is not None:
        context.load_cert_chain(files.cert, files.key)
    return context


def _plain(error: Exception) -> str:
    return str(error) or type(error).__name__
