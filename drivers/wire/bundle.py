"""One X-ray scan's files as one self-delimiting record, so that a folder is a transport.

    magic 8 | header bytes u32 | header CRC-32 u32 | header | contents | contents CRC-32 u32

All numbers are little-endian; the header is JSON, `{"files": [["name", bytes], ...]}`, and
the contents are the files in that order. With it may come `"sha256"`, one digest for each
file: whoever made the bundle has read the files already, and hashing 20 MB again would hold
up the alert. The magic starts like PNG's: a byte that is not ASCII, then line ends that a
text-mode copy would spoil.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

MAGIC = b"\x89GXB\r\n\x1a\n"
MAX_FILES = 16  # high, low, material, composite, sidecar, previews; more is not one scan
MAX_NAME_BYTES = 200  # file systems stop at 255; leaves room for a quarantine suffix
MAX_HEADER_BYTES = 6144  # 16 names of the greatest length with their sizes and digests
MAX_BUNDLE_BYTES = 128 << 20  # six 1200 x 4000 dual-energy scans; the edge box has 600 MB
MAX_FALSE_STARTS = 8  # damage holds at most a few real starts; more are crafted to cost time

_PREFIX = struct.Struct("<8sII")
_CRC = struct.Struct("<I")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of one scan: (name, contents), in the order they were written."""

    files: tuple[tuple[str, bytes], ...]
    digests: tuple[str, ...] = ()
    """SHA-256 of each file where the maker of the bundle gave them, else empty. They are his
    word: what guards the contents on their way is the CRC."""

    def named_digests(self) -> tuple[tuple[str, str], ...]:
        """(name, SHA-256) of each file, by name; hashed here only where nobody has done so."""
        known = self.digests or [hashlib.sha256(content).hexdigest() for _, content in self.files]
        return tuple(sorted(zip((name for name, _ in self.files), known, strict=True)))


