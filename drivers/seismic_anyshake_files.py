"""Recorded AnyShake streams: the bytes of the serial line as they came."""

from collections.abc import Iterator

from drivers.base import SensorConfig
from drivers.seismic_anyshake_config import AnyShakeConfig
from drivers.wire.anyshake import OLD_SAMPLES, AnyShakePacket, layout_of
from drivers.wire.anyshake_stream import AnyShakeDecoder
from fusion.types import MILLISECOND_NS, SECOND_NS

START_UTC_NS = 946_684_800 * SECOND_NS
"""2000-01-01T00:00:00Z: where streams without UTC begin."""
USUAL_RATE_HZ = 100.0  # of version 1, where no rate is configured
RECOGNISED = 3  # frames in a row
PIECE_BYTES = 64  # less than the shortest frame, so that each comes at its own time


class AnyShakeCapture:
    """A file with the serial line's bytes, as `garita simulate --out` and terminals keep them."""

    name = "anyshake"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether it begins with frames of one version, or with the rest of a frame and those."""
        records = AnyShakeDecoder().feed(head)[: RECOGNISED + 1]
        if records and not isinstance(records[0], AnyShakePacket):
            del records[0]  # the terminal was attached while a frame was on the line
        versions = {getattr(record, "version", 0) for record in records[:RECOGNISED]}
        return len(records) >= RECOGNISED and len(versions) == 1 and 0 not in versions

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Piece after piece, each when the last frame in it was full, by that one's own time.

        Times since the device's start, and version 1, begin at `START_UTC_NS`.
        """
        settings = config if isinstance(config, AnyShakeConfig) else None
        decoder = AnyShakeDecoder(settings.version if settings else 0)
        dates = _Dates((settings.rate_hz if settings else None) or USUAL_RATE_HZ)
        for at in range(0, len(data), PIECE_BYTES):
            piece = data[at : at + PIECE_BYTES]
            for record in decoder.feed(piece):
                if isinstance(record, AnyShakePacket):
                    dates.hear(record)
            yield dates.utc_ns, piece


class _Dates:
    """When frames were full; never earlier than the one before."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._shift_ns: int | None = None
        self._counted_ns = START_UTC_NS
        self.utc_ns = START_UTC_NS

    def hear(self, packet: AnyShakePacket) -> None:
        rate_hz = layout_of(packet.config).rate_hz if packet.version == 3 else self._rate_hz
        count = int(packet.counts.shape[1]) if packet.version == 3 else OLD_SAMPLES
        duration_ns = round(count * SECOND_NS / rate_hz)
        time_ns = packet.time_ms * MILLISECOND_NS
        if packet.version == 1:
            time_ns = self._counted_ns
            self._counted_ns += duration_ns
        elif time_ns < START_UTC_NS:  # nothing is on for thirty years: it is since the start
            if self._shift_ns is None:
                self._shift_ns = START_UTC_NS - time_ns
            time_ns += self._shift_ns
        self.utc_ns = max(self.utc_ns, time_ns + duration_ns)
