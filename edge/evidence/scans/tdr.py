"""A scan's Threat Detection Report, as DICOS has it (NEMA IIC 1, version 3).

What a region is, and whether it rings, is the story's. Coordinates are pixels of the picture that
the scan was read from, x along from column 0 and y down from row 0, divided by Image Scale
Representation; objects have the numbers that they have in Garita's own picture.
"""

from collections.abc import Mapping

import numpy as np

from drivers.wire import dicos
from drivers.wire.dicos_write import Attributes, day_and_clock, file_of, grey, uid_of
from edge.evidence.scans.places import Box, box_of, load_of
from edge.evidence.scans.story import Region, ScanStory
from edge.evidence.telling import known
from edge.protocol.contract import SOFTWARE
from fusion.scan_record import ScanRecord
from fusion.types import MILLISECOND_NS

MEDIA_TYPE = "application/dicom"
MOST_BITMAP_BITS = 8 * 65_536  # of all regions together: a message has 900,000 bytes for all files
UTF_8 = "ISO_IR 192"
LOWEST_LEVEL = 2  # an advisory: below that nobody is called

NOT_ASSESSED = "not all of it could be assessed / no se pudo evaluar todo"
HIDDEN_SHARE = 0.05  # of the box: what no light came through nobody has seen


def tdr(record: ScanRecord, story: ScanStory) -> bytes:
    """The report as a file.

    Carries what the vendors' own reader demands of a report, and the 59 attributes that it
    demands of the picture as well, so that the boxes can be placed by the report alone.
    """
    threats = _threats(record, story)
    alarms = sum(flag == "THREAT" for flag, *_ in threats)
    is_alarm = alarms > 0 or _is_doubtful(record, story)
    if is_alarm and not threats:  # the vendors' own reader refuses an alarm without an object
        threats = [("UNKNOWN", load_of(record, story.facts), NOT_ASSESSED, None)]
    scale = _scale([box for _, box, _, _ in threats])
    told: Attributes = {
        **_picture(record, story),
        **_report(record, story),
        0x40101011: ("SQ", [
            _threat(number, one, record, story, scale) for number, one in enumerate(threats, 1)
        ]),
        0x40101031: ("CS", "ALARM" if is_alarm else "CLEAR"),
        0x40101033: ("US", len(threats)),
        0x40101034: ("US", alarms),
        # DICOM's dictionary has DS here; the vendors' reader takes only FD.
        0x40101075: ("FD", float(scale)),
    }  # fmt: skip
    return file_of(dicos.TDR, told, dicos.EXPLICIT)


Threat = tuple[str, Box, str, Region | None]
"""Assessment flag, place, words, and the region where it is one."""


def _threats(record: ScanRecord, story: ScanStory) -> list[Threat]:
    found: list[Threat] = [
        ("THREAT" if one.rings else "UNKNOWN", box_of(record, one), " / ".join(one.words), one)
        for one in story.regions
    ]
    if story.event.startswith("CARGO_") and not any(one.rings for one in story.regions):
        # What rings is the load as a whole: not empty, not as declared, not to be seen through.
        words = " / ".join(dict.fromkeys(story.headlines))
        found.append(("THREAT", load_of(record, story.facts), words, None))
    return found


def _is_doubtful(record: ScanRecord, story: ScanStory) -> bool:
    """Nothing is cleared by a scan that broke off, that an alert of its own is about, that has no
    vehicle or no box in it, or that hides some of it."""
    own = story.event.startswith("CARGO_") or story.event == "SHIELDED_SOURCE"
    if record.partial or (own and story.level >= LOWEST_LEVEL):
        return True
    certainties = story.facts.get("sure")
    sure = known(certainties, "empty") if isinstance(certainties, Mapping) else None
    hidden = known(story.facts, "unpenetrated") or 0.0
    has_vehicle = (known(story.facts, "length_m") or 0.0) > 0.0
    return not has_vehicle or (sure is not None and sure <= 0.5) or hidden >= HIDDEN_SHARE


