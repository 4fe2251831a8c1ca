from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from edge.evidence.scans.planes import whole_name
from edge.evidence.scans.ready import Naming, ready
from fusion.types import Origin, ScanFinding, ScanRegion, ScanSample
from tests.fusion.makers import START_UTC_NS
from tests.fusion.scan_records import pixels, scan_record


def finding(record, **changes):
    region = ScanRegion(
        from_m=14.0, to_m=14.6, bottom_m=1.6, top_m=2.2, excess_g_cm2=92.0, sigma=14.2,
        material="dense",
    )  # fmt: skip
    told = ScanFinding(
        sensor_id="xray-1", origin=Origin.SENSOR, start_utc_ns=START_UTC_NS, duration_ms=9000,
        scan_id="scan-1", length_m=17.5, declared="", container="", empty=False, empty_nats=-9.0,
        fill=0.4, homogeneity=0.5, unpenetrated=0.0, regions=(region,), quality=(), notes=(),
        record=record,
    )  # fmt: skip
    return replace(told, **changes)


def sample(**changes):
    told = ScanSample(
        sensor_id="xray-1", origin=Origin.SENSOR, start_utc_ns=START_UTC_NS, duration_ms=9000,
        scan_id="scan-1", high=None, low=None, composite=None, pitch_x_mm=8.0, pitch_y_mm=8.0,
        declared="", container="", digests=(),
    )  # fmt: skip
    return replace(told, **changes)


@pytest.fixture(scope="module")
def record():
    return scan_record(pixels(300, 1000))


def test_what_is_left_of_a_scan_is_its_sheet_and_its_file(record):
    made = ready(finding(record)).record
    assert made.pixels is None
    assert made.sheet.shape[1] == 1560
    assert made.tiff.startswith(b"II*\0")
    assert made.whole.encode() in made.tiff


def test_the_whole_planes_are_offered_with_their_name(record):
    offered = []
    made = ready(finding(record), lambda *given: offered.append(given)).record
    ((given, name),) = offered
    assert given.pixels is record.pixels
    assert name == made.whole


@pytest.mark.parametrize("other", [False, True])
def test_a_name_found_while_it_was_measured_is_that_of_the_pixels(record, other):
    scan = sample(high=record.pixels.high, low=record.pixels.low)
    # What was measured may be other pixels than what came: its name is its own.
    changed = replace(record.pixels, high=record.pixels.high[:, 1:]) if other else record.pixels
    assert Naming(scan).of(changed) == whole_name(changed)


def test_what_is_told_while_the_vehicle_still_moves_has_no_files(record):
    assert ready(finding(record, interim=True)).record is None


def test_a_scan_without_a_picture_stays_as_it_is():
    told = finding(None)
    assert ready(told) is told


def test_a_record_that_cannot_be_drawn_costs_its_files_and_not_the_finding(record):
    broken = replace(record, pixels=replace(record.pixels, groups=None))
    with capture_logs() as logs:
        told = ready(finding(broken))
    assert told.record is None
    assert told.regions
    assert [log["event"] for log in logs] == ["evidence cannot be made"]
