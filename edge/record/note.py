"""Signed notes, checkpoints and cosignatures of the C2SP specifications.

signed-note: a text, an empty line, lines of `— NAME BASE64(key id, signature)`. tlog-checkpoint:
a note of three lines, origin, size and base64 root. tlog-cosignature v1: a witness signs the time
and the checkpoint. All of it is text that can be read, copied and checked by other programs.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.record.merkle import HASH_BYTES

ED25519, COSIGNATURE_V1 = 0x01, 0x04  # signed-note, "Signature types"
DASH = "\N{EM DASH} "
MAX_SIZE = 2**63 - 1
MAX_NOTE_BYTES = 16_384
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class SignsAs(Protocol):
    """Whoever signs notes."""

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """Its key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """Who may sign notes: a name without space or plus, and a public key."""

    name: str
    raw: bytes
    kind: int = ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes before a signature: a hint, no proof."""
        told = self.name.encode() + b"\n" + bytes([self.kind]) + self.raw
        return hashlib.sha256(told).digest()[:4]

    def __str__(self) -> str:
        """As other programs take it ("vkey"): name, key id, kind and key."""
        key = base64.b64encode(bytes([self.kind]) + self.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One signature of a note."""

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text with its signatures."""

    text: str
    signatures: tuple[Signed, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(str(one) for one in self.signatures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a log is, and its root there."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_note(text: str) -> Note:
    """A signed note by its text. ValueError where it is none."""
    if len(text) > MAX_NOTE_BYTES:
        raise ValueError(f"a note of {len(text)} characters")
    if any(ord(sign) < 0x20 and sign != "\n" for sign in text):
        raise ValueError("control characters in a note")
    body, empty, signatures = text.rpartition("\n\n")
    if not empty or not body or not signatures.endswith("\n"):
        raise ValueError("a note has a text, an empty line and signatures")
    lines = signatures[:-1].split("\n")
    return Note(text=body + "\n", signatures=tuple(_read_signature(line) for line in lines))


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint by a note's text; lines after the third are none of ours. ValueError."""
    match text.split("\n"):
        case [origin, size, root, ""] if origin and _SIZE.fullmatch(size):
            number = int(size)
            if number > MAX_SIZE:
                raise ValueError(f"a log of {number} entries")
            return Checkpoint(origin=origin, size=number, root=_bytes(root, HASH_BYTES))
        case _:
            raise ValueError("a checkpoint has three lines: origin, size and root")


def sign(text: str, name: str, private: Ed25519PrivateKey) -> Signed:
    """An Ed25519 signature of a note's text."""
    key = NoteKey(name=_checked(name), raw=private.public_key().public_bytes_raw())
    return Signed(name=name, key_id=key.key_id, data=private.sign(text.encode()))


def cosign(checkpoint: Checkpoint, name: str, private: Ed25519PrivateKey, utc_s: int) -> Signed:
    """A witness's signature: that it knows no other log of that origin, and saw this one then."""
    raw = private.public_key().public_bytes_raw()
    key = NoteKey(name=_checked(name), raw=raw, kind=COSIGNATURE_V1)
    signature = private.sign(_cosigned(checkpoint, utc_s))
    return Signed(name=name, key_id=key.key_id, data=struct.pack(">Q", utc_s) + signature)


def is_signed(note: Note, keys: Sequence[NoteKey]) -> bool:
    """Whether one of these keys has signed the note. A wrong signature of a known key: never."""
    good = False
    for one in note.signatures:
        for key in keys:
            if (key.name, key.key_id, key.kind) == (one.name, one.key_id, ED25519):
                if not _verify(key, one.data, note.text.encode()):
                    return False
                good = True
    return good


def cosigned_utc_s(note: Note, keys: Sequence[NoteKey]) -> int | None:
    """When one of these witnesses cosigned the checkpoint, the latest; None: none did.

    ValueError where the note is no checkpoint.
    """
    checkpoint = read_checkpoint(note.text)
    times = []
    for one in note.signatures:
        for key in keys:
            is_its = (key.name, key.key_id) == (one.name, one.key_id)
            if key.kind != COSIGNATURE_V1 or not is_its or len(one.data) != 8 + 64:
                continue
            (utc_s,) = struct.unpack(">Q", one.data[:8])
            if _verify(key, one.data[8:], _cosigned(checkpoint, utc_s)):
                times.append(int(utc_s))
    return max(times, default=None)


def _cosigned(checkpoint: Checkpoint, utc_s: int) -> bytes:
    return f"cosignature/v1\ntime {utc_s}\n{checkpoint}".encode()


def _verify(key: NoteKey, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read_signature(line: str) -> Signed:
    name, space, data = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not space or not _NAME.fullmatch(name):
        raise ValueError(f"{line[:60]!r} is no signature of a note")
    found = _bytes(data, None)
    if len(found) < 5:
        raise ValueError(f"a signature of {len(found)} bytes")
    return Signed(name=name, key_id=found[:4], data=found[4:])


def _bytes(text: str, size: int | None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{text[:60]!r} is no base64") from None
    if base64.b64encode(data).decode() != text or size not in (None, len(data)):
        raise ValueError(f"{text[:60]!r} are not {size} bytes in base64")
    return data


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can sign no note: no space and no plus")
    return name
