"""Signatures on the wire: of payloads, of a delivery's order, of commands."""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from edge.protocol.messages import rfc3339
from edge.protocol.messages import utc_ns as read_utc_ns
from edge.trust.keys import SIGNATURE_BYTES, Keyring, PublicKey, Refused, Role, Signer, from_base64
from edge.trust.seen_notes import SeenNotes

FRESH_S = 300.0
"""How far a command's time may be from the checkpoint's clock: clocks of two countries differ, and
a command that waited longer in a broker is not what the sender would ask now."""
SECOND_NS = 1_000_000_000
MAX_SEEN = 100_000  # as many commands in two times FRESH_S would be 160 a second
COMMAND = b"garita.command/1"

Properties = Sequence[tuple[str, str]]


def payload_properties(signer: Signer, payload: bytes) -> list[tuple[str, str]]:
    """Who signed these exact bytes, and how: user properties of their message."""
    return [("key", signer.key_id), ("signature", _text(signer.sign(payload)))]


def verify_payload(
    keyring: Keyring,
    properties: Properties,
    payload: bytes,
    *,
    at_utc_ns: int,
    role: Role,
    owner: str | None = None,
) -> PublicKey:
    """Whose payload it is. Refused."""
    key_id, signature = _signature(properties, "signature")
    return keyring.verify(key_id, payload, signature, at_utc_ns=at_utc_ns, role=role, owner=owner)


def command_properties(
    signer: Signer,
    *,
    topic: str,
    payload: bytes,
    issued_utc_ns: int,
    correlation: bytes = b"",
    response_topic: str = "",
) -> list[tuple[str, str]]:
    """What makes a command one that can only be meant once, here and now."""
    issued = rfc3339(issued_utc_ns)
    data = command_bytes(topic, issued, correlation, response_topic, payload)
    return [("key", signer.key_id), ("issued", issued), ("signature", _text(signer.sign(data)))]


def verify_command(
    keyring: Keyring,
    properties: Properties,
    *,
    topic: str,
    payload: bytes,
    correlation: bytes,
    response_topic: str,
    owner: str,
    at_utc_ns: int,
    seen: "SeenSignatures",
) -> PublicKey:
    """Whose command it is. Refused where it is nobody's, too old, or was taken before."""
    key_id, signature = _signature(properties, "signature")
    issued = _one(properties, "issued")
    try:
        issued_utc_ns = read_utc_ns(issued)
    except (ValueError, OverflowError):
        raise Refused("unsigned", f"issued {issued[:40]!r} is no time") from None
    if abs(at_utc_ns - issued_utc_ns) > FRESH_S * SECOND_NS:
        raise Refused("stale", f"issued {issued}, here it is {rfc3339(at_utc_ns)}")
    data = command_bytes(topic, issued, correlation, response_topic, payload)
    key = keyring.verify(key_id, data, signature, at_utc_ns=at_utc_ns, role="centre", owner=owner)
    if not seen.take(data, issued_utc_ns, at_utc_ns):
        raise Refused("replayed", "the very same command was taken before")
    return key


def command_bytes(
    topic: str, issued: str, correlation: bytes, response_topic: str, payload: bytes
) -> bytes:
    """What a command's signature is of; no field but the last can hold a line feed."""
    for text in (topic, issued, response_topic):
        if "\n" in text:
            raise Refused("bad-signature", "a line feed where none can be")
    lines = (topic, issued, correlation.hex(), response_topic)
    return b"\n".join([COMMAND, *(line.encode() for line in lines), payload])


class SeenSignatures:
    """The commands of the last minutes, so that none is carried out twice. Bounded."""

    def __init__(self, limit: int = MAX_SEEN, notes: SeenNotes | None = None) -> None:
        """`notes`: what is remembered beyond a restart; without it nothing is."""
        self._limit = limit
        self._notes = notes
        self._seen: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        """By digest when it was taken, and issued; oldest first."""
        self._forgotten_utc_ns = 0
        """What was issued until then may have been forgotten before its time."""
        if notes is not None:
            self._seen.update((digest, (taken, issued)) for digest, taken, issued in notes.seen)
            self._forgotten_utc_ns = notes.forgotten_utc_ns

    def take(self, data: bytes, issued_utc_ns: int, at_utc_ns: int) -> bool:
        """Whether it is new; Refused where that cannot be noted.

        data  what was signed, for a signature may have several forms
        """
        until_utc_ns = at_utc_ns - round(2 * FRESH_S) * SECOND_NS
        while self._seen and next(iter(self._seen.values()))[0] < until_utc_ns:
            self._seen.popitem(last=False)
        digest = hashlib.sha256(data).digest()
        if digest in self._seen or issued_utc_ns <= self._forgotten_utc_ns:
            return False
        if self._notes is not None:
            note = digest, at_utc_ns, issued_utc_ns
            self._notes.add(note, taken_before_utc_ns=until_utc_ns)
        self._seen[digest] = at_utc_ns, issued_utc_ns
        if len(self._seen) > self._limit:
            oldest, (_, forgotten_utc_ns) = self._seen.popitem(last=False)
            self._forgotten_utc_ns = max(self._forgotten_utc_ns, forgotten_utc_ns)
            if self._notes is not None:
                self._notes.forget([oldest], self._forgotten_utc_ns)
        return True


def _signature(properties: Properties, name: str) -> tuple[str, bytes]:
    key_id, text = _one(properties, "key"), _one(properties, name)
    try:
        return key_id, from_base64(text, SIGNATURE_BYTES)
    except ValueError as error:
        raise Refused("bad-signature", str(error)) from None


def _one(properties: Iterable[tuple[str, str]], name: str) -> str:
    found = [value for key, value in properties if key == name]
    if len(found) != 1:
        raise Refused("unsigned", f"{len(found)} user properties {name!r}, not one")
    return found[0]


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
