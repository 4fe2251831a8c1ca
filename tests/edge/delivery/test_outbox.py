import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edge.delivery.outbox import ORIGIN, Limits, Mark, Outbox, OutboxError, Row

SIDES = ("north", "south")
SECOND_NS = 1_000_000_000


def rows(outbox, count, *, size=10, created_utc_ns=0, active=True):
    return [
        Row(
            seq=seq,
            epoch=outbox.epoch,
            exercise=seq % 2 == 0,
            topic="garita/v1/s/nb-01/alert",
            payload=bytes([seq % 256]) * size,
            active_topic=f"garita/v1/s/nb-01/active/{seq}" if active else "",
            active_payload=b"now",
            level=3,
            created_utc_ns=created_utc_ns + seq,
            properties=(("schema", "garita.alert/1"), ("seq", str(seq))),
        )
        for seq in range(outbox.last_seq + 1, outbox.last_seq + 1 + count)
    ]


@pytest.fixture
def opened(tmp_path):
    """Opens the outbox of this test again and again, closing the one before."""
    boxes = []

    def reopen(sides=SIDES, **options):
        if boxes:
            boxes[-1].close()
        boxes.append(Outbox(tmp_path / "state" / "outbox.db", sides, **options))
        return boxes[-1]

    yield reopen
    for box in boxes:
        box.close()


def test_a_row_comes_back_as_it_was_committed(opened):
    box = opened()
    made = rows(box, 3)
    box.commit(made)
    assert box.pending("north", 0, 10) == made
    assert box.pending("south", 1, 1) == [made[1]]
    assert opened().pending("north", 0, 10) == made


def test_the_sequence_has_no_gap_across_boots_and_every_boot_is_an_epoch(opened):
    seen = []
    for _ in range(3):
        box = opened()
        box.commit(rows(box, 2))
        seen.append(box.epoch)
    assert box.last_seq == 6
    assert seen == sorted(set(seen))  # a ULID grows with time
    assert all(len(epoch) == 26 for epoch in seen)
    assert [box.epoch_of(seq) for seq in range(8)] == [
        "", seen[0], seen[0], seen[1], seen[1], seen[2], seen[2], "",
    ]  # fmt: skip
    assert box.knows(Mark(epoch=seen[1], seq=4))
    assert box.knows(ORIGIN)
    assert not box.knows(Mark(epoch=seen[1], seq=5))
    assert not box.knows(Mark(epoch="someone else's", seq=1))


def test_a_number_out_of_turn_is_refused(opened):
    box = opened()
    first, second = rows(box, 2)
    with pytest.raises(ValueError, match="next sequence number is 1"):
        box.commit([second])
    with pytest.raises(ValueError, match="next sequence number is 1"):
        box.commit([first, first])
    box.commit([first])
    with pytest.raises(ValueError, match="next sequence number is 2"):
        box.commit([first])
    assert box.last_seq == 1


def test_each_side_is_done_on_its_own(opened):
    box = opened()
    box.commit(rows(box, 5))
    box.store_cursor("north", 3)
    box.mark_acked("south", 1)
    assert (box.depth("north"), box.depth("south")) == (2, 4)
    assert (box.done_seq("north"), box.done_seq("south")) == (3, 1)
    assert (box.oldest_utc_ns("north"), box.oldest_utc_ns("south")) == (4, 2)
    assert box.cursor("north") == Mark(epoch=box.epoch, seq=3)
    assert box.cursor("south") == ORIGIN
    box.store_cursor("north", 5)
    assert box.depth("north") == 0
    assert box.oldest_utc_ns("north") is None
    assert box.done_seq("north") == 5


def test_a_cursor_that_went_back_owes_the_rows_again(opened):
    box = opened()
    box.commit(rows(box, 5))
    box.store_cursor("north", 5)
    box.dead_letter("north", 4, "refused")
    box.store_cursor("north", 2)
    assert box.depth("north") == 2  # 3 and 5; 4 is dead
    assert box.depth("south") == 5


def test_a_dead_letter_leaves_the_queue_and_stays_to_be_seen(opened):
    told = []
    box = opened(on_dead_letter=told.append)
    box.commit(rows(box, 4))
    with capture_logs() as logs:
        assert box.dead_letter("north", 2, "0x87 not authorised")
        assert not box.dead_letter("north", 2, "again")
        assert box.dead_letter("north", 3, "0x99", part="active")
    assert [row.seq for row in box.pending("north", 0, 10)] == [1, 3, 4]
    assert [row.seq for row in box.pending("south", 0, 10)] == [1, 2, 3, 4]
    assert box.depth("north") == 3
    assert [(d.seq, d.part, d.reason) for d in told] == [
        (2, "alert", "0x87 not authorised"),
        (3, "active", "0x99"),
    ]
    assert [entry["event"] for entry in logs] == ["alert not deliverable"] * 2
    assert box.predecessor("north", 3, floor=0) == Mark(epoch=box.epoch, seq=1)
    assert box.predecessor("north", 3, floor=1) is None
    assert opened().dead_letters("north") == told


