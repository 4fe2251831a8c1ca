"""The one loop: samples -> engine -> alerts -> numbered rows -> outbox -> publishers woken.

Everything here runs on the event loop's thread and in one order, the order that the recording
keeps; only the commit itself has a thread of its own.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import structlog

from edge import alarm_metrics, metrics, scan_metrics
from edge.delivery.release import Release
from edge.delivery.rows import Attachment, Row
from edge.protocol import topics
from edge.recordings.asked import Asked, write_asked
from edge.recordings.recorder import Record
from edge.station import shelf_log
from edge.station.committer import Committer, Waiting
from edge.station.numbering import Numbering, Written
from fusion.budget import Budget
from fusion.desk import DeskState
from fusion.handling_policy import HandlingPolicy
from fusion.shelving import ShelfEntry, Shelving
from fusion.types import SECOND_NS, Alert, Detection, Phase, Sample, ScanFinding

TICK_S = 0.1  # the shortest on-delay of the alarm rules is a second; a tenth of it is fine enough

log = structlog.get_logger()


class Fusing(Protocol):
    """The engine, as the pipeline sees it."""

    def feed(self, sample: Sample) -> list[Alert]:
        """One sample."""
        ...

    def tick(self, utc_ns: int) -> list[Alert]:
        """Time has reached `utc_ns`."""
        ...

    def take_detections(self) -> list[Detection]:
        """The detections since the last call."""
        ...

    def take_entries(self) -> list[ShelfEntry]:
        """What has happened on the shelf since the last call."""
        ...

    @property
    def desk(self) -> DeskState:
        """What the operator's desk looks like now."""
        ...


class Pipeline:
    """Feeds the engine and hands its alerts to the committer."""

    def __init__(
        self,
        *,
        engine: Fusing,
        numbering: Numbering,
        committer: Committer,
        record: Record,
        heavy: Collection[str],
        now_utc_ns: Callable[[], int],
        look: Sequence[Callable[[Sample], object]] = (),
        shelved: Callable[[list[ShelfEntry]], object] = lambda entries: None,
        told: Callable[[Alert], object] = lambda alert: None,
        handling: HandlingPolicy | None = None,
        release: Release | None = None,
    ) -> None:
        self._engine = engine
        self._numbering = numbering
        self._committer = committer
        self._record = record
        self._heavy = frozenset(heavy)
        self._now_utc_ns = now_utc_ns
        self._look = tuple(look)
        self._shelved = shelved
        self._told = told
        self._handling = handling or HandlingPolicy()
        self._budget = Budget(self._handling)
        self._release = release or Release({}, b"")
        self._looked_utc_ns = 0
        self.ticked_monotonic = time.monotonic()
        """When the loop last turned; health asks."""

    def deliver(
        self, sensor_id: str, samples: list[Sample], received_utc_ns: int, trigger: str
    ) -> None:
        """What a driver made of one arrival; `trigger` names the arrival in the alert.

        Sources call it right after they recorded the arrival, with nothing in between: that
        is what keeps the order of the recording the order of feeding. What a worker made
        comes later, so the recording notes when.
        """
        if sensor_id in self._heavy:
            now_utc_ns = self._now_utc_ns()
            self._record.fed(sensor_id, now_utc_ns)
            # Documents of spectra are read in workers too, and are no scans.
            if any(isinstance(sample, ScanFinding) for sample in samples):
                metrics.SCAN.observe((now_utc_ns - received_utc_ns) / SECOND_NS)
        began = time.perf_counter()
        alerts: list[Alert] = []
        for sample in samples:
            alerts += feed(self._engine, sample)
            for look in self._look:
                look(sample)
        metrics.STAGE_ENGINE.observe(time.perf_counter() - began)
        if alerts:
            self._send(alerts, trigger, received_utc_ns)

    def ask(self, asked: Asked, trigger: str) -> list[ShelfEntry]:
        """Ask something of the engine for an operator, or for the configuration; what came of it.

        It is recorded as any input, so a replay asks the same at the same place.
        """
        utc_ns = asked.start_utc_ns
        self._record.asked(write_asked(asked), utc_ns)
        alerts = feed(self._engine, asked)
        entries = self._take_entries()
        if alerts:
            self._send(alerts, trigger, utc_ns)
        return entries

    def tick(self) -> None:
        """Tell the engine what time it is. RuntimeError where alerts cannot be stored any more."""
        if self._committer.failed:
            raise RuntimeError(f"alerts cannot be stored: {self._committer.failed}")
        utc_ns = self._now_utc_ns()
        self._record.tick(utc_ns)
        began = time.perf_counter()
        alerts = tick(self._engine, utc_ns)
        metrics.ENGINE_CYCLE.observe(time.perf_counter() - began)
        self.ticked_monotonic = time.monotonic()
        if alerts:
            self._send(alerts, "tick", utc_ns)
        if entries := self._take_entries():
            self._shelved(entries)
        self._look_at_load(utc_ns)
        for detection in self._engine.take_detections():
            metrics.detection(detection.family.value, detection.kind)
            scan_metrics.take(detection)

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.tick()
            # A tick that came late is not made up for: the next one carries the time.
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())

    @property
    def shelved(self) -> tuple[Shelving, ...]:
        """What rings for nobody now."""
        return self._engine.desk.shelved

    @property
    def budget(self) -> Budget:
        """What rang."""
        return self._budget

    @property
    def limit_per_h(self) -> float:
        """What one person can answer."""
        return self._handling.alerts_per_h

    def _look_at_load(self, utc_ns: int) -> None:
        """Once a second: who scrapes does so from another thread, and less often."""
        self._budget.advance(utc_ns)
        if utc_ns - self._looked_utc_ns < SECOND_NS:
            return
        self._looked_utc_ns = utc_ns
        alarm_metrics.take(self._engine.desk, self._budget, self._handling.alerts_per_h, utc_ns)

    def _take_entries(self) -> list[ShelfEntry]:
        entries = self._engine.take_entries()
        for entry in entries:
            shelf_log.tell(entry)
        return entries

    def _send(self, alerts: list[Alert], trigger: str, received_utc_ns: int) -> None:
        properties = (("trigger", trigger), ("received_utc_ns", str(received_utc_ns)))
        rows = []
        for alert in alerts:
            if self._committer.full:
                # Not numbered, so the centres see no gap; the log and a metric say it.
                log.error("alert lost: the outbox takes nothing", alert=alert.alert_id)
                metrics.dropped("outbox", "disk")
                continue
            row = self._row(alert, properties)
            if row is not None:
                rows.append(Waiting(row, received_utc_ns))
        self._committer.put(rows)

    def _row(self, alert: Alert, properties: tuple[tuple[str, str], ...]) -> Row | None:
        written = self._numbering.write(alert)
        if written is None:
            return None
        metrics.alert(alert.event.value, int(alert.level))
        self._budget.told(alert, self._now_utc_ns())
        if written.files:
            self._told(alert)
        row = row_of(
            alert,
            written,
            epoch=self._numbering.epoch,
            created_utc_ns=self._now_utc_ns(),
            properties=properties,
        )
        return self._release.released(row)


