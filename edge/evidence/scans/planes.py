"""A scan's counts as files: a small one for the message, the whole one for the station.

The small one has both planes with as many pixels put together as needed, and what stands out of
the load in full. Each page's description is a JSON object that says what it shows.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from edge.evidence.document import MAX_BYTES
from edge.evidence.scans.tiff import Grey, Packed, Page, packed, tiff
from edge.protocol.contract import SOFTWARE
from fusion.kernels.xray_sheet import binned_counts
from fusion.scan_record import ScanPixels, ScanRecord

CROPS_BYTES = 420_000
"""Of what stands out, pixel by pixel: some 1.6 m square at 5 mm in two planes."""
MARGIN_M = 0.15  # around it: what it stands out from
MAX_CROPS = 5
PAGE_BYTES = 1_500  # the directory and the description of a page at most
PACKS_TO = 0.9  # of its bytes a crop takes, at most; counts are noise in their lower bits
LIKELY = 0.75  # the same of a plane that is binned; where that was too little, it is packed again
NOTHING: Mapping[str, object] = MappingProxyType({})
MAX_CROP_BINNING = 4  # from here on the page of the whole plane is hardly worse


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some of a plane, as it is told."""

    plane: str
    content: str
    """`"whole"` or `"region"`."""
    binning: int
    first_column: int
    first_row: int
    counts: Grey


def whole_name(pixels: ScanPixels) -> str:
    """What the whole planes are called at the station: the SHA-256 of their counts.

    Little-endian, row by row, the high plane and then the low one: not of a file, which another
    version of a library packs otherwise.
    """
    return name_of(planes_of(pixels))


