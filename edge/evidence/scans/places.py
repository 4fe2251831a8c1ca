"""Where in its picture lies what a scan shows: metres along the vehicle made pixels."""

import math
from collections.abc import Mapping

from edge.evidence.scans.story import Region
from edge.evidence.telling import known
from fusion.scan_record import ScanRecord
from fusion.types import Fact

Box = tuple[int, int, int, int]
"""First column, first row, columns, rows."""


def box_of(record: ScanRecord, one: Region) -> Box:
    """Of what stands out."""
    along, up = 1000.0 / record.pitch_x_mm, 1000.0 / record.pitch_y_mm
    return _within(
        record,
        record.front_column + one.from_m * along,
        record.front_column + one.to_m * along,
        record.bottom_row - one.top_m * up,
        record.bottom_row - one.bottom_m * up,
    )


def load_of(record: ScanRecord, facts: Mapping[str, Fact]) -> Box:
    """The load's whole place, as far as the geometry tells it."""
    geometry = facts.get("geometry")
    told = geometry if isinstance(geometry, Mapping) else {}
    along, up = 1000.0 / record.pitch_x_mm, 1000.0 / record.pitch_y_mm

    def place(name: str, default: float, per_m: float, start: float) -> float:
        value = known(told, name)
        return default if value is None else start + per_m * value

    return _within(
        record,
        place("box_from_m", 0.0, along, record.front_column),
        place("box_to_m", record.columns, along, record.front_column),
        place("roof_m", 0.0, -up, record.bottom_row),
        place("deck_m", record.rows, -up, record.bottom_row),
    )


def _within(record: ScanRecord, left: float, right: float, top: float, bottom: float) -> Box:
    """The pixels that are touched, at least one."""
    if record.source is not None and record.source.mirrored:
        left, right = record.columns - right, record.columns - left
    column = min(max(math.floor(left), 0), record.columns - 1)
    row = min(max(math.floor(top), 0), record.rows - 1)
    columns = min(max(math.ceil(right), column + 1), record.columns) - column
    rows = min(max(math.ceil(bottom), row + 1), record.rows) - row
    return column, row, columns, rows
