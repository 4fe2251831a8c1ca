"""What a scanner writes beside a scan: identity, times, pitch, papers. JSON or XML.

Both forms carry the same fields. JSON is one object; XML is one level of elements below a
root of any name, names matched without case, namespace, `-` and `_`. XML with a document
type or an entity is refused: expanding one is how a small file fills a memory.
"""

import codecs
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.parsers import expat

import msgspec

from drivers.wire.iso6346 import normalise_number
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.rfc3339 import format_utc_ns, parse_utc_ns

MAX_SIDECAR_BYTES = 256 << 10  # the longest seen holds a manifest of some 40 kB
MAX_TEXT_CHARACTERS = 128  # of one field; an id or a tariff chapter is far shorter
MAX_XML_DEPTH = 16  # flat by nature; more is an attack on the parser's stack
MAX_XML_ELEMENTS = 4096  # a manifest of hundreds of lines stays below
PITCH_MM = (0.5, 50.0)  # scanners have 4 to 10
ENERGY_MEV = (0.1, 20.0)  # parcel tubes have 0.16, the largest accelerators 9

FRONT_FIRST, REAR_FIRST = "front-first", "rear-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The fields of a sidecar; None or empty where it does not say."""

    scan_id: str = ""
    start_utc_ns: int | None = None
    end_utc_ns: int | None = None
    pitch_x_mm: float | None = None
    """Along the vehicle."""
    pitch_y_mm: float | None = None
    energies_mev: tuple[float, float] | None = None
    """End energies of the high and the low plane."""
    declared: str = ""
    """Lower case."""
    container: str = ""
    """ISO 6346 number with a right check digit, else empty."""
    container_as_read: str = ""
    """What the file says, right or wrong."""
    direction: str = FRONT_FIRST
    """Which end of the vehicle column 0 shows."""
    zoneless: str = ""
    """A time that names no zone, as written: which time it is nobody knows, and it is left out."""


class _Fields(msgspec.Struct):
    """As written, before any check."""

    scan_id: str | int = ""
    start: str = ""
    end: str = ""
    pitch_x_mm: float | str | None = None
    pitch_y_mm: float | str | None = None
    energies_mev: list[float] | str | None = None
    declared: str = ""
    container: str = ""
    direction: str = FRONT_FIRST


_ALIASES = {
    "scanid": "scan_id",
    "id": "scan_id",
    "start": "start",
    "starttime": "start",
    "scantime": "start",
    "end": "end",
    "endtime": "end",
    "pitchxmm": "pitch_x_mm",
    "pitchymm": "pitch_y_mm",
    "energiesmev": "energies_mev",
    "energies": "energies_mev",
    "declared": "declared",
    "container": "container",
    "containerid": "container",
    "containernumber": "container",
    "direction": "direction",
}
_decode_json = msgspec.json.Decoder(_Fields).decode
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?", re.IGNORECASE)
_PRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]")


def parse_sidecar(data: bytes) -> Sidecar | Malformed:
    """Read a sidecar of either form; the reason is always `bad-sidecar`."""
    if not 0 < len(data) <= MAX_SIDECAR_BYTES:
        return malformed("bad-sidecar", data)
    for body, encoding in _readings(data):
        try:
            return _checked(_xml_fields(body, encoding) if body[:1] == b"<" else _decode_json(body))
        except (msgspec.MsgspecError, expat.ExpatError, ValueError, LookupError, RecursionError):
            # ValueError: a number, a time or a direction that is none, or refused XML.
            # LookupError: an XML encoding that does not exist.
            continue
    return malformed("bad-sidecar", data)


def _readings(data: bytes) -> Iterator[tuple[bytes, str | None]]:
    """The text without what stands before it, and its encoding where that is known.

    First as it says itself; where it is no UTF-8 after that as Windows writes western text, for
    much is declared to be UTF-8, or nothing, that never was.
    """
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        yield data.decode("utf-16", "replace").lstrip().encode(), "utf-8"
        return
    body = data.removeprefix(codecs.BOM_UTF8).lstrip()
    yield body, None
    try:
        body.decode()
    except UnicodeDecodeError:
        yield body.decode("cp1252", "replace").encode(), "utf-8"


def encode_json(sidecar: Sidecar) -> bytes:
    """The sidecar as a JSON object."""
    return msgspec.json.encode(_written(sidecar))