def name_of(planes: Sequence[tuple[str, Grey]]) -> str:
    """The same of planes in this order."""
    digest = hashlib.sha256()
    for _, counts in planes:
        digest.update(np.ascontiguousarray(counts, counts.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def whole_file(record: ScanRecord, pixels: ScanPixels, name: str) -> bytes:
    """Everything, pixel by pixel."""
    pages = [
        _packed(record, _whole(plane, counts, 1), name, _measured(record, pixels, plane))
        for plane, counts in planes_of(pixels)
    ]
    return tiff(pages, SOFTWARE)


def message_file(
    record: ScanRecord, pixels: ScanPixels, name: str, regions: Sequence[tuple[float, ...]]
) -> bytes:
    """As much as a message carries, `MAX_BYTES` at most.

    name     of the whole file
    regions  (from, to, bottom, top) in metres of what stands out, the strongest first
    """
    planes = list(planes_of(pixels))
    whole = sum(counts.nbytes for _, counts in planes)
    crops: list[Packed] = []
    if whole * LIKELY > MAX_BYTES:
        crops = _crops(record, planes, name, regions)
    room = MAX_BYTES - sum(crop.size + PAGE_BYTES for crop in crops)
    factor = 1
    while whole * LIKELY > (room - 2 * PAGE_BYTES) * factor**2:
        factor += 1
    while True:
        pages: list[Packed] = []
        for plane, counts in planes:
            pages.append(_packed(record, _whole(plane, counts, factor), name))
            if pages[0].size * whole > room * planes[0][1].nbytes:
                break  # the others pack alike
        else:
            data = tiff([*pages, *crops], SOFTWARE)
            if len(data) <= MAX_BYTES:
                return data
        factor += 1


def planes_of(pixels: ScanPixels) -> list[tuple[str, Grey]]:
    """Name and counts of what there is."""
    named: list[tuple[str, Grey | None]] = [
        ("high", pixels.high),
        ("low", pixels.low),
        ("composite", pixels.composite),
    ]
    return [(name, counts) for name, counts in named if counts is not None]


def _whole(plane: str, counts: Grey, factor: int) -> _Part:
    return _Part(
        plane=plane,
        content="whole",
        binning=factor,
        first_column=0,
        first_row=0,
        counts=counts if factor == 1 else _binned(counts, factor),
    )


def _binned(counts: Grey, factor: int) -> Grey:
    """Means over squares of pixels."""
    means = binned_counts(counts.astype(np.uint16, copy=False), factor)
    return means.astype(np.uint8) if counts.itemsize == 1 else means


def _crops(
    record: ScanRecord,
    planes: Sequence[tuple[str, Grey]],
    name: str,
    regions: Sequence[tuple[float, ...]],
) -> list[Packed]:
    """Each region in every plane: in full while there is room, then binned as well."""
    crops: list[Packed] = []
    for region in regions[:MAX_CROPS]:
        rows, columns = _place(record, region)
        room = CROPS_BYTES - sum(crop.size + PAGE_BYTES for crop in crops)
        room -= len(planes) * PAGE_BYTES
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        due = area * PACKS_TO * sum(counts.itemsize for _, counts in planes)
        factor = next((each for each in range(1, MAX_CROP_BINNING) if due <= room * each**2), 0)
        if not area or not factor:
            continue
        for plane, counts in planes:
            crop: Grey = counts[rows, columns].copy()
            part = _Part(
                plane=plane,
                content="region",
                binning=factor,
                first_column=columns.start,
                first_row=rows.start,
                counts=crop if factor == 1 else _binned(crop, factor),
            )
            crops.append(_packed(record, part, name))
    return crops


def _place(record: ScanRecord, region: tuple[float, ...]) -> tuple[slice, slice]:
    """Rows and columns of a region with what is around it."""
    from_m, to_m, bottom_m, top_m = region

    def span(first: float, last: float, end: int) -> slice:
        begin = min(max(int(first), 0), end)
        return slice(begin, min(max(int(last) + 1, begin), end))

    to_columns, to_rows = 1000.0 / record.pitch_x_mm, 1000.0 / record.pitch_y_mm
    columns = span(
        record.front_column + (from_m - MARGIN_M) * to_columns,
        record.front_column + (to_m + MARGIN_M) * to_columns,
        record.columns,
    )
    rows = span(
        record.bottom_row - (top_m + MARGIN_M) * to_rows,
        record.bottom_row - (bottom_m - MARGIN_M) * to_rows,
        record.rows,
    )
    return rows, columns


def _measured(record: ScanRecord, pixels: ScanPixels, plane: str) -> dict[str, object]:
    """What turns the plane's counts into transmission, and that into matter."""
    known = pixels.references.get(plane)
    if known is None:
        return {}
    reference = {
        "air_counts": round(known.air_counts, 2),
        "dark": known.dark.round(2).tolist(),
        "gain": known.gain.round(5).tolist(),
        "pulse": known.pulse.round(5).tolist(),
    }
    return {"energies_mev": record.energies_mev, "reference": reference}


def _packed(
    record: ScanRecord, part: _Part, name: str, more: Mapping[str, object] = NOTHING
) -> Packed:
    pitch_mm = (record.pitch_x_mm * part.binning, record.pitch_y_mm * part.binning)
    rows, columns = part.counts.shape
    told = {
        "scan": record.scan_id,
        "sensor": record.sensor_id,
        "plane": part.plane,
        "content": part.content,
        "binning": part.binning,
        "first_column": part.first_column,
        "first_row": part.first_row,
        "rows": rows,
        "columns": columns,
        "pitch_x_mm": round(pitch_mm[0], 4),
        "pitch_y_mm": round(pitch_mm[1], 4),
        "front_column": record.front_column,
        "bottom_row": record.bottom_row,
        "partial": record.partial,
        "lost_columns": record.lost_columns[:20],
        "whole": {"name": f"{name}.tif", "rows": record.rows, "columns": record.columns},
    }
    description = json.dumps(
        told | dict(more), separators=(",", ":")
    )  # ASCII, whatever the scan's name is
    return packed(Page(counts=part.counts, description=description, pitch_mm=pitch_mm))
