"""Against RFC 6962 as it is written: recursion over lists of leaves."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.record import merkle
from edge.record.merkle import Tree

# The leaves and roots that implementations of certificate transparency are tested with.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def tree_of(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.append(merkle.leaf_hash(leaf))
    return tree


def numbered(n):
    return [b"%d" % i for i in range(n)]


def test_roots_are_the_published_ones():
    for n, expected in enumerate(ROOTS, 1):
        assert tree_of(LEAVES[:n]).root().hex() == expected == mth(LEAVES[:n]).hex()


def test_the_empty_tree_has_its_root():
    assert Tree().root() == mth([])


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_inclusion_is_that_of_the_twin(drawn):
    index, n = drawn
    leaves = numbered(n)
    tree = tree_of(leaves)
    proof = merkle.inclusion_proof(index, n, tree.hash_at)
    assert proof == path(index, leaves)
    leaf = merkle.leaf_hash(leaves[index])
    assert merkle.verify_inclusion(leaf, index, n, proof, tree.root())


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_consistency_is_that_of_the_twin(drawn):
    old, n = drawn
    tree = tree_of(numbered(n))
    proof = merkle.consistency_proof(old, n, tree.hash_at)
    assert proof == subproof(old, numbered(n), True)
    assert merkle.verify_consistency(old, n, tree.root(old), tree.root(), proof)


@given(st.data())
def test_no_other_leaf_place_size_or_proof_is_taken(data):
    n = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, n - 1))
    tree = tree_of(numbered(n))
    proof = merkle.inclusion_proof(index, n, tree.hash_at)
    leaf, root = merkle.leaf_hash(b"%d" % index), tree.root()
    other = data.draw(st.integers(0, n - 1).filter(lambda i: i != index))
    assert not merkle.verify_inclusion(leaf, other, n, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"x"), index, n, proof, root)
    assert not merkle.verify_inclusion(leaf, index, n, [*proof, root], root)
    assert not merkle.verify_inclusion(leaf, index, n, proof[:-1], root)
    at = data.draw(st.integers(0, len(proof) - 1))
    broken = [*proof[:at], merkle.leaf_hash(proof[at]), *proof[at + 1 :]]
    assert not merkle.verify_inclusion(leaf, index, n, broken, root)


@given(st.data())
def test_no_other_history_is_consistent(data):
    n = data.draw(st.integers(2, 40))
    old = data.draw(st.integers(1, n - 1))
    leaves = numbered(n)
    tree = tree_of(leaves)
    proof = merkle.consistency_proof(old, n, tree.hash_at)
    at = data.draw(st.integers(0, old - 1))
    forged = tree_of([*leaves[:at], b"forged", *leaves[at + 1 :]])
    assert not merkle.verify_consistency(old, n, forged.root(old), tree.root(), proof)
    theirs = merkle.consistency_proof(old, n, forged.hash_at)
    assert not merkle.verify_consistency(old, n, tree.root(old), forged.root(), theirs)
    assert not merkle.verify_consistency(old, n, tree.root(old), tree.root(), proof[:-1])


def test_what_is_not_there_has_no_proof():
    tree = tree_of(numbered(5))
    for call, values in (
        (merkle.inclusion_proof, (5, 5)),
        (merkle.inclusion_proof, (-1, 5)),
        (merkle.consistency_proof, (0, 5)),
        (merkle.consistency_proof, (6, 5)),
    ):
        with pytest.raises(ValueError, match="no "):
            call(*values, tree.hash_at)


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_peaks_have_the_roots_of_the_recursion(leaves):
    peaks = merkle.Peaks()
    for n, leaf in enumerate(leaves):
        assert peaks.root() == mth(leaves[:n])
        peaks.append(merkle.leaf_hash(leaf))
    assert peaks.root() == mth(leaves)


@given(st.integers(0, 300))
def test_subtrees_stand_in_the_order_in_which_they_are_completed(n):
    places = [
        merkle.place(level, index)
        for size in range(n)
        for level, index, _ in merkle.completed(size, b"", lambda level, index: b"")
    ]
    assert places == list(range(merkle.place(0, n)))
