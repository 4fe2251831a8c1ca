import json
import random as plain_random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fusion.scans.emptiness import Left, empty_nats
from fusion.types import Detection, Origin, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse, detections
from simulators import loads, loads_radioactive
from simulators.scenario import Cargo, Vehicle
from simulators.xray import composite, planes

POLICY = XrayPolicy()
ROWS, PITCH_MM = 500, 8.0


def scan_of(load: loads.Load, seed: int = 1, **changes) -> ScanSample:
    vehicle = load.onto(Vehicle(vehicle_id="v", lane="a", at_portal_s=0.0))
    pitch_mm = changes.pop("pitch_mm", PITCH_MM)
    high, low = planes(
        vehicle,
        rows=changes.pop("rows", ROWS),
        pitch_mm=pitch_mm,
        random=np.random.default_rng(seed),
        striped=changes.pop("striped", False),
    )
    sample = ScanSample(
        sensor_id="xray-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=5,
        duration_ms=9000,
        scan_id="s",
        high=high,
        low=low,
        composite=None,
        pitch_x_mm=pitch_mm,
        pitch_y_mm=pitch_mm,
        declared=load.declared,
        container="",
        digests=(),
    )
    return replace(sample, **changes)


def picture_only(scan: ScanSample) -> ScanSample:
    return replace(scan, high=None, low=None, composite=composite(scan.high))


def load_of(*cargo: Cargo, declared: str = "") -> loads.Load:
    return loads.Load(name="test", cargo=cargo, declared=declared)


def bulk(density_g_cm3: float = 0.35, top_m: float = 1.8) -> Cargo:
    return Cargo(
        kind="bulk",
        material="organic",
        density_g_cm3=density_g_cm3,
        from_m=5.2,
        to_m=17.0,
        top_m=top_m,
    )


def block(material: str, middle_m: float, side_m: float, g_cm2: float) -> Cargo:
    """A cube's outline with the given areal density."""
    density = {"steel": 7.8, "lead": 11.3, "organic": 1.0, "aluminium": 2.7}[material]
    return Cargo(
        kind="object",
        material=material,
        density_g_cm3=density,
        from_m=middle_m - side_m / 2,
        to_m=middle_m + side_m / 2,
        bottom_m=0.4,
        top_m=0.4 + side_m,
        width_m=g_cm2 / density / 100.0,
    )


def random(seed: object) -> plain_random.Random:
    return plain_random.Random(f"xray/{seed}")


@pytest.mark.parametrize("seed", range(5))
def test_an_empty_box_is_empty(seed):
    finding = analyse(scan_of(loads.empty(random(seed)), seed), POLICY)
    assert finding.empty
    assert finding.empty_nats > 4.0
    assert finding.fill < 0.005
    assert finding.regions == ()
    assert finding.notes == ()


@pytest.mark.parametrize(("mass_kg", "most_nats"), [(300.0, -8.0), (100.0, -4.0), (50.0, -1.0)])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_left_in_a_box_declared_empty_is_found(mass_kg, most_nats, seed):
    side_m = (mass_kg / 1000 / 0.4) ** (1 / 3)
    start_m = random(seed).uniform(5.0, 16.0)
    left = Cargo(
        kind="object",
        material="organic",
        density_g_cm3=0.4,
        from_m=start_m,
        to_m=start_m + side_m,
        top_m=side_m,
        width_m=side_m,
    )
    finding = analyse(scan_of(load_of(left, declared="empty"), seed), POLICY)
    assert not finding.empty
    assert finding.empty_nats < most_nats


@pytest.mark.parametrize(
    "kind", [loads.pallets, loads.produce, loads.machinery, loads_radioactive.norm]
)
@pytest.mark.parametrize("seed", range(3))
def test_lawful_loads_are_loads_without_a_strong_dense_place(kind, seed):
    finding = analyse(scan_of(kind(random(seed)), seed), POLICY)
    assert finding.empty_nats < -8.0
    assert 0.2 < finding.fill < 0.95
    assert [region for region in finding.regions if region.sigma >= 8.0] == []
    assert finding.unpenetrated < POLICY.notable_unpenetrated


def test_homogeneity_tells_bulk_from_clutter():
    even, cartons, mixed, clutter = (
        analyse(scan_of(load), POLICY).homogeneity
        for load in (
            load_of(bulk()),
            loads.produce(random(1)),
            loads.pallets(random(1)),
            loads.machinery(random(1)),
        )
    )
    assert even > 0.9 > cartons > 0.6
    assert mixed < 0.3
    assert clutter < 0.2


