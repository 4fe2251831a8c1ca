from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.protocol import topics
from edge.protocol.messages import decode_alert, encode_alert
from edge.station.leftovers import end_leftovers
from edge.station.pipeline import place_of
from edge.station.warmup import warm_up
from fusion.types import SECOND_NS, Alert

NOW_UTC_NS = 1_795_000_000 * SECOND_NS


@pytest.fixture(scope="module")
def alert() -> Alert:
    return next(alert for alert in warm_up() if alert.phase == "new")


def active_row(outbox: Outbox, alert: Alert) -> Row:
    seq = outbox.last_seq + 1
    payload = encode_alert(
        alert, seq=seq, epoch=outbox.epoch, config_digest="d", languages=("en-US", "es-MX")
    )
    root, place = topics.root(alert.exercise), place_of(alert)
    return Row(
        seq=seq,
        epoch=outbox.epoch,
        exercise=alert.exercise,
        topic=topics.alert_topic(root, alert.site, place),
        payload=payload,
        active_topic=topics.active_topic(root, alert.site, place, alert.alert_id),
        active_payload=payload,
        level=int(alert.level),
        created_utc_ns=NOW_UTC_NS,
    )


def reopened(path: Path) -> Outbox:
    return Outbox(path, ["north", "south"])


def test_what_was_active_before_the_restart_is_ended_once(tmp_path, alert):
    path = tmp_path / "outbox.db"
    before = reopened(path)
    before.commit([active_row(before, alert)])
    before.close()
    after = reopened(path)
    assert end_leftovers(after, NOW_UTC_NS) == 1
    (row,) = after.pending("north", 1, 10)
    message = decode_alert(row.payload)
    assert (message.id, message.msg_type, message.seq) == (alert.alert_id, "Cancel", 2)
    assert (message.epoch, message.revision) == (after.epoch, alert.revision + 1)
    assert row.active_payload == b""
    assert [info.headline.split(": ")[:2] for info in message.info] == [
        ["EXERCISE", "Over"],
        ["SIMULACRO", "Terminada"],
    ]
    assert end_leftovers(after, NOW_UTC_NS) == 0
    after.close()


def test_what_is_active_now_is_left_alone(tmp_path, alert):
    outbox = reopened(tmp_path / "outbox.db")
    outbox.commit([active_row(outbox, alert)])
    assert end_leftovers(outbox, NOW_UTC_NS) == 0
    outbox.close()
