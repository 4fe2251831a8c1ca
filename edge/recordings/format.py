"""The recording format, and reading it back: every raw byte in the order of feeding.

Layout of an MCAP file (profile `garita`): metadata `garita.session` with everything a replay
needs, the configuration as an attachment for people, a channel `sensor/{id}` per sensor (raw
bytes, `log_time` = arrival; an empty payload says that the link was cut), `garita/tick`,
`garita/fed` (payload: the sensor; what a worker made of its last bytes was fed here), and
`garita/asked` (payload: what an operator or the configuration asked of the engine).
The `sequence` of a message counts over all channels of a session: a gap is what was dropped.
Chunks are zstd-compressed; whatever opens MCAP opens these files.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from io import SEEK_CUR, BytesIO
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import structlog
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk, Metadata

PROFILE = "garita"
SESSION = "garita.session"
TICK_TOPIC = "garita/tick"
FED_TOPIC = "garita/fed"
ASKED_TOPIC = "garita/asked"
SENSOR_TOPIC = "sensor/"
FORMAT = "1"
MAGIC = b"\x89MCAP0\r\n"

# A chunk holds about a megabyte or one X-ray scan; a length beyond is a damaged file.
MAX_RECORD_BYTES = 2**30
_RECORD = struct.Struct("<BQ")  # opcode, length
_CHUNK = struct.Struct("<QQQII")  # start, end, size and checksum uncompressed, length of a name
_LENGTH = struct.Struct("<Q")
_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorInfo:
    """What a replay must know of one sensor."""

    sensor_id: str
    kind: str
    origin: str
    config_json: str
    """The sensor's configuration as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One boot of the service, as every file of it says."""

    site: str
    epoch: str
    first_seq: int
    """Sequence number of the first alert after the start."""
    software: str
    config_digest: str
    languages: tuple[str, ...]
    checkpoint_json: str
    policy_json: str
    sensors: tuple[SensorInfo, ...]
    config_text: str = ""
    """The configuration file as it was read, for people; a replay does not need it."""


class What(IntEnum):
    """What an event of a recording says."""

    RAW = 0
    """Bytes arrived; none: the link was cut."""
    TICK = 1
    """The engine was told the time."""
    FED = 2
    """What a worker made of the sensor's last bytes was fed to the engine."""
    ASKED = 3
    """Somebody asked something of the engine: not to be rung, or has answered an alert."""


class Event(NamedTuple):
    """One step of the live service. A tuple: a replayed day has millions."""

    what: What
    utc_ns: int
    number: int
    """Counts over the session; what is missing was dropped."""
    sensor_id: str
    """Empty for `TICK` and `ASKED`."""
    data: bytes


class RecordingDamaged(Exception):  # noqa: N818 - as the other errors, named for what it is
    """A file is no Garita recording, or its head cannot be read."""


def session_metadata(session: Session, part: int, channels: dict[str, int]) -> dict[str, str]:
    """The metadata record of one file of a session; `channels` is topic to channel number."""
    return {
        "format": FORMAT,
        "part": str(part),
        "site": session.site,
        "epoch": session.epoch,
        "first_seq": str(session.first_seq),
        "software": session.software,
        "config_digest": session.config_digest,
        "languages": " ".join(session.languages),
        "checkpoint": session.checkpoint_json,
        "policy": session.policy_json,
        "sensors": msgspec.json.encode(session.sensors).decode(),
        # The format keeps channels in the first chunk; here they survive damage to it.
        "channels": msgspec.json.encode(channels).decode(),
    }


def is_recording(head: bytes) -> bool:
    """Whether a file that begins so is an MCAP file."""
    return head.startswith(MAGIC)


def read_session(path: Path) -> tuple[Session, int]:
    """The session that a file belongs to, and which part of it the file is.

    RecordingDamaged where it is no Garita recording. OSError as from `open`.
    """
    with path.open("rb") as stream:
        for record in _records(path, stream):
            if isinstance(record, Metadata) and record.name == SESSION:
                return _session(path, record.metadata)
            if isinstance(record, Chunk):
                break
    raise RecordingDamaged(f"{path}: not a Garita recording, its session record is missing")


def read(path: Path) -> Iterator[Event]:
    """Everything that was fed, in the order of feeding.

    A file that ends in the middle of a chunk gives all that stands before, and a chunk whose
    checksum is wrong is left out; both are logged once. OSError as from `open`;
    RecordingDamaged where `read_session` raises it.
    """
    channels: dict[int, tuple[What, str]] = {}
    with path.open("rb") as stream:
        for record in _records(path, stream):
            if isinstance(record, Metadata) and record.name == SESSION:
                named = msgspec.json.decode(record.metadata["channels"], type=dict[str, int])
                channels = {number: _meaning(topic) for topic, number in named.items()}
            elif isinstance(record, Chunk):
                if not channels:
                    raise RecordingDamaged(f"{path}: data before the session record")
                try:
                    data = _opened(record)
                except (ValueError, zstandard.ZstdError) as error:
                    log.warning("recording damaged, chunk left out", file=str(path), why=str(error))
                    continue
                yield from _events(data, channels)


