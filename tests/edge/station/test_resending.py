import pytest
from msgspec import UNSET

from edge.delivery.again import Wanted
from edge.delivery.outbox import Limits, Outbox
from edge.delivery.rows import Row
from edge.protocol.commands import GoneMessage, ResendMessage
from edge.station.resending import Coming, Resending


def rows(box, count, at_utc_ns=1):
    first = box.last_seq + 1
    return [
        Row(
            seq=seq, epoch=box.epoch, exercise=False, topic="t", payload=b"{}", active_topic="",
            active_payload=b"", level=1, created_utc_ns=at_utc_ns,
        )
        for seq in range(first, first + count)
    ]  # fmt: skip


@pytest.fixture
def box(tmp_path):
    made = Outbox(tmp_path / "outbox.db", ["north", "south"], limits=Limits(keep_done_s=1.0))
    made.commit(rows(made, 100))
    made.store_cursor("north", 60)
    made.mark_acked("south", 80)
    yield made
    made.close()


@pytest.fixture
def desk(box):
    box.asked = []

    def send(side, wanted):
        box.asked.append((side, wanted))
        return len(box.asked) < 3

    return Resending(box, send, {"north": True, "south": False})


def asks(desk, side, *, epoch="", first=UNSET, to=UNSET):
    return desk(side, ResendMessage(epoch=epoch, from_=first, to=to))


def test_a_side_asks_from_its_cursor_from_a_number_or_for_a_range(desk, box):
    assert asks(desk, "north") == Coming(count=40)
    assert asks(desk, "south", first=3, to=7) == Coming(count=5)
    assert asks(desk, "north", epoch=box.epoch, first=1).why == "too-many"
    wanted = [Wanted(first=61), Wanted(first=3, last=7), Wanted(first=1)]
    assert box.asked == list(zip(["north", "south", "north"], wanted, strict=True))


def test_a_wish_for_what_comes_later_settles_nothing(desk, box):
    assert asks(desk, "north", first=90) == Coming(count=40)
    assert box.asked == [("north", Wanted(first=61))]


def test_what_was_never_counted_or_in_another_epoch_is_unknown(desk, box):
    assert asks(desk, "north", first=101).why == "unknown"
    assert asks(desk, "south", first=7, to=6).why == "unknown"
    assert asks(desk, "south", first=7, to=101).why == "unknown"
    assert asks(desk, "south", epoch="other", first=7, to=9).why == "unknown"
    assert box.asked == []


def test_what_retention_has_removed_is_gone_and_told_with_its_range(desk, box):
    for side in ("north", "south"):
        box.store_cursor(side, 100)
    box.commit(rows(box, 10, at_utc_ns=10**12))
    box.dead_letter("south", 101, "too long")
    assert asks(desk, "north", first=1) == Coming(count=10, gone=GoneMessage(from_=1, to=100))
    assert asks(desk, "south", first=90, to=105).gone == GoneMessage(from_=90, to=101)
    gone = asks(desk, "north", first=5, to=9)
    assert (gone.why, gone.text) == ("gone", "5 to 9 are no longer kept for this side")
    assert len(box.asked) == 2


def test_an_outbox_that_cannot_be_read_is_no_error_of_the_asker(desk, box):
    box.close()
    assert asks(desk, "north", first=1).why == "unavailable"
