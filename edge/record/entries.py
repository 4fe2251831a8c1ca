"""One line of the common record: what happened, when, by whom.

An entry is its bytes: canonical JSON in the order of the fields, hashed as a leaf of the log. It
names roles and keys, never people.
"""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from edge.protocol.commands import Code, Help
from edge.protocol.contract import Name, Sequence64, Time

EDGE = "edge"
"""`by` of what the checkpoint itself did; a centre's side otherwise."""

Kind = Literal[
    "start",
    "stop",
    "config",
    "alert",
    "ack",
    "dispatch",
    "on-scene",
    "adjudicate",
    "note",
    "assist",
    "hand-over",
    "shelve",
    "unshelve",
    "shelf-expired",
    "inhibit",
    "refused",
    "change",
    "change-refused",
    "fallback",
    "sensor",
    "side",
    "gap",
    "count",
]
"""What an entry can be of, and its `facts`:

start           epoch, first_seq, config_digest, policy_digest, software
stop            epoch, clean (whether it was asked to)
config          digest, before: the configuration differs from the last start's
alert           id, revision, seq, epoch, event, level, direction (or None), msg_type, exercise,
                onset (RFC 3339), digests {side: SHA-256 of the payload that it gets},
                withheld {side: [rules]} where a side gets less; then no side's whole has a digest,
                and the entry tells no more than that side was told: event WITHHELD, no direction,
                no place, and no place in the answers to it
ack, dispatch, on-scene      alert
adjudicate      alert, code (one of CODES), confirm (method or ""), note_sha256 or ""
note            alert, note_sha256: of a text that stays with the side
assist          alert or "", what (one of ASSIST)
hand-over       alert, step (offered, accepted, declined, expired, closed), to (side), code or ""
shelve, unshelve, shelf-expired    event, sensor, place ("" is any), until, reason
inhibit         the same, from the configuration
refused         verb, why: a command that was not carried out
change          what (list of thresholds, inhibits, release, keys), digest, signers [key ids],
                outcome (adopted, approved, unwatched: there are no officers to sign, or lapsed:
                the keyring alone, while the keys of all officers of a side had ended)
change-refused  the same, why
fallback        sensor, kind: a simulator stands in from this start on
sensor          sensor, up, reason
side            side, connected, reason
gap             sensor, what (samples or passages), missing (how many never came), gaps (in how many
                pieces), after, until (RFC 3339): every hour at most, and at stop
count           lanes {lane: {"passages": n, "scans": n}}, since (RFC 3339): every hour, at stop
"""

CODES = get_args(Code)
ASSIST = get_args(Help)
STEPS = ("offered", "accepted", "declined", "expired", "closed")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, `garita.entry/1`."""

    schema: Literal["garita.entry/1"] = "garita.entry/1"
    site: Name
    index: Sequence64
    """Its place in the log, counted from 0."""
    time: Time
    """When it was entered."""
    kind: Kind
    by: Annotated[str, Meta(max_length=64)]
    """`edge`, or the side whose centre asked, with its role: `north`, `south/supervisor`."""
    key: Annotated[str, Meta(max_length=64)] = ""
    """Id of the key that signed the command; empty for what the edge did, or unsigned."""
    place: str = ""
    """A lane or a zone."""
    facts: dict[str, Any]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An entry before it has its place and time."""

    kind: Kind
    by: str = EDGE
    key: str = ""
    place: str = ""
    facts: dict[str, Any]


_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """The bytes that are hashed and kept; facts in the order of their names."""
    return msgspec.json.encode(entry, order="deterministic")


def decode(data: bytes) -> Entry:
    """An entry by its bytes. ValueError where they are none."""
    return _decoder.decode(data)
