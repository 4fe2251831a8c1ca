"""Writes what simulators send as the device files that each kind is recorded in, with the truth.

    OUT/scenario.json               name, seed, start, duration, sensors and their simulators
    OUT/truth.jsonl                 one label a line: what really happened
    OUT/<sensor>_<date>.csv         portals: the wire's lines, each with its time twice (local, UTC)
    OUT/<sensor>.txt                datacast: one datagram a line
    OUT/<sensor>.n42                spectroscopic portals: the documents as they were pushed
    OUT/<sensor>.csv                loggers that print: the lines
    OUT/<sensor>/                   scanners: the files themselves
    OUT/<sensor>.raw                kinds that have no file of their own: the bytes

Nothing waits: a day is written as fast as it can be computed.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Protocol

import msgspec

from simulators.base import SimulatorKind
from simulators.catalog import KINDS
from simulators.scenario import Scenario
from simulators.serve import write_bundles

STEP_MS = 100  # how exact the times in a recording are: half of the fastest portal's interval
PROGRESS_S = 10.0  # of scenario between two calls of `progress`


def record(
    scenario: Scenario,
    out: Path,
    *,
    duration_s: float | None = None,
    progress: Callable[[str, float], None] = lambda sensor_id, share: None,
) -> list[Path]:
    """Write every sensor's recording and the truth below `out`; returns the paths.

    `progress(sensor_id, share)` is called while a sensor is computed. Files of an earlier
    run are written over. OSError where `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    end_s = min(scenario.duration_s, duration_s or scenario.duration_s)
    paths = [_describe(scenario, out, end_s), write_truth(scenario, out / "truth.jsonl", end_s)]
    for place in scenario.sensors:
        kind = KINDS[place.kind]
        writer = _WRITERS.get(place.kind, _RawFile)(out, place.sensor_id, kind)
        try:
            _play(scenario, place.sensor_id, end_s, writer, progress)
        finally:
            paths += writer.close()
    return paths


def write_truth(scenario: Scenario, path: Path, end_s: float) -> Path:
    """The labels of what begins before `end_s`, JSON Lines with times in UTC nanoseconds too."""
    lines = []
    for truth in scenario.truth:
        if truth.start_s < end_s:
            label = msgspec.to_builtins(truth)
            label["start_utc_ns"] = scenario.start_utc_ns + round(truth.start_s * 1e9)
            label["end_utc_ns"] = scenario.start_utc_ns + round(truth.end_s * 1e9)
            lines.append(msgspec.json.encode(label) + b"\n")
    path.write_bytes(b"".join(lines))
    return path


def _describe(scenario: Scenario, out: Path, end_s: float) -> Path:
    path = out / "scenario.json"
    sensors = [
        {"id": place.sensor_id, "kind": place.kind, "simulator": KINDS[place.kind].version}
        for place in scenario.sensors
    ]
    about = {
        "name": scenario.name,
        "seed": scenario.seed,
        "start_utc_ns": scenario.start_utc_ns,
        "duration_s": end_s,
        "sensors": sensors,
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(about)) + b"\n")
    return path


def _play(
    scenario: Scenario,
    sensor_id: str,
    end_s: float,
    writer: "_Writer",
    progress: Callable[[str, float], None],
) -> None:
    simulator = KINDS[scenario.sensor(sensor_id).kind].build(scenario, sensor_id)
    end_ms, told_ms = round(end_s * 1000), 0
    for stepped_ms in range(0, end_ms, STEP_MS):
        dt_ms = min(STEP_MS, end_ms - stepped_ms)
        data = simulator.step(dt_ms)
        if data:
            writer.write(data, scenario.start_utc_ns + (stepped_ms + dt_ms) * 1_000_000)
        if stepped_ms - told_ms >= PROGRESS_S * 1000:
            told_ms = stepped_ms
            progress(sensor_id, stepped_ms / end_ms)
    progress(sensor_id, 1.0)


class _Writer(Protocol):
    def write(self, data: bytes, utc_ns: int) -> None: ...

    def close(self) -> list[Path]: ...


class _RawFile:
    suffix = "raw"

    def __init__(self, out: Path, sensor_id: str, kind: SimulatorKind) -> None:
        self._path = out / f"{sensor_id}.{self.suffix}"
        self._file: IO[bytes] = self._path.open("wb")

    def write(self, data: bytes, utc_ns: int) -> None:
        self._file.write(data)

    def close(self) -> list[Path]:
        self._file.close()
        return [self._path]


class _N42File(_RawFile):
    suffix = "n42"


class _TextFile(_RawFile):
    suffix = "csv"


class _DatagramFile:
    """One datagram a line, as rsudp keeps them (facts/seismic.md 1.1)."""

    def __init__(self, out: Path, sensor_id: str, kind: SimulatorKind) -> None:
        self._packets = kind.packets
        self._path = out / f"{sensor_id}.txt"
        self._file: IO[bytes] = self._path.open("wb")

    def write(self, data: bytes, utc_ns: int) -> None:
        for packet in self._packets(data):
            self._file.write(packet + b"\n")

    def close(self) -> list[Path]:
        self._file.close()
        return [self._path]


class _DailyFiles:
    """A portal's lines, local time and UTC behind each, a file a day (facts/radiation.md 1.1)."""

    def __init__(self, out: Path, sensor_id: str, kind: SimulatorKind) -> None:
        self._out = out
        self._sensor_id = sensor_id
        self._rest = b""
        self._paths: list[Path] = []
        self._file: IO[bytes] | None = None

    def write(self, data: bytes, utc_ns: int) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        # From whole nanoseconds, so that the milliseconds are exact.
        at = datetime.fromtimestamp(utc_ns // 10**9, UTC) + timedelta(
            milliseconds=utc_ns % 10**9 // 10**6
        )
        clock = at.strftime("%H-%M-%S.") + f"{at.microsecond // 1000:03d}"
        ending = f",{clock},{clock}\r\n".encode()
        self._lines(at.strftime("%Y-%m-%d"), (line.rstrip(b"\r") + ending for line in lines))

    def _lines(self, day: str, lines: Iterable[bytes]) -> None:
        path = self._out / f"{self._sensor_id}_{day}.csv"
        if self._file is None or path != self._paths[-1]:
            self.close()
            self._file = path.open("wb")
            self._paths.append(path)
        self._file.writelines(lines)

    def close(self) -> list[Path]:
        if self._file is not None:
            self._file.close()
        self._file = None
        return self._paths


class _Folder:
    def __init__(self, out: Path, sensor_id: str, kind: SimulatorKind) -> None:
        self._kind = kind
        self._path = out / sensor_id
        self._path.mkdir(exist_ok=True)

    def write(self, data: bytes, utc_ns: int) -> None:
        write_bundles(self._path, self._kind.packets(data), self._kind.files)

    def close(self) -> list[Path]:
        return [self._path]


_WRITERS: dict[str, Callable[[Path, str, SimulatorKind], _Writer]] = {
    "rpm-tsa": _DailyFiles,
    "shake-udp": _DatagramFile,
    "xray-dicos": _Folder,
    "xray-planes": _Folder,
    "rpm-n42": _N42File,
    "ascii-serial": _TextFile,
}
