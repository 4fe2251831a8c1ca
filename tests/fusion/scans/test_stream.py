"""Scans while they come: told at a steady cost, never as clear, and in the end as from a file."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.catalog import KINDS as DRIVERS
from fusion.scans import stretch
from fusion.scans.calibrate import ScanMemory
from fusion.scans.glimpse import Glimpse
from fusion.scans.stream import LineScorer
from fusion.types import Origin, ScanLines, ScanRegion, ScanSample
from fusion.xray import XrayPolicy, analyse, detections
from tests.edge.sensors.test_scans import arrivals, scenario

POLICY = XrayPolicy()
ROWS, PITCH_MM = 400, 10.0


def read(**keys):
    """What the driver makes of the truck with a block of lead at 6.0 to 6.6 m."""
    row = DRIVERS["xray-lines"]
    driver = row.build(row.config(id="x", lane="l", url="tcp://h:1", **keys), Origin.SIMULATOR)
    return [one for at_ns, data in arrivals(scenario(), 14) for one in driver.feed(data, at_ns)]


@pytest.fixture(scope="module")
def usual():
    return read()


def scored(samples, memory=None, scorer=None):
    """(findings, memory) of blocks and whole scans."""
    scorer, memory = scorer or LineScorer(POLICY, analyse), memory or ScanMemory()
    found = []
    for one in samples:
        if isinstance(one, ScanLines):
            found.append(scorer.lines(one, memory))
        elif isinstance(one, ScanSample):
            found.append(scorer.whole(one, memory))
    return [one for one in found if one is not None], memory


def blocks_of(high, low=None, **changes):
    """Blocks of 64 lines."""
    made = ScanLines(
        sensor_id="x", origin=Origin.SIMULATOR, start_utc_ns=0, scan_id="s", first_column=0,
        high=high[:, :0], low=None, pitch_x_mm=PITCH_MM, pitch_y_mm=PITCH_MM, **changes,
    )  # fmt: skip
    return [
        replace(
            made,
            first_column=at,
            high=np.ascontiguousarray(high[:, at : at + 64]),
            low=None if low is None else np.ascontiguousarray(low[:, at : at + 64]),
        )
        for at in range(0, high.shape[1], 64)
    ]


def lines_of(samples):
    return [one for one in samples if isinstance(one, ScanLines)]


def whole_of(samples):
    (scan,) = [one for one in samples if isinstance(one, ScanSample)]
    return scan


def test_the_last_word_is_that_of_a_file_bit_by_bit(usual):
    """And so is what is kept for the next scan: what was told early leaves nothing behind."""
    found, memory = scored(usual)
    alone = ScanMemory()
    from_file = analyse(whole_of(usual), POLICY, alone)
    assert len(found) > 1
    assert replace(found[-1], record=None) == replace(from_file, record=None)
    mine, its = found[-1].record, from_file.record
    assert mine == its
    assert np.array_equal(mine.pixels.pulse, its.pixels.pulse)
    assert np.array_equal(mine.pixels.groups, its.pixels.groups)
    for name, reference in alone.references.items():
        kept = memory.references[name]
        assert kept.air_counts == reference.air_counts
        assert np.array_equal(kept.gain, reference.gain)
        assert np.array_equal(kept.dark, reference.dark)


def test_the_same_lines_tell_the_same_again(usual):
    assert scored(lines_of(usual))[0] == scored(lines_of(usual))[0]


def test_what_comes_is_told_with_what_was_seen_so_far(usual):
    early = [one for one in scored(usual)[0] if one.interim]
    first = early[0]
    places = dict(first.geometry)
    assert places["box_from_m"] == pytest.approx(4.0, abs=0.1)
    assert (places["deck_m"], places["roof_m"]) == pytest.approx((1.2, 3.7), abs=0.15)
    assert first.length_m == places["seen_m"] < 12.0
    assert (first.declared, first.container) == ("25", whole_of(usual).container)
    assert 0.5 < first.fill < 0.8
    assert [(round(one.from_m, 1), round(one.to_m, 1)) for one in first.regions] == [(6.0, 6.6)]


def test_nothing_is_clear_before_the_end(usual):
    for one in scored(usual)[0][:-1]:
        assert (one.interim, one.empty, one.empty_nats, one.mass_kg) == (True, False, 0.0, None)
        told = detections(one, POLICY)
        assert {each.kind for each in told} <= {"xray.scan", "xray.dense", "xray.unpenetrated"}
        assert not any(each.final for each in told)
        assert "empty" not in told[0].facts
        assert told[0].facts["interim"] is True


def test_an_empty_box_is_not_told_empty_while_it_comes(usual):
    """Not even where every line so far shows bare walls."""
    scan = whole_of(usual)
    walls = scan.high.copy()
    box = slice(450, 1620)
    walls[:, box] = walls[:, 420:421]  # the wall before the load, all along
    found, _ = scored(blocks_of(walls, walls))
    assert found
    assert not any(one.empty or one.empty_nats > 0.0 or one.regions for one in found)


def test_a_vehicle_that_comes_rear_first_is_told_from_its_rear():
    """The same lines, said to begin with the rear."""
    samples = read(flip=True)
    found, _ = scored(samples)
    first, last = found[0], found[-1]
    assert (first.rear_first, first.interim, last.rear_first) == (True, True, False)
    (block,) = first.regions
    assert (block.from_m, block.to_m) == pytest.approx((6.0, 6.6), abs=0.1)
    facts = next(one.facts for one in detections(first, POLICY) if one.kind == "xray.dense")
    assert facts["from_rear_m"] == pytest.approx(6.3, abs=0.1)
    assert (facts["rear_from_m"], facts["rear_to_m"]) == (block.from_m, block.to_m)
    assert not {"position_m", "from_m", "to_m"} & set(facts)
    (block,) = last.regions
    assert last.length_m - block.from_m == pytest.approx(6.6, abs=0.2)


def test_each_line_is_pooled_once(usual, monkeypatch):
    pooled = []
    usually = stretch.attenuation

    def counted(plane, calibration, cell):
        pooled.append(plane.shape[1])
        return usually(plane, calibration, cell)

    monkeypatch.setattr(stretch, "attenuation", counted)
    blocks = lines_of(usual)
    scored(blocks)
    columns = sum(block.high.shape[1] for block in blocks)
    assert columns - 2 * 64 * stretch.MOST_STEP_BLOCKS < sum(pooled) / 2 <= columns


def endless(usual, columns):
    """The truck's first lines, and its load over and over."""
    scan = whole_of(usual)
    load = np.tile(scan.high[:, 700:1500], (1, columns // 800))
    return np.concatenate([scan.high[:, :1500], load], axis=1)


def test_a_scan_without_end_costs_no_more_the_longer_it_is(usual):
    scorer, memory, looks, kept = LineScorer(POLICY, analyse), ScanMemory(), [], []
    for block in blocks_of(endless(usual, 12_000)):
        scorer.lines(block, memory)
        going_on = scorer._scan.stretch
        kept.append(len(going_on._waiting) + len(going_on._pieces))
        if not going_on._waiting:
            looks.append(going_on.window().plane.shape[1])
    widest = stretch.WINDOW_STEPS * stretch.step_blocks(PITCH_MM) * 64
    assert max(looks) == widest
    assert len(looks) > 3 * stretch.WINDOW_STEPS
    assert max(kept) < 2 * stretch.WINDOW_STEPS


def test_lines_without_any_reference_are_left_to_the_end(usual):
    """And what waits for one does not grow."""
    scorer, memory = LineScorer(POLICY, analyse), ScanMemory()
    load = endless(usual, 8_000)[:, 700:]
    for block in blocks_of(load):
        assert scorer.lines(block, memory) is None
        assert len(scorer._scan.stretch._waiting) <= stretch.HEAD_STEPS * 6


def test_what_the_last_scan_knew_serves_a_scan_that_shows_no_reference(usual):
    _, memory = scored(usual)
    scan = whole_of(usual)
    without_dark = blocks_of(scan.high[:, 60:], scan.low[:, 60:])
    assert scored(without_dark)[0] == []
    found, _ = scored(without_dark, memory)
    (block,) = found[-1].regions
    assert block.from_m == pytest.approx(6.0, abs=0.15)


def test_nobody_is_told_a_place_whose_pitch_nobody_knows(usual):
    blocks = [replace(one, pitch_known=False) for one in lines_of(usual)]
    assert scored(blocks)[0] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda blocks: blocks[1:],
        lambda blocks: [*blocks[:3], *blocks[4:]],
        lambda blocks: [*blocks[:3], *(replace(one, scan_id="t") for one in blocks[3:])],
        lambda blocks: [*blocks[:3], *(replace(one, low=None) for one in blocks[3:])],
        lambda blocks: [*blocks[:3], *(replace(one, high=one.high[8:]) for one in blocks[3:])],
    ],
    ids=["no-beginning", "a-gap", "another-scan", "one-plane-less", "other-rows"],
)
def test_lines_that_do_not_follow_one_another_are_left_to_the_whole(usual, change):
    assert scored(change(lines_of(usual)))[0] == []


