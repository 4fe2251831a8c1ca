from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.radiation import TsaConfig, TsaDriver
from edge.study.portal_passes import World, shipped, study_pass
from fusion.radiation import RadiationDetector, RadiationPolicy
from fusion.radiation_background import RunningBackground
from fusion.radiation_bins import MAX_BINS, Pass
from fusion.radiation_neutrons import Beside, Interval, Neutrons
from fusion.radiation_pass import MAX_SCANS, Passage, excess_sigma
from fusion.radiation_profile import ProfileFit
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    Family,
    OccupancySample,
    Origin,
    Radiation,
    SensorSpec,
    SetupSample,
    SpeedSample,
)
from simulators.radiation import PortalSimulator
from simulators.scenario import (
    Cargo,
    LanePlace,
    Scenario,
    SensorPlace,
    Source,
    Vehicle,
)

START_NS = 1_763_740_000 * SECOND_NS
SPEC = SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="nb-01")
POLICY = RadiationPolicy()
TRUCK = Vehicle(vehicle_id="t", lane="nb-01", at_portal_s=0.0)
FIRST_S, APART_S = 60.0, 25.0


def new_detector():
    return RadiationDetector(SPEC, POLICY)


def passes(*vehicles, seed=1):
    """Detections of each vehicle in turn, as (seconds since its front, detection)."""
    vehicles = tuple(
        replace(one, at_portal_s=FIRST_S + APART_S * i) for i, one in enumerate(vehicles)
    )
    scenario = Scenario(
        name="test",
        seed=seed,
        start_utc_ns=START_NS,
        duration_s=FIRST_S + APART_S * len(vehicles),
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="rpm-1", kind="rpm-tsa", lane="nb-01"),),
        vehicles=vehicles,
    )
    simulator = PortalSimulator(scenario, "rpm-1")
    config = TsaConfig(id="rpm-1", lane="nb-01", url="tcp://x:1")
    driver, detector = TsaDriver(config, Origin.SIMULATOR), new_detector()
    found = [[] for _ in vehicles]
    for tick in range(1, round(scenario.duration_s * 5) + 1):
        at_s = tick / 5
        for sample in driver.feed(simulator.step(200), START_NS + tick * SECOND_NS // 5):
            for one in detector.feed(sample):
                number = int((at_s - FIRST_S) // APART_S)
                found[number].append((at_s - FIRST_S - APART_S * number, one))
    return found


def told(found, kind="gamma.profile", *, final=True):
    return [one for _, one in found if one.kind == kind and one.final is final]


def facts(found, kind="gamma.profile"):
    (only,) = told(found, kind)
    return only.facts


def carrying(*sources, **keys):
    return replace(TRUCK, sources=sources, **keys)


def point(nuclide, activity_mbq, place_m, **keys):
    return Source(nuclide=nuclide, activity_mbq=activity_mbq, from_m=place_m, to_m=place_m, **keys)


def varied(count, seed):
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield replace(
            TRUCK,
            speed_m_s=float(random.uniform(1.6, 4.0)),
            length_m=float(random.uniform(12.0, 19.0)),
            suppression=float(random.uniform(0.02, 0.25)),
            box_m=(float(random.uniform(2.5, 4.5)), 12.0),
        )


# --- what a pass tells -----------------------------------------------------------------


def test_an_occupancy_is_told_when_it_opens_and_with_its_vehicle_when_it_closes():
    (found,) = passes(TRUCK)
    (opened,) = told(found, "portal.occupancy", final=False)
    closed = told(found, "portal.occupancy")[0]
    assert (opened.facts["opened"], closed.facts["opened"]) == (True, False)
    assert opened.start_utc_ns == closed.start_utc_ns
    assert opened.start_utc_ns == START_NS + round((FIRST_S - 1.2) * SECOND_NS)
    assert closed.facts["counter"] == 1
    assert closed.facts["speed_m_s"] == pytest.approx(2.2, rel=0.03)
    assert closed.facts["length_m"] == pytest.approx(18.0, abs=1.2)
    assert closed.facts["duration_s"] == pytest.approx(18.0 / 2.2 + 3.2, abs=0.4)


def test_a_final_result_of_each_test_comes_also_where_nothing_was_found():
    (found,) = passes(TRUCK)
    gamma = facts(found)
    assert (gamma["extent"], gamma["category"], gamma["cab"]) == ("none", "background", False)
    assert gamma["gamma_sigma"] < 3.5
    assert 0.0 <= gamma["suppression"] <= 0.35
    assert min(gamma["point_nats"], gamma["extended_nats"]) >= 0.0
    assert facts(found, "neutron.counts")["neutron_sigma"] < 4.0
    assert {one.origin for _, one in found} == {Origin.SIMULATOR}
    assert {one.sensor_id for _, one in found} == {"rpm-1"}


def test_two_hundred_clean_trucks_show_nothing():
    found = [one for seed in range(4) for one in passes(*varied(50, seed), seed=seed)]
    assert len(found) == 200
    assert max(facts(one)["gamma_sigma"] for one in found) < POLICY.significant_sigma
    assert not any(told(one, final=False) for one in found)
    assert sum(bool(told(one, "gamma.dip")) for one in found) <= 2


@pytest.mark.parametrize("activity_mbq", [1.5, 20.0])
def test_a_caesium_source_is_a_point_at_its_place_while_the_vehicle_is_still_there(activity_mbq):
    (found,) = passes(carrying(point("Cs-137", activity_mbq, 11.0)))
    gamma = facts(found)
    assert (gamma["extent"], gamma["category"], gamma["cab"]) == ("point", "unknown", False)
    assert gamma["gamma_sigma"] > 50.0
    assert gamma["position_m"] == pytest.approx(11.0, abs=0.7)
    assert gamma["position"] == pytest.approx(11.0 / 18.0, abs=0.06)
    assert gamma["net_cps"] == pytest.approx(4 * 2480 * 0.7 * 0.8 * activity_mbq, rel=0.15)
    assert sum(gamma["panel_share"]) == pytest.approx(1.0, abs=0.01)
    early = [(at_s, one) for at_s, one in found if one.kind == "gamma.profile" and not one.final]
    assert early[0][0] < 18.0 / 2.2
    assert early[0][1].facts["extent"] == "point"
    assert not early[0][1].facts["over_range"]


def test_a_patient_is_a_point_in_the_cab():
    for activity_mbq in (0.5, 200.0):
        (found,) = passes(carrying(point("Tc-99m", activity_mbq, 2.0)))
        gamma = facts(found)
        assert (gamma["extent"], gamma["cab"]) == ("point", True)
        assert gamma["position_m"] == pytest.approx(2.0, abs=0.7)


def test_bulk_minerals_are_an_extended_load_and_never_told_as_a_point():
    loads = [
        replace(
            one,
            length_m=18.0,
            sources=(Source(nuclide="NORM", activity_mbq=7.0, from_m=5.5, to_m=16.5),),
        )
        for one in varied(20, seed=3)
    ]
    for found in passes(*loads):
        gamma = facts(found)
        assert (gamma["extent"], gamma["category"]) == ("extended", "norm")
        assert gamma["extended_nats"] > gamma["point_nats"] + 3.0
        assert gamma["width_m"] == pytest.approx(11.0, abs=3.5)
        assert 200.0 < gamma["net_cps"] < 1000.0
        assert {one.facts["extent"] for one in told(found, final=False)} <= {"extended"}


def test_a_source_hidden_by_the_vehicles_own_shadow_is_found():
    # 350 cps against 936 that a heavy truck lowers by a fifth: no excess over the frozen
    # background worth an alarm, yet a clear profile.
    source = point("Cs-137", 0.063, 11.0)
    trucks = [carrying(source, suppression=0.2) for _ in range(20)]
    sigmas = [facts(found)["gamma_sigma"] for found in passes(*trucks)]
    assert sum(sigma > POLICY.significant_sigma for sigma in sigmas) >= 15


def test_over_range_is_said_and_still_told():
    (found,) = passes(carrying(point("Cs-137", 500.0, 11.0)))
    gamma = facts(found)
    assert gamma["over_range"]
    assert gamma["category"] == "over-range"
    assert told(found, final=False)[0].facts["over_range"]


def test_a_dense_block_is_a_dip_at_its_place():
    block = Cargo(kind="object", material="lead", density_g_cm3=11.0, from_m=10.0, to_m=12.0)
    trucks = [replace(TRUCK, cargo=(block,)) for _ in range(10)]
    dips = [told(found, "gamma.dip") for found in passes(*trucks)]
    assert sum(bool(one) for one in dips) >= 5
    for (dip,) in filter(None, dips):
        assert dip.facts["dip_sigma"] >= POLICY.dip_sigma
        assert dip.facts["position_m"] == pytest.approx(11.0, abs=1.5)
        assert dip.facts["width_m"] <= POLICY.point_width_m


def test_the_neutron_source_of_the_standard_is_found_at_its_place():
    source = point("Cf-252", 0.17, 11.0, neutrons_per_s=20_000.0)
    found = passes(*[carrying(source) for _ in range(10)])
    strong = [facts(one, "neutron.counts") for one in found]
    assert sum(one["neutron_sigma"] > POLICY.neutron_sigma for one in strong) >= 9
    assert np.median([one["position_m"] for one in strong]) == pytest.approx(11.0, abs=2.0)
    assert any(told(one, "neutron.counts", final=False) for one in found)


def test_the_same_samples_give_the_same_detections():
    vehicle = carrying(point("Cs-137", 1.0, 9.0))
    assert passes(vehicle) == passes(vehicle)


# --- by hand ---------------------------------------------------------------------------


def at(seconds):
    return START_NS + round(seconds * SECOND_NS)


def background(seconds, total_cps=1015.0, fault="", radiation=Radiation.GAMMA):
    return BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=at(seconds),
        duration_ms=1000,
        radiation=radiation,
        rate_cps=(total_cps / 4,) * 4,
        device_fault=fault,
    )


def scan(seconds, counts=(50, 50, 50, 50), radiation=Radiation.GAMMA):
    return CountSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=at(seconds),
        duration_ms=200 if radiation is Radiation.GAMMA else 1000,
        radiation=radiation,
        counts=counts,
        device_alarm=False,
    )


