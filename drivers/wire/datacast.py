"""Raspberry Shake datacast: one channel's samples in one text datagram.

A record is `{'EHZ', 1580372810.003, 16235, -16274, ...}`: channel, epoch seconds of the first
sample, signed counts (facts/seismic.md 1.1). Braces delimit, so datagrams may be concatenated
with or without line ends. Third-party senders use other decimals, spacing and lengths.
"""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

MAX_COUNTS = 1000  # the longest known sender packs about 250; four times that is a broken one
MAX_RECORD_BYTES = 16_384  # 1000 counts of ", -2147483648" and a head
MAX_UTC_NS = 2**63 - 1  # samples' times are int64 nanoseconds, which end in the year 2262

CAPTURE_END = b"TERM"  # the line with which rsudp ends a capture
CAPTURE_HEAD_BYTES = 65_536  # some 60 packets of each of 4 channels: enough to tell the rate

_NS_PER_S = 1_000_000_000
_HEAD = re.compile(rb"\{\s*(['\"])([A-Za-z0-9]{1,8})\1\s*,\s*([0-9]{1,10})(?:\.([0-9]{1,9}))?\s*,")
_USUAL = re.compile(rb"\{'([A-Z0-9]{1,8})', (([0-9]{1,10})\.([0-9]{3})), ").match
"""The head as a Shake writes it, which costs half of the liberal one."""
_Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_counts = msgspec.json.Decoder(tuple[_Int32, ...]).decode
_whole_numbers = msgspec.json.Decoder(tuple[int, ...]).decode


class ShakePacket(msgspec.Struct, frozen=True, gc=False):
    """Consecutive samples of one channel, as sent in one datagram.

    A `Struct`, for it is made eight times as fast as a frozen dataclass.
    """

    channel: str
    start_utc_ns: int
    """Time of the first sample."""
    counts: tuple[int, ...]
    """At least one, each within int32."""


class DatacastDecoder:
    """Bytes in, packets out, for any split of the byte stream; keeps one record at most."""

    def __init__(self) -> None:
        self._rest = b""
        self._outside = b""
        self._told = False

    def feed(self, data: bytes) -> list[ShakePacket | Malformed]:
        """Read what arrived. Text outside braces is told once per run, when the run ends."""
        buffer = self._rest + data if self._rest else data
        records: list[ShakePacket | Malformed] = []
        at = 0
        while True:
            if not self._outside and not self._told:
                at = _read_usual(buffer, at, records)
            opened = buffer.find(b"{", at)
            if opened != at:
                self._skip(buffer[at:] if opened < 0 else buffer[at:opened], records)
            if opened < 0:
                self._rest = b""
                return records
            self._end_run(records)
            limit = opened + MAX_RECORD_BYTES
            closed = buffer.find(b"}", opened, limit)
            again = buffer.find(b"{", opened + 1, limit if closed < 0 else closed)
            if again >= 0:
                records.append(malformed("cut-short", buffer[opened:again].rstrip()))
                at = again
            elif closed >= 0:
                records.append(parse_record(buffer[opened : closed + 1]))
                at = closed + 1
            elif len(buffer) >= limit:
                records.append(malformed("too-long", buffer[opened : opened + TEXT_BYTES]))
                self._told = True  # what follows up to the next record is the tail of this one
                at = limit
            else:
                self._rest = buffer[opened:]
                return records

    def cut(self) -> None:
        """The link was cut: forget the record that was half read."""
        self._rest = self._outside = b""
        self._told = False

    def _skip(self, text: bytes, records: list[ShakePacket | Malformed]) -> None:
        if self._told:
            return
        text = text if self._outside else text.lstrip()
        self._outside += text[: TEXT_BYTES - len(self._outside)]
        if len(self._outside) == TEXT_BYTES:
            records.append(malformed("outside", self._outside))
            self._told = True

    def _end_run(self, records: list[ShakePacket | Malformed]) -> None:
        if self._outside and not self._told:
            records.append(malformed("outside", self._outside.rstrip()))
        self._outside = b""
        self._told = False


