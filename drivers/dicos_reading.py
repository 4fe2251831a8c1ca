"""One DICOS instance: what it says of itself, and its pictures.

pydicom reads the header, which `wire.dicos` has found to end; packed pixels are unpacked by GDCM
in a process of its own (`dicos_child`).
"""

import atexit
import datetime
import functools
import hashlib
import importlib.util
import io
import math
import threading
import warnings
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.spectrum_process import GoneError, SpectrumProcess
from drivers.wire import dicos
from drivers.wire.dicos_write import packed_file
from drivers.wire.image_headers import MAX_PIXELS, MAX_RATIO, MAX_SIDE_PIXELS
from drivers.wire.malformed import Malformed, malformed
from fusion.types import SECOND_NS

NEEDED = "reading DICOS needs pydicom, which is not installed: pip install 'garita[dicos]'"
PITCH_MM = (0.5, 50.0)  # as for every scanner: what lies outside is no cargo scanner's
MAX_FRAMES = 2  # high and low
MV_BELOW = 20.0  # KVP counts in kV; who writes 6 means 6 MV
# GDCM takes 50 ns a pixel for lossless JPEG here (facts 1.3: 241 ms for 4.8 million).
VALUE_BYTES = 1024  # of any value that is asked for; the longest has some 300
HASHED_EVERY = 61  # bytes: of every row of any picture some
LEAST_S, SECONDS_PER_PIXEL = 0.5, 1.5e-7
PATIENCE = 2.0  # times the processor time

Plane = NDArray[np.generic]
Key = tuple[str, str, str]
"""Object, scan and plane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What one file says of itself."""

    sop_class: str
    instance: str
    """SOP Instance UID."""
    scan: str
    """Study Instance UID, the same for all files of one scan."""
    scan_id: str
    """Study ID, as DICOS has it; empty where none was given."""
    object_id: str
    """Of the object of inspection: a container's number, a text; empty where none was given."""
    object_type: str
    """`CARGO`, `BAGGAGE`, ..., as written."""
    declared: str
    """OOI Type Descriptor, lower case."""
    characteristics: str
    """`high`, `low` or empty: what Image Type says."""
    energy_mev: float | None
    shape: tuple[int, int, int]
    """Frames, rows, columns."""
    bits: tuple[int, int]
    """Allocated, stored."""
    intensity: bool
    """Raw, linear intensities: what a plane is. Else it is a picture for the eye."""
    inverted: bool
    """High values for little radiation."""
    mirrored: bool
    """Column 0 is the rear, as the image orientation has it."""
    pitch_x_mm: float | None
    pitch_y_mm: float | None
    start_utc_ns: int | None
    end_utc_ns: int | None
    projected: bool
    """TIP Type: a threat was drawn into the picture."""
    exercise: bool
    """A projected threat, or Scan Type says that this was not operational."""
    test_piece: bool
    """Phantom Type: a test object was scanned."""
    bad_uid: str
    """One that breaks DICOM's rules, where there is one."""

    @property
    def role(self) -> str:
        """`""`: a scan by itself, as far as it says; else it is one of two planes."""
        return self.characteristics if self.shape[0] == 1 else ""

    def pair(self, planes: str) -> tuple[Key, Key] | None:
        """(what this is of which scan, what it waits for); None: it is a scan by itself.

        planes  `auto`: it waits where it says that it is one of two; `dual`: always; `single`
        """
        if planes == "single" or self.shape[0] > 1 or (planes == "auto" and not self.role):
            return None
        # Where neither says which it is, the energies tell when both are there.
        other = {"high": "low", "low": "high"}.get(self.role, "")
        return (*self.key, self.role), (*self.key, other)

    @property
    def key(self) -> tuple[str, str]:
        """The same for both planes of a scan: what was scanned, and in which scan."""
        if self.object_id or self.scan_id:  # some writers give each file a study of its own
            return self.object_id, self.scan_id
        return "", self.scan


def installed() -> bool:
    """Whether pydicom is there."""
    return importlib.util.find_spec("pydicom") is not None


def prepared() -> bool:
    """Load pydicom, so that the first scan need not wait for it; whether it is there."""
    return installed() and bool(_library())


