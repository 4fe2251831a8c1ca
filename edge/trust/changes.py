"""Changes that need both sides: what is asked for, signed by an officer of each (DSSE).

A change says which digest of what is governed is to be followed by which, why, and until when it
may be taken. It is a DSSE envelope, so that any tool of that kind can sign and check it as well:
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import (  # type: ignore[attr-defined] # as its manual has it
    CryptoSigner,
    SSlibKey,
)

from edge.protocol.contract import Name, Time
from edge.protocol.messages import utc_ns
from edge.trust.keys import KeyFileError, Keyring, PublicKey, Refused, Signer

PAYLOAD_TYPE = "application/vnd.garita.change+json"
SIDES = ("north", "south")
MAX_BYTES = 256 * 1024  # a change has some 600; more is no change
AHEAD_NS = 300 * 1_000_000_000  # clocks of two countries differ
What = Literal["thresholds", "inhibits", "release", "keys"]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Difference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value that is to be another; empty: it is not there."""

    part: What
    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.part} {self.key}: {self.before or 'none'} -> {self.after or 'none'}"


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two officers sign, `garita.change/1`."""

    schema: Literal["garita.change/1"] = "garita.change/1"
    site: Name
    what: Annotated[list[What], Meta(min_length=1, max_length=4)]
    """Everything that differs; a change that keeps quiet about a part is refused."""
    before: Digest
    after: Digest
    differences: Annotated[list[Difference], Meta(max_length=2_000)] = []
    """The same value by value, for those who sign; a change that tells of others is refused."""
    reason: Annotated[str, Meta(pattern=r"\S", max_length=500)]
    created: Time
    not_after: Time
    """It is not taken later than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A change that an officer of each side has signed."""

    change: Change
    signers: tuple[PublicKey, ...]
    """North's, then south's; one where only one side could sign."""


def new_envelope(change: Change) -> Envelope:
    """A change that nobody has signed yet."""
    return Envelope(msgspec.json.encode(change), PAYLOAD_TYPE, {})


def change_of(envelope: Envelope) -> Change:
    """What an envelope asks for, whoever signed it. Refused where it is no change."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Refused("no-change", f"its payload type is {envelope.payload_type[:80]!r}")
    try:
        change = msgspec.json.decode(envelope.payload, type=Change)
        utc_ns(change.created), utc_ns(change.not_after)  # there is no 52 o'clock
    except (ValueError, OverflowError) as error:
        raise Refused("no-change", str(error)) from None
    return change


def sign(envelope: Envelope, signer: Signer) -> None:
    """Add an officer's signature. Refused where the key is no officer's, or nothing is asked."""
    change_of(envelope)
    if signer.public.role != "officer":
        raise Refused("wrong-role", f"key {signer.key_id} is for {signer.public.role}")
    if signer.key_id in envelope.signatures:
        raise Refused("signed-twice", f"key {signer.key_id} has signed it already")
    envelope.sign(CryptoSigner(signer.private_key, _key(signer.public)))


def approve(
    envelope: Envelope, keyring: Keyring, at_utc_ns: int, sides: Sequence[str] = SIDES
) -> Approved:
    """A change with a good signature of each side, and no other. Refused.

    keyring  the one in force, never one that the change itself would bring
    sides    who has to sign
    """
    change = change_of(envelope)
    _in_time(change, at_utc_ns)
    signers: dict[str, PublicKey] = {}
    for key_id in envelope.signatures:
        key = keyring.find(key_id, at_utc_ns=at_utc_ns, role="officer", owner=None)
        # Each alone: the library stops at the first two good ones, be they of one side.
        try:
            envelope.verify([_key(key)], 1)
        except VerificationError:
            text = f"not signed by key {key_id}, or altered"
            raise Refused("bad-signature", text) from None
        if key.owner in signers:
            raise Refused("one-side-twice", f"two keys of {key.owner} have signed it")
        signers[key.owner] = key
    missing = [side for side in sides if side not in signers]
    if missing:
        raise Refused("not-both", f"an officer of {' and of '.join(missing)} has to sign it")
    return Approved(change=change, signers=tuple(signers[side] for side in sides))


def read_change(path: Path) -> Envelope:
    """An envelope by its file. KeyFileError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        return envelope_of(msgspec.json.decode(data, type=dict[str, Any]))
    except (OSError, ValueError) as error:
        raise KeyFileError(f"change {path}: {error}") from error


def envelope_of(found: dict[str, Any]) -> Envelope:
    """An envelope by its JSON. ValueError, also where one key signs twice."""
    shape = msgspec.convert(found, _Shape)
    try:
        envelope: Envelope = Envelope.from_dict(msgspec.to_builtins(shape))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no DSSE envelope ({error})") from error
    return envelope


def write_change(path: Path, envelope: Envelope) -> None:
    """Write an envelope, whole or not at all. OSError."""
    written = msgspec.json.format(msgspec.json.encode(envelope.to_dict()), indent=2) + b"\n"
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(written)
    partial.replace(path)


class _Signed(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Shape(msgspec.Struct, forbid_unknown_fields=True):
    """DSSE has more signatures than we need; what is signed stays the library's to judge."""

    payload: str
    payloadType: str  # noqa: N815 - DSSE's name
    signatures: Annotated[list[_Signed], Meta(max_length=16)]


def _key(key: PublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw), keyid=key.key_id)


def _in_time(change: Change, at_utc_ns: int) -> None:
    if utc_ns(change.created) > at_utc_ns + AHEAD_NS:
        raise Refused("not-yet-valid", f"it was made on {change.created}, which is to come")
    if utc_ns(change.not_after) <= at_utc_ns:
        raise Refused("expired", f"it could be taken until {change.not_after}")
