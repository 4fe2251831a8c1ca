"""One checkpoint, put together: sensors, engine, outbox, both sides, health."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial

import structlog

from drivers.base import SensorConfig
from edge import metrics
from edge.clock import Clock
from edge.config import Config, checkpoint_of, config_digest, load_policy, policy_digest
from edge.delivery.release import release_of
from edge.health import HealthServer, Readiness, readiness
from edge.recordings.capture import check_any_sensor, heavy_sensors, open_recorder
from edge.recordings.recorder import NoRecorder, Record
from edge.sensors.bookmarks import FileBookmark
from edge.sensors.intake import kind_of
from edge.sensors.scans import Measuring, Read
from edge.sensors.sources import Sources, Work
from edge.station import compiling
from edge.station.announcer import Announcer
from edge.station.committer import AlertsLost, Committer
from edge.station.documents import Documents, roots
from edge.station.glimpses import Glimpses
from edge.station.inhibits import standing
from edge.station.kept_console import KeptConsole
from edge.station.leftovers import end_leftovers
from edge.station.numbering import Numbering, union_of_languages
from edge.station.outlets import Outlets
from edge.station.overview import Overlooking
from edge.station.pipeline import Pipeline
from edge.station.state_lock import StateLock
from edge.station.together import Together
from edge.station.warmup import warm_up
from edge.station.warmup_spectra import warm_up_spectra
from edge.station.whole_planes import DAY_S, Limits, WholePlanes
from fusion.engine import Engine
from fusion.scan_record import ScanRecord
from fusion.types import SECOND_NS, Family, Origin, Sample
from simulators.scenario import Scenario

BOOKMARKS, SCANS, HELD = "bookmarks", "scans", "held"  # folders below `state_dir`
GIGABYTE = 10**9
SCAN_WORKERS = 2  # one per scanner of the reference checkpoint; each holds about 100 MB a scan
# How long a thread that computes may keep the others from running Python: at the default of 5 ms a
# scan that is being read costs an alert several of these on its way to disk and brokers.
SWITCH_S = 0.0005
COMMIT_END_S = 1.0  # of the five seconds in which the service ends
WHOLE_END_S = 0.5  # the same: two scans take some 0.1 s

log = structlog.get_logger()


class CheckpointService:
    """`run` until cancelled; cancelling ends it in order.

    scenario  what stand-ins play where a sensor falls back to its simulator
    ready     called once, when everything runs
    """

    def __init__(
        self,
        config: Config,
        *,
        config_text: str = "",
        scenario: Scenario | None = None,
        seed: int = 0,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self.config = config
        self._config_text = config_text
        self._ready = ready
        self._clock = Clock()
        self._policy = load_policy(config.policy)
        self._measure = Measuring(self._policy.xray, self._keep_whole)
        self._whole: WholePlanes | None = None
        self._scanning = ThreadPoolExecutor(SCAN_WORKERS, thread_name_prefix="scan")
        # One for each portal: a document that takes long is its own portal's trouble.
        documents = sum(_tells_documents(sensor) for sensor in config.sensors)
        self._reading = ThreadPoolExecutor(max(documents, 1), thread_name_prefix="document")
        self._record: Record = NoRecorder()
        self._heavy = heavy_sensors(config)
        self._pipeline: Pipeline | None = None
        self._committer: Committer | None = None
        self._together: Together | None = None
        self.outlets = Outlets(config)
        self.sources = Sources(
            config.sensors,
            now_utc_ns=self._clock.now_utc_ns,
            record=self._raw,
            deliver=self._deliver,
            work_of=self._work_of,
            bookmark_of=lambda sensor: FileBookmark(
                config.state_dir / BOOKMARKS / f"{sensor.id}.txt"
            ),
            spool_of=lambda sensor: config.state_dir / HELD / sensor.id,
            stored=self._stored,
            scenario=scenario,
            seed=seed,
        )

    def _warm_up(self) -> None:
        with compiling.told():
            warm_up(self._policy)
            warm_up_spectra(checkpoint_of(self.config), self._policy)

    async def run(self) -> None:
        """Start, run until cancelled, end.

        ConfigError, OutboxError, BrokerUnavailable, SensorUnavailable before it is ready;
        AlertsLost at the end.
        """
        sys.setswitchinterval(SWITCH_S)
        async with AsyncExitStack() as stack:
            # What can refuse comes first, what takes long last.
            stack.callback(StateLock(self.config.state_dir).release)
            self._open_whole(stack)
            self._start_http(stack)
            stack.push_async_callback(self.outlets.close)
            self.outlets.open()
            # Before any sensor is opened: what it says while kernels are compiled would wait in a
            # socket, and be a minute old when it is read: a clock that is wrong, for all we know.
            await in_daemon_thread(self._warm_up, "warm-up")
            stack.push_async_callback(self.sources.close)
            await self.sources.start()
            check_any_sensor(self.sources)
            announcer = self._assemble(stack)
            console = self._keep_console()
            announcer.connect()
            self._begin_together()
            announcer.tell("ready")
            stack.callback(announcer.tell, "disconnected")
            gc.collect()
            gc.freeze()  # what lives as long as the service need not be looked at again
            self._say_ready()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.sources.run(), name="sources")
                group.create_task(self._turn(), name="pipeline")
                group.create_task(announcer.run(), name="announcer")
                group.create_task(self._look_around(), name="together")
                if console is not None:
                    group.create_task(console.run(), name="console")

    def _assemble(self, stack: AsyncExitStack) -> Announcer:
        assert self._whole is not None
        config, outbox, now_utc_ns = self.config, self.outlets.outbox, self._clock.now_utc_ns
        release = release_of(config)
        end_leftovers(outbox, now_utc_ns(), release)
        together = Together(config, self._policy, self.outlets, outbox, now_utc_ns)
        self._together = together
        stack.push_async_callback(asyncio.to_thread, together.close)
        digest, first_seq = config_digest(config), outbox.last_seq + 1
        origins = {status.sensor_id: status.origin for status in self.sources.status()}
        self._record = open_recorder(
            config,
            self._policy,
            origins=origins,
            epoch=outbox.epoch,
            first_seq=first_seq,
            config_text=self._config_text,
        )
        stack.push_async_callback(asyncio.to_thread, self._record.close)
        self._committer = Committer(together, wake=self.outlets.wake, now_utc_ns=now_utc_ns)
        stack.push_async_callback(self._end_committer, self._committer)
        glimpses = Glimpses(
            site=config.site.id,
            places={one.id: one.lane or one.zone or "site" for one in config.sensors},
            publish=self.outlets.publish_live,
        )
        engine = Engine(checkpoint_of(config, origins), self._policy)
        self._pipeline = Pipeline(
            engine=engine,
            numbering=Numbering(
                first_seq=first_seq,
                epoch=outbox.epoch,
                config_digest=digest,
                languages=union_of_languages(side.languages for side in config.sides.values()),
            ),
            committer=self._committer,
            record=self._record,
            heavy=self._heavy,
            now_utc_ns=now_utc_ns,
            look=(glimpses.look, together.seen),
            shelved=together.shelved,
            told=self._whole.told,
            handling=self._policy.handling,
            release=release,
        )
        together.take_commands(
            ask=self._pipeline.ask,
            active=lambda: {alert.alert_id for alert in engine.active},
            look=lambda alert_id: next((a for a in engine.active if a.alert_id == alert_id), None),
        )
        for inhibit in standing(config, now_utc_ns()):
            together.shelved(self._pipeline.ask(inhibit, "config"))
        together.begin(
            roots=roots(origins.values()),
            digests=(digest, policy_digest(self._policy)),
            first_seq=first_seq,
            statuses=self.sources.status(),
        )
        documents = Documents(
            config,
            epoch=outbox.epoch,
            first_seq=first_seq,
            started_utc_ns=now_utc_ns(),
            digest=digest,
        )
        return Announcer(
            site=config.site.id,
            roots=roots(origins.values()),
            documents=documents,
            outlets=self.outlets,
            statuses=self.sources.status,
            now_utc_ns=now_utc_ns,
        )

    def _keep_console(self) -> KeptConsole | None:
        if self.config.console is None:
            return None
        # What takes commands is set already, by `take_commands`.
        overlooking = Overlooking(
            self.config,
            readiness=self._readiness,
            offset_ns=lambda: self._clock.offset_ns,
            pipeline=lambda: self._pipeline,
            expiries=self.outlets.expiries,
            sides=self.outlets.status,
        )
        console = KeptConsole(
            self.config,
            ask=self.outlets.commanded,
            status=lambda: overlooking.look(self._clock.now_utc_ns()),
        )
        self.outlets.overheard = console.overhear
        return console

    def _open_whole(self, stack: AsyncExitStack) -> None:
        scans = self.config.scans
        limits = Limits(
            max_bytes=int(scans.max_gb * GIGABYTE),
            max_age_s=scans.max_days * DAY_S,
            keep_free_bytes=int(scans.keep_free_gb * GIGABYTE),
        )
        self._whole = WholePlanes(self.config.state_dir / SCANS, limits)
        stack.push_async_callback(asyncio.to_thread, self._whole.close, WHOLE_END_S)

    def _keep_whole(self, record: ScanRecord, name: str) -> None:
        if self._whole is not None:
            self._whole.put(record, name)

    def _raw(self, sensor_id: str, data: bytes, received_utc_ns: int) -> None:
        # Not bound early: the recorder is made when the sensors have answered.
        self._record.raw(sensor_id, data, received_utc_ns)

    def _deliver(
        self, sensor_id: str, samples: list[Sample], received_utc_ns: int, trigger: str
    ) -> None:
        if self._pipeline is not None:
            self._pipeline.deliver(sensor_id, samples, received_utc_ns, trigger)

    def _work_of(self, sensor: SensorConfig) -> Work:
        workers = self._reading if _tells_documents(sensor) else self._scanning
        return partial(self._work, workers)

    async def _work(self, workers: ThreadPoolExecutor, read: Callable[[], Read]) -> Read:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(workers, self._measure, read)

    async def _stored(self) -> None:
        if self._committer is not None:
            await self._committer.stored()

    async def _turn(self) -> None:
        assert self._pipeline is not None
        await self._pipeline.run()

    def _begin_together(self) -> None:
        assert self._together is not None
        self._together.start()

    async def _look_around(self) -> None:
        assert self._together is not None
        await self._together.run(self.sources.status)

    async def _end_committer(self, committer: Committer) -> None:
        left = await asyncio.to_thread(committer.close, COMMIT_END_S)
        if left:
            why = committer.failed or self.outlets.outbox.trouble
            raise AlertsLost(f"{left} alerts were not stored before the end ({why})")

    # --- health ------------------------------------------------------------------------

    def _start_http(self, stack: AsyncExitStack) -> None:
        server = HealthServer(
            host=self.config.http.host,
            port=self.config.http.port,
            heartbeat_age_s=self._heartbeat_age_s,
            readiness=self._readiness,
            refresh=self._refresh,
        )
        server.start()
        stack.callback(server.stop)

    def _heartbeat_age_s(self) -> float:
        pipeline = self._pipeline
        return 0.0 if pipeline is None else time.monotonic() - pipeline.ticked_monotonic

    def _readiness(self) -> Readiness:
        if self._pipeline is None or self._committer is None:
            return Readiness(reasons=["starting"])
        takes, sides = self.outlets.troubles(self._clock.now_utc_ns())
        if self._together is not None:
            sides += self._together.troubles(self._clock.now_utc_ns())
        sides += filter(None, [self._clock.trouble, self.outlets.key_trouble])
        return readiness(
            stale=self._stale(),
            sensors=len(self.config.sensors),
            outbox_error=self._outbox_error(self._committer),
            side_takes_alerts=takes,
            sides=sides,
        )

    def _outbox_error(self, committer: Committer) -> str:
        if committer.failed:
            return committer.failed
        why, stuck_s = self.outlets.outbox.trouble, committer.stuck_s
        if not stuck_s:
            return why
        return f"{why or 'takes nothing'} for {stuck_s:.0f} s"

    def _stale(self) -> list[str]:
        """What is wrong with each sensor that is not fresh."""
        now_utc_ns = self._clock.now_utc_ns()
        return [
            f"{status.sensor_id}: {why}"
            for status in self.sources.status()
            if (why := status.trouble(now_utc_ns))
        ]

    def _refresh(self) -> None:
        now_utc_ns = self._clock.now_utc_ns()
        metrics.take_sensors(self.sources.status(), now_utc_ns)
        metrics.CLOCK_OFFSET.set(self._clock.offset_ns / SECOND_NS)
        self.outlets.take_metrics(now_utc_ns)
        if self._together is not None:
            self._together.take_metrics(now_utc_ns)

    def _say_ready(self) -> None:
        statuses = self.sources.status()
        log.info(
            "ready",
            site=self.config.site.id,
            sensors=len(statuses),
            simulated=sum(status.origin is Origin.SIMULATOR for status in statuses),
            down=sum(not status.up for status in statuses),
            brokers=self.outlets.urls(),
            http=f"http://{self.config.http.host}:{self.config.http.port}",
        )
        self._ready()


def _tells_documents(sensor: SensorConfig) -> bool:
    return kind_of(sensor).heavy and sensor.family is not Family.XRAY


def in_daemon_thread(work: Callable[[], object], name: str) -> "asyncio.Future[None]":
    """Run it beside the loop, on a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 - handed to whoever awaits
            error = raised
        loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
