"""The common record against another's code: tlog-scales, which knows nothing of Garita.

It reads notes, keys, tiles and proofs as the C2SP specifications and RFC 9162 have them, so what
it takes, any verifier of a partner's own choice takes.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales import signing, tiles, tlog
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from edge.record.entries import Draft
from edge.record.record import Record, origin_of
from edge.record.witness import Mirror, side_key, site_key
from edge.trust import keys

NOW_UTC_NS = 1_795_000_000 * 10**9
YEAR_NS = 365 * 86_400 * 10**9
SITE = "mariposa"
EARLIER, ENTRIES = 300, 500  # more than a tile of 256, and a part of the next


class Told:
    """A record as its site and both sides tell it: text and bytes, nothing of our types."""

    def __init__(self, folder):
        made = [
            keys.make_signer(
                folder / f"{role}-{owner.replace('/', '-')}.pem",
                owner=owner,
                role=role,
                not_before_utc_ns=NOW_UTC_NS,
                not_after_utc_ns=NOW_UTC_NS + YEAR_NS,
            )
            for owner, role in ((f"edge/{SITE}", "edge"), ("north", "centre"), ("south", "centre"))
        ]
        raw = [one.private_key.public_key().public_bytes_raw() for one in made]
        site, *_ = made
        self.vkeys = [
            str(site_key(SITE, raw[0])),
            *(
                str(side_key(side, one))
                for side, one in zip(("north", "south"), raw[1:], strict=True)
            ),
        ]
        record = _opened(folder / "record.db")
        _fill(record, EARLIER)
        self.earlier = str(record.signed_checkpoint(site))
        _fill(record, ENTRIES - EARLIER)
        told = str(record.signed_checkpoint(site))
        self.entries = record.entries(0, ENTRIES)
        for side, signer in zip(("north", "south"), made[1:], strict=True):
            copy = _opened(folder / f"{side}.db")
            mirror = Mirror(copy, side, (site_key(SITE, raw[0]),))
            mirror.take(told, self.entries)
            told = str(mirror.cosign(told, signer, NOW_UTC_NS))
            copy.close()
        self.checkpoint = told
        self.inclusion = [record.inclusion_proof(i, ENTRIES) for i in range(ENTRIES)]
        self.consistency = record.consistency_proof(EARLIER, ENTRIES)
        record.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return Told(tmp_path_factory.mktemp("told"))


def _opened(path):
    return Record(path, site=SITE, now_utc_ns=lambda: NOW_UTC_NS)


def _fill(record, count):
    first = record.size
    record.append(
        [
            Draft(
                kind="ack", by="north", place="nb-01", facts={"alert": f"01JD{i}", "note": "niño"}
            )
            for i in range(first, first + count)
        ]
    )


def _root_of(entries, folder):
    """What another's builder of tiles has as the root of these entries."""
    writer = TilesWriter.create(folder, origin_of(SITE))
    for data in entries:
        writer.add_leaf(data)
    writer.commit([signing.DummySigner("builder", 1)])
    reader = TilesReader(writer.reader.backend)
    reader.get_checkpoint()
    return reader.calculate_root_hash()


def _verified(text, vkeys):
    """Names of the keys that have signed a checkpoint."""
    checkpoint = tlog.Checkpoint.from_text(text)
    known = signing.VkeySet(*(signing.Vkey.from_string(one) for one in vkeys))
    return {key.name for key, _ in known.verify(checkpoint.signatures, checkpoint)}


def test_another_reads_the_checkpoint_and_both_sides_word_for_it(told):
    checkpoint = tlog.Checkpoint.from_text(told.checkpoint)
    assert (checkpoint.origin, checkpoint.size) == (origin_of(SITE), ENTRIES)
    assert checkpoint.serialize() == told.checkpoint
    assert _verified(told.checkpoint, told.vkeys) == {origin_of(SITE), "north", "south"}
    assert _verified(told.earlier, told.vkeys) == {origin_of(SITE)}


def test_another_builds_the_same_tree_from_the_entries(told, tmp_path):
    root_hash = tlog.Checkpoint.from_text(told.checkpoint).root_hash
    assert _root_of(told.entries, tmp_path / "tiles") == root_hash


def test_another_finds_every_entry_at_its_place(told):
    root_hash = tlog.Checkpoint.from_text(told.checkpoint).root_hash
    for index, (data, proof) in enumerate(zip(told.entries, told.inclusion, strict=True)):
        tlog.InclusionProof(index, ENTRIES, proof).check(tiles.leaf_hash(data), root_hash)


def test_another_finds_that_the_record_only_grew(told):
    old, new = (tlog.Checkpoint.from_text(text) for text in (told.earlier, told.checkpoint))
    tlog.ConsistencyProof(old.size, new.size, told.consistency).check(old.root_hash, new.root_hash)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_another_finds_an_entry_edited_removed_moved_or_added(told, tmp_path_factory, data):
    index = data.draw(st.integers(0, ENTRIES - 2), label="entry")
    entries = list(told.entries)
    match data.draw(st.sampled_from(["edit", "remove", "swap", "add"]), label="what is done"):
        case "edit":
            at = data.draw(st.integers(0, len(entries[index]) - 1), label="byte")
            forged = bytearray(entries[index])
            forged[at] ^= 1
            entries[index] = bytes(forged)
        case "remove":
            del entries[index]
        case "swap":
            entries[index : index + 2] = entries[index : index + 2][::-1]
        case "add":
            entries.insert(index, entries[index])
    root_hash = tlog.Checkpoint.from_text(told.checkpoint).root_hash
    assert _root_of(entries, tmp_path_factory.mktemp("forged") / "tiles") != root_hash
    if entries[index] != told.entries[index]:
        proof = tlog.InclusionProof(index, ENTRIES, told.inclusion[index])
        with pytest.raises(tlog.InclusionProofInvalid):
            proof.check(tiles.leaf_hash(entries[index]), root_hash)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_another_takes_no_signature_of_a_changed_checkpoint(told, line):
    lines, earlier = told.checkpoint.split("\n"), told.earlier.split("\n")
    lines[line] = "garita/nogales" if line == 0 else earlier[line]
    assert _verified("\n".join(lines), told.vkeys) == set()


def test_another_finds_a_record_that_was_not_grown_from_the_one_vouched_for(told):
    old, new = (tlog.Checkpoint.from_text(text) for text in (told.earlier, told.checkpoint))
    proof = tlog.ConsistencyProof(old.size, new.size, told.consistency)
    with pytest.raises(tlog.ConsistencyProofInvalid):
        proof.check(tiles.leaf_hash(b"another"), new.root_hash)
    with pytest.raises(tlog.ConsistencyProofInvalid):
        proof.check(old.root_hash, tiles.leaf_hash(b"another"))