def occupancy(seconds, *, opened, counter=None):
    return OccupancySample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=at(seconds),
        opened=opened,
        counter=counter,
        lead_in_ms=1000 if opened else 0,
    )


def test_the_background_is_the_mean_of_vacant_reports_without_faults_and_outliers():
    running = RunningBackground(POLICY, 0.1)
    assert running.rates_cps is None
    for i, total in enumerate((1000.0, 1020.0, 1010.0)):
        running.feed(background(5 * i, total))
    assert running.rates_cps.sum() == pytest.approx(1010.0)
    assert running.seconds == pytest.approx(3 * POLICY.background_report_s)
    running.feed(background(20, 5000.0, fault="high"))
    running.feed(background(25, 5000.0))
    assert running.rates_cps.sum() == pytest.approx(1010.0)


def test_a_background_that_stays_changed_is_believed():
    running = RunningBackground(POLICY, 0.1)
    for i in range(30):
        running.feed(background(5 * i, 1000.0))
    assert running.seconds == pytest.approx(19 * POLICY.background_report_s, rel=0.03)
    for i in range(POLICY.background_accept_after):
        running.feed(background(200 + 5 * i, 2000.0))
    assert running.rates_cps.sum() == pytest.approx(2000.0)


def test_the_significance_of_counts_is_li_and_ma():
    # Their example form: equal exposure, 30 on and 10 off.
    expected = np.sqrt(2 * (30 * np.log(2 * 30 / 40) + 10 * np.log(2 * 10 / 40)))
    assert excess_sigma(30, 1.0, 10.0, 1.0) == pytest.approx(expected)
    assert excess_sigma(10, 1.0, 30.0, 1.0) == pytest.approx(-expected)
    assert excess_sigma(0, 2.0, 0.0, 10.0) == 0.0
    # Golden vector of facts 1.1 with a background known exactly: B 1015, F 1300 is 8.95 sigma
    # in (F - B) / sqrt(B), and a little less in the likelihood, which knows the Poisson tail.
    assert (1300 - 1015) / np.sqrt(1015) == pytest.approx(8.95, abs=0.005)
    assert excess_sigma(1300, 1.0, 1015.0, 1e9) == pytest.approx(8.57, abs=0.05)


