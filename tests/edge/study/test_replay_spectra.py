"""Real spectrum files through `garita replay`, without a configuration."""

import json
from pathlib import Path

import pytest

from edge.study.player import Player
from edge.study.replay import days

DATA = Path(__file__).parents[4] / "shared" / "data"
PORTAL = DATA / "n42"
GENERIC = DATA / "nai-generic"

pytestmark = pytest.mark.skipif(not PORTAL.is_dir(), reason=f"no test data in {DATA}")


def spectra(path):
    (day,) = days([path])
    lines = map(json.loads, Player(day, show="detections").lines())
    return [line for line in lines if line["kind"] == "gamma.spectrum"]


@pytest.mark.timeout(300)  # the templates of two detectors
@pytest.mark.parametrize(
    ("path", "nuclide"),
    [
        (PORTAL / "ba133_source_640s_20100317.n42", "Ba-133"),
        (GENERIC / "VABCD_M001_Cs137.n42", "Cs-137"),
        (GENERIC / "VABCD_M001_Co60.n42", "Co-60"),
    ],
    ids=lambda value: getattr(value, "stem", value),
)
def test_a_real_source_is_found_and_named(path, nuclide):
    (found,) = spectra(path)
    assert found["facts"]["nuclides"][0][0] == nuclide
    assert found["facts"]["category"] == "industrial"
    assert found["facts"]["over_range"] is False
    assert {"gamma_sigma", "neutron_sigma", "suppression"} <= set(found["facts"])
    assert found["nats"]["threat-source"] > 5.0
