"""Simulated ground and its instruments, against the figures of facts/seismic.md 3.2 and 3.3."""

import numpy as np
import pytest

from simulators.ground import Wavelets
from simulators.ground_motion import GroundMotion
from simulators.ground_scenes import START_UTC_NS, quiet, scene
from simulators.ground_sensors import INSTRUMENTS
from simulators.ground_sites import REPORT_SITES, SITES, TUNING_SITES
from simulators.ground_station import station_of
from simulators.movers import CLASSES
from simulators.scripts import SCENARIOS
from tests.simulators.ground_hearing import (
    FLOORS,
    NIGHT_UTC_NS,
    OUTDOORS,
    at,
    band,
    heard,
    kurtosis,
    rms,
    spectrum_of,
)

# --- sites ----------------------------------------------------------------------------------


def test_the_sites_for_reports_are_not_those_for_tuning():
    assert not set(TUNING_SITES) & set(REPORT_SITES)
    assert set(TUNING_SITES) | set(REPORT_SITES) == set(SITES)
    tuning, report = ([SITES[n] for n in names] for names in (TUNING_SITES, REPORT_SITES))
    for one in report:
        for other in tuning:
            apart = abs(np.log(one.rayleigh_m_s / other.rayleigh_m_s))
            apart += abs(np.log(one.quality / other.quality))
            apart += abs(np.log(one.step_m_s / other.step_m_s))
            apart += abs(np.log(one.noise_m_s / other.noise_m_s))
            assert apart > 0.5, (one.name, other.name)


def test_the_sites_lie_within_the_facts_ranges():
    for site in SITES.values():
        assert 90.0 <= site.rayleigh_m_s <= 3_000.0 and 5.0 <= site.quality <= 200.0
        assert site.plain or 3.0 <= site.swing <= 8.0
        assert site.indoors or 0.4 <= site.wind_db <= 5.0
        assert all(5.0 <= hz <= 60.0 for hz, _, _ in site.modes)


def test_a_site_is_chosen_by_sensor_by_scenario_or_as_a_soil():
    told = scene([], seed=1, site="dune")
    assert station_of(told, "geo-1", 100, "Z").site.name == "dune"
    own = scene([], seed=1, site="dune", options=(("site", "granite"),))
    assert station_of(own, "geo-1", 100, "Z").site.name == "granite"
    soil = scene([], seed=1, options=(("soil", "loam"),))
    assert station_of(soil, "geo-1", 100, "Z").site == SITES["loam"]


def test_a_preset_is_another_place_in_another_scenario_but_one_along_a_line():
    def of(seed, sensor):
        told = scene([], seed=seed, site="dune", sensors=((0.0, 0.0), (15.0, 0.0)))
        return station_of(told, sensor, 100, "Z").site

    assert of(1, "geo-1") == of(1, "geo-2") != of(2, "geo-1")


@pytest.mark.parametrize("name", FLOORS)
def test_steps_on_a_floor_have_the_spectrum_and_the_size_that_were_measured(name):
    wavelets = Wavelets(SITES[name], 500, 10.0, damping=0.6, variant=2, horizontal=False)
    f, power = spectrum_of(np.roll(wavelets.get("walk-15", 4.0)[0, 0], 300), 500)
    whole = (f >= 1.0) & (f <= 120.0)
    share = power[(f >= 10.0) & (f <= 40.0)].sum() / power[whole].sum()
    assert 0.6 < share < 0.99
    assert 18.0 < (f * power)[whole].sum() / power[whole].sum() < 38.0
    peaks = [wavelets.peak("walk-15", 3.0) * 1e6 * size for size in (0.5, 1.0, 3.0)]
    assert all(8.0 < peak < 440.0 for peak in peaks)


def test_floors_ring_between_5_and_25_hz():
    for name in FLOORS:
        wavelets = Wavelets(SITES[name], 200, 10.0, horizontal=False)
        late = wavelets.get("walk-15", 3.0)[0, 0, 80:]
        f, power = spectrum_of(late, 200)
        assert 5.0 <= f[power.argmax()] <= 27.0, name


@pytest.mark.parametrize("name", OUTDOORS)
def test_steps_outdoors_are_mostly_between_10_and_90_hz(name):
    wavelets = Wavelets(SITES[name], 500, 4.5, variant=1, horizontal=False)
    f, power = spectrum_of(np.roll(wavelets.get("walk-12", 5.0)[0, 0], 300), 500)
    assert power[(f >= 10.0) & (f <= 90.0)].sum() > 0.85 * power.sum()


def test_a_soft_heel_strikes_lower_than_a_hard_one():
    wavelets = Wavelets(SITES["gravel"], 500, 4.5, horizontal=False)
    centre = []
    for kind in ("walk-6", "walk-25"):
        f, power = spectrum_of(np.roll(wavelets.get(kind, 5.0)[0, 0], 300), 500)
        centre.append((f * power).sum() / power.sum())
    assert centre[0] > 1.3 * centre[1]


