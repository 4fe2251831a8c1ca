"""N42's XML as nodes, and its values as numbers; the common part of both versions' readers."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.malformed import Malformed, malformed
from drivers.wire.n42_model import DETECTOR_KINDS
from drivers.wire.n42_scan import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    ROOTS,
    RefusedError,
    as_utf8,
    local,
    refuse_dtd,
)
from drivers.wire.rfc3339 import parse_utc_ns

MAX_CHANNELS = 65_536  # four times the finest analyser in use
MAX_VALUES = 40_000_000  # channels of all spectra, 160 MB; 8 x 16,384 x 133 are 17 million

_DURATION = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{0,12})?)S)?)?", re.ASCII
)
_ZONED = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)$")
_KIND = re.compile("|".join(sorted(DETECTOR_KINDS - {"Other", "PS"}, key=len, reverse=True)))
_OTHER_KINDS = {"SODIUM IODIDE": "NaI", "CDZNTE": "CZT", "GERMANIUM": "HPGe", "PLASTIC": "PVT"}
SPEED_UNITS = {"m/s": 1.0, "mph": 0.44704, "km/h": 1 / 3.6, "kph": 1 / 3.6}


class Unreadable(Exception):  # noqa: N818 - named for what it says of a document
    """A value is not what it has to be; never leaves the readers."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text[:80])
        self.reason = reason


@dataclass(slots=True)
class Node:
    """One element."""

    name: str
    attributes: dict[str, str]
    children: "list[Node]" = field(default_factory=list)
    text: str = ""

    def all(self, *names: str) -> "Iterator[Node]":
        """Children of these names."""
        return (child for child in self.children if child.name in names)

    def below(self, *names: str) -> "Iterator[Node]":
        """Descendants of these names, in the document's order, none below another."""
        for child in self.children:
            if child.name in names:
                yield child
            else:
                yield from child.below(*names)

    def one(self, *path: str) -> "Node | None":
        """The first child of the first child ... of these names."""
        found: Node | None = self
        for name in path:
            found = next(found.all(name), None) if found is not None else None
        return found

    def say(self, *path: str) -> str:
        """The text there, without the blanks around it; `""` where there is none."""
        found = self.one(*path)
        return "" if found is None else found.text.strip()


def build(data: bytes) -> Node | Malformed:
    """The document's nodes. Refuses what `n42_scan.scan` refuses, for the same reasons."""
    builder = _Builder()
    try:
        builder.parser.Parse(as_utf8(data), True)
    except RefusedError as refused:
        return malformed(str(refused), data)
    except (expat.ExpatError, ValueError, LookupError):
        return malformed("not-xml", data)
    return builder.root.children[0]


class _Builder:
    def __init__(self) -> None:
        parser = self.parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = refuse_dtd
        parser.EntityDeclHandler = refuse_dtd
        parser.buffer_text = True
        parser.buffer_size = 65_536
        self.root = Node("", {})
        self._stack = [self.root]
        self._pieces: list[str] = []
        self._elements = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise RefusedError("too-many-elements")
        if len(self._stack) > MAX_DEPTH:
            raise RefusedError("too-deep")
        name = local(name)
        if len(self._stack) == 1 and name not in ROOTS:
            raise RefusedError("not-n42")
        node = Node(name, attributes)
        self._stack[-1].children.append(node)
        self._stack.append(node)
        self._pieces.clear()  # only elements without children have text that counts

    def _end(self, _: str) -> None:
        node = self._stack.pop()
        if not node.children:
            node.text = "".join(self._pieces)
        self._pieces.clear()

    def _text(self, text: str) -> None:
        self._pieces.append(text)


# --- values ----------------------------------------------------------------------------


def decimal(text: str) -> float:
    """A finite number. Unreadable where it is none."""
    try:
        value = float(text)
    except ValueError:
        raise Unreadable("bad-value", text) from None
    if not math.isfinite(value):
        raise Unreadable("bad-value", text)
    return value


