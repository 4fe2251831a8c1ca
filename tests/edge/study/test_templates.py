"""`garita templates`: what it prints, keeps and draws."""

import cv2
import msgspec
import numpy as np

from edge import cli
from edge.study.templates import DETECTORS, chosen
from fusion.types import DetectorSpec


def test_it_prints_a_line_per_template(capsys):
    assert cli.main(["templates"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("nai-2x4x16: NaI 5.08 x 10.2 x 40.6 cm, 7 % at 661.7 keV")
    caesium = [line for line in lines if line.startswith("Cs-137")]
    assert len(caesium) > 8
    assert all("industrial" in line and line.endswith("661.7") for line in caesium)


def test_it_keeps_the_library_and_draws_it(tmp_path, capsys):
    out, pictures = tmp_path / "out", tmp_path / "pictures"
    assert cli.main(["templates", "--out", str(out), "--pictures", str(pictures)]) == 0
    first, second = out / "nai-2x4x16.jsonl", tmp_path / "again"
    head, *rows = [msgspec.json.decode(line) for line in first.read_bytes().splitlines()]
    assert head["detector"]["material"] == "NaI"
    assert len(head["sha256"]) == 64
    assert all(abs(sum(row["shape"]) - 1) < 1e-9 for row in rows)
    assert len(rows[0]["shape"]) == len(head["edges_kev"]) - 1
    picture = cv2.imread(str(pictures / "nai-2x4x16-Cs-137.png"))
    assert picture.shape == (560, 1100, 3)
    assert (np.asarray(picture).std(axis=2) > 20).sum() > 500  # there are coloured curves
    assert cli.main(["templates", "--out", str(second)]) == 0
    assert (second / first.name).read_bytes() == first.read_bytes()


def test_an_unknown_detector_is_told_with_those_that_are_known(capsys):
    assert cli.main(["templates", "--detector", "teacup"]) == 2
    assert "nai-2x4x16" in capsys.readouterr().err


def test_detectors_of_a_configuration_go_by_their_sensor(tmp_path):
    assert chosen(None, None) == {"nai-2x4x16": DetectorSpec()}
    assert set(DETECTORS) == {"nai-2x4x16", "nai-3x3", "csi", "labr3", "hpge"}
