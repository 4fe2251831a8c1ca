"""The test piece: found, scored, worse where the scanner is worse, and told when it fails."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from edge.text.render import render
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.scans import test_piece as piece_room
from fusion.scans import test_piece_layout as layout
from fusion.scans.scanner import failures
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Event,
    Family,
    LaneSpec,
    Origin,
    Phase,
    ScanFinding,
    ScanSample,
    SensorSpec,
)
from fusion.xray import XrayPolicy, analyse
from simulators import xray_test_piece
from simulators.scenario import Vehicle
from simulators.xray import planes
from simulators.xray_scanner import USUAL, Scanner, expose
from simulators.xray_scene import Scene

POLICY = XrayPolicy()
LIMITS = ScannerPolicy().test_piece_limits
USUAL_ONE = replace(USUAL, device=3)


@cache
def picture(scanner: Scanner, seed: int) -> tuple[np.ndarray, np.ndarray]:
    pitch_m = min(scanner.pitch_x_mm, scanner.pitch_y_mm) / 1000.0
    air = round(scanner.air_m / pitch_m)
    scene = Scene(round(2.4 / pitch_m), round(5.4 / pitch_m) + 2 * air, pitch_m, air)
    xray_test_piece.draw(scene, front_m=0.7)
    exposure = expose(scene, scanner, np.random.default_rng(seed))
    return exposure.high, exposure.low


def scan(scanner: Scanner = USUAL_ONE, seed: int = 1, **changes) -> ScanSample:
    high, low = picture(scanner, seed)
    sample = ScanSample(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=SECOND_NS,
        duration_ms=9000,
        scan_id=f"piece-{seed}",
        high=high,
        low=low,
        composite=None,
        pitch_x_mm=scanner.pitch_x_mm,
        pitch_y_mm=scanner.pitch_y_mm,
        declared=piece_room.DECLARED,
        container="",
        digests=(),
        energies_mev=scanner.energies_mev,
    )
    return replace(sample, **changes)


def scores(scanner: Scanner = USUAL_ONE, seed: int = 1, **changes) -> dict[str, float]:
    return dict(analyse(scan(scanner, seed, **changes), POLICY).test_piece)


def test_both_rooms_have_the_same_piece():
    assert xray_test_piece.DECLARED == piece_room.DECLARED
    drawn = list(xray_test_piece.parts())
    steel = [part for part in drawn if part.material == "steel"]
    assert steel[0][3:5] == (layout.FRAME_MM[0], layout.RAIL_MM[0])
    assert (steel[3].along_mm + steel[3].length_mm, steel[1].up_mm + 60.0) == layout.FRAME_MM
    blocks = steel[4:18:2]
    assert [part.thickness_mm for part in blocks] == list(layout.STEPS_MM)
    for i, (block, cube) in enumerate(zip(blocks, steel[5:18:2], strict=True)):
        assert block.along_mm == layout.STEPS_AT_MM[0] + layout.STEP_EVERY_MM * i
        assert (block.up_mm, *block[3:5]) == (layout.STEPS_AT_MM[1], *layout.STEP_FACE_MM)
        at = (cube.along_mm - block.along_mm, cube.up_mm - block.up_mm)
        assert at == layout.TARGETS_AT_MM[i % 4]
        assert set(cube[3:]) == {layout.TARGET_MM}
    assert steel[18][1:] == layout.WIRE_PLATE_MM
    assert steel[19][1:] == layout.CONTRAST_PLATE_MM
    for i, sheet in enumerate(steel[20:26]):
        along = layout.CONTRAST_AT_MM[0] + layout.CONTRAST_EVERY_MM[0] * (i % 3)
        up = layout.CONTRAST_AT_MM[1] + layout.CONTRAST_EVERY_MM[1] * (i // 3)
        side = layout.CONTRAST_SIDE_MM
        assert sheet[1:] == (along, up, side, side, layout.CONTRASTS_PERCENT[i])
    bars = steel[26:-2]
    for i, width in enumerate(layout.BARS_MM):
        group = bars[8 * i : 8 * i + 8]
        assert group[0].along_mm == pytest.approx(layout.bars_along(i))
        assert group[0].up_mm == layout.BARS_ALONG_AT_MM[1]
        every = layout.BARS_LENGTH_MM[1] + layout.BARS_GAP_MM
        assert group[1].along_mm == layout.BARS_UP_AT_MM[0] + every * i
        assert {part.length_mm for part in group[::2]} == {width}
        assert {part.height_mm for part in group[1::2]} == {width}
        assert group[2].along_mm - group[0].along_mm == pytest.approx(2 * width)
    assert steel[-2][1:5] == layout.SOLID_MM
    blocks = drawn[-4:]
    assert [(part.material, part.thickness_mm) for part in blocks] == list(layout.MATERIALS)
    assert [part.along_mm for part in blocks] == [
        layout.MATERIALS_AT_MM[0] + layout.MATERIAL_EVERY_MM * i for i in range(4)
    ]
    wires = list(xray_test_piece.wires())
    for sizes, at, drawn_wires in (
        (layout.WIRES_AIR_MM, layout.WIRES_AIR_AT_MM, wires[:8]),
        (layout.WIRES_STEEL_MM, layout.WIRES_STEEL_AT_MM, wires[8:]),
    ):
        assert tuple(wire.diameter_mm for wire in drawn_wires) == sizes
        assert (drawn_wires[0].along_mm, drawn_wires[0].up_mm) == at
        assert drawn_wires[1].along_mm - at[0] == layout.WIRE_EVERY_MM
        assert drawn_wires[0][2:4] == (layout.WIRE_HEIGHT_MM, layout.WIRE_LEAN_MM)


def test_the_readme_has_the_pieces_numbers():
    page = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for sizes in (
        layout.STEPS_MM,
        layout.WIRES_AIR_MM,
        layout.WIRES_STEEL_MM,
        layout.CONTRASTS_PERCENT,
        layout.BARS_MM,
    ):
        assert ", ".join(f"{size:g}" for size in sizes) + " mm" in page
    places = (
        layout.STEPS_AT_MM,
        layout.WIRES_AIR_AT_MM,
        layout.WIRES_STEEL_AT_MM,
        layout.WIRE_PLATE_MM[:2],
        layout.CONTRAST_AT_MM,
        layout.CONTRAST_PLATE_MM[:2],
        layout.BARS_ALONG_AT_MM,
        layout.BARS_UP_AT_MM,
        layout.SOLID_MM[:2],
        layout.MATERIALS_AT_MM,
        *layout.TARGETS_AT_MM,
    )
    for along, up in places:
        assert f"({along:g}, {up:g})" in page
    for material, thickness in layout.MATERIALS:
        assert f"{material} {thickness:g}" in page


def test_nothing_stands_in_the_way_of_anything_else():
    """Parts overlap only where one stands before another on purpose: cubes, sheets, wires."""
    boxes = [(p.along_mm, p.up_mm, p.length_mm, p.height_mm) for p in xray_test_piece.parts()]
    clear = layout.CLEAR_MM
    for along, up, length, height in boxes:
        apart = (
            along >= clear[0] + clear[2]
            or along + length <= clear[0]
            or up >= clear[1] + clear[3]
            or up + height <= clear[1]
        )
        assert apart
        assert along + length <= layout.FRAME_MM[0]
        assert up + height <= layout.FRAME_MM[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_healthy_scanner_passes(seed):
    found = analyse(scan(seed=seed), POLICY)
    assert failures(found.test_piece, LIMITS) == ()
    assert found.length_m == 0.0  # no vehicle was looked at
    assert dict(found.quality)["air_noise"] == pytest.approx(0.01, rel=0.05)
    told = dict(found.test_piece)
    assert 230.0 < told["penetration_mm"] < 290.0
    assert 8.0 < told["resolution_mm"] < 12.0


def test_the_piece_may_come_from_behind_and_from_far_or_near():
    high, low = picture(USUAL_ONE, 1)
    turned = scores(high=high[:, ::-1].copy(), low=low[:, ::-1].copy())
    ahead = scores()
    for name in ("penetration_mm", "resolution_mm", "material_sigma"):
        assert turned[name] == pytest.approx(ahead[name], rel=0.1)
    slow = scores(replace(USUAL_ONE, speed_error=0.08))
    assert slow["resolution_mm"] == pytest.approx(ahead["resolution_mm"], rel=0.2)


WORSE = {
    "quanta": ("penetration_mm", [4e4, 1e4, 2.5e3], -1),
    "quanta ": ("wire_air_mm", [4e4, 1e4, 2.5e3], 1),
    "quanta  ": ("wire_steel_mm", [4e4, 1e4, 2.5e3], 1),
    "quanta   ": ("contrast_percent", [4e4, 1e4, 2.5e3], 1),
    "quanta    ": ("material_sigma", [4e4, 1e4, 2.5e3], -1),
    "psf_px": ("resolution_mm", [0.5, 1.0, 1.6], 1),
    "scatter_share": ("penetration_mm", [0.0005, 0.005, 0.02], -1),
}


@pytest.mark.parametrize("knob", WORSE)
def test_scores_get_worse_with_the_scanner(knob):
    name, values, sign = WORSE[knob]
    told = []
    for value in values:
        scanner = replace(USUAL_ONE, **{knob.strip(): value})
        told.append(sum(scores(scanner, seed)[name] for seed in (1, 2)))
    assert np.all(np.sign(np.diff(told)) == sign), told


def test_without_a_low_plane_materials_are_not_scored():
    assert set(scores(low=None)) == set(LIMITS) - {"material_sigma"}


def test_a_truck_that_calls_itself_a_test_piece_is_looked_at_like_any_other():
    vehicle = Vehicle(vehicle_id="v", lane="a", at_portal_s=0.0)
    high, low = planes(vehicle, rows=300, pitch_mm=12.0, random=np.random.default_rng(2))
    found = analyse(scan(high=high, low=low, pitch_x_mm=12.0, pitch_y_mm=12.0), POLICY)
    assert found.test_piece == ()
    assert "no-test-piece" in found.notes
    assert found.length_m > 10.0


def test_a_vehicle_of_a_scenario_can_be_the_piece():
    vehicle = Vehicle(vehicle_id="v", lane="a", at_portal_s=0.0, declared=piece_room.DECLARED)
    high, low = planes(vehicle, rows=300, pitch_mm=8.0, random=np.random.default_rng(2))
    assert failures(analyse(scan(high=high, low=low), POLICY).test_piece, LIMITS) == ()


def test_limits_of_nothing_are_none_and_the_worst_failure_comes_first():
    told = (("penetration_mm", 100.0), ("wire_air_mm", 4.0), ("contrast_percent", 9.0))
    limits = {"penetration_mm": 200.0, "wire_air_mm": 3.6, "contrast_percent": 0.0}
    assert failures(told, limits) == ("penetration_mm", "wire_air_mm")
    assert failures((), limits) == ("not-found",)


# --- through the engine --------------------------------------------------------------------


def finding(number: int, told: dict[str, float] | None) -> ScanFinding:
    return ScanFinding(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=(1 + 180 * number) * SECOND_NS,
        duration_ms=9000,
        scan_id=f"s{number}",
        length_m=0.0,
        declared=piece_room.DECLARED,
        container="",
        empty=False,
        empty_nats=0.0,
        fill=0.0,
        homogeneity=0.0,
        unpenetrated=0.0,
        regions=(),
        quality=(("air_noise", 0.01),),
        notes=(),
        test_piece=tuple(told.items()) if told else (),
    )


GOOD = {
    "penetration_mm": 250.0,
    "wire_air_mm": 2.2,
    "wire_steel_mm": 6.0,
    "contrast_percent": 1.2,
    "resolution_mm": 10.0,
    "material_sigma": 7.0,
}


def played(findings):
    sensor = SensorSpec(sensor_id="xray-1", family=Family.XRAY, place="nb-01", silent_after_ms=0)
    lane = LaneSpec(lane_id="nb-01", direction="northbound")
    engine = Engine(Checkpoint(site="s", sensors=(sensor,), lanes=(lane,)), Policy())
    alerts, detections = [], []
    for one in findings:
        alerts += engine.tick(one.start_utc_ns)
        alerts += engine.feed(one)
        detections += engine.take_detections()
    return alerts, detections


def test_a_failed_piece_is_a_sensor_fault_that_clears_with_the_next_good_one():
    scans = [GOOD, GOOD | {"wire_steel_mm": 14.0, "contrast_percent": 3.0}, GOOD]
    alerts, detections = played(finding(i, told) for i, told in enumerate(scans))
    assert [(one.event, one.phase) for one in alerts] == [
        (Event.SENSOR_FAULT, Phase.NEW),
        (Event.SENSOR_FAULT, Phase.CLEAR),
    ]
    english, spanish = (render(alerts[0], language) for language in ("en-US", "es-MX"))
    assert english.headline == "Test piece failed: xray-1"
    assert "finest wire behind steel, 14, limit 11 (mm)" in english.description
    assert "Scan it again" in english.description
    assert spanish.headline == "Prueba no superada: xray-1"
    pieces = [one for one in detections if one.kind == "xray.test-piece"]
    assert [one.facts["passed"] for one in pieces] == [True, False, True]
    assert pieces[1].facts["failed"] == ("wire_steel_mm", "contrast_percent")
    # It is nobody's passage through the lane.
    assert {one.kind for one in detections} == {"xray.test-piece", "health.test-piece"}


def test_a_piece_that_is_not_found_is_told_too():
    alerts, _ = played([finding(0, None)])
    faults = [one for one in alerts if one.event is Event.SENSOR_FAULT]
    assert len(faults) == 1
    assert "not found in the picture" in render(faults[0], "en-US").description


def test_nothing_is_said_of_a_piece_whose_lines_still_come():
    alerts, detections = played([replace(finding(0, None), interim=True), finding(1, GOOD)])
    assert alerts == []
    assert [one.kind for one in detections] == ["xray.test-piece"]


def test_the_same_findings_give_the_same_alerts():
    scans = [finding(i, told) for i, told in enumerate([GOOD, None, GOOD])]
    assert played(scans) == played(scans)
