import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from fusion.scans.policy import XrayPolicy
from fusion.scans.previous import CONTAINERS, PreviousScans
from fusion.types import SECOND_NS, Origin, ScanFinding
from tests.fusion.scan_records import pixels, scan_record

POLICY = XrayPolicy()
COLUMNS, ROWS = 88, 18


def finding(areal, at_s, scan_id, **changes):
    base = ScanFinding(
        sensor_id="x",
        origin=Origin.SIMULATOR,
        start_utc_ns=at_s * SECOND_NS,
        duration_ms=9000,
        scan_id=scan_id,
        length_m=17.0,
        declared="",
        container="GRTU0000010",
        empty=False,
        empty_nats=-8.0,
        fill=0.5,
        homogeneity=0.8,
        unpenetrated=0.0,
        regions=(),
        quality=(),
        notes=(),
        geometry=(("zone_from_m", 4.7), ("deck_m", 1.2)),
        signature=(float(areal.shape[1]), *areal.reshape(-1).tolist()),
    )
    return replace(base, **changes)


def load():
    areal = np.zeros((ROWS, COLUMNS))
    areal[6:] = 60.0 + np.random.default_rng(1).normal(0.0, 2.0, (ROWS - 6, COLUMNS))
    return areal.round(1)


def test_the_first_scan_of_a_container_has_nothing_to_be_held_against():
    assert PreviousScans().compare(finding(load(), 0, "a"), POLICY) is None


@pytest.mark.parametrize("shift", [0, 2, -3])
def test_what_was_put_in_is_found_at_its_place_though_the_box_was_seen_elsewhere(shift):
    before, after = load(), np.roll(load(), shift, axis=1)
    after[12:16, 40:44] += 100.0
    kept = PreviousScans()
    kept.compare(finding(before, 0, "a"), POLICY)
    change = kept.compare(finding(after, 3600, "b"), POLICY)
    assert change.change_kg == pytest.approx(250.0, rel=0.1)  # 16 squares of 0.125 m, 100 g/cm2
    assert (change.from_m, change.to_m) == (4.7 + 5.0, 4.7 + 5.5)
    assert (change.bottom_m, change.top_m) == pytest.approx((1.45, 1.95))
    assert change.since_s == 3600.0
    assert 0.85 < change.alike < 1.0


def test_a_scan_from_the_other_end_shows_the_same_load_and_what_was_put_in():
    before = load()
    before[4:6, 60:80] = 40.0
    after = before[:, ::-1].copy()
    after[12:16, 40:44] += 100.0
    kept = PreviousScans()
    kept.compare(finding(before, 0, "a"), POLICY)
    change = kept.compare(finding(after, 3600, "b"), POLICY)
    assert change.change_kg == pytest.approx(250.0, rel=0.1)
    assert (change.from_m, change.to_m) == (4.7 + 5.0, 4.7 + 5.5)


def test_what_lets_nothing_through_is_at_least_so_much():
    before, after = load(), load()
    after[12:16, 40:44] = -180.0
    kept = PreviousScans()
    kept.compare(finding(before, 0, "a"), POLICY)
    put_in = kept.compare(finding(after, 60, "b"), POLICY)
    taken_out = kept.compare(finding(before, 120, "c"), POLICY)
    assert put_in.change_kg == pytest.approx(-taken_out.change_kg) == pytest.approx(300.0, rel=0.1)
    # Behind more goods it may as well be the same: nothing is told.
    before[12:16, 40:44] = -150.0
    kept.compare(finding(before, 180, "d"), POLICY)
    assert kept.compare(finding(after, 240, "e"), POLICY).change_kg == 0.0


def test_a_scanner_that_reads_a_tenth_more_has_seen_the_same_load():
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a"), POLICY)
    same = kept.compare(finding((1.1 * load()).round(1), 60, "b"), POLICY)
    assert same.change_kg == 0.0 and same.alike > 0.98


def test_the_same_load_has_not_changed_and_another_is_not_alike():
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a"), POLICY)
    same = kept.compare(finding(load(), 60, "b"), POLICY)
    assert (same.alike, same.change_kg, same.added_kg) == (1.0, 0.0, 0.0)
    other = kept.compare(finding(load()[::-1].copy(), 120, "c"), POLICY)
    assert other.alike < 0.6


@pytest.mark.parametrize(
    "changes", [{"container": ""}, {"signature": ()}, {"partial": True}, {"interim": True}]
)
def test_what_cannot_be_compared_is_neither_told_nor_kept(changes):
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a", **changes), POLICY)
    assert kept.compare(finding(load(), 60, "b"), POLICY) is None


def test_scans_too_far_apart_or_of_another_box_say_nothing():
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a"), POLICY)
    late = int(POLICY.previous_within_s) + 60
    assert kept.compare(finding(load(), late, "b"), POLICY) is None
    assert kept.compare(finding(load()[:, :40], late + 60, "c"), POLICY) is None


def test_the_oldest_container_is_forgotten_first():
    kept = PreviousScans()
    for number in range(CONTAINERS + 1):
        kept.compare(finding(load()[:4, :8], number, f"{number}", container=f"{number}"), POLICY)
    assert kept.compare(finding(load()[:4, :8], 9999, "x", container="0"), POLICY) is None
    assert kept.compare(finding(load()[:4, :8], 9999, "y", container="9"), POLICY) is not None


def test_what_files_are_made_of_is_not_kept():
    record = scan_record(pixels(rows=120, columns=400))
    there = weakref.ref(record.pixels.high)
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a", record=record), POLICY)
    del record
    gc.collect()
    assert there() is None