def test_the_device_may_set_the_hold_in():
    lengths = []
    for hold_in in ("10", "05"):
        detector = new_detector()
        setup = SetupSample(
            sensor_id="rpm-1",
            origin=Origin.SENSOR,
            start_utc_ns=at(0),
            record="gamma-setup",
            settings=(("occupancy_hold_in", hold_in),),
        )
        samples = [setup, background(0), occupancy(8.8, opened=True)]
        samples += [scan(8.8 + 0.2 * i) for i in range(40)]
        samples += [occupancy(16.8, opened=False, counter=7)]
        found = [one for sample in samples for one in detector.feed(sample)]
        lengths.append(found[-1].facts["length_m"])
    assert lengths[1] - lengths[0] == pytest.approx(POLICY.usual_speed_m_s)


def test_an_occupancy_that_goes_silent_is_closed_by_time():
    detector = new_detector()
    for sample in (background(0), occupancy(8.8, opened=True), scan(8.8), scan(9.0)):
        detector.feed(sample)
    assert detector.tick(at(9.2 + POLICY.stale_s - 0.1)) == []
    kinds = [one.kind for one in detector.tick(at(9.2 + POLICY.stale_s))]
    assert kinds == ["gamma.profile", "neutron.counts", "portal.occupancy"]
    assert detector.tick(at(1000)) == []


