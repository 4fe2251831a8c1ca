from dataclasses import replace

import numpy as np
import pytest

from drivers.wire.malformed import Malformed
from drivers.wire.tsa import (
    CountsLine,
    EndLine,
    SetupLine,
    SpeedLine,
    TamperLine,
    TsaDecoder,
    UnknownLine,
)
from simulators import radiation_physics as physics
from simulators.radiation import KINDS, PortalSimulator
from simulators.scenario import (
    Cargo,
    Fault,
    LanePlace,
    Rain,
    Scenario,
    SensorPlace,
    Source,
    Vehicle,
)

TRUCK = Vehicle(vehicle_id="t-1", lane="nb-01", at_portal_s=20.0)
ALONG_M = np.linspace(-60.0, 80.0, 2801)


def scene(*vehicles, **keys):
    return Scenario(
        name="test",
        seed=keys.pop("seed", 7),
        start_utc_ns=1_763_740_000_000_000_000,
        duration_s=120.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(
            SensorPlace(sensor_id="rpm-1", kind="rpm-tsa", lane="nb-01"),
            SensorPlace(sensor_id="rpm-2", kind="rpm-tsa", lane="nb-01"),
        ),
        vehicles=vehicles,
        **keys,
    )


def sent(scenario, seconds=60, sensor_id="rpm-1"):
    return PortalSimulator(scenario, sensor_id).step(seconds * 1000)


def lines_of(scenario, seconds=60):
    return TsaDecoder().feed(sent(scenario, seconds))


def counts(lines, *tags):
    return np.array([line.counts for line in lines if getattr(line, "tag", "") in tags])


def carrying(*sources, **keys):
    return replace(TRUCK, sources=sources, **keys)


def cs_137(activity_mbq, place_m=11.0, **keys):
    return Source(nuclide="Cs-137", activity_mbq=activity_mbq, from_m=place_m, to_m=place_m, **keys)


BUSY = scene(
    carrying(cs_137(1.0)),
    replace(TRUCK, vehicle_id="t-2", at_portal_s=31.0),
    faults=(
        Fault(sensor_id="rpm-1", kind="tamper", start_s=5.0, end_s=9.0),
        Fault(sensor_id="rpm-1", kind="garbage", start_s=10.0, end_s=25.0),
        Fault(sensor_id="rpm-1", kind="silent", start_s=50.0, end_s=55.0),
    ),
    rain=(Rain(start_s=0.0, end_s=30.0),),
)


def test_the_same_seed_sends_the_same_bytes_and_another_seed_or_sensor_does_not():
    assert sent(BUSY) == sent(BUSY)
    assert sent(BUSY) != sent(replace(BUSY, seed=8))
    assert sent(BUSY) != sent(BUSY, sensor_id="rpm-2")