class _Entry(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    name: str
    size: int


class _Header(msgspec.Struct, omit_defaults=True):
    files: list[_Entry]
    sha256: list[str] = []


_decode_header = msgspec.json.Decoder(_Header).decode


@dataclass(frozen=True, slots=True)
class _Frame:
    """A readable header: where the record's parts lie, counted from its magic."""

    header: _Header
    contents_at: int
    crc_at: int

    @property
    def end(self) -> int:
        return self.crc_at + _CRC.size


def encode(files: Mapping[str, bytes], digests: Sequence[str] = ()) -> bytes:
    """The files as one bundle, with their SHA-256 in hexadecimal where those are known.

    ValueError where they break a limit of this format.
    """
    entries = [_Entry(name, len(content)) for name, content in files.items()]
    described = _Header(entries, list(digests))
    if reason := _fault(described):
        raise ValueError(f"no bundle of {len(entries)} files: {reason}")
    header = msgspec.json.encode(described)
    crc = 0
    for content in files.values():
        crc = zlib.crc32(content, crc)
    prefix = _PREFIX.pack(MAGIC, len(header), zlib.crc32(header))
    return b"".join((prefix, header, *files.values(), _CRC.pack(crc)))


def split(data: bytes) -> list[bytes]:
    """Concatenated bundles apart; what is no bundle is left out."""
    pieces = []
    at = data.find(MAGIC)
    while at >= 0:
        frame = _frame(data, at)
        step = len(MAGIC)
        if isinstance(frame, _Frame) and at + frame.end <= len(data):
            pieces.append(data[at : at + frame.end])
            step = frame.end
        at = data.find(MAGIC, at + step)
    return pieces


class BundleDecoder:
    """Bytes in, bundles out, for any split of the byte stream.

    Keeps at most one bundle of `MAX_BUNDLE_BYTES`. After damage it goes on at the next
    magic, also where that lies within what the damaged header claimed for itself. A run of
    noise or of bad headers is told once.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = 0
        self._noise = bytearray()
        self._told = False
        self._false_starts = 0

    def feed(self, data: bytes) -> list[Bundle | Malformed]:
        """Every bundle that `data` completes, and what was wrong between them."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._need:
                return []
            # One copy for each part of a record, however many chunks it came in.
            data = bytes(self._buffer)
            self._buffer.clear()
        found: list[Bundle | Malformed] = []
        at = self._skip_noise(data, 0, found)
        while at < len(data):
            frame = _frame(data, at)
            if isinstance(frame, int):
                break_at = frame
            elif isinstance(frame, Malformed):
                self._tell(frame, found)
                at = self._skip_noise(data, at + 1, found)
                continue
            else:
                break_at = frame.end
                if at + frame.end <= len(data):
                    at = self._skip_noise(data, at + self._take(data, at, frame, found), found)
                    continue
            self._need = break_at
            self._buffer += data[at:]
            break
        return found

    def cut(self) -> list[Bundle | Malformed]:
        """The link was cut: forget the record half read, and say so."""
        partial, self._buffer = bytes(self._buffer[:TEXT_BYTES]), bytearray()
        noise, told = bytes(self._noise), self._told
        self._noise.clear()
        self._told = False
        self._false_starts = 0
        if partial:
            return [malformed("truncated", partial)]
        return [malformed("noise", noise)] if noise and not told else []

    def _take(self, data: bytes, at: int, frame: _Frame, found: list[Bundle | Malformed]) -> int:
        """Read one whole record; return how many bytes are done with."""
        view = memoryview(data)[at : at + frame.end]
        (crc,) = _CRC.unpack_from(view, frame.crc_at)
        if zlib.crc32(view[frame.contents_at : frame.crc_at]) != crc:
            found.append(malformed("bad-checksum", bytes(view[:TEXT_BYTES])))
            self._told = True
            self._false_starts += 1
            # The next record may have begun inside: only the magic is done with.
            return 1 if self._false_starts <= MAX_FALSE_STARTS else frame.end
        files = []
        start = frame.contents_at
        for entry in frame.header.files:
            files.append((entry.name, bytes(view[start : start + entry.size])))
            start += entry.size
        found.append(Bundle(tuple(files), tuple(frame.header.sha256)))
        self._told = False
        self._false_starts = 0
        return frame.end

    def _skip_noise(self, data: bytes, at: int, found: list[Bundle | Malformed]) -> int:
        """Where the next magic, or the start of one at the very end, begins."""
        start = data.find(MAGIC, at)
        if start < 0:
            start = len(data) - _magic_begun(data, at)
        self._noise += data[at : min(start, at + TEXT_BYTES - len(self._noise))]
        ended = data.startswith(MAGIC, start)
        if not self._told and (len(self._noise) >= TEXT_BYTES or (ended and self._noise)):
            found.append(malformed("noise", bytes(self._noise)))
            self._told = True
        if ended:
            self._noise.clear()
        return start

    def _tell(self, bad: Malformed, found: list[Bundle | Malformed]) -> None:
        if not self._told:
            found.append(bad)
        self._told = True


def _magic_begun(data: bytes, at: int) -> int:
    """How many bytes at the end of `data` may be the start of a magic."""
    for count in range(min(len(MAGIC) - 1, len(data) - at), 0, -1):
        if data.endswith(MAGIC[:count]):
            return count
    return 0


def _frame(data: bytes, at: int) -> "_Frame | Malformed | int":
    """The record's layout, what is wrong with it, or how many bytes are needed to tell."""
    if len(data) - at < _PREFIX.size:
        # A magic half read is looked at again with every byte: the next may unmake it.
        return _PREFIX.size if len(data) - at >= len(MAGIC) else len(data) - at + 1
    size, crc = _PREFIX.unpack_from(data, at)[1:]
    contents_at = _PREFIX.size + int(size)
    if size <= MAX_HEADER_BYTES and len(data) - at < contents_at:
        return contents_at
    header = data[at + _PREFIX.size : at + contents_at] if size <= MAX_HEADER_BYTES else b""
    reason, described = "bad-header", _Header([])
    if header and zlib.crc32(header) == crc:
        try:
            described = _decode_header(header)
            reason = _fault(described)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the checksum was right, and still it is no header
    if reason:
        # Only what was waited for is quoted, so that the split of the stream shows nowhere.
        return malformed(reason, data[at : at + _PREFIX.size] + header[:TEXT_BYTES])
    size = sum(entry.size for entry in described.files)
    return _Frame(described, contents_at, contents_at + size)


def _fault(header: _Header) -> str:
    """Why these names, sizes and digests are no bundle, or an empty string."""
    files, digests = header.files, header.sha256
    names = [entry.name for entry in files]
    if digests and (len(digests) != len(files) or not all(map(_SHA256.fullmatch, digests))):
        return "bad-header"
    if not 0 < len(files) <= MAX_FILES or len(set(names)) < len(names):
        return "bad-header"
    if not all(_plain(name) for name in names) or any(entry.size < 0 for entry in files):
        return "bad-header"
    return "too-large" if sum(entry.size for entry in files) > MAX_BUNDLE_BYTES else ""


def _plain(name: str) -> bool:
    """A bare file name, which can name nothing outside its folder."""
    return (
        name.isprintable()
        and name not in {"", ".", ".."}
        and not set(name) & set('/\\:"')
        and len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
    )
