"""Single pictures through `garita replay`, without a configuration."""

import json
import re
import shlex

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
    cv2.imwrite(str(names[0]), plane)
    dimmer = plane.max() * (plane / plane.max()) ** 1.17  # as 4 MV beside 6 MV
    cv2.imwrite(str(names[1]), dimmer.astype(np.uint16))
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
    assert [line for line in err.splitlines() if line.startswith("garita replay:")] == [
        "garita replay: not read: c.jpeg: it is cut short or spoilt",
        "garita replay: not read: d.tif: it is cut short or spoilt",
        "garita replay: 2 of 4 pictures read",
    ]


def test_where_not_one_picture_could_be_read_the_exit_code_says_so(pictures, capsys):
    for path in pictures.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    (pictures / "e.jpg").write_bytes(b"")
    assert garita(["replay", str(pictures), "--show", "detections"]) == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "garita replay: 0 of 5 pictures read" in err
    assert "e.jpg: it is cut short or spoilt (empty)" in err


def test_a_preview_behind_a_plane_is_no_second_plane(tmp_path, capsys):
    plane = box_picture().astype(np.uint16) * 220
    cv2.imwritemulti(str(tmp_path / "a.tif"), [plane, plane[::8, ::8].copy()])
    (line,) = scans(shown(capsys, tmp_path / "a.tif"))
    assert "no-low-plane" in line["facts"]["notes"]


def told(capsys, *inputs: object) -> tuple[int, str]:
    """The exit code, and all that is said to a person."""
    code = garita(["replay", *map(str, inputs), "--show", "detections"])
    return code, capsys.readouterr().err


def test_a_picture_of_no_use_is_told_with_what_it_says_it_is(tmp_path, capsys):
    colours = np.dstack([np.full((40, 60), n, np.uint16) for n in (1, 2, 3)])
    cv2.imwrite(str(tmp_path / "c.png"), colours)
    code, err = told(capsys, tmp_path / "c.png")
    assert code == EXIT_USAGE
    assert (
        "not read: c.png: this form is not read "
        "(60 x 40, 16 bits, colour: its colours differ, so they are no counts)"
    ) in err


def test_a_person_reads_what_was_found_in_words_and_how_sure_it_is(pictures, capsys):
    _, err = told(capsys, pictures / "b.png")
    lines = err.splitlines()
    assert lines[0].startswith("b.png (560 x 180, 8 bits, grey): taken for an 8-bit display")
    labels = [line[2:15].strip() for line in lines[1:] if line.startswith("  ")]
    wanted = ["empty", "fill", "geometry", "regions", "unpenetrated", "quality", "noted"]
    assert [label for label in labels if label] == wanted
    ends = {len(line) for line in lines if line.endswith("% sure")}
    assert len(ends) == 1  # a column


def test_a_single_plane_is_what_it_holds_whatever_it_is_called(tmp_path, capsys):
    plane = box_picture(load=0.6)
    cv2.imwrite(str(tmp_path / "my truck_low.tif"), plane.astype(np.uint16) * 220)
    cv2.imwrite(str(tmp_path / "of 8 bits_high.png"), plane)
    code, err = told(capsys, *sorted(tmp_path.iterdir()))
    assert code == 0
    assert "my truck_low.tif (560 x 180, 16 bits, grey): taken for" in err
    assert "by its name the low-energy plane, without the high one" in err
    assert "of 8 bits_high.png (560 x 180, 8 bits, grey): taken for an 8-bit display" in err


def test_two_pictures_of_one_name_are_two_scans(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "a.png"), box_picture())
    cv2.imwrite(str(tmp_path / "a.jpg"), box_picture(load=0.6))
    found = scans(shown(capsys, tmp_path / "a.jpg", tmp_path / "a.png"))
    assert sorted(line["facts"]["empty"] for line in found) == [False, True]


def test_any_name_and_many_files_of_one_name_are_taken(tmp_path, capsys):
    for number, name in enumerate(['a "b": c.png', "ñandú [1].png", "x" * 200 + ".png", "-.png"]):
        cv2.imwrite(str(tmp_path / "x.png"), box_picture(load=number / 5))
        (tmp_path / "x.png").rename(tmp_path / name)
    for number in range(20):
        ok, data = cv2.imencode(".bmp", box_picture(load=number / 40))
        assert ok
        (tmp_path / f"same.{number}").write_bytes(data)
    assert len(scans(shown(capsys, tmp_path))) == 24


def test_a_file_too_large_for_a_scan_is_not_even_read(tmp_path, capsys, pictures):
    with (tmp_path / "gate-7" / "huge.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(1 << 32)
    code, err = told(capsys, pictures)
    assert code == 0
    assert "not read: huge.png: it is too large (at most 127 MB" in err
    assert "4 of 5 pictures read" in err


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("by_columns", [False, True])
def test_raw_pixels_that_nobody_described_bring_what_to_write(tmp_path, capsys, order, by_columns):
    random = np.random.default_rng(1)
    coarse = random.integers(5_000, 60_000, (30, 80)).astype(np.uint16)
    plane = cv2.resize(coarse, (1600, 600)) + random.integers(0, 900, (600, 1600)).astype("u2")
    lines = plane.T if by_columns else plane
    data = bytes(64) + lines.astype("<u2" if order == "little" else ">u2").tobytes()
    (tmp_path / "plane 7.raw").write_bytes(data)
    (tmp_path / "x_high.raw").write_bytes(data)
    code, err = told(capsys, tmp_path / "x_high.raw")
    assert code == EXIT_USAGE
    assert "garita replay x_high.raw --kind" in err
    code, err = told(capsys, tmp_path / "plane 7.raw")
    assert code == EXIT_USAGE
    hint = re.search(r"try `garita (.*?)`", err).group(1)
    assert ("raw_order=big" in hint, "raw_column_major" in hint) == (order == "big", by_columns)
    words = [str(tmp_path / word) if " " in word else word for word in shlex.split(hint)]
    assert garita(words) == 0
    assert scans([json.loads(line) for line in capsys.readouterr().out.splitlines()])


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
