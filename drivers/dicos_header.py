"""What a DICOS header says, value by value: by pydicom, and in Garita's units."""

import datetime
import functools
import importlib.util
import io
import math
import warnings
from collections.abc import Iterable
from typing import Any

from fusion.types import SECOND_NS

NEEDED = "reading DICOS needs pydicom, which is not installed: pip install 'garita[dicos]'"
PITCH_MM = (0.5, 50.0)  # as for every scanner: what lies outside is no cargo scanner's
MV_BELOW = 20.0  # KVP counts in kV; who writes 6 means 6 MV
VALUE_BYTES = 1024  # of any value that is asked for; the longest has some 300


def installed() -> bool:
    """Whether pydicom is there."""
    return importlib.util.find_spec("pydicom") is not None


def prepared() -> bool:
    """Load pydicom, so that the first scan need not wait for it; whether it is there."""
    return installed() and bool(library())


@functools.cache
def library() -> Any:  # noqa: ANN401
    """pydicom, loaded once."""
    import pydicom  # noqa: PLC0415 - 240 ms for those who need it

    # UIDs that break the rules are told once, by us; a line each would flood the log.
    warnings.filterwarnings("ignore", module="pydicom")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    return pydicom


class Header:
    """Values by their keyword. ValueError for one that is longer than any of those asked for:
    pydicom takes a value apart when it is asked for, into as many pieces as were put in."""

    def __init__(self, header: bytes) -> None:
        self._library = library()
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


def many(value: object) -> list[object]:
    """The values of one that may have several."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return [] if value is None else [value]


def is_told(value: str) -> bool:
    """Whether a value says anything."""
    return value.upper() not in {"", "NO", "NONE", "UNKNOWN"}


def is_uid(uid: str) -> bool:
    """Whether it keeps DICOM's rules for UIDs (PS3.5 section 9)."""
    parts = uid.split(".")
    plain = all(part.isdecimal() and (part == "0" or part[0] != "0") for part in parts)
    return plain and len(parts) > 1 and len(uid) <= 64


def number(value: object) -> float | None:
    """A finite number, or None."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def energy_mev(kvp: object) -> float | None:
    """End energy: KVP is in kV, so 6 MV are 6000."""
    value = number(kvp) if kvp is not None else None
    if value is None or not 0.0 < value < 1e5:
        return None
    return value if value < MV_BELOW else value / 1000.0


def pitches(read: Header, columns: int) -> tuple[float | None, float | None]:
    """(down, along) in mm: from a spacing, else along from the belt's speed and the duration."""
    for name in ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing"):
        values = [_pitch(number(value)) for value in many(read.get(name))]
        if len(values) == 2 and all(values):
            return values[0], values[1]
    speed_mm_s = number(read.get("TableSpeed")) or 0.0
    duration_s = number(read.get("AcquisitionDuration")) or 0.0
    return None, _pitch(speed_mm_s * duration_s / max(columns, 1))


def _pitch(value: float | None) -> float | None:
    return value if value is not None and PITCH_MM[0] <= value <= PITCH_MM[1] else None


def is_mirrored(orientation: object) -> bool:
    """Whether columns run against the axis along which they mostly lie."""
    row = [number(value) or 0.0 for value in many(orientation)[:3]]
    return bool(row) and max(row, key=abs) < 0.0


def times(read: Header, utc_offset_min: int) -> tuple[int | None, int | None]:
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
    duration_s = number(read.get("AcquisitionDuration")) or 0.0
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
