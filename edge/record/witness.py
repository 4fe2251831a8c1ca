"""A centre's copy of a site's record, and its word for it.

A centre takes the entries themselves, so it holds all that it vouches for. Before it says so it has
them on disk; it never vouches for a record that does not begin with what it holds.
"""

from collections.abc import Sequence

from edge.protocol.messages import utc_ns as utc_ns_of
from edge.record import merkle
from edge.record.entries import decode
from edge.record.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Note,
    NoteKey,
    SignsAs,
    cosign,
    cosigned_utc_s,
    is_signed,
    read_checkpoint,
    read_note,
)
from edge.record.record import Record, origin_of

SECOND_NS = 1_000_000_000


class Fork(Exception):  # noqa: N818 - says what was found
    """A record that is not the one that was vouched for: evidence, to be kept and told."""


class Mirror:
    """One side's copy of one site's record."""

    def __init__(self, record: Record, side: str, keys: Sequence[NoteKey]) -> None:
        """`keys`: who may sign the site's checkpoints."""
        self._record = record
        self._side = side
        self._keys = tuple(keys)

    @property
    def size(self) -> int:
        """Entries that are here and proven."""
        return self._record.size

    def wanted(self, note_text: str) -> range:
        """Which entries to ask for, by a checkpoint that the site has published.

        ValueError where it is no checkpoint of the site signed by its key; Fork where it is, and
        contradicts what is here.
        """
        checkpoint = self._read(note_text)
        here = self._record.size
        if checkpoint.size < here:
            if checkpoint.root != self._record.root(checkpoint.size):
                raise Fork(f"{checkpoint.origin}: another record of {checkpoint.size} entries")
            return range(here, here)  # an old one, told again
        if checkpoint.size == here and checkpoint.root != self._record.root():
            raise Fork(f"{checkpoint.origin}: another record of {here} entries")
        return range(here, checkpoint.size)

    def take(self, note_text: str, entries: Sequence[bytes]) -> None:
        """Store the entries that bring the copy to that checkpoint, if they do.

        ValueError where they are too few or too many; Fork where the signed root is not theirs.
        """
        wanted = self.wanted(note_text)
        if len(entries) != len(wanted):
            raise ValueError(f"{len(entries)} entries, {len(wanted)} wanted")
        if not entries:
            return
        checkpoint = self._read(note_text)
        if self._root_with(entries) != checkpoint.root:
            raise Fork(f"{checkpoint.origin}: entries from {wanted.start} on have another root")
        self._record.append_bytes(entries)

    def cosign(self, note_text: str, signer: SignsAs, utc_ns: int) -> Note:
        """Vouch for a checkpoint that the copy has reached; on disk first.

        ValueError, Fork, RecordError.
        """
        if self.wanted(note_text):
            raise ValueError("the copy does not reach so far")
        note, checkpoint = read_note(note_text), self._read(note_text)
        if checkpoint.size != self._record.size:
            raise ValueError("an old checkpoint")
        own = cosign(checkpoint, self._side, signer.private_key, utc_ns // SECOND_NS)
        vouched = Note(text=note.text, signatures=(*note.signatures, own))
        self._record.store_witness(self._side, checkpoint.size, utc_ns, str(vouched))
        return vouched

    def _root_with(self, entries: Sequence[bytes]) -> bytes:
        new: dict[tuple[int, int], bytes] = {}

        def hash_at(level: int, index: int) -> bytes:
            return new.get((level, index)) or self._record.hash_at(level, index)

        size = self._record.size
        for data in entries:
            for level, index, found in merkle.completed(size, merkle.leaf_hash(data), hash_at):
                new[level, index] = found
            size += 1
        return merkle.root(size, hash_at)

    def _read(self, note_text: str) -> Checkpoint:
        note = read_note(note_text)
        checkpoint = read_checkpoint(note.text)
        if checkpoint.origin != origin_of(self._record.site):
            raise ValueError(f"a checkpoint of {checkpoint.origin!r}")
        if not is_signed(note, self._keys):
            raise ValueError(f"{checkpoint.origin}: not signed by a key of the site")
        return checkpoint


def site_key(site: str, raw: bytes) -> NoteKey:
    """The key of a site's checkpoints."""
    return NoteKey(name=origin_of(site), raw=raw, kind=ED25519)


def take_cosignature(
    record: Record,
    note_text: str,
    *,
    side: str,
    site_keys: Sequence[NoteKey],
    side_keys: Sequence[NoteKey],
) -> int:
    """Keep a side's word for the site's own record; the size that it vouches for now.

    An older word than is here is no news. ValueError where it is no such word: not of this record,
    not signed by the site, not cosigned by the side, or of a record that never was so. RecordError.
    """
    note = read_note(note_text)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != origin_of(record.site) or not is_signed(note, site_keys):
        raise ValueError(f"{side} cosigned a checkpoint that is none of {record.site}")
    utc_s = cosigned_utc_s(note, side_keys)
    if utc_s is None:
        raise ValueError(f"no key of {side} has cosigned it")
    if checkpoint.root != record.root(checkpoint.size):
        raise ValueError(f"{side} cosigned another record of {checkpoint.size} entries")
    known = record.witnesses().get(side)
    if known is not None and known[0] >= checkpoint.size:
        return known[0]
    record.store_witness(side, checkpoint.size, utc_s * SECOND_NS, note_text)
    return checkpoint.size


def unwitnessed_age_s(record: Record, side: str, now_utc_ns: int) -> float:
    """Age of the oldest entry that a side has not cosigned; 0 where it has cosigned all."""
    size = record.witnesses().get(side, (0, 0, ""))[0]
    waiting = record.entries(size, 1)
    if not waiting:
        return 0.0
    return max(0.0, (now_utc_ns - utc_ns_of(decode(waiting[0]).time)) / SECOND_NS)


def side_key(side: str, raw: bytes) -> NoteKey:
    """The key of a side's cosignatures."""
    return NoteKey(name=side, raw=raw, kind=COSIGNATURE_V1)
