"""X-ray scanners that send line by line while the vehicle passes."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from drivers.base import DriverKind, SensorConfig
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.sidecar import REAR_FIRST, Sidecar, parse_sidecar
from drivers.wire.xray_lines import ALIVE, BEGIN, END, LineDecoder, LineFrame
from drivers.xray_lines_file import LONGEST_S, LineFile
from drivers.xray_lines_past import RESTART_NS, PastScans
from drivers.xray_lines_scan import AGAIN, TOO_LONG, LineScan
from fusion.types import MILLISECOND_NS, SECOND_NS, Family, Origin, Sample, ScanLines, ScanSample

LATE_NS = SECOND_NS  # from the end frame on: 64 lines of the slowest scan (80 lines/s) take 0.8 s
DEFAULT_PITCH_MM = 8.0  # where nobody says how large a pixel is; the usual is 4 to 10
WIDE_GAP_MM = 100.0  # a parcel hides behind a strip so wide, so that what is seen clears nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayLinesConfig(SensorConfig):
    """A scanner, or a program beside its maker's library, that sends Garita's line frames."""

    family: ClassVar[Family] = Family.XRAY
    default_silent_after_s: ClassVar[float] = 0.0  # no truck, no line
    hung_s: ClassVar[float] = 5.0  # an alive frame comes every second
    url_forms: ClassVar[tuple[str, ...]] = ("tcp",)

    kind: Literal["xray-lines"] = "xray-lines"
    also_lanes: tuple[str, ...] = ()
    """Further lanes whose vehicles come to this scanner; it is filed under `lane`."""
    energies: Annotated[int, Ge(1), Le(2)] = 2
    """Planes, where the scan does not begin with saying it."""
    energies_mev: tuple[Annotated[float, Gt(0), Le(20)], Annotated[float, Gt(0), Le(20)]] = (6, 4)
    """End energies of the high and the low plane, where the scan does not say them."""
    pitch_x_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    """Along the vehicle, where the scan does not say; None: nobody knows, 8 is tried."""
    pitch_y_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    flip: bool = False
    """Vehicles come rear first; a scan that says so itself flips again."""
    scan_timeout_s: Annotated[float, Gt(0), Le(LONGEST_S)] = 10.0
    """A scan of which nothing came for so long has broken off: it is told as partial and is never
    clear. A link that was cut may be back earlier and go on with the scan."""
    max_clock_ahead_s: Annotated[float, Ge(0)] = 5.0
    """A line cannot be taken after it arrived; one dated further ahead gets the arrival's time."""

    def __post_init__(self) -> None:
        """ValueError where keys do not go together."""
        if self.energies_mev[0] < self.energies_mev[1]:
            raise ValueError("energies_mev: the high plane's comes first, as in [6, 4]")

    @property
    def lapse_s(self) -> float:
        """A scan is waited for no longer."""
        return self.scan_timeout_s


