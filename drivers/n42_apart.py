"""An N42 document taken apart: its numbers, its short texts, and the bytes that are left."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**20
MOST_TEXTS = 8192
MOST_ROWS = 4096
MOST_VALUES = 4 * 2**20

BODY = b"<RadMeasurement"
ROW, TEXT = b"\x01", b"\x02"
"""What the kernel leaves in their places."""
_NUMBERS = ("<ChannelData>", '<ChannelData compressionCode="CountedZeroes">')
_TEXTS = (
    "<StartDateTime>",
    "<RealTimeDuration>",
    "<LiveTimeDuration>",
    "<CountData>",
    '<SpeedValue units="m/s">',
)
_TAGS = (*_NUMBERS, *_TEXTS)
_LENGTHS = np.array([len(tag) - 1 for tag in _TAGS], np.int64)  # without what ends them
_TABLE = np.array([tag[:-1].encode() for tag in _TAGS], f"S{max(map(len, _TAGS))}")
_TABLE = _TABLE.view(np.uint8).reshape(len(_TAGS), -1)
# What differs in the head: the document's own name and date, and remarks.
_OWN = re.compile(rb' (n42DocUUID="[0-9A-Fa-f-]{36}"|n42DocDateTime="[0-9T:.Z-]{1,40}")')
_REMARK = re.compile(rb"<Remark>([^<>&\x00-\x1f\x7f-\xff]*)</Remark>")


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A document taken apart."""

    head: bytes
    """What is before the first measurement, without its own name, its date and its remarks."""
    skeleton: bytes
    """The rest without numbers and texts."""
    remarks: tuple[str, ...]
    texts: list[bytes]
    row_ends: NDArray[np.int64]
    """(rows,) where each row of numbers ends in `values`."""
    values: NDArray[np.uint32]


class Taker:
    """Takes documents apart, one at a time, in room that stays."""

    def __init__(self) -> None:
        self._room = MOST_VALUES
        self._largest = 0
        self._skeleton = np.empty(0, np.uint8)
        self._texts = np.empty((MOST_TEXTS, 2), np.int64)
        self._rows = np.empty(MOST_ROWS, np.int64)

    def take(self, data: bytes) -> Taken | None:
        """The document's parts; None where it is not one of plain numbers."""
        begin = data.find(BODY) if len(data) <= MOST_BYTES else -1
        if begin < 0:
            return None
        # Only here: who reads no spectra need not wait for Numba.
        from drivers.wire.kernels.markup import Apart, Tags, take_apart  # noqa: PLC0415 - as said

        head, body = data[:begin], data[begin:]
        remarks = tuple([one.decode().strip() for one in _REMARK.findall(head)])
        head = _REMARK.sub(b"", _OWN.sub(b"", head))
        if self._skeleton.size < 2 * len(body):
            self._skeleton = np.empty(2 * len(body), np.uint8)
        skeleton, texts, rows = self._skeleton, self._texts, self._rows
        values = np.empty(self._room, np.uint32)
        made, text_count, row_count = take_apart(
            np.frombuffer(body, np.uint8),
            Tags(_TABLE, _LENGTHS),
            Apart(skeleton, texts, rows, values),
        )
        if made < 0 or row_count == 0:
            self._room = MOST_VALUES  # for the next: it may be that this one was too large
            return None
        size = int(rows[row_count - 1])
        if self._room == MOST_VALUES:
            values = values[:size].copy()
            self._largest = 0
        # Another background between the slices is no reason to have room for no more.
        self._room = self._largest = max(size, self._largest)
        return Taken(
            head,
            skeleton[:made].tobytes(),
            remarks,
            [body[begin:end] for begin, end in texts[:text_count].tolist()],
            rows[:row_count].copy(),
            values[:size],
        )