def encode_xml(sidecar: Sidecar) -> bytes:
    """The sidecar as an XML document."""
    lines = [
        f"  <{name}>{html.escape(str(value))}</{name}>" for name, value in _written(sidecar).items()
    ]
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<scan>\n' + "\n".join(lines) + "\n</scan>\n"
    return text.encode()


def _written(sidecar: Sidecar) -> Mapping[str, str | float]:
    start, end = sidecar.start_utc_ns, sidecar.end_utc_ns
    energies = sidecar.energies_mev or ()
    fields: dict[str, str | float | None] = {
        "scan_id": sidecar.scan_id,
        "start": None if start is None else format_utc_ns(start),
        "end": None if end is None else format_utc_ns(end),
        "pitch_x_mm": sidecar.pitch_x_mm,
        "pitch_y_mm": sidecar.pitch_y_mm,
        "energies_mev": " ".join(f"{energy:g}" for energy in energies),
        "declared": sidecar.declared,
        "container": sidecar.container_as_read or sidecar.container,
        "direction": sidecar.direction,
    }
    return {name: value for name, value in fields.items() if value not in {None, ""}}


def _checked(fields: _Fields) -> Sidecar:
    direction = fields.direction.strip().lower()
    if direction not in {FRONT_FIRST, REAR_FIRST}:
        raise ValueError(direction)
    times = (fields.start.strip(), fields.end.strip())
    zoneless = next(filter(_ZONELESS.fullmatch, times), "")
    start, end = (None if zoneless else _time(text) for text in times)
    if start is not None and end is not None and end < start:
        raise ValueError("ends before it starts")
    as_read = _text(fields.container)
    return Sidecar(
        scan_id=_text(str(fields.scan_id)),
        start_utc_ns=start,
        end_utc_ns=end,
        pitch_x_mm=_pitch(fields.pitch_x_mm),
        pitch_y_mm=_pitch(fields.pitch_y_mm),
        energies_mev=_energies(fields.energies_mev),
        declared=_text(fields.declared).lower(),
        container=normalise_number(as_read),
        container_as_read=as_read,
        direction=direction,
        zoneless=zoneless,
    )


def _text(value: str) -> str:
    return _PRINTABLE.sub("", value)[:MAX_TEXT_CHARACTERS].strip()


def _time(text: str) -> int | None:
    return parse_utc_ns(text) if text else None


def _pitch(value: float | str | None) -> float | None:
    if value is None:
        return None
    pitch = float(value)
    if not PITCH_MM[0] <= pitch <= PITCH_MM[1]:
        raise ValueError(f"pitch {pitch} mm")
    return pitch


def _energies(value: list[float] | str | None) -> tuple[float, float] | None:
    """High and low, in whatever order they were written; as text with a blank or a sign between."""
    if not value:
        return None
    numbers = re.split(r"[\s,;/]+", value.strip()) if isinstance(value, str) else value
    low, high = sorted(float(number) for number in numbers)
    if not ENERGY_MEV[0] <= low <= high <= ENERGY_MEV[1]:
        raise ValueError(f"energies {low} and {high} MeV")
    return high, low


def _xml_fields(body: bytes, encoding: str | None) -> _Fields:
    """Walk the document with expat, refusing all that can expand; of a field that comes twice the
    first counts, as of a truck's two containers. ValueError, ExpatError.

    encoding  whatever the document declares; None: what it declares
    """
    texts: dict[str, str] = {}
    closed: set[str] = set()
    path: list[str] = []
    elements = 0

    def start(name: str, _: Mapping[str, str]) -> None:
        nonlocal elements
        elements += 1
        path.append(re.sub(r"[-_]", "", re.split(r"[:}]", name)[-1]).lower())
        if len(path) > MAX_XML_DEPTH or elements > MAX_XML_ELEMENTS:
            raise ValueError("too deep or too many elements")

    def text(piece: str) -> None:
        if len(path) == 2 and (field := _ALIASES.get(path[1])) and field not in closed:
            texts[field] = texts.get(field, "") + piece

    def end(_: str) -> None:
        field = _ALIASES.get(path.pop(), "")
        if len(path) == 1 and texts.get(field, "").strip():
            closed.add(field)

    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.Parse(body, True)
    return _Fields(**texts)


def _refuse(*_: object) -> None:
    raise ValueError("document types and entities are refused")