def open_load(seed=1):
    """A vehicle of uneven height without any level top, a block of lead at 9.0 to 9.5 m."""
    draw = np.random.default_rng(seed)
    thickness = np.zeros((ROWS, 1900))
    for first in range(60, 1900, 40):
        thickness[int(draw.integers(100, 200)) : 300, first : first + 40] = 1.0
    thickness[210:260, 60 + 900 : 60 + 950] += 1.6
    counts = 50_000 * np.exp(-thickness) * (1 + 0.01 * draw.standard_normal(thickness.shape)) + 900
    counts[:, :16] = 900 + 3 * draw.standard_normal((ROWS, 16))
    return counts.astype(np.uint16)


@pytest.mark.parametrize("rear_first", [False, True])
def test_a_vehicle_without_a_box_is_told_once_it_is_certain_to_have_none(rear_first):
    found, _ = scored(blocks_of(open_load(), rear_first=rear_first))
    assert found
    assert found[0].length_m >= 10.0
    assert "box_from_m" not in dict(found[0].geometry)
    assert any(abs((one.from_m + one.to_m) / 2 - 9.25) < 0.3 for one in found[-1].regions)


def region(from_m, sigma):
    return ScanRegion(
        from_m=from_m, to_m=from_m + 0.5, bottom_m=1.0, top_m=1.5, excess_g_cm2=20.0,
        sigma=sigma, material="steel",
    )  # fmt: skip


def test_many_places_make_each_more_ordinary_as_in_a_whole_scan():
    glimpse = Glimpse(POLICY, rear_first=False)
    glimpse._regions = [region(5.0, 9.0)]
    assert [one.sigma for one in glimpse.regions] == [9.0]
    glimpse._regions += [region(8.0, 9.5), region(11.0, 8.0)]
    assert glimpse.regions == ()


def test_a_broken_off_scan_with_a_dense_place_is_told_with_it(usual):
    """A truck that stops in the beam: what was seen is not clear, and what stands out is told."""
    scan = whole_of(usual)
    part = replace(
        scan, high=scan.high[:, :1250].copy(), low=scan.low[:, :1250].copy(), partial=True
    )
    found, _ = scored([part])
    (last,) = found
    assert (last.partial, last.empty) == (True, False)
    assert last.empty_nats <= 0.0
    assert "xray.dense" in {one.kind for one in detections(last, POLICY)}
    assert any(abs((one.from_m + one.to_m) / 2 - 6.3) < 0.3 for one in last.regions)
