"""Every metric of Garita. At most 500 series at the reference checkpoint, unit in the name.

Children of labelled metrics are bound once, here or through `sensor_metrics` and
`side_metrics`; a look-up at each use would cost twice the count itself. Where an object already
counts for itself (sources, outbox) its figures are taken over at scrape time.
"""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from edge.protocol.contract import SOFTWARE
from fusion.types import SECOND_NS

# `_created` is a second series for every counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

LATENCY_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
"""From a cheap engine call to a broker that hangs; dense around the promised 10 and 50 ms."""
SCAN_S = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 10.0)
"""Around the promised 500 ms."""
STAGES = ("decode", "engine", "evidence", "commit", "deliver")
REASONS_PER_SENSOR = 6  # a codec has about a dozen; a broken device shows two or three
OTHER = "other"

BUILD = Info("garita_build", "What is running.", registry=REGISTRY)
BUILD.info({"software": SOFTWARE, "python": platform.python_version()})

STAGE = Histogram(
    "garita_stage_seconds",
    "Time in one stage. decode: bytes read to samples; engine: one sample or batch fed to alerts; "
    "evidence: an alert's files made; commit: alerts ready to on disk; deliver: sent to a side "
    "to acknowledged by its broker.",
    ["stage"],
    buckets=LATENCY_S,
    registry=REGISTRY,
)
STAGE_DECODE, STAGE_ENGINE, STAGE_EVIDENCE, STAGE_COMMIT, STAGE_DELIVER = (
    STAGE.labels(stage) for stage in STAGES
)
ALERT_DELAY = Histogram(
    "garita_alert_delay_seconds",
    "From the arrival of the bytes that triggered an alert to the alert stored in the outbox.",
    buckets=LATENCY_S,
    registry=REGISTRY,
)
ENGINE_CYCLE = Histogram(
    "garita_engine_cycle_seconds",
    "From the start to the end of one turn of the engine's clock (tick) with all it decides.",
    buckets=LATENCY_S,
    registry=REGISTRY,
)
SCAN = Histogram(
    "garita_scan_seconds",
    "From an X-ray scan's files being complete to its finding fed to the engine.",
    buckets=SCAN_S,
    registry=REGISTRY,
)

SAMPLES = Counter(
    "garita_samples",
    "Samples that a sensor's driver has read since start.",
    ["sensor"],
    registry=REGISTRY,
)
MALFORMED = Counter(
    "garita_malformed",
    "Records of a sensor that could not be read since start, by the codec's reason.",
    ["sensor", "reason"],
    registry=REGISTRY,
)
DROPPED = Counter(
    "garita_dropped",
    "What was let go at a limit since start, by where (a sensor, or a part of Garita) and why.",
    ["sensor", "reason"],
    registry=REGISTRY,
)
LAST_SAMPLE_AGE = Gauge(
    "garita_last_sample_age_seconds",
    "From the arrival of a sensor's last sample to this scrape; absent before the first.",
    ["sensor"],
    registry=REGISTRY,
)
SENSOR_UP = Gauge(
    "garita_sensor_up",
    "1 while a sensor's link stands, else 0; origin tells a simulator from the real thing.",
    ["sensor", "origin"],
    registry=REGISTRY,
)

DETECTIONS = Counter(
    "garita_detections",
    "Detections since start, interim ones included.",
    ["family", "kind"],
    registry=REGISTRY,
)
ALERTS = Counter(
    "garita_alerts",
    "Revisions of alerts (new, update, clear) made since start.",
    ["event", "level"],
    registry=REGISTRY,
)

OUTBOX_DEPTH = Gauge(
    "garita_outbox_depth",
    "Messages on disk that a side's centre, or its broker, has not confirmed, at this scrape.",
    ["side"],
    registry=REGISTRY,
)
OUTBOX_OLDEST_AGE = Gauge(
    "garita_outbox_oldest_age_seconds",
    "From the making of a side's oldest unconfirmed message to this scrape; 0 with none.",
    ["side"],
    registry=REGISTRY,
)
PUBACK = Counter(
    "garita_puback",
    "Acknowledgements of a side's broker since start, by MQTT reason; below 128 is success.",
    ["side", "reason"],
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "garita_dead_letters",
    "Messages that a side's broker refused for good since start; they are kept on disk.",
    ["side"],
    registry=REGISTRY,
)
BROKER_CONNECTED = Gauge(
    "garita_broker_connected",
    "1 while the session with a side's broker stands, else 0.",
    ["side"],
    registry=REGISTRY,
)
CERTIFICATE_EXPIRES = Gauge(
    "garita_certificate_expires_seconds",
    "Seconds until a certificate of a side ends, negative once it has; own: what we show its "
    "broker, ca: what we trust. NaN where the file cannot be read.",
    ["side", "what"],
    registry=REGISTRY,
)
BROKER_RESTARTS = Counter(
    "garita_broker_restarts",
    "Times since start that a side's own broker ended by itself and was started again.",
    ["side"],
    registry=REGISTRY,
)

