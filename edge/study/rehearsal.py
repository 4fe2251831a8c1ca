"""A simulated day through the service's own steps, without waiting and without sockets.

The simulators' bytes go to recorder, drivers and pipeline in simulated time, exactly as they
would come over the wires; so an hour of a checkpoint is recorded in minutes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from drivers.base import SensorConfig
from edge.config import Config, Recording, load_policy
from edge.recordings.capture import heavy_sensors, open_recorder
from edge.recordings.recorder import Recorder
from edge.sensors.intake import Intake
from edge.sensors.scans import Measuring
from fusion.types import MILLISECOND_NS, Origin, Sample
from fusion.xray import XrayPolicy
from simulators.catalog import KINDS
from simulators.scenario import Scenario

STEP_MS = 100  # a tick of the live service
CLOSE_S = 60.0  # half a queue at 2 MB/s
EPOCH = "0" * 25 + "1"

Deliver = Callable[[str, list[Sample], int, str], object]


class Rehearsal:
    """Plays a scenario into `record`, `deliver` and `tick`; `now_utc_ns` is its clock."""

    def __init__(
        self,
        scenario: Scenario,
        sensors: Sequence[SensorConfig],
        *,
        record: Callable[[str, bytes, int], object],
        deliver: Deliver,
        tick: Callable[[], object],
        xray: XrayPolicy | None = None,
        origin: Origin = Origin.SIMULATOR,
    ) -> None:
        """`xray`: scans are measured with it before they are delivered; None leaves them."""
        self._record = record
        self._deliver = deliver
        self._tick = tick
        self._measure = None if xray is None else Measuring(xray)
        self._utc_ns = scenario.start_utc_ns
        known = {place.sensor_id: place.kind for place in scenario.sensors}
        self._players = [
            (
                Intake(config, origin),
                KINDS[known[config.id]].build(scenario, config.id),
                KINDS[known[config.id]].packets,
            )
            for config in sensors
            if config.id in known
        ]

    def now_utc_ns(self) -> int:
        """The scenario's time."""
        return self._utc_ns

    def play(self, duration_s: float) -> None:
        """Let so much of the scenario pass."""
        for _ in range(round(duration_s * 1000 / STEP_MS)):
            self._utc_ns += STEP_MS * MILLISECOND_NS
            for intake, simulator, packets in self._players:
                sent = simulator.step(STEP_MS)
                # As live: a folder hands over one set of files at a time, every other transport
                # all that has queued, datagrams too.
                for data in packets(sent) if intake.kind.heavy else [sent] if sent else []:
                    self._take(intake, data)
            self._tick()

    def _take(self, intake: Intake, data: bytes) -> None:
        sensor_id, utc_ns = intake.config.id, self._utc_ns
        self._record(sensor_id, data, utc_ns)
        if intake.kind.heavy and self._measure is not None:
            read = self._measure(lambda: intake.read(data, utc_ns))
            taken = intake.sort(read, data, utc_ns)
        else:
            taken = intake.feed(data, utc_ns)
        if taken.samples:
            self._deliver(sensor_id, taken.samples, utc_ns, taken.trigger)


def record_scenario(
    scenario: Scenario, config: Config, directory: Path, duration_s: float
) -> list[Path]:
    """Record a simulated day of the configuration's sensors; returns the files.

    Sensors that the scenario does not have send nothing.
    """
    config = config.model_copy(update={"recording": Recording(dir=directory, keep_free_gb=0)})
    before = set(directory.glob("*.mcap"))
    recorder = open_recorder(
        config,
        load_policy(config.policy),
        origins={sensor.id: Origin.SIMULATOR for sensor in config.sensors},
        epoch=EPOCH,
        first_seq=1,
        config_text="",
    )
    assert isinstance(recorder, Recorder)
    heavy = heavy_sensors(config)

    def deliver(sensor_id: str, samples: list[Sample], utc_ns: int, trigger: str) -> None:
        if sensor_id in heavy:
            recorder.fed(sensor_id, utc_ns)

    rehearsal = Rehearsal(
        scenario,
        config.sensors,
        record=recorder.raw,
        deliver=deliver,
        tick=lambda: _tick(recorder, rehearsal),
    )
    rehearsal.play(duration_s)
    recorder.close(CLOSE_S)
    return sorted(set(directory.glob("*.mcap")) - before)


def _tick(recorder: Recorder, rehearsal: Rehearsal) -> None:
    # Faster than life, the queue would fill; the service's own never waits.
    recorder.wait_for_room()
    recorder.tick(rehearsal.now_utc_ns())
