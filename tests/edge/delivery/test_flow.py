"""The sending rules against a centre, over a line that may lose, refuse and forget."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.centre_store import Arrival, CentreStore, Verdict
from edge.delivery.flow import (
    LEAD,
    LEAD_S,
    STALL_S,
    Flight,
    Flow,
    after_property,
    read_after,
)
from edge.delivery.rows import ORIGIN, Mark


def make(**options):
    values = {"keeps_cursor": True, "done": 0, "base": ORIGIN, "window": 20, "now_s": 0.0}
    return Flow(**{**values, **options})


def alert(seq, at_s=0.0):
    return Flight(part="alert", seq=seq, topic="t", sent_s=at_s)


def send(flow, first, last, *, epoch="E", at_s=0.0):
    for seq in range(first, last + 1):
        flow.sent(seq, alert(seq, at_s), Mark(epoch=epoch, seq=seq))


def settle(flow, first, last):
    for seq in range(first, last + 1):
        flow.acked(seq)
    flow.settle()


def mark(seq, epoch="E"):
    return Mark(epoch=epoch, seq=seq)


@pytest.mark.parametrize(("server", "window"), [(65535, 20), (20, 20), (10, 10), (1, 1), (0, 1)])
def test_the_window_is_the_smaller_of_ours_and_the_servers(server, window):
    flow = make(window=server)
    assert flow.room == window
    send(flow, 1, window)
    assert flow.room == 0
    settle(flow, 1, 1)
    assert flow.room == 1


def test_without_a_cursor_done_follows_the_acknowledgements_in_order():
    flow = make(keeps_cursor=False)
    send(flow, 1, 3)
    settle(flow, 2, 2)
    assert flow.done == 0
    settle(flow, 1, 1)
    assert flow.done == 2
    settle(flow, 3, 3)
    assert flow.done == 3


def test_a_cursor_ahead_of_us_is_believed_and_skipped_to():
    flow = make()
    assert flow.heard(mark(7), known=True, retained=True, now_s=0.0)
    assert (flow.done, flow.position, flow.previous) == (7, 7, mark(7))


def test_a_retained_cursor_takes_nothing_back_and_a_spoken_one_does():
    flow = make(done=9, base=mark(9))
    assert not flow.heard(mark(4), known=True, retained=True, now_s=0.0)
    assert flow.done == 9
    assert flow.heard(mark(4), known=True, retained=False, now_s=0.0)
    assert flow.done == 4


def test_a_centre_that_spoke_and_stands_still_is_sent_the_rest_again_ever_later():
    flow = make()
    send(flow, 1, 5)
    settle(flow, 1, 5)
    now_s, waits = 0.0, []
    for _ in range(6):
        flow.heard(mark(2), known=True, retained=False, now_s=now_s)
        began_s = now_s
        while flow.due_to_go_back(now_s) is None:
            now_s += 0.5
            assert now_s - began_s < 60
        waits.append(now_s - began_s)
        flow.begin_again(None, now_s)
        assert (flow.position, flow.previous) == (2, mark(2))
        send(flow, 3, 5, at_s=now_s)
        settle(flow, 3, 5)
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(STALL_S, abs=0.5)
    assert waits[-1] == pytest.approx(30, abs=1)


def test_a_centre_that_is_away_is_not_flooded():
    flow = make()
    flow.heard(mark(2), known=True, retained=True, now_s=0.0)
    send(flow, 3, 9)
    settle(flow, 3, 9)
    assert flow.due_to_go_back(10_000.0) is None


def test_nothing_goes_back_while_the_old_pass_is_under_way():
    flow = make()
    send(flow, 1, 3)
    flow.refused(1)
    assert not flow.may_send_rows(0.0)
    settle(flow, 1, 2)
    assert flow.due_to_go_back(0.0) is None
    settle(flow, 3, 3)
    assert flow.due_to_go_back(0.0) == 0
    flow.begin_again(None, 0.0)
    assert flow.may_send_rows(0.0)


def test_what_follows_a_refused_row_names_the_last_one_before_it():
    flow = make()
    send(flow, 1, 4)
    settle(flow, 1, 4)
    flow.refused(3)
    assert flow.due_to_go_back(0.0) == 2
    flow.begin_again(mark(2), 0.0)
    assert (flow.position, flow.previous) == (2, mark(2))


def test_a_strangers_cursor_is_what_the_next_pass_follows_on():
    flow = make()
    send(flow, 1, 2)
    settle(flow, 1, 2)
    assert not flow.heard(mark(500, "other"), known=False, retained=False, now_s=0.0)
    assert flow.due_to_go_back(STALL_S + 0.1) == 0
    flow.begin_again(None, STALL_S + 0.1)
    assert (flow.position, flow.previous) == (0, mark(500, "other"))


def test_a_centre_that_stores_is_not_outrun_and_one_that_does_not_holds_nobody_up():
    flow = make()
    flow.heard(mark(1), known=True, retained=False, now_s=0.0)
    for seq in range(2, LEAD + 2):
        flow.sent(seq, alert(seq), mark(seq))
        flow.acked(seq)
    assert not flow.may_send_rows(LEAD_S - 0.1)
    assert flow.may_send_rows(LEAD_S + 0.1)
    flow.heard(mark(50), known=True, retained=False, now_s=LEAD_S)
    assert flow.may_send_rows(LEAD_S)


@given(
    st.builds(Mark, epoch=st.text("0123456789ABCXYZ", min_size=1), seq=st.integers(1, 10**18 - 1))
)
def test_a_predecessor_reads_back_as_written(predecessor):
    assert read_after(after_property(predecessor)) == predecessor


@pytest.mark.parametrize(
    "text", ["", "7", "E/", "E/x", "E/-1", "E/٣", "E/1e3", "E/" + "9" * 40, "E/0"]
)
def test_a_predecessor_that_is_none_is_not_read(text):
    assert read_after(text) is None


def test_the_origin_reads_back():
    assert read_after(after_property(ORIGIN)) == ORIGIN


# --- a whole side in miniature ---------------------------------------------------------


class Line:
    """An edge, a broker that may lose and refuse, and a centre, all driven by one seed."""

    def __init__(self, seed, store):
        self.chance = random.Random(seed)
        self.rows = []
        self.refused = set()  # by the broker, whenever it is sent
        self.dead = set()
        self.store = store
        self.cursor = ORIGIN
        self.now_s = 0.0
        self.queue = []  # at the broker, for the centre
        self.connect()

    def connect(self):
        self.flow = make(done=self.cursor.seq, base=self.cursor, now_s=self.now_s)
        self.mid = 0

    def produce(self, count, epoch):
        for _ in range(count):
            self.rows.append(mark(len(self.rows) + 1, epoch))
            if self.chance.random() < 0.1:
                self.refused.add(len(self.rows))

    def pump(self, *, lossy):
        self.now_s += 0.1
        target = self.flow.due_to_go_back(self.now_s)
        if target is not None:
            before = [m for m in self.rows[:target] if m.seq not in self.dead]
            self.flow.begin_again(before[-1] if before else None, self.now_s)
        while self.flow.room and self.flow.may_send_rows(self.now_s):
            left = [m for m in self.rows[self.flow.position :] if m.seq not in self.dead]
            if not left:
                break
            self.mid += 1
            after = self.flow.previous
            self.flow.sent(self.mid, alert(left[0].seq, self.now_s), left[0])
            self.answer(self.mid, left[0], after)
        if lossy and self.chance.random() < 0.1:
            self.queue.clear()  # a broker that crashed or overflowed
        self.centre(lossy=lossy)
        if lossy and self.chance.random() < 0.1:
            self.connect()

    def answer(self, mid, row, after):
        self.flow.acked(mid)
        if row.seq in self.refused:
            self.dead.add(row.seq)
            self.flow.refused(row.seq)
        else:
            self.queue.append((row, after))

    def centre(self, *, lossy):
        if not self.queue or (lossy and self.chance.random() < 0.3):
            return
        arrivals = [
            Arrival(site="s", mark=row, after=after, topic="t", payload=b"%d" % row.seq)
            for row, after in self.queue
        ]
        self.queue.clear()
        self.store.store(arrivals)
        self.say()

    def say(self):
        said = self.store.cursors().get("s", ORIGIN)
        if self.flow.heard(said, known=True, retained=False, now_s=self.now_s):
            self.cursor = said


@settings(max_examples=30)
@given(seed=st.integers(0, 10**9))
def test_over_any_line_the_centre_holds_a_prefix_and_in_the_end_everything(tmp_path_factory, seed):
    store = CentreStore(tmp_path_factory.mktemp("centre") / "centre.db")
    line = Line(seed, store)
    for turn in range(60):
        if turn % 3 == 0:
            line.produce(line.chance.randrange(6), epoch="AB"[turn >= 30])
        line.pump(lossy=True)
        held = [m for m, _ in store.stored("s")]
        # Whatever was stored, nothing that could still come is missing before it.
        assert [m.seq for m in held] == sorted(m.seq for m in held)
        missing = set(range(1, held[-1].seq if held else 1)) - {m.seq for m in held}
        assert missing <= line.dead
    line.produce(3, epoch="B")
    line.connect()
    for _ in range(1000):
        line.pump(lossy=False)
        settled = len(store.stored("s")) + len(line.dead)
        if settled == len(line.rows):
            break
    assert [m for m, _ in store.stored("s")] == [m for m in line.rows if m.seq not in line.dead]
    assert line.dead == line.refused
    assert set(store.gaps("s")) == {seq for seq in line.dead if seq < line.flow.done}
    store.close()


def test_an_edge_that_was_rebuilt_is_stored_from_its_first_row(tmp_path):
    store = CentreStore(tmp_path / "centre.db")
    old = [mark(seq, "A") for seq in range(1, 4)]
    new = [mark(seq, "B") for seq in range(1, 3)]
    for chain in (old, new):
        for row, after in zip(chain, [ORIGIN, *chain], strict=False):
            arrival = Arrival(site="s", mark=row, after=after, topic="t", payload=b"")
            assert store.store([arrival]) == [Verdict.STORED]
    assert store.cursors() == {"s": new[-1]}
    assert [m for m, _ in store.stored("s")] == old + new
    store.close()


def test_a_row_given_up_once_may_still_fill_its_gap(tmp_path):
    store = CentreStore(tmp_path / "centre.db")
    steps = [(mark(1), ORIGIN), (mark(2), mark(1)), (mark(5), mark(2)), (mark(3), mark(2))]
    arrivals = [Arrival(site="s", mark=m, after=a, topic="t", payload=b"") for m, a in steps]
    assert store.store(arrivals[:3]) == [Verdict.STORED] * 3
    assert store.gaps("s") == [3, 4]
    assert store.store(arrivals[3:]) == [Verdict.STORED]
    assert store.gaps("s") == [4]
    assert store.cursors() == {"s": mark(5)}
    assert store.store(arrivals) == [Verdict.DUPLICATE] * 4
    wire = store.wire("s")
    assert (wire.stored, wire.duplicates, wire.ahead) == (4, 4, 0)
    store.close()
