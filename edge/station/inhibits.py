"""What the configuration inhibits, asked of the engine at the start as any operator would."""

from datetime import UTC, datetime

from edge.config import Config
from fusion.types import SECOND_NS, Origin, ShelveSample

BY = "config"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def standing(config: Config, now_utc_ns: int) -> list[ShelveSample]:
    """One for each; the engine refuses, and the log tells, what is over or for too long."""
    return [
        ShelveSample(
            sensor_id=one.sensor or "",
            origin=Origin.SENSOR,
            start_utc_ns=now_utc_ns,
            until_utc_ns=utc_ns_of(one.until),
            by=BY,
            reason=one.reason,
            event=one.event or "",
            place=one.place or "",
            standing=True,
        )
        for one in config.inhibits
    ]


def utc_ns_of(moment: datetime) -> int:
    """UTC nanoseconds of a time with its zone, to the microsecond, in integers."""
    since = moment - EPOCH
    whole_s = since.days * 86_400 + since.seconds
    return whole_s * SECOND_NS + since.microseconds * 1000
