"""The pictures of one scan, decoded: planes, the pages of one file, or the 8-bit composite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire.image_header import ImageHeader, whole_pages
from drivers.wire.image_headers import read_pages
from drivers.wire.malformed import Malformed
from drivers.wire.pnm import read_pnm
from drivers.wire.raw_plane import RawLayout, is_raw, raw_size, read_raw
from drivers.wire.tiff_headers import read_tiff
from drivers.wire.tiff_pixels import is_ours, read_pixels
from drivers.xray_counts import Grey, Read, as_counts, as_display
from drivers.xray_files import Role

# A spoilt picture is our Malformed; OpenCV's own remarks on stderr would flood a log.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Page = Literal["high", "low", "material", "skip"]

# Grey stays grey and 16 bits stay 16; unlike with IMREAD_UNCHANGED it is turned as EXIF says.
AS_SHOWN = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
PAGES: tuple[Page, ...] = ("high", "low")


@dataclass(slots=True)
class Pictures:
    """What the files of a scan show."""

    planes: dict[Role, Grey] = field(default_factory=dict)
    """(rows, columns) by role: counts of 16 bits, or 8 bits of a composite, which a raw plane of
    8 bits is too."""
    notes: tuple[str, ...] = ()
    """What was made of the numbers in the files, as of `xray_counts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReader:
    """How the files of one scanner are read; every header is checked before anything is decoded."""

    layout: RawLayout | None = None
    """Of planes that have no format of their own; None: there are none."""
    pages: Sequence[str] = PAGES
    """What the pages of a `multipage` file are."""
    full_scale: float | None = None
    """As of `xray_counts.as_counts`."""

    def read(self, files: Mapping[Role, bytes]) -> Pictures | Malformed:
        """What the files show, by role."""
        wanted: list[tuple[Role, bytes, int]] = []  # and which page
        if "high" not in files and "multipage" in files:
            found = self._pages(files["multipage"])
            if isinstance(found, Malformed):
                return found
            wanted = [(role, files["multipage"], page) for role, page in found.items()]
        else:
            roles: tuple[Role, ...] = ("high", "low") if "high" in files else ("composite",)
            wanted = [(role, files[role], -1) for role in roles if role in files]
        shapes = [self._shape(*one) for one in wanted]
        for shape in shapes:
            if isinstance(shape, Malformed):
                return shape
            if shape != shapes[0]:
                return Malformed("dimension-mismatch", f"{shapes[0]} and {shape} rows, columns")
        return self._decoded(wanted)

    def _shape(self, role: Role, data: bytes, page: int) -> tuple[int, int] | Malformed:
        """(rows, columns) that a file promises and can hold, or the reason against it."""
        if self._is_raw(data):
            assert self.layout is not None
            raw = raw_size(data, self.layout)
            if isinstance(raw, str):
                return Malformed(raw, f"{len(data)} bytes; declared {self.layout.said}")
            return raw[1], raw[0]
        pages = read_pages(data)
        if isinstance(pages, Malformed):
            return pages
        header = pages[page if page >= 0 else whole_pages(pages)[0]]
        if (header.bits == 8) == (role == "composite"):
            return header.shape
        wanted = "a display picture has 8" if role == "composite" else "a plane has 16"
        return Malformed("unsupported", f"{header.said}: {wanted}")

    def _is_raw(self, data: bytes) -> bool:
        return is_raw(data, self.layout)

    def _pages(self, data: bytes) -> dict[Role, int] | Malformed:
        """Which pages of a file are its planes."""
        headers = read_pages(data)
        if isinstance(headers, Malformed):
            return headers
        # A preview is no plane, but where somebody has said what each page is.
        found = whole_pages(headers) if tuple(self.pages) == PAGES else range(len(headers))
        wanted: dict[Role, int] = {}
        for page, name in zip(found, self.pages, strict=False):
            if name in {"high", "low"}:
                wanted["high" if name == "high" else "low"] = page
        if "high" in wanted:
            return wanted
        return Malformed("missing-plane", f"{len(headers)} pages")

    def _decoded(self, wanted: Sequence[tuple[Role, bytes, int]]) -> Pictures | Malformed:
        read = Pictures()
        for role, data, page in wanted:
            one = self._raw(role, data) if self._is_raw(data) else self._picture(role, data, page)
            if isinstance(one, Malformed):
                return one
            if any(plane.shape != one.grey.shape for plane in read.planes.values()):
                return Malformed("dimension-mismatch", "once decoded")
            if any(plane.dtype != one.grey.dtype for plane in read.planes.values()):
                return Malformed("dimension-mismatch", "one plane of 8 bits and one of 16")
            read.planes[role] = one.grey
            read.notes += tuple(note for note in one.notes if note not in read.notes)
        high = read.planes.get("high")
        if high is not None and high.dtype == np.uint8:
            # Too coarse for mass and materials: behind a load, 1 of 255 is all that is left.
            return Pictures({"composite": high}, (*read.notes, "eight-bits"))
        return read

    def _raw(self, role: Role, data: bytes) -> Read | Malformed:
        assert self.layout is not None
        found = read_raw(data, self.layout)
        return found if isinstance(found, Malformed) else self._read(role, found)

    def _picture(self, role: Role, data: bytes, page: int) -> Read | Malformed:
        pages = read_pages(data)
        if isinstance(pages, Malformed):
            return pages
        page = page if page >= 0 else whole_pages(pages)[0]
        picture = _unpacked(data, pages, page)
        header = pages[page]
        if picture is None or picture.shape[:2] not in {header.shape, header.shape[::-1]}:
            return Malformed("truncated", f"{header.said}: its pixels cannot be unpacked")
        found = self._read(role, picture, white_is_zero=header.white_is_zero)
        if isinstance(found, Malformed):
            return Malformed(found.reason, f"{header.said}: {found.text}")
        return found

    def _read(
        self, role: Role, picture: NDArray[Any], *, white_is_zero: bool = False
    ) -> Read | Malformed:
        if role == "composite" or picture.dtype == np.uint8:
            return as_display(picture)
        found = as_counts(picture, white_is_zero=white_is_zero, full_scale=self.full_scale)
        return Malformed("unsupported", found) if isinstance(found, str) else found


def _unpacked(data: bytes, pages: Sequence[ImageHeader], page: int) -> NDArray[Any] | None:
    """One page's pixels; None where the codec gives up."""
    if pages[page].form == "pnm":
        return read_pnm(data)
    if pages[page].form == "tiff":
        found = read_tiff(data)
        if not isinstance(found, str) and is_ours(found[page]):
            return read_pixels(data, found[page])
    buffer = np.frombuffer(data, np.uint8)
    try:
        if page == 0:
            return cv2.imdecode(buffer, AS_SHOWN)
        done, read = cv2.imdecodemulti(buffer, AS_SHOWN, range=(page, page + 1))
    except cv2.error:
        return None
    return read[0] if done and len(read) == 1 else None
