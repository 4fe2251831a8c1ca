"""What never came of a sensor, as entries of the common record: what was never logged is told.

A ground station's samples follow each other in time, and its driver counts those that are missing;
a portal's own counter knows of passages that nobody heard of, also of those while its link was cut.
A sensor that flaps fills no record: it is told of once an hour at most, and at the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge.protocol.messages import rfc3339
from edge.record.entries import Draft
from fusion.types import SECOND_NS, OccupancySample, Sample, WaveformSample

EVERY_NS = 3_600 * SECOND_NS
SETTLE_NS = 60 * SECOND_NS
"""So long a gap waits for its likes before it is told: packets are lost by the dozen."""
LATE = 2
"""Passages by which a portal's counter may be behind: some count a vehicle once it has left."""
MOST_PASSAGES = 10_000  # two days of a busy lane; a counter that leaps further was set anew


@dataclass(slots=True, kw_only=True)
class _Missed:
    """What is still to be told of one sensor."""

    what: str
    after_utc_ns: int
    until_utc_ns: int
    noticed_utc_ns: int
    missing: int = 0
    gaps: int = 0


@dataclass(slots=True)
class _Counted:
    """Passages of one portal: its own counter against those that were told."""

    told: int = 0
    ahead: int | None = None
    last_utc_ns: int = 0


@dataclass(slots=True)
class Gaps:
    """Looks at every sample of every sensor."""

    places: Mapping[str, str]
    """Lanes and zones by sensor."""
    _missed: dict[str, _Missed] = field(default_factory=dict)
    _counted: dict[str, _Counted] = field(default_factory=dict)
    _entered_utc_ns: dict[str, int] = field(default_factory=dict)

    def look(self, sample: Sample, now_utc_ns: int) -> None:
        """A sample on its way to the engine."""
        if isinstance(sample, WaveformSample):
            if sample.missing > 0:
                lost_ns = round(sample.missing * SECOND_NS / sample.rate_hz)
                after_utc_ns = sample.start_utc_ns - lost_ns
                self._note(sample, "samples", sample.missing, after_utc_ns, now_utc_ns)
        elif isinstance(sample, OccupancySample) and not sample.opened:
            self._passage(sample, now_utc_ns)

    def drafts(self, now_utc_ns: int, *, ending: bool = False) -> Iterator[Draft]:
        """What is to be told now."""
        for sensor, missed in list(self._missed.items()):
            entered_utc_ns = self._entered_utc_ns.get(sensor)
            settled = abs(now_utc_ns - missed.noticed_utc_ns) >= SETTLE_NS
            # A clock that was set back must not silence it for as long as it was ahead.
            due = entered_utc_ns is None or abs(now_utc_ns - entered_utc_ns) >= EVERY_NS
            if ending or (settled and due):
                self._entered_utc_ns[sensor] = now_utc_ns
                del self._missed[sensor]
                yield self._draft(sensor, missed)

    def _passage(self, sample: OccupancySample, now_utc_ns: int) -> None:
        mine = self._counted.setdefault(sample.sensor_id, _Counted())
        mine.told += 1
        if sample.counter is None:
            return
        ahead = sample.counter - mine.told
        if mine.ahead is None or not -LATE <= ahead - mine.ahead <= MOST_PASSAGES:
            mine.ahead = ahead  # it was set anew, or is heard for the first time
        elif ahead > mine.ahead:
            missing, mine.ahead = ahead - mine.ahead, ahead
            self._note(sample, "passages", missing, mine.last_utc_ns, now_utc_ns)
        mine.last_utc_ns = sample.start_utc_ns

    def _note(
        self, sample: Sample, what: str, missing: int, after_utc_ns: int, now_utc_ns: int
    ) -> None:
        missed = self._missed.setdefault(
            sample.sensor_id,
            _Missed(
                what=what,
                after_utc_ns=after_utc_ns,
                until_utc_ns=sample.start_utc_ns,
                noticed_utc_ns=now_utc_ns,
            ),
        )
        missed.missing += missing
        missed.gaps += 1
        missed.until_utc_ns = max(missed.until_utc_ns, sample.start_utc_ns)

    def _draft(self, sensor: str, missed: _Missed) -> Draft:
        return Draft(
            kind="gap",
            place=self.places.get(sensor, ""),
            facts={
                "sensor": sensor,
                "what": missed.what,
                "missing": missed.missing,
                "gaps": missed.gaps,
                "after": rfc3339(missed.after_utc_ns),
                "until": rfc3339(missed.until_utc_ns),
            },
        )