def test_a_second_opening_ends_the_first():
    detector = new_detector()
    detector.feed(occupancy(0, opened=True))
    kinds = [(one.kind, one.final) for one in detector.feed(occupancy(60, opened=True))]
    assert kinds[-2:] == [("portal.occupancy", True), ("portal.occupancy", False)]


def test_too_few_scans_still_give_a_final_result_and_over_range():
    detector = new_detector()
    detector.feed(occupancy(0, opened=True))
    detector.feed(scan(0, counts=(50_000, 50, 50, 50)))
    gamma = detector.feed(occupancy(1, opened=False))[0].facts
    assert (gamma["gamma_sigma"], gamma["category"]) == (0.0, "over-range")


def test_scans_without_any_background_are_measured_against_the_buffered_second():
    detector = new_detector()
    samples = [occupancy(8.8, opened=True)]
    samples += [
        scan(8.8 + 0.2 * i, (300,) * 4 if i in range(22, 30) else (50,) * 4) for i in range(60)
    ]
    samples.append(occupancy(20.8, opened=False))
    found = [one for sample in samples for one in detector.feed(sample)]
    gamma = next(one.facts for one in found if one.kind == "gamma.profile" and one.final)
    assert gamma["background_cps"] == 1000.0
    assert gamma["extent"] == "point"


def test_a_vehicle_that_brakes_is_placed_by_its_way_and_not_by_time():
    passage = Passage(
        opened_utc_ns=at(0),
        gamma_background_cps=None,
        gamma_background_s=1.0,
        neutrons=Neutrons(background_cps=None, background_s=1.0),
        lead_in_s=1.0,
        last_utc_ns=at(0),
    )
    for second in range(11):
        passage.add_speed(at(1.1 + second), 4.0 if second <= 5 else 1.0)
    times_ns = np.array([at(0), at(1.1), at(6.1), at(7.1), at(11.1)])
    way_m = passage.passed_m(times_ns, POLICY)
    assert way_m == pytest.approx([-4.4, 0.0, 20.0, 22.5, 26.5])


def test_a_parked_vehicle_is_pooled_and_bounded():
    random = np.random.default_rng(1)
    counts = random.poisson(47.0, size=(9_000, 4)).astype(np.float64)
    fit = ProfileFit(
        Pass(
            counts=counts,
            passed_m=np.linspace(-2.0, 20.0, 9_000),
            scan_s=0.2,
            background_cps=np.full(4, 235.0),
            background_s=20.0,
            length_m=18.0,
            distance_m=2.5,
        ),
        POLICY,
    )
    assert len(fit._counts) <= MAX_BINS
    assert fit.profile().sigma < POLICY.significant_sigma


def test_a_vehicle_that_stays_for_an_hour_keeps_memory_bounded_and_a_source_is_still_told():
    detector = new_detector()
    detector.feed(background(0, 1000.0))
    detector.feed(occupancy(8.8, opened=True))
    told_early = []
    for i in range(5 * 3600):
        hot = 4_000 <= i < 4_010
        told_early += detector.feed(scan(8.8 + 0.2 * i, (400,) * 4 if hot else (50,) * 4))
        if i % 5 == 0:
            told_early += detector.feed(scan(8.8 + 0.2 * i, (1, 1, 1, 1), Radiation.NEUTRON))
    passage = detector._passage
    assert len(passage.counts) == len(passage.starts_utc_ns) <= MAX_SCANS
    assert any(one.facts.get("gamma_sigma", 0.0) > 6.0 for one in told_early)