def test_each_dead_letter_is_told_once_and_a_burst_has_one_line(opened):
    told = []
    box = opened(on_dead_letter=told.append)
    box.commit(rows(box, 7))
    with capture_logs() as logs:
        for seq in range(1, 8):
            for part in ("alert", "active"):
                box.dead_letter("north", seq, "0x99", part=part)
    assert [(d.seq, d.part) for d in told] == [
        (seq, part) for seq in range(1, 8) for part in ("alert", "active")
    ]
    assert [(entry["event"], entry["side"], entry["seq"]) for entry in logs] == [
        ("alert not deliverable", "north", 1)
    ]
    assert box.count_dead("north") == 14
    assert box.count_dead("south") == 0


def test_what_a_full_outbox_gives_up_at_once_has_one_line_a_side(opened):
    box = opened(limits=Limits(max_bytes=1000))
    box.commit(rows(box, 10, size=97))
    with capture_logs() as logs:
        box.commit(rows(box, 5, size=97))
    assert [(entry["side"], entry["seq"], entry["count"]) for entry in logs] == [
        ("north", 1, 10), ("south", 1, 10),
    ]  # fmt: skip


def test_the_last_word_of_an_active_topic_is_kept(opened):
    box = opened()
    first, second = rows(box, 2)
    again = Row(
        seq=2, epoch=box.epoch, exercise=False, topic=second.topic, payload=b"",
        active_topic=first.active_topic, active_payload=b"", level=1, created_utc_ns=0,
    )  # fmt: skip
    box.commit([first])
    box.commit([again])
    (only,) = box.active_topics()
    assert (only.topic, only.payload, only.seq) == (first.active_topic, b"", 2)


def test_old_rows_go_when_every_side_has_them_and_not_before(opened):
    box = opened(limits=Limits(keep_done_s=10))
    box.commit(rows(box, 4))
    box.store_cursor("north", 4)
    box.mark_acked("south", 3)
    box.commit(rows(box, 1, created_utc_ns=100 * SECOND_NS))
    assert [row.seq for row in box.pending("north", 0, 10)] == [4, 5]
    assert opened().last_seq == 5


def test_the_sequence_goes_on_when_every_row_is_gone(opened):
    box = opened(limits=Limits(keep_done_s=0))
    box.commit(rows(box, 3))
    for side in SIDES:
        box.mark_acked(side, 3)
    box.commit(rows(box, 1, created_utc_ns=100 * SECOND_NS))
    assert [row.seq for row in box.pending("north", 0, 10)] == [4]
    assert opened().last_seq == 4


def test_clearing_a_topic_is_remembered_until_every_broker_has_it_for_an_hour(opened):
    box = opened(limits=Limits(keep_done_s=0))
    (row,) = rows(box, 1)
    box.commit([
        Row(
            seq=1, epoch=box.epoch, exercise=False, topic=row.topic, payload=b"x",
            active_topic=row.active_topic, active_payload=b"", level=1, created_utc_ns=1,
        )
    ])  # fmt: skip
    box.mark_active("north", 1)
    box.commit(rows(box, 1, created_utc_ns=4000 * SECOND_NS, active=False))
    assert len(box.active_topics()) == 1
    box.mark_active("south", 1)
    box.commit(rows(box, 1, created_utc_ns=5000 * SECOND_NS, active=False))
    assert box.active_topics() == []


def test_a_full_outbox_gives_up_settled_rows_first_and_owed_ones_never_silently(opened):
    told = []
    box = opened(limits=Limits(max_bytes=1000), on_dead_letter=told.append)
    box.commit(rows(box, 5, size=97))  # 100 bytes each with the active payload
    box.store_cursor("north", 5)
    box.mark_acked("south", 5)
    box.commit(rows(box, 6, size=97))
    assert told == []
    assert [row.seq for row in box.pending("south", 0, 20)] == [6, 7, 8, 9, 10, 11]
    box.commit(rows(box, 5, size=97))
    assert [row.seq for row in box.pending("south", 0, 20)] == [12, 13, 14, 15, 16]
    assert {(d.side, d.seq) for d in told} == {(s, n) for s in SIDES for n in range(6, 12)}
    assert all("full" in d.reason for d in told)
    assert box.depth("north") == box.depth("south") == 5


def test_a_new_side_begins_with_the_next_row(opened):
    box = opened(("north",))
    box.commit(rows(box, 3))
    box = opened(SIDES)
    box.commit(rows(box, 1))
    assert [row.seq for row in box.pending("north", 0, 10)] == [1, 2, 3, 4]
    assert [row.seq for row in box.pending("south", 0, 10)] == [4]
    box.store_cursor("south", 0)
    assert box.depth("south") == 1


def test_a_side_that_is_taken_away_says_what_it_did_not_get(opened):
    told = []
    box = opened()
    box.commit(rows(box, 2))
    box.mark_acked("south", 1)
    box = opened(("north",), on_dead_letter=told.append)
    assert [(d.side, d.seq, d.reason) for d in told] == [
        ("south", 2, "the side is no longer configured")
    ]