def _scale(boxes: list[Box]) -> int:
    """By what power of two the picture is made smaller so that the bitmaps are not too large."""
    scale = 1
    while sum((w // scale + 1) * (h // scale + 1) for _, _, w, h in boxes) > MOST_BITMAP_BITS:
        scale *= 2
    return scale


def _threat(
    number: int, one: Threat, record: ScanRecord, story: ScanStory, scale: int
) -> Attributes:
    flag, box, words, region = one
    mass_g, density = _mass_and_density(box, record, region)
    column, row, columns, rows = box
    base = [column // scale, row // scale, 0]
    extents = [-(-(column + columns) // scale) - base[0], -(-(row + rows) // scale) - base[1], 1]
    bits = np.packbits(np.ones(extents[0] * extents[1], np.uint8), bitorder="little")
    left, top, right, bottom = (at / scale for at in (column, row, column + columns, row + rows))
    rings = flag == "THREAT"
    start, end = (
        "".join(day_and_clock(utc_ns)) for utc_ns in (record.end_utc_ns, story.updated_utc_ns)
    )
    return {
        0x40101010: ("US", number),
        0x40101037: ("SQ", [{
            0x0008114A: ("SQ", _references(record)),
            0x40101001: ("SQ", [{
                0x40101004: ("FL", [float(value) for value in base]),
                0x40101005: ("FL", [float(value) for value in extents]),
                0x40101006: ("OB", bits.tobytes()),
            }]),
            0x40101017: ("FL", mass_g),
            0x40101018: ("FL", density),
            # Corners with x, y and z, from the upper left one on, clockwise.
            0x4010101D: ("FL", [left, top, 0.0, right, top, 0.0,
                                right, bottom, 0.0, left, bottom, 0.0]),
        }]),
        0x40101038: ("SQ", [{
            0x40101012: ("CS", "ANOMALY"),
            0x40101013: ("LT", _line(words)[:4000]),
            0x40101014: ("CS", "SHIELD" if story.event == "SHIELDED_SOURCE" else "NO_INTERFERENCE"),
            0x40101015: ("CS", flag),
            **({0x40101016: ("FL", story.probability)} if rings else {}),
        }]),
        0x40101080: ("DT", start),
        0x40101081: ("DT", end),
        0x40101082: ("FL", _processing_ms(record, story)),
    }  # fmt: skip


def _mass_and_density(box: Box, record: ScanRecord, region: Region | None) -> tuple[float, float]:
    """(g, g/cm3) of what is in excess. A projection tells no depth: it is taken to be as deep as
    it is wide or high, whichever is less."""
    width_cm = box[2] * record.pitch_x_mm / 10.0
    height_cm = box[3] * record.pitch_y_mm / 10.0
    facts = {} if region is None else region.facts
    mass_kg, excess = facts.get("mass_kg"), facts.get("excess_g_cm2")
    if isinstance(mass_kg, int | float):
        mass_g = 1000.0 * mass_kg
    elif isinstance(excess, int | float):
        mass_g = excess * width_cm * height_cm
    else:
        return 0.0, 0.0
    mass_g = max(mass_g, 0.0)
    return mass_g, mass_g / (width_cm * height_cm * min(width_cm, height_cm))


def _processing_ms(record: ScanRecord, story: ScanStory) -> float:
    """Of the samples' time from the scan's end to the alert: 0 where the scan alone rang.

    What the machine took stands in its metrics; here it would make other bytes of every replay.
    """
    return max(story.updated_utc_ns - record.end_utc_ns, 0) / MILLISECOND_NS


def _references(record: ScanRecord) -> list[Attributes]:
    """The pictures that the scan was read from; one that is none of DICOS has a UID of ours."""
    images = [] if record.source is None else [one for one in record.source.images if all(one)]
    own = (dicos.DX_PROCESSING, uid_of(record.sensor_id, record.scan_id, "image"))
    return [
        {0x00081150: ("UI", sop_class), 0x00081155: ("UI", instance)}
        for sop_class, instance in images or [own]
    ]


def _study(record: ScanRecord) -> str:
    source = record.source
    return (source and source.study) or uid_of(record.sensor_id, record.scan_id)


def _report(record: ScanRecord, story: ScanStory) -> Attributes:
    """What is said of the report and of what it is about."""
    scanned, clock = day_and_clock(record.start_utc_ns)
    decided, decided_clock = day_and_clock(story.updated_utc_ns)
    container = story.facts.get("container")
    return {
        0x00080005: ("CS", UTF_8),
        0x00080012: ("DA", decided),
        0x00080013: ("TM", decided_clock),
        0x00080016: ("UI", dicos.TDR),
        0x00080018: ("UI", uid_of(story.alert, record.sensor_id, record.scan_id)),
        0x00080020: ("DA", scanned),
        0x00080021: ("DA", scanned),
        0x00080023: ("DA", decided),
        0x00080030: ("TM", clock),
        0x00080031: ("TM", clock),
        0x00080033: ("TM", decided_clock),
        0x00080060: ("CS", "TDR"),
        0x00080070: ("LO", "Garita"),
        0x00080080: ("LO", _one(story.site)[:64]),
        0x00080081: ("ST", _line(story.place)[:1024]),
        0x00080201: ("SH", "+0000"),
        0x00081010: ("SH", _one(record.sensor_id)[:16]),
        0x00081090: ("LO", "Garita"),
        0x00081110: ("SQ", _references(record)),
        0x00100020: ("LO", _one(str(container or record.scan_id))[:64]),
        0x00100021: ("LO", "Garita"),
        0x00100022: ("CS", "TEXT"),
        0x00181000: ("LO", _one(record.sensor_id)[:64]),
        0x00181020: ("LO", SOFTWARE),
        0x00181200: ("DA", scanned),
        0x00181201: ("TM", clock),
        0x0020000D: ("UI", _study(record)),
        0x0020000E: ("UI", uid_of(record.sensor_id, record.scan_id, "reports")),
        0x00200010: ("SH", _one(record.scan_id)[-16:].strip() or "unknown"),
        0x00200013: ("IS", _revision(story)),
        0x00200052: ("UI", uid_of(record.sensor_id, record.scan_id, "frame")),
        0x00201040: ("LO", ""),
        **({0x40101021: ("CS", "INCOMPLETE_SCAN")} if record.partial else {}),
        0x40101024: ("CS", "SUCCESS" if not record.partial else "ABORT"),
        0x40101027: ("CS", "MACHINE"),
        0x40101029: ("LO", ["Garita", SOFTWARE]),
        0x4010102B: ("DT", f"{decided}{decided_clock}+0000"),
        0x4010103A: ("CS", dicos.VERSION),
        0x40101042: ("CS", "CARGO"),
        0x40101044: ("CS", "SUCCESSFUL" if not record.partial else "INCOMPLETE"),
        0x40101048: ("CS", "NON_OPERATIONAL" if story.exercise else "OPERATIONAL"),
        0x40101069: ("FL", _processing_ms(record, story)),
        0x4010106D: ("CS", "NO"),
    }


def _line(text: str) -> str:
    """Without what controls a terminal or a printer, which DICOM forbids in names."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _one(name: str) -> str:
    """A name as one value: in DICOM a backslash parts values."""
    return _line(name.replace("\\", "/"))


def _revision(story: ScanStory) -> str:
    number = story.alert.rpartition("/")[2]
    return number if number.isdecimal() and len(number) <= 9 else "1"


def _picture(record: ScanRecord, story: ScanStory) -> Attributes:
    """What is said of the picture that the boxes lie in."""
    energies = story.facts.get("energies_mev")
    high_mev = energies[0] if isinstance(energies, tuple) and energies else None
    kvp = f"{1000 * high_mev:g}" if isinstance(high_mev, int | float) else ""
    bits = 8 if "composite" in record.planes else 16
    return {
        0x00080008: ("CS", ["ORIGINAL", "INTENSITY"]),
        0x00080068: ("CS", "FOR PROCESSING" if bits == 16 else "FOR PRESENTATION"),
        0x00080118: ("CS", "MACHINE"),
        0x00082108: ("CS", "LHS"),
        0x00180060: ("DS", kvp),
        0x00181164: ("DS", [f"{record.pitch_y_mm:g}", f"{record.pitch_x_mm:g}"]),
        0x00187004: ("CS", ""),
        0x00188151: ("DS", ""),
        0x00189309: ("FD", 0.0),
        0x00200032: ("DS", ["0", "0", "0"]),
        0x00200037: ("DS", ["1", "0", "0", "0", "1", "0"]),
        **grey(min(record.rows, 65_535), min(record.columns, 65_535), bits),
        0x00400555: ("SQ", []),
        0x40101062: ("FL", 0.0),
        0x43000902: ("FL", 0.0),
    }