def described(data: bytes, utc_offset_min: int = 0) -> tuple[Instance, dicos.Layout] | Malformed:
    """Read the header of a file. The pixels are only measured, not decoded.

    Malformed reasons: those of `wire.dicos.layout`; `needs-library`; `bad-header`,
    `unsupported` (no picture of Garita's: of persons, signed, in colour, of three frames),
    `too-large`, `dimension-mismatch` (more pixels than the file's bytes can hold).
    """
    laid = dicos.layout(data)
    if isinstance(laid, Malformed):
        return laid
    found = _said(laid, utc_offset_min)
    if isinstance(found, Malformed):
        return found
    if reason := _fault(found, laid):
        return malformed(reason, f"{found.shape} {found.bits} {laid.syntax}".encode())
    return found, laid


def begun(head: bytes, utc_offset_min: int = 0) -> tuple[Instance, int] | Malformed:
    """What the beginning of a file says of itself, and how many bytes it must have at least."""
    laid = dicos.layout(head, whole=False)
    if isinstance(laid, Malformed):
        return laid
    found = _said(laid, utc_offset_min)
    if isinstance(found, Malformed):
        return found
    return found, laid.pixels_at + laid.pixels_bytes


def _said(laid: dicos.Layout, utc_offset_min: int) -> Instance | Malformed:
    if not installed():
        return malformed("needs-library", NEEDED.encode())
    try:
        found = _instance(_Header(laid.header), utc_offset_min)
    # pydicom converts values as they are asked for, and has an error of its own for each kind.
    except Exception as error:  # noqa: BLE001 - as said
        return malformed("bad-header", repr(error).encode("ascii", "replace"))
    if isinstance(found, str):
        return malformed(found, laid.header[dicos.MAGIC_AT :][:64])
    return found


def pictures(instance: Instance, laid: dicos.Layout) -> Sequence[Plane] | Malformed:
    """The frames, (rows, columns) each, of 8 or 16 bits as they are stored.

    Malformed reasons: `unreadable`, with GDCM's words; `reader-ended`, the pixels crashed it or
    took it longer than so many may; `needs-library`.
    """
    kind = np.dtype(np.uint16 if instance.bits[0] == 16 else np.uint8)
    if laid.packed:
        unpacked = _unpacked(instance, laid)
        if isinstance(unpacked, Malformed):
            return unpacked
        values = np.frombuffer(unpacked, kind.newbyteorder("<"))
    else:
        stored = kind.newbyteorder(">" if laid.big_endian else "<")
        values = np.frombuffer(laid.pixels, stored, math.prod(instance.shape))
    return list(values.astype(kind, copy=False).reshape(instance.shape))


# --- the header --------------------------------------------------------------------------


@functools.cache
def _library() -> Any:  # noqa: ANN401
    import pydicom  # noqa: PLC0415 - 240 ms for those who need it

    # UIDs that break the rules are told once, by us; a line each would flood the log.
    warnings.filterwarnings("ignore", module="pydicom")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    return pydicom


class _Header:
    """Values by their keyword. ValueError for one that is longer than any of those asked for:
    pydicom takes a value apart when it is asked for, into as many pieces as were put in."""

    def __init__(self, header: bytes) -> None:
        self._library = _library()
        self._read = self._library.dcmread(io.BytesIO(header))

    def get(self, name: str) -> Any:  # noqa: ANN401
        """None where it is not there, or empty."""
        tag = self._library.datadict.tag_for_keyword(name)
        if tag not in self._read:
            return None
        raw = self._read.get_item(tag).value
        if isinstance(raw, bytes) and len(raw) > VALUE_BYTES:
            raise ValueError(f"{name} has {len(raw)} bytes")
        return self._read[tag].value

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number. ValueError where it is missing and there is no default."""
        value = self.get(name)
        if value is None:
            if default is None:
                raise ValueError(f"no {name}")
            return default
        return int(value)

    @property
    def instance(self) -> str:
        """SOP Instance UID as the file's beginning has it."""
        return str(self._read.file_meta.get("MediaStorageSOPInstanceUID", ""))


