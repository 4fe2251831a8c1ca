from dataclasses import replace

import cv2
import numpy as np
import pytest

from simulators.xray_box import RIB_PERIOD_M, Box, draw_box
from simulators.xray_cases import (
    FAMILIES,
    LOADS,
    REPORT_FAMILIES,
    SETTINGS,
    THREATS,
    TUNING_FAMILIES,
    USUAL,
    CaseOptions,
    Scanner,
    XrayCase,
    case,
)
from simulators.xray_families import stow
from simulators.xray_physics import attenuation
from simulators.xray_scanner import expose
from simulators.xray_scene import Insertion, Scene
from simulators.xray_threats import Extent, Surroundings, Wanted, hide

COARSE = replace(USUAL, pitch_x_mm=16.0, pitch_y_mm=16.0)
STEADY = Scanner(
    pitch_x_mm=16.0,
    pitch_y_mm=16.0,
    quanta=1e12,
    electronic_counts=0.0,
    pulse_spread=0.0,
    row_gain_spread=0.0,
    module_spread=0.0,
    dark_spread=0.0,
    scatter_share=0.0,
    psf_px=0.0,
)


def coarse(seed: int, scanner: Scanner = COARSE, **asked) -> XrayCase:
    asked.setdefault("box", "20")
    return case(seed, CaseOptions(scanner=scanner, **asked))


def same(one: XrayCase, other: XrayCase) -> bool:
    return np.array_equal(one.high, other.high) and np.array_equal(one.low, other.low)


def attenuation_of(scan: XrayCase) -> np.ndarray:
    clear = (scan.high[:, 16:].astype(float) - 180.0) / 58_000.0
    return -np.log(np.clip(clear, 1e-6, None))


def box_scene(pitch_m: float = 0.008) -> tuple[Scene, Box]:
    box = Box(front_m=0.2, rear_m=6.2)
    return Scene(round(4.0 / pitch_m), round(6.4 / pitch_m), pitch_m, 0), box


def test_the_families_for_tuning_and_for_reports_have_nothing_in_common():
    assert set(TUNING_FAMILIES).isdisjoint(REPORT_FAMILIES)
    assert {*TUNING_FAMILIES, *REPORT_FAMILIES} == set(FAMILIES)
    for names in (TUNING_FAMILIES, REPORT_FAMILIES):
        assert {FAMILIES[name].clutter for name in names} == {"low", "medium", "high"}


@pytest.mark.parametrize("load", LOADS)
def test_the_same_seed_has_the_same_bytes_on_any_number_of_threads(load):
    before = cv2.getNumThreads()
    threat = "any" if load == "loaded" else ""
    try:
        cv2.setNumThreads(1)
        one = coarse(7, load=load, threat=threat)
        cv2.setNumThreads(4)
        assert same(one, coarse(7, load=load, threat=threat))
    finally:
        cv2.setNumThreads(before)
    assert not same(one, coarse(8, load=load, threat=threat))


def test_the_noise_of_two_seeds_has_nothing_in_common():
    first, second = (coarse(seed, load="empty").high[:10, 20:380].astype(float) for seed in (1, 2))
    apart = [(part - part.mean(axis=1, keepdims=True)).ravel() for part in (first, second)]
    assert abs(np.corrcoef(apart)[0, 1]) < 0.06  # 3600 pixels


