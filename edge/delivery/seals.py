"""Signatures on the wire: what an edge signs of each message, and what a centre refuses.

Every message carries three user properties: `key`, the id of the key; `signature`, Ed25519 over
the exact payload, which stays checkable for as long as the payload is kept; and, for alerts and
files, `order`, over everything that says where the message belongs (`statement`), the digest of
the payload and its signature among it. So whoever stands between, a broker or a bridge, can alter
nothing, and can neither move, renumber, reorder nor leave out a row unnoticed; and a centre that
has checked `order` has checked all of it, at half the cost.
"""

import base64
import hashlib
from collections.abc import Sequence

import msgspec

from edge.delivery.happenings import Received
from edge.protocol import topics
from edge.protocol.messages import utc_ns
from edge.trust.keys import SIGNATURE_BYTES, Keyring, Refused, Signer, from_base64

DOMAIN = "garita.delivery/1"
ORDERED = (
    "epoch", "seq", "after", "evidence", "name", "media_type", "time", "lane", "key", "signature"
)  # fmt: skip
"""User properties that `order` covers, in its order; those that are not there count as empty."""

Properties = list[tuple[str, str]]


def statement(side: str, topic: str, payload: bytes, told: dict[str, str]) -> bytes:
    """What `order` signs: one line each for domain, side, topic, SHA-256 of the payload, and
    every property of `ORDERED`."""
    digest = hashlib.sha256(payload).hexdigest()
    lines = (DOMAIN, side, topic, digest, *(told.get(name, "") for name in ORDERED))
    return "\n".join(lines).encode()


class Seals:
    """Signs what goes out to one side; without a signer it adds nothing."""

    def __init__(self, side: str, signer: Signer | None = None) -> None:
        self._side = side
        self._signer = signer
        self._last: tuple[bytes, Properties] | None = None

    def document(self, payload: bytes) -> Properties:
        """What a payload carries; nothing where it is empty, which only clears a topic."""
        if self._signer is None or not payload:
            return []
        if self._last is None or self._last[0] != payload:  # an alert is sent on two topics
            signature = _text(self._signer.sign(payload))
            self._last = payload, [("key", self._signer.key_id), ("signature", signature)]
        return self._last[1]

    def message(self, topic: str, payload: bytes, told: Sequence[tuple[str, str]]) -> Properties:
        """The properties of an alert or a file, with what vouches for them."""
        if self._signer is None:
            return list(told)
        signed = [*told, *self.document(payload)]
        order = self._signer.sign(statement(self._side, topic, payload, dict(signed)))
        return [*signed, ("order", _text(order))]


class _Head(msgspec.Struct, frozen=True):
    """What an alert says of where it belongs."""

    site: str
    lane: str | None
    zone: str | None
    status: str
    seq: int
    epoch: str
    updated: str
    withheld: dict[str, object] = {}

    @property
    def place(self) -> str:
        """Its level in the topic."""
        return topics.WITHHELD if "lane" in self.withheld else self.lane or self.zone or "site"


_head = msgspec.json.Decoder(_Head)


class Gate:
    """What a centre believes. Everything else is refused, and never reaches its store."""

    def __init__(self, side: str, keyring: Keyring) -> None:
        self._side = side
        self._keyring = keyring
        self._born = {each.key_id: each.not_before_utc_ns for each in keyring.keys}

    def check(self, message: Received) -> None:
        """Refused where an alert or a file is not what, whose and where it says it is.

        `code` is one of those of `Refused`, or `unreadable`, `misplaced` (not the topic of the
        payload's site, place and status) or `misnumbered` (not the payload's epoch and number).
        """
        told = dict(message.user_properties)
        if len(told) != len(message.user_properties):
            raise Refused("unreadable", "a user property stands there twice")
        if any("\n" in each for each in (message.topic, *told.values())):
            raise Refused("unreadable", "a line ends within a property")
        file = topics.parse_evidence_topic(message.topic)
        if file is None:
            site, at = self._alert(message, told)
        else:
            site, at = file.site, told.get("time", "")
        key_id = told.get("key", "")
        if not (key_id and told.get("signature") and told.get("order")):
            raise Refused("unsigned", f"nothing vouches for it on {message.topic}")
        try:
            at_utc_ns = utc_ns(at)
        except ValueError:
            raise Refused("unreadable", f"{at[:40]!r} is no time") from None
        ordered = statement(self._side, message.topic, message.payload, told)
        self._verify(key_id, ordered, told["order"], at_utc_ns, site)

    def _alert(self, message: Received, told: dict[str, str]) -> tuple[str, str]:
        try:
            head = _head.decode(message.payload)
        except ValueError as error:
            raise Refused("unreadable", f"no alert: {error}") from None
        topic = topics.parse_alert_topic(message.topic)
        if (
            topic is None
            or (topic.site, topic.place) != (head.site, head.place)
            or topic.exercise != (head.status == "Exercise")
        ):
            raise Refused("misplaced", f"it does not belong on {message.topic}")
        if (told.get("epoch"), told.get("seq")) != (head.epoch, str(head.seq)):
            raise Refused("misnumbered", f"it is number {head.seq} of {head.epoch}")
        return head.site, head.updated

    def _verify(self, key_id: str, data: bytes, signature: str, at_utc_ns: int, site: str) -> None:
        try:
            raw = from_base64(signature, SIGNATURE_BYTES)
        except ValueError as error:
            raise Refused("bad-signature", str(error)) from None
        # An alert that waited while keys were changed is signed by a key younger than itself.
        at_utc_ns = max(at_utc_ns, self._born.get(key_id, at_utc_ns))
        self._keyring.verify(
            key_id, data, raw, at_utc_ns=at_utc_ns, role="edge", owner=f"edge/{site}"
        )


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