def row_of(
    alert: Alert,
    written: Written,
    *,
    epoch: str,
    created_utc_ns: int,
    properties: tuple[tuple[str, str], ...] = (),
) -> Row:
    """One revision of an alert as the outbox holds it, with its files."""
    root, place = topics.root(alert.exercise), place_of(alert)
    return Row(
        seq=written.seq,
        epoch=epoch,
        exercise=alert.exercise,
        topic=topics.alert_topic(root, alert.site, place),
        payload=written.payload,
        active_topic=topics.active_topic(root, alert.site, place, alert.alert_id),
        active_payload=b"" if alert.phase is Phase.CLEAR else written.payload,
        level=int(alert.level),
        created_utc_ns=created_utc_ns,
        properties=properties,
        attachments=tuple(
            Attachment(
                n=file.n,
                topic=topics.evidence_topic(root, alert.site, alert.alert_id, file.n),
                name=file.message.name,
                media_type=file.message.media_type,
                sha256=file.message.sha256,
                payload=file.data,
            )
            for file in written.files
        ),
    )


def place_of(alert: Alert) -> str:
    """The topic level of the alert: its lane or zone, `site` where it has neither."""
    return alert.lane or alert.zone or "site"


def feed(engine: Fusing, sample: Sample) -> list[Alert]:
    """`engine.feed`, where a mistake in a detector costs the sample and not the service."""
    try:
        return engine.feed(sample)
    # Whatever is wrong in one sensor's arithmetic, the other lanes must go on.
    except Exception:
        log.exception("sample cannot be weighed", sensor=sample.sensor_id)
        metrics.dropped(sample.sensor_id, "engine-error")
        return []


def tick(engine: Fusing, utc_ns: int) -> list[Alert]:
    """`engine.tick`, guarded as `feed`."""
    try:
        return engine.tick(utc_ns)
    # As above.
    except Exception:
        log.exception("tick failed")
        metrics.dropped("engine", "engine-error")
        return []
