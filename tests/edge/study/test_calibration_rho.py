import numpy as np
import pytest

from edge.study.calibration_cases import Heard
from edge.study.calibration_rho import correlation, ground_curve, ground_pairs, portal_pairs
from edge.study.fitting import TooLittle
from fusion.evidence import weigh
from fusion.evidence_calibration import EvidenceCalibration
from fusion.types import SECOND_NS, Detection, Family, Origin
from simulators.crossing_days import Options, hour

BELIEVED = (0.8, 0.3, 15.0)


def pairs(rho, number, seed=2):
    random = np.random.default_rng(seed)
    drawn = random.multivariate_normal([0.0, 0.0], [[1.0, rho], [rho, 1.0]], number)
    return drawn[:, 0], drawn[:, 1]


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.8])
def test_a_correlation_is_found_within_its_interval(rho):
    found = correlation(*pairs(rho, 4_000), 0.3)
    assert found.value == pytest.approx(rho, abs=0.05)
    assert found.interval[0] <= rho <= found.interval[1]


def test_few_pairs_hardly_move_what_was_believed():
    one, other = pairs(0.9, 10)
    few = correlation(one, other, 0.3)
    assert 0.3 < few.value < 0.45
    assert few.interval[1] - few.interval[0] > correlation(*pairs(0.9, 400), 0.3).interval[1] - 0.85


def test_sensors_that_never_speak_are_as_believed():
    silent = np.zeros(100)
    assert correlation(silent, silent, 0.3, 0).value == pytest.approx(0.3)


def test_the_curve_goes_through_what_was_found():
    near, _, reach_m = BELIEVED
    asked = 0.1
    found = {
        away_m: correlation(*pairs(asked + (near - asked) * np.exp(-away_m / reach_m), 9_000), 0.3)
        for away_m in (15.0, 30.0, 45.0)
    }
    curve = ground_curve(found, BELIEVED)
    assert curve[0] == near
    assert curve[1] == pytest.approx(asked, abs=0.05)
    assert curve[2] == reach_m


def footpath(said):
    """An hour of a fence; (sensor, second) of each word of somebody, where nobody is."""
    scenario = hour("footpaths", 3, 0, Options(threats_per_hour=0.0, duration_s=3600.0))
    found = []
    for sensor, at_s in said:
        start = scenario.start_utc_ns + at_s * SECOND_NS
        detection = Detection(
            sensor_id=f"geo-nf-0{sensor}",
            family=Family.SEISMIC,
            origin=Origin.SIMULATOR,
            kind="seismic.event",
            start_utc_ns=start,
            end_utc_ns=start + 5 * SECOND_NS,
            facts={"classes": {"person": 0.9, "group": 0.05}, "class": "person", "sure": True},
        )
        found.append(weigh(detection))
    return Heard(scenario=scenario, detections=tuple(found))


def test_sensors_that_err_together_are_told_from_those_that_do_not():
    together = footpath([(n, at_s) for at_s in range(70, 3500, 90) for n in (1, 2, 3, 4)])
    apart = footpath([(1 + at_s // 90 % 4, at_s) for at_s in range(70, 3500, 90)])
    known = EvidenceCalibration()
    one = ground_pairs([together], known, BELIEVED)
    other = ground_pairs([apart, apart], known, BELIEVED)
    assert sorted(one) == [15.0, 30.0, 45.0]
    assert all(rho.raw > 0.9 for rho in one.values())
    assert all(rho.raw < 0.1 for rho in other.values())


def test_too_few_words_are_refused():
    with pytest.raises(TooLittle, match=r"ground_rho: 1 windows .* 15 m apart; 30 are needed"):
        ground_pairs([footpath([(1, 100)])], EvidenceCalibration(), BELIEVED)
    with pytest.raises(TooLittle, match="pair_rho: 0 vehicles"):
        portal_pairs([footpath([])], 0.3)
