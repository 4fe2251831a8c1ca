"""Looks over an untrusted N42 document before any parser that builds something sees it.

Refused are document types and entities, more elements or depth than any device writes, and what
is no XML at all. On the way it notes what readers built for spectra alone leave out: faults, and
how far local times are off from UTC.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from drivers.wire.malformed import Malformed, malformed
from drivers.wire.n42_model import Fault

MAX_ELEMENTS = 500_000  # 133 slices of 8 detectors have 10,000; half a second of looking at most
MAX_DEPTH = 64  # the schemas need about ten
MAX_TEXT = 4096  # of what is noted; a fault's description has a line
MAX_FAULTS = 1000

ROOTS = {"RadInstrumentData": "N42-2012", "N42InstrumentData": "N42-2006", "Event": "N42-2006"}
_NOTED = frozenset(
    ("StartTime", "StartDateTime", "FaultCodeValue", "FaultDescription", "FaultSeverityCode")
)
_OFFSET = re.compile(r"T.*?(?:([+-])(\d\d):?(\d\d)|Z)\s*$", re.ASCII | re.DOTALL)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class RefusedError(Exception):
    """Raised within a parser's callbacks, and caught by who runs it."""


@dataclass(slots=True)
class Scan:
    """What was seen."""

    form: str
    """`"N42-2012"` or `"N42-2006"`."""
    spectra: int = 0
    gross_counts: int = 0
    utc_offset_min: int = 0
    """Of the first time that the document tells; local minus UTC."""
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    """(number of the measurement, from 0; what is wrong)."""
    measurements: int = 0
    """Of the 2012 form."""


def as_utf8(data: bytes) -> bytes:
    """The same document in UTF-8 where it came in UTF-16; control bytes then mean what they say."""
    if not data.startswith(_UTF16):
        return data
    text = data.decode("utf-16", "replace")
    return re.sub(r"^<\?xml[^>]*\?>", "", text).encode()


def scan(data: bytes) -> Scan | Malformed:
    """Look at the whole document; Malformed says why it must not be read.

    Reasons: `not-xml`, `has-dtd`, `not-n42`, `too-many-elements`, `too-deep`.
    """
    looker = _Looker()
    try:
        looker.parser.Parse(data, True)
    except RefusedError as refused:
        return malformed(str(refused), data)
    except (expat.ExpatError, ValueError, LookupError):  # the latter: an encoding nobody knows
        return malformed("not-xml", data)
    if looker.seen is None:
        return malformed("not-n42", data)
    return looker.seen


class _Looker:
    def __init__(self) -> None:
        parser = self.parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = refuse_dtd
        parser.EntityDeclHandler = refuse_dtd
        parser.buffer_text = True
        self.seen: Scan | None = None
        self._elements = self._depth = 0
        self._text = ""
        self._dated = False
        self._fault: dict[str, str] | None = None
        self._detector = ""
        self._measuring = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS:
            raise RefusedError("too-many-elements")
        if self._depth > MAX_DEPTH:
            raise RefusedError("too-deep")
        name = local(name)
        if self.seen is None:
            if name not in ROOTS:
                raise RefusedError("not-n42")
            self.seen = Scan(ROOTS[name])
        elif name == "Spectrum":
            self.seen.spectra += 1
        elif name in _NOTED:
            self._text = ""
            self.parser.CharacterDataHandler = self._note
        elif name in {"GrossCounts", "CountDoseData"}:
            self.seen.gross_counts += 1
        elif name == "RadMeasurement":
            self.seen.measurements += 1
            self._measuring = True
        elif name == "RadDetectorState":
            self._detector = attributes.get("radDetectorInformationReference", "")
        elif name == "Fault":
            self._fault = {}

    def _note(self, text: str) -> None:
        if len(self._text) < MAX_TEXT:
            self._text += text[:MAX_TEXT]

    def _end(self, name: str) -> None:
        self._depth -= 1
        name = local(name)
        if name in _NOTED:
            self.parser.CharacterDataHandler = None
            self._noted(name, self._text.strip())
        elif name == "RadDetectorState":
            self._detector = ""
        elif name == "RadMeasurement":
            self._measuring = False
        elif name == "Fault" and self._fault is not None:
            self._keep_fault(self._fault)
            self._fault = None

    def _noted(self, name: str, text: str) -> None:
        assert self.seen is not None
        if self._fault is not None:
            self._fault[name] = text
        elif not self._dated and (match := _OFFSET.search(text)):
            self._dated = True
            if match[1]:
                minutes = int(match[2]) * 60 + int(match[3])
                self.seen.utc_offset_min = -minutes if match[1] == "-" else minutes

    def _keep_fault(self, found: dict[str, str]) -> None:
        assert self.seen is not None
        # Faults of an analysis are about the analysis, not about the device.
        if not self._measuring or len(self.seen.faults) >= MAX_FAULTS:
            return
        fault = Fault(
            code=found.get("FaultCodeValue", ""),
            description=found.get("FaultDescription", ""),
            severity=found.get("FaultSeverityCode", "Warning"),
            detector=self._detector,
        )
        self.seen.faults.append((self.seen.measurements - 1, fault))


def local(name: str) -> str:
    """A name without its prefix. Prefixes are not resolved: some writers forget to declare them
    (facts 4.1, `InterSpec:DetectorType`), and no element that counts has one."""
    return name.rpartition(":")[2]


def refuse_dtd(*_: object) -> None:
    """For every handler that would see a document type or an entity."""
    raise RefusedError("has-dtd")
