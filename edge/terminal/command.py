"""`garita command`: one command of a centre, signed, sent and its answer printed."""

import argparse
import queue
import secrets
import ssl
import sys
import time
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import EXIT_OK, EXIT_USAGE, BrokerUnavailable, ConfigError, Mistake
from edge.protocol import topics
from edge.protocol.commands import COMMANDS, CommandMessage
from edge.protocol.messages import encode
from edge.settings.addresses import BrokerAddress, broker_address
from edge.terminal.viewer import why
from edge.trust.keys import KeyFileError, Signer, read_signer
from edge.trust.signatures import command_properties

EXIT_REFUSED = 1
TIMEOUT_S = 5.0  # a checkpoint answers within milliseconds; one that does not is not there
EXPIRY_S = 60  # a command that nobody took by then is no longer what the sender wants
MAX_ANSWER_BYTES = 1_000_000
NOBODY = 0x10  # MQTT 5, 3.4.2.1: no matching subscribers


def main(arguments: argparse.Namespace) -> int:
    """Ask a checkpoint for something; 0: it was carried out, 1: refused, and the answer says why.

    BrokerUnavailable where there is no broker, or no answer; ConfigError where the key cannot be
    used.
    """
    try:
        address = broker_address(arguments.url)
        message = message_of(arguments.verb, arguments.fields)
        root = topics.root(arguments.exercise)
        topic = f"{root}/{topics.checked(arguments.site)}/cmd/{arguments.verb}"
    except ValueError as error:
        sys.stderr.write(f"garita command: {error}\n")
        return EXIT_USAGE
    signer = None if arguments.signing_key is None else _signer(arguments.signing_key)
    asker = Asker(address, arguments)
    try:
        response = f"{root}/{arguments.site}/answer/{arguments.side}/{secrets.token_hex(8)}"
        answer = asker.ask(topic, encode(message), response, signer)
    finally:
        asker.close()
    sys.stdout.write(msgspec.json.format(answer, indent=-1).decode() + "\n")
    return EXIT_OK if b'"accepted":false' not in answer else EXIT_REFUSED


def message_of(verb: str, fields: list[str]) -> CommandMessage:
    """The command by its fields, `NAME=VALUE`; a bare one is the alert's id. ValueError."""
    if verb not in COMMANDS:
        raise ValueError(f"there is no {verb!r}; there are {', '.join(COMMANDS)}")
    said: dict[str, str] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        said |= {name: value} if equals else {"alert": field}
    try:
        return msgspec.convert(said, COMMANDS[verb], strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{verb}: {error}") from None


def _signer(path: Path) -> Signer:
    try:
        return read_signer(path)
    except KeyFileError as error:
        mistake = Mistake(line=None, key="", value="", message=str(error), mend="")
        raise ConfigError("garita command --signing-key", [mistake]) from error


class Asker:
    """A connection for one question."""

    def __init__(self, address: BrokerAddress, access: argparse.Namespace) -> None:
        """Connect, for `TIMEOUT_S` at most. BrokerUnavailable."""
        self._address = address
        self._came: queue.SimpleQueue[str | bytes] = queue.SimpleQueue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.connect_timeout = TIMEOUT_S
        # A callback that raises would end paho's thread unseen (facts: delivery 2).
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._came.put("subscribed")
        self._client.on_publish = self._on_publish
        self._client.on_message = lambda _c, _u, message: self._came.put(bytes(message.payload))
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.MaximumPacketSize = MAX_ANSWER_BYTES
        try:
            self._let_in(access)
            self._client.connect(
                address.host, address.port, keepalive=10, clean_start=True, properties=limits
            )
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise BrokerUnavailable(f"{address}: {why(error)}; is the broker there?") from error
        self._client.loop_start()

    def ask(self, topic: str, payload: bytes, response: str, signer: Signer | None) -> bytes:
        """The answer's bytes. BrokerUnavailable where none comes."""
        self._wait_for("connected")
        self._client.subscribe(response, qos=1)
        self._wait_for("subscribed")
        correlation = secrets.token_bytes(16)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = response
        properties.CorrelationData = correlation
        properties.MessageExpiryInterval = EXPIRY_S
        if signer is not None:
            properties.UserProperty = command_properties(
                signer,
                topic=topic,
                payload=payload,
                issued_utc_ns=time.time_ns(),
                correlation=correlation,
                response_topic=response,
            )
        self._client.publish(topic, payload, qos=1, properties=properties)
        answer = self._next()
        if answer == "taken":
            answer = self._next()
        if isinstance(answer, bytes):
            return answer
        raise BrokerUnavailable(f"{self._address}: {answer}")

    def close(self) -> None:
        """Say goodbye and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _let_in(self, access: argparse.Namespace) -> None:
        if access.username is not None:
            password = None
            if access.password_file is not None:
                text: str = access.password_file.read_text("utf-8")
                password = text.split("\n", 1)[0].rstrip("\r")
            self._client.username_pw_set(access.username, password)
        if self._address.tls:
            context = ssl.create_default_context(cafile=access.ca)
            if access.cert is not None:
                context.load_cert_chain(access.cert, access.key)
            self._client.tls_set_context(context)

    def _wait_for(self, wanted: str) -> None:
        came = self._next()
        if came != wanted:
            raise BrokerUnavailable(f"{self._address}: {came!r}")

    def _next(self) -> str | bytes:
        try:
            return self._came.get(timeout=TIMEOUT_S)
        except queue.Empty:
            message = f"{self._address}: no answer within {TIMEOUT_S:g} s; is the checkpoint there?"
            raise BrokerUnavailable(message) from None

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        self._came.put(f"refused: {reason}" if reason.is_failure else "connected")

    def _on_publish(
        self, _client: mqtt.Client, _data: object, _mid: int, reason: ReasonCode, _more: object
    ) -> None:
        # A refused message is "published" all the same; only its reason tells (facts: delivery 2).
        if reason.value == NOBODY:
            self._came.put("no checkpoint of that name takes commands there")
        else:
            self._came.put(f"the command was refused: {reason}" if reason.is_failure else "taken")