def _records(path: Path, stream: IO[bytes]) -> Iterator[Metadata | Chunk]:
    """The chunks and the metadata; ends at damage or where the file was cut.

    The library's reader takes every index record apart, which costs as much as all else here.
    """
    try:
        if stream.read(len(MAGIC)) != MAGIC:
            raise ValueError("not an MCAP file")
        while True:
            opcode, length = _RECORD.unpack(stream.read(_RECORD.size))
            if opcode == Opcode.FOOTER:
                return
            if length > MAX_RECORD_BYTES:
                raise ValueError(f"a record of {length} bytes")
            if opcode not in (Opcode.METADATA, Opcode.CHUNK):
                stream.seek(length, SEEK_CUR)
                continue
            data = stream.read(length)
            if len(data) < length:
                raise ValueError("cut")
            yield _chunk(data) if opcode == Opcode.CHUNK else Metadata.read(_plain(data))
    # The library lets errors of struct and of text through where a record is cut or damaged.
    except (McapError, struct.error, ValueError) as error:
        log.warning("recording ends early", file=str(path), why=str(error) or "cut")


def _plain(data: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(data))


def _chunk(record: bytes) -> Chunk:
    """A chunk whose data is a view: an X-ray scan need not be copied."""
    start_utc_ns, end_utc_ns, size, checksum, name_size = _CHUNK.unpack_from(record)
    at = _CHUNK.size + name_size
    name = record[_CHUNK.size : at].decode()
    (length,) = _LENGTH.unpack_from(record, at)
    data = memoryview(record)[at + _LENGTH.size :]
    if len(data) != length:
        raise ValueError("a chunk whose length is wrong")
    return Chunk(name, data, end_utc_ns, start_utc_ns, checksum, size)  # type: ignore[arg-type]


def _opened(chunk: Chunk) -> bytes:
    """The chunk's plain bytes. ValueError, ZstdError where it is damaged or cut."""
    if chunk.compression == "zstd":
        if chunk.uncompressed_size > MAX_RECORD_BYTES:
            raise ValueError(f"a chunk of {chunk.uncompressed_size} bytes")
        data = zstandard.decompress(chunk.data, chunk.uncompressed_size)
    elif chunk.compression == "":
        data = bytes(chunk.data)
    else:
        raise ValueError(f"compression {chunk.compression} is not one that Garita writes")
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("wrong checksum")
    return data


def _events(data: bytes, channels: dict[int, tuple[What, str]]) -> Iterator[Event]:
    """The messages of a chunk. Written out, without the library's stream, for speed."""
    at, end = 0, len(data)
    record, message = _RECORD.unpack_from, _MESSAGE.unpack_from
    while at < end:
        opcode, length = record(data, at)
        at += _RECORD.size
        if opcode == Opcode.MESSAGE:
            channel, number, utc_ns, _ = message(data, at)
            what, sensor_id = channels[channel]
            payload = data[at + _MESSAGE.size : at + length]
            if what is What.FED:
                sensor_id, payload = payload.decode(), b""
            yield Event(what, utc_ns, number, sensor_id, payload)
        at += length


def _meaning(topic: str) -> tuple[What, str]:
    if topic == TICK_TOPIC:
        return What.TICK, ""
    if topic == FED_TOPIC:
        return What.FED, ""
    if topic == ASKED_TOPIC:
        return What.ASKED, ""
    return What.RAW, topic.removeprefix(SENSOR_TOPIC)


def _session(path: Path, said: dict[str, str]) -> tuple[Session, int]:
    if said.get("format") != FORMAT:
        raise RecordingDamaged(
            f"{path}: recording format {said.get('format')}, this Garita reads {FORMAT}"
        )
    try:
        session = Session(
            site=said["site"],
            epoch=said["epoch"],
            first_seq=int(said["first_seq"]),
            software=said["software"],
            config_digest=said["config_digest"],
            languages=tuple(said["languages"].split()),
            checkpoint_json=said["checkpoint"],
            policy_json=said["policy"],
            sensors=msgspec.json.decode(said["sensors"], type=tuple[SensorInfo, ...]),
        )
        return session, int(said["part"])
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise RecordingDamaged(f"{path}: session record cannot be read ({error})") from error
