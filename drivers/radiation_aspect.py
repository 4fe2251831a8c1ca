"""Radiation portals: Aspect monitors, read over Modbus/TCP.

A reading tells what happened since the one before. Where each count runs on (`counting`), the
difference is exact whatever the rate of reading; it is told as scans of about 200 ms, which is
what the tests of a pass weigh: a longer reading is shared out evenly over its scans.
"""

from collections import deque
from dataclasses import dataclass, field

from drivers.base import SensorConfig
from drivers.radiation_aspect_config import AspectConfig
from drivers.radiation_counting import (
    REPORT_NS,
    SCAN_NS,
    BackgroundTally,
    Counting,
    Scan,
    increase,
    scans_of,
)
from drivers.wire import aspect
from drivers.wire.aspect import ChannelStatus, Inputs
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
    Sample,
    SetupSample,
    SpeedSample,
    StatusSample,
)

__all__ = ["AspectConfig", "AspectDriver"]

SCANS_PER_NEUTRON = 5  # neutrons are told by the second, as other portals do
LEAD_IN_NS = SECOND_NS  # facts 1.1: other portals send the second before the beam was broken
GAP_NS = 2 * SECOND_NS  # a longer silence may hide the end of an occupancy
LATE_COUNTER_NS = 5 * SECOND_NS  # a counter that moves so soon after a vehicle has counted that one
MAX_SPEED_M_S = 45.0  # beyond, and 0, it is no speed of a vehicle

INPUT_CODES = {
    Inputs.OPEN: "tamper",
    Inputs.POWER_FAIL: "power",
    Inputs.LOW_BATTERY: "battery",
    Inputs.ERROR: "device-error",
    Inputs.RESET: "device-reset",
}
CHANNEL_CODES = {
    ChannelStatus.LOW_COUNT: "low",
    ChannelStatus.HIGH_COUNT: "high",
    ChannelStatus.OVERLOAD: "overload",
}


