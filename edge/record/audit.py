"""Whether a record is what was signed: every entry, its place, who vouches for it, what is open.

Pure reading: what somebody carried goes in, findings come out, in words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from edge.protocol.messages import rfc3339
from edge.record import merkle
from edge.record.carried import Carried, newest, note_key
from edge.record.entries import Entry, decode, encode
from edge.record.note import (
    COSIGNATURE_V1,
    Checkpoint,
    Note,
    NoteKey,
    cosigned_utc_s,
    is_signed,
    read_checkpoint,
    read_note,
)
from edge.record.record import origin_of
from edge.record.sequence import Sequences
from edge.trust.keys import Keyring, PublicKey

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit says."""

    kind: Literal["proven", "open", "wrong"]
    text: str
    index: int | None = None
    """The first entry that it is about, where one can be told."""


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What reading the entries once has shown."""

    size: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    """At the sizes that checkpoints have."""
    last_time: dict[int, str] = field(default_factory=dict)
    """When the last entry before each of them was entered."""
    wrong: Finding | None = None
    sequences: Sequences = field(default_factory=Sequences)
    set_back: list[int] = field(default_factory=list)
    gaps: int = 0


def audit(
    carried: Carried, keyring: Keyring | None = None, against: Sequence[Carried] = ()
) -> list[Finding]:
    """All that can be said of a record; `wrong` first. RecordError, OSError: cannot be read.

    keyring  whom the reader believes; without it the keys that came along, and that is said
    against  older or other copies of the same record
    """
    last = newest(carried.notes)
    if last is None:
        return [Finding(kind="wrong", text="no signed checkpoint: nothing shows what it was")]
    _, checkpoint = last
    site = checkpoint.origin.removeprefix("garita/")
    notes = [*carried.notes, *(note for other in against for note in other.notes)]
    read, findings = _read_notes(notes, checkpoint.origin)
    walk = _walk(carried, checkpoint, site, {one.size for _, _, one in read})
    if walk.wrong:
        findings.append(walk.wrong)
    findings += _places(carried, walk, checkpoint, site)
    findings += _roots(read, walk)
    findings += _signers(read, walk, site, keyring or carried.keyring)
    findings += [one for other in against for one in _against(carried, other)]
    findings += _said(walk)
    if keyring is None and carried.keyring is not None:
        findings.append(_open("the keys came with the record: compare them with your own (--keys)"))
    findings.append(_open("nothing here can show what happened and was never entered"))
    order = ("wrong", "proven", "open")
    return sorted(findings, key=lambda one: order.index(one.kind))


def _read_notes(
    notes: Sequence[tuple[str, str]], origin: str
) -> tuple[list[tuple[str, Note, Checkpoint]], list[Finding]]:
    read, findings = [], []
    for name, text in notes:
        try:
            note = read_note(text)
            checkpoint = read_checkpoint(note.text)
            if checkpoint.origin != origin:
                raise ValueError(f"it is of {checkpoint.origin!r}, not of {origin!r}")
        except ValueError as error:
            findings.append(_wrong(f"{name}: {error}"))
        else:
            read.append((name, note, checkpoint))
    return read, findings


def _walk(carried: Carried, checkpoint: Checkpoint, site: str, sizes: set[int]) -> _Walk:
    """Read the entries up to the first that is wrong."""
    walk, peaks, before = _Walk(), merkle.Peaks(), ""
    trusted = _hashes_fit(carried, checkpoint)
    hashes = carried.hashes() if trusted else iter(())
    for index, (line, told) in enumerate(zip_longest(carried.lines(), hashes)):
        if index in sizes:
            walk.roots[index], walk.last_time[index] = peaks.root(), before
        leaf = merkle.leaf_hash(line or b"")
        try:
            entry = _entry(line, index, site)
            if trusted and index < checkpoint.size and leaf != told:
                raise ValueError("it was edited: it is not the one that was signed")
        except ValueError as error:
            walk.wrong = _wrong(f"entry {index}: {error}", index)
            return walk
        peaks.append(leaf)
        walk.size = index + 1
        walk.sequences.take(entry)
        walk.gaps += entry.kind == "gap"
        if entry.time < before:  # of one form, so that the order of text is that of time
            walk.set_back.append(index)
        before = entry.time
    if walk.size in sizes:
        walk.roots[walk.size], walk.last_time[walk.size] = peaks.root(), before
    if not trusted and walk.roots.get(checkpoint.size) == checkpoint.root:
        walk.wrong = _wrong("the list of hashes was altered; the entries are as they were signed")
    return walk


def _hashes_fit(carried: Carried, checkpoint: Checkpoint) -> bool:
    """Whether the told hashes are those of the checkpoint: then they show which entry is not."""
    peaks = merkle.Peaks()
    for told in carried.hashes():
        if peaks.size == checkpoint.size:
            break
        peaks.append(told)
    return peaks.size == checkpoint.size and peaks.root() == checkpoint.root


def _entry(line: bytes | None, index: int, site: str) -> Entry:
    if not line:
        raise ValueError("it is not there")
    try:
        entry = decode(line)
    except ValueError as error:
        raise ValueError(f"it is no entry ({error})") from None
    if entry.index > index:
        raise ValueError(f"it is not there, entry {entry.index} stands in its place")
    if entry.index < index:
        raise ValueError(f"in its place stands another entry {entry.index}, inserted or moved")
    if entry.site != site:
        raise ValueError(f"it is of {entry.site}, not of {site}")
    if encode(entry) != line:
        raise ValueError("it was rewritten: these are not the bytes of an entry")
    return entry


def _places(carried: Carried, walk: _Walk, checkpoint: Checkpoint, site: str) -> Iterator[Finding]:
    if walk.wrong and walk.wrong.index is not None:
        return
    if walk.size < checkpoint.size:
        missing = f"{walk.size:,} entries, {checkpoint.size:,} were signed"
        yield _wrong(f"the last ones were removed: {missing}", walk.size)
    elif walk.size > checkpoint.size and carried.ends_signed:
        yield _wrong("more entries than were signed", checkpoint.size)
    elif walk.roots.get(checkpoint.size) == checkpoint.root:
        text = f"{checkpoint.size:,} entries of {site}, each as it was signed and at its place"
        yield _proven(text)
        if walk.size > checkpoint.size:
            yield _open(f"{walk.size - checkpoint.size:,} newer entries that nobody has signed yet")


def _roots(read: Sequence[tuple[str, Note, Checkpoint]], walk: _Walk) -> Iterator[Finding]:
    """Each checkpoint, oldest first: whether the record begins with what it vouches for."""
    good = {one.size for _, _, one in read if walk.roots.get(one.size) == one.root}
    for name, _, one in sorted(read, key=lambda one: one[2].size):
        size = f"{one.size:,} entries"
        if walk.roots.get(one.size) == one.root:
            yield _proven(f"{name}: its {size} are the first {one.size:,} of these")
        elif one.size in good:
            yield _wrong(f"{name}: another record of {size}; there are two, signed both")
        elif one.size in walk.roots:
            first = max((each for each in good if each < one.size), default=0)
            yield _wrong(f"{name}: one of entries {first} to {one.size - 1} is not what was signed")
        elif not walk.wrong:
            yield _open(f"{name}: it vouches for {size}, not all of them are here")


def _signers(
    read: Sequence[tuple[str, Note, Checkpoint]], walk: _Walk, site: str, keyring: Keyring | None
) -> Iterator[Finding]:
    if keyring is None:
        yield _open("who signed: there is no keyring (--keys)")
        return
    known = [(key, found) for key in keyring.keys if (found := note_key(key, site)) is not None]
    vouched: dict[str, tuple[int, int]] = {}
    for name, note, checkpoint in read:
        yield _site_signature(name, note, known, walk.last_time.get(checkpoint.size, ""), site)
        for one in note.signatures:
            for key, found in known:
                if found.kind != COSIGNATURE_V1 or one.key_id != found.key_id:
                    continue
                utc_s = cosigned_utc_s(Note(text=note.text, signatures=(one,)), [found])
                if utc_s is None or not _valid(key, utc_s * SECOND_NS):
                    yield _wrong(f"{name}: what stands for {key.owner}'s cosignature is none")
                elif walk.roots.get(checkpoint.size) == checkpoint.root:
                    told = vouched.get(key.owner, (-1, 0))
                    vouched[key.owner] = max(told, (checkpoint.size, utc_s))
    for side in ("north", "south"):
        if side not in vouched:
            yield _open(f"{side} vouches for nothing of it here")
            continue
        size, utc_s = vouched[side]
        yield _proven(f"{side} vouched for the first {size:,} on {rfc3339(utc_s * SECOND_NS)}")
        if size < walk.size:
            yield _open(f"{walk.size - size:,} newer entries that {side} has not vouched for here")


def _site_signature(
    name: str, note: Note, known: Sequence[tuple[PublicKey, NoteKey]], last_time: str, site: str
) -> Finding:
    for key, found in known:
        if found.name == origin_of(site) and is_signed(note, [found]):
            if last_time < rfc3339(key.not_after_utc_ns):
                return _proven(f"{name}: signed by {key.owner} with key {key.key_id}")
            return _wrong(f"{name}: signed with key {key.key_id}, which had expired")
    return _wrong(f"{name}: no key of edge/{site} in the keyring has signed it")


def _valid(key: PublicKey, at_utc_ns: int) -> bool:
    # A cosignature has whole seconds, and may be of the second in which its key began.
    return key.not_before_utc_ns - SECOND_NS < at_utc_ns < key.not_after_utc_ns


def _against(carried: Carried, other: Carried) -> Iterator[Finding]:
    """Two copies, entry by entry, as far as the shorter goes."""
    same = 0
    for mine, theirs in zip(carried.lines(), other.lines(), strict=False):
        if mine != theirs:
            yield _wrong(f"entry {same}: {other.name} has another one there", same)
            return
        same += 1
    if same:
        yield _proven(f"{other.name} has the same first {same:,} entries")


def _said(walk: _Walk) -> Iterator[Finding]:
    """What the entries themselves show of what is missing."""
    if walk.wrong is None or walk.wrong.index is None:
        yield from (_wrong(text, index) for text, index in walk.sequences.wrong())
        alerts = walk.sequences.count
        if alerts and not list(walk.sequences.wrong()):
            yield _proven(f"{alerts:,} alerts, their numbers without a gap")
    if walk.set_back:
        times = f"{len(walk.set_back):,} times"
        yield _open(f"the clock went back {times}: the order is proven, the times are not",
                    walk.set_back[0])  # fmt: skip
    if walk.gaps:
        yield _open(f"{walk.gaps:,} entries say that records of a sensor never came")


def _wrong(text: str, index: int | None = None) -> Finding:
    return Finding(kind="wrong", text=text, index=index)


def _proven(text: str) -> Finding:
    return Finding(kind="proven", text=text)


def _open(text: str, index: int | None = None) -> Finding:
    return Finding(kind="open", text=text, index=index)