RECORDING_BYTES = Counter(
    "garita_recording_bytes",
    "Raw sensor bytes written to the recording since start, before compression.",
    registry=REGISTRY,
)
RECORDING_DROPPED_BYTES = Counter(
    "garita_recording_dropped_bytes",
    "Raw sensor bytes that were not recorded since start: disk full or too slow.",
    registry=REGISTRY,
)
CLOCK_OFFSET = Gauge(
    "garita_clock_offset_seconds",
    "The machine's clock minus the steady clock that stamps arrivals, at this scrape.",
    registry=REGISTRY,
)


class SensorStatus(Protocol):
    """How one sensor is, as its source tells it. Counts are since start."""

    @property
    def sensor_id(self) -> str:
        """Its id."""
        ...

    @property
    def origin(self) -> str:
        """`sensor`, `simulator` or `replay`."""
        ...

    def trouble(self, now_utc_ns: int) -> str:
        """Why it is not to be relied on: link down, silent; empty where it is."""
        ...

    @property
    def last_sample_utc_ns(self) -> int:
        """Arrival of the last sample; 0 before the first."""
        ...

    @property
    def samples(self) -> int:
        """How many."""
        ...

    @property
    def malformed(self) -> Mapping[str, int]:
        """How many, by reason."""
        ...


class SensorMetrics:
    """One sensor's metrics, bound."""

    def __init__(self, sensor_id: str) -> None:
        self._sensor_id = sensor_id
        self._origin: str | None = None
        self._told: dict[str, int] = {}
        self._reasons: set[str] = set()
        self.samples = SAMPLES.labels(sensor_id)

    def malformed(self, reason: str, count: int = 1) -> None:
        """Count records that could not be read."""
        if reason not in self._reasons and len(self._reasons) >= REASONS_PER_SENSOR:
            reason = OTHER  # so that noise cannot fill the series budget
        self._reasons.add(reason)
        MALFORMED.labels(self._sensor_id, reason).inc(count)

    def up(self, origin: str, *, up: bool) -> None:
        """Set whether the link stands."""
        if self._origin not in (None, origin):
            SENSOR_UP.remove(self._sensor_id, self._origin)
        self._origin = origin
        SENSOR_UP.labels(self._sensor_id, origin).set(up)

    def take(self, status: SensorStatus, now_utc_ns: int) -> None:
        """Take over what the source has counted since the last time."""
        self.up(str(status.origin), up=not status.trouble(now_utc_ns))
        self.samples.inc(self._since("samples", status.samples))
        for reason, count in sorted(dict(status.malformed).items()):
            if new := self._since(f"malformed {reason}", count):
                self.malformed(reason, new)
        if status.last_sample_utc_ns:
            age_s = max(0, now_utc_ns - status.last_sample_utc_ns) / SECOND_NS
            LAST_SAMPLE_AGE.labels(self._sensor_id).set(age_s)

    def _since(self, what: str, count: int) -> int:
        new = count - self._told.get(what, 0)
        self._told[what] = count
        return max(new, 0)  # a source that was made anew counts from 0 again


@dataclass(frozen=True, slots=True)
class SideMetrics:
    """One side's metrics, bound."""

    side: str
    depth: Gauge
    oldest_age: Gauge
    dead_letters: Counter
    connected: Gauge
    broker_restarts: Counter

    def puback(self, reason: str) -> None:
        """Count an acknowledgement by its reason, such as `0` or `135`."""
        PUBACK.labels(self.side, reason).inc()


@cache
def sensor_metrics(sensor_id: str) -> SensorMetrics:
    """The metrics of one sensor; the same object each time."""
    return SensorMetrics(sensor_id)


@cache
def side_metrics(side: str) -> SideMetrics:
    """The metrics of one side; the same object each time. They exist, at 0, from then on."""
    return SideMetrics(
        side,
        OUTBOX_DEPTH.labels(side),
        OUTBOX_OLDEST_AGE.labels(side),
        DEAD_LETTERS.labels(side),
        BROKER_CONNECTED.labels(side),
        BROKER_RESTARTS.labels(side),
    )


def take_sensors(statuses: Iterable[SensorStatus], now_utc_ns: int) -> None:
    """Take over what the sources have counted; called at scrape time."""
    for status in statuses:
        sensor_metrics(status.sensor_id).take(status, now_utc_ns)


def take_side(side: str, *, depth: int, oldest_utc_ns: int | None, now_utc_ns: int) -> None:
    """Take over how a side's outbox stands; called at scrape time."""
    bound = side_metrics(side)
    bound.depth.set(depth)
    age_ns = 0 if oldest_utc_ns is None else max(0, now_utc_ns - oldest_utc_ns)
    bound.oldest_age.set(age_ns / SECOND_NS)


def take_certificate(side: str, what: str, left_s: float | None) -> None:
    """Take over how long a side's certificate lasts; called at scrape time."""
    CERTIFICATE_EXPIRES.labels(side, what).set(float("nan") if left_s is None else left_s)


def detection(family: str, kind: str) -> None:
    """Count one detection."""
    DETECTIONS.labels(family, kind).inc()


def alert(event: str, level: int) -> None:
    """Count one revision of an alert."""
    ALERTS.labels(event, str(level)).inc()


def dropped(where: str, reason: str, count: int = 1) -> None:
    """Count what was let go at a limit."""
    DROPPED.labels(where, reason).inc(count)
