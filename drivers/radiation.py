"""Radiation portals: TSA controllers, and the rows of all kinds."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from drivers.base import DriverKind, SensorConfig
from drivers.radiation_aspect import AspectConfig, AspectDriver
from drivers.radiation_daily import TsaDailyFile
from drivers.radiation_n42 import N42_KIND
from drivers.wire import tsa
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    Family,
    OccupancySample,
    Origin,
    Radiation,
    Sample,
    SetupSample,
    SpeedSample,
    StatusSample,
)

GAMMA_SCAN_NS = 200 * MILLISECOND_NS  # facts 1.1: counts per 200 ms
BUFFERED_SCANS = 5  # facts 1.1: extra GS lines at the instant of the first live one
REJOIN_NS = 2 * SECOND_NS  # a link cut for longer may hide a GX: facts 1.1, hold-in 2 s by default
LEAD_IN_MS = 1000  # the buffered scans; the beam is broken within the live one after them
HOLD_IN_UNIT_MS = 200  # facts 1.1, SG1 field 4
BURST_SPREAD_NS = GAMMA_SCAN_NS  # a burst that TCP cuts in two still ends before the next scan
MIN_SECONDS_PER_FOOT = 0.003  # 100 m/s: less, and above all zero, is no speed of a vehicle

WireField = Annotated[int, Ge(1), Le(4)]
SETUP_PARTS = {"gamma-setup": ("SG1", "SG2", "SG3"), "neutron-setup": ("SN1", "SN2")}
FAULTS = {"GH": "gamma-high", "GL": "gamma-low", "NH": "neutron-high", "NL": "neutron-low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TsaConfig(SensorConfig):
    """A TSA / Rapiscan portal controller (VM250, TM850, PM700)."""

    family: ClassVar[Family] = Family.RADIATION
    # Two background pairs: a dead portal is told within ten seconds.
    default_silent_after_s: ClassVar[float] = 10.0
    url_forms: ClassVar[tuple[str, ...]] = ("tcp", "serial")

    kind: Literal["rpm-tsa"] = "rpm-tsa"
    panel_distance_m: Annotated[float, Gt(0), Le(10)] = 2.5
    """From the lane's middle to a detector panel."""
    panel_order: tuple[WireField, WireField, WireField, WireField] = (1, 2, 3, 4)
    """Which field of a line holds master lower, master upper, slave lower, slave upper: makers'
    papers disagree on upper and lower."""
    utc_offset_min: Annotated[int, Ge(-840), Le(840)] = 0
    """Local time minus UTC, for daily files that give local time only."""


