import sqlite3
import threading
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.record import merkle, note
from edge.record.entries import Draft, decode
from edge.record.note import COSIGNATURE_V1, NoteKey
from edge.record.record import Record, RecordError, site_of
from edge.record.witness import (
    Fork,
    Mirror,
    side_key,
    site_key,
    take_cosignature,
    unwitnessed_age_s,
)
from edge.trust import keys

NOW = 1_795_000_000 * 10**9
YEAR_NS = 365 * 86_400 * 10**9


def drafts(n, first=0):
    return [
        Draft(kind="ack", by="north", facts={"alert": f"a{i}"}) for i in range(first, first + n)
    ]


@pytest.fixture
def opened(tmp_path):
    made = []

    def one(name="record.db", site="mariposa", **options):
        made.append(Record(tmp_path / name, site=site, now_utc_ns=lambda: NOW, **options))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture
def signer(tmp_path):
    def one(owner="edge/mariposa", role="edge"):
        return keys.make_signer(
            tmp_path / f"{owner.replace('/', '-')}.pem",
            owner=owner,
            role=role,
            not_before_utc_ns=NOW,
            not_after_utc_ns=NOW + YEAR_NS,
        )

    return one


def key_of(signer):
    return site_key("mariposa", signer.public.raw)


def test_entries_keep_their_order_time_and_bytes(opened):
    record = opened()
    assert record.append(drafts(3)) == range(3)
    assert record.append(drafts(2, 3)) == range(3, 5)
    found = [decode(data) for data in record.entries()]
    assert [one.index for one in found] == [0, 1, 2, 3, 4]
    assert [one.facts["alert"] for one in found] == ["a0", "a1", "a2", "a3", "a4"]
    assert {one.site for one in found} == {"mariposa"}
    assert record.entries(3, 1) == record.entries()[3:4]


def test_it_goes_on_where_it_was(opened):
    record = opened()
    record.append(drafts(7))
    root = record.root()
    record.close()
    again = opened()
    assert (again.size, again.root()) == (7, root)
    again.append(drafts(4, 7))
    proof = again.consistency_proof(7)
    assert merkle.verify_consistency(7, 11, root, again.root(), proof)


def test_roots_and_proofs_are_those_of_a_tree_of_the_entries(opened):
    record = opened()
    for n in (1, 2, 3, 5, 8, 13):
        record.append(drafts(n))
    tree = merkle.Tree()
    for data in record.entries():
        tree.append(merkle.leaf_hash(data))
    assert record.root() == tree.root()
    for index, data in enumerate(record.entries()):
        proof = record.inclusion_proof(index)
        leaf = merkle.leaf_hash(data)
        assert merkle.verify_inclusion(leaf, index, record.size, proof, record.root())


def test_threads_enter_in_some_order_and_nothing_is_lost(opened):
    record = opened()
    all_of_them = [
        threading.Thread(
            target=lambda n=n: [record.append(drafts(1, n * 100 + i)) for i in range(20)]
        )
        for n in range(4)
    ]
    for one in all_of_them:
        one.start()
    for one in all_of_them:
        one.join()
    found = {decode(data).facts["alert"] for data in record.entries()}
    assert found == {f"a{n * 100 + i}" for n in range(4) for i in range(20)}


def test_a_record_of_another_site_is_refused(opened):
    opened().close()
    with pytest.raises(RecordError, match="not of lukeville"):
        opened(site="lukeville")


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM entry WHERE number = 1",
        "DELETE FROM hash WHERE number = 2",
        "DELETE FROM entry WHERE number = 3",
    ],
)
def test_a_damaged_record_is_told_and_kept_as_it_is(opened, tmp_path, harm):
    record = opened()
    record.append(drafts(4))
    record.close()
    with sqlite3.connect(tmp_path / "record.db") as connection:
        connection.execute(harm)
    before = sqlite3.connect(tmp_path / "record.db").execute("SELECT * FROM entry").fetchall()
    with pytest.raises(RecordError, match="damaged"):
        opened()
    after = sqlite3.connect(tmp_path / "record.db").execute("SELECT * FROM entry").fetchall()
    assert before == after


