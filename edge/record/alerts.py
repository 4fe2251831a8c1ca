"""Alerts as entries: what each side got, by digest, so that either can be held to it."""

from collections.abc import Collection

import msgspec

from edge.delivery.rows import ORIGIN, Mark, Row
from edge.record.entries import Draft, decode
from edge.record.record import Record

BACK = 512  # entries that are looked through at a time for the last alert


class _Told(msgspec.Struct, frozen=True):
    """What an entry says of an alert, by its message."""

    id: str
    revision: int
    seq: int
    epoch: str
    event: str
    level: int
    direction: str | None
    msg_type: str
    status: str
    onset: str
    lane: str | None
    zone: str | None


_decoder = msgspec.json.Decoder(_Told)


def draft_of(row: Row, sides: Collection[str]) -> Draft:
    """The entry of one revision of an alert. ValueError where the row is no alert."""
    told = _decoder.decode(row.payload)
    withheld = row.withheld()
    return Draft(
        kind="alert",
        place=told.lane or told.zone or "",
        facts={
            "id": told.id,
            "revision": told.revision,
            "seq": told.seq,
            "epoch": told.epoch,
            "event": told.event,
            "level": told.level,
            "direction": told.direction,
            "msg_type": told.msg_type,
            "exercise": told.status == "Exercise",
            "onset": told.onset,
            "digests": row.digests(sides),
            **({"withheld": withheld} if withheld else {}),
        },
    )


def last_alert(record: Record) -> Mark:
    """The last alert that was entered; the origin where there is none."""
    end = record.size
    while end > 0:
        first = max(0, end - BACK)
        for data in reversed(record.entries(first, end - first)):
            entry = decode(data)
            if entry.kind == "alert":
                return Mark(epoch=str(entry.facts["epoch"]), seq=int(entry.facts["seq"]))
        end = first
    return ORIGIN
