"""Alerts that were active when the service ended: nobody follows them any more, so they are ended.

The engine starts empty. What its predecessor had told and not cleared would stay on both brokers
for ever, and a centre could not tell it from what is going on now.
"""

import msgspec
import structlog

from edge.delivery.outbox import Outbox
from edge.delivery.release import Release
from edge.delivery.rows import ActiveTopic, Row
from edge.protocol import topics
from edge.protocol.contract import AlertMessage, InfoBlock
from edge.protocol.messages import decode_alert, encode, rfc3339
from edge.text import say, strip_exercise

log = structlog.get_logger()


def end_leftovers(outbox: Outbox, now_utc_ns: int, release: Release | None = None) -> int:
    """Commit a `Cancel` for every alert that is active since before this boot; how many.

    OutboxError where they cannot be stored. Call it before alerts of this boot are numbered.
    """
    rows: list[Row] = []
    release = release or Release({}, b"")
    told = {
        side: {each.seq: each.topic for each in outbox.active_topics(side)} for side in outbox.sides
    }
    for active in outbox.active_topics():
        message = _message(active)
        if message is not None and message.epoch != outbox.epoch:
            seq = outbox.last_seq + len(rows) + 1
            row = _row(active, _ended(message, seq, outbox.epoch, now_utc_ns), now_utc_ns)
            hidden = {side: topic[active.seq] != active.topic for side, topic in told.items()}
            rows.append(release.released(row, hidden=hidden))
    if rows:
        outbox.commit(rows)
        log.info("alerts of before the restart ended", alerts=len(rows))
    return len(rows)


def _message(active: ActiveTopic) -> AlertMessage | None:
    if not active.payload:
        return None  # cleared already
    try:
        return decode_alert(active.payload)
    except msgspec.DecodeError:
        log.warning("active alert cannot be read", topic=active.topic)
        return None


def _ended(message: AlertMessage, seq: int, epoch: str, now_utc_ns: int) -> AlertMessage:
    return msgspec.structs.replace(
        message,
        revision=message.revision + 1,
        seq=seq,
        epoch=epoch,
        msg_type="Cancel",
        updated=max(message.updated, rfc3339(now_utc_ns)),
        info=[_words(info, exercise=message.status == "Exercise") for info in message.info],
    )


def _words(info: InfoBlock, *, exercise: bool) -> InfoBlock:
    mark = say("phrase", "exercise", info.language) if exercise else ""
    over = say("phrase", "over", info.language)
    return msgspec.structs.replace(
        info,
        headline=mark + over + strip_exercise(info.headline),
        instruction=say("phrase", "restarted_instruction", info.language),
    )


def _row(active: ActiveTopic, message: AlertMessage, now_utc_ns: int) -> Row:
    exercise = message.status == "Exercise"
    place = message.lane or message.zone or "site"
    return Row(
        seq=message.seq,
        epoch=message.epoch,
        exercise=exercise,
        topic=topics.alert_topic(topics.root(exercise), message.site, place),
        payload=encode(message),
        active_topic=active.topic,
        active_payload=b"",
        level=message.level,
        created_utc_ns=now_utc_ns,
        properties=(("trigger", "restart"), ("received_utc_ns", str(now_utc_ns))),
    )