def test_what_is_no_database_is_told(opened, tmp_path):
    (tmp_path / "record.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(RecordError, match="not a database"):
        opened()


def test_a_full_disk_enters_nothing_and_all_of_it_later(small_disk, signer):
    record = Record(small_disk / "record.db", site="mariposa", now_utc_ns=lambda: NOW)
    record.append(drafts(3))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(RecordError, match="check the disk"):
        for _ in range(2_000):
            record.append(drafts(50))
    size, root = record.size, record.root()
    filler.unlink()
    record.append(drafts(1))
    assert record.size == size + 1
    assert record.root(size) == root
    record.close()


def test_a_reader_sees_what_is_there_and_may_change_nothing(opened, tmp_path):
    record = opened()
    record.append(drafts(3))
    reader = opened(read_only=True)
    assert reader.entries() == record.entries()
    with pytest.raises(RecordError):
        reader.append(drafts(1))
    assert site_of(tmp_path / "record.db") == "mariposa"


# --- the other side's copy -------------------------------------------------------------------


def test_a_copy_follows_and_vouches(opened, signer):
    record, edge = opened(), signer()
    north = signer("north", "centre")
    mirror = Mirror(opened("mirror.db"), "north", [key_of(edge)])
    for n in (3, 1, 9):
        record.append(drafts(n))
        told = str(record.signed_checkpoint(edge))
        wanted = mirror.wanted(told)
        mirror.take(told, record.entries(wanted.start, len(wanted)))
        assert mirror.size == record.size
        vouched = mirror.cosign(told, north, NOW)
        witness = NoteKey(name="north", raw=north.public.raw, kind=COSIGNATURE_V1)
        assert note.cosigned_utc_s(vouched, [witness]) == NOW // 10**9
    assert mirror.wanted(told) == range(13, 13)


def test_the_site_keeps_a_sides_word_and_knows_what_has_none(opened, signer):
    record, edge, north = opened(), signer(), signer("north", "centre")
    mirror = Mirror(opened("mirror.db"), "north", [key_of(edge)])
    mine, theirs = [key_of(edge)], [side_key("north", north.public.raw)]
    take = partial(take_cosignature, record, side="north", site_keys=mine, side_keys=theirs)
    assert unwitnessed_age_s(record, "north", NOW) == 0
    record.append(drafts(3))
    assert unwitnessed_age_s(record, "north", NOW + 7 * 10**9) == 7
    told = str(record.signed_checkpoint(edge))
    mirror.take(told, record.entries())
    word = str(mirror.cosign(told, north, NOW))
    assert take(word) == 3
    assert unwitnessed_age_s(record, "north", NOW + 7 * 10**9) == 0
    assert unwitnessed_age_s(record, "south", NOW + 7 * 10**9) == 7
    record.append(drafts(1))
    assert unwitnessed_age_s(record, "north", NOW + 2 * 10**9) == 2
    with pytest.raises(ValueError, match="no key of north"):
        take(told)
    with pytest.raises(ValueError, match="none of mariposa"):
        take(word.replace("mariposa", "lukeville"))
    other = opened("other.db")
    other.append(drafts(2, 40))
    forked = str(other.signed_checkpoint(edge))
    copy = Mirror(opened("copy.db"), "north", mine)
    copy.take(forked, other.entries())
    with pytest.raises(ValueError, match="another record of 2"):
        take(str(copy.cosign(forked, north, NOW)))
    assert record.witnesses()["north"] == (3, NOW, word)


def test_a_copy_is_not_led_astray(opened, signer, tmp_path):
    record, edge = opened(), signer()
    mirror = Mirror(opened("mirror.db"), "north", [key_of(edge)])
    record.append(drafts(4))
    first = str(record.signed_checkpoint(edge))
    mirror.take(first, record.entries())
    other = opened("other.db")
    other.append(drafts(3, 20))
    with pytest.raises(Fork, match="another record"):
        mirror.wanted(str(other.signed_checkpoint(edge)))
    other.append(drafts(3, 50))
    forked = str(other.signed_checkpoint(edge))
    with pytest.raises(Fork, match="another root"):
        mirror.take(forked, other.entries(4, 2))
    with pytest.raises(ValueError, match="the copy does not reach"):
        mirror.cosign(forked, signer("north", "centre"), NOW)
    stranger = signer("edge/lukeville")
    with pytest.raises(ValueError, match="not signed"):
        mirror.wanted(str(record.signed_checkpoint(stranger)))
    assert mirror.size == 4


@settings(max_examples=60)
@given(data=st.data())
def test_any_entry_edited_removed_moved_or_inserted_is_found(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    n = data.draw(st.integers(2, 12))
    record = Record(folder / "r.db", site="mariposa", now_utc_ns=lambda: NOW)
    record.append(drafts(n))
    edge = keys.make_signer(
        folder / "edge.pem",
        owner="edge/mariposa",
        role="edge",
        not_before_utc_ns=NOW,
        not_after_utc_ns=NOW + YEAR_NS,
    )
    told, entries = str(record.signed_checkpoint(edge)), record.entries()
    at = data.draw(st.integers(0, n - 1))
    match data.draw(st.sampled_from(["edited", "removed", "moved", "inserted"])):
        case "edited":
            entries[at] = entries[at].replace(b"a%d" % at, b"b%d" % at)
        case "removed":
            del entries[at]
        case "moved":
            entries.insert(
                data.draw(st.integers(0, n - 1).filter(lambda i: i != at)), entries.pop(at)
            )
        case _:
            entries.insert(at, entries[at])
    mirror = Mirror(
        Record(folder / "m.db", site="mariposa", now_utc_ns=lambda: NOW), "north", [key_of(edge)]
    )
    with pytest.raises((Fork, ValueError)):
        mirror.take(told, entries)
    assert mirror.size == 0