def _instance(read: _Header, utc_offset_min: int) -> Instance | str:
    def text(name: str) -> str:
        value = read.get(name)
        return "" if value is None else str(value).strip()[:200]

    def known(name: str) -> str:
        value = text(name)
        return "" if value.lower() == "unknown" else value

    flags = {str(value).upper() for value in _many(read.get("ImageType"))}
    high, low = "HIGH_ENERGY" in flags, "LOW_ENERGY" in flags
    if text("Modality") == "TDR" or read.whole("SamplesPerPixel", 1) != 1:
        return "unsupported"
    photometric = text("PhotometricInterpretation")
    if photometric not in {"MONOCHROME1", "MONOCHROME2"} or read.whole("PixelRepresentation", 0):
        return "unsupported"
    processing = text("SOPClassUID") == dicos.DX_PROCESSING
    intent = text("PresentationIntentType")
    stored = read.whole("BitsStored")
    start, end = _times(read, utc_offset_min)
    columns = read.whole("Columns")
    pitch_y_mm, pitch_x_mm = _pitches(read, columns)
    uids = [text(name) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")]
    sign = read.whole("PixelIntensityRelationshipSign", 1)
    return Instance(
        sop_class=text("SOPClassUID"),
        instance=uids[0] or read.instance,
        scan=uids[1] or uids[0] or read.instance,
        scan_id=known("StudyID"),
        object_id=known("PatientID"),
        object_type=text("OOIType").upper(),
        declared=text("OOITypeDescriptor").lower(),
        characteristics="high" if high and not low else "low" if low and not high else "",
        energy_mev=_energy_mev(read.get("KVP")),
        shape=(read.whole("NumberOfFrames", 1), read.whole("Rows"), columns),
        bits=(read.whole("BitsAllocated"), stored),
        intensity=(
            (processing if not intent else intent == "FOR PROCESSING")
            and text("PixelIntensityRelationship") in {"LIN", ""}
            and stored > 8
        ),
        inverted=(sign < 0) != (photometric == "MONOCHROME1"),
        mirrored=_is_mirrored(read.get("ImageOrientationPatient")),
        pitch_x_mm=pitch_x_mm,
        pitch_y_mm=pitch_y_mm,
        start_utc_ns=start,
        end_utc_ns=end,
        projected=_is_told(text("TIPType")),
        exercise=_is_told(text("TIPType")) or text("ScanType") == "NON_OPERATIONAL",
        test_piece=_is_told(text("PhantomType")),
        bad_uid=next((uid for uid in uids if uid and not _is_uid(uid)), ""),
    )


def _fault(one: Instance, laid: dicos.Layout) -> str:
    """Why its pixels must not be read, or an empty string."""
    frames, rows, columns = one.shape
    allocated, stored = one.bits
    if one.object_type in {"PERSON", "ANIMAL"} or not 0 < frames <= MAX_FRAMES:
        return "unsupported"  # Garita looks at cargo: nobody's body is measured or kept
    if allocated not in {8, 16} or not allocated // 2 <= stored <= allocated:
        return "unsupported"
    if rows < 1 or columns < 1 or not one.instance:
        return "bad-header"
    if max(rows, columns) > MAX_SIDE_PIXELS or rows * columns > MAX_PIXELS:
        return "too-large"
    needed = frames * rows * columns * allocated // 8
    if needed > laid.pixels_bytes * (MAX_RATIO if laid.packed else 1):
        return "dimension-mismatch"
    return ""


def _many(value: object) -> list[object]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return [] if value is None else [value]


def _is_told(value: str) -> bool:
    return value.upper() not in {"", "NO", "NONE", "UNKNOWN"}


def _is_uid(uid: str) -> bool:
    parts = uid.split(".")
    plain = all(part.isdecimal() and (part == "0" or part[0] != "0") for part in parts)
    return plain and len(parts) > 1 and len(uid) <= 64


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _energy_mev(kvp: object) -> float | None:
    """End energy: KVP is in kV, so 6 MV are 6000."""
    value = _number(kvp) if kvp is not None else None
    if value is None or not 0.0 < value < 1e5:
        return None
    return value if value < MV_BELOW else value / 1000.0


def _pitches(read: _Header, columns: int) -> tuple[float | None, float | None]:
    """(down, along) in mm: from a spacing, else along from the belt's speed and the duration."""
    for name in ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing"):
        values = [_pitch(_number(value)) for value in _many(read.get(name))]
        if len(values) == 2 and all(values):
            return values[0], values[1]
    speed_mm_s = _number(read.get("TableSpeed")) or 0.0
    duration_s = _number(read.get("AcquisitionDuration")) or 0.0
    return None, _pitch(speed_mm_s * duration_s / max(columns, 1))


def _pitch(value: float | None) -> float | None:
    return value if value is not None and PITCH_MM[0] <= value <= PITCH_MM[1] else None


def _is_mirrored(orientation: object) -> bool:
    """Whether columns run against the axis along which they mostly lie."""
    row = [_number(value) or 0.0 for value in _many(orientation)[:3]]
    return bool(row) and max(row, key=abs) < 0.0


def _times(read: _Header, utc_offset_min: int) -> tuple[int | None, int | None]:
    """When the scan began and ended. DICOS times are UTC where nothing else is said."""
    offset_min = utc_offset_min
    told = str(read.get("TimezoneOffsetFromUTC") or "")
    if len(told) == 5 and told[0] in "+-" and told[1:].isdecimal():
        minutes = int(told[1:3]) * 60 + int(told[3:])
        offset_min = -minutes if told[0] == "-" else minutes
    start = _utc_ns(str(read.get("AcquisitionDateTime") or ""), offset_min)
    for name in ("Acquisition", "Content", "Series", "Study"):
        if start is None:
            day, clock = read.get(f"{name}Date"), read.get(f"{name}Time")
            start = _utc_ns(f"{day or ''}{clock or ''}", offset_min) if day else None
    duration_s = _number(read.get("AcquisitionDuration")) or 0.0
    if start is None or not 0.0 < duration_s < 86_400.0:
        return start, start
    return start, start + round(duration_s * SECOND_NS)


def _utc_ns(text: str, offset_min: int) -> int | None:
    """`YYYYMMDDHHMMSS.ffffff`, with or without `±hhmm`; None where it is no time."""
    text, sign, zone = text.partition("+") if "+" in text else text.partition("-")
    if sign and len(zone) == 4 and zone.isdecimal():
        offset_min = (int(zone[:2]) * 60 + int(zone[2:])) * (-1 if sign == "-" else 1)
    whole, _, part = text.strip().partition(".")
    try:
        at = datetime.datetime.strptime(whole.ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    seconds = round((at - datetime.datetime(1970, 1, 1)).total_seconds())
    seconds -= offset_min * 60
    fraction = int(part[:9].ljust(9, "0")) if part.isdecimal() else 0
    return seconds * SECOND_NS + fraction if seconds > 0 else None


# --- packed pixels -----------------------------------------------------------------------

_asking = threading.Lock()


@functools.cache
def _child() -> SpectrumProcess:
    """The process's own: a scan comes every few minutes, so all scanners share it."""
    child = SpectrumProcess("dicos_child.py")
    atexit.register(child.end)
    return child


def end_child() -> None:
    """End the process that unpacks pixels; the next packed file starts another."""
    with _asking:
        _child().end()


def _unpacked(one: Instance, laid: dicos.Layout) -> memoryview | Malformed:
    file = packed_file(laid.syntax, one.shape, one.bits, laid.pixels)
    size = math.prod(one.shape) * one.bits[0] // 8
    allowed_s = LEAST_S + math.prod(one.shape) * SECONDS_PER_PIXEL
    try:
        with _asking:
            answer, values = _child().ask(
                str(size), file, allowed_s=allowed_s, patience_s=PATIENCE * allowed_s
            )
    except GoneError:
        return malformed("reader-ended", laid.syntax.encode())
    if words := str(answer.get("error", "")):
        reason = "needs-library" if words.startswith("ModuleNotFoundError") else "unreadable"
        return malformed(reason, words.encode("ascii", "replace"))
    return values


def fingerprint_of(laid: dicos.Layout) -> bytes:
    """Of the pixels as they lie in the file, whatever the header: a checksum of all and a hash of
    some. Hashing all would hold up the alert, and nobody gains by sending one scan for another."""
    pixels = laid.pixels
    some = hashlib.sha256(pixels[::HASHED_EVERY].tobytes())
    some.update(zlib.crc32(pixels).to_bytes(4, "big"))
    return some.digest()
