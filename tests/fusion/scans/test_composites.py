"""Display pictures: what is told of them, whatever was done to them."""

import cv2
import numpy as np
import pytest

from fusion.scans.composite_clean import clean
from fusion.types import Origin, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse, detections
from tests.fusion.scans.pictures import box_picture, framed, written_on

POLICY = XrayPolicy()
DONE_TO = {
    "nothing": lambda grey: grey,
    "inverted": lambda grey: 255 - grey,
    "mirrored": lambda grey: grey[:, ::-1],
    "black frame": lambda grey: framed(grey, 0),
    "white frame": lambda grey: framed(grey, 255),
    "grey frame": lambda grey: framed(grey, 128),
    "two frames": lambda grey: framed(framed(grey, 255, 12), 0, 5),
    "black text": lambda grey: written_on(grey, 0),
    "white text": lambda grey: written_on(grey, 255),
    "JPEG of quality 40": lambda grey: packed(grey, 40),
    "twice as large": lambda grey: np.kron(grey, np.ones((2, 2), np.uint8)),
    "box alone": lambda grey: grey[30:-30, 30:-30],
    "askew": lambda grey: turned(grey, 0.8),
}


def packed(grey, quality):
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def turned(grey, degrees):
    rows, columns = grey.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    return cv2.warpAffine(grey, turn, (columns, rows), borderMode=cv2.BORDER_REPLICATE)


def scan_of(composite=None, high=None, **changes) -> ScanSample:
    told = {
        "sensor_id": "xray-1",
        "origin": Origin.REPLAY,
        "start_utc_ns": 0,
        "duration_ms": 0,
        "scan_id": "s",
        "high": high,
        "low": None,
        "composite": None if composite is None else np.ascontiguousarray(composite),
        "pitch_x_mm": 8.0,
        "pitch_y_mm": 8.0,
        "declared": "",
        "container": "",
        "digests": (),
        "pitch_known": False,
    }
    return ScanSample(**{**told, **changes})


def told(composite) -> ScanFinding:
    return analyse(scan_of(composite), POLICY)


@pytest.mark.parametrize("load", [0.0, 0.5, 0.95], ids=["empty", "half full", "full"])
@pytest.mark.parametrize("change", DONE_TO, ids=str)
def test_empty_and_loaded_are_told_whatever_was_done_to_the_picture(change, load):
    finding = told(DONE_TO[change](box_picture(load=load)))
    assert finding.empty == (load == 0.0)
    assert (finding.fill > 0.2) == (load > 0.0)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.2])
def test_a_display_curve_changes_neither_emptiness_nor_box(gamma):
    empty, loaded = (told(box_picture(load=load, gamma=gamma)) for load in (0.0, 0.6))
    assert empty.empty and not loaded.empty
    for finding in (empty, loaded):
        assert dict(finding.geometry)["container_ft"] == 40.0


@pytest.mark.parametrize("change", ["nothing", "inverted", "black frame", "twice as large"])
def test_the_box_is_placed_in_the_pictures_own_pixels(change):
    finding = told(DONE_TO[change](box_picture(load=0.5)))
    frame, scale = (25 if "frame" in change else 0), (2 if "twice" in change else 1)
    places, record = dict(finding.geometry), finding.record
    left = record.front_column + places["box_from_m"] * 1000.0 / record.pitch_x_mm
    right = record.front_column + places["box_to_m"] * 1000.0 / record.pitch_x_mm
    roof = record.bottom_row - places["roof_m"] * 1000.0 / record.pitch_y_mm
    assert left == pytest.approx(scale * (30 + frame), abs=4 * scale)
    assert right == pytest.approx(scale * (530 + frame), abs=4 * scale)
    assert roof == pytest.approx(scale * (30 + frame), abs=4 * scale)
    assert places["box_to_m"] - places["box_from_m"] == pytest.approx(12.192, abs=0.01)


def test_what_was_done_about_it_is_said():
    plain = told(box_picture())
    assert {"composite-only", "gamma-assumed", "pitch-from-box"} <= set(plain.notes)
    assert "inverted" in told(255 - box_picture()).notes
    assert "frame-cut" in told(framed(box_picture(), 0)).notes
    assert "text-left-out" in told(written_on(box_picture(), 0)).notes
    assert not {"inverted", "frame-cut", "text-left-out"} & set(plain.notes)


def test_neither_mass_nor_material_nor_regions_are_told():
    finding = told(box_picture(load=0.7))
    assert finding.mass_kg is None and finding.materials == () and finding.regions == ()


def test_every_result_says_how_sure_it_is():
    sure = dict(told(box_picture()).sure)
    assert set(sure) == {"empty", "fill", "geometry", "unpenetrated", "container", "pitch"}
    assert all(0.0 <= value <= 0.97 for value in sure.values())


def test_a_pitch_that_is_known_is_kept():
    finding = analyse(scan_of(box_picture(), pitch_known=True, pitch_x_mm=24.4), POLICY)
    places = dict(finding.geometry)
    assert places["pitch_x_mm"] == 24.4
    assert places["container_ft"] == 40.0
    assert abs(places["speed_error"]) < 0.02


def test_a_car_has_no_box_and_nothing_is_claimed():
    picture = np.full((200, 420), 235, np.uint8)
    body = [
        (60, 150),
        (75, 110),
        (130, 100),
        (175, 60),
        (260, 60),
        (310, 105),
        (370, 115),
        (380, 150),
    ]
    cv2.fillPoly(picture, [np.array(body)], 150)
    for x in (120, 320):
        cv2.circle(picture, (x, 150), 26, 60, -1)
    finding = told(picture)
    assert "no-box" in finding.notes
    assert dict(finding.sure)["empty"] == 0.5
    assert finding.empty_nats == 0.0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_nothing_is_no_vehicle(level):
    finding = told(np.full((300, 900), level, np.uint8))
    assert "no-vehicle" in finding.notes
    assert finding.length_m == 0.0


