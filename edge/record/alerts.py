"""Alerts as entries: what each side got, by digest, so that either can be held to it.

Both sides hold the one record, so an entry tells no more than what every side got of the alert.
"""

from collections.abc import Collection, Iterable

import msgspec
from msgspec import structs

from edge.delivery.rows import ORIGIN, Mark, Row
from edge.record.entries import Draft, Entry, decode
from edge.record.record import Record

BACK = 512  # entries that are looked through at a time for the last alert
MAX_UNPLACED = 2_000  # as many alerts as a checkpoint remembers of those that were handled


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
    less = [_decoder.decode(each.payload) for each in row.variants]
    place_is_told = all((each.lane, each.zone) == (told.lane, told.zone) for each in less)
    direction_is_told = all(each.direction == told.direction for each in less)
    withheld = row.withheld()
    return Draft(
        kind="alert",
        # A lane has one direction: whoever knows the lane knows where it leads.
        place=(told.lane or told.zone or "") if place_is_told and direction_is_told else "",
        facts={
            "id": told.id,
            "revision": told.revision,
            "seq": told.seq,
            "epoch": told.epoch,
            "event": next((each.event for each in less if each.event != told.event), told.event),
            "level": told.level,
            "direction": told.direction if place_is_told and direction_is_told else None,
            "msg_type": told.msg_type,
            "exercise": told.status == "Exercise",
            "onset": told.onset,
            "digests": row.digests(sides),
            **({"withheld": withheld} if withheld else {}),
        },
    )


class Unplaced:
    """The alerts whose place a side is not told: no answer to them tells it either."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """`entries`: of the record so far."""
        self._ids: dict[str, None] = {}
        for entry in entries:
            self.look(entry)

    def look(self, told: Entry | Draft) -> None:
        """An entry, or the draft of one."""
        if told.kind == "alert" and told.facts.get("withheld") and not told.place:
            self._ids[str(told.facts.get("id"))] = None
            if len(self._ids) > MAX_UNPLACED:
                del self._ids[next(iter(self._ids))]

    def less(self, draft: Draft) -> Draft:
        """A draft as it may be entered."""
        if draft.place and draft.kind != "alert" and draft.facts.get("alert") in self._ids:
            return structs.replace(draft, place="")
        return draft


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
