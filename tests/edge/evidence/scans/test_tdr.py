import io
import math
from dataclasses import replace

import numpy as np
import pytest

from drivers.wire import dicos
from edge.evidence.scans.story import scan_story_of
from edge.evidence.scans.tdr import tdr
from fusion.types import Event, ScanSource
from tests.drivers.dicos_lists import ASSESSMENT, PICTURE, REPORT, THREAT
from tests.edge.evidence.scan_alerts import scan_alert
from tests.fusion.scan_records import FACTS, pixels, scan_record

pydicom = pytest.importorskip("pydicom")


OF_DICOS = (0x00080118, 0x40101075)
"""Its own use of a number (CS MACHINE), and FD where DICOM has DS."""


@pytest.fixture(scope="module")
def record():
    return scan_record(pixels(rows=120, columns=400))


def report(record, alert):
    """The file and what pydicom reads of it."""
    data = tdr(record, scan_story_of(alert, record))
    return data, pydicom.dcmread(io.BytesIO(data))


def test_it_is_a_report_of_version_3(record):
    _, read = report(record, scan_alert(record))
    assert read.file_meta.MediaStorageSOPClassUID.endswith(".501.3")
    assert read.file_meta[0x00020004].value == "V03"
    assert (read.Modality, read.OOIType, read.DICOSVersion) == ("TDR", "CARGO", "V03")
    assert read.ThreatDetectionAlgorithmAndVersion[0] == "Garita"
    assert read.SOPInstanceUID.is_valid
    assert read.StudyInstanceUID.is_valid


def test_it_carries_the_mandatory_attributes_of_report_and_picture(record):
    _, read = report(record, scan_alert(record))
    assert len(PICTURE) == 59
    assert [hex(tag) for tag in (*PICTURE, *REPORT) if tag not in read] == []
    for threat in read.ThreatSequence:
        assert [hex(tag) for tag in THREAT if tag not in threat] == []
        assert [hex(tag) for tag in ASSESSMENT if tag not in threat.ATDAssessmentSequence[0]] == []


def test_what_rings_is_a_threat_and_the_rest_is_told_too(record):
    _, read = report(record, scan_alert(record, rings=(0,)))
    assert read.AlarmDecision == "ALARM"
    assert read.NumberOfTotalObjects == len(FACTS["regions"])
    assert read.NumberOfAlarmObjects == 1
    first = read.ThreatSequence[0]
    assessment = first.ATDAssessmentSequence[0]
    assert assessment.ATDAssessmentFlag == "THREAT"
    assert assessment.ThreatCategory == "ANOMALY"
    assert assessment.ATDAssessmentProbability == pytest.approx(scan_alert(record).probability)
    assert len(assessment.ThreatCategoryDescription) > 10
    place = first.PTORepresentationSequence[0]
    region = FACTS["regions"][0]
    _, _, columns, rows = box_around(record, region)
    width_cm, height_cm = columns * record.pitch_x_mm / 10, rows * record.pitch_y_mm / 10
    mass_g = region["excess_g_cm2"] * width_cm * height_cm
    assert place.Mass == pytest.approx(1000 * region.get("mass_kg", mass_g / 1000), rel=1e-5)
    volume_cm3 = width_cm * height_cm * min(width_cm, height_cm)
    assert place.Density == pytest.approx(place.Mass / volume_cm3, rel=1e-5)


def test_a_region_lies_where_it_is_along_the_vehicle(record):
    _, read = report(record, scan_alert(record))
    region = FACTS["regions"][0]
    place = read.ThreatSequence[0].PTORepresentationSequence[0].ThreatROIVoxelSequence[0]
    scale = float(read.ImageScaleRepresentation)
    column, row, _ = (value * scale for value in place.ThreatROIBase)
    columns, rows, depth = place.ThreatROIExtents
    assert depth == 1.0
    at_m = (column + columns * scale / 2 - record.front_column) * record.pitch_x_mm / 1000
    assert at_m == pytest.approx((region["from_m"] + region["to_m"]) / 2, abs=0.1)
    top_m = (record.bottom_row - row) * record.pitch_y_mm / 1000
    assert top_m == pytest.approx(region["top_m"], abs=0.1)
    bits = np.unpackbits(np.frombuffer(place.ThreatROIBitmap, np.uint8), bitorder="little")
    assert bits[: int(columns * rows)].all()


