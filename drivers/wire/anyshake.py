"""AnyShake Explorer serial stream, versions 1 to 3 (facts/seismic.md 1.2).

    1  FC 1B | 3 x 5 int32 | an XOR for each axis | 00                              66 bytes
    2  FA DE | int64 ms | uint32 variable | 3 x 5 int32 | XOR                       75 bytes
    3  01 FE | int64 ms | uint32 configuration | 4 bytes variable | channels | XOR | EF 10

All numbers are little-endian; an XOR is over what follows the header, or over its axis. A version
3 configuration has, from its highest bit down: packet interval (2 bits), rate (3), GNSS time (1),
the sample type of channels 1 to 8 (2 each), and which variables there are (10). Each channel's
samples are contiguous. The header and the trailer can both occur inside the data.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEADERS = {1: b"\xfc\x1b", 2: b"\xfa\xde", 3: b"\x01\xfe"}
TRAILER = b"\xef\x10"
INTERVALS_MS = (100, 200, 500, 1000)
RATES_HZ = (10, 20, 50, 100, 200, 250, 500, 1000)
SAMPLE_BYTES = (0, 2, 3, 4)
"""By sample type: off, int16, int24, int32."""
CHANNELS = 8
OLD_AXES, OLD_SAMPLES = 3, 5  # of versions 1 and 2
OLD_BYTES = 4 * OLD_AXES * OLD_SAMPLES
FIXED_BYTES = {1: 66, 2: 75, 3: 21}
"""Whole frames of versions 1 and 2; what surrounds the samples of a version 3 frame."""
KNOWN_AFTER = {1: 2, 2: 10, 3: 14}
"""Bytes of a frame after which its length is known, and its time where it has one."""
MAX_FRAME_BYTES = 21 + CHANNELS * 1000 * 4  # a second of 8 channels of int32 at 1,000 Hz
MAX_MS = (2**63 - 1) // 1_000_000  # samples' times are int64 nanoseconds

GNSS_BIT = 1 << 26
_V2_GNSS_BIT = 1 << 31
_FRAME_HEAD = struct.Struct("<2sq")
_WORDS = struct.Struct("<II")
_FLOAT = struct.Struct("<f")
_VARIABLES = {
    2: ("device_id", "latitude_deg", "longitude_deg", "elevation_m"),
    3: ("device_id", "latitude_deg", "longitude_deg", "elevation_m", "temperature_c"),
}
_ROTATION = {2: 4, 3: 10}
"""The variable is number (ms / 1000) mod this."""


class Layout(NamedTuple):
    """What a version 3 configuration says of every frame that carries it."""

    interval_ms: int
    rate_hz: int
    gnss: bool
    sample_bytes: tuple[int, ...]
    """Of channels 1 to 8; 0 where a channel is off."""

    @property
    def samples(self) -> int:
        """Of each channel in a frame."""
        return self.rate_hz * self.interval_ms // 1000

    @property
    def frame_bytes(self) -> int:
        """The whole frame."""
        return FIXED_BYTES[3] + self.samples * sum(self.sample_bytes)

    @property
    def word(self) -> int:
        """The configuration word, without bits for variables."""
        word = INTERVALS_MS.index(self.interval_ms) << 30 | RATES_HZ.index(self.rate_hz) << 27
        for number, size in enumerate(self.sample_bytes):
            word |= SAMPLE_BYTES.index(size) << 24 - 2 * number
        return word | (GNSS_BIT if self.gnss else 0)


@lru_cache(maxsize=64)
def layout_of(word: int) -> Layout:
    """A version 3 configuration word, taken apart."""
    return Layout(
        INTERVALS_MS[word >> 30 & 3],
        RATES_HZ[word >> 27 & 7],
        bool(word & GNSS_BIT),
        tuple(SAMPLE_BYTES[word >> 24 - 2 * number & 3] for number in range(CHANNELS)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnyShakePacket:
    """One frame."""

    version: int
    counts: NDArray[np.int32]
    """(channels that are on, samples)"""
    time_ms: int = 0
    """Since boot, or since 1970 UTC where the clock follows GNSS; version 1 has none."""
    variable: bytes = bytes(4)
    """What rotates with the seconds, see `told_variable`."""
    config: int = 0
    """Configuration word of version 3."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Numbers of the channels that are on, counted from 1."""
        if self.version != 3:
            return tuple(range(1, OLD_AXES + 1))
        sizes = layout_of(self.config).sample_bytes
        return tuple(number for number, size in enumerate(sizes, 1) if size)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AnyShakePacket)
            and (self.version, self.time_ms, self.variable, self.config)
            == (other.version, other.time_ms, other.variable, other.config)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have none


def told_variable(packet: AnyShakePacket) -> tuple[str, float] | None:
    """Name and value of the packet's variable; None where it has none that is known.

    The device id of version 2 comes with its GNSS flag, see `gnss_of`.
    """
    if packet.version == 1:
        return None
    number = packet.time_ms // 1000 % _ROTATION[packet.version]
    if number >= len(_VARIABLES[packet.version]):
        return None
    name = _VARIABLES[packet.version][number]
    if number:
        return name, float(_FLOAT.unpack(packet.variable)[0])
    word = int.from_bytes(packet.variable, "little")
    return name, word & ~_V2_GNSS_BIT if packet.version == 2 else word


