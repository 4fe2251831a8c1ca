import io
from dataclasses import replace

import numpy as np
import pytest

from edge.evidence.scans.story import scan_story_of
from edge.evidence.scans.tdr import tdr
from fusion.types import Event
from tests.drivers.dicos_lists import ASSESSMENT, PICTURE, REPORT, THREAT
from tests.edge.evidence.scan_alerts import scan_alert
from tests.fusion.scan_records import FACTS, pixels, scan_record

pydicom = pytest.importorskip("pydicom")


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
    assert place.Mass >= 0.0
    assert place.Density >= 0.0


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
def test_a_scan_that_could_not_show_it_clears_nothing(record, facts):
    unseen = replace(record, facts={**FACTS, "regions": (), **facts})
    _, read = report(unseen, scan_alert(unseen, rings=(), event=Event.RAD_THREAT))
    assert (read.AlarmDecision, read.NumberOfAlarmObjects) == ("ALARM", 0)


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


@pytest.mark.parametrize("changes", [{}, {"partial": True}, {"planes": ("composite",)}])
@pytest.mark.parametrize("event", [Event.RAD_THREAT, Event.CARGO_MISMATCH, Event.SHIELDED_SOURCE])
def test_the_vendors_own_reader_takes_every_form_of_it(record, changes, event, tmp_path):
    record = replace(record, **changes)
    data, _ = report(record, scan_alert(record, rings=(), event=event, exercise=True))
    assert vendors(data, tmp_path / "report.dcs") is not None