def test_a_load_that_is_not_as_declared_is_one_object(record):
    alert = scan_alert(record, rings=(), event=Event.CARGO_MISMATCH)
    _, read = report(record, alert)
    assert read.AlarmDecision == "ALARM"
    assert read.NumberOfAlarmObjects == 1
    assert read.ThreatSequence[-1].ATDAssessmentSequence[0].ATDAssessmentFlag == "THREAT"


def test_a_scan_of_which_nothing_rings_is_clear_unless_it_broke_off(record):
    quiet = scan_alert(record, rings=(), event=Event.RAD_THREAT)
    _, read = report(record, quiet)
    assert (read.AlarmDecision, read.NumberOfAlarmObjects) == ("CLEAR", 0)
    _, read = report(replace(record, partial=True), quiet)
    assert (read.AlarmDecision, read.AbortFlag) == ("ALARM", "ABORT")


@pytest.mark.parametrize(
    "facts",
    [
        {"length_m": 0.0, "notes": ("no-vehicle",)},
        {"sure": {"empty": 0.5}},
        {"unpenetrated": 0.2},
    ],
    ids=["no-vehicle", "no-box-or-blind", "hidden"],
)
def test_a_scan_that_could_not_show_it_clears_nothing(record, facts, tmp_path):
    unseen = replace(record, facts={**FACTS, "regions": (), **facts})
    data, read = report(unseen, scan_alert(unseen, rings=(), event=Event.RAD_THREAT))
    assert (read.AlarmDecision, read.NumberOfAlarmObjects) == ("ALARM", 0)
    (one,) = read.ThreatSequence
    assert one.ATDAssessmentSequence[0].ATDAssessmentFlag == "UNKNOWN"
    assert vendors(data, tmp_path / "report.dcs") is not None


def test_a_backslash_in_a_name_parts_nothing(record):
    odd = replace(record, scan_id="a\\b", facts={**FACTS, "container": "c\\d"})
    _, read = report(odd, scan_alert(odd))
    assert (read.PatientID, read.StudyID) == ("c/d", "a/b")


def test_an_exercise_is_not_operational(record):
    assert report(record, scan_alert(record, exercise=True))[1].ScanType == "NON_OPERATIONAL"
    assert report(record, scan_alert(record, exercise=False))[1].ScanType == "OPERATIONAL"


def test_the_bytes_are_the_same_every_time(record):
    assert report(record, scan_alert(record))[0] == report(record, scan_alert(record))[0]


def test_a_large_region_does_not_fill_the_message():
    facts = {**FACTS, "regions": tuple({**one, "from_m": 0.0, "to_m": 99.0, "bottom_m": 0.0,
                                        "top_m": 9.0} for one in FACTS["regions"])}  # fmt: skip
    large = scan_record(pixels(rows=600, columns=2000), facts=facts)
    data, read = report(large, scan_alert(large, facts=facts))
    assert len(data) < 90_000
    assert float(read.ImageScaleRepresentation) > 1.0


def vendors(data, path, change=lambda read: None):
    """What the vendors' own reader makes of the file; None where it refuses it."""
    pydicos = pytest.importorskip("pydicos")
    read = pydicom.dcmread(io.BytesIO(data))
    change(read)
    read.save_as(path, enforce_file_format=False, overwrite=True)
    try:
        return pydicos.dcsread(str(path), pydicos.TDRLoader())
    except RuntimeError:
        return None


def test_the_vendors_own_reader_takes_it_and_refuses_it_without_any_of_them(record, tmp_path):
    data, _ = report(record, scan_alert(record))
    path = tmp_path / "report.dcs"
    told = vendors(data, path)
    assert told is not None
    assert len(told) == len(FACTS["regions"])
    assert told.GetNumAlarmObjects() == 1
    assert told.GetOOIID().Get() == FACTS["container"]
    for tag in REPORT:
        assert vendors(data, path, lambda read, tag=tag: read.__delitem__(tag)) is None, hex(tag)
    for tag in THREAT:
        without = vendors(data, path, lambda read, tag=tag: read.ThreatSequence[0].__delitem__(tag))
        assert without is None, hex(tag)


