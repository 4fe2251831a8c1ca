"""The pictures of one scan, decoded: planes, the pages of one file, or the 8-bit composite."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire.image_headers import ImageHeader, form_of, read_pages
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.raw_plane import RawLayout, raw_size, read_raw
from drivers.xray_files import Role

# A spoilt picture is our Malformed; OpenCV's own remarks on stderr would flood a log.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Picture = NDArray[Any]
"""(rows, columns) of 8 or 16 bits."""
Pictures = dict[Role, Picture]


def read_pictures(
    files: Mapping[Role, bytes], layout: RawLayout | None, pages: Sequence[str]
) -> Pictures | Malformed:
    """What the files show, by role; every header is checked before anything is decoded.

    layout  of planes that have no format of their own; None: there are none
    pages   what the pages of a `multipage` file are
    """
    if "high" not in files and "multipage" in files:
        return _of_pages(files["multipage"], pages)
    roles: tuple[Role, ...] = ("high", "low") if "high" in files else ("composite",)
    found = [(role, files[role]) for role in roles if role in files]
    sizes = set()
    for role, data in found:
        size = _size(data, role, layout)
        if isinstance(size, str):
            return malformed(size, _said(data))
        sizes.add(size)
    if len(sizes) > 1:
        return malformed("dimension-mismatch", _said(found[-1][1]))
    pictures: Pictures = {}
    for role, data in found:
        picture = _decoded(data) if _is_picture(data, layout) else _raw(data, layout)
        if picture is None or picture.shape not in sizes:
            reason = "truncated" if picture is None else "dimension-mismatch"
            return malformed(reason, _said(data))
        pictures[role] = picture
    return pictures


def _is_picture(data: bytes, layout: RawLayout | None) -> bool:
    return layout is None or bool(form_of(data))


def _size(data: bytes, role: Role, layout: RawLayout | None) -> tuple[int, int] | str:
    """(rows, columns) that a file promises and can hold, or the reason against it."""
    if layout is not None and not _is_picture(data, layout):
        raw = raw_size(data, layout)
        return raw if isinstance(raw, str) else (raw[1], raw[0])
    pages = read_pages(data)
    if isinstance(pages, Malformed):
        return pages.reason
    return (pages[0].height, pages[0].width) if _fits(pages[0], role) else "unsupported"


def _fits(header: ImageHeader, role: Role) -> bool:
    """Whether a picture can be what its name says."""
    return header.bits == 8 if role == "composite" else (header.bits, header.channels) == (16, 1)


def _said(data: bytes) -> bytes:
    """What a file says it is, for whoever is told that it is of no use."""
    pages = read_pages(data)
    if isinstance(pages, Malformed):
        return b""
    one = pages[0]
    several = f", {len(pages)} pages" if len(pages) > 1 else ""
    text = f"{one.width} x {one.height}, {one.bits} bits, {one.channels} a pixel{several}"
    return text.encode()


def _of_pages(data: bytes, order: Sequence[str]) -> Pictures | Malformed:
    """The planes of a file that holds all of them."""
    headers = read_pages(data)
    if isinstance(headers, Malformed):
        return headers
    wanted: dict[Role, int] = {}
    for page, name in enumerate(order[: len(headers)]):
        if name in {"high", "low"}:
            wanted["high" if name == "high" else "low"] = page
    used = [headers[page] for page in wanted.values()]
    sizes = {(header.height, header.width) for header in used}
    reason = "" if all(_fits(header, "high") for header in used) else "unsupported"
    if "high" not in wanted or len(sizes) > 1:
        reason = "dimension-mismatch" if "high" in wanted else "missing-plane"
    if reason:
        return malformed(reason, _said(data))
    decoded = _decoded_pages(data, max(wanted.values()) + 1)
    pictures: Pictures = {role: decoded[page] for role, page in wanted.items() if decoded}
    if not decoded or any(picture.shape not in sizes for picture in pictures.values()):
        return malformed("dimension-mismatch" if decoded else "truncated", _said(data))
    return pictures


def _decoded_pages(data: bytes, count: int) -> Sequence[Picture]:
    """The first pages; none where the codec gives up."""
    try:
        done, pages = cv2.imdecodemulti(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(0, count)
        )
    except cv2.error:
        return ()
    return pages if done and len(pages) == count else ()


def _raw(data: bytes, layout: RawLayout | None) -> Picture | None:
    found = read_raw(data, layout) if layout is not None else None
    return None if isinstance(found, Malformed) else found


def _decoded(data: bytes) -> Picture | None:
    """The picture, grey where it was colour; None where the codec gives up."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.ndim == 3:
            code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
            picture = cv2.cvtColor(picture, code)
    except cv2.error:
        return None
    return picture


def as_counts(plane: Picture | None) -> NDArray[np.uint16] | None:
    """A plane in counts of 16 bits; one of 8 bits, which only a raw one may be, is spread."""
    if plane is None or plane.dtype == np.uint16:
        return plane
    spread: NDArray[np.uint16] = plane.astype(np.uint16) * np.uint16(257)
    return spread


def as_composite(picture: Picture | None) -> NDArray[np.uint8] | None:
    """A display picture; of 16 bits, which only a raw one may have, the upper ones are shown."""
    if picture is None or picture.dtype == np.uint8:
        return picture
    return (picture >> 8).astype(np.uint8)