# --- what can be wrong with the file ---------------------------------------------------


def test_a_damaged_file_is_said_and_kept(opened, tmp_path):
    path = tmp_path / "state" / "outbox.db"
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, and long enough to be read as one" * 100)
    with pytest.raises(OutboxError, match=r"damaged.*move it"):
        opened()
    assert path.exists()


def test_a_file_damaged_in_the_middle_is_said(opened, tmp_path):
    box = opened()
    box.commit(rows(box, 50, size=2000))
    box.close()
    path = tmp_path / "state" / "outbox.db"
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(OutboxError, match="damaged"):
        opened()


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(OutboxError, match="cannot be opened"):
        Outbox(tmp_path / "state" / "outbox.db", SIDES)


def test_a_file_of_a_newer_version_is_left_alone(opened, tmp_path):
    opened().close()
    connection = sqlite3.connect(tmp_path / "state" / "outbox.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutboxError, match="newer Garita"):
        opened()


def test_a_closed_outbox_says_so(opened):
    box = opened()
    box.close()
    with pytest.raises(OutboxError):
        box.depth("north")
    with pytest.raises(OutboxError):
        box.commit(rows(box, 1))


def test_a_full_disk_is_told_to_the_caller_and_nothing_is_lost_by_trying_again(opened):
    box = opened()
    box.commit(rows(box, 3))
    made = rows(box, 5, size=200_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        for _ in range(2):
            with pytest.raises(OutboxError, match=r"not written.*free space"):
                box.commit(made)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert box.last_seq == 3
    assert box.depth("north") == 3
    box.commit(made)
    assert box.last_seq == 8
    assert [row.seq for row in opened().pending("north", 0, 20)] == list(range(1, 9))


def test_a_process_killed_while_committing_leaves_whole_commits_without_gaps(tmp_path):
    script = (
        "import sys; from pathlib import Path; from edge.delivery.outbox import Outbox, Row\n"
        "box = Outbox(Path(sys.argv[1]), ('north', 'south'))\n"
        "while True:\n"
        "    box.commit([Row(seq=box.last_seq + i, epoch=box.epoch, exercise=False, topic='t',"
        " payload=b'p', active_topic='a', active_payload=b'', level=1, created_utc_ns=1)"
        " for i in (1, 2)])\n"
        "    print(box.last_seq, flush=True)\n"
    )
    path = tmp_path / "outbox.db"
    told = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[3],
        )  # fmt: skip
        for _ in range(20):
            told = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read().split("\n")[:-1]
        child.stdout.close()
        child.wait()
        told = int(rest[-1]) if rest else told
        box = Outbox(path, SIDES)
        assert box.last_seq >= told  # what was told as committed is there
        assert box.last_seq % 2 == 0
        found = [row.seq for row in box.pending("north", 0, 100_000)]
        assert found == list(range(1, box.last_seq + 1))
        box.close()


# --- threads ---------------------------------------------------------------------------


def test_sides_read_and_settle_while_alerts_are_committed(opened):
    box = opened()
    total, seen, errors = 300, {side: [] for side in SIDES}, []

    def side(name):
        try:
            while len(seen[name]) < total:
                for row in box.pending(name, len(seen[name]), 7):
                    seen[name].append(row.seq)
                    (box.store_cursor if name == "north" else box.mark_acked)(name, row.seq)
                box.depth(name)
        except OutboxError as error:
            errors.append(error)

    threads = [threading.Thread(target=side, args=(name,), daemon=True) for name in SIDES]
    for thread in threads:
        thread.start()
    while box.last_seq < total:
        box.commit(rows(box, 3))
    for thread in threads:
        thread.join(30)
    assert not errors
    assert seen == {name: list(range(1, total + 1)) for name in SIDES}
    assert box.depth("north") == box.depth("south") == 0


@settings(max_examples=25)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["commit", "cursor", "ack", "dead", "boot"]), st.integers(0, 12)),
        max_size=25,
    )
)
def test_nothing_is_owed_twice_and_nothing_unsettled_is_forgotten(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("outbox") / "outbox.db"
    box = Outbox(path, SIDES)
    north, dead, cursor = set(), set(), 0
    for step, value in steps:
        if step == "commit":
            made = rows(box, value % 4)
            box.commit(made)
            north.update(row.seq for row in made)
        elif step == "cursor":
            cursor = min(value, box.last_seq)
            box.store_cursor("north", cursor)
            north = set(range(cursor + 1, box.last_seq + 1)) - dead
        elif step == "ack":
            box.mark_acked("south", value)
        elif step == "dead" and 1 <= value <= box.last_seq:
            box.dead_letter("north", value, "refused")
            dead.add(value)
            north.discard(value)
        else:
            box.close()
            box = Outbox(path, SIDES)
        assert box.depth("north") == len(north)
        assert box.done_seq("north") == min(north, default=box.last_seq + 1) - 1
    assert {row.seq for row in box.pending("north", 0, 1000)} == set(
        range(1, box.last_seq + 1)
    ) - dead
    box.close()
