"""What vehicles do at a portal that is no even pass: stop, reverse, follow each other closely."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.radiation import TsaConfig, TsaDriver
from edge.study.portal_days import FIRST_S, traffic
from fusion.radiation import RadiationDetector, RadiationPolicy
from fusion.types import Family, OccupancySample, Origin, SensorSpec
from simulators.radiation import PortalSimulator

POLICY = RadiationPolicy()
STEP_NS = 200_000_000


def day(seed, *, speeds=((0.0, 2.2),), gap_s=40.0, number=12):
    """Trucks of 16 m; every second one follows the one before after `gap_s`."""
    random = np.random.default_rng((seed, 9))
    scenario, vehicles, at_s = traffic(seed, number), [], FIRST_S
    for index, vehicle in enumerate(scenario.vehicles):
        vehicles.append(
            replace(
                vehicle,
                length_m=16.0,
                box_m=(3.5, 15.5),
                suppression=float(random.uniform(0.02, 0.25)),
                speed_m_s=2.2,
                speeds=speeds,
                at_portal_s=at_s,
            )
        )
        at_s += 16.0 / 2.2 + (gap_s if index % 2 == 0 else 60.0)
    return replace(scenario, vehicles=tuple(vehicles), duration_s=at_s + 20.0)


def samples(scenario):
    simulator = PortalSimulator(scenario, "rpm")
    driver = TsaDriver(TsaConfig(id="rpm", lane="study", url="tcp://x:1"), Origin.SIMULATOR)
    for tick in range(1, round(scenario.duration_s * 5)):
        yield from driver.feed(simulator.step(200), scenario.start_utc_ns + tick * STEP_NS)


def detections(scenario):
    spec = SensorSpec(sensor_id="rpm", family=Family.RADIATION, place="study")
    detector = RadiationDetector(spec, POLICY)
    return [one for sample in samples(scenario) for one in detector.feed(sample)]


@pytest.mark.parametrize(
    ("speeds", "gap_s"),
    [
        pytest.param(((0.0, 2.2), (3.5, 0.0), (33.0, 2.2)), 60.0, id="stop in the beam"),
        pytest.param(((0.0, 2.2), (4.0, -1.0), (6.0, 2.2)), 60.0, id="reversing"),
        pytest.param(((0.0, 2.2),), 1.0, id="bumper to bumper"),
    ],
)
def test_odd_passes_of_clean_vehicles_show_nothing(speeds, gap_s):
    told = [
        one
        for one in detections(day(1, speeds=speeds, gap_s=gap_s))
        if one.kind in {"gamma.profile", "neutron.counts"}
    ]
    assert len(told) >= 12
    assert all(one.final for one in told)
    assert max(one.facts.get("gamma_sigma", 0.0) for one in told) < POLICY.significant_sigma
    assert max(one.facts.get("neutron_sigma", 0.0) for one in told) < POLICY.neutron_sigma


def test_the_final_profile_carries_what_was_measured():
    finals = [one for one in detections(day(2, number=2)) if one.kind == "gamma.profile"]
    for one in finals:
        record = one.record
        scans = len(record.starts_utc_ns)
        assert record.gamma_counts.shape == (scans, 4)
        assert record.passed_m.shape == record.clean_counts.shape == (scans,)
        assert record.length_m == pytest.approx(16.0, abs=1.2)
        assert record.speed_m_s == pytest.approx(2.2, rel=0.05)
        fitted = record.fitted_counts.sum()
        assert fitted == pytest.approx(record.gamma_counts.sum(), rel=0.02)
        assert (record.alarm_counts > record.clean_counts).all()
        assert len(record.neutron_counts) == len(record.neutron_s) > 8


def test_the_driver_says_how_long_it_saw_before_and_after_the_beam():
    told = [one for one in samples(day(3, number=1)) if isinstance(one, OccupancySample)]
    assert [(one.opened, one.lead_in_ms, one.hold_in_ms) for one in told] == [
        (True, 1000, None),
        (False, 0, 2000),
    ]