def gnss_of(packet: AnyShakePacket) -> bool | None:
    """Whether the packet says that its time is that of GNSS; None where it says nothing."""
    if packet.version == 3:
        return bool(packet.config & GNSS_BIT)
    if packet.version == 1 or packet.time_ms // 1000 % _ROTATION[2]:
        return None
    return bool(int.from_bytes(packet.variable, "little") & _V2_GNSS_BIT)


# --- one frame, both ways --------------------------------------------------------------


def encode(packet: AnyShakePacket) -> bytes:
    """The packet as the device sends it. ValueError where its samples do not fit its layout."""
    head = HEADERS[packet.version]
    if packet.version == 3:
        return _encode_3(packet)
    if packet.counts.shape != (OLD_AXES, OLD_SAMPLES):
        raise ValueError(f"version {packet.version} has 3 x 5 samples, not {packet.counts.shape}")
    data = packet.counts.astype("<i4").tobytes()
    if packet.version == 1:
        return head + data + _axis_checks(data) + b"\0"
    body = packet.time_ms.to_bytes(8, "little") + packet.variable + data
    return head + body + bytes([_xor(body)])


def _encode_3(packet: AnyShakePacket) -> bytes:
    layout = layout_of(packet.config)
    sizes = [size for size in layout.sample_bytes if size]
    if packet.counts.shape != (len(sizes), layout.samples):
        raise ValueError(f"the configuration does not say {packet.counts.shape}")
    body = b"".join(
        (
            packet.time_ms.to_bytes(8, "little"),
            packet.config.to_bytes(4, "little"),
            packet.variable,
            *(
                row.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :size].tobytes()
                for row, size in zip(packet.counts, sizes, strict=True)
            ),
        )
    )
    return HEADERS[3] + body + bytes([_xor(body)]) + TRAILER


def parse_frame(frame: bytes, version: int) -> AnyShakePacket | str:
    """A frame of the length that its head announced; a reason where it is none."""
    if version == 1:
        data = frame[2 : 2 + OLD_BYTES]
        if frame[-4:] != _axis_checks(data) + b"\0":
            return "checksum"
        return AnyShakePacket(version=1, counts=_old_counts(data))
    if version == 3 and not frame.endswith(TRAILER):
        return "trailer"
    checked = frame[2:-3] if version == 3 else frame[2:-1]
    if _xor(checked) != frame[len(checked) + 2]:
        return "checksum"
    (_, time_ms), data = _FRAME_HEAD.unpack_from(frame), checked[12:]
    if version == 2:
        return AnyShakePacket(
            version=2, time_ms=time_ms, variable=checked[8:12], counts=_old_counts(data)
        )
    config = int.from_bytes(checked[8:12], "little")
    return AnyShakePacket(
        version=3,
        time_ms=time_ms,
        config=config,
        variable=checked[12:16],
        counts=_new_counts(checked[16:], layout_of(config)),
    )


def frame_bytes(head: bytes, version: int) -> int | str:
    """How long the frame is that begins like this, of `KNOWN_AFTER` bytes; or why it is none."""
    if version == 1:
        return FIXED_BYTES[1]
    _, time_ms = _FRAME_HEAD.unpack_from(head)
    if not 0 <= time_ms <= MAX_MS:
        return "time"
    if version == 2:
        return FIXED_BYTES[2]
    layout = layout_of(int.from_bytes(head[10:14], "little"))
    return layout.frame_bytes if any(layout.sample_bytes) else "config"


def _xor(data: bytes) -> int:
    return int(np.bitwise_xor.reduce(np.frombuffer(data, np.uint8)))


def _axis_checks(data: bytes) -> bytes:
    axes = np.frombuffer(data, np.uint8).reshape(OLD_AXES, -1)
    return bytes(np.bitwise_xor.reduce(axes, axis=1))


def _old_counts(data: bytes) -> NDArray[np.int32]:
    return np.frombuffer(data, "<i4").reshape(OLD_AXES, OLD_SAMPLES)


def _new_counts(data: bytes, layout: Layout) -> NDArray[np.int32]:
    sizes = [size for size in layout.sample_bytes if size]
    if min(sizes) == 4:
        return np.frombuffer(data, "<i4").reshape(len(sizes), layout.samples)
    rows = np.empty((len(sizes), layout.samples), np.int32)
    at = 0
    for row, size in zip(rows, sizes, strict=True):
        block = np.frombuffer(data, np.uint8, size * layout.samples, at).reshape(-1, size)
        at += size * layout.samples
        # Into the high bytes and back down, which carries the sign.
        wide = np.zeros((layout.samples, 4), np.uint8)
        wide[:, 4 - size :] = block
        row[:] = wide.view("<i4")[:, 0] >> 8 * (4 - size)
    return rows
