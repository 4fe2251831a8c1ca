"""Scans at full depth for the page: what they are, and their planes as plain words.

A browser cannot unpack Zstandard, so the planes are unpacked here, in a thread, and sent as they
are: 19 MB of a dual-energy scan of 1,200 x 4,000, some 0.1 s.
"""

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

NAME = re.compile(r"planes(-\d+)?\.tif")
WIDTH, LENGTH, BITS, DESCRIPTION = 256, 257, 258, 270
OFFSETS, ROWS_PER_STRIP, COUNTS = 273, 278, 279
MAX_PAGES = 64
MAX_PIXELS = 200_000_000
_SIZES = {3: 2, 4: 4, 2: 1}
_PLANE = re.compile("high|low|composite")


class NoScan(Exception):  # noqa: N818 - says what happened
    """There is no such scan, or none that can be read; the message says which."""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands out, in metres behind the vehicle's front and above its ground."""

    number: int
    kind: str
    """The test that found it, such as `xray.dense`."""
    from_m: float
    to_m: float
    bottom_m: float
    top_m: float
    nats: float
    areal_g_cm2: float | None = None
    material: str = ""


class ScanOf(msgspec.Struct, frozen=True, kw_only=True):
    """One scan of an alert."""

    sha256: str
    """What to ask for: the whole planes where they are kept, else the alert's own file."""
    whole: bool
    """Whether it is pixel by pixel."""
    sensor: str
    boxes: list[Box]


