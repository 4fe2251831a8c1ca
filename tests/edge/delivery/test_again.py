# ruff: noqa: PLR0917 - fixtures come by position
import hashlib
from dataclasses import replace

from structlog.testing import capture_logs

from edge.delivery import flow
from edge.delivery.again import Wanted
from edge.delivery.flow import read_after
from edge.delivery.publisher import MAX_WANTED
from edge.delivery.rows import Attachment, Mark
from edge.protocol import topics
from tests.edge.delivery.test_centre import centre, cursors, held, online

__all__ = ["centre", "held"]

SITE = "mariposa"


def with_file(row):
    payload = b"<n42/>"
    file = Attachment(
        n=1,
        topic=topics.evidence_topic(topics.ROOT, SITE, "A1", 1),
        name="pass.n42",
        media_type="application/xml",
        sha256=hashlib.sha256(payload).hexdigest(),
        payload=payload,
    )
    return replace(row, attachments=(file,))


def test_a_range_comes_again_in_order_with_its_files_and_to_one_side_alone(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    first, second = mosquitto(), mosquitto()
    rows = make_rows(100)
    outbox.commit([with_file(row) if row.seq == 40 else row for row in rows])
    heard, other = listen(first.port), listen(second.port)
    north = publisher(first.port)
    publisher(second.port, side="south")
    until(lambda: outbox.depth("north") == outbox.depth("south") == 0)
    until(lambda: len(heard.numbers()) == len(other.numbers()) == 100)
    before = [m for m in heard.got if "/alert" in m.topic or "/evidence/" in m.topic]
    assert north.send_again(Wanted(first=31, last=90))
    until(lambda: len(heard.numbers()) == 160)
    assert heard.numbers()[100:] == list(range(31, 91))
    again = [m for m in heard.got if "/alert" in m.topic or "/evidence/" in m.topic][101:]
    told = [m for m in before if m.topic.endswith("/alert")][30:90]
    assert [m.payload for m in again if m.topic.endswith("/alert")] == [m.payload for m in told]
    assert sum("/evidence/" in m.topic for m in again) == 1
    outbox.commit(make_rows(1))
    north.wake()
    until(lambda: heard.numbers()[-1] == 101)
    assert len(other.numbers()) <= 101


def test_a_range_that_a_lost_connection_interrupts_goes_on_at_the_next(
    outbox, publisher, fake_broker, make_rows, until
):
    def alerts(got):
        return sum(topic.endswith("/alert") for *_, topic in got)

    broker = fake_broker()
    outbox.commit(make_rows(40))
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    broker.answering = False
    north.send_again(Wanted(first=1, last=40))
    until(lambda: north.status().in_flight == flow.WINDOW // 2)  # half is left for what is fresh
    broker.answer(5)
    until(lambda: alerts(broker.connections[0]) == 40 + 15)
    broker.cut()
    broker.answering = True

    until(lambda: len(broker.connections) == 2 and alerts(broker.connections[1]) == 35)
    until(lambda: north.status().in_flight == 0)
    assert alerts(broker.connections[1]) == 35


def test_a_broker_that_refuses_a_range_ends_it_and_buries_nothing(
    outbox, publisher, fake_broker, make_rows, until
):
    broker = fake_broker()
    outbox.commit(make_rows(30))
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    broker.reason = 0x87
    with capture_logs() as logs:
        north.send_again(Wanted(first=1, last=30))
        until(lambda: north.status().pubacks.get(0x87) and north.status().in_flight == 0)
    assert [one["event"] for one in logs] == ["alerts asked for again refused"]
    assert (outbox.dead_letters(), north.status().refusal) == ([], "")


def test_a_centre_that_lost_its_database_asks_and_gets_everything_that_is_kept_in_order(
    outbox, publisher, mosquitto, listen, make_rows, until, centre, held, tmp_path
):
    broker = mosquitto()
    heard = listen(broker.port, "garita/v1/ops/#")
    one = centre(broker.port)
    until(lambda: online(heard))
    outbox.commit(make_rows(200))
    north = publisher(broker.port, cursor=True)
    until(lambda: outbox.depth("north") == 0)
    one.stop()
    until(lambda: not online(heard))
    centre(broker.port, store="new.db")
    until(lambda: online(heard))
    assert north.send_again(Wanted(first=1))
    until(lambda: outbox.depth("north") == 200 or outbox.cursor("north").seq < 200)
    until(lambda: cursors(heard)[-1].seq == 200 and outbox.depth("north") == 0)
    with held("new.db") as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == list(range(1, 201))
        assert store.gaps(SITE) == []


def test_what_waits_to_be_asked_for_is_bounded(outbox, publisher, free_port, make_rows):
    outbox.commit(make_rows(1))
    north = publisher(free_port())
    taken = [north.send_again(Wanted(first=1)) for _ in range(MAX_WANTED + 3)]
    assert taken == [True] * MAX_WANTED + [False] * 3


def test_nobody_s_wish_settles_what_is_owed():
    one = flow.Flow(keeps_cursor=True, done=10, base=Mark(epoch="E", seq=10), window=20, now_s=0.0)
    assert not one.ask_again(Mark(epoch="E", seq=50), 1.0)
    assert (one.done, one.due_to_go_back(1.0)) == (10, 10)
    assert one.ask_again(Mark(epoch="E", seq=4), 1.0)
    assert (one.done, one.due_to_go_back(1.0)) == (4, 4)
    assert read_after(flow.after_property(one.base)) == Mark(epoch="E", seq=4)
