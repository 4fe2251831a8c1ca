"""One small pass, walk and scan through the real engine, so that every kernel is compiled.

The first call of a kernel loads or compiles it, which takes up to a second: before the
service says that it is ready is the time for that. The image is built with it as well, and with
the templates of the usual spectrometer, so that a container starts from the cache.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.evidence.files import EvidenceMaker
from edge.evidence.png import encode
from edge.evidence.scans.ready import ready
from edge.station.warmup_spectra import USUAL, warm_up_spectra
from fusion.engine import Engine
from fusion.kernels.seismic_feed import LANES
from fusion.kernels.xray_sheet import binned_counts
from fusion.policy import Policy
from fusion.seismic_bank import Bank
from fusion.seismic_presets import PRESETS
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Alert,
    BackgroundSample,
    Checkpoint,
    CountSample,
    Family,
    LaneSpec,
    Level,
    OccupancySample,
    Origin,
    Phase,
    Radiation,
    Record,
    Sample,
    ScanSample,
    SensorSpec,
    WaveformSample,
    ZoneSpec,
)
from fusion.wave_record import WaveRecord, WaveTrace
from fusion.xray import analyse

START_UTC_NS = 1_700_000_000 * SECOND_NS
PANELS = 4
SCAN_SHAPE = (300, 900)  # small, yet a whole vehicle at 20 mm a pixel
WALK_S = 45  # longer than the averaging times of every detector's own warm-up
GROUND_SENSORS = 3  # along a line: a track is made of those that somebody passed
GROUND_APART_M = 8.0
GROUND = "ground-1"
GROUND_HZ = 100
FIRST_STEP_S, STEP_S, STEP_M = 18.0, 0.54, 0.76
FIRST_STEP_M = -4.0  # before the first sensor

_CHECKPOINT = Checkpoint(
    site="warm-up",
    sensors=(
        SensorSpec(sensor_id="portal", family=Family.RADIATION, place="lane"),
        *(
            SensorSpec(
                sensor_id=f"ground-{number}",
                family=Family.SEISMIC,
                place="zone",
                position_m=(number * GROUND_APART_M, 0.0),
            )
            for number in range(GROUND_SENSORS)
        ),
        SensorSpec(sensor_id="scanner", family=Family.XRAY, place="lane", silent_after_ms=0),
    ),
    lanes=(LaneSpec(lane_id="lane", direction="northbound"),),
    zones=(ZoneSpec(zone_id="zone"),),
)


def warm_up(policy: Policy | None = None) -> list[Alert]:
    """Run everything once; returns the alerts that the made-up traffic raised."""
    policy = policy or Policy()
    engine = Engine(_CHECKPOINT, policy)
    alerts = []
    for second in range(WALK_S):
        now = START_UTC_NS + second * SECOND_NS
        for sample in (*_portal(second, now), *_ground(second, now)):
            alerts += engine.feed(sample)
        alerts += engine.tick(now + SECOND_NS)
    scanned = ready(analyse(example_scan(*SCAN_SHAPE), policy.xray))
    alerts += engine.feed(scanned)
    alerts += engine.tick(START_UTC_NS + (WALK_S + 60) * SECOND_NS)
    maker = EvidenceMaker()
    for alert in alerts:
        maker.keep(alert.alert_id, maker.of(alert))
    # Whatever they carry:
    encode(np.zeros((2, 2), np.uint8), [(0, 0, 0)])
    binned_counts(np.zeros((2, 2), np.uint16), 2)
    seen: list[Record] = [_heard()]
    if scanned.record is not None:
        seen.append(scanned.record)
    maker.of(replace(alerts[-1], level=Level.ADVISORY, phase=Phase.NEW, records=tuple(seen)))
    return alerts


def _portal(second: int, now: int) -> list[Sample]:
    """Background, and a source that drives by from second 30 to 38."""
    begins, ends = 30, 38
    if not begins <= second < ends:
        level: list[Sample] = [
            BackgroundSample(
                sensor_id="portal",
                origin=Origin.SIMULATOR,
                start_utc_ns=now,
                duration_ms=1000,
                radiation=radiation,
                rate_cps=(rate,) * PANELS,
                device_fault="",
            )
            for radiation, rate in ((Radiation.GAMMA, 350.0), (Radiation.NEUTRON, 1.0))
        ]
        return [_occupancy(now, opened=False), *level] if second == ends else level
    samples: list[Sample] = [_occupancy(now, opened=True)] if second == begins else []
    for part in range(5):
        seconds_off = second + part / 5 - (begins + ends) / 2
        near = 1.0 / (1.0 + seconds_off**2)
        samples.append(_counts(now + part * 200 * MILLISECOND_NS, int(70 + 600 * near), 200))
    samples.append(_counts(now, 1, 1000, Radiation.NEUTRON))
    return samples


def _occupancy(now: int, *, opened: bool) -> OccupancySample:
    return OccupancySample(
        sensor_id="portal", origin=Origin.SIMULATOR, start_utc_ns=now, opened=opened, counter=1
    )


def _counts(
    now: int, counts: int, duration_ms: int, radiation: Radiation = Radiation.GAMMA
) -> CountSample:
    return CountSample(
        sensor_id="portal",
        origin=Origin.SIMULATOR,
        start_utc_ns=now,
        duration_ms=duration_ms,
        radiation=radiation,
        counts=(counts,) * PANELS,
        device_alarm=False,
    )


def _ground(second: int, now: int) -> list[Sample]:
    """Noise with a gap in it, and somebody who walks past one sensor after the other."""
    samples: list[Sample] = []
    for number in range(GROUND_SENSORS):
        motion = np.random.default_rng((second, number)).normal(0.0, 40.0, GROUND_HZ)
        for place, size in _steps(second, number):
            ring = np.arange(GROUND_HZ - place)
            motion[place:] += size * np.exp(-ring / 3) * np.sin(ring * math.tau * 21 / GROUND_HZ)
        halves = np.split(motion.astype(np.int32), 2)
        lost = GROUND_HZ // 2 if second == 10 else 0  # a packet that the network lost
        samples += [
            WaveformSample(
                sensor_id=f"ground-{number}",
                origin=Origin.SIMULATOR,
                start_utc_ns=now + part * 500 * MILLISECOND_NS,
                rate_hz=float(GROUND_HZ),
                channel="EHZ",
                counts=half,
                counts_per_m_s=4.0e8,
                missing=lost,
            )
            for part, half in enumerate(halves)
            if not (lost and part == 0)
        ]
    return samples


def _steps(second: int, number: int) -> list[tuple[int, float]]:
    """The steps of a second: the sample on which each is heard, and how loud.

    Nobody's steps are as even as a machine's.
    """
    steps = []
    for step in range(round((WALK_S - FIRST_STEP_S) / STEP_S)):
        uneven_s, strength = np.random.default_rng((1, step)).normal((0.0, 1.0), (0.012, 0.12))
        off_m = FIRST_STEP_M + step * STEP_M - number * GROUND_APART_M
        place = round((FIRST_STEP_S + step * STEP_S + uneven_s - second) * GROUND_HZ)
        if 0 <= place < GROUND_HZ:
            steps.append((place, 4000.0 * float(strength) / (1.0 + (off_m / 3.0) ** 2)))
    return steps


def _heard() -> WaveRecord:
    """The walk again, as evidence."""
    heard = [each for second in range(20, 40) for each in _ground(second, second * SECOND_NS)]
    walk = [each for each in heard if isinstance(each, WaveformSample) and each.sensor_id == GROUND]
    first = walk[0]
    trace = WaveTrace(
        channel=first.channel,
        rate_hz=first.rate_hz,
        counts_per_m_s=first.counts_per_m_s,
        calibrated=True,
        packets=tuple((x.start_utc_ns, x.counts) for x in walk),
    )
    return WaveRecord(
        sensor_id=GROUND,
        start_utc_ns=25 * SECOND_NS,
        end_utc_ns=40 * SECOND_NS,
        begin_utc_ns=20 * SECOND_NS,
        final=True,
        band_hz=(5.0, 40.0),
        traces=(trace,),
        facts={"class": "person", "footfalls_s": (0.1, 0.6)},
    )


def example_scan(rows: int, columns: int) -> ScanSample:
    """A box of 18 m with a load and a dense block in it, in both energies."""
    thickness_g_cm2 = np.zeros((rows, columns))

    def block(top: float, bottom: float, front: float, rear: float, g_cm2: float) -> None:
        across = slice(round(top * rows), round(bottom * rows))
        thickness_g_cm2[across, round(front * columns) : round(rear * columns)] += g_cm2

    block(0.13, 0.87, 0.11, 0.91, 6.0)
    block(0.50, 0.85, 0.17, 0.84, 25.0)
    block(0.60, 0.73, 0.44, 0.49, 60.0)
    random = np.random.default_rng(0)

    def plane(attenuation_cm2_g: float) -> NDArray[np.uint16]:
        signal = 50_000 * np.exp(-attenuation_cm2_g * thickness_g_cm2) + 1000
        return random.normal(signal, np.sqrt(signal)).clip(0, 65_535).astype(np.uint16)

    return ScanSample(
        sensor_id="scanner",
        origin=Origin.SIMULATOR,
        start_utc_ns=START_UTC_NS + (WALK_S + 10) * SECOND_NS,
        duration_ms=9000,
        scan_id="warm-up",
        high=plane(0.035),
        low=plane(0.045),
        composite=None,
        pitch_x_mm=18_000.0 / columns,
        pitch_y_mm=3_000.0 / rows,
        declared="",
        container="",
        digests=(),
    )


def warm_up_image() -> None:
    """All that can be had before a site is known; it stays where the kernels are kept."""
    warm_up()
    warm_up_spectra(USUAL, Policy())
    _warm_up_rows()


def _warm_up_rows() -> None:
    """What `garita bench seismic` alone calls: whole bins of all channels side by side."""
    bank = Bank(float(GROUND_HZ), PRESETS["footsteps"])
    for _ in range(LANES):
        bank.open(1.0)
    bank.advance_rows(np.ones((1, bank.bin_samples * LANES), np.int32))
    bank.ratio_rows(np.ones((1, bank.bin_samples * LANES), np.float32))


if __name__ == "__main__":
    warm_up_image()