@pytest.mark.parametrize("shape", [(12, 12), (13, 900), (700, 14), (40, 60), (900, 900)])
def test_any_picture_gives_a_finding(shape):
    noise = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    for picture in (noise, np.tri(*shape, dtype=np.uint8) * 200):
        finding = told(picture)
        assert 0.0 <= finding.fill <= 1.0 and 0.0 <= finding.unpenetrated <= 1.0


def test_a_plane_without_any_air_is_worth_no_more_than_a_picture():
    inside = box_picture(load=0.6)[30:-30, 30:-30].astype(np.uint16) * 200
    finding = analyse(scan_of(high=inside), POLICY)
    assert not finding.empty and finding.mass_kg is None
    assert {"no-air-columns", "no-air-band", "gamma-assumed"} <= set(finding.notes)


@pytest.mark.parametrize("gone", [{"partial": True}, {"lost_columns": ((100, 110),)}], ids=str)
def test_a_picture_of_which_some_is_missing_is_never_called_empty(gone):
    whole = analyse(scan_of(box_picture()), POLICY)
    finding = analyse(scan_of(box_picture(), **gone), POLICY)
    assert whole.empty and whole.empty_nats > 0.0
    assert (finding.empty, finding.empty_nats) == (False, 0.0)
    assert dict(finding.sure)["empty"] == 0.5
    loaded = analyse(scan_of(box_picture(load=0.5), **gone), POLICY)
    assert loaded.empty_nats < 0.0


def test_letters_leave_no_trace_on_the_walls():
    grey = box_picture()
    ink = written_on(grey, 0)
    away = np.abs(clean(ink).grey.astype(int) - clean(grey).grey.astype(int))
    assert np.count_nonzero(np.abs(ink.astype(int) - grey) > 60) > 300
    assert np.count_nonzero(away > 60) < 20
    assert told(ink).fill < 0.01


def other_pictures():
    random = np.random.default_rng(7)
    noise = random.integers(0, 256, (500, 1200)).astype(np.uint8)
    page = np.full((600, 900), 255, np.uint8)
    for y in range(30, 600, 24):
        cv2.putText(page, "SCAN 004711 MSKU 907032 3 gate", (40, y), 0, 0.6, 0, 1)
    slope = np.broadcast_to(np.linspace(0, 255, 900), (400, 900)).astype(np.uint8)
    logo = np.full((400, 700), 255, np.uint8)
    cv2.circle(logo, (200, 200), 60, 90, -1)
    cv2.putText(logo, "CUSTOMS", (280, 230), 0, 2.5, 30, 6)
    return {"noise": noise, "page": page, "slope": slope, "logo": logo}


@pytest.mark.parametrize("kind", ["noise", "page", "slope", "logo"])
def test_of_what_is_no_cargo_picture_nothing_is_claimed(kind):
    finding = told(other_pictures()[kind])
    assert dict(finding.sure)["empty"] < 0.65
    assert not finding.empty or "emptiness-unknown" in finding.notes
    assert dict(finding.sure)["geometry"] < 0.5


def test_a_light_thing_on_the_floor_is_a_load():
    grey = box_picture()
    grey[118:140, 300:330] = 120
    finding = told(grey)
    assert not finding.empty
    assert dict(finding.sure)["empty"] > 0.75


def test_a_thin_line_within_a_frame_is_no_box():
    grey = framed(framed(box_picture(load=0.5), 0, 3), 255, 20)
    places, plain = dict(told(grey).geometry), dict(told(box_picture(load=0.5)).geometry)
    for name in ("box_from_m", "box_to_m", "roof_m"):
        assert places[name] == pytest.approx(plain[name], abs=0.3)


def test_a_viewers_bar_of_text_is_cut_off():
    grey = np.pad(box_picture(), ((40, 20), (0, 0)), constant_values=60)
    cv2.putText(grey, "Image viewer - 004711.jpg", (6, 22), 0, 0.5, 230, 1)
    finding = told(grey)
    assert "frame-cut" in finding.notes
    assert finding.empty and dict(finding.geometry)["container_ft"] == 40.0


def ribbed(feet, columns=900, rows=190):
    """A box whose pixels are not square, with the ribs that its length has."""
    grey = cv2.resize(box_picture(), (columns + 60, rows + 60), interpolation=cv2.INTER_AREA)
    periods = {40: 12.192, 45: 13.716}[feet] / 0.278
    along = np.arange(grey.shape[1]) * periods / (columns * 500 / 502)
    wave = 8.0 * np.sin(2 * np.pi * along)
    inside = slice(70, -90), slice(80, -80)
    part = cv2.GaussianBlur(grey, (0, 0), 6)[inside] + wave[None, inside[1]]
    grey[inside] = np.clip(part, 0, 255).astype(np.uint8)
    return grey


@pytest.mark.parametrize("feet", [40, 45])
def test_ribs_tell_45_ft_from_40(feet):
    assert dict(told(ribbed(feet)).geometry)["container_ft"] == feet


def test_a_black_that_is_the_displays_own_is_said_to_be_doubtful():
    grey = box_picture(load=0.5)
    grey[100:138, 100:300] = 0
    finding = told(grey)
    assert finding.unpenetrated > 0.1
    assert "black-may-be-display" in finding.notes
    assert dict(finding.sure)["unpenetrated"] < 0.5
    # It stands in the finding and asks nobody to look.
    assert "xray.unpenetrated" not in {one.kind for one in detections(finding, POLICY)}
