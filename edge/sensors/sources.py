"""Keeps every sensor's link: opens, stamps, records, feeds the driver, opens again.

Each sensor has its own task and fails by itself. What a chunk of bytes means is `intake`'s.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from drivers.base import Bookmark, SensorConfig, SensorUnavailable
from drivers.transports import Transport, open_transport
from drivers.wire.malformed import Malformed, malformed
from edge import metrics
from edge.sensors.bookmarks import Note
from edge.sensors.bursts import BURST_NS, Bursts
from edge.sensors.intake import LINK, Intake, Taken
from edge.sensors.patience import RETRY_S, Patience
from edge.sensors.standin import StandIn, quiet_day, with_sensor
from fusion.types import SECOND_NS, Origin, Sample, StatusSample
from simulators.scenario import Scenario

Read = list[Sample | Malformed]
Work = Callable[[Callable[[], Read]], Awaitable[Read]]
"""Runs heavy reading, and whatever is to follow it, off the loop."""
Record = Callable[[str, bytes, int], object]
"""Keeps `(sensor_id, data, received_utc_ns)`; `b""` says that the link was cut."""
Deliver = Callable[[str, list[Sample], int, str], None]
"""Takes `(sensor_id, samples, received_utc_ns, trigger)` in the order of arrival."""
Stored = Callable[[], Awaitable[object]]
"""Returns when the alerts of what was delivered so far are on disk."""

# Between opening a link and the first read, the service waits for the sensors that do not answer. A
# portal's lines carry no time: those of a whole pass would all be dated by the moment of reading.
# Two seconds of them come together after a hitch of a network as well, and a pass takes eight.
# Reading at once would be no better: nothing is recorded yet, and a replay would miss it.
STALE_S = 2.0

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class SourceStatus:
    """How one sensor is, for health, metrics and the birth document. Read it, do not keep it."""

    sensor_id: str
    origin: Origin
    up: bool = False
    """Whether the link stands."""
    reason: str = ""
    """Why it does not, where it does not."""
    last_sample_utc_ns: int = 0
    """Arrival of the bytes that made the last sample; 0 before the first."""
    received_bytes: int = 0
    samples: int = 0
    cuts: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    """By reason."""
    silent_after_s: float = 0.0
    """Saying nothing for so long is a fault of its own, whatever its link; 0: never."""

    def trouble(self, now_utc_ns: int) -> str:
        """Why it is not to be relied on just now; `""`: it is."""
        if not self.up:
            return self.reason or "link down"
        age_s = (now_utc_ns - self.last_sample_utc_ns) / SECOND_NS
        if self.silent_after_s and self.last_sample_utc_ns and age_s > self.silent_after_s:
            return f"silent for {age_s:.0f} s"
        return ""


async def at_once() -> None:
    """The plainest `Stored`: nothing is."""


async def in_thread(read: Callable[[], Read]) -> Read:
    """The plainest `Work`: the loop's own pool of threads."""
    return await asyncio.to_thread(read)


