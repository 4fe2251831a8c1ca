"""Who and what shakes simulated ground, against the figures of facts/seismic.md 3.1 to 3.3."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from simulators.ground_scenes import KINDS, draw, motion, scene
from simulators.ground_sources import impacts
from simulators.ground_station import station_of
from simulators.ground_tones import Rotor
from simulators.movers import CLASSES
from tests.simulators.ground_hearing import (
    NIGHT_UTC_NS,
    at,
    band,
    heard,
    kurtosis,
    passing,
    rms,
    spectrum_of,
)


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


def test_steps_on_a_timber_floor_are_as_large_as_were_measured():
    tops = []
    for seed in range(4):
        walker = passing("person", closest_m=3.0, reach_m=4.0, mass_kg=75.0, shoes="boots")
        samples = np.abs(heard(walker, seed=seed, site="floor-timber", seconds=12.0))
        tops += [samples[i : i + 110].max() * 1e6 for i in range(1200, 2000, 110)]
    assert 35.0 < np.median(tops) < 93.0
    assert 49.0 < np.percentile(tops, 90) < 160.0
    assert max(tops) < 440.0
