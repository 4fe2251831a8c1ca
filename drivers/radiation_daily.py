"""Replay's way into the daily files of TSA portals."""

from collections.abc import Iterator

from drivers.base import SensorConfig
from drivers.wire import tsa, tsa_daily
from drivers.wire.malformed import Malformed


class TsaDailyFile:
    """Every form of `drivers.wire.tsa_daily`."""

    name = "tsa-daily"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether it begins with the ISO header, or half of its lines are of the table."""
        *lines, last = head[:4096].decode("latin-1").splitlines() or [""]
        lines = [line for line in lines or [last] if line.strip()]
        if lines and tsa_daily.is_header(lines[0]):
            return True
        read = [tsa.parse_line(tsa_daily.wire_part(line).encode("latin-1")) for line in lines]
        known = [record for record in read if not isinstance(record, Malformed | tsa.UnknownLine)]
        return bool(known) and 2 * len(known) >= len(lines)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """(received_utc_ns, wire line with its end) in order.

        The day is in the file's name; without one, and without ISO times, it is 1970-01-01.
        The arrival is the line's time: daily files are written when a line comes.
        """
        # Only a portal's configuration has the key; replay may be forced to read with another.
        offset_min = getattr(config, "utc_offset_min", 0)
        day = tsa_daily.day_of_name(file_name) or 0
        for line in tsa_daily.read_daily(data, day=day, utc_offset_min=offset_min):
            yield line.utc_ns, line.line + b"\r\n"
