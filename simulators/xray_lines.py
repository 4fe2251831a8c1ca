"""Cargo X-ray scanners that send each line when it is taken."""

import zlib
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drivers.wire.sidecar import Sidecar, encode_json
from drivers.wire.xray_lines import ALIVE, BEGIN, END, LineFrame, encode
from simulators.base import SimulatorKind
from simulators.scenario import Scenario, Vehicle
from simulators.xray import (
    AIR_M,
    DARK_COLUMNS,
    HIGH_MEV,
    LOW_MEV,
    container_number,
    planes,
    scanner_of,
)

ALIVE_MS = 1000
LATE_LINES = 32  # how far cards get out of step, where they do
REPEATED_LINES = 16  # said again behind a cut
LOST_SHARE = 0.02  # of lines that an overflowing card skips
NOISE_BYTES, NOISY_SHARE = 300, 0.02
Random = np.random.Generator
Planes = tuple[NDArray[np.uint16], ...]


class XrayLinesSimulator:
    """One scanner. Options: `rows`, `pitch_mm`, `energies` (1 or 2), those of `scanner_of`.

    Faults: `silent` (says nothing of a vehicle), `reorder`, `duplicate`, `loss` (lines skipped,
    `size` their share), `cut` (half a line, then the last lines again), `stall` (lines and end
    frame are never sent), `garbage`, `restart` (the scanner is started anew when the fault begins,
    says no more of a scan that it was in, and counts its scans from 1).
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        self._scenario = scenario
        self._place = scenario.sensor(sensor_id)
        self._elapsed_ms = 0
        self._alive_ms = 0
        self._pitch_mm = float(self._place.option("pitch_mm", "8"))
        self._energies = int(self._place.option("energies", "2"))
        lane = scenario.lane(self._place.lane)
        due = [
            (vehicle.reaches_s(lane.scanner_after_m), vehicle)
            for vehicle in scenario.lane_vehicles(lane.lane)
            if vehicle.scanned
        ]
        lead = DARK_COLUMNS + round(AIR_M * 1000.0 / self._pitch_mm)
        self._waiting = deque(
            sorted(
                (
                    (max(front_s - lead * self._line_s(vehicle), 0.0), number, vehicle)
                    for number, (front_s, vehicle) in enumerate(due)
                ),
                key=lambda one: one[:2],
            )
        )
        self._scans: dict[int, int] = {}
        """How many there were in each session."""
        self._sending: Iterator[tuple[int, bytes]] = iter(())
        self._ready: tuple[int, bytes] | None = None

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the frames of the lines that were taken meanwhile."""
        self._elapsed_ms += dt_ms
        sent = []
        while (following := self._following_ms()) <= self._elapsed_ms:
            if self._alive_ms + ALIVE_MS <= following:
                self._alive_ms += ALIVE_MS
                session = self._session(self._alive_ms / 1000.0)
                at_ns = self._utc_ns(self._alive_ms)
                sent.append(encode(LineFrame(session, 0, at_ns, 0, 0, ALIVE)))
                continue
            assert self._ready is not None
            sent.append(self._ready[1])
            self._ready = None
        return b"".join(sent)

    def _following_ms(self) -> int:
        """When something is to be sent next."""
        if self._ready is None:
            self._ready = next(self._sending, None)
        if self._ready is None and self._waiting:
            start_s, number, vehicle = self._waiting[0]
            if start_s * 1000 <= min(self._elapsed_ms, self._alive_ms + ALIVE_MS):
                self._waiting.popleft()
                self._sending = self._scan(vehicle, number, start_s)
                return self._following_ms()
        alive_ms = self._alive_ms + ALIVE_MS
        return alive_ms if self._ready is None else min(alive_ms, self._ready[0])

    def _utc_ns(self, at_ms: float) -> int:
        return self._scenario.start_utc_ns + round(at_ms * 1e6)

    def _starts_s(self) -> list[float]:
        """When it was started anew."""
        faults = self._scenario.faults
        mine = [one for one in faults if one.sensor_id == self._place.sensor_id]
        return [one.start_s for one in mine if one.kind == "restart"]

    def _session(self, at_s: float) -> int:
        """Another each time that it was started."""
        return 1 + sum(start_s <= at_s for start_s in self._starts_s())

    def _number(self, number: int, start_s: float) -> int:
        """Of a scan, by its place among the day's."""
        session = self._session(start_s)
        if session == 1:
            return self._scenario.start_utc_ns // 10**9 + number
        self._scans[session] = self._scans.get(session, 0) + 1
        return self._scans[session]

    def _line_s(self, vehicle: Vehicle) -> float:
        return self._pitch_mm / 1000.0 / abs(vehicle.speed_m_s)

    def _scan(self, vehicle: Vehicle, number: int, start_s: float) -> Iterator[tuple[int, bytes]]:
        """(when, frames) of one vehicle. Everything random comes from scenario, sensor, vehicle."""
        name = f"{self._place.sensor_id}-{vehicle.vehicle_id}"
        random = np.random.default_rng([self._scenario.seed, zlib.crc32(name.encode())])
        rows = int(self._place.option("rows", "500"))
        both: Planes = planes(
            vehicle,
            rows=rows,
            pitch_mm=self._pitch_mm,
            random=random,
            scanner=scanner_of(self._place),
        )
        container = container_number(vehicle.container, random)
        if self._is("silent", start_s):
            return
        scan = _Scan(self._number(number, start_s), both[: self._energies])
        sidecar = Sidecar(
            scan_id=name,
            pitch_x_mm=self._pitch_mm,
            pitch_y_mm=self._pitch_mm,
            energies_mev=(HIGH_MEV, LOW_MEV),
            declared=vehicle.declared,
            container=container,
        )
        begin = scan.frame(0, self._utc_ns(start_s * 1000), BEGIN, encode_json(sidecar))
        yield round(start_s * 1000), begin
        times_s = start_s + self._line_s(vehicle) * np.arange(1, scan.columns + 1)
        session = self._session(start_s)
        for column, at_s in self._order(times_s.tolist(), random):
            if self._session(at_s) != session:
                return
            frames = scan.lines(column, self._utc_ns(1000 * float(times_s[column])))
            if frames := self._spoilt(frames, scan, column, times_s.tolist(), random):
                yield round(1000 * at_s), frames
        end_s = float(times_s[-1])
        if not self._is("stall", end_s):
            yield round(1000 * end_s), scan.frame(scan.columns, self._utc_ns(1000 * end_s), END)

    def _order(self, times_s: list[float], random: Random) -> Iterator[tuple[int, float]]:
        """(column, when it is sent)."""
        for first in range(0, len(times_s), LATE_LINES):
            columns = list(range(first, min(first + LATE_LINES, len(times_s))))
            if self._is("reorder", times_s[first]):
                sent_s = times_s[columns[-1]]
                yield from ((int(column), sent_s) for column in random.permutation(columns))
            else:
                yield from ((column, times_s[column]) for column in columns)

    def _spoilt(
        self, frames: bytes, scan: "_Scan", column: int, times_s: list[float], random: Random
    ) -> bytes:
        """What the faults of the moment leave of a line, and add to it."""
        at_s = times_s[column]
        lost = self._is("loss", at_s) and random.random() < self._size("loss")
        if lost or self._is("stall", at_s):
            return b""
        if self._is("duplicate", at_s):
            frames += frames
        if self._is("garbage", at_s) and random.random() < NOISY_SHARE:
            frames = random.bytes(NOISE_BYTES) + frames
        if self._is("cut", at_s) and not self._is("cut", times_s[max(column - 1, 0)]):
            again = range(max(column - REPEATED_LINES, 0), column + 1)
            lines = (scan.lines(one, self._utc_ns(1000 * times_s[one])) for one in again)
            frames = frames[: len(frames) // 3] + b"".join(lines)
        return frames

    def _is(self, fault: str, at_s: float) -> bool:
        return self._scenario.active(self._place.sensor_id, fault, at_s)

    def _size(self, kind: str) -> float:
        sizes = (fault.size for fault in self._scenario.faults if fault.kind == kind)
        return next(sizes, 0.0) or LOST_SHARE


class _Scan:
    """The frames of one scan."""

    def __init__(self, number: int, planes: Planes) -> None:
        self._number = number
        self._lines = [np.ascontiguousarray(plane.T, "<u2") for plane in planes]
        self.columns, self._pixels = self._lines[0].shape

    def frame(self, line_no: int, t_ns: int, flags: int, payload: bytes = b"") -> bytes:
        """A begin or end frame."""
        energies, pixels = (len(self._lines), self._pixels) if flags == BEGIN else (0, 0)
        return encode(LineFrame(self._number, line_no, t_ns, energies, pixels, flags, payload))

    def lines(self, column: int, t_ns: int) -> bytes:
        """One column in all energies."""
        return b"".join(
            encode(
                LineFrame(
                    self._number, column, t_ns, energy, self._pixels, 0, own[column].data.cast("B")
                )
            )
            for energy, own in enumerate(self._lines)
        )


KINDS: tuple[SimulatorKind, ...] = (SimulatorKind("xray-lines", XrayLinesSimulator, "1"),)
