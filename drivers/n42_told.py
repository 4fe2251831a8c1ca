"""How far the samples of one portal's documents are, whichever way these were read.

It keeps who stands in the beam, and samples in the order that an engine can take.
"""

import re

from drivers.n42_energies import Energies
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    OccupancySample,
    Origin,
    Sample,
    SpeedSample,
)

CONTINUED = "Garita: continued in the next document"
"""A remark: the record does not end with this document, nor does an occupancy in it."""
GAP_NS = 2 * SECOND_NS  # an occupancy that is not told of for longer has ended unseen
BACK_NS = 5 * SECOND_NS  # overlapping documents repeat a second or two; a clock set back, more
LONGEST_S = 1e8  # three years: nothing is measured for longer
FASTEST_M_S = 100.0
ROLES = {"Foreground": "item", "Background": "background"}
_COUNTER = re.compile(r"occupancy number\s*[=:]\s*(\d{1,9})", re.IGNORECASE)

Found = list[Sample | Malformed]


class Told:
    """What one portal has told so far.

    closes  an occupancy ends with its document: one file an occupancy
    """

    def __init__(self, sensor_id: str, origin: Origin, *, closes: bool) -> None:
        self.sensor_id = sensor_id
        self.origin = origin
        self.energies = Energies()
        self.counter: int | None = None
        """Of occupancies, as the document that is read has it."""
        self.last_ns = 0
        """Start of the latest sample."""
        self.end_ns = 0
        """Where the last item ended."""
        self._closes = closes
        self._occupied = False
        self._speed_m_s = 0.0

    def forward(self, start_ns: int) -> int:
        """The start for the next sample: not before any that was told."""
        self.last_ns = max(self.last_ns, start_ns)
        return self.last_ns

    def ended(self, end_ns: int) -> None:
        """An item ended there."""
        self.end_ns = max(self.end_ns, end_ns)

    def close(self, remarks: tuple[str, ...], found: Found) -> None:
        """The document with these remarks ends."""
        if self._occupied and self._closes and CONTINUED not in remarks:
            self._occupancy(False, self.end_ns, found)

    def vehicle(
        self, start_ns: int, occupied: bool | None, speed_m_s: float | None, found: Found
    ) -> None:
        """What an item that begins now says of who stands in the beam."""
        if self._occupied and start_ns - self.end_ns > GAP_NS:
            self._occupancy(False, self.end_ns, found)
        if occupied is not None and occupied != self._occupied:
            self._occupancy(occupied, start_ns, found)
        if speed_m_s is not None and 0 < speed_m_s < FASTEST_M_S and speed_m_s != self._speed_m_s:
            self._speed_m_s = speed_m_s
            found.append(
                SpeedSample(
                    sensor_id=self.sensor_id,
                    origin=self.origin,
                    start_utc_ns=self.forward(start_ns),
                    speed_m_s=speed_m_s,
                )
            )

    def _occupancy(self, opened: bool, at_ns: int, found: Found) -> None:
        self._occupied = opened
        self._speed_m_s = 0.0
        found.append(
            OccupancySample(
                sensor_id=self.sensor_id,
                origin=self.origin,
                start_utc_ns=self.forward(at_ns),
                opened=opened,
                counter=self.counter,
            )
        )


def counter_of(remarks: tuple[str, ...]) -> int | None:
    """The occupancy's number, where a remark has it."""
    for remark in remarks:
        if match := _COUNTER.search(remark):
            return int(match[1])
    return None


def bounded(value: float, most: float) -> float:
    """0 to `most`; 0 for what is no number. Documents say anything."""
    return min(max(value, 0.0), most) if value == value else 0.0  # noqa: PLR0124 - NaN


def nanoseconds(seconds: float) -> int:
    """Of a duration, bounded."""
    return round(bounded(seconds, LONGEST_S) * SECOND_NS)


def milliseconds(seconds: float) -> int:
    """Of a duration, bounded; at least 1."""
    return max(round(nanoseconds(seconds) / MILLISECOND_NS), 1)