@pytest.mark.parametrize("material", ["steel", "lead"])
@pytest.mark.parametrize("seed", range(3))
def test_a_dense_block_in_bulk_is_found_at_its_place(material, seed):
    middle_m = random(seed).uniform(7.0, 15.0)
    dense = block(material, middle_m, 0.5, 60.0)
    finding = analyse(scan_of(load_of(bulk(), dense), seed), POLICY)
    (region,) = finding.regions
    assert region.sigma > 8.0
    assert (region.from_m + region.to_m) / 2 == pytest.approx(middle_m, abs=0.1)
    assert region.to_m - region.from_m == pytest.approx(0.5, abs=0.15)
    # Load floor 1.2 m above the road, the block 0.4 m above that.
    assert (region.bottom_m, region.top_m) == pytest.approx((1.6, 2.1), abs=0.15)
    # Told as steel; lead of 60 g/cm2 takes as much as 66 of steel, here behind bulk.
    assert region.excess_g_cm2 == pytest.approx(60.0, rel=0.35)
    assert region.material in {"steel", "dense"}


@pytest.mark.parametrize(
    ("material", "names"),
    [
        ("organic", {"organic"}),
        ("aluminium", {"light-metal"}),
        ("steel", {"steel"}),
        ("lead", {"dense"}),
    ],
)
def test_the_material_of_a_block_shows_in_both_energies(material, names):
    told = [
        analyse(scan_of(load_of(bulk(0.15), block(material, 11.0, 0.6, 50.0)), seed), POLICY)
        for seed in range(3)
    ]
    assert {finding.regions[0].material for finding in told} <= names


def test_a_source_shielded_by_lead_is_a_dense_block_in_any_load():
    for seed in range(3):
        hidden = loads_radioactive.shielded_source(random(seed))
        for load in (hidden, replace(loads.pallets(random(seed)), sources=hidden.sources)):
            finding = analyse(scan_of(load, seed), POLICY)
            strongest = finding.regions[0]
            middle_m = (strongest.from_m + strongest.to_m) / 2
            assert middle_m == pytest.approx(hidden.sources[0].from_m, abs=0.3)
            assert strongest.material == "dense"


def test_a_load_that_lets_nothing_through_is_unpenetrated():
    finding = analyse(scan_of(load_of(bulk(1.4, 1.6))), POLICY)
    assert finding.unpenetrated > 0.4
    kinds = {detection.kind: detection.facts for detection in detections(finding, POLICY)}
    assert kinds["xray.unpenetrated"]["share"] == finding.unpenetrated
    assert kinds["xray.unpenetrated"]["position_m"] == pytest.approx(11.1, abs=0.3)
    assert not finding.empty


def test_the_box_is_measured_from_the_vehicles_front():
    finding = analyse(scan_of(loads.pallets(random(1))), POLICY)
    places = dict(finding.geometry)
    assert finding.length_m == pytest.approx(18.0, abs=0.15)
    assert (places["box_from_m"], places["box_to_m"]) == pytest.approx((4.5, 17.5), abs=0.15)
    assert places["deck_m"] == pytest.approx(1.2, abs=0.1)
    assert places["roof_m"] == pytest.approx(3.65, abs=0.1)


def test_stripes_and_missed_pulses_are_repaired_and_told():
    for seed in range(2):
        finding = analyse(scan_of(loads.empty(random(seed)), seed, striped=True), POLICY)
        assert finding.empty_nats > 4.0
        assert dict(finding.quality)["dead_rows"] >= 3
    clean = dict(analyse(scan_of(loads.empty(random(1))), POLICY).quality)
    assert clean["dead_rows"] == 0
    assert clean["pulse_sigma"] == pytest.approx(0.01, abs=0.003)
    assert clean["dark_counts"] == pytest.approx(180, abs=5)
    assert 200 < clean["penetration_mm"] < 400  # facts 2.2: 224 to 395 mm at 6 MV


def test_missing_references_are_noted_and_lived_without():
    scan = scan_of(loads.pallets(random(1)))
    # From within the cab to within the box, and no sky.
    cropped = replace(
        scan,
        high=np.ascontiguousarray(scan.high[60:, 150:2000]),
        low=np.ascontiguousarray(scan.low[60:, 150:2000]),
    )
    finding = analyse(cropped, POLICY)
    assert {"no-dark-reference", "no-air-columns", "no-air-band"} <= set(finding.notes)
    assert not finding.empty


def test_one_plane_gives_all_but_the_material():
    load = load_of(bulk(), block("steel", 10.0, 0.5, 60.0))
    finding = analyse(scan_of(load, low=None), POLICY)
    assert "no-low-plane" in finding.notes
    assert [region.material for region in finding.regions] == [""]


def test_a_composite_gives_emptiness_fill_and_geometry_only():
    empty = analyse(picture_only(scan_of(loads.empty(random(1)))), POLICY)
    full = analyse(picture_only(scan_of(loads.produce(random(1)))), POLICY)
    assert empty.empty_nats > 2.0
    assert full.empty_nats < -4.0
    assert full.fill > 0.6
    assert full.regions == ()
    assert "composite-only" in full.notes
    assert full.length_m == pytest.approx(18.0, abs=0.2)
    dark = analyse(picture_only(scan_of(load_of(bulk(1.4, 1.6)))), POLICY)
    assert dark.unpenetrated > 0.4


