"""What happens on the shelf, as entries of the common record."""

from edge.protocol.messages import rfc3339
from edge.record.entries import EDGE, Draft, Kind
from fusion.shelving import ShelfEntry

_KIND: dict[str, Kind] = {"shelved": "shelve", "ended": "unshelve", "expired": "shelf-expired"}


def shelf_draft(entry: ShelfEntry, key: str = "") -> Draft | None:
    """The entry; None where nothing was shelved: a refusal is told where it was asked.

    key  of who asked
    """
    kind, kept = _KIND.get(entry.what), entry.shelving
    if kind is None:
        return None
    asked = kind != "shelf-expired" and not kept.standing
    return Draft(
        kind="inhibit" if kept.standing and kind == "shelve" else kind,
        by=kept.by if asked else EDGE,
        key=key if asked else "",
        place=kept.place,
        facts={
            "event": kept.event,
            "sensor": kept.sensor_id,
            "place": kept.place,
            "until": rfc3339(kept.until_utc_ns),
            "reason": kept.reason,
        },
    )