# --- quiet ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [50, 99, 250, 495, 1000, 5000])
def test_any_rate_has_the_same_ground(rate_hz):
    samples = heard(seconds=40.0, rate_hz=rate_hz)
    assert samples.shape == (40 * rate_hz,)
    assert rms(band(samples, rate_hz, 5.0, 18.0)) == pytest.approx(99e-9, rel=0.25)


@pytest.mark.parametrize("rate_hz", [49, 5001])
def test_other_rates_are_refused(rate_hz):
    with pytest.raises(ValueError, match="geo-1"):
        GroundMotion(scene([], seed=1), "geo-1", rate_hz, "Z")


@pytest.mark.parametrize("name", ["asphalt", "dry-sand", "apron"])
def test_days_are_louder_than_nights_by_the_sites_swing(name):
    day = heard(site=name, seconds=120.0, start_utc_ns=START_UTC_NS + 3 * 3600 * 10**9)
    night = heard(site=name, seconds=120.0, start_utc_ns=NIGHT_UTC_NS)
    ratio = np.median(np.abs(day)) / np.median(np.abs(night))
    assert 0.5 * SITES[name].swing < ratio < 1.3 * SITES[name].swing


def test_gusts_live_4_to_20_s_and_vary_by_half_their_mean():
    samples = heard(seconds=600.0, wind_m_s=12.0, rate_hz=100)
    level = band(samples, 100, 2.0, 40.0).reshape(-1, 100).std(axis=1)
    assert 0.45 < level.std() / level.mean() < 1.0
    centred = level - level.mean()
    fading = np.correlate(centred, centred, "full")[level.size - 1 :] / (centred**2).sum()
    assert 1 < np.argmax(fading < 0.3) < 15


def test_wind_blows_harder_under_trees_than_over_sand():
    def louder(name):
        return heard(site=name, wind_m_s=9.0).std() / heard(site=name, wind_m_s=0.0).std()

    assert louder("orchard") > 1.5 * louder("dry-sand")


def test_rain_is_heard_at_500_hz_between_60_and_200_hz_and_not_at_100_hz():
    rain = at("rain", size=20.0)
    slow, fast = (
        (heard(rain, rate_hz=rate, start_utc_ns=NIGHT_UTC_NS), heard(rate_hz=rate))
        for rate in (100, 500)
    )
    assert rms(slow[0][2000:4000]) == pytest.approx(rms(slow[1][2000:4000]), rel=0.1)
    wet, dry = (band(each[10_000:20_000], 500, 60.0, 200.0) for each in fast)
    assert rms(wet) > 5.0 * rms(dry)
    assert kurtosis(wet) > 3.3
    assert rms(band(fast[0][10_000:20_000], 500, 5.0, 40.0)) < 2.0 * rms(
        band(fast[1][10_000:20_000], 500, 5.0, 40.0)
    )


def test_mains_hums_at_the_sites_frequency():
    samples = heard(site="floor-office", rate_hz=500, seconds=20.0)
    f, power = spectrum_of(samples, 500)
    near = (f > 40.0) & (f < 70.0)
    assert f[near][power[near].argmax()] == pytest.approx(50.0, abs=0.2)


# --- instruments and scripts ---------------------------------------------------------


def test_what_is_counted_is_clipped_and_lies_where_the_converter_has_it():
    random = np.random.default_rng(1)
    twelve = INSTRUMENTS["sm24-12bit"]
    counts = twelve.counts(np.array([0.0, 1e-4, -1.0, 1.0]), random)
    assert counts.tolist() == [
        pytest.approx(2048, abs=3),
        pytest.approx(2048 + 1e-4 * twelve.counts_per_m_s, abs=3),
        0,
        4095,
    ]
    spikes = np.abs(twelve.counts(np.zeros(500_000), random) - 2048) > 20
    assert 2 <= spikes.sum() <= 20
    least_nm_s = {name: 1e9 / each.counts_per_m_s for name, each in INSTRUMENTS.items()}
    assert least_nm_s["shake"] == pytest.approx(2.5, rel=0.01)
    assert least_nm_s["anyshake"] == pytest.approx(0.012, rel=0.04)
    assert least_nm_s["sm24-ads1115"] == pytest.approx(271.0)


def test_a_quiet_day_holds_no_walker_and_every_nuisance_has_its_label():
    day = quiet(4, site="scrub")
    assert len(day.truth) == len(day.movers) > 50
    assert not {mover.class_name for mover in day.movers} & {"person", "group", "animal"}
    assert {"wind", "car", "pump", "train"} <= {mover.kind for mover in day.movers}


def test_the_fence_tells_the_truth_of_its_hour():
    told = SCENARIOS["fence"](3, START_UTC_NS)
    assert len(told.sensors) == 5
    assert {label.name for label in told.truth} == set(CLASSES.values())
    assert all(label.end_s <= told.duration_s for label in told.truth)
    assert told == SCENARIOS["fence"](3, START_UTC_NS) != SCENARIOS["fence"](4, START_UTC_NS)