class TsaDriver:
    """Lines of one portal to samples.

    The wire carries no time. A scan starts one interval after the one before; where that is
    off from the arrival by more than one interval, the arrival counts. Times never run
    backwards: a neutron scan, whose second began before the last gamma scan, is told with
    that scan's time.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        self._sensor_id = config.id
        self._origin = origin
        order = config.panel_order if isinstance(config, TsaConfig) else (1, 2, 3, 4)
        self._panels = tuple(number - 1 for number in order)
        self._in_wiring_order = self._panels == (0, 1, 2, 3)
        self._decoder = tsa.TsaDecoder()
        self._last_ns = 0
        self._occupied = False
        self._was_cut = False
        self._scans = 0
        self._opened_ns = 0
        self._next_gamma_ns = 0
        self._arrival_ns = 0
        self._faults = {"gamma": "", "neutron": ""}
        self._hold_in_ms: int | None = None
        self._setup: dict[str, tuple[str, ...]] = {}

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what arrived; empty `data` says that the link was cut."""
        if not data:
            self._decoder.cut()
            self._was_cut = True
            return []
        samples: list[Sample | Malformed] = []
        for record in self._decoder.feed(data):
            match record:
                case tsa.CountsLine():
                    self._counts(record, received_utc_ns, samples)
                case tsa.SpeedLine():
                    self._speed(record, received_utc_ns, samples)
                case tsa.EndLine():
                    self._close(record, received_utc_ns, samples)
                case tsa.TamperLine():
                    samples.append(self._status("tamper", record.active, received_utc_ns))
                case tsa.SetupLine():
                    self._take_setup(record, received_utc_ns, samples)
                case tsa.UnknownLine():
                    # Told like the malformed so that it is counted; the list of tags has gaps.
                    samples.append(Malformed("unknown-tag", record.text[:80]))
                case Malformed():
                    samples.append(record)
        return samples

    def _counts(
        self, line: tsa.CountsLine, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        counts = line.counts
        if not self._in_wiring_order:
            counts = tuple(counts[panel] for panel in self._panels)  # type: ignore[assignment]
        if line.tag in tsa.SCAN_TAGS:
            self._scan(line.tag, counts, received_utc_ns, samples)
        else:
            self._background(line.tag, counts, received_utc_ns, samples)

    def _scan(
        self,
        tag: str,
        counts: tuple[int, ...],
        received_utc_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        if self._was_cut and self._occupied and received_utc_ns - self._arrival_ns > REJOIN_NS:
            samples.append(self._occupancy(opened=False, at_ns=self._last_ns))
        self._was_cut = False
        if not self._occupied:
            self._open(received_utc_ns, samples)
        self._arrival_ns = received_utc_ns
        gamma = tag[0] == "G"
        start_ns = self._gamma_start(received_utc_ns) if gamma else self._neutron_start()
        samples.append(
            CountSample(
                sensor_id=self._sensor_id,
                origin=self._origin,
                start_utc_ns=self._forward(start_ns),
                duration_ms=200 if gamma else 1000,
                radiation=Radiation.GAMMA if gamma else Radiation.NEUTRON,
                counts=counts,
                device_alarm=tag[1] == "A",
            )
        )

    def _open(self, received_utc_ns: int, samples: list[Sample | Malformed]) -> None:
        # The live scan ends now; the buffered ones, if they come, end where it began.
        self._opened_ns = received_utc_ns - (BUFFERED_SCANS + 1) * GAMMA_SCAN_NS
        self._next_gamma_ns = self._opened_ns
        self._scans = 0
        samples.append(self._occupancy(opened=True, at_ns=self._opened_ns))

    def _gamma_start(self, received_utc_ns: int) -> int:
        expected_ns = self._next_gamma_ns
        by_arrival_ns = received_utc_ns - GAMMA_SCAN_NS
        opened_by_ns = self._opened_ns + (BUFFERED_SCANS + 1) * GAMMA_SCAN_NS
        buffered = (
            self._scans <= BUFFERED_SCANS and 0 <= received_utc_ns - opened_by_ns < BURST_SPREAD_NS
        )
        if not buffered and abs(by_arrival_ns - expected_ns) > GAMMA_SCAN_NS:
            expected_ns = by_arrival_ns
        self._scans += 1
        start_ns = max(expected_ns, self._last_ns)
        self._next_gamma_ns = start_ns + GAMMA_SCAN_NS
        return start_ns

    def _neutron_start(self) -> int:
        # Its second ended with the last gamma scan and began before it: see the class.
        return self._opened_ns if self._scans == 0 else self._last_ns

    def _background(
        self,
        tag: str,
        counts: tuple[int, ...],
        received_utc_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        if self._occupied:  # its GX was lost
            samples.append(self._occupancy(opened=False, at_ns=self._last_ns))
        radiation = Radiation.GAMMA if tag[0] == "G" else Radiation.NEUTRON
        code = FAULTS.get(tag, "")
        start_ns = received_utc_ns - SECOND_NS
        if code != self._faults[radiation]:
            if before := self._faults[radiation]:
                samples.append(self._status(before, False, start_ns))
            if code:
                samples.append(self._status(code, True, start_ns))
            self._faults[radiation] = code
        samples.append(
            BackgroundSample(
                sensor_id=self._sensor_id,
                origin=self._origin,
                start_utc_ns=self._forward(start_ns),
                duration_ms=1000,
                radiation=radiation,
                rate_cps=tuple(float(count) for count in counts),
                device_fault=code.partition("-")[2],
            )
        )

    def _speed(
        self, line: tsa.SpeedLine, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        if line.seconds_per_foot < MIN_SECONDS_PER_FOOT:
            return
        samples.append(
            SpeedSample(
                sensor_id=self._sensor_id,
                origin=self._origin,
                start_utc_ns=self._forward(self._last_ns if self._occupied else received_utc_ns),
                speed_m_s=tsa.METRES_PER_FOOT / line.seconds_per_foot,
            )
        )

    def _close(
        self, line: tsa.EndLine, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        if not self._occupied:  # joined after its last scan: nothing is known of it
            return
        # The last scan's end, not the arrival: a next vehicle may be in its buffered second.
        at_ns = self._next_gamma_ns if self._scans else received_utc_ns
        samples.append(
            self._occupancy(
                opened=False,
                at_ns=at_ns,
                counter=line.counter,
                neutron_background_cps=line.neutron_background_milli_cps / 1000,
            )
        )

    def _take_setup(
        self, line: tsa.SetupLine, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        self._setup[line.tag] = line.fields
        if line.tag == "SG1":
            intervals = line.fields[tsa.SETUP_FIELDS["SG1"].index("occupancy_hold_in")]
            # 99 intervals are the two digits of the field; anything else is no such setting.
            if intervals.isdecimal() and len(intervals) <= 2:
                self._hold_in_ms = int(intervals) * HOLD_IN_UNIT_MS
        for record, parts in SETUP_PARTS.items():
            # The last part ends the record: facts 1.1, SG3 after SG1 and SG2, SN2 after SN1.
            if line.tag != parts[-1] or not all(part in self._setup for part in parts):
                continue
            settings = tuple(
                setting
                for part in parts
                for setting in zip(tsa.SETUP_FIELDS[part], self._setup.pop(part), strict=True)
            )
            samples.append(
                SetupSample(
                    sensor_id=self._sensor_id,
                    origin=self._origin,
                    start_utc_ns=self._forward(self._now(received_utc_ns)),
                    record=record,
                    settings=settings,
                )
            )

    def _occupancy(
        self,
        *,
        opened: bool,
        at_ns: int,
        counter: int | None = None,
        neutron_background_cps: float | None = None,
    ) -> OccupancySample:
        self._occupied = opened
        return OccupancySample(
            sensor_id=self._sensor_id,
            origin=self._origin,
            start_utc_ns=self._forward(at_ns),
            opened=opened,
            counter=counter,
            neutron_background_cps=neutron_background_cps,
            lead_in_ms=LEAD_IN_MS if opened else 0,
            hold_in_ms=None if opened else self._hold_in_ms,
        )

    def _status(self, code: str, active: bool, at_ns: int) -> StatusSample:
        return StatusSample(
            sensor_id=self._sensor_id,
            origin=self._origin,
            start_utc_ns=self._forward(self._now(at_ns)),
            code=code,
            active=active,
        )

    def _now(self, received_utc_ns: int) -> int:
        # Within an occupancy the arrival is ahead of the scans that follow: it would push them.
        return self._last_ns if self._occupied else received_utc_ns

    def _forward(self, start_ns: int) -> int:
        self._last_ns = max(self._last_ns, start_ns)
        return self._last_ns


KINDS: tuple[DriverKind, ...] = (
    DriverKind(
        kind="rpm-tsa",
        config=TsaConfig,
        build=TsaDriver,
        recordings=(TsaDailyFile(),),
    ),
    DriverKind(kind="rpm-aspect", config=AspectConfig, build=AspectDriver),
    N42_KIND,
)
