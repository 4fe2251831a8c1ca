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
COLUMNS, ROWS = 44, 9


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
    areal[3:] = 60.0 + np.random.default_rng(1).normal(0.0, 2.0, (ROWS - 3, COLUMNS))
    return areal.round(1)


def test_the_first_scan_of_a_container_has_nothing_to_be_held_against():
    assert PreviousScans().compare(finding(load(), 0, "a"), POLICY) is None


@pytest.mark.parametrize("shift", [0, 2, -3])
def test_what_was_put_in_is_found_at_its_place_though_the_box_was_seen_elsewhere(shift):
    before, after = load(), np.roll(load(), shift, axis=1)
    after[6:8, 20:22] += 100.0
    kept = PreviousScans()
    kept.compare(finding(before, 0, "a"), POLICY)
    change = kept.compare(finding(after, 3600, "b"), POLICY)
    assert change.change_kg == pytest.approx(250.0, rel=0.1)  # 4 squares of 0.25 m, 100 g/cm2
    assert (change.from_m, change.to_m) == (4.7 + 5.0, 4.7 + 5.5)
    assert (change.bottom_m, change.top_m) == pytest.approx((1.45, 1.95))
    assert change.since_s == 3600.0
    assert 0.85 < change.alike < 1.0


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
    assert kept.compare(finding(load()[:, :20], late + 60, "c"), POLICY) is None


def test_the_oldest_container_is_forgotten_first():
    kept = PreviousScans()
    for number in range(CONTAINERS + 1):
        kept.compare(finding(load()[:2, :2], number, f"{number}", container=f"{number}"), POLICY)
    assert kept.compare(finding(load()[:2, :2], 9999, "x", container="0"), POLICY) is None
    assert kept.compare(finding(load()[:2, :2], 9999, "y", container="9"), POLICY) is not None


def test_what_files_are_made_of_is_not_kept():
    record = scan_record(pixels(rows=120, columns=400))
    there = weakref.ref(record.pixels.high)
    kept = PreviousScans()
    kept.compare(finding(load(), 0, "a", record=record), POLICY)
    del record
    gc.collect()
    assert there() is None
