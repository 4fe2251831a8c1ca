"""A check that cannot fail proves nothing: each thing that can be wrong is found."""

import sqlite3
from contextlib import closing

import pytest

from edge.delivery.centre_store import CentreStore
from edge.delivery.outbox import Outbox, Row
from edge.study.fault_check import Bystander, check, digest, files_of, truth_of


def payload(seq):
    return b"alert %d" % seq


@pytest.fixture
def site(tmp_path):
    """Five alerts, committed, noted and stored."""
    outbox = Outbox(tmp_path / "outbox.db", ["north"], epoch="E")
    outbox.commit(
        [
            Row(
                seq=seq, epoch="E", exercise=False, topic="t", payload=payload(seq),
                active_topic="", active_payload=b"", level=3, created_utc_ns=seq,
            )
            for seq in range(1, 6)
        ]
    )  # fmt: skip
    outbox.close()
    lines = [f"{what} E {seq} {digest(payload(seq))}\n" for seq in range(1, 6) for what in "ic"]
    (tmp_path / "ledger").write_text("".join(lines))
    CentreStore(tmp_path / "centre.db").close()
    write(tmp_path, [(seq, payload(seq)) for seq in range(1, 6)])
    return tmp_path


def write(folder, rows, also=""):
    with closing(sqlite3.connect(folder / "centre.db")) as connection, connection:
        connection.execute("DELETE FROM alert")
        connection.executemany(
            "INSERT INTO alert (site, epoch, seq, topic, payload, stored_utc_ns)"
            " VALUES ('mariposa', 'E', ?, 't', ?, 0)",
            rows,
        )
        connection.executescript(also)


def look(folder, bystander=None, files=frozenset()):
    truth = truth_of(folder / "ledger", folder / "outbox.db")
    return check(folder / "centre.db", truth, set(files), bystander or Bystander())


def test_what_is_whole_is_whole(site):
    found = look(site)
    assert found.kept
    assert (found.committed, found.stored) == (5, 5)
    assert files_of(site / "outbox.db") == set()


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([1, 2, 4, 5], {"lost": 1}),
        ([1, 3, 2, 4, 5], {"out_of_order": 1}),
        ([5, 4, 3, 2, 1], {"out_of_order": 4}),
        ([], {"lost": 5}),
    ],
)
def test_loss_and_disorder_are_found(site, rows, wrong):
    write(site, [(seq, payload(seq)) for seq in rows])
    found = look(site)
    assert not found.kept
    for name, count in wrong.items():
        assert getattr(found, name) == count


def test_a_changed_one_and_a_foreign_one_are_found(site):
    write(site, [(1, b"other"), *((seq, payload(seq)) for seq in range(2, 6))])
    assert look(site).changed == 1
    write(
        site,
        [(seq, payload(seq)) for seq in range(1, 6)],
        "INSERT INTO alert (site, epoch, seq, topic, payload, stored_utc_ns)"
        " VALUES ('mariposa', 'F', 5, 't', x'00', 0)",
    )
    found = look(site)
    assert (found.foreign, found.kept) == (1, False)


def test_a_gap_and_a_missing_file_are_found(site):
    rows = [(seq, payload(seq)) for seq in range(1, 6)]
    write(site, rows, "INSERT INTO gap VALUES ('mariposa', 'E', 2, 4)")
    assert look(site).gaps == 1
    assert not look(site, files={"ab"}).kept


def test_what_the_outbox_lost_is_lost_though_it_says_nothing_of_it(site):
    with (site / "ledger").open("a") as ledger:
        ledger.write(f"c F 6 {digest(b'x')}\n")
    assert look(site).lost == 1


def test_what_a_kill_left_open_is_whatever_the_outbox_says(site):
    lines = (site / "ledger").read_text().splitlines(keepends=True)
    (site / "ledger").write_text("".join(lines[:-1]) + f"i E 6 {digest(b'never came')}\n")
    assert look(site).kept


@pytest.mark.parametrize("line", ["c E 3 0000000000000000\n", ""])
def test_a_number_with_two_payloads_and_one_that_nobody_meant_are_no_truth(site, line):
    lines = (site / "ledger").read_text().splitlines(keepends=True)
    (site / "ledger").write_text("".join(lines[: -2 if not line else None]) + line)
    with pytest.raises(ValueError, match=r"payload|nobody meant"):
        look(site)


def test_a_duplicate_is_one_only_where_it_has_the_same_bytes(site):
    bystander = Bystander()
    for data in (b"a", b"a", b"b"):
        bystander.note("E", 1, data)
    bystander.note("E", 2, b"b")
    found = look(site, bystander)
    assert (found.wire, found.wire_again, found.wire_differing) == (4, 2, 1)
    assert not found.kept
