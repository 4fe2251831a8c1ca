"""What shakes simulated ground, against the figures of facts/seismic.md sections 3.1 to 3.3."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from simulators.ground import Wavelets
from simulators.ground_motion import GroundMotion
from simulators.ground_scenes import KINDS, START_UTC_NS, draw, motion, quiet, scene
from simulators.ground_sensors import INSTRUMENTS
from simulators.ground_sites import REPORT_SITES, SITES, TUNING_SITES
from simulators.ground_sources import impacts
from simulators.ground_station import station_of
from simulators.ground_tones import Rotor
from simulators.movers import CLASSES, Mover
from simulators.scripts import SCENARIOS

FLOORS = [name for name, site in SITES.items() if site.indoors]
OUTDOORS = [name for name, site in SITES.items() if not site.indoors]
NIGHT_UTC_NS = START_UTC_NS - 8 * 3600 * 10**9  # 0:46 at the site


def band(samples, rate_hz, low_hz, high_hz):
    spectrum = np.fft.rfft(samples)
    f = np.fft.rfftfreq(samples.size, 1.0 / rate_hz)
    spectrum[(f < low_hz) | (f > high_hz)] = 0.0
    return np.fft.irfft(spectrum, samples.size)


def rms(samples):
    return float(np.sqrt(np.mean(samples**2)))


def kurtosis(samples):
    centred = samples - samples.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def at(kind, *, start_s=5.0, place_m=(10.0, 0.0), for_s=40.0, **keys):
    """Something that stays at a place."""
    return Mover(
        mover_id=f"{kind}-1",
        kind=kind,
        zone="zone",
        start_s=start_s,
        start_m=place_m,
        end_m=place_m,
        lasts_s=for_s,
        **keys,
    )


def passing(kind, *, start_s=5.0, closest_m=5.0, reach_m=20.0, **keys):
    """Something that comes by on a line."""
    return Mover(
        mover_id=f"{kind}-1",
        kind=kind,
        zone="zone",
        start_s=start_s,
        start_m=(-reach_m, closest_m),
        end_m=(reach_m, closest_m),
        **keys,
    )


def heard(*movers, seed=1, site="loess", seconds=60.0, rate_hz=200, wind_m_s=0.0, **keys):
    told = scene(movers, seed=seed, site=site, seconds=seconds, wind_m_s=wind_m_s, **keys)
    return motion(told, rate_hz)[0]


def spectrum_of(samples, rate_hz):
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    return np.fft.rfftfreq(samples.size, 1.0 / rate_hz), power


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


# --- who comes by ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_labelled_and_felt(kind):
    mover = draw(kind, Random(f"{kind}/3"), at_s=12.0, closest_m=5.0, for_s=40.0)
    if kind == "wind":
        mover = replace(mover, size=9.0)
    told = scene([mover], seed=2, site="loess", seconds=80.0, wind_m_s=0.5)
    assert [(label.name, label.detail) for label in told.truth] == [(mover.class_name, kind)]
    # What only a fast sensor hears is asked of one.
    samples = motion(told, 500)[0]
    calm = heard(seconds=80.0, wind_m_s=0.5, rate_hz=500, seed=2)
    while_there = slice(round(mover.start_s) * 500, round(min(mover.end_s, 80.0)) * 500)
    assert rms(samples[while_there]) > 1.03 * rms(calm[while_there])
    assert np.array_equal(samples, motion(told, 500)[0])


def test_classes_are_the_nine():
    nine = "person group animal vehicle digging aircraft weather machinery unknown"
    assert " ".join(dict.fromkeys(CLASSES.values())) == nine
    assert draw("person", Random(1), at_s=0.0).class_name == "person"
    assert draw("group", Random(1), at_s=0.0).class_name == "group"


@pytest.mark.parametrize("name", ["loess", "orchard", "scrub", "limestone", "floor-office"])
def test_walking_passes_are_as_impulsive_as_measured(name):
    found = []
    for seed in range(6):
        walker = passing("person", closest_m=4.0, reach_m=12.0, shoes="boots")
        samples = heard(walker, seed=seed, site=name, seconds=25.0, start_utc_ns=NIGHT_UTC_NS)
        found.append(kurtosis(band(samples[1000:4400], 200, 10.0, 100.0)))
    assert 3.5 < np.median(found) < 24.0


@pytest.mark.parametrize(
    ("kind", "speed_m_s", "low_hz", "high_hz"),
    [("person", 1.4, 1.55, 2.0), ("runner", 3.2, 2.5, 3.6), ("stealth", 0.6, 0.95, 1.55)],
)
def test_cadence_is_that_of_the_gait(kind, speed_m_s, low_hz, high_hz):
    for seed in range(5):
        walker = passing(kind, speed_m_s=speed_m_s, reach_m=40.0)
        blows = [blow.at_s for blow in impacts(scene([walker], seed=seed), walker)]
        assert low_hz < 1.0 / np.diff(blows).mean() < high_hz


def test_who_sneaks_is_half_as_loud_or_less_and_who_runs_is_louder():
    def loudest(kind, speed_m_s):
        walker = passing(kind, speed_m_s=speed_m_s, shoes="boots")
        passes = (band(heard(walker, seed=seed, seconds=80.0), 200, 5.0, 80.0) for seed in range(5))
        return np.mean([np.abs(each).max() for each in passes])

    walks, sneaks, runs = loudest("person", 1.4), loudest("stealth", 0.7), loudest("runner", 3.0)
    assert sneaks < 0.5 * walks
    assert runs > 1.4 * walks


def test_heavy_walkers_are_louder():
    light, heavy = (
        np.abs(heard(passing("person", mass_kg=kg), rate_hz=100)).max() for kg in (45.0, 110.0)
    )
    assert heavy / light == pytest.approx(110.0 / 45.0, rel=0.15)


def test_cattle_are_irregular_and_horses_are_not():
    def gaps(kind):
        mover = passing(kind, speed_m_s=1.0, mass_kg=450.0, reach_m=30.0)
        beats = [blow.at_s for blow in impacts(scene([mover], seed=3), mover)][::4]
        return np.diff(np.sort(beats))

    assert gaps("cattle").std() / gaps("cattle").mean() > 0.25
    assert gaps("horse").std() / gaps("horse").mean() < 0.08


def test_a_trot_has_two_beats_where_a_walk_has_four():
    def beats_hz(manner):
        horse = passing("horse", manner=manner, speed_m_s=2.0, mass_kg=450.0, reach_m=30.0)
        blows = np.sort([blow.at_s for blow in impacts(scene([horse], seed=3), horse)])
        apart = np.diff(blows) > 0.08
        return (apart.sum() + 1) / (blows[-1] - blows[0])

    assert 1.8 < beats_hz("trot") < 3.1
    assert 3.2 < beats_hz("walk") < 6.1


@pytest.mark.parametrize("manner", ["pick", "shovel"])
def test_digging_is_irregular_and_stays(manner):
    dig = at("digging", manner=manner, for_s=120.0)
    blows = [blow for blow in impacts(scene([dig], seed=4), dig) if blow.kind != "heap"]
    gaps = np.diff([blow.at_s for blow in blows])
    assert 0.5 < 1.0 / np.median(gaps) < 3.0
    assert gaps.std() > 0.25 * gaps.mean()
    assert {blow.place_m for blow in blows} == {(10.0, 0.0)}


@pytest.mark.parametrize("kind", ["car", "truck", "vehicle"])
def test_a_vehicle_is_a_smooth_bell_of_low_frequencies(kind):
    vehicle = passing(kind, closest_m=25.0, reach_m=150.0, speed_m_s=8.0, mass_kg=8_000.0)
    samples = heard(vehicle, seconds=50.0)
    level = np.array([rms(piece) for piece in band(samples, 200, 4.0, 60.0).reshape(-1, 200)])
    assert 20 <= level.argmax() <= 29
    assert 5 <= (level > 0.3 * level.max()).sum() <= 40
    loud = samples[3600:5800]
    assert kurtosis(loud) < 9.0
    f, power = spectrum_of(loud, 200)
    assert power[(f >= 4.0) & (f <= 30.0)].sum() > 0.6 * power[f >= 1.0].sum()


def test_a_track_is_a_comb_at_speed_over_pitch():
    tank = passing("tracked", closest_m=15.0, reach_m=60.0, speed_m_s=4.0, mass_kg=20_000.0)
    tank = replace(tank, frequency_hz=4.0 / 0.16)
    f, power = spectrum_of(heard(tank, seconds=36.0)[2400:4800], 200)
    for order in (1, 2):
        near = np.abs(f - order * 25.0) < 1.5
        beside = (np.abs(f - order * 25.0) > 3.0) & (np.abs(f - order * 25.0) < 8.0)
        assert power[near].max() > 8.0 * np.median(power[beside])


def test_a_train_is_long_loud_and_low():
    train = passing("train", closest_m=120.0, reach_m=500.0, speed_m_s=18.0, length_m=400.0)
    samples = heard(train, seconds=100.0)
    level = np.array([rms(piece) for piece in samples.reshape(-1, 200)])
    assert 20 <= (level > 0.2 * level.max()).sum() <= 90
    assert level.max() > 20.0 * level[:4].mean()
    f, power = spectrum_of(samples, 200)
    assert power[f < 20.0].sum() > 0.7 * power.sum()


def test_a_prop_is_above_what_100_samples_a_second_carry():
    prop = passing(
        "ultralight",
        closest_m=20.0,
        reach_m=600.0,
        speed_m_s=25.0,
        height_m=60.0,
        frequency_hz=90.0,
    )
    slow = heard(prop, rate_hz=100, start_utc_ns=NIGHT_UTC_NS)
    fast = heard(prop, rate_hz=500, start_utc_ns=NIGHT_UTC_NS)
    calm = heard(rate_hz=500, start_utc_ns=NIGHT_UTC_NS)
    assert rms(slow) < 1.1 * rms(heard(rate_hz=100, start_utc_ns=NIGHT_UTC_NS))
    near = slice(20 * 500, 40 * 500)
    assert rms(band(fast[near], 500, 80.0, 100.0)) > 3.0 * rms(band(calm[near], 500, 80.0, 100.0))


def test_a_helicopter_falls_in_pitch_as_it_passes_and_its_sound_as_one_over_range():
    craft = passing(
        "helicopter",
        closest_m=50.0,
        reach_m=1500.0,
        speed_m_s=50.0,
        height_m=100.0,
        frequency_hz=20.0,
    )
    told = scene([craft], seed=1, seconds=70.0)
    rotor = Rotor(station_of(told, "geo-1", 200, "Z"), craft)
    times_s = np.arange(14.0, 62.0, 0.05)
    turns, size, _ = rotor.turns_and_size(times_s)
    pitch_hz = np.diff(turns) * 20.0
    assert pitch_hz[50] == pytest.approx(20.0 / (1.0 - 50.0 / 340.0), rel=0.03)
    assert pitch_hz[-50] == pytest.approx(20.0 / (1.0 + 50.0 / 340.0), rel=0.03)
    near, far = size[abs(times_s - 35.3).argmin() - 20 :][:40].mean(), size[:160].mean()
    assert 4.0 < near / far < 16.0  # 112 m against 950 m, and it wobbles


def test_machines_hum_in_lines_and_switch():
    pump = at("pump", frequency_hz=29.0, for_s=600.0, size=3.0, place_m=(8.0, 0.0))
    samples = heard(pump, seconds=500.0)
    level = np.array([rms(piece) for piece in band(samples, 200, 27.0, 31.0).reshape(-1, 1000)])
    assert level.max() > 5.0 * level.min()
    loud = samples[int(level.argmax()) * 1000 :][:1000]
    f, power = spectrum_of(loud, 200)
    assert f[power.argmax()] == pytest.approx(29.0, abs=0.5) or power.argmax() % 29 == 0


def test_thunder_rolls_at_4_to_12_hz_for_5_to_30_s():
    storm = at("thunder", for_s=5.0, size=4.0)
    samples = heard(storm, seconds=60.0)
    level = np.array([rms(piece) for piece in samples.reshape(-1, 200)])
    assert 2 <= (level > 0.1 * level.max()).sum() <= 30
    f, power = spectrum_of(samples, 200)
    assert power[(f >= 3.0) & (f <= 16.0)].sum() > 0.75 * power[f > 0.5].sum()


def test_a_quakes_second_wave_is_larger_and_lower_and_dies_away_slowly():
    quake = at("quake", size=20.0, frequency_hz=8.0)
    samples = heard(quake, seconds=60.0)
    first, second = samples[5 * 200 : 12 * 200], samples[13 * 200 : 20 * 200]
    assert rms(second) > 1.5 * rms(first) > 10.0 * rms(samples[: 4 * 200])
    late = [rms(samples[s * 200 : (s + 5) * 200]) for s in (15, 25, 35)]
    assert late[0] > late[1] > late[2]


def test_what_was_before_the_scenario_is_over():
    early = heard(passing("person", start_s=-20.0, reach_m=14.0), seconds=10.0)
    assert np.array_equal(early, heard(seconds=10.0))


def test_three_axes_feel_the_same_walker():
    told = scene([passing("person")], seed=1, site="loess", seconds=40.0, wind_m_s=0.0)
    three = motion(told, 100, axes="ZNE")
    assert three.shape == (3, 4000)
    assert np.abs(three[1:]).max(axis=1).min() > 3.0 * rms(three[0, :400])


# --- instruments, scripts and speed ---------------------------------------------------------


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
