import random as plain_random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.station.warmup import example_scan
from fusion.scans.calibrate import ScanMemory, calibrate
from fusion.scans.cells import Cells, cell_side, cells_of
from fusion.scans.policy import XrayPolicy
from fusion.scans.stripes import stuck
from fusion.xray import analyse
from simulators import loads
from simulators.scenario import Vehicle
from simulators.xray import planes

POLICY = XrayPolicy()
SCAN = example_scan(400, 1200)
CLEAN = SCAN.high


def clean() -> Cells:
    return cells_of(CLEAN, None, POLICY)


def raw(plane, *, spread=0.07, dark=200.0, seed=1):
    """The plane as a detector that nobody has calibrated gives it, dark lines before the beam."""
    random = np.random.default_rng(seed)
    gain = random.normal(1.0, spread, (plane.shape[0], 1))
    pulse = random.normal(1.0, 0.02, plane.shape[1])
    pulse[:16] = 0.0
    level = dark + random.normal(0.0, 10.0, (plane.shape[0], 1))
    return (plane * gain * pulse * 0.8 + level).clip(0, 65_535).astype(np.uint16)


def dead_rows(cells: Cells) -> int:
    return int(np.count_nonzero(cells.calibration.gain == 0))


def off(cells: Cells, columns=slice(3, None)) -> float:
    """How far the usable cells are from those of the clean picture at most."""
    distance = np.abs(cells.high - clean().high)[:, columns]
    return float(distance[cells.usable[:, columns]].max())


def test_gains_and_pulses_and_darkness_are_taken_out():
    cells = cells_of(raw(CLEAN), None, POLICY)
    assert cells.notes == ()
    assert off(cells) < 0.02
    assert cells.calibration.gain.std() == pytest.approx(0.07, rel=0.2)
    pulse = cells.calibration.pulse
    assert pulse[pulse > 0].std() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("level", [65_535, 30_000, 0])