class XrayLinesDriver:
    """Line frames of one scanner to blocks of lines, and each scan as a whole at its end.

    Duplicates are passed over, lines up to 64 late are put in their place. A scan ends with its
    end frame; where one of the last 64 lines is missing then, a second later or with the first
    frame of another scan. Without an end frame it ends with another scan, or when nothing came for
    `scan_timeout_s`: that makes it partial, and so does a gap of more than 0.1 m, or more lines
    than any vehicle has. Time passes with what arrives, alive frames included. A scanner that was
    started again may give its scans numbers that were there before: see the codec.
    Malformed reasons, besides the codec's: `bad-sidecar`, `bad-line` (a number or an energy out of
    range), `dimension-mismatch`, `too-large`, `scan-ended` (more of a scan that is over; once),
    `lines-lost`, `no-lines`, `no-low-plane`, `scan-broken-off`, `scan-too-long`, `bad-container`,
    `clock-ahead`, `clock-behind` (dated before the scan before it).
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        if not isinstance(config, XrayLinesConfig):
            raise TypeError(f"{config.id}: not a configuration of xray-lines")
        self._config = config
        self._origin = origin
        self._decoder = LineDecoder()
        self._scan: LineScan | None = None
        self._past = PastScans()
        self._heard_utc_ns = 0
        """When something of the scan came last."""
        self._last_utc_ns: dict[type[Sample], int] = {}

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what arrived; empty data is a link cut, which a scan survives."""
        found: list[Sample | Malformed] = []
        for frame in self._decoder.feed(data) if data else self._decoder.cut():
            if isinstance(frame, Malformed):
                found.append(frame)
            elif frame.flags or not self._put(frame, received_utc_ns):
                self._take(frame, received_utc_ns, found)
        # What arrived may have waited for whoever reads it: only what it does not have is late.
        self._pass_time(received_utc_ns, found)
        return found

    def _put(self, frame: LineFrame, now_utc_ns: int) -> bool:
        """Whether a line was one of thousands that need nothing but a place."""
        scan = self._scan
        if scan is None or frame.scan_id != scan.number or scan.ahead_ns is None:
            return False
        if scan.total is not None or scan.put(frame):
            return False
        self._heard_utc_ns = now_utc_ns
        return not scan.is_due

    def _pass_time(self, now_utc_ns: int, found: list[Sample | Malformed]) -> None:
        scan = self._scan
        if scan is None:
            return
        waited_ns = now_utc_ns - self._heard_utc_ns
        if scan.total is not None and waited_ns >= LATE_NS:
            self._finish(found, broken=False)
        elif waited_ns >= self._config.scan_timeout_s * SECOND_NS:
            self._finish(found, broken=True)

    def _take(self, frame: LineFrame, now_utc_ns: int, found: list[Sample | Malformed]) -> None:
        if frame.flags == ALIVE:
            if self._past.is_started_anew(frame.scan_id):
                self._end(found)
            return
        if self._scan is None or frame.scan_id != self._scan.number:
            if self._past.is_over(frame):
                found += self._past.refuse(frame)
                return
            self._end(found)
        scan = self._scan or self._new(frame, found)
        if frame.flags == BEGIN:
            reason = self._begin(scan, frame, found)
        elif frame.flags == END:
            reason = scan.end(frame.line_no)
        else:
            reason = scan.put(frame)
            if reason == AGAIN:
                self._end(found)
                scan = self._new(frame, found)
                reason = scan.put(frame)
            if scan.ahead_ns is None:
                self._set_clock(scan, frame.t_ns, now_utc_ns, found)
        self._refuse(scan, frame, reason, found)
        if not reason or not scan.columns:  # what is refused keeps no scan alive
            self._heard_utc_ns = now_utc_ns
        found += self._blocks(scan)
        if scan.is_over or reason == TOO_LONG:
            self._end(found)

    def _new(self, frame: LineFrame, found: list[Sample | Malformed]) -> LineScan:
        """A scan that begins with this frame, or with the begin frame that was kept for it."""
        scan = self._scan = LineScan(frame.scan_id, self._config.energies)
        begun = self._past.begun(frame.scan_id)
        if begun is not None and frame.flags != BEGIN:
            self._refuse(scan, begun, self._begin(scan, begun, found), found)
        return scan

    def _begin(self, scan: LineScan, frame: LineFrame, found: list[Sample | Malformed]) -> str:
        """Take what a scan says of itself; a reason against its size, or `""`."""
        if scan.header is not None:
            self._past.keep(frame)
            return ""
        sidecar = parse_sidecar(bytes(frame.payload)) if frame.payload else Sidecar()
        if isinstance(sidecar, Malformed):
            found.append(sidecar)
            sidecar = Sidecar()
        if sidecar.container_as_read and not sidecar.container:
            found.append(malformed("bad-container", sidecar.container_as_read.encode()))
        return scan.begin(sidecar, frame.n, frame.energy)

    @staticmethod
    def _refuse(
        scan: LineScan, frame: LineFrame, reason: str, found: list[Sample | Malformed]
    ) -> None:
        """Tell a reason against a frame, if there is one, once in a scan."""
        if reason and reason not in scan.told:
            scan.told.add(reason)
            text = f"{scan.name}: line {frame.line_no}, {frame.n} pixels, energy {frame.energy}"
            found.append(malformed(reason, text.encode()))

    def _set_clock(
        self, scan: LineScan, t_ns: int, now_utc_ns: int, found: list[Sample | Malformed]
    ) -> None:
        ahead_ns = t_ns - now_utc_ns if now_utc_ns else 0
        scan.ahead_ns = max(ahead_ns, 0)
        behind_ns = self._last_utc_ns.get(ScanSample, 0) - t_ns
        if behind_ns > RESTART_NS and now_utc_ns:
            # Two vehicles of one time would be taken for one.
            scan.ahead_ns = ahead_ns
            text = f"{scan.name}: dated {behind_ns / SECOND_NS:.1f} s before the one before it"
            found.append(malformed("clock-behind", text.encode()))
        if ahead_ns > self._config.max_clock_ahead_s * SECOND_NS:
            text = f"{scan.name}: dated {ahead_ns / SECOND_NS:.1f} s after it arrived"
            found.append(malformed("clock-ahead", text.encode()))

    def _flipped(self, scan: LineScan) -> bool:
        return self._config.flip != (scan.sidecar.direction == REAR_FIRST)

    def _blocks(self, scan: LineScan) -> list[Sample | Malformed]:
        """The blocks of lines that can be told already."""
        found: list[Sample | Malformed] = []
        for block in scan.closed():
            found.append(
                ScanLines(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=self._forward(ScanLines, scan.at_utc_ns(block.t_ns)),
                    scan_id=scan.name,
                    first_column=block.first,
                    high=block.high,
                    low=block.low,
                    pitch_x_mm=self._pitch(scan.sidecar.pitch_x_mm, self._config.pitch_x_mm),
                    pitch_y_mm=self._pitch(scan.sidecar.pitch_y_mm, self._config.pitch_y_mm),
                    energies_mev=scan.sidecar.energies_mev or self._config.energies_mev,
                    pitch_known=self._pitch_known(scan),
                    rear_first=self._flipped(scan),
                    declared=scan.sidecar.declared,
                    container=scan.sidecar.container,
                )
            )
        return found

    def _end(self, found: list[Sample | Malformed]) -> None:
        """Nothing more of the scan will come: without an end frame it has broken off."""
        if self._scan is not None:
            self._finish(found, broken=self._scan.total is None)

    def _finish(self, found: list[Sample | Malformed], *, broken: bool) -> None:
        """Tell the scan as a whole, and forget it."""
        scan, self._scan = self._scan, None
        if scan is None:
            return
        scan.close()
        found += self._blocks(scan)
        if not scan.columns:  # nothing was seen, so it may begin yet
            found.append(malformed("no-lines", scan.name.encode()))
            return
        self._past.remember(scan.number, scan.extent, broken=broken)
        sample = self._sample(scan, broken=broken)
        lost = sum(stop - start for start, stop in sample.lost_columns)
        if scan.has_no_low:
            found.append(malformed("no-low-plane", scan.name.encode()))
        if broken:
            found.append(malformed("scan-broken-off", f"{scan.name} at {scan.columns}".encode()))
        if lost:
            text = f"{scan.name}: {lost} of {scan.columns}, {sample.lost_columns}"
            found.append(malformed("lines-lost", text.encode()))
        found.append(sample)

    def _sample(self, scan: LineScan, *, broken: bool) -> ScanSample:
        sidecar = scan.sidecar
        high, low = scan.planes()
        lost = scan.lost()
        if self._flipped(scan):
            high = np.ascontiguousarray(high[:, ::-1])
            low = None if low is None else np.ascontiguousarray(low[:, ::-1])
            lost = tuple((scan.columns - stop, scan.columns - start) for start, stop in lost[::-1])
        pitch_mm = self._pitch(sidecar.pitch_x_mm, self._config.pitch_x_mm)
        widest = max((stop - start for start, stop in lost), default=0)
        first_ns, last_ns = scan.times_ns
        return ScanSample(
            sensor_id=self._config.id,
            origin=self._origin,
            start_utc_ns=self._forward(ScanSample, scan.at_utc_ns(first_ns)),
            duration_ms=max(last_ns - first_ns, 0) // MILLISECOND_NS,
            scan_id=scan.name,
            high=high,
            low=low,
            composite=None,
            pitch_x_mm=pitch_mm,
            pitch_y_mm=self._pitch(sidecar.pitch_y_mm, self._config.pitch_y_mm),
            declared=sidecar.declared,
            container=sidecar.container,
            digests=(("lines", scan.digest),),
            energies_mev=sidecar.energies_mev or self._config.energies_mev,
            pitch_known=self._pitch_known(scan),
            lost_columns=lost,
            partial=broken or widest * pitch_mm > WIDE_GAP_MM,
        )

    def _pitch_known(self, scan: LineScan) -> bool:
        return (scan.sidecar.pitch_x_mm or self._config.pitch_x_mm) is not None

    @staticmethod
    def _pitch(told: float | None, configured: float | None) -> float:
        return told or configured or DEFAULT_PITCH_MM

    def _forward(self, kind: type[Sample], utc_ns: int) -> int:
        """The time, but never before that of the last of its kind."""
        self._last_utc_ns[kind] = max(utc_ns, self._last_utc_ns.get(kind, 0))
        return self._last_utc_ns[kind]


KINDS: tuple[DriverKind, ...] = (
    DriverKind(
        "xray-lines",
        XrayLinesConfig,
        XrayLinesDriver,
        heavy=True,
        recordings=(LineFile(),),
    ),
)