class Source:
    """One sensor: `start` once, then `run` until cancelled."""

    def __init__(
        self,
        config: SensorConfig,
        *,
        now_utc_ns: Callable[[], int],
        record: Record,
        deliver: Deliver,
        work: Work = in_thread,
        scenario: Scenario | None = None,
        seed: int = 0,
        retry_s: tuple[float, float] = RETRY_S,
        bookmark: Bookmark | None = None,
        spool: Path | None = None,
        stored: Stored = at_once,
    ) -> None:
        origin = Origin.SIMULATOR if config.origin == "simulator" else Origin.SENSOR
        self.config = config
        silent_s = config.silent_after_s
        self.status = SourceStatus(
            sensor_id=config.id,
            origin=origin,
            silent_after_s=config.default_silent_after_s if silent_s is None else silent_s,
        )
        self._intake = Intake(config, origin)
        self._now_utc_ns = now_utc_ns
        self._record = record
        self._deliver = deliver
        self._bookmark = Note() if bookmark is None else bookmark
        self._spool = spool
        # What a folder files and a sender is told is final: a scan must not be forgotten before its
        # alert is safe. A stream has nothing to keep, and must not wait for a disk.
        self._whole = config.url.startswith(("folder:", "dicos:"))
        self._stored = stored if self._whole else at_once
        self._work = work
        self._scenario = scenario
        self._patience = Patience(
            config.id, config.url, seed=seed, retry_s=retry_s, quiet=not config.session
        )
        self._bursts = Bursts(config.id)
        self._transport: Transport | None = None
        self._opened_s = 0.0

    async def start(self) -> None:
        """Open the link, or decide once for all on the simulator. Raises nothing for a sensor
        that does not answer: `run` goes on trying."""
        try:
            self._transport = await self._open()
        except SensorUnavailable as error:
            if self.config.fallback != "simulator":
                self._unavailable(error)
                return
            log.warning("sensor replaced by its simulator", sensor=self.config.id, why=str(error))
            scenario = self._scenario or quiet_day(0, self._now_utc_ns())
            self._transport = StandIn(self.config, with_sensor(scenario, self.config))
            self.status.origin = Origin.SIMULATOR
            self._intake = Intake(self.config, Origin.SIMULATOR)
        self._opened_s = _monotonic_s()
        self.status.up = True

    async def run(self) -> None:
        """Read for ever; closes the link when cancelled."""
        try:
            await self._leave_stale()
            while True:
                if self._transport is None:
                    await self._take(b"")
                    self._transport = await self._open_again()
                    self.status.up, self.status.reason = True, ""
                    self._patience.opened_again()
                await self._read_until_cut(self._transport)
                await self.close()
                self._patience.cut(_monotonic_s())
                self.status.reason = "link cut"
                self.status.cuts += 1
        finally:
            self._bursts.end()
            await self.close()

    def end_burst(self) -> None:
        """Sum up malformed input that has ceased; to be called now and then."""
        self._bursts.end_if_over(self._now_utc_ns())

    async def close(self) -> None:
        """Close the link if it is open."""
        transport, self._transport = self._transport, None
        self.status.up = False
        if transport is not None:
            await transport.close()

    async def _leave_stale(self) -> None:
        """Open anew what has waited for long: what queued in it is old."""
        # A stand-in has no queue, and no scan is too old, in a folder or sent.
        lasts = isinstance(self._transport, StandIn) or self._whole
        if self._transport is None or lasts or _monotonic_s() - self._opened_s < STALE_S:
            return
        await self.close()
        try:
            self._transport = await self._open()
            self.status.up = True
        except SensorUnavailable as error:
            self._unavailable(error)

    async def _read_until_cut(self, transport: Transport) -> None:
        self._patience.begin(_monotonic_s())
        while data := await transport.read():
            refused = await self._take(data)
            await self._stored()
            await transport.settle(refused)
            # A socket that always has more does not suspend by itself; the others want a turn.
            await asyncio.sleep(0)

    async def _take(self, data: bytes) -> str:
        """Stamp, record, read, deliver; returns why it was of no use, or `""`."""
        received_utc_ns = self._now_utc_ns()
        self._record(self.config.id, data, received_utc_ns)
        self.status.received_bytes += len(data)
        began = time.perf_counter()
        if self._intake.kind.heavy:
            read = await self._read_heavy(data, received_utc_ns)
            taken = self._intake.sort(read, data, received_utc_ns)
        else:
            taken = self._intake.feed(data, received_utc_ns)
            metrics.STAGE_DECODE.observe(time.perf_counter() - began)
        self._count_samples(taken, received_utc_ns)
        self._count_malformed(taken.malformed, received_utc_ns)
        if data:
            self._patience.arrived(_monotonic_s(), good=any(map(_is_reading, taken.samples)))
        if taken.samples:
            self._deliver(self.config.id, taken.samples, received_utc_ns, taken.trigger)
        return taken.refused

    async def _read_heavy(self, data: bytes, received_utc_ns: int) -> Read:
        try:
            return await self._work(lambda: self._intake.read(data, received_utc_ns))
        except Exception as error:  # a scan that breaks the analysis must not end the lane
            log.exception("analysis failed", sensor=self.config.id)
            return [malformed("analysis-error", repr(error).encode())]

    def _count_samples(self, taken: Taken, received_utc_ns: int) -> None:
        self.status.samples += len(taken.samples)
        if taken.samples:
            self.status.last_sample_utc_ns = received_utc_ns

    def _count_malformed(self, bad: list[Malformed], received_utc_ns: int) -> None:
        self.status.malformed.update(one.reason for one in bad)
        self._bursts.add(bad, received_utc_ns)

    def _refuse(self, one: Malformed) -> None:
        self._count_malformed([one], self._now_utc_ns())

    async def _open_again(self) -> Transport:
        lapse_s, cut_s = self.config.lapse_s, _monotonic_s()
        while True:
            await asyncio.sleep(self._patience.pause_s())
            try:
                return await self._open(patient=True)
            except SensorUnavailable as error:
                self._unavailable(error)
            if lapse_s and _monotonic_s() - cut_s >= lapse_s:
                lapse_s = 0.0
                await self._take(b"")

    async def _open(self, *, patient: bool = False) -> Transport:
        return await open_transport(
            self.config,
            patient=patient,
            refuse=self._refuse,
            bookmark=self._bookmark,
            spool=self._spool,
        )

    def _unavailable(self, error: SensorUnavailable) -> None:
        # Whoever reads the status knows which sensor it is of, and so does the log.
        reason = str(error).removeprefix(f"{self.config.id}: ")
        if reason != self.status.reason:  # said once, not at every attempt
            log.error("sensor unavailable", sensor=self.config.id, why=reason)
        self.status.reason = reason