def test_rows_that_hang_at_one_number_hide_no_load(level):
    plane = raw(CLEAN)
    assert stuck(plane).size == 0
    plane[232:256] = level
    assert set(stuck(plane)) == set(range(232, 256))
    cells = cells_of(plane, None, POLICY)
    down = 400 // cells.high.shape[0]
    assert not cells.usable[232 // down : 256 // down].any()
    assert cells.usable[160 // down : 224 // down].any(axis=1).all()


def test_narrow_gaps_are_interpolated_and_wide_ones_masked():
    plane = CLEAN.copy()
    plane[100:103] = 0
    plane[300:309] = 0
    plane[:, 500] = 0
    plane[:, 704:712] = 0
    cells = cells_of(plane, None, POLICY)
    assert off(cells) < 0.02
    masked = np.zeros(cells.usable.shape, np.bool_)
    masked[38] = True  # the cells above still have half of their rows
    masked[:, 88] = True
    assert np.array_equal(~cells.usable, masked)
    assert dead_rows(cells) == 12
    assert np.count_nonzero(cells.calibration.pulse == 0) == 9
    assert np.isfinite(cells.high).all()


def test_lines_that_never_came_are_masked():
    cells = cells_of(CLEAN, SCAN.low, POLICY, lost=((640, 680), (900, 902)))
    assert np.flatnonzero(~cells.usable.all(axis=0)).tolist() == [80, 81, 82, 83, 84]
    assert np.count_nonzero(cells.calibration.pulse == 0) == 42


def test_a_row_that_flickers_or_breaks_off_is_left_out():
    plane = CLEAN.copy()
    plane[200, 700:] //= 2
    plane[240] = np.random.default_rng(2).integers(0, 60_000, plane.shape[1])
    cells = cells_of(plane, None, POLICY)
    assert dead_rows(cells) == 2
    assert off(cells) < 0.02


def test_an_aerial_in_the_air_above_dims_no_column():
    plane = CLEAN.copy()
    plane[:18, 500:503] //= 2
    assert np.abs(cells_of(plane, None, POLICY).high - clean().high)[3:].max() < 0.02


def test_stripes_show_where_no_air_is_beside_the_vehicle():
    crop = np.ascontiguousarray(CLEAN[:, 200:1050])
    plane = crop.copy()
    plane[300] = plane[300] * 0.8
    plane[220:222] //= 2
    plane[120] = (plane[120] * 1.2).astype(np.uint16)
    cells = cells_of(plane, None, POLICY)
    assert "no-air-columns" in cells.notes
    assert dead_rows(cells) == 4
    assert np.abs(cells.high - cells_of(crop, None, POLICY).high).max() < 0.03


def test_the_last_good_reference_stands_in_and_is_told():
    memory = ScanMemory()
    whole = cells_of(raw(CLEAN), None, POLICY, memory=memory)
    crop = np.ascontiguousarray(raw(CLEAN)[:, 200:1048])
    told = cells_of(crop, None, POLICY, memory=memory)
    assert told.notes == (
        "no-dark-reference",
        "last-dark-reference",
        "no-air-columns",
        "last-air-reference",
    )
    assert np.abs(told.high - whole.high[:, 25:131]).max() < 0.02
    alone = cells_of(crop, None, POLICY)
    assert alone.notes == ("no-dark-reference", "no-air-columns", "no-air-band")


def test_a_detector_of_another_height_has_no_last_reference():
    memory = ScanMemory()
    cells_of(CLEAN, None, POLICY, memory=replace_dark(memory))
    assert memory.reference("high", 399) is None


def replace_dark(memory: ScanMemory) -> ScanMemory:
    calibration = calibrate(raw(CLEAN), POLICY)
    cells_of(raw(CLEAN), None, POLICY, memory=memory)
    assert np.array_equal(memory.references["high"].gain, calibration.gain)
    return memory


@pytest.mark.parametrize(
    ("shape", "side"),
    [((1200, 4000), 8), ((300, 900), 8), ((160, 400), 4), ((80, 200), 2), ((30, 60), 1)],
)
def test_small_pictures_have_small_cells(shape, side):
    assert cell_side(shape, POLICY) == side
    cells = cells_of(np.full(shape, 50_000, np.uint16), None, POLICY)
    assert cells.cell_px == side
    assert cells.high.shape == (shape[0] // side, shape[1] // side)


def test_too_small_a_picture_has_no_cells():
    assert cells_of(np.zeros((11, 400), np.uint16), None, POLICY) is None


@settings(max_examples=40)
@given(data=st.data())
def test_no_picture_gives_anything_but_numbers(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    shape = (data.draw(st.integers(12, 90)), data.draw(st.integers(12, 140)))
    top = data.draw(st.sampled_from([1, 2, 300, 65_536]))
    plane = random.integers(0, top, shape).astype(np.uint16)
    for axis in (0, 1):
        for _ in range(data.draw(st.integers(0, 4))):
            first, many = random.integers(0, shape[axis]), random.integers(1, 12)
            at = [slice(None), slice(None)]
            at[axis] = slice(first, first + many)
            plane[tuple(at)] = random.choice([0, top - 1, 65_535])
    lost = ((2, 9),) if data.draw(st.booleans()) else ()
    cells = cells_of(plane, plane // 2, POLICY, lost)
    again = cells_of(plane.copy(), plane // 2, POLICY, lost)
    for one, other in ((cells.high, again.high), (cells.low, again.low)):
        assert np.isfinite(one).all()
        assert np.array_equal(one, other)
    assert np.isfinite(cells.calibration.air_noise)
    assert replace(cells).usable.shape == cells.high.shape


@pytest.mark.parametrize("threads", [2, 4])
def test_any_number_of_threads_gives_the_same_bits(threads):
    alone = cells_of(CLEAN, SCAN.low, POLICY)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda _: cells_of(CLEAN, SCAN.low, POLICY), range(threads)))
    for cells in found:
        assert cells.high.tobytes() == alone.high.tobytes()
        assert cells.low.tobytes() == alone.low.tobytes()


@pytest.mark.parametrize("form", ["read-only", "columns first", "big-endian"])
def test_a_plane_may_lie_in_memory_as_it_likes(form):
    high, low = (
        {
            "read-only": np.frombuffer(plane.tobytes(), np.uint16).reshape(plane.shape),
            "columns first": np.asfortranarray(plane),
            "big-endian": plane.astype(">u2"),
        }[form]
        for plane in (CLEAN, SCAN.low)
    )
    told = analyse(replace(SCAN, high=high, low=low), POLICY)
    assert told == analyse(SCAN, POLICY)


def test_a_box_with_a_wide_gap_in_it_is_never_called_empty():
    shell = loads.empty(plain_random.Random("cells/1"))
    vehicle = shell.onto(Vehicle(vehicle_id="v", lane="a", at_portal_s=0.0))
    high, low = planes(vehicle, rows=500, pitch_mm=8.0, random=np.random.default_rng(1))
    scan = replace(SCAN, high=high, low=low, pitch_x_mm=8.0, pitch_y_mm=8.0)
    assert analyse(scan, POLICY).empty
    for lines, empty in ((2, True), (40, False)):
        gone = high.copy()
        first = high.shape[1] * 6 // 10
        gone[:, first : first + lines] = 0
        told = analyse(replace(scan, high=gone, lost_columns=((first, first + lines),)), POLICY)
        assert told.empty is empty, lines


def test_what_the_low_plane_alone_lacks_is_told_as_its_own():
    whole, cut = raw(CLEAN), raw(SCAN.low)
    cut[:, :16] = 50_000
    notes = cells_of(whole, cut, POLICY).notes
    assert "low-no-dark-reference" in notes
    assert all(note.startswith("low-") for note in notes)
    assert "low-no-air-columns" in cells_of(whole, np.zeros_like(cut), POLICY).notes