def decimals(text: str) -> NDArray[np.float64]:
    """Numbers with blanks between. Unreadable where one is none, or infinite."""
    pieces = text.split()
    try:
        # As JSON: five times faster than NumPy, and fails on forms such as `007` and `1.`.
        values = np.array(msgspec.json.decode(f"[{','.join(pieces)}]", type=list[float]))
    except (msgspec.MsgspecError, UnicodeEncodeError):
        try:
            values = np.array(pieces, dtype=np.float64)
        except ValueError:
            raise Unreadable("bad-value", text) from None
    if not np.all(np.isfinite(values)):
        raise Unreadable("bad-value", text)
    return values


def seconds(text: str) -> float:
    """xsd:duration, but for months and years, which have no length; plain seconds as well."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return max(decimal(text), 0.0) if text else 0.0
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def utc_ns(text: str) -> int | None:
    """xsd:dateTime; one without a zone is taken as UTC, one before 1971 as not known."""
    if not text:
        return None
    try:
        found = parse_utc_ns(text if _ZONED.search(text) else text + "Z")
    except ValueError:
        return None
    return found if found >= EARLIEST_UTC_NS else None


EARLIEST_UTC_NS = 365 * 86_400 * 1_000_000_000  # a device without a clock writes 1970-01-01


def truth(text: str) -> bool | None:
    """xsd:boolean; None where it is none."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def speed_m_s(node: Node | None) -> float | None:
    """In metres a second, whatever its units; None where there is none or it is no speed."""
    if node is None or not node.text.strip():
        return None
    units = node.attributes.get("units") or node.attributes.get("Units") or "m/s"
    return decimal(node.text.strip()) * SPEED_UNITS.get(units.strip().lower(), 1.0)


def kind_in(text: str) -> str:
    """The detector's material as the schema of 2012 calls it, from free text; `Other`."""
    if match := _KIND.search(text):
        return match[0]
    upper = text.upper()
    return next((kind for word, kind in _OTHER_KINDS.items() if word in upper), "Other")


class Channels:
    """Reads channel data, and bounds how much of it one document may hold."""

    def __init__(self) -> None:
        self._values = 0

    def read(self, node: Node) -> NDArray[np.uint32]:
        """(channels,) counts. Unreadable where they are none, or too many."""
        values = decimals(node.text)
        compression = node.attributes.get("compressionCode") or node.attributes.get("Compression")
        if compression == "CountedZeroes":
            values = _expanded(values)
        if values.size > MAX_CHANNELS:
            raise Unreadable("too-large", f"{values.size} channels")
        self._values += values.size
        if self._values > MAX_VALUES:
            raise Unreadable("too-large", "too many channels in all")
        return np.clip(np.rint(values), 0, 2**32 - 1).astype(np.uint32)


def _expanded(tokens: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without CountedZeroes: every 0 is followed by the length of its run."""
    if tokens.size > 2 * MAX_CHANNELS:
        raise Unreadable("too-large", f"{tokens.size} numbers")
    is_zero = tokens == 0
    if np.any(is_zero[1:] & is_zero[:-1]):  # a run of no length: who is whose is told one by one
        is_zero = _run_markers(tokens)
    is_length = np.zeros(tokens.size, bool)
    is_length[1:] = is_zero[:-1]
    lengths = np.ones(tokens.size)
    # A zero at the very end has no length: it is one channel, as other readers have it.
    lengths[:-1][is_zero[:-1]] = tokens[1:][is_zero[:-1]]
    lengths = lengths[~is_length]
    if lengths.size and (lengths.min() < 0 or lengths.sum() > MAX_CHANNELS):
        raise Unreadable("too-large", f"{lengths.sum()} channels")
    return np.repeat(tokens[~is_length], lengths.astype(np.int64))


def _run_markers(tokens: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which zeroes begin a run, where others tell a length of none."""
    markers = np.zeros(tokens.size, bool)
    after_marker = False
    for at, token in enumerate(tokens.tolist()):
        after_marker = markers[at] = token == 0 and not after_marker
    return markers
