"""Recorded miniSEED files of any make: which stations are in them, and their records in order.

A file is gone through once for the heads of its records, then each record is read when its
turn comes: what is kept is 20 bytes a record, and one record of each channel.
"""

import heapq
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

import numpy as np

from drivers.base import SensorConfig
from drivers.seismic_miniseed import FROM_FILE, is_velocity, pieces, plain_rate, scale_up_to
from drivers.wire.malformed import Malformed
from drivers.wire.miniseed import (
    LONGEST_IN_FILES_BYTES,
    MiniSeedDecoder,
    MiniSeedRecord,
    begins_like_one,
    encode,
    frame,
)

READ_BYTES = 2**20
SLOWEST_HZ = 10.0  # below are states of health and tides; footsteps and local shocks are above
Source = tuple[str, str, str, str]
"""Network, station, location, channel."""


@dataclass(slots=True)
class _Index:
    """Where the records of one channel are."""

    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    starts_utc_ns: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    samples: int = 0
    rate_hz: float = 0.0
    end_utc_ns: int = 0
    top: float = 0.0
    """Largest value of floats; 0: integers."""
    whole: bool = True

    def add(self, record: MiniSeedRecord) -> None:
        self.offsets.append(record.offset)
        self.starts_utc_ns.append(record.start_utc_ns)
        self.sizes.append(record.size)
        self.samples += record.count
        self.rate_hz = self.rate_hz or plain_rate(record.rate_hz)
        end_utc_ns = record.start_utc_ns + round(record.count * 1e9 / record.rate_hz)
        self.end_utc_ns = max(self.end_utc_ns, end_utc_ns)
        if len(record.values):
            finite = record.values[np.isfinite(record.values)]
            self.top = max(self.top, float(np.abs(finite).max(initial=0.0)))
            self.whole = self.whole and bool(np.array_equal(finite, np.rint(finite)))

    def in_order(self) -> Iterator[tuple[int, int]]:
        """(offset, size) of each record, by its start; as they stand where that is the same."""
        starts = np.frombuffer(self.starts_utc_ns, np.int64)
        if np.all(starts[1:] >= starts[:-1]):
            yield from zip(self.offsets, self.sizes, strict=True)
            return
        for place in np.argsort(starts, kind="stable").tolist():
            yield self.offsets[place], self.sizes[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFile:
    """What one file holds of one sensor."""

    sensor_id: str
    settings: Mapping[str, object]
    """Keys for its configuration, where none is given."""
    unused: tuple[str, ...]
    """Channels of the station that do not measure ground velocity, or do so slower."""
    start_utc_ns: int
    end_utc_ns: int
    channels: Mapping[Source, _Index]

    def chunks(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """(received_utc_ns, record) of half a second at most, all channels in order of time."""
        streams = [
            _pieces(stream, number, source, index)
            for number, (source, index) in enumerate(self.channels.items())
        ]
        for end_utc_ns, _, record in heapq.merge(*streams, key=lambda piece: piece[:2]):
            yield end_utc_ns, record


class MiniSeedFiles:
    """miniSEED 2 and 3, and the data records of full SEED volumes."""

    @property
    def name(self) -> str:
        """What `--kind` calls it."""
        return "miniseed"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether it begins with the head of a record."""
        return begins_like_one(head)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """All records as they stand, at the end of what is in them."""
        decoder = MiniSeedDecoder(heads_only=True, longest_bytes=LONGEST_IN_FILES_BYTES)
        for record in decoder.feed(data) + decoder.end():
            if isinstance(record, MiniSeedRecord):
                end_utc_ns = record.start_utc_ns + round(record.count * 1e9 / record.rate_hz)
                bare = data[record.offset : record.offset + record.size]
                yield end_utc_ns, frame(FROM_FILE, "", "", bare)

    def stations(self, stream: BinaryIO, file_name: str) -> list[StationFile]:
        """The sensors whose records are in the file, by id; none where there is no channel that
        is fast enough.

        A station with instruments in several places (location codes) is as many sensors.
        """
        found = _indexed(stream)
        used = _used(found)
        places: dict[tuple[str, str], set[str]] = {}
        for network, station, location, _ in used:
            places.setdefault((network, station), set()).add(location)
        sensors: dict[tuple[str, str, str], list[Source]] = {}
        for source in sorted(used):
            sensors.setdefault(source[:3], []).append(source)
        return [
            _station(
                found,
                sources,
                _sensor_id(place, file_name, several=len(places[place[:2]]) > 1),
            )
            for place, sources in sensors.items()
        ]


def _indexed(stream: BinaryIO) -> dict[Source, _Index]:
    decoder = MiniSeedDecoder(heads_only=True, longest_bytes=LONGEST_IN_FILES_BYTES)
    found: dict[Source, _Index] = {}
    while True:
        data = stream.read(READ_BYTES)
        for record in decoder.feed(data) if data else decoder.end():
            if not isinstance(record, Malformed):
                source = (record.network, record.station, record.location, record.channel)
                found.setdefault(source, _Index()).add(record)
        if not data:
            return found


def _used(found: Mapping[Source, _Index]) -> set[Source]:
    """Channels of ground velocity, of each axis the fastest; of a station that has none its
    accelerometers, and of a file that has neither whatever is in it."""
    fast = [source for source, index in found.items() if index.rate_hz >= SLOWEST_HZ]
    velocity = [source for source in fast if is_velocity(source[3])]
    known = {source[:2] for source in velocity}
    other = [source for source in fast if source[:2] not in known]
    chosen = velocity + [source for source in other if source[3][1:2] == "N"]
    best: dict[tuple[str, str, str, str], Source] = {}
    for source in sorted(chosen or fast):
        axis = (*source[:3], source[3][-1:])
        before = best.setdefault(axis, source)
        if found[source].rate_hz > found[before].rate_hz:
            best[axis] = source
    return set(best.values())


def _station(found: Mapping[Source, _Index], sources: list[Source], sensor_id: str) -> StationFile:
    channels = {source: found[source] for source in sources}
    settings: dict[str, object] = {}
    if odd := tuple(source[3] for source in sources if not is_velocity(source[3])):
        settings["velocity_channels"] = odd
    if top := max(index.top for index in channels.values()):
        whole = all(index.whole for index in channels.values())
        scale = scale_up_to(top)
        settings["counts_per_unit"] = 1.0 if whole and scale >= 1.0 else scale
    place = sources[0][:3]
    unused = sorted(one[3] for one in found if one[:3] == place and one not in channels)
    return StationFile(
        sensor_id=sensor_id,
        settings=settings,
        unused=tuple(unused),
        start_utc_ns=min(min(index.starts_utc_ns) for index in channels.values()),
        end_utc_ns=max(index.end_utc_ns for index in channels.values()),
        channels=channels,
    )


def _sensor_id(place: tuple[str, str, str], file_name: str, *, several: bool) -> str:
    """Such as `am-r24fa`, with the location where there are several; from the file's name where
    the records name no station."""
    network, station, location = place
    if not station.strip():
        return PurePath(file_name).stem
    return "-".join(part for part in (network, station, location if several else "") if part)


def _pieces(
    stream: BinaryIO, number: int, source: Source, index: _Index
) -> Iterator[tuple[int, int, bytes]]:
    """(end, number of the channel, record) of a channel's records, cut into short ones."""
    latest_utc_ns = 0
    for offset, size in index.in_order():
        stream.seek(offset)
        decoder = MiniSeedDecoder(longest_bytes=LONGEST_IN_FILES_BYTES)
        data = stream.read(size)
        for record in decoder.feed(data) + decoder.end():
            if isinstance(record, Malformed):
                continue  # its head could be read, its samples can not: a gap
            rate_hz = plain_rate(record.rate_hz)
            for first, last, utc_ns in pieces(record.start_utc_ns, rate_hz, record.count):
                end_utc_ns = utc_ns + round((last - first) * 1e9 / rate_hz)
                # What overlaps goes back in time; the driver tells it, at the time it came.
                latest_utc_ns = max(latest_utc_ns, end_utc_ns)
                for short in encode(
                    source, utc_ns, rate_hz, record.values[first:last], record_bytes=65_536
                ):
                    yield latest_utc_ns, number, frame(FROM_FILE, "", "", short)
