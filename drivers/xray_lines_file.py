"""Recorded line streams: the bytes of the link, as a capture keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.base import SensorConfig
from drivers.wire.malformed import Malformed
from drivers.wire.xray_lines import BARE_BYTES, MAGIC, LineDecoder
from fusion.types import SECOND_NS

PIECE_BYTES = 64 * 1024  # as a transport reads them
LONGEST_S = 60.0  # no `scan_timeout_s` is longer: what has broken off is told then
_BARE = MAGIC + (BARE_BYTES - 8).to_bytes(4, "little")  # how a frame without payload begins


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
        for piece in _pieces(data):
            times = [one.t_ns for one in decoder.feed(piece) if not isinstance(one, Malformed)]
            utc_ns = max([utc_ns, *times])
            yield utc_ns, piece
        yield utc_ns, b""
        yield utc_ns + round(LONGEST_S * SECOND_NS), b""


def _pieces(data: bytes) -> Iterator[bytes]:
    """As a transport reads them. An end or alive frame is one by itself: what comes behind it may
    be minutes later, and the lines before it have not waited for that."""
    at = 0
    while at < len(data):
        alone = data.find(_BARE, at, at + PIECE_BYTES + len(_BARE) - 1)
        stop = at + PIECE_BYTES if alone < 0 else max(alone, at + BARE_BYTES * (alone == at))
        yield data[at:stop]
        at = stop