def test_the_vendors_own_reader_reads_the_very_values(record, tmp_path):
    sdk = pytest.importorskip("pyDICOS")
    alert = scan_alert(record, rings=(0,), exercise=False)
    data, read = report(record, alert)
    loaded = vendors(data, tmp_path / "report.dcs")
    told = loaded.get_data()
    assert told["TDRType"] == sdk.TDR_TYPE.enumMachine
    assert told["AlarmDecision"] == sdk.ALARM_DECISION.enumAlarm
    assert told["OOIType"] == sdk.OBJECT_OF_INSPECTION_TYPE.enumTypeCargo
    assert told["ScanType"] == sdk.SCAN_TYPE.enumOperational
    assert told["ImageScaleRepresentation"] == 1.0
    assert told["ProcessingTime"] == pytest.approx(read.TotalProcessingTime)
    status = loaded.GetSeriesAcquisitionStatus()
    assert status == sdk.ACQUISITION_STATUS.enumSuccessful
    assert loaded.GetNumberOfObjects(0, 0) == (True, len(told["PTOs"]), 1)
    assert [one["ID"] for one in told["PTOs"]] == list(range(1, len(FACTS["regions"]) + 1))
    for number, one in enumerate(told["PTOs"]):
        flags, rings = sdk.ASSESSMENT_FLAG, number == 0
        assessed = one["Assessment"]
        assert assessed["flag"] == (flags.enumThreat if rings else flags.enumUnknown)
        assert assessed["category"] == sdk.THREAT_CATEGORY.enumAnomaly
        assert assessed["ability"] == sdk.ABILITY_ASSESSMENT.enumNoInterference
        assert assessed["probability"] == pytest.approx(alert.probability if rings else -1.0)
        assert " / " in assessed["description"]


def test_box_polygon_and_bitmap_are_the_pixels_that_a_region_touches(record):
    _, read = report(record, scan_alert(record))
    for one, region in zip(read.ThreatSequence, FACTS["regions"], strict=True):
        left, top, right, bottom = box_of(record, region)
        (told,) = one.PTORepresentationSequence
        (place,) = told.ThreatROIVoxelSequence
        assert list(place.ThreatROIBase) == [left, top, 0.0]
        assert list(place.ThreatROIExtents) == [right - left, bottom - top, 1.0]
        corners = [left, top, 0, right, top, 0, right, bottom, 0, left, bottom, 0]
        assert list(told.BoundingPolygon) == corners
        bits = np.unpackbits(np.frombuffer(place.ThreatROIBitmap, np.uint8), bitorder="little")
        assert bits.sum() == (right - left) * (bottom - top)


def box_of(record, region):
    """Left, top, right and bottom of the pixels that the region touches."""
    along, up = 1000.0 / record.pitch_x_mm, 1000.0 / record.pitch_y_mm
    return (
        math.floor(record.front_column + region["from_m"] * along),
        math.floor(record.bottom_row - region["top_m"] * up),
        math.ceil(record.front_column + region["to_m"] * along),
        math.ceil(record.bottom_row - region["bottom_m"] * up),
    )


def box_around(record, region):
    """First column, first row, columns and rows."""
    left, top, right, bottom = box_of(record, region)
    return left, top, right - left, bottom - top


@pytest.mark.parametrize(
    ("partial", "event", "words", "objects"),
    [
        (False, Event.RAD_THREAT, ("enumClear", "enumSuccessful", "SUCCESS", None), (0, 0)),
        (True, Event.RAD_THREAT, ("enumAlarm", "enumIncomplete", "ABORT", "INCOMPLETE_SCAN"),
         (1, 0)),
        (False, Event.CARGO_MISMATCH, ("enumAlarm", "enumSuccessful", "SUCCESS", None), (1, 1)),
    ],
    ids=["clear", "broken-off", "the-load-as-a-whole"],
)  # fmt: skip
def test_the_vendors_own_reader_reads_every_state_of_it(partial, event, words, objects, tmp_path):
    sdk = pytest.importorskip("pyDICOS")
    facts = {**FACTS, "regions": ()}
    seen = scan_record(pixels(rows=120, columns=400), facts=facts, partial=partial)
    data, read = report(seen, scan_alert(seen, rings=(), event=event))
    loaded = vendors(data, tmp_path / "report.dcs")
    decision, status, abort, reason = words
    assert loaded.GetAlarmDecision() == getattr(sdk.ALARM_DECISION, decision)
    assert loaded.GetSeriesAcquisitionStatus() == getattr(sdk.ACQUISITION_STATUS, status)
    assert loaded.GetNumberOfObjects(0, 0) == (True, *objects)
    # Of these that reader gives none of a file back, not even of one of its own.
    assert (read.AbortFlag, read.get("AbortReason")) == (abort, reason)


