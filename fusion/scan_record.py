"""What one scan showed: what evidence files are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One scan, or as much of one as has come."""

    sensor_id: str
    scan_id: str
    start_utc_ns: int
    """Of the first line."""
    end_utc_ns: int
    final: bool
    """Every line has come, or no more will."""
    high: NDArray[np.uint16] | None
    """(rows, columns) raw counts; column 0 is the vehicle's front."""
    low: NDArray[np.uint16] | None
    composite: NDArray[np.uint8] | None
    """(rows, columns) 8-bit picture, where there are no planes."""
    pitch_x_mm: float
    pitch_y_mm: float
    front_column: int
    """Of the vehicle in the picture: positions along it count from here."""
    cell_px: int
    """Side of a cell of `transmission` and `groups`."""
    transmission: NDArray[np.float32]
    """(cells down, cells along) of the high plane, 0 to 1, air is 1."""
    groups: NDArray[np.uint8]
    """(cells down, cells along) material group: 0 not told, 1 organic, 2 light metal, 3 steel,
    4 dense or unresolved, 5 opaque."""
    facts: Mapping[str, object]
    """Of the `xray.scan` detection."""
