"""Recorded line streams: the bytes of the link, as a capture keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.base import SensorConfig
from drivers.wire.malformed import Malformed
from drivers.wire.xray_lines import MAGIC, LineDecoder
from fusion.types import SECOND_NS

PIECE_BYTES = 64 * 1024  # as a transport reads them
LONGEST_S = 60.0  # no `scan_timeout_s` is longer: what has broken off is told then


@dataclass(frozen=True, slots=True)
class LineFile:
    """A file of line frames (`.gxl`)."""

    name: str = "xray-line-stream"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """By its magic; the name may be any."""
        del file_name
        return head.startswith(MAGIC)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Pieces, each arriving when the last line in it was taken; at the end the link is cut."""
        del file_name, config
        decoder, utc_ns = LineDecoder(), 0
        for at in range(0, len(data), PIECE_BYTES):
            piece = data[at : at + PIECE_BYTES]
            times = [one.t_ns for one in decoder.feed(piece) if not isinstance(one, Malformed)]
            utc_ns = max([utc_ns, *times])
            yield utc_ns, piece
        yield utc_ns, b""
        yield utc_ns + round(LONGEST_S * SECOND_NS), b""