class AspectDriver:
    """Readings of one portal to samples.

    The elapsed time that a reading carries has no stated unit, so the arrival counts. An
    occupancy opens when the object counter moves or an occupancy bit is set, and closes when
    none has been set for the hold-in. Bits of the direction are decoded and not told: no sample
    has a place for them.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        assert isinstance(config, AspectConfig)
        self._config = config
        self._origin = origin
        self._decoder = aspect.AspectDecoder(config.unit or 0)
        self._counting = Counting(config.counting)
        self._interval_ns = config.interval_ms * MILLISECOND_NS
        self._gap_ns = max(GAP_NS, round(2.5 * config.poll_s * SECOND_NS))
        self._last_ns = 0
        self._settings: tuple[tuple[str, str], ...] = ()
        self._before: aspect.Monitor | None = None
        self._read_ns = 0
        self._base: tuple[int, int, int] | None = None
        """Arrival, gamma and neutron count of the reading from which is counted."""
        self._codes: set[str] = set()
        self._recent: deque[Scan] = deque(maxlen=LEAD_IN_NS // SCAN_NS)
        self._tally = BackgroundTally()
        self._passage: _Passage | None = None
        self._uncounted_ns = 0

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what arrived; empty `data` says that the link was cut."""
        if not data:
            self._decoder.cut()
            return []
        samples: list[Sample | Malformed] = []
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                samples.append(record)
            elif isinstance(record, aspect.Monitor):
                self._reading(record, received_utc_ns, samples)
            else:
                self._setup(record, received_utc_ns, samples)
        return samples

    def _setup(
        self, said: aspect.Description, at_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        keys = ("signature", "registers", "monitor_id", "base", "length")
        settings = tuple((key, str(getattr(said, key))) for key in keys)
        # Only what is new: one that says no more than this, link after link, has fallen silent.
        if settings == self._settings:
            return
        self._settings = settings
        samples.append(
            SetupSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward(self._last_ns if self._passage else at_ns),
                record="monitor-setup",
                settings=settings,
            )
        )

    def _reading(self, now: aspect.Monitor, at_ns: int, samples: list[Sample | Malformed]) -> None:
        if self._before is not None and at_ns - self._read_ns > self._gap_ns:
            self._forget(samples)
        before, since_ns = self._before, self._read_ns
        self._before, self._read_ns = now, at_ns
        if before is not None and _was_reset(before, now):
            self._base = before = None
            self._recent.clear()
            self._tally.clear()
        scans = self._scans(before, now, at_ns)
        moved = before is not None and now.objects != before.objects
        middle_ns = at_ns if before is None else (since_ns + at_ns) // 2
        self._occupancy(now, scans, middle_ns, moved=moved, samples=samples)
        if self._passage:
            self._tell_scans(self._passage, now, scans, samples)
            if before is not None and now.speed_mm_s != before.speed_mm_s:
                self._speed(now, samples)
            self._end_if_clear(self._passage, now, at_ns, middle_ns, samples)
        else:
            self._vacant(now, scans, at_ns, samples)
        self._statuses(now, at_ns, samples)

    def _forget(self, samples: list[Sample | Malformed]) -> None:
        """Nobody looked for too long: what was counted meanwhile belongs to no time."""
        if self._passage:
            self._close(self._last_ns, None, samples)
        self._before = self._base = None
        self._recent.clear()
        self._tally.clear()

    # --- counts ------------------------------------------------------------------------

    def _scans(self, before: aspect.Monitor | None, now: aspect.Monitor, at_ns: int) -> list[Scan]:
        counts = (at_ns, now.gamma.count, now.neutron.count)
        if before is not None and not (now.occupied or now.alarming or self._passage):
            self._counting.look(before.gamma.count, now.gamma.count)
        base = self._base
        if base is None or not self._counting.mode:
            self._base = counts
            return []
        elapsed_ns = at_ns - base[0]
        if self._counting.mode == "interval":
            if elapsed_ns < self._interval_ns * 9 // 10:  # the same interval again
                return []
            self._base = counts
            return [Scan(at_ns - self._interval_ns, *counts)]
        if elapsed_ns < SCAN_NS // 4:  # held up on the way: the next tells both
            return []
        self._base = counts
        gamma = increase(base[1], counts[1], elapsed_ns)
        neutron = increase(base[2], counts[2], elapsed_ns)
        if gamma is None or neutron is None:
            return []
        return scans_of(Scan(base[0], at_ns, gamma, neutron))

    def _vacant(
        self, now: aspect.Monitor, scans: list[Scan], at_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        self._recent.extend(scans)
        if now.alarming:
            self._tally.clear()
            return
        self._tally.add(scans)
        report = self._tally.report(at_ns)
        if report is None:
            return
        counted_ns, *counts = report
        for radiation, count, channel in zip(
            (Radiation.NEUTRON, Radiation.GAMMA),
            counts[::-1],
            (now.neutron, now.gamma),
            strict=True,
        ):
            rate_cps = channel.background
            if self._config.background == "counted":
                if not counted_ns:
                    continue
                rate_cps = count * SECOND_NS / counted_ns
            high, low = ChannelStatus.HIGH_COUNT | ChannelStatus.OVERLOAD, ChannelStatus.LOW_COUNT
            fault = "high" if channel.status & high else "low" if channel.status & low else ""
            duration_ns = counted_ns or REPORT_NS
            samples.append(
                BackgroundSample(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=self._forward(at_ns - duration_ns),
                    duration_ms=duration_ns // MILLISECOND_NS,
                    radiation=radiation,
                    rate_cps=(max(0.0, rate_cps),),
                    device_fault=fault,
                )
            )

    # --- occupancy ---------------------------------------------------------------------

    def _occupancy(
        self,
        now: aspect.Monitor,
        scans: list[Scan],
        middle_ns: int,
        *,
        moved: bool,
        samples: list[Sample | Malformed],
    ) -> None:
        """Open one, or take what the object counter says of the one that is open."""
        passage = self._passage
        if passage is None:
            late = middle_ns - self._uncounted_ns < LATE_COUNTER_NS
            if moved and late and not now.occupied:
                self._uncounted_ns = 0
            elif moved or now.occupied:
                self._open(now, scans, middle_ns, moved=moved, samples=samples)
        elif moved and passage.counted:  # the next vehicle, with no gap between
            self._close(scans[0].start_ns if scans else self._last_ns, None, samples)
            self._recent.clear()
            self._open(now, scans, middle_ns, moved=True, samples=samples)
        elif moved:
            passage.counted = True

    def _open(
        self,
        now: aspect.Monitor,
        scans: list[Scan],
        middle_ns: int,
        *,
        moved: bool,
        samples: list[Sample | Malformed],
    ) -> None:
        """Begin with the second before the beam was broken, as far as it was read."""
        wanted = [
            scan
            for scan in self._recent
            if scan.start_ns >= max(self._last_ns, middle_ns - LEAD_IN_NS - SCAN_NS // 2)
        ]
        lead_in = wanted if scans else []
        scans[:0] = lead_in
        opened_ns = scans[0].start_ns if scans else middle_ns
        self._recent.clear()
        self._tally.clear()
        self._passage = _Passage(counted=moved)
        samples.append(
            OccupancySample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward(opened_ns),
                opened=True,
                counter=None,
                lead_in_ms=max(0, middle_ns - opened_ns) // MILLISECOND_NS,
            )
        )

    def _end_if_clear(
        self,
        passage: "_Passage",
        now: aspect.Monitor,
        at_ns: int,
        middle_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        if now.occupied:
            passage.clear_read_ns = 0
            return
        if not passage.clear_read_ns:
            passage.clear_read_ns, passage.cleared_ns = at_ns, middle_ns
        if at_ns - passage.clear_read_ns >= self._config.hold_in_s * SECOND_NS:
            if not passage.counted:
                self._uncounted_ns = at_ns
            hold_in_ms = (at_ns - passage.cleared_ns) // MILLISECOND_NS
            self._close(at_ns, hold_in_ms, samples)

    def _close(self, at_ns: int, hold_in_ms: int | None, samples: list[Sample | Malformed]) -> None:
        self._passage = None
        samples.append(
            OccupancySample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward(at_ns),
                opened=False,
                counter=self._before.objects if self._before else None,
                hold_in_ms=hold_in_ms,
            )
        )

    def _tell_scans(
        self,
        passage: "_Passage",
        now: aspect.Monitor,
        scans: list[Scan],
        samples: list[Sample | Malformed],
    ) -> None:
        alarm = ChannelStatus.ALARM | ChannelStatus.OVERLOAD
        for scan in scans:
            samples.append(
                self._count([scan], Radiation.GAMMA, alarm=bool(now.gamma.status & alarm))
            )
            passage.neutrons.append(scan)
            passage.neutron_alarm |= bool(now.neutron.status & alarm)
            if len(passage.neutrons) == SCANS_PER_NEUTRON:
                samples.append(
                    self._count(passage.neutrons, Radiation.NEUTRON, alarm=passage.neutron_alarm)
                )
                passage.neutrons, passage.neutron_alarm = [], False

    def _count(self, scans: list[Scan], radiation: Radiation, *, alarm: bool) -> CountSample:
        gamma = radiation is Radiation.GAMMA
        duration_ns = sum(scan.end_ns - scan.start_ns for scan in scans)
        return CountSample(
            sensor_id=self._config.id,
            origin=self._origin,
            # A second of neutrons began before the last scan: it is told with that one's time.
            start_utc_ns=self._forward(scans[0].start_ns),
            duration_ms=max(1, round(duration_ns / MILLISECOND_NS)),
            radiation=radiation,
            counts=(sum(scan.gamma if gamma else scan.neutron for scan in scans),),
            device_alarm=alarm,
        )

    # --- the rest ----------------------------------------------------------------------

    def _speed(self, now: aspect.Monitor, samples: list[Sample | Malformed]) -> None:
        speed_m_s = now.speed_mm_s / 1000
        if 0.0 < speed_m_s <= MAX_SPEED_M_S:
            samples.append(
                SpeedSample(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=self._last_ns,
                    speed_m_s=speed_m_s,
                )
            )

    def _statuses(self, now: aspect.Monitor, at_ns: int, samples: list[Sample | Malformed]) -> None:
        """What has begun or ended, in the order of the tables."""
        on = {code: bool(now.inputs & bit) for bit, code in INPUT_CODES.items()}
        for name, channel in (("gamma", now.gamma), ("neutron", now.neutron)):
            for bit, word in CHANNEL_CODES.items():
                on[f"{name}-{word}"] = bool(channel.status & bit)
        for code, active in on.items():
            if active == (code in self._codes):
                continue
            # A source that passes is no fault of the background.
            if active and self._passage and code.endswith(("-high", "-low")):
                continue
            (self._codes.add if active else self._codes.remove)(code)
            # Within an occupancy the arrival is ahead of the scans that follow.
            start_ns = self._last_ns if self._passage else at_ns
            samples.append(
                StatusSample(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=self._forward(start_ns),
                    code=code,
                    active=active,
                )
            )

    def _forward(self, start_ns: int) -> int:
        self._last_ns = max(self._last_ns, start_ns)
        return self._last_ns


@dataclass(slots=True)
class _Passage:
    """The vehicle in the lane."""

    counted: bool
    """Whether the object counter has moved for it."""
    clear_read_ns: int = 0
    """First reading since without an occupancy bit; 0: there is one."""
    cleared_ns: int = 0
    neutrons: list[Scan] = field(default_factory=list)
    neutron_alarm: bool = False


def _was_reset(before: aspect.Monitor, now: aspect.Monitor) -> bool:
    began = now.inputs & Inputs.RESET and not before.inputs & Inputs.RESET
    # The counter of objects turns over at 65,536; any other fall is a start from nothing.
    fell = now.objects < before.objects and (before.objects - now.objects) < 0x8000
    return bool(began or fell)