@pytest.mark.parametrize(
    "changes",
    [
        {"high": None, "low": None},
        {"high": np.zeros((5, 5), np.uint16)},
        {"high": np.zeros((200, 300), np.uint16)},
        {"high": np.full((200, 300), 65_535, np.uint16)},
        {"high": np.full((200, 300), 58_000, np.uint16)},
        {"high": np.tile(np.uint16([0, 60_000]), (200, 150))},
        {"high": np.random.default_rng(1).integers(0, 65_536, (300, 400)).astype(np.uint16)},
        {"high": np.random.default_rng(1).integers(0, 9, (300, 400)).astype(np.uint16)},
        {"high": np.repeat(np.linspace(0, 65_535, 512).astype(np.uint16)[None], 300, 0)},
        {"high": np.repeat(np.linspace(0, 65_535, 512).astype(np.uint16)[:, None], 300, 1)},
        {"high": np.full((33, 4000), 30_000, np.uint16)},
        {"high": np.full((4000, 33), 30_000, np.uint16)},
        {"low": np.zeros((10, 10), np.uint16)},
    ],
)
def test_any_picture_gives_a_finding_that_can_be_told(changes):
    finding = analyse(scan_of(loads.produce(random(1)), rows=250, pitch_mm=16.0, **changes), POLICY)
    for detection in detections(finding, POLICY):
        json.dumps(detection.facts, allow_nan=False)


def test_random_pictures_with_random_holes_never_raise():
    source = np.random.default_rng(17)
    scan = scan_of(loads.pallets(random(2)), rows=250, pitch_mm=16.0)
    for _ in range(60):
        high = scan.high.copy()
        for _ in range(source.integers(1, 6)):
            top, left = (int(source.integers(0, side - 1)) for side in high.shape)
            height, width = source.integers(1, 200, 2)
            high[top : top + height, left : left + width] = source.integers(0, 65_536)
        low = scan.low if source.random() < 0.5 else high[:, ::-1].copy()
        pitch_mm = float(source.choice([0.5, 8.0, 50.0]))
        finding = analyse(replace(scan, high=high, low=low, pitch_x_mm=pitch_mm), POLICY)
        for detection in detections(finding, POLICY):
            json.dumps(detection.facts, allow_nan=False)


def test_the_finding_is_the_same_bits_whatever_the_threads():
    scan = scan_of(loads.dense_object(random(3)))
    expected = analyse(scan, POLICY)
    before = cv2.getNumThreads()
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(lambda _: analyse(scan, POLICY), range(4)))
            assert found == [expected] * 4
    finally:
        cv2.setNumThreads(before)


def test_the_scan_is_not_changed():
    scan = scan_of(loads.produce(random(1)), rows=250, pitch_mm=16.0)
    high, low = scan.high.copy(), scan.low.copy()
    analyse(scan, POLICY)
    assert np.array_equal(scan.high, high)
    assert np.array_equal(scan.low, low)


def test_detections_carry_what_the_core_reads():
    finding = analyse(scan_of(loads.dense_object(random(1))), POLICY)
    found = detections(finding, POLICY)
    assert [detection.kind for detection in found] == ["xray.scan", "xray.emptiness", "xray.dense"]
    assert all(isinstance(detection, Detection) and detection.final for detection in found)
    assert {(d.start_utc_ns, d.end_utc_ns) for d in found} == {(5, 5 + 9 * 10**9)}
    scan, emptiness, dense = (detection.facts for detection in found)
    assert {"empty", "fill", "regions", "unpenetrated", "homogeneity", "geometry"} <= set(scan)
    assert {"quality", "declared", "container", "scan_id", "length_m"} <= set(scan)
    assert set(emptiness) == {"empty", "empty_nats", "fill", "declared", "sure"}
    assert set(dense) == {
        *("position_m", "from_m", "to_m", "bottom_m", "top_m"),
        *("excess_g_cm2", "sigma", "material", "material_share", "mass_kg", "homogeneity"),
    }
    assert dense["position_m"] == pytest.approx((dense["from_m"] + dense["to_m"]) / 2, abs=0.01)


def test_more_regions_than_told_are_cut_to_the_strongest():
    finding = analyse(scan_of(loads.dense_object(random(1))), POLICY)
    many = replace(finding, regions=finding.regions * 9)
    kinds = [detection.kind for detection in detections(many, POLICY)]
    assert kinds.count("xray.dense") == POLICY.max_regions


def test_emptiness_falls_steadily_with_the_mass():
    nats = [
        empty_nats([Left(place="floor", mass_kg=kg, peak_g_cm2=kg / 2, along=0.0)], POLICY)
        for kg in (0.01, 0.3, 1, 2, 5, 10, 20, 50, 100, 300, 3000, 30_000)
    ]
    assert nats == sorted(nats, reverse=True)
    assert empty_nats([], POLICY) >= nats[0] > 4.0
    assert nats[6] < 0.0
    assert nats[-1] == -POLICY.max_empty_nats


def test_a_scan_without_a_picture_says_nothing_of_emptiness():
    finding = analyse(scan_of(loads.empty(random(1)), high=None, low=None), POLICY)
    assert isinstance(finding, ScanFinding)
    assert finding.notes == ("no-picture",)
    assert [detection.kind for detection in detections(finding, POLICY)] == ["xray.scan"]
