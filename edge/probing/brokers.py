"""Can a side be told? TCP, TLS and MQTT one after the other, so that the answer says which."""

import contextlib
import importlib.util
import os
import shutil
import socket
import ssl
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.config import Side
from edge.probing.run import Probe
from edge.probing.verdict import FAIL, OK, WARN, Verdict, cause
from edge.protocol import topics

STEP_S = 3.0  # connecting, the TLS handshake and the MQTT answer take milliseconds each
EXPIRY_DAYS = 30  # time enough for two organisations to exchange a certificate


def broker_probes(sides: Iterable[tuple[str, Side]], *, site: str) -> list[Probe]:
    """One for each side."""
    return [
        Probe(
            group="broker",
            name=name,
            ask=partial(_ask_auto, side) if side.auto else partial(_ask_external, side, site),
            timeout_s=5 * STEP_S,
        )
        for name, side in sides
    ]


def _ask_auto(side: Side) -> Verdict:
    address = side.address
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
    except OSError as error:
        said = f"cannot listen there ({cause(error)}); stop what does, or give another port"
        return Verdict(FAIL, f"{address}: {said}")
    # Debian keeps it in sbin, which is not on every user's PATH.
    if path := shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/sbin"):
        return Verdict(OK, f"{address}: would be started here by {path}")
    if importlib.util.find_spec("iotcore"):
        said = "would be started by iotcore, which has no access rules and keeps nothing on disk"
        return Verdict(WARN, f"{address}: {said}")
    said = "no broker to start; apt-get install mosquitto, or give the URL of one"
    return Verdict(FAIL, f"{address}: {said}")


def _ask_external(side: Side, site: str) -> Verdict:
    address = side.address
    try:
        password = _password(side)
        context = tls_context(side) if address.tls else None
        warnings = [_connect(side, context), _speak(side, site, password, context)]
    except _Away as error:
        return Verdict(FAIL, f"{address}: {error}")
    if told := "; and ".join(filter(None, warnings)):
        return Verdict(WARN, f"{address}: connected, but {told}")
    return Verdict(OK, f"{address}: connected")


class _Away(Exception):  # noqa: N818 - says what the broker is
    """Why a broker cannot be used, and what to do."""


def _password(side: Side) -> str | None:
    try:
        return side.password()
    except OSError as error:
        raise _Away(f"{side.password_file}: {cause(error)}") from error
    except KeyError as error:
        raise _Away(f"the environment has no variable {side.password_env}") from error


def tls_context(side: Side) -> ssl.SSLContext:
    """The TLS settings of a side."""
    tls = side.tls
    for file in (tls.ca, tls.cert, tls.key) if tls else ():
        if file is not None:
            _readable(file)
    try:
        context = ssl.create_default_context(cafile=tls.ca if tls else None)
        if tls and tls.cert:
            # Without a password argument OpenSSL would ask on the terminal and wait for ever.
            context.load_cert_chain(tls.cert, tls.key, password=lambda: b"")
    except ssl.SSLError as error:
        said = error.reason or str(error)
        raise _Away(f"its tls files are not what they should be ({said})") from error
    return context


def _readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise _Away(f"{file}: {cause(error)}") from error


def _connect(side: Side, context: ssl.SSLContext | None) -> str:
    """Connect and shake hands; returns what is worth a warning, or `""`."""
    address = side.address
    try:
        with socket.create_connection((address.host, address.port), STEP_S) as link:
            if context is None:
                return ""
            with context.wrap_socket(link, server_hostname=address.host) as secured:
                ends = str((secured.getpeercert() or {}).get("notAfter", ""))
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or str(error)
        raise _Away(f"TLS handshake failed ({reason})") from error
    except OSError as error:
        raise _Away(f"{cause(error)}; check address and firewall") from error
    if not ends:
        return ""
    left = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - datetime.now(UTC)
    return f"its certificate ends in {left.days} days" if left.days < EXPIRY_DAYS else ""


def _speak(side: Side, site: str, password: str | None, context: ssl.SSLContext | None) -> str:
    """Say who we are and publish, as the service would; returns a warning, or `""`."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        # Not the service's own id: that would throw a running one off the broker.
        client_id=f"garita-check-{os.getpid()}-{time.monotonic_ns() % 100_000}",
        protocol=mqtt.MQTTv5,
    )
    client.connect_timeout = STEP_S
    if side.username is not None:
        client.username_pw_set(side.username, password)
    if context is not None:
        client.tls_set_context(context)
    try:
        _log_in(client, side)
        _publish_alert(client, site)
        return _publish_evidence(client, site)
    except OSError as error:
        raise _Away(f"MQTT: {cause(error)}") from error
    finally:
        with contextlib.suppress(OSError):  # it may have closed first
            client.disconnect()


def _log_in(client: mqtt.Client, side: Side) -> None:
    answers: list[ReasonCode] = []
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(reason)
    client.connect(side.address.host, side.address.port, keepalive=side.keepalive_s)
    _await(client, answers)
    if not answers:
        # With TLS 1.3 a client certificate is only judged after the handshake.
        mend = "is this an MQTT broker, and is our certificate one it knows?"
        raise _Away(f"no answer to an MQTT 5 CONNECT; {mend}")
    if answers[0].is_failure:
        raise _Away(f"refused: {answers[0]}; check user name, password and access rules")


def _publish_alert(client: mqtt.Client, site: str) -> None:
    answer = _publish(client, topics.live_topic(topics.ROOT, site, "probe", "check"))
    if answer is None:
        raise _Away("takes our connection, but does not answer a PUBLISH")
    if answer.is_failure:
        rule = f"let us write {topics.ROOT}/{site}/#"
        raise _Away(f"refuses our publishes ({answer}); check its access rules: {rule}")


def _publish_evidence(client: mqtt.Client, site: str) -> str:
    """Alerts come without their files where these are refused: not a failure, but worth a word."""
    answer = _publish(client, topics.evidence_probe_topic(topics.ROOT, site))
    if answer is not None and not answer.is_failure:
        return ""
    said = "does not answer for" if answer is None else "refuses"
    why = "" if answer is None else f" ({answer})"
    rule = f"let us write {topics.ROOT}/{site}/evidence/#"
    return f"it {said} the alerts' files{why}; check its access rules: {rule}"


def _publish(client: mqtt.Client, topic: str) -> ReasonCode | None:
    """An empty message that is kept by nobody: only its acknowledgement is of interest."""
    answers: list[ReasonCode] = []
    client.on_publish = lambda _client, _data, _mid, reason, _properties: answers.append(reason)
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = 1
    client.publish(topic, b"", qos=1, properties=properties)
    _await(client, answers)
    return answers[0] if answers else None


def _await(client: mqtt.Client, answers: list[ReasonCode]) -> None:
    until = time.monotonic() + STEP_S
    code = mqtt.MQTT_ERR_SUCCESS
    while not answers and code == mqtt.MQTT_ERR_SUCCESS and time.monotonic() < until:
        code = client.loop(timeout=0.05)
