"""Merkle trees of RFC 6962 (hashing) and RFC 9162 (proofs), without a store of their own.

A tree of N leaves is told by its root. An inclusion proof shows with log2 N hashes that a leaf is
at its place; a consistency proof that a tree begins with all that an earlier one had. Hashes of
complete subtrees are read through a function, so a proof of a million leaves reads some hundred.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
HashAt = Callable[[int, int], bytes]
"""(level, index) of a complete subtree of 2**level leaves that begins at leaf index * 2**level."""


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, section 2.1: no leaf can be taken for a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The same of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed(size: int, leaf: bytes, hash_at: HashAt) -> Iterator[tuple[int, int, bytes]]:
    """(level, index, hash) of every subtree that a new leaf completes, itself first.

    size  leaves before it
    leaf  its hash
    """
    level, index, found = 0, size, leaf
    yield level, index, found
    while index & 1:
        found = node_hash(hash_at(level, index - 1), found)
        level, index = level + 1, index >> 1
        yield level, index, found


def place(level: int, index: int) -> int:
    """Where a complete subtree stands among all, in the order in which they were completed.

    So hashes are only ever added behind the last; `place(0, n)` is how many n leaves have.
    """
    last = ((index + 1) << level) - 1  # the leaf that completes it
    return 2 * last - last.bit_count() + level


def root(size: int, hash_at: HashAt) -> bytes:
    """The root of the first `size` leaves."""
    return _subtree(0, size, hash_at) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """RFC 9162, section 2.1.3.1. ValueError where the tree has no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, hash_at))
            end = middle
        else:
            path.append(_subtree(start, middle, hash_at))
            start = middle
    return path[::-1]


def consistency_proof(old: int, size: int, hash_at: HashAt) -> list[bytes]:
    """RFC 9162, section 2.1.4.1. ValueError where the old tree is empty or larger."""
    if not 0 < old <= size:
        raise ValueError(f"no proof from {old} leaves to {size}")
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, hash_at))
            end = middle
        else:
            path.append(_subtree(start, middle, hash_at))
            start, whole = middle, False
    if not whole:
        path.append(_subtree(start, end, hash_at))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """RFC 9162, section 2.1.3.2: whether a leaf of that hash is there."""
    if not 0 <= index < size:
        return False
    first, last, found = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(other, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, other)
        first, last = first >> 1, last >> 1
    return last == 0 and found == expected_root


def verify_consistency(
    old: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """RFC 9162, section 2.1.4.2: whether the new tree begins with the old one."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    was = now = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            was, now = node_hash(other, was), node_hash(other, now)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            now = node_hash(now, other)
        first, last = first >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


class Peaks:
    """A tree that only grows and tells its root: of a log read once, in no memory to speak of."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: dict[int, bytes] = {}

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        for level, index, found in completed(self.size, leaf, self._hash_at):
            if not index & 1:  # its right brother will ask for it
                self._peaks[level] = found
        self.size += 1

    def root(self) -> bytes:
        """Of all so far."""
        return root(self.size, self._hash_at)

    def _hash_at(self, level: int, _index: int) -> bytes:
        return self._peaks[level]


class Tree:
    """A tree in memory, for who has all leaves at hand."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = []
        self.size = 0

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        for level, _, found in completed(self.size, leaf, self.hash_at):
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(found)
        self.size += 1

    def hash_at(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree. IndexError."""
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """Of the first so many leaves; of all."""
        return root(self.size if size is None else size, self.hash_at)


def _subtree(start: int, end: int, hash_at: HashAt) -> bytes:
    """Hash of leaves from `start`, which is aligned, to `end`: peaks joined from the right."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(hash_at(level, start >> level))
        start += 1 << level
    found = peaks.pop()
    while peaks:
        found = node_hash(peaks.pop(), found)
    return found


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << ((size - 1).bit_length() - 1)