@pytest.mark.parametrize("tag", ASSESSMENT)
def test_the_vendors_own_reader_knows_our_words_and_no_others(record, tag, tmp_path):
    sdk = pytest.importorskip("pyDICOS")
    data, _ = report(record, scan_alert(record, rings=(0,)))

    def change(read):
        read.ThreatSequence[0].ATDAssessmentSequence[0][tag].value = "GARITA"

    loaded = vendors(data, tmp_path / "report.dcs", change)
    unknown = {
        0x40101012: ("GetPTOAssessmentThreatCategory", sdk.THREAT_CATEGORY),
        0x40101014: ("GetPTOAssessmentAbility", sdk.ABILITY_ASSESSMENT),
        0x40101015: ("GetPTOAssessmentFlag", sdk.ASSESSMENT_FLAG),
    }
    getter, words = unknown[tag]
    (other,) = (getattr(words, name) for name in dir(words) if name.startswith("enumUnknown")
                and name != "enumUnknown")  # fmt: skip
    told = None if loaded is None else getattr(loaded, getter)(1, 0)
    assert told in (None, other)


def test_it_refers_to_the_pictures_that_the_scan_was_read_from(record):
    images = ((dicos.DX_PROCESSING, "1.2.3.4"), (dicos.DX_PROCESSING, "1.2.3.5"))
    source = ScanSource(study="1.2.3", images=images)
    _, read = report(*_of_source(record, source))
    sequences = [read.ReferencedStudySequence] + [
        one.PTORepresentationSequence[0].ReferencedInstanceSequence for one in read.ThreatSequence
    ]
    for each in sequences:
        told = tuple((one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in each)
        assert told == images
    assert read.StudyInstanceUID == "1.2.3"


def test_boxes_lie_in_the_picture_that_was_read_even_where_its_front_is_at_the_right(record):
    source = ScanSource(study="1.2.3", images=((dicos.DX_PROCESSING, "1.2.3.4"),), mirrored=True)
    _, plain = report(record, scan_alert(record))
    _, turned = report(*_of_source(record, source))
    for one, other in zip(plain.ThreatSequence, turned.ThreatSequence, strict=True):
        first, second = (
            each.PTORepresentationSequence[0].ThreatROIVoxelSequence[0] for each in (one, other)
        )
        assert second.ThreatROIExtents == first.ThreatROIExtents
        column, row, _ = first.ThreatROIBase
        expected = record.columns - column - first.ThreatROIExtents[0]
        assert list(second.ThreatROIBase) == [expected, row, 0.0]


def _of_source(record, source):
    seen = replace(record, source=source)
    return seen, scan_alert(seen)


def test_names_hold_every_letter_and_nothing_that_controls(record):
    odd = replace(record, scan_id="ñandú \x1b[31m\n7", sensor_id="rayos-ü")
    alert = scan_alert(odd)
    data, read = report(odd, alert)
    assert read.SpecificCharacterSet == "ISO_IR 192"
    assert read.StudyID == "ñandú [31m 7"
    words = read.ThreatSequence[0].ATDAssessmentSequence[0].ThreatCategoryDescription
    assert words == " / ".join(scan_story_of(alert, odd).regions[0].words)
    assert b"\x1b" not in data


def test_pydicom_finds_nothing_to_complain_of(record):
    config = pydicom.config.settings
    before, config.reading_validation_mode = config.reading_validation_mode, pydicom.config.RAISE
    try:
        _, read = report(record, scan_alert(record))
        read.walk(lambda dataset, element: element.value)  # converts and checks each
    finally:
        config.reading_validation_mode = before
    assert [element for element in read.iterall() if element.tag.is_private] == []
    for element in read.iterall():
        # What DICOM's dictionary knows has its type, but for two that DICOS has otherwise.
        if pydicom.datadict.dictionary_has_tag(element.tag) and element.tag not in OF_DICOS:
            assert element.VR in pydicom.datadict.dictionary_VR(element.tag), element
    uids = [read.SOPInstanceUID, read.SeriesInstanceUID, read.StudyInstanceUID,
            read.FrameOfReferenceUID]  # fmt: skip
    assert len(set(uids)) == 4
    assert all(uid.is_valid for uid in uids)


@pytest.mark.parametrize("changes", [{}, {"partial": True}, {"planes": ("composite",)}])
@pytest.mark.parametrize("event", [Event.RAD_THREAT, Event.CARGO_MISMATCH, Event.SHIELDED_SOURCE])
def test_the_vendors_own_reader_takes_every_form_of_it(record, changes, event, tmp_path):
    record = replace(record, **changes)
    data, _ = report(record, scan_alert(record, rings=(), event=event, exercise=True))
    assert vendors(data, tmp_path / "report.dcs") is not None