def test_hostile_counts_and_speeds_never_raise():
    random = np.random.default_rng(2)
    for _ in range(20):
        detector = new_detector()
        samples = [background(0, float(random.choice([0.0, 1e6]))), occupancy(8.8, opened=True)]
        for i in range(int(random.integers(1, 60))):
            worst = tuple(int(n) for n in random.choice([0, 1, 999_999], 4))
            samples.append(scan(8.8 + 0.2 * i * random.integers(0, 2), worst))
            samples.append(
                SpeedSample(
                    sensor_id="rpm-1",
                    origin=Origin.SENSOR,
                    start_utc_ns=at(8.8),
                    speed_m_s=float(random.choice([0.03, 100.0])),
                )
            )
        samples.append(occupancy(100, opened=False))
        for sample in samples:
            for one in detector.feed(sample):
                values = [v for v in one.facts.values() if isinstance(v, float)]
                assert np.isfinite(values).all()


# --- neutrons ---------------------------------------------------------------------------


def second_by_second(counts, beside=None):
    """The test of a vehicle at 2.2 m/s whose neutron seconds are these, over 3 cps."""
    neutrons = Neutrons(background_cps=3.0, background_s=200.0)
    for second, count in enumerate(counts):
        neutrons.add(Interval(end_utc_ns=at(second + 1), seconds=1.0, counts=count))
    passed_m = (neutrons.parts_utc_ns() - at(0)) / SECOND_NS * 2.2
    return neutrons.test(passed_m, 2.5, POLICY, beside)


def test_neutrons_too_few_to_be_told_alone_are_told_at_the_place_of_a_gamma_source():
    counts = (3, 2, 4, 3, 7, 9, 6, 3, 2, 3, 4)
    assert not second_by_second(counts).is_significant(POLICY)
    gammas = Beside(position_m=12.0, nats=20.0, net_cps=250.0)
    there = second_by_second(counts, gammas)
    assert POLICY.neutron_fission_sigma < there.beside_sigma < POLICY.neutron_beside_sigma
    assert there.beside_sigma <= there.sigma + 0.1
    assert there.joint_sigma == pytest.approx(np.sqrt(there.beside_sigma**2 + 40.0))
    assert there.is_significant(POLICY)
    elsewhere = second_by_second(counts, replace(gammas, position_m=2.0, nats=500.0))
    assert elsewhere.beside_sigma < POLICY.neutron_fission_sigma
    assert not elsewhere.is_significant(POLICY)


def test_a_few_neutrons_more_beside_a_patient_or_a_load_are_no_neutron_source():
    counts = (3, 2, 4, 3, 7, 9, 6, 3, 2, 3, 4)
    for gammas in (
        Beside(position_m=12.0, nats=500.0, net_cps=5_000.0),
        Beside(position_m=12.0, nats=20.0, net_cps=250.0, load_nats=30.0),
        Beside(position_m=12.0, nats=20.0),
    ):
        assert not second_by_second(counts, gammas).is_significant(POLICY)
    # Enough of them are, whatever else there is.
    counts = (3, 2, 4, 3, 9, 12, 9, 3, 2, 3, 4)
    patient = Beside(position_m=12.0, nats=500.0, net_cps=5_000.0)
    assert second_by_second(counts, patient).is_significant(POLICY)


def test_a_burst_of_many_neutrons_is_no_source():
    for size in (8, 15, 25, 60, 300):
        found = second_by_second((3, 2, 4, 3, 3 + size, 2, 4, 3, 2, 3, 4))
        assert not found.is_significant(POLICY)
        assert found.bursts == 1 or size == 8


@settings(max_examples=40)
@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=20), place_m=st.floats(-5, 50))
def test_any_neutron_counts_give_a_finite_answer(counts, place_m):
    found = second_by_second(counts, Beside(position_m=place_m, nats=3.0))
    assert np.isfinite([found.sigma, found.beside_sigma, found.joint_sigma]).all()
    assert found.beside_sigma >= 0.0


def test_an_empty_bed_between_two_heavy_loads_is_no_source():
    world = World(rough=True, suppression=(0.2, 0.25))
    for seed in range(200):
        assert shipped(study_pass(world, POLICY, seed, 0.0), POLICY).sigma < (
            POLICY.significant_sigma
        )