class Scans(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    scans: list[ScanOf]


class PlaneAbout(msgspec.Struct, frozen=True, kw_only=True):
    """One plane, and what turns its counts into transmission: (counts - dark) / (air x gain x
    pulse)."""

    plane: str
    rows: int
    columns: int
    air_counts: float | None = None
    """None: not known; the page says that it takes the brightest for air."""
    dark: list[float] = []
    """By row."""
    gain: list[float] = []
    """By row, 0: dead."""
    pulse: list[float] = []
    """By column, 0: lost or dark."""


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """Matter behind an attenuation, by material group (see `fusion.scans.beam`)."""

    groups: list[str]
    at: list[float]
    """Attenuation in the high plane."""
    areal_g_cm2: list[list[float]]
    """(groups, at)"""
    low: list[list[float]]
    """(groups, at) attenuation in the low plane by the same layer."""


class ScanAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan is."""

    scan: str
    sensor: str
    rows: int
    columns: int
    pitch_x_mm: float
    pitch_y_mm: float
    front_column: float
    """Metres along the vehicle count from here."""
    bottom_row: float
    """Metres above the ground count from here."""
    binning: int
    """Pixels of the detector that are put together in one."""
    partial: bool
    lost_columns: list[tuple[int, int]]
    planes: list[PlaneAbout]
    curves: Curves | None
    """None where the energies are not known, or there is one plane alone."""


@dataclass(frozen=True, slots=True)
class _Page:
    told: dict[str, Any]
    rows: int
    columns: int
    bits: int
    strips: list[tuple[int, int]]
    strip_rows: int


class Pictures:
    """The scans below `folder`, and those in alerts' own files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path | None:
        """Where a scan's whole planes are kept, if they are."""
        for name in ("kept", "recent"):
            path = self._folder / name / f"{digest}.tif"
            if path.is_file():
                return path
        return None

    def of(self, payload: bytes, file: Callable[[str], bytes]) -> Scans:
        """The scans of an alert. `file`: the bytes of a file of evidence by its digest."""
        alert = msgspec.json.decode(payload)
        found = []
        for one in alert.get("evidence", ()):
            if not NAME.fullmatch(one["name"]):
                continue
            pages = pages_of(file(one["sha256"]))
            if not pages:
                continue
            told = pages[0].told
            kept = str(told.get("whole", {}).get("name", "")).removesuffix(".tif")
            whole = re.fullmatch("[0-9a-f]{64}", kept) is not None and self.path(kept) is not None
            sensor = str(told.get("sensor", ""))
            found.append(
                ScanOf(
                    sha256=kept if whole else one["sha256"],
                    whole=whole or told.get("binning") == 1,
                    sensor=sensor,
                    boxes=_boxes(alert.get("contributions", ()), sensor),
                )
            )
        return Scans(scans=found)

    def about(self, digest: str, file: bytes) -> ScanAbout:
        """What a scan is. `file`: of evidence, where it is no scan that is kept. NoScan."""
        pages = _whole_pages(self._data(digest, file))
        first = pages[0].told
        planes = [_plane_about(page) for page in pages]
        binning = int(first.get("binning", 1))
        energies = first.get("energies_mev")
        both = {one.plane for one in planes} >= {"high", "low"} and planes[0].air_counts
        return ScanAbout(
            scan=str(first.get("scan", "")),
            sensor=str(first.get("sensor", "")),
            rows=pages[0].rows,
            columns=pages[0].columns,
            pitch_x_mm=float(first.get("pitch_x_mm", 1.0)),
            pitch_y_mm=float(first.get("pitch_y_mm", 1.0)),
            front_column=float(first.get("front_column", 0)) / binning,
            bottom_row=float(first.get("bottom_row", pages[0].rows)) / binning,
            binning=binning,
            partial=bool(first.get("partial", False)),
            lost_columns=[(int(a), int(b)) for a, b in first.get("lost_columns", ())],
            planes=planes,
            curves=_curves((energies[0], energies[1])) if both and energies else None,
        )

    def plane(self, digest: str, file: bytes, plane: str) -> bytes:
        """Its counts, row by row. NoScan."""
        data = self._data(digest, file)
        for page in _whole_pages(data):
            if page.told.get("plane") == plane and _PLANE.fullmatch(plane):
                return counts_of(data, page)
        raise NoScan(f"the scan has no plane {plane[:20]!r}")

    def _data(self, digest: str, file: bytes) -> bytes:
        path = self.path(digest)
        return file if path is None else path.read_bytes()


def _whole_pages(data: bytes) -> list[_Page]:
    pages = [one for one in pages_of(data) if _is_whole(one.told)]
    if not pages:
        raise NoScan("there is no such scan, or it is not kept any more")
    return pages


def pages_of(data: bytes) -> list[_Page]:
    """The pages of a TIFF that Garita wrote; none where it is none."""
    found: list[_Page] = []
    try:
        if data[:4] != b"II*\0":
            return []
        (at,) = struct.unpack_from("<I", data, 4)
        while at and len(found) < MAX_PAGES:
            tags, at = _tags(data, at)
            rows, columns, bits = tags[LENGTH][0], tags[WIDTH][0], tags[BITS][0]
            if rows * columns > MAX_PIXELS or bits not in (8, 16):
                return []
            told = json.loads(bytes(tags[DESCRIPTION]).rstrip(b"\0"))
            strips = list(zip(tags[OFFSETS], tags[COUNTS], strict=True))
            found.append(_Page(told, rows, columns, bits, strips, tags[ROWS_PER_STRIP][0]))
    except (struct.error, KeyError, ValueError, IndexError, TypeError):
        return []
    return found


def counts_of(data: bytes, page: _Page) -> bytes:
    """A page's counts as 16-bit words, little-endian, row by row. NoScan where it is damaged."""
    import numpy as np  # noqa: PLC0415 - 0.1 s for those who look at scans
    import zstandard  # noqa: PLC0415

    kind = np.dtype("<u2" if page.bits == 16 else "u1")
    counts = np.empty((page.rows, page.columns), kind)
    unpacked = zstandard.ZstdDecompressor()
    try:
        for number, (offset, size) in enumerate(page.strips):
            rows = counts[number * page.strip_rows : (number + 1) * page.strip_rows]
            raw = unpacked.decompress(data[offset : offset + size], max_output_size=rows.nbytes)
            rows[:] = np.frombuffer(raw, kind).reshape(rows.shape)
    except (zstandard.ZstdError, ValueError) as error:
        raise NoScan(f"the scan is damaged ({error})") from error
    # Rows were written as differences (TIFF 6.0, 14); sums wrap around as the differences did.
    np.cumsum(counts, axis=1, dtype=kind, out=counts)
    return counts.astype("<u2", copy=False).tobytes()


def _tags(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    (number,) = struct.unpack_from("<H", data, at)
    tags: dict[int, Any] = {}
    for entry in range(number):
        place = at + 2 + 12 * entry
        tag, kind, count = struct.unpack_from("<HHI", data, place)
        size = _SIZES.get(kind)
        if size is None:
            continue
        if size * count > 4:
            (place,) = struct.unpack_from("<I", data, place + 8)
        else:
            place += 8
        if kind == 2:
            tags[tag] = data[place : place + count]
        else:
            tags[tag] = struct.unpack_from(f"<{count}{'H' if kind == 3 else 'I'}", data, place)
    (following,) = struct.unpack_from("<I", data, at + 2 + 12 * number)
    return tags, following


def _is_whole(told: dict[str, Any]) -> bool:
    return bool(told.get("content", "whole") == "whole")


def _plane_about(page: _Page) -> PlaneAbout:
    name = str(page.told.get("plane", ""))
    known = page.told.get("reference")
    if not known:
        return PlaneAbout(plane=name, rows=page.rows, columns=page.columns)
    return PlaneAbout(
        plane=name,
        rows=page.rows,
        columns=page.columns,
        air_counts=known["air_counts"],
        dark=known["dark"],
        gain=known["gain"],
        pulse=known["pulse"],
    )


def _curves(energies_mev: tuple[float, float]) -> Curves:
    from fusion.scans.beam import GROUPS, beam_of  # noqa: PLC0415 - NumPy, as above

    beam = beam_of(energies_mev)
    return Curves(
        groups=list(GROUPS),
        at=beam.at.tolist(),
        areal_g_cm2=beam.areal_g_cm2.tolist(),
        low=beam.low.tolist(),
    )


def _boxes(contributions: list[dict[str, Any]], sensor: str) -> list[Box]:
    """What stands out, the strongest first, a place once."""
    found: dict[tuple[float, ...], Box] = {}
    strongest = sorted(contributions, key=lambda one: -abs(float(one.get("nats", 0.0))))
    for one in strongest:
        facts = one.get("facts", {})
        names = ("from_m", "to_m", "bottom_m", "top_m")
        if one.get("source") != sensor or not all(
            isinstance(facts.get(name), int | float) for name in names
        ):
            continue
        place = tuple(float(facts[name]) for name in names)
        areal = facts.get("excess_g_cm2")
        found.setdefault(
            place,
            Box(
                number=len(found) + 1,
                kind=str(one.get("kind", "")),
                from_m=place[0],
                to_m=place[1],
                bottom_m=place[2],
                top_m=place[3],
                nats=float(one.get("nats", 0.0)),
                areal_g_cm2=float(areal) if isinstance(areal, int | float) else None,
                material=str(facts.get("material", "")),
            ),
        )
    return list(found.values())
