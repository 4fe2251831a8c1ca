# ruff: noqa: PLR0917 - fixtures come by position
"""Behind a backlog a fresh alert is shown at once, and stored in its turn."""

import threading

from edge.delivery.centre import Centre
from edge.delivery.centre_store import CentreStore
from edge.delivery.flow import LEAD_S, Flow
from edge.delivery.fresh import BEHIND
from edge.delivery.rows import ORIGIN, Mark
from edge.delivery.sides import SideSettings

SITE = "mariposa"


def lanes(heard):
    """(seq, lane) of every alert that came, in order."""
    told = [dict(m.properties.UserProperty) for m in heard.got if m.topic.endswith("/alert")]
    return [(int(each["seq"]), each.get("lane", ""), "after" in each) for each in told]


def test_what_is_committed_behind_a_backlog_goes_ahead_and_comes_again_in_order(
    outbox, publisher, fake_broker, make_rows, until
):
    """A broker that acknowledges nothing yet, so that the backlog stands."""
    broker = fake_broker(answering=False)
    outbox.commit(make_rows(300))
    north = publisher(broker.port)
    until(lambda: broker.connections and len(broker.connections[0]) == 20)
    ahead = len(broker.ahead)
    outbox.commit(make_rows(3))
    north.wake()
    until(lambda: len(broker.ahead) == ahead + 3)
    assert ahead == 0  # what was there before is the backlog itself
    broker.answer()
    until(lambda: outbox.depth("north") == 0)
    alerts = [topic for _, _, topic in broker.connections[0] if topic.endswith("/alert")]
    assert len(alerts) == 303
    assert len(broker.ahead) == 3


def test_readers_see_each_copy_as_a_duplicate_and_rows_in_order(
    outbox, publisher, mosquitto, listen, make_rows, until, monkeypatch
):
    from edge.delivery import session  # noqa: PLC0415 - patched here alone

    broker = mosquitto()
    heard = listen(broker.port)
    outbox.commit(make_rows(200))
    held = threading.Event()
    window = Flow.room.fget
    # The first 100 rows, then nothing in order until the fresh ones were heard.
    monkeypatch.setattr(
        session.Flow,
        "room",
        property(lambda flow: window(flow) if held.is_set() or flow.position < 100 else 0),
    )
    north = publisher(broker.port)
    until(lambda: len(heard.numbers()) >= 100)
    outbox.commit(make_rows(2))
    north.wake()
    until(lambda: (201, "live", False) in lanes(heard) and (202, "live", False) in lanes(heard))
    held.set()
    north.wake()
    until(lambda: outbox.depth("north") == 0 and len(heard.numbers()) == 204)
    in_order = [seq for seq, lane, _ in lanes(heard) if not lane]
    assert in_order == list(range(1, 203))
    last = {m.topic: m.payload for m in heard.got if "/active/" in m.topic}
    assert len(last) == 202
    assert all(last.values())


def test_a_centre_shows_it_at_once_and_stores_it_once_in_its_turn(
    outbox, mosquitto, make_rows, until, tmp_path, publisher
):
    broker = mosquitto()
    outbox.commit(make_rows(400))
    shown, stored = [], []
    settings = SideSettings(name="north", host="127.0.0.1", port=broker.port)
    centre = Centre(
        settings,
        tmp_path / "centre.db",
        stored=lambda arrival: stored.append(arrival.mark.seq),
        fresh=lambda arrival: shown.append((arrival.mark.seq, arrival.mark.seq in stored)),
    )
    centre.start()
    north = publisher(broker.port, cursor=True)
    until(lambda: len(stored) > 5)
    for _ in range(5):
        outbox.commit(make_rows(1))
        north.wake()
    until(lambda: outbox.depth("north") == 0)
    centre.stop()
    assert stored == list(range(1, 406))
    assert not any(late for _, late in shown)
    store = CentreStore(tmp_path / "centre.db")
    assert [mark.seq for mark, _ in store.stored(SITE)] == stored
    store.close()


def test_a_centre_that_is_away_makes_nothing_go_out_twice():
    flow = Flow(keeps_cursor=True, done=0, base=ORIGIN, window=20, now_s=0.0)
    mark = Mark(epoch="E", seq=500)
    flow.skip(mark)
    assert flow.behind(501, 1.0) == 1
    flow.heard(Mark(epoch="E", seq=100), known=True, retained=False, now_s=2.0)
    assert flow.behind(501, 3.0) == 401 > BEHIND
    assert flow.behind(501, 2.0 + LEAD_S) == 1
