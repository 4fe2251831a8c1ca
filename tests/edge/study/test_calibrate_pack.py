from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge import arguments, cli
from edge.evidence.png import SIGNATURE
from edge.settings.policy_file import load_policy
from edge.study.calibrate_pack import NAMES, as_file
from edge.study.calibration_fit import CORRELATIONS, FITS, known_now
from edge.study.calibration_packs import PACKS
from edge.study.reliability import reliability_of
from edge.study.reliability_chart import Panel, reliability_panels
from fusion.evidence_calibration import BY_HAND
from fusion.policy import Policy

TESTS = tuple(PACKS["busy-day"].fits)
CALIBRATION = Path(__file__).parents[3] / "configs" / "calibration.yaml"


@pytest.fixture
def fitted():
    known = known_now()
    evidence = replace(known.evidence, dense_slope=0.9, provenance={t: f"of {t}" for t in TESTS})
    pairs = {"gamma.profile+neutron.counts": 0.2}
    return replace(known, evidence=evidence, ground_rho=(0.8, 0.2, 15.0), pair_rho=pairs)


def asked(out=None):
    return SimpleNamespace(what="busy-day", out=out)


def test_the_command_names_every_pack_and_every_test():
    assert tuple(PACKS) == arguments.CALIBRATION_PACKS
    assert arguments.CALIBRATION_TESTS == TESTS == tuple(NAMES)
    assert {*FITS, *CORRELATIONS} == set(TESTS)


def test_what_was_fitted_is_a_policy_that_loads(tmp_path, fitted):
    path = tmp_path / "calibration.yaml"
    path.write_text(as_file(asked(path), fitted), "utf-8")
    policy = load_policy(path)
    assert policy.evidence == fitted.evidence
    assert policy.scoring.ground_rho == fitted.ground_rho
    assert policy.scoring.pair_rho == fitted.pair_rho
    assert "of xray.dense" in path.read_text("utf-8")


def test_the_file_in_the_repository_holds_the_defaults():
    assert load_policy(CALIBRATION) == Policy()
    written = as_file(asked(), known_now())
    assert CALIBRATION.read_text("utf-8") == written


def test_what_was_never_fitted_is_not_written(tmp_path, fitted):
    one = replace(fitted.evidence, provenance={"xray.dense": "600 loads", "pair_rho": BY_HAND})
    text = as_file(asked(tmp_path / "x.yaml"), replace(fitted, evidence=one))
    assert "dense_slope" in text
    assert "foot_slope" not in text
    assert "scoring:" not in text


def test_what_was_fitted_is_a_module_of_defaults(tmp_path, fitted):
    values: dict[str, object] = {}
    exec(as_file(asked(tmp_path / "x.py"), fitted), values)
    assert values["DENSE_SLOPE"] == 0.9
    assert values["GROUND_RHO"] == (0.8, 0.2, 15.0)
    assert values["PAIR_RHO"] == fitted.pair_rho
    assert values["PROVENANCE"] == fitted.evidence.provenance


@pytest.mark.parametrize("seed", [-1, 499_999, 500_000, 1_000_000])
def test_seeds_that_are_not_for_training_are_refused(seed, tmp_path, capsys):
    out = tmp_path / "x.yaml"
    asked = ["calibrate", "footpaths", "--seed", str(seed), "--number", "2", "--out", str(out)]
    assert cli.main(asked) == 2
    assert "must lie within 0-499999" in capsys.readouterr().err
    assert not out.exists()


def test_a_test_that_a_pack_does_not_fit_is_refused(capsys):
    assert cli.main(["calibrate", "loads", "--only", "seismic.event"]) == 2
    assert "loads does not fit seismic.event; it fits xray.dense" in capsys.readouterr().err


def test_too_little_is_refused_with_what_to_ask_for(tmp_path, capsys):
    out = tmp_path / "x.yaml"
    assert cli.main(["calibrate", "loads", "--number", "2", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "xray.dense: " in error
    assert "30 are needed" in error
    assert "ask for more with --number" in error
    assert not out.exists()


def test_the_picture_is_a_picture_and_always_the_same():
    random = np.random.default_rng(1)
    predicted = random.beta(0.4, 0.4, size=400)
    held = reliability_of(predicted, random.uniform(size=400) < predicted)
    panels = [[Panel(title="xray.dense, before", held=held)] * 2]
    picture = reliability_panels(panels)
    assert picture.startswith(SIGNATURE)
    assert picture == reliability_panels(panels)
