"""Ed25519 keys: who owns them, what for, until when, and whether a signature is theirs.

A private key is a PEM file that nobody but its owner may read; beside it stands its public
description, `NAME.pub.json`. A keyring is a file of such descriptions: whom a checkpoint or a
centre believes. Keys name roles, never people.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from msgspec import Meta

from edge.protocol.messages import rfc3339
from edge.protocol.messages import utc_ns as read_utc_ns

Role = Literal["edge", "centre", "officer"]
"""Who signs alerts and checkpoints; commands and cosignatures; changes that need two."""
ROLES: tuple[Role, ...] = get_args(Role)
OWNER = r"^(edge/[a-z0-9-]{1,32}|north|south)$"
KEY_ID_DIGITS = 16
KEY_BYTES, SIGNATURE_BYTES = 32, 64  # RFC 8032
PUBLIC_SUFFIX = ".pub.json"


class KeyFileError(Exception):
    """A key file or a keyring cannot be used; the message says which, why and how to mend it."""


class Refused(Exception):  # noqa: N818 - says what happened
    """A signature that is not believed."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        """`unsigned`, `unknown-key`, `wrong-role`, `wrong-owner`, `not-yet-valid`, `expired`,
        `bad-signature`, `stale`, `replayed`."""
        self.text = text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key and what it may be used for."""

    owner: str
    """`edge/SITE`, `north` or `south`."""
    role: Role
    raw: bytes
    not_before_utc_ns: int
    not_after_utc_ns: int

    @property
    def key_id(self) -> str:
        """The first digits of the SHA-256 of the key."""
        return hashlib.sha256(self.raw).hexdigest()[:KEY_ID_DIGITS]


class KeyMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key as a file has it."""

    id: Annotated[str, Meta(pattern=f"^[0-9a-f]{{{KEY_ID_DIGITS}}}$")]
    owner: Annotated[str, Meta(pattern=OWNER)]
    role: Role
    public: str
    """Base64 of its 32 bytes."""
    not_before: str
    not_after: str


class KeyringMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Public keys that are believed, `garita.keyring/1`."""

    schema: Literal["garita.keyring/1"] = "garita.keyring/1"
    keys: list[KeyMessage]


class Signer:
    """A private key and its description."""

    def __init__(self, private: Ed25519PrivateKey, public: PublicKey) -> None:
        """ValueError where the two are not of one pair."""
        if raw_of(private.public_key()) != public.raw:
            raise ValueError("the private key and the description are not of one pair")
        self.private_key = private
        self.public = public
        self.key_id = public.key_id

    def sign(self, data: bytes) -> bytes:
        """The signature's 64 bytes (RFC 8032)."""
        return self.private_key.sign(data)


class Keyring:
    """Whom we believe."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self._keys = {one.key_id: one for one in keys}
        self._loaded = {
            key_id: Ed25519PublicKey.from_public_bytes(one.raw)
            for key_id, one in self._keys.items()
        }

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """All of them, by owner, role and end."""
        return tuple(
            sorted(self._keys.values(), key=lambda k: (k.owner, k.role, k.not_after_utc_ns))
        )

    def find(self, key_id: str, *, at_utc_ns: int, role: Role, owner: str | None) -> PublicKey:
        """A key that may be used so at that time; Refused. `owner` None: whoever owns it."""
        key = self._keys.get(key_id)
        if key is None:
            raise Refused("unknown-key", f"no key {key_id[:40]!r} is in the keyring")
        if key.role != role:
            raise Refused("wrong-role", f"key {key_id} is for {key.role}, not for {role}")
        if owner is not None and key.owner != owner:
            raise Refused("wrong-owner", f"key {key_id} is of {key.owner}, not of {owner}")
        if at_utc_ns < key.not_before_utc_ns:
            raise Refused("not-yet-valid", f"valid from {rfc3339(key.not_before_utc_ns)}")
        if at_utc_ns >= key.not_after_utc_ns:
            raise Refused("expired", f"valid until {rfc3339(key.not_after_utc_ns)}")
        return key

    def verify(
        self,
        key_id: str,
        data: bytes,
        signature: bytes,
        *,
        at_utc_ns: int,
        role: Role,
        owner: str | None = None,
    ) -> PublicKey:
        """Whose signature it is. Refused where it is nobody's who may sign that then."""
        key = self.find(key_id, at_utc_ns=at_utc_ns, role=role, owner=owner)
        try:
            self._loaded[key_id].verify(signature, data)
        except InvalidSignature:
            raise Refused("bad-signature", f"not signed by key {key_id}, or altered") from None
        return key


