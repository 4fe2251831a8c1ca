"""A station behind a SeedLink server: short miniSEED records, sent as soon as they are full.

The simulator's bytes are SeedLink 4 frames. `SeedLinkResponder` is the server's side of one
connection, version 3 or 4, which hands out those that a client asks for.
"""

import fnmatch
import json
import re
import zlib

import numpy as np

from drivers.wire.miniseed import encode, frame, frames
from simulators.base import Responder, Simulator, SimulatorKind
from simulators.ground import Floats
from simulators.ground_motion import GroundMotion
from simulators.ground_station import chance
from simulators.scenario import Scenario
from simulators.seismic import COUNTS_PER_M_S, GROUND_VERSION

RECORD_BYTES = 512
HISTORY_BYTES = 2**20  # some 2,000 records: a quarter of an hour of one channel
V3_SEQUENCES = 2**24
GREETING = b"SeedLink v4.0 (Garita simulator) :: SLPROTO:4.0 SLPROTO:3.1\r\nGarita\r\n"
MAX_LINE_BYTES = 255


class SeedLinkSimulator:
    """One station: `channels` such as `EHZ,EHN`, `rate_hz`, `record_ms`, `network`, `station`."""

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._rate_hz = int(place.option("rate_hz", "100"))
        self._record_ms = int(place.option("record_ms", "500"))
        if 1000 % self._record_ms or self._rate_hz * self._record_ms % 1000:
            raise ValueError(f"{sensor_id}: a second is no whole number of {self._record_ms} ms")
        self._channels = place.option("channels", "EHZ").split(",")
        self._axes = "".join(sorted({channel[2] for channel in self._channels}))
        self._network, self._station = _names(sensor_id)
        self._network = place.option("network", self._network)
        self._station = place.option("station", self._station)
        self._motion = GroundMotion(scenario, sensor_id, self._rate_hz, self._axes)
        self._faults = chance(scenario, f"fault/{sensor_id}")
        self._offset = float(zlib.crc32(sensor_id.encode()) % 40_000)
        self._second: Floats = np.zeros((len(self._axes), self._rate_hz))
        # A record 2 stamps tenths of milliseconds.
        self._start_ns = scenario.start_utc_ns // 100_000 * 100_000
        self._due_ms = self._sent = self._sequence = 0

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the frames of the records that were full by then."""
        self._due_ms += dt_ms
        sent = []
        while (self._sent + 1) * self._record_ms <= self._due_ms:
            sent += self._records(self._sent * self._record_ms)
            self._sent += 1
        return b"".join(sent)

    def _records(self, from_ms: int) -> list[bytes]:
        in_second = from_ms % 1000
        if in_second == 0:
            self._second = self._motion.next_second()
        count = self._rate_hz * self._record_ms // 1000
        first = self._rate_hz * in_second // 1000
        sent = []
        for channel in self._channels:
            motion = self._second[self._axes.index(channel[2]), first : first + count]
            counts = np.rint(motion * COUNTS_PER_M_S + self._offset)
            counts = np.clip(counts, -(2**29), 2**29 - 1).astype(np.int32)
            source = (self._network, self._station, "00", channel)
            for record in encode(
                source,
                self._start_ns + from_ms * 1_000_000,
                float(self._rate_hz),
                counts,
                version=2,
                steim=True,
                record_bytes=RECORD_BYTES,
            ):
                self._sequence += 1
                sent.append(frame(self._sequence, self._network, self._station, record))
        return self._damage(sent, from_ms / 1000.0)

    def _damage(self, sent: list[bytes], at_s: float) -> list[bytes]:
        """What the faults of the scenario leave: a station may be cut off from its server."""
        if self._scenario.active(self._sensor_id, "silent", at_s):
            return []
        if self._scenario.active(self._sensor_id, "loss", at_s):
            sent = [one for one in sent if self._faults.random() >= 0.1]
        if self._scenario.active(self._sensor_id, "garbage", at_s):
            sent = [self._garble(one) for one in sent]
        return sent

    def _garble(self, sent: bytes) -> bytes:
        """Of a hundred records thirty have a head of random bytes."""
        if self._faults.random() >= 0.3:
            return sent
        head = len(sent) - RECORD_BYTES
        return sent[:head] + self._faults.bytes(48) + sent[head + 48 :]


class SeedLinkResponder:
    """One client's session. Stations are taken as they come; `INFO` knows `ID` only."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._version = 3
        self._station: str | None = None
        self._selected: dict[str, list[str]] = {}
        self._wanted: dict[str, int | None] = {}
        """Station to the first sequence to send; None for what is to come."""
        self._streaming = False
        self._kept: list[bytes] = []
        self._answers = bytearray()

    def play(self, data: bytes, now_s: float) -> None:
        """Frames of the simulator: what is recorded from now on, or has been before."""
        new = list(frames(data))
        if self._streaming:
            self._send(new)
        else:
            self._kept += new

    def feed(self, data: bytes) -> bool:
        """Commands; False: hang up."""
        for byte in re.findall(rb"[^\r\n]+|[\r\n]", data):
            if byte not in (b"\r", b"\n"):
                self._line += byte
            elif self._line:
                line, self._line = self._line.decode("ascii", "replace").strip(), bytearray()
                if not self._command(*line.partition(" ")[::2]):
                    return False
        return len(self._line) <= MAX_LINE_BYTES

    def answers(self) -> bytes:
        """What is to be sent now."""
        answers, self._answers = bytes(self._answers), bytearray()
        return answers

    def _command(self, name: str, rest: str) -> bool:
        match name.upper():
            case "HELLO":
                self._answers += GREETING
            case "SLPROTO":
                self._version = 4 if rest.startswith("4") else 3
                self._answers += b"OK\r\n"
            case "STATION":
                parts = rest.split()
                named = parts[0] if self._version == 4 else "_".join(reversed(parts[:2]))
                self._station = named
                self._selected[named] = []
                self._answers += b"OK\r\n"
            case "SELECT":
                self._selected.setdefault(self._station or "*", []).append(_pattern(rest))
                self._answers += b"OK\r\n"
            case "DATA" | "FETCH":
                self._data(rest.split())
            case "END" | "ENDFETCH":
                self._begin()
            case "INFO":
                self._info()
            case "BYE":
                return False
            case "USERAGENT" | "BATCH":
                self._answers += b"OK\r\n"
            case _:
                self._answers += b"ERROR UNSUPPORTED\r\n" if self._version == 4 else b"ERROR\r\n"
        return True

    def _data(self, parts: list[str]) -> None:
        first: int | None = None
        if parts:
            number = "0" if parts[0] == "ALL" else parts[0]
            first = int(number, 10 if self._version == 4 else 16)
        self._wanted[self._station or "*"] = first
        if self._station is None:  # version 3 for all stations: no END follows
            self._begin()
        else:
            self._answers += b"OK\r\n"

    def _begin(self) -> None:
        self._streaming = True
        kept, self._kept = self._kept, []
        self._send([one for one in kept if self._resumed(one)])

    def _resumed(self, sent: bytes) -> bool:
        """Whether a record of the past is one that was asked for."""
        sequence, station, _ = _parts(sent)
        first = next((n for name, n in self._wanted.items() if _fits(station, name)), None)
        if first is None:
            return False
        if self._version == 4:
            return sequence >= first
        # Version 3 counts in a circle: what is less than half of it ahead comes after.
        return (sequence - first) % V3_SEQUENCES < V3_SEQUENCES // 2

    def _send(self, sent: list[bytes]) -> None:
        for one in sent:
            sequence, station, record = _parts(one)
            patterns = [two for name, two in self._selected.items() if _fits(station, name)]
            if self._selected and not patterns:
                continue
            channel = record[13:18].decode("ascii", "replace")
            codes = f"{channel[:2].strip()}_{channel[2]}_{channel[3]}_{channel[4]}"
            if any(patterns) and not any(_fits(codes, two) for ones in patterns for two in ones):
                continue
            if self._version == 4:
                self._answers += one
            else:
                self._answers += b"SL%06X" % (sequence % V3_SEQUENCES) + record

    def _info(self) -> None:
        if self._version == 4:
            said = json.dumps({"software": "Garita simulator"}).encode()
            head = b"SEJI" + len(said).to_bytes(4, "little") + bytes(8) + b"\0"
            self._answers += head + said
            return
        said = b'<?xml version="1.0"?><seedlink software="Garita simulator"/>'
        head = b"000001D INFO    INFSL" + b"\x07\xe4\0\x01\0\0\0\0\0\0"
        head = head[:20] + b"\x07\xe4\0\x01\0\0\0\0\0\0" + len(said).to_bytes(2, "big")
        head += bytes(4) + b"\0\0\0\x01" + bytes(4) + b"\0\x40\0\x30"
        head += b"\x03\xe8\0\0" + b"\0\x01\x09\0"
        self._answers += b"SLINFO  " + head.ljust(64, b"\0") + said.ljust(RECORD_BYTES - 64, b"\0")


def _parts(sent: bytes) -> tuple[int, str, bytes]:
    """(sequence, station, record) of a frame."""
    name = sent[16]
    sequence = int.from_bytes(sent[8:16], "little")
    return sequence, sent[17 : 17 + name].decode("ascii"), sent[17 + name :]


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def _pattern(selector: str) -> str:
    """A selector of either version, without what follows the dot, as one of version 4."""
    plain = selector.partition(".")[0]
    if "_" in plain:
        return plain
    place, codes = plain[:-3].replace("-", "") or ("" if plain[:1] == "-" else "*"), plain[-3:]
    return "_".join([place, *codes])


def _names(sensor_id: str) -> tuple[str, str]:
    """Network and station by which a sensor is found where nothing else is told."""
    return "XX", re.sub("[^A-Z0-9]", "", sensor_id.upper())[-5:] or "SIM"


def _build(scenario: Scenario, sensor_id: str) -> Simulator:
    return SeedLinkSimulator(scenario, sensor_id)


def _responder() -> Responder:
    return SeedLinkResponder()


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind(
        "seedlink",
        _build,
        version=GROUND_VERSION,
        packets=lambda data: list(frames(data)),
        responder=_responder,
        history_bytes=HISTORY_BYTES,
    ),
)