@pytest.mark.parametrize("step_ms", [1, 73, 200, 1000, 7001])
def test_the_size_of_the_steps_does_not_change_the_bytes(step_ms):
    simulator = PortalSimulator(BUSY, "rpm-1")
    pieces = [simulator.step(step_ms) for _ in range(60_000 // step_ms)]
    pieces.append(simulator.step(60_000 - step_ms * (60_000 // step_ms)))
    assert b"".join(pieces) == sent(BUSY)


def test_everything_sent_is_of_the_table():
    lines = lines_of(scene(TRUCK))
    assert not [line for line in lines if isinstance(line, Malformed | UnknownLine)]
    assert [line.tag for line in lines[:5]] == ["SG1", "SG2", "SG3", "SN1", "SN2"]
    assert all(isinstance(line, SetupLine) for line in lines[:5])


def test_a_vacant_lane_sends_a_pair_every_five_seconds():
    tags = [line.tag for line in lines_of(scene(), 61)[5:]]
    assert tags == ["NB", "GB"] * 13


def test_an_occupancy_follows_the_devices_sequence():
    simulator = PortalSimulator(scene(TRUCK), "rpm-1")
    simulator.step(19_800)
    first = TsaDecoder().feed(simulator.step(200))
    assert [line.tag for line in first] == ["NS"] + ["GS"] * 6
    rest = TsaDecoder().feed(simulator.step(40_000))
    end = next(i for i, line in enumerate(rest) if isinstance(line, EndLine))
    scans = counts(rest[:end], "GS", "GA")
    # 18 m at 2.2 m/s and the hold-in of 2 s, less the scan already sent.
    assert len(scans) == pytest.approx((18.0 / 2.2 + 2.0) * 5, abs=1.5)
    assert len(counts(rest[:end], "NS", "NA")) == pytest.approx(len(scans) / 5, abs=1)
    speeds = [line.km_h / 3.6 for line in rest if isinstance(line, SpeedLine)]
    assert len(speeds) == pytest.approx(18.0 / 2.2 / 1.1, abs=1.5)
    assert speeds == pytest.approx([2.2] * len(speeds), rel=0.1)
    assert rest[end].counter == 1
    assert [line.tag for line in rest[end + 1 : end + 3]] == ["NB", "GB"]


def test_vehicles_within_the_hold_in_share_an_occupancy():
    close = replace(TRUCK, vehicle_id="t-2", at_portal_s=20.0 + 18.0 / 2.2 + 1.0)
    far = replace(close, at_portal_s=close.at_portal_s + 4.0)
    ends = [
        sum(isinstance(line, EndLine) for line in lines_of(scene(TRUCK, second)))
        for second in (close, far)
    ]
    assert ends == [1, 2]


def test_background_is_that_of_the_field_and_poisson():
    gamma = counts(lines_of(scene(), 3000), "GB")
    assert ((gamma.mean(axis=0) > 200) & (gamma.mean(axis=0) < 270)).all()
    # 5 s means of Poisson counts, with 1.2 % of correlated noise on top.
    spread = gamma.sum(axis=1).std() / gamma.sum(axis=1).mean()
    poisson = 1 / np.sqrt(5 * gamma.sum(axis=1).mean())
    assert poisson < spread < 2.5 * poisson
    neutron = counts(lines_of(scene(), 3000), "NB")
    assert 1.0 < neutron.sum(axis=1).mean() < 6.0


def test_rain_raises_the_background_and_decays():
    rains = (Rain(start_s=100.0, end_s=700.0, rise=0.2),)
    assert physics.weather_factor(rains, 0.0) == 1.0
    assert physics.weather_factor(rains, 400.0) == pytest.approx(1.1)
    assert physics.weather_factor(rains, 700.0 + 1800.0) == pytest.approx(1.1)
    dry, wet = (counts(lines_of(scene(rain=rain), 1000), "GB")[120:].sum() for rain in ((), rains))
    assert wet / dry == pytest.approx(1.18, abs=0.03)


def test_a_source_stands_out_where_it_is_and_trips_the_devices_alarm():
    lines = lines_of(scene(carrying(cs_137(1.0, place_m=11.0))))
    assert len(counts(lines, "GA")) > 10
    scans = counts(lines, "GS", "GA").sum(axis=1)
    # The first scan is 1.2 s before the beam is broken.
    assert int(scans.argmax()) == pytest.approx(6 + 11.0 / 2.2 * 5, abs=2)


def test_a_point_profile_has_the_width_of_the_facts_and_the_rate_of_the_table():
    rate = physics.gamma_cps(cs_137(1.0, place_m=0.0), ALONG_M, 2.5)
    # Facts 5.4: 2,480 a second, times 0.7 for the threshold and 0.8 through the walls.
    assert rate.max() == pytest.approx(2480 * 0.7 * 0.8)
    wide_m = np.ptp(ALONG_M[rate >= rate.max() / 2])
    assert wide_m == pytest.approx(1.53 * 2.5, abs=0.1)  # facts 5.1


def test_without_the_cosine_the_profile_is_as_wide_as_inverse_square_has_it():
    rate = physics.gamma_cps(cs_137(1.0, place_m=0.0, profile_power=1.0), ALONG_M, 2.5)
    assert np.ptp(ALONG_M[rate >= rate.max() / 2]) == pytest.approx(2 * 2.5, abs=0.1)  # facts 5.1
    seconds = np.ptp(ALONG_M[rate >= rate.max() / 2]) / 2.2
    assert seconds == pytest.approx(2.27, abs=0.05)


@pytest.mark.parametrize("power", [1.0, 1.5])
def test_a_long_source_is_the_mean_of_its_points(power):
    long = cs_137(1.0, place_m=0.0, profile_power=power)
    long = replace(long, from_m=2.0, to_m=9.0)
    points = [
        physics.profile(replace(long, from_m=at, to_m=at), ALONG_M, 2.5)
        for at in np.linspace(2.0, 9.0, 400)
    ]
    assert physics.profile(long, ALONG_M, 2.5) == pytest.approx(
        np.mean(points, axis=0), rel=0.02, abs=0.003
    )


def test_a_source_to_one_side_or_up_shows_in_the_panels_beside_it():
    one_side = cs_137(3.0, across_m=-0.8, height_m=2.9)
    scans = counts(lines_of(scene(carrying(one_side))), "GS", "GA")
    background = counts(lines_of(scene()), "GB").mean(axis=0) / 5
    first_low, first_high, second_low, second_high = (scans - background).sum(axis=0)
    assert first_high > 1.3 * first_low
    assert first_high > 1.3 * second_high
    assert second_high > second_low


def test_steel_lets_scattered_photons_through_too():
    bare, shielded = (
        physics.gamma_cps(cs_137(1.0, shield_steel_g_cm2=g_cm2), ALONG_M, 2.5).max()
        for g_cm2 in (0.0, 15.7)
    )
    # 0.32 without the scattered ones (NIST XCOM); twice as many with them.
    assert 0.45 < shielded / bare < 0.7


def test_twice_as_far_is_a_quarter_and_lead_attenuates():
    near, far = (physics.gamma_cps(cs_137(1.0), ALONG_M, d).max() for d in (2.5, 5.0))
    assert far == pytest.approx(near / 4, rel=1e-3)
    leaded = physics.gamma_cps(cs_137(1.0, shield_lead_g_cm2=10.0), ALONG_M, 2.5).max()
    assert leaded == pytest.approx(near * np.exp(-1.1))


def test_a_spread_source_has_the_area_of_a_point_and_is_absorbed_by_its_load():
    point = Source(nuclide="NORM", activity_mbq=8.0, from_m=10.0, to_m=10.0)
    load = replace(point, from_m=5.0, to_m=15.0)
    areas = [physics.gamma_cps(source, ALONG_M, 2.5).sum() for source in (point, load)]
    absorbed = physics.LOAD_ESCAPE / physics.NUCLIDES["NORM"][2]
    assert areas[1] / areas[0] == pytest.approx(absorbed, rel=0.02)


def test_the_neutron_source_of_the_standard_gives_the_counts_of_the_facts():
    source = Source(
        nuclide="Cf-252", activity_mbq=0.17, from_m=0.0, to_m=0.0, neutrons_per_s=20_000.0
    )
    step_m = ALONG_M[1] - ALONG_M[0]
    for distance_m, expected in ((2.0, 39.0), (2.5, 31.0)):  # facts 5.1, a pass at 2.2 m/s
        counted = physics.neutron_cps(source, ALONG_M, distance_m).sum() * step_m / 2.2
        assert counted == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("suppression", [0.05, 0.25])
def test_a_vehicle_shields_its_share_of_the_background_smoothly(suppression):
    vehicle = replace(TRUCK, suppression=suppression)
    shadow = physics.shadow(vehicle, ALONG_M, np.random.default_rng(1))
    middle = shadow[np.abs(ALONG_M - 9.0).argmin()]
    assert middle == pytest.approx(suppression, rel=0.35)
    assert shadow.max() < 1.5 * suppression
    assert np.abs(np.diff(shadow)).max() < 0.02 * suppression
    assert shadow[0] < 0.05 * suppression


def test_a_short_dense_block_deepens_the_shadow_at_its_place_and_a_light_one_does_not():
    lead = Cargo(kind="object", material="lead", density_g_cm3=11.0, from_m=10.0, to_m=12.0)
    dip = physics.dense_shadow(lead, ALONG_M)
    assert ALONG_M[dip.argmax()] == pytest.approx(11.0, abs=0.1)
    assert 0.1 < dip.max() < 0.3
    for other in (
        replace(lead, material="organic"),
        replace(lead, density_g_cm3=0.3),
        replace(lead, to_m=17.0),
    ):
        assert physics.dense_shadow(other, ALONG_M).max() == 0.0


def test_dead_time_bends_high_rates():
    assert physics.counted(np.array([100.0]))[0] == pytest.approx(100.0, rel=1e-3)
    assert physics.counted(np.array([250_000.0]))[0] == pytest.approx(200_000.0)


def test_what_panels_count_scatters_more_than_poisson_over_minutes_not_within_seconds():
    gamma = counts(lines_of(scene(), 3000), "GB").sum(axis=1) * 5.0  # of 5 s
    ratio = gamma.var() / gamma.mean()
    assert 1.3 < ratio < 5.0  # facts 5.2: 2.2 of a fixed instrument in its first minutes


def test_metal_makes_bursts_that_stand_out_in_a_tenth_and_hide_in_two_seconds():
    random = np.random.default_rng(1)
    tonnes = np.full(200_000, 20.0)
    background = random.poisson(0.3, tonnes.size)
    with_bursts = background + physics.bursts(tonnes, 0.1, random)
    tail = (with_bursts >= 4).mean() / (background >= 4).mean()
    assert tail > 4.0  # facts 3.1: non-Poisson in 0.1 s
    passes = with_bursts.reshape(-1, 4, 20).sum(axis=2)  # facts 3.1: Poisson in 2 s, as far
    dispersion = passes.var(axis=1, ddof=1) / passes.mean(axis=1)  # as the 8 s of a pass can tell
    assert (dispersion > 2.605).mean() < 0.08  # chi-square of 3 degrees of freedom, 5 %
    # And the mean is what the constants say.
    assert with_bursts.mean() - background.mean() == pytest.approx(
        20.0 * physics.BURSTS_PER_S_T * 0.1 / physics.BURST_STOPS, rel=0.15
    )


def test_hydrogen_in_the_load_takes_neutrons_and_metal_adds_some():
    water = Cargo(kind="bulk", material="organic", density_g_cm3=0.6, from_m=5.0, to_m=17.0)
    steel = replace(water, material="steel")
    middle = np.array([11.0])
    assert 0.75 < physics.neutron_share(replace(TRUCK, cargo=(water,)), middle, 2.5)[0] < 0.95
    assert physics.neutron_share(replace(TRUCK, cargo=(steel,)), middle, 2.5)[0] == 1.0
    assert physics.metal_t(replace(TRUCK, cargo=(steel,)), middle, 2.5)[0] > 10.0


def test_a_stop_in_the_beam_keeps_the_occupancy_and_sends_no_speed():
    stands = replace(TRUCK, speeds=((0.0, 2.2), (4.0, 0.0), (24.0, 2.2)))
    lines = lines_of(scene(stands), 90)
    assert sum(isinstance(line, EndLine) for line in lines) == 1
    scans = counts(lines, "GS", "GA")
    assert len(scans) == pytest.approx((20.0 + 18.0 / 2.2 + 2.0 + 1.2) * 5, abs=2)
    speeds = [line for line in lines if isinstance(line, SpeedLine)]
    assert len(speeds) == pytest.approx(18.0 / 2.2 / 1.1, abs=2)


def test_a_vehicle_that_backs_out_and_returns_makes_two_occupancies():
    shy = replace(TRUCK, speeds=((0.0, 2.0), (1.0, -1.0), (4.0, 0.0), (12.0, 2.0)))
    ends = [line for line in lines_of(scene(shy), 90) if isinstance(line, EndLine)]
    assert len(ends) == 2


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("panel-dead", 0.0, 0.0), ("panel-noisy", 1.02, 2.0)]
)
def test_one_panel_may_be_dead_or_noisy(kind, low, high):
    fault = Fault(sensor_id="rpm-1", kind=kind, start_s=0.0, end_s=2000.0, part=2)
    sick = counts(lines_of(scene(faults=(fault,)), 1000), "GB", "GL", "GH").mean(axis=0)
    well = counts(lines_of(scene(), 1000), "GB").mean(axis=0)
    assert low <= sick[2] / well[2] <= high
    assert sick[0] == pytest.approx(well[0], rel=0.03)


def test_a_neutron_fault_is_the_devices_own():
    fault = Fault(sensor_id="rpm-1", kind="neutron-high", start_s=0.0, end_s=60.0)
    tags = [line.tag for line in lines_of(scene(faults=(fault,))) if isinstance(line, CountsLine)]
    assert tags.count("NH") == 12


def test_the_option_portal_makes_it_the_same_device_in_another_scenario():
    def level(seed, *options):
        place = SensorPlace(sensor_id="rpm-1", kind="rpm-tsa", lane="nb-01", options=options)
        day = replace(scene(seed=seed), sensors=(place,))
        return counts(lines_of(day, 600), "GB").mean(axis=0)

    same = [level(seed, ("portal", "5")) for seed in (1, 2)]
    assert same[0] == pytest.approx(same[1], rel=0.04)
    assert level(1) != pytest.approx(level(2), rel=0.04)
    assert level(1, ("background_cps", "1000")).sum() == pytest.approx(1000.0, rel=0.05)


def test_tamper_is_set_and_cleared_once():
    tampers = [line for line in lines_of(BUSY) if isinstance(line, TamperLine)]
    assert [line.active for line in tampers] == [True, False]


def test_a_silent_device_sends_nothing_and_garbage_is_its_own_lines():
    simulator = PortalSimulator(BUSY, "rpm-1")
    simulator.step(49_900)
    assert simulator.step(5_000) == b""
    assert simulator.step(10_000) != b""
    garbage = [line for line in lines_of(BUSY) if isinstance(line, Malformed)]
    assert len(garbage) == pytest.approx(15, abs=1)


def test_a_high_background_is_the_devices_own_fault():
    fault = Fault(sensor_id="rpm-1", kind="gamma-high", start_s=20.0, end_s=40.0)
    tags = [line.tag for line in lines_of(scene(faults=(fault,))) if isinstance(line, CountsLine)]
    assert tags.count("GH") == 4
    assert tags.count("GB") == 8


def test_an_unknown_nuclide_is_an_error_that_names_it():
    with pytest.raises(KeyError, match="Unobtainium"):
        sent(scene(carrying(Source(nuclide="Unobtainium", activity_mbq=1, from_m=1, to_m=1))))


def test_the_kind_is_in_the_catalog_row():
    row = next(row for row in KINDS if row.kind == "rpm-tsa")
    assert row.build(scene(), "rpm-1").step(1000).startswith(b"SG1,")