def raw_of(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def read_keyring(path: Path) -> Keyring:
    """A keyring by its file. KeyFileError."""
    try:
        message = msgspec.json.decode(path.read_bytes(), type=KeyringMessage)
        if twice := [one for one, n in Counter(key.id for key in message.keys).items() if n > 1]:
            raise ValueError(f"more than once: {', '.join(twice)}; keep one of each")
        return Keyring([read_key(one) for one in message.keys])
    except (OSError, ValueError) as error:
        raise KeyFileError(f"keyring {path}: {error}") from error


def write_keyring(path: Path, keys: Iterable[PublicKey]) -> None:
    """Write a keyring in place of what is there, whole or not at all. OSError."""
    message = KeyringMessage(keys=[key_message(one) for one in Keyring(keys).keys])
    written = msgspec.json.format(msgspec.json.encode(message), indent=2) + b"\n"
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(written)
    partial.replace(path)


def read_key(message: KeyMessage) -> PublicKey:
    """A public key by its description. ValueError where it contradicts itself."""
    raw = from_base64(message.public, KEY_BYTES)
    key = PublicKey(
        owner=message.owner,
        role=message.role,
        raw=raw,
        not_before_utc_ns=read_utc_ns(message.not_before),
        not_after_utc_ns=read_utc_ns(message.not_after),
    )
    if key.key_id != message.id:
        raise ValueError(f"key {message.id} is {key.key_id} by its bytes")
    if (key.role == "edge") != key.owner.startswith("edge/"):
        raise ValueError(f"key {message.id}: role {key.role} does not fit owner {key.owner}")
    if key.not_after_utc_ns <= key.not_before_utc_ns:
        raise ValueError(f"key {message.id}: it ends before it begins")
    return key


def key_message(key: PublicKey) -> KeyMessage:
    """The description of a public key."""
    return KeyMessage(
        id=key.key_id,
        owner=key.owner,
        role=key.role,
        public=base64.b64encode(key.raw).decode(),
        not_before=rfc3339(key.not_before_utc_ns),
        not_after=rfc3339(key.not_after_utc_ns),
    )


def read_public(path: Path) -> PublicKey:
    """A public key by its `.pub.json`. KeyFileError."""
    try:
        return read_key(msgspec.json.decode(path.read_bytes(), type=KeyMessage))
    except (OSError, ValueError) as error:
        raise KeyFileError(f"key {path}: {error}") from error


def read_signer(path: Path) -> Signer:
    """A private key by its PEM file, with the description beside it. KeyFileError."""
    public = read_public(path.with_suffix(PUBLIC_SUFFIX))
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyFileError(f"key {path}: others may read it; run: chmod 600 {path}")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("it is no Ed25519 key")
        return Signer(private, public)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"key {path}: {error}") from error


def make_signer(
    path: Path, *, owner: str, role: Role, not_before_utc_ns: int, not_after_utc_ns: int
) -> Signer:
    """Make a key and write both files; `path` ends in `.pem`. KeyFileError where one is there."""
    private = Ed25519PrivateKey.generate()
    public = PublicKey(
        owner=owner,
        role=role,
        raw=raw_of(private.public_key()),
        not_before_utc_ns=not_before_utc_ns,
        not_after_utc_ns=not_after_utc_ns,
    )
    public = read_key(msgspec.convert(msgspec.to_builtins(key_message(public)), KeyMessage))
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never, not for a moment, readable by others; never in place of another.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        text = msgspec.json.format(msgspec.json.encode(key_message(public)), indent=2)
        path.with_suffix(PUBLIC_SUFFIX).write_bytes(text + b"\n")
    except FileExistsError:
        raise KeyFileError(f"key {path}: there is one already; it is never overwritten") from None
    except OSError as error:
        raise KeyFileError(f"key {path}: {error}") from error
    return Signer(private, public)


def from_base64(text: str, size: int) -> bytes:
    """Bytes of a known number. ValueError where it is anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{text[:40]!r} is no base64") from error
    if len(data) != size:
        raise ValueError(f"{len(data)} bytes, not {size}")
    return data