def _is_reading(sample: Sample) -> bool:
    """Whether the sensor said it; the state of its link is what we say ourselves."""
    return not (isinstance(sample, StatusSample) and sample.code == LINK)


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()


class Sources:
    """All sensors of a checkpoint, side by side."""

    def __init__(
        self,
        configs: Sequence[SensorConfig],
        *,
        now_utc_ns: Callable[[], int],
        record: Record,
        deliver: Deliver,
        work_of: Callable[[SensorConfig], Work] = lambda config: in_thread,
        bookmark_of: Callable[[SensorConfig], Bookmark] = lambda config: Note(),
        spool_of: Callable[[SensorConfig], Path | None] = lambda config: None,
        stored: Stored = at_once,
        scenario: Scenario | None = None,
        seed: int = 0,
    ) -> None:
        if scenario is None:
            # One day for all stand-ins, so that one truck is in the portal and in the scanner.
            scenario = quiet_day(seed, now_utc_ns())
            for config in configs:
                scenario = with_sensor(scenario, config)
        self.sources = [
            Source(
                config,
                now_utc_ns=now_utc_ns,
                record=record,
                deliver=deliver,
                work=work_of(config),
                bookmark=bookmark_of(config),
                spool=spool_of(config),
                stored=stored,
                scenario=scenario,
                seed=seed,
            )
            for config in configs
        ]

    async def start(self) -> None:
        """Open all links at once; returns within the longest of the timeouts."""
        async with asyncio.TaskGroup() as group:
            for source in self.sources:
                group.create_task(source.start(), name=f"start {source.config.id}")

    async def run(self) -> None:
        """Read all until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self.sources:
                group.create_task(source.run(), name=f"source {source.config.id}")
            group.create_task(self._end_bursts(), name="bursts")

    async def _end_bursts(self) -> None:
        # A sensor that has fallen silent brings nothing with which its burst could be ended.
        while True:
            await asyncio.sleep(BURST_NS / SECOND_NS)
            for source in self.sources:
                source.end_burst()

    async def close(self) -> None:
        """Close what `start` has opened and `run` has not closed."""
        for source in self.sources:
            await source.close()

    def status(self) -> list[SourceStatus]:
        """How each sensor is, in the order of the configuration."""
        return [source.status for source in self.sources]
