"""Plays a day: the three calls of the live service, in the order of its recording."""

import gc
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import msgspec
import numpy as np
import structlog

from drivers.wire.malformed import Malformed, malformed
from edge.delivery.rows import Row
from edge.evidence.files import EvidenceFile
from edge.evidence.scans.ready import KeepWhole
from edge.library_cache import use_library_cache
from edge.protocol.messages import encode_detection
from edge.recordings.asked import as_replayed, read_asked
from edge.recordings.format import Event, What
from edge.sensors.intake import Intake, Taken
from edge.sensors.scans import Measuring
from edge.station.numbering import Numbering
from edge.station.pipeline import feed, row_of, tick
from edge.study.day import Day
from fusion.engine import Engine
from fusion.types import SECOND_NS, Alert, Checkpoint, Detection, Origin, Sample

Read = list[Sample | Malformed]
Work = Callable[[], Read]
"""Gives what was read of one arrival, once."""
AHEAD_EVENTS = 8192  # half a minute of the reference load, replayed while one scan is measured
AHEAD_SCANS = 2  # as many planes in memory: 40 MB and their arithmetic
PROGRESS_S = 1.0
YOUNG_OBJECTS = 20_000
"""Between two collections: samples come and go by the thousand, and hardly any is in a circle."""

log = structlog.get_logger()


