"""Every shelving, its end and its expiry, in the log and in the metrics."""

import structlog

from edge import alarm_metrics
from edge.protocol.messages import rfc3339
from fusion.shelving import ShelfEntry

EVENTS = {
    "shelved": "alerts shelved",
    "ended": "shelving ended",
    "expired": "shelving expired",
    "refused": "shelving refused",
}

log = structlog.get_logger()


def tell(entry: ShelfEntry) -> None:
    """One line: what, of what, by whom, why, until when."""
    alarm_metrics.shelving(entry.what)
    kept = entry.shelving
    said = log.warning if entry.what == "refused" else log.info
    said(
        EVENTS[entry.what],
        code=kept.event or "any",
        sensor=kept.sensor_id or "any",
        place=kept.place or "any",
        by=kept.by,
        reason=kept.reason,
        until=rfc3339(kept.until_utc_ns),
        **({"refusal": entry.refusal} if entry.refusal else {}),
    )
