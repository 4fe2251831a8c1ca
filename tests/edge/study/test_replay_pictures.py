"""Single pictures through `garita replay`, without a configuration."""

import json

import cv2
import numpy as np
import pytest

from drivers.wire.sidecar import Sidecar
from edge.cli import main as garita
from edge.errors import EXIT_USAGE
from simulators.xray_dicos import dx
from tests.fusion.scans.pictures import box_picture, framed


def shown(capsys, *inputs) -> list[dict]:
    """The detections of these pictures, a line each."""
    assert garita(["replay", *map(str, inputs), "--show", "detections"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def scans(lines: list[dict]) -> list[dict]:
    return [line for line in lines if line["kind"] == "xray.scan"]


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures of three forms, one of them in colour."""
    folder = tmp_path / "gate-7"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.jpg"), framed(box_picture(), 0))
    cv2.imwrite(str(folder / "b.png"), box_picture(load=0.6))
    colour = cv2.cvtColor(255 - box_picture(load=0.6), cv2.COLOR_GRAY2BGR)
    cv2.imwrite(str(folder / "c.jpeg"), colour)
    cv2.imwrite(str(folder / "d.tif"), box_picture().astype(np.uint16) * 220)
    return folder


def test_a_folder_of_pictures_is_a_scan_each_in_the_order_of_their_names(pictures, capsys):
    found = scans(shown(capsys, pictures))
    assert [line["facts"]["scan_id"] for line in found] == ["a", "b", "c", "d"]
    assert [line["facts"]["empty"] for line in found] == [True, False, False, True]
    assert {line["sensor"] for line in found} == {"gate-7"}
    assert len({line["start"] for line in found}) == 4


def test_every_fact_of_the_contract_is_there_and_how_sure_it_is(pictures, capsys):
    (line,) = scans(shown(capsys, pictures / "a.jpg"))
    facts = line["facts"]
    assert {"empty", "fill", "geometry", "regions", "unpenetrated", "quality", "sure"} <= set(facts)
    assert {"empty", "fill", "geometry", "unpenetrated"} <= set(facts["sure"])
    assert facts["mass_kg"] is None


def test_siblings_are_one_scan(tmp_path, capsys):
    plane = box_picture(load=0.5).astype(np.uint16) * 220
    names = [tmp_path / "x_high.png", tmp_path / "x_low.png"]
    for name in names:
        cv2.imwrite(str(name), plane)
    (line,) = scans(shown(capsys, *names))
    assert line["facts"]["scan_id"] == "x"
    assert "no-low-plane" not in line["facts"]["notes"]


def test_a_pitch_can_be_told(pictures, capsys):
    name = pictures / "b.png"
    garita(["replay", str(name), "--set", "pitch_x_mm=24.4", "--show", "detections"])
    told = json.loads(capsys.readouterr().out.splitlines()[0])
    assert told["facts"]["geometry"]["pitch_x_mm"] == 24.4
    assert "pitch-from-box" not in told["facts"]["notes"]


def test_each_picture_that_cannot_be_read_is_told_by_its_name(pictures, capsys):
    for name in ("c.jpeg", "d.tif"):
        whole = (pictures / name).read_bytes()
        (pictures / name).write_bytes(whole[: len(whole) // 2])
    assert garita(["replay", str(pictures), "--show", "detections"]) == 0
    out, err = capsys.readouterr()
    found = scans([json.loads(line) for line in out.splitlines()])
    assert [line["facts"]["scan_id"] for line in found] == ["a", "b"]
    logged = [json.loads(line) for line in err.splitlines()]
    told = [entry for entry in logged if entry["event"] == "input malformed"]
    assert [entry["first"] for entry in told] == ["truncated", "truncated"]
    assert [entry["text"][:2] for entry in told] == ["c.", "d_"]


def test_a_preview_behind_a_plane_is_no_second_plane(tmp_path, capsys):
    plane = box_picture().astype(np.uint16) * 220
    cv2.imwritemulti(str(tmp_path / "a.tif"), [plane, plane[::8, ::8].copy()])
    (line,) = scans(shown(capsys, tmp_path / "a.tif"))
    assert "no-low-plane" in line["facts"]["notes"]


def test_a_picture_of_no_use_is_told_with_what_it_says_it_is(tmp_path, capsys):
    cv2.imwrite(
        str(tmp_path / "c.png"), np.dstack([np.full((40, 60), n, np.uint16) for n in (1, 2, 3)])
    )
    assert garita(["replay", str(tmp_path / "c.png"), "--show", "detections"]) == 0
    told = json.loads(capsys.readouterr().err.splitlines()[0])
    assert told["first"] == "unsupported"
    assert told["text"] == (
        "c_high.png c.json: 60 x 40, 16 bits, 3 a pixel: its colours differ, so they are no counts"
    )


def test_pictures_and_dicos_files_of_one_folder_are_read_each_by_their_own_reader(tmp_path, capsys):
    plane = box_picture().astype(np.uint16) * 220
    cv2.imwrite(str(tmp_path / "a.png"), plane)
    _, file = dx(plane[::-1], Sidecar(scan_id="b", start_utc_ns=10**18, end_utc_ns=10**18))
    (tmp_path / "b.dcs").write_bytes(file)
    found = scans(shown(capsys, tmp_path))
    assert [line["facts"]["scan_id"] for line in found] == ["a", "b"]
    assert [line["sensor"].rpartition("xray-")[2] for line in found] == ["planes", "dicos"]


@pytest.mark.parametrize("name", ["note.txt", "note.jpg", "note.tiff"])
def test_what_is_no_picture_is_said_to_be_none(tmp_path, capsys, name):
    (tmp_path / name).write_text("not a picture")
    assert garita(["replay", str(tmp_path / name), "--show", "detections"]) == EXIT_USAGE
    assert "not recognised" in capsys.readouterr().err
