"""Recorded datacast: a text file of datagrams."""

from collections.abc import Iterator

from drivers.base import SensorConfig
from drivers.wire.datacast import ShakePacket, capture_lines, parse_record


class DatacastCapture:
    """A text file of datagrams, one a line, as rsudp keeps and replays them."""

    @property
    def name(self) -> str:
        """What `--kind` calls it."""
        return "datacast"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether the first line is a datacast record."""
        first = head.lstrip().split(b"\n", 1)[0].rstrip()
        return isinstance(parse_record(first), ShakePacket)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Each line at the end of its packet: a Shake sends a packet when it is full."""
        return capture_lines(data)