def _read_usual(buffer: bytes, at: int, records: list[ShakePacket | Malformed]) -> int:
    """Read records as a Shake writes them, one right after the other; returns where they end.

    All others are left to the liberal way, which says what is wrong with them.
    """
    last, utc_ns = b"", 0
    while head := _USUAL(buffer, at):
        begin = head.end()
        end = buffer.find(b"}", begin, at + MAX_RECORD_BYTES)
        channel, time, seconds, decimals = head.groups()
        if time != last:  # a station's channels have the same time
            last, utc_ns = time, int(seconds) * _NS_PER_S + int(decimals) * 1_000_000
        if end < 0 or utc_ns > MAX_UTC_NS:
            break
        try:
            counts = _counts(b"[%b]" % buffer[begin:end])
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
        if not 1 <= len(counts) <= MAX_COUNTS:
            break
        records.append(ShakePacket(channel.decode("ascii"), utc_ns, counts))
        at = end + 1
    return at


def parse_record(record: bytes) -> ShakePacket | Malformed:
    """One record with its braces. The time is read as decimal text, without rounding."""
    head = _HEAD.match(record)
    if head is None:
        return malformed("head", record)
    _, channel, seconds, decimals = head.groups()
    utc_ns = int(seconds) * _NS_PER_S + (int(decimals.ljust(9, b"0")) if decimals else 0)
    if utc_ns > MAX_UTC_NS:
        return malformed("time", record)
    body = b"[%b]" % record[head.end() : -1]
    try:
        counts = _counts(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return malformed("range" if _all_whole(body) else "counts", record)
    if not 1 <= len(counts) <= MAX_COUNTS:
        return malformed("length", record)
    return ShakePacket(channel.decode("ascii"), utc_ns, counts)


def _all_whole(body: bytes) -> bool:
    try:
        _whole_numbers(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def encode(packet: ShakePacket) -> bytes:
    """The packet as a Shake sends it: three decimals, or as many more as its time needs."""
    seconds, ns = divmod(packet.start_utc_ns, _NS_PER_S)
    places = 3 if ns % 1_000_000 == 0 else 6 if ns % 1_000 == 0 else 9
    decimals = f"{ns:09d}"[:places]
    numbers = str(list(packet.counts))[1:-1]
    return f"{{'{packet.channel}', {seconds}.{decimals}, {numbers}}}".encode("ascii")


def split(data: bytes) -> list[bytes]:
    """Cut a stream of records into datagrams: each begins at a brace, nothing is lost."""
    return re.findall(rb"\{[^{]*|[^{]+", data)


def capture_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A capture, one datagram a line, as (UTC ns at which the packet was full, datagram).

    A line that is no packet comes at the time of the one before it.
    """
    period_ns = _sample_period_ns(data[:CAPTURE_HEAD_BYTES])
    full_utc_ns = 0
    for line in data.splitlines():
        text = line.strip()
        if not text or text == CAPTURE_END:
            continue
        packet = parse_record(text)
        if isinstance(packet, ShakePacket):
            end_utc_ns = packet.start_utc_ns + round(len(packet.counts) * period_ns)
            full_utc_ns = max(full_utc_ns, end_utc_ns)
        yield full_utc_ns, text


def _sample_period_ns(head: bytes) -> float:
    """From the two closest packets of one channel; 10 ms, the usual, where there are none."""
    last: dict[str, ShakePacket] = {}
    periods = []
    for line in head.splitlines():
        packet = parse_record(line.strip())
        if not isinstance(packet, ShakePacket):
            continue
        before = last.get(packet.channel)
        last[packet.channel] = packet
        if before and packet.start_utc_ns > before.start_utc_ns:
            spacing_ns = packet.start_utc_ns - before.start_utc_ns
            periods.append(spacing_ns / len(before.counts))
    return min(periods, default=10_000_000.0)
