"""N42 documents pushed over TCP: STX, the document, ETX, nothing in between (facts 1.3).

XML has no place for control characters, so STX always begins a frame and ETX always ends one.
"""

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

STX, ETX = b"\x02", b"\x03"
MAX_DOCUMENT_BYTES = 64 * 2**20  # 8 x 16,384 channels x 133 slices take 3 to 40 MB
# No part of a document is this long without a blank, a line's end or a tag: numbers are parted
# by blanks, pictures in base64 come in lines. So what never ends is not kept until it is 64 MB.
BLOCK_BYTES = 65_536
_PARTING = (b" ", b"\n", b"<", b"\t", b"\r")


def encode(document: bytes) -> bytes:
    """One document as it goes over the wire."""
    return STX + document + ETX


def split(data: bytes) -> list[bytes]:
    """The frames in what a device has sent, STX and ETX included."""
    return [part + ETX for part in data.split(ETX) if part]


class FrameDecoder:
    """Bytes in, documents out, for any split of the stream.

    Malformed reasons: `between-frames`, once for each run of bytes that belong to no frame;
    `truncated`, a frame that another one cut short; `too-large`; `no-document`, a frame that
    cannot be XML.
    """

    def __init__(self) -> None:
        self._frame: bytearray | None = None
        """What came since STX; None between frames."""
        self._checked = 0
        """How much of it was looked at in whole blocks."""
        self._stray = b""
        """The start of what came between frames and was not told yet."""
        self._told = False

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """The documents that end in `data`, and what was none."""
        records: list[bytes | Malformed] = []
        for number, part in enumerate(data.split(STX)):
            if number:
                self._begin(records)
            for ended, piece in enumerate(part.split(ETX)):
                if ended:
                    self._end(records)
                self._take(piece, records)
        return records

    def cut(self) -> None:
        """The link was cut: a frame half read is dropped."""
        self._frame, self._checked = None, 0
        self._stray, self._told = b"", False

    def _begin(self, records: list[bytes | Malformed]) -> None:
        self._tell_stray(records)
        if self._frame is not None:
            records.append(malformed("truncated", bytes(self._frame[:TEXT_BYTES])))
        self._frame, self._checked = bytearray(), 0
        self._told = False

    def _end(self, records: list[bytes | Malformed]) -> None:
        if self._frame is not None:
            records.append(bytes(self._frame))
            self._frame, self._told = None, False

    def _take(self, data: bytes, records: list[bytes | Malformed]) -> None:
        if self._frame is None:
            self._pass_over(data, records)
            return
        # A block at a time, so that the verdict does not depend on how the stream was split.
        for at in range(0, len(data), BLOCK_BYTES):
            self._frame += data[at : at + BLOCK_BYTES]
            if reason := self._fault(self._frame):
                records.append(malformed(reason, bytes(self._frame[:TEXT_BYTES])))
                self._frame, self._told = None, True  # the rest of it goes untold
                return

    def _fault(self, frame: bytearray) -> str:
        if len(frame) > MAX_DOCUMENT_BYTES:
            return "too-large"
        while self._checked + BLOCK_BYTES <= len(frame):
            end = self._checked + BLOCK_BYTES
            if all(frame.find(one, self._checked, end) < 0 for one in _PARTING):
                return "no-document"
            self._checked = end
        return ""

    def _pass_over(self, data: bytes, records: list[bytes | Malformed]) -> None:
        data = data if self._stray else data.lstrip()  # line ends between frames are usual
        if self._told or not data:
            return
        self._stray += data[: TEXT_BYTES - len(self._stray)]
        if len(self._stray) == TEXT_BYTES:
            self._tell_stray(records)

    def _tell_stray(self, records: list[bytes | Malformed]) -> None:
        if self._stray:
            records.append(malformed("between-frames", self._stray))
            self._stray, self._told = b"", True
