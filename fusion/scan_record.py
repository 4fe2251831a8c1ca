"""What one scan showed: what evidence files are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSource:
    """The DICOS images that a scan was read from, for who is to find them again."""

    study: str
    """Study Instance UID."""
    images: tuple[tuple[str, str], ...]
    """(SOP Class UID, SOP Instance UID) of each, the high plane's first."""
    mirrored: bool = False
    """Their column 0 is the vehicle's rear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneReference:
    """What turns one plane's counts into transmission."""

    air_counts: float
    """Of a clear pixel, over the dark level."""
    dark: NDArray[np.float64]
    """(rows,) counts."""
    gain: NDArray[np.float64]
    """(rows,) over the median; 0 where the row is dead."""
    pulse: NDArray[np.float64]
    """(columns,) over the mean; 0 where the line was lost or the beam was off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPixels:
    """The pixels of a scan. Heavy: whoever makes files of them lets go of them after that."""

    high: NDArray[np.uint16] | None
    """(rows, columns) raw counts; column 0 is the vehicle's front."""
    low: NDArray[np.uint16] | None
    composite: NDArray[np.uint8] | None
    """(rows, columns) 8-bit picture, where there are no planes."""
    air_counts: float
    """Of a clear pixel of the high plane, over the dark level."""
    dark: NDArray[np.float64]
    """(rows,) counts of the high plane."""
    gain: NDArray[np.float64]
    """(rows,) over the median; 0 where the row is dead."""
    pulse: NDArray[np.float64]
    """(columns,) over the mean; 0 where the line was lost or the beam was off."""
    cell_px: int
    """Side of a cell of `groups`."""
    groups: NDArray[np.uint8]
    """(cells down, cells along) material group: 0 not told, 1 organic, 2 light metal, 3 steel,
    4 dense or unresolved, 5 opaque."""
    references: Mapping[str, PlaneReference] = field(default_factory=dict)
    """Of each plane that has one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        plane = self.high if self.high is not None else self.composite
        return (0, 0) if plane is None else (plane.shape[0], plane.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One scan that is over: while its lines come there are findings, and no record yet."""

    sensor_id: str
    scan_id: str
    start_utc_ns: int
    """Of the first line."""
    end_utc_ns: int
    partial: bool
    """The scan broke off: this is as much of it as came."""
    rows: int
    """Of the whole picture in pixels."""
    columns: int
    pitch_x_mm: float
    pitch_y_mm: float
    front_column: int
    """Of the vehicle in the picture: positions along it count from here."""
    bottom_row: int
    """Heights count up from the upper edge of this row."""
    lost_columns: tuple[tuple[int, int], ...]
    """(first, one beyond the last) of lines that never came."""
    planes: tuple[str, ...]
    """What there is of `"high"`, `"low"`, `"composite"`."""
    energies_mev: tuple[float, float] | None = None
    """End energies of the high and the low plane."""
    source: ScanSource | None = None
    """Of which images this is the scan."""
    pixels: ScanPixels | None = field(default=None, compare=False, repr=False)
    """None once the sheet and the file have been made of them."""
    sheet: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    """(rows, columns) the picture to be shown; its values are colours of `edge.evidence.scans`."""
    tiff: bytes = field(default=b"", compare=False, repr=False)
    """The planes as a file that a message can carry."""
    whole: str = ""
    """What the whole planes are called where they are kept."""
    facts: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """Of the `xray.scan` detection."""