class Player:
    """Runs one day and hands out lines. `show` is `"alerts"`, `"detections"` or `"samples"`."""

    def __init__(
        self,
        day: Day,
        *,
        show: str = "alerts",
        as_recorded: bool = False,
        speed: float | None = None,
        progress: Callable[[int, float], None] = lambda utc_ns, speed: None,
        take_file: Callable[[str, EvidenceFile], object] | None = None,
        take_detection: Callable[[Detection], object] = lambda detection: None,
        take_row: Callable[[Row, Alert], object] | None = None,
        keep_whole: KeepWhole | None = None,
    ) -> None:
        """`take_file` is given every file of evidence with its alert's id, `take_detection` every
        detection that is shown, `take_row` every alert as an outbox would hold it, and
        `keep_whole` every scan at its full depth."""
        use_library_cache()
        self._day = day
        self._show = show
        self._as_recorded = as_recorded
        self._speed = speed
        self._progress = progress
        self._take_file = take_file
        self._take_detection = take_detection
        self._take_row = take_row
        checkpoint = day.checkpoint if as_recorded else as_replay(day.checkpoint)
        self._engine = Engine(checkpoint, day.policy)
        self._numbering = Numbering(
            first_seq=day.first_seq,
            epoch=day.epoch,
            config_digest=day.config_digest,
            languages=day.languages,
        )
        self._intakes = {
            sensor.config.id: Intake(
                sensor.config, sensor.recorded_origin if as_recorded else Origin.REPLAY
            )
            for sensor in day.sensors
        }
        # On one core a worker takes nothing off: it would only be waited for.
        alone = len(os.sched_getaffinity(0)) == 1
        self._pool = None if alone else ThreadPoolExecutor(1, thread_name_prefix="scans")
        self._measure = Measuring(day.policy.xray, keep_whole)
        self._heavy = {name for name, intake in self._intakes.items() if intake.kind.heavy}
        self._started: deque[Work] = deque()
        self._in_hand: dict[str, tuple[Event, Work]] = {}
        self._scans = 0
        self._told: set[str] = set()
        """Sensors of whose malformed input something has been said."""
        self.events = self.alerts = self.malformed = 0
        self._first_utc_ns = 0
        self._first_raw_utc_ns = self._last_raw_utc_ns = 0

    def lines(self) -> Iterator[bytes]:
        """The day's JSON objects, one a line, in order."""
        # What is loaded by now stays; the collector need not look at it again. Only the first
        # time: what earlier days have left is to be collected.
        if not gc.get_freeze_count():
            gc.freeze()
        usual = gc.get_threshold()
        gc.set_threshold(YOUNG_OBJECTS, *usual[1:])
        try:
            yield from self._lines()
        finally:
            gc.set_threshold(*usual)
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)

    def _lines(self) -> Iterator[bytes]:
        intakes, engine, show = self._intakes, self._engine, self._show
        paced = self._paced(self._ahead())
        for event in paced:
            samples: list[Sample] = []
            alerts: list[Alert] = []
            if event.what is What.TICK:
                alerts = tick(engine, event.utc_ns) if show != "samples" else []
            else:
                samples = self._samples(event, intakes.get(event.sensor_id))
            if show == "samples":
                yield from map(_sample_line, samples)
                continue
            for sample in samples:
                alerts += feed(engine, sample)
            if show == "detections":
                for detection in engine.take_detections():
                    self._take_detection(detection)
                    yield encode_detection(detection) + b"\n"
            elif event.what is What.TICK:
                engine.take_detections()
            for alert in alerts:
                self.alerts += 1
                if show == "alerts" or self._take_file is not None or self._take_row is not None:
                    yield from self._write(alert)

    def _write(self, alert: Alert) -> Iterator[bytes]:
        written = self._numbering.write(alert)
        if written is None:
            return
        if self._take_file is not None:
            for file in written.files:
                self._take_file(alert.alert_id, file)
        if self._take_row is not None:
            epoch, updated_utc_ns = self._day.epoch, alert.updated_utc_ns
            row = row_of(alert, written, epoch=epoch, created_utc_ns=updated_utc_ns)
            self._take_row(row, alert)
        if self._show == "alerts":
            yield written.payload + b"\n"

    def _samples(self, event: Event, intake: Intake | None) -> list[Sample]:
        """What the engine was fed at this event."""
        if event.what is What.ASKED:
            # What was asked of real alerts is asked of those of the replay.
            as_recorded = self._as_recorded
            return [one if as_recorded else as_replayed(one) for one in read_asked(event.data)]
        if intake is None:  # a configuration given for the replay may leave sensors out
            return []
        if event.sensor_id not in self._heavy:
            taken = intake.feed(event.data, event.utc_ns)
        else:
            earlier = self._in_hand.pop(event.sensor_id, None)
            if event.what is What.RAW:
                # Where an earlier one is left, it made nothing that the service could feed.
                self._in_hand[event.sensor_id] = (event, self._started.popleft())
            if earlier is None:
                return []
            taken = self._finish(intake, *earlier)
            if event.what is What.RAW:
                taken.samples.clear()
        if taken.malformed:
            self._tell(event.sensor_id, taken.malformed)
        return taken.samples

    def _tell(self, sensor_id: str, bad: list[Malformed]) -> None:
        """Say of each sensor once what could not be read first; the rest is counted.

        Of pictures and documents each is told: who brings twenty wants to know which ones.
        """
        self.malformed += len(bad)
        if sensor_id in self._heavy or sensor_id not in self._told:
            self._told.add(sensor_id)
            log.warning("input malformed", sensor=sensor_id, first=bad[0].reason, text=bad[0].text)

    def _finish(self, intake: Intake, event: Event, work: Work) -> Taken:
        self._scans -= 1
        try:
            read = work()
        # As in the live service: a picture that breaks the analysis must not end the rest.
        except Exception as error:
            log.exception("analysis failed", sensor=event.sensor_id)
            read = [malformed("analysis-error", repr(error).encode())]
        taken = intake.sort(read, event.data, event.utc_ns)
        played = self._day.played.get(event.sensor_id)
        if played is not None:
            played.judge(taken.malformed[0] if taken.refused else None)
            if taken.refused:  # told by the file's own name
                self.malformed += len(taken.malformed)
                taken.malformed.clear()
        return taken

    def _ahead(self) -> Iterator[Event]:
        """The day's events, with scans given to a worker as soon as they come into sight."""
        events, waiting = iter(self._day.events), deque[Event]()
        ended = False
        while True:
            while not ended and (
                not waiting or (len(waiting) < AHEAD_EVENTS and self._scans < AHEAD_SCANS)
            ):
                event = next(events, None)
                if event is None:
                    ended = True
                    break
                if event.sensor_id in self._heavy and event.what is What.RAW:
                    self._start(event)
                waiting.append(event)
            if not waiting:
                return
            yield waiting.popleft()

    def _start(self, event: Event) -> None:
        intake = self._intakes[event.sensor_id]
        self._scans += 1

        def read() -> Read:
            return intake.read(event.data, event.utc_ns)

        work = read if self._show == "samples" else partial(self._measure, read)
        self._started.append(work if self._pool is None else self._pool.submit(work).result)

    def _paced(self, events: Iterator[Event]) -> Iterator[Event]:
        began = told = time.monotonic()
        for event in events:
            self.events += 1
            if self.events == 1:
                self._first_utc_ns = event.utc_ns
            if event.what is What.RAW:
                self._first_raw_utc_ns = self._first_raw_utc_ns or event.utc_ns
                self._last_raw_utc_ns = event.utc_ns
            if self._speed is not None:
                passed_s = (event.utc_ns - self._first_utc_ns) / SECOND_NS
                wait_s = began + passed_s / self._speed - time.monotonic()
                if wait_s > 0:
                    time.sleep(wait_s)
            yield event
            # Asking the time for every event would cost as much as reading it.
            looks = self._speed is not None or self.events % 1024 == 0
            if looks and (now := time.monotonic()) - told >= PROGRESS_S:
                told = now
                self._progress(event.utc_ns, self.recorded_s / (now - began))

    @property
    def recorded_s(self) -> float:
        """How much recorded time has been played: of the devices, not of the ticks after them."""
        return (self._last_raw_utc_ns - self._first_raw_utc_ns) / SECOND_NS


def as_replay(checkpoint: Checkpoint) -> Checkpoint:
    """The same site, where also a sensor that never speaks is only replayed."""
    sensors = tuple(replace(sensor, origin=Origin.REPLAY) for sensor in checkpoint.sensors)
    return replace(checkpoint, sensors=sensors)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(f"a sample holds {type(value).__name__}")


_samples = msgspec.json.Encoder(enc_hook=_plain)


def _sample_line(sample: Sample) -> bytes:
    name = type(sample).__name__.removesuffix("Sample").lower()
    return b'{"sample":"' + name.encode() + b'",' + _samples.encode(sample)[1:] + b"\n"