def test_another_threat_or_scanner_leaves_the_vehicle_and_the_load_as_they_are():
    bare = coarse(11, scanner=STEADY, varied=False)
    hidden = coarse(11, scanner=STEADY, varied=False, threat="block")
    (threat,) = hidden.truth.threats
    changed = bare.high != hidden.high
    grown = cv2.dilate(threat.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert changed.sum() > 0.5 * threat.mask.sum()
    assert not (changed & ~grown).any()
    assert bare.truth.families == hidden.truth.families
    assert hidden.truth.load_kg == pytest.approx(bare.truth.load_kg + threat.mass_kg)


def test_a_second_scan_of_the_same_load_has_other_noise_alone():
    first, second = (coarse(11, scan=scan, varied=False) for scan in (0, 1))
    assert first.truth.load_kg == second.truth.load_kg
    assert first.high.shape == second.high.shape
    apart = first.high.astype(float) - second.high
    assert not same(first, second)
    assert np.median(np.abs(apart)) < 2_000  # 1 % of pulses, 1 % of quanta, 0.7 % of gains


@pytest.mark.parametrize("name", FAMILIES)
def test_a_load_weighs_what_it_is_said_to(name):
    scene, box = box_scene()
    mass_kg = stow(scene, box, FAMILIES[name], (box.from_m, box.to_m), np.random.default_rng(3))
    assert scene.mass_kg() == pytest.approx(mass_kg, rel=1e-3)
    assert 500.0 < mass_kg < 26_000.0


@pytest.mark.parametrize("material", ["organic", "steel"])
def test_the_mass_of_a_load_can_be_read_from_the_picture(material):
    asked = {"load": "light", "material": material, "mass_kg": 200.0}
    loaded = coarse(5, scanner=STEADY, varied=False, **asked)
    empty = coarse(5, scanner=STEADY, varied=False, load="empty")
    steps = np.linspace(0.0, 300.0, 3001)
    # Behind the walls' 3 g/cm2 the spectrum is a little harder.
    walls = {"organic": 0 * steps, "steel": 0 * steps + 3.0}
    behind = attenuation({**walls, material: walls[material] + steps}, 6.0)
    seen = np.interp(
        (attenuation_of(loaded) - attenuation_of(empty)).ravel(), behind - behind[0], steps
    )
    # g/cm2 times 0.016 m squared.
    assert seen.sum() * 0.016**2 * 10.0 == pytest.approx(200.0, rel=0.02)
    assert loaded.truth.load_kg == pytest.approx(200.0)


@pytest.mark.parametrize("kind", [*THREATS, "small", "light"])
def test_a_threat_is_where_its_truth_says_and_weighs_it(kind):
    scene, box = box_scene()
    around = Surroundings(
        scene=scene,
        box=box,
        load_m=Extent(box.from_m, box.to_m, box.deck_m, box.deck_m + 1.5),
        load={},
        engine=False,
    )
    hidden = hide(kind, around, Wanted(), np.random.default_rng(2))
    layers = hidden.insertion.layers
    drawn_kg = sum(float(layer.sum()) for layer in layers.values()) * scene.pitch_m**2 * 10
    assert drawn_kg == pytest.approx(hidden.mass_kg, rel=1e-3)
    there = sum(layers.values()) > 0
    rows, columns = np.nonzero(there.any(axis=1))[0], np.nonzero(there.any(axis=0))[0]
    at = hidden.insertion.at
    from_m = (at[1].start + columns[0]) * scene.pitch_m
    to_m = (at[1].start + columns[-1] + 1) * scene.pitch_m
    assert (from_m, to_m) == pytest.approx(hidden.extent[:2], abs=0.06)
    top_m = (scene.rows - at[0].start - rows[0]) * scene.pitch_m
    assert top_m == pytest.approx(hidden.extent.top_m, abs=0.12)


def test_an_insertion_multiplies_the_transmission_at_each_energy():
    scene, box = box_scene(0.02)
    draw_box(scene, box, np.random.default_rng(1))
    at = scene.window((2.0, 3.0), (1.5, 2.5))
    block = np.full((at[0].stop - at[0].start, at[1].stop - at[1].start), 30.0, np.float32)
    for end_mev in (6.0, 4.0):
        scene.insertions = []
        bare = scene.transmission(end_mev)
        once = Insertion(at, {"steel": block})
        own = once.clear(scene.layers, end_mev)
        for strength in (1.0, 0.5, 2.0):
            scene.insertions = [replace(once, strength=strength)]
            both = scene.transmission(end_mev)
            assert both[at] == pytest.approx(bare[at] * own**strength, rel=1e-5)
            outside = np.ones(bare.shape, np.bool_)
            outside[at] = False
            assert np.array_equal(both[outside], bare[outside])
        # At its full strength it is what the same matter in the scene would be.
        scene.insertions = []
        with_matter = Scene(scene.rows, scene.columns, scene.pitch_m, 0, 0, dict(scene.layers))
        with_matter.layers["steel"] = scene.layers["steel"].copy()
        with_matter.layers["steel"][at] += block
        assert with_matter.transmission(end_mev)[at] == pytest.approx(bare[at] * own, rel=1e-4)


def test_the_walls_have_the_corrugation_of_a_container():
    scene, box = box_scene(0.005)
    draw_box(scene, box, np.random.default_rng(4))
    rows, columns = scene.box((0.5, 0.5 + 16 * RIB_PERIOD_M), (2.0, 3.0))
    wall = scene.layers["steel"][rows, columns].mean(axis=0)
    power = np.abs(np.fft.rfft(wall - wall.mean())) ** 2
    period_m = (columns.stop - columns.start) * scene.pitch_m / np.arange(1, power.size)
    # Two webs in a period: the second harmonic is as strong as the first.
    strong = period_m[np.argsort(power[1:])[-3:]]
    assert np.min(np.abs(strong - RIB_PERIOD_M)) < 0.01 or (
        np.min(np.abs(strong - RIB_PERIOD_M / 2)) < 0.005
    )
    assert 2.5 < wall.mean() < 3.6  # 2 x 1.8 mm of steel, longer on its slanted parts
    assert 1.01 < wall.max() / wall.min() < 1.4


def test_what_befalls_the_lines_and_the_detectors_is_in_the_truth_and_in_the_picture():
    scanner = replace(
        COARSE, dead_rows=3, hot_rows=2, missed_pulses=4, speed_error=0.05, device=9, quanta=1e6
    )
    scan = coarse(3, scanner=scanner, load="empty", varied=False)
    truth = scan.truth
    assert len(truth.dead_rows) == 3
    assert (scan.high[list(truth.dead_rows)] < 300).all()
    assert (np.median(scan.high[list(truth.hot_rows), 20:], axis=1) > 60_000).all()
    assert (np.median(scan.high[:, list(truth.lost_columns)], axis=0) < 300).all()
    assert len(truth.lost_columns) == 4
    assert truth.speed_error == pytest.approx(0.05, abs=0.002)
    again = coarse(4, scanner=scanner, load="empty", varied=False).truth
    assert again.hot_rows[0] < scan.high.shape[0]
    usual = coarse(3, load="empty", varied=False)
    longer = scan.high.shape[1] - usual.high.shape[1]
    assert longer == pytest.approx(0.05 * usual.high.shape[1], abs=3)


def test_the_truth_says_which_column_shows_the_front():
    scan = coarse(6, scanner=STEADY, varied=False, load="empty")
    vehicle = np.nonzero((attenuation_of(scan) > 0.02).sum(axis=0) > 3)[0] + 16
    assert vehicle[0] == pytest.approx(scan.truth.front_column, abs=4)
    length_m = (vehicle[-1] + 1 - vehicle[0]) * 0.016
    assert length_m == pytest.approx(scan.truth.length_m, abs=0.08)


EFFECTS = {
    "dark_drift": 60.0,
    "gain_drift": 0.05,
    "uneven_rows": 4,
    "lag": 0.1,
    "smoothing_px": 0.8,
    "psf_px": 2.0,
    "scatter_share": 0.01,
    "wobble_m": 0.02,
    "speed_drift": 0.1,
    "stops": 1,
    "skew_deg": 1.0,
    "fan_stretch": 0.1,
    "interleave": 0.0,
    "dropped_lines": 3,
    "repeated_lines": 3,
    "row_gain_spread": 0.05,
    "pulse_spread": 0.02,
    "quanta": 1e3,
}


@pytest.mark.parametrize("name", EFFECTS)
def test_each_effect_has_a_switch_of_its_own(name):
    scene = Scene(60, 200, 0.016, 10)
    draw_box(
        scene, Box(front_m=0.2, rear_m=2.6, deck_m=0.3, inside_m=0.4), np.random.default_rng(1)
    )
    plain = expose(scene, replace(COARSE, device=5), np.random.default_rng(2))
    scanner = replace(COARSE, device=5, **{name: EFFECTS[name]})
    exposure = expose(scene, scanner, np.random.default_rng(2))
    if name in ("dropped_lines", "repeated_lines"):
        more = -3 if name == "dropped_lines" else 3
        assert exposure.high.shape[1] == plain.high.shape[1] + more
        return
    shared = slice(0, min(exposure.low.shape[1], plain.low.shape[1]))
    assert not np.array_equal(exposure.low[:, shared], plain.low[:, shared])


def test_other_settings_have_other_energies_pitches_and_noise():
    scans = [coarse(1, scanner=scanner, load="empty") for scanner in SETTINGS.values()]
    assert len({scan.energies_mev for scan in scans}) == len(SETTINGS)
    assert len({scan.pitch_mm for scan in scans}) == len(SETTINGS)


def test_clutter_is_measured_and_grows_from_bags_to_scrap():
    even, uneven = (
        coarse(2, families=(name,)).truth for name in ("fruit-cartons", "aluminium-scrap")
    )
    assert even.clutter == "low"
    assert uneven.clutter == "high"
    assert uneven.contrast > 3 * even.contrast > 0


def test_an_empty_box_has_no_load_but_may_have_dirt():
    truths = [coarse(seed, load="empty").truth for seed in range(4)]
    assert all(truth.empty and truth.load_kg == 0.0 for truth in truths)
    assert max(truth.debris_kg for truth in truths) > 0.0
    assert max(truth.debris_kg for truth in truths) < 15.0
    small = coarse(1, load="small").truth
    assert not small.empty
    assert small.load_kg == pytest.approx(1.5)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="none of the loads"):
        case(1, CaseOptions(load="full"))
    with pytest.raises(ValueError, match="no family"):
        case(1, CaseOptions(families=("grain",), clutter="high"))
    with pytest.raises(ValueError, match="none of the boxes"):
        case(1, CaseOptions(box="53"))
