"""What changes at a checkpoint while it runs, as entries of the common record.

Sensors and sides that come and go, and once an hour how much came by: what shares and rates are
counted from afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from edge.config import Config
from edge.delivery.sides import SideStatus
from edge.protocol.messages import rfc3339
from edge.record.entries import Draft
from edge.sensors.intake import kind_of
from edge.sensors.sources import SourceStatus
from fusion.types import SECOND_NS, OccupancySample, Origin, Sample, ScanFinding

HOUR_NS = 3_600 * SECOND_NS
REASON_CHARACTERS = 200
Counts = Counter[str]


class Changes:
    """Looks now and then, and tells what is not as it was."""

    def __init__(self, places: Mapping[str, str], now_utc_ns: int) -> None:
        """`places`: lanes and zones by sensor."""
        self._places = places
        self._sensors: dict[str, bool] = {}
        self._sides: dict[str, bool] = {}
        self._since_utc_ns = now_utc_ns
        self._passages: Counts = Counter()
        self._scans: Counts = Counter()

    def look(self, sample: Sample) -> None:
        """A sample on its way to the engine."""
        if isinstance(sample, OccupancySample) and not sample.opened:
            self._passages[self._places.get(sample.sensor_id, "")] += 1
        elif isinstance(sample, ScanFinding):
            self._scans[self._places.get(sample.sensor_id, "")] += 1

    def sensors(self, statuses: Iterable[SourceStatus]) -> Iterator[Draft]:
        """Those whose link has come or gone since the last look."""
        for one in statuses:
            if self._sensors.get(one.sensor_id) != one.up:
                self._sensors[one.sensor_id] = one.up
                yield Draft(
                    kind="sensor",
                    place=self._places.get(one.sensor_id, ""),
                    facts={
                        "sensor": one.sensor_id,
                        "up": one.up,
                        "reason": "" if one.up else one.reason[:REASON_CHARACTERS],
                    },
                )

    def sides(self, statuses: Iterable[SideStatus]) -> Iterator[Draft]:
        """The same of both brokers."""
        for one in statuses:
            if self._sides.get(one.side) != one.connected:
                self._sides[one.side] = one.connected
                why = "" if one.connected else one.last_error[:REASON_CHARACTERS]
                yield Draft(
                    kind="side",
                    facts={"side": one.side, "connected": one.connected, "reason": why},
                )

    def counts(self, now_utc_ns: int, *, ending: bool = False) -> Iterator[Draft]:
        """What came by since the last time; once an hour, and at the end."""
        if not ending and now_utc_ns - self._since_utc_ns < HOUR_NS:
            return
        lanes = sorted({*self._passages, *self._scans} - {""})
        yield Draft(
            kind="count",
            facts={
                "since": rfc3339(self._since_utc_ns),
                "lanes": {
                    lane: {"passages": self._passages[lane], "scans": self._scans[lane]}
                    for lane in lanes
                },
            },
        )
        self._since_utc_ns = now_utc_ns
        self._passages.clear()
        self._scans.clear()


def places_of(config: Config) -> dict[str, str]:
    """Lanes and zones by sensor."""
    return {one.id: one.lane or one.zone or "" for one in config.sensors}


def fallbacks(statuses: Iterable[SourceStatus], config: Config) -> Iterator[Draft]:
    """Sensors for which a simulator stands in."""
    places = places_of(config)
    for one in statuses:
        if one.origin is Origin.SIMULATOR:
            kind = kind_of(config.sensor(one.sensor_id)).kind
            facts = {"sensor": one.sensor_id, "kind": kind}
            yield Draft(kind="fallback", place=places[one.sensor_id], facts=facts)
