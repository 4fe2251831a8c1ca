import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.contract import HealthMessage, SensorHealth, SideHealth, StateMessage
from edge.terminal.board import BOTH_SIDES_WAIT_S, REMEMBERED, Board, Entry, Notice, filters

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"
ALERT = json.loads((GOLDEN / "alert.json").read_bytes())
REAL = "garita/v1/mariposa/nb-01/alert"
DRILL = "garita-exercise/v1/mariposa/nb-01/alert"


def payload(**changes):
    return json.dumps(ALERT | changes).encode()


def both():
    board = Board(["north", "south"])
    board.link("north", connected=True)
    board.link("south", connected=True)
    board.take(0.0)
    return board


def entries(items):
    return [item for item in items if isinstance(item, Entry)]


def notices(items):
    return [item.name for item in items if isinstance(item, Notice)]


def health(updated="2026-11-21T18:03:11.000000Z", *, up=True, depth=0, place="nb-01"):
    return msgspec.json.encode(
        HealthMessage(
            site="mariposa",
            place=place,
            epoch="01JC",
            updated=updated,
            sensors=[
                SensorHealth(
                    id=f"rpm-{place}",
                    kind="rpm-tsa",
                    family="radiation",
                    origin="simulator",
                    up=up,
                    last_sample_age_s=0.2,
                )
            ],
            sides=[SideHealth(side="south", connected=False, outbox_depth=depth, oldest_age_s=4.0)],
        )
    )


def test_an_alert_of_both_sides_is_shown_once_with_both():
    board = both()
    board.message("north", REAL, payload(), 1.0)
    assert board.take(1.0) == []
    board.message("south", REAL, payload(), 1.1)
    (entry,) = entries(board.take(1.1))
    assert entry.sides == ("north", "south")
    assert not entry.exercise
    assert board.take(9.0) == []


def test_a_side_that_has_not_got_it_delays_it_by_no_more_than_the_wait():
    board = both()
    board.message("south", REAL, payload(), 1.0)
    assert board.take(1.0 + BOTH_SIDES_WAIT_S - 0.01) == []
    (entry,) = entries(board.take(1.0 + BOTH_SIDES_WAIT_S))
    assert entry.sides == ("south",)
    board.message("north", REAL, payload(), 9.0)
    assert board.take(9.0) == [Notice(name="caught_up", facts={"side": "north", "n": 1})]


def test_a_side_that_is_known_to_be_away_delays_nothing():
    board = both()
    board.link("north", connected=False)
    assert notices(board.take(0.0)) == ["link_down"]
    board.message("south", REAL, payload(), 1.0)
    assert entries(board.take(1.0))[0].sides == ("south",)


def test_alerts_keep_their_order_while_one_waits_for_its_other_copy():
    board = both()
    board.message("north", REAL, payload(seq=1), 1.0)
    for side in ("north", "south"):
        board.message(side, REAL, payload(seq=2), 1.1)
    assert board.take(1.1) == []
    assert [entry.message.seq for entry in entries(board.take(1.6))] == [1, 2]


def test_the_stream_and_the_retained_copy_are_the_same_alert():
    board = Board(["north"])
    board.link("north", connected=True)
    board.message("north", "garita/v1/mariposa/nb-01/active/01JD", payload(), 1.0, retained=True)
    board.message("north", REAL, payload(), 1.2)
    (entry,) = entries(board.take(2.0))
    assert entry.already_active


@pytest.mark.parametrize(
    ("topic", "status", "exercise"),
    [
        (REAL, "Actual", False),
        (REAL, "Exercise", True),
        (DRILL, "Exercise", True),
        (DRILL, "Actual", True),
    ],
)
def test_neither_topic_nor_status_alone_makes_a_drill_real(topic, status, exercise):
    board = Board(["north"])
    board.message("north", topic, payload(status=status), 1.0)
    assert entries(board.take(2.0))[0].exercise is exercise


def test_the_newest_health_of_every_place_counts_wherever_it_came_from():
    board = both()
    board.message("north", "garita/v1/mariposa/nb-01/health", health(depth=7), 1.0)
    old = health("2026-11-21T18:02:00.000000Z", up=False)
    board.message("south", "garita/v1/mariposa/nb-01/health", old, 2.0)
    board.message("south", "garita/v1/mariposa/nb-02/health", health(place="nb-02", up=False), 2.0)
    status = board.status(3.0)
    assert [(sensor.id, sensor.up) for sensor in status.sensors] == [
        ("rpm-nb-01", True),
        ("rpm-nb-02", False),
    ]
    assert status.last_alert_age_s is None


def test_the_status_says_what_waits_for_a_side_that_is_down():
    board = both()
    board.link("south", connected=False)
    board.message("north", "garita/v1/mariposa/nb-01/health", health(depth=7), 1.0)
    north, south = board.status(3.0).links
    assert (north.connected, north.delivery) == (True, None)
    assert south.delivery is not None
    assert (south.connected, south.delivery.outbox_depth) == (False, 7)


def test_a_side_that_lost_the_edge_is_told_once():
    board = both()
    for state in ("ready", "ready", "lost"):
        message = StateMessage(
            site="mariposa", epoch="01JC", state=state, updated="2026-11-21T18:03:11.000000Z"
        )
        board.message("south", "garita/v1/mariposa/state", msgspec.json.encode(message), 1.0)
    assert notices(board.take(1.0)) == ["edge_ready", "edge_lost"]


@given(st.sampled_from(["alert", "health", "active/x"]), st.binary(min_size=1, max_size=80))
def test_what_cannot_be_read_is_counted_and_nothing_else(kind, noise):
    board = both()
    board.message("north", f"garita/v1/mariposa/nb-01/{kind}", noise, 1.0)
    assert board.take(9.0) == []
    assert board.status(9.0).unreadable == 1


def test_deep_nesting_is_unreadable_and_not_fatal():
    board = both()
    board.message("north", REAL, b"[" * 100_000, 1.0)
    deep = payload(contributions=[]).replace(b'"facts": {}', b'"facts": ' + b"[" * 100_000)
    board.message("north", REAL, deep[:-1] + b',"x":' + b"[" * 100_000, 1.0)
    assert board.status(9.0).unreadable == 2


@pytest.mark.parametrize(
    "topic",
    [
        "garita/v1/mariposa/nb-01/live/gamma",
        "garita/v1/ops/north/state",
        "garita/v1/mariposa/birth",
        "other",
        "",
    ],
)
def test_topics_that_are_not_shown_are_left_alone(topic):
    board = both()
    board.message("north", topic, payload(), 1.0)
    assert board.take(9.0) == []
    assert board.status(9.0).unreadable == 0


def test_the_end_of_an_active_alert_is_no_message():
    board = both()
    board.message("north", "garita/v1/mariposa/nb-01/active/01JD", b"", 1.0)
    assert board.status(1.0).unreadable == 0


def test_memory_stays_bounded():
    board = Board(["north"])
    for seq in range(REMEMBERED + 100):
        board.message("north", REAL, payload(seq=seq), 1.0)
        board.take(2.0)
    assert len(board._heard) == REMEMBERED


def test_the_filters_take_one_site_or_all():
    assert "garita/v1/+/+/alert" in filters(None)
    assert "garita-exercise/v1/mariposa/+/active/+" in filters("mariposa")
