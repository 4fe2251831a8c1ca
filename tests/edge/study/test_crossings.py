from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.study.crossings import HOLD_IN_S, LONGEST_S, Mix, stream

mixes = st.builds(
    Mix,
    lanes=st.integers(1, 2),
    close_share=st.sampled_from([0.0, 0.5]),
    skip_share=st.sampled_from([0.0, 0.3]),
    overtaking_share=st.sampled_from([0.0, 0.2]),
)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), mix=mixes)
def test_portals_and_scanner_tell_of_vehicles_as_they_can_have_come(seed, mix):
    occupancies, scans = stream(seed, mix, 40)
    seen = [vehicle for one in occupancies for vehicle in one.vehicles]
    assert sorted(seen) == list(range(len(seen)))
    came = {vehicle: one.start_s for one in occupancies for vehicle in one.vehicles}
    for before, after in pairwise(scans):
        assert before.end_s < after.start_s + 0.3, "one at a time"
    counted = [scan for scan in scans if scan.vehicle >= 0]
    assert len({scan.vehicle for scan in counted}) == len(counted)
    assert all(scan.start_s > came[scan.vehicle] for scan in counted)
    for lane in range(mix.lanes):
        mine = [one for one in occupancies if one.lane == lane]
        assert all(b.start_s - a.end_s > HOLD_IN_S - 0.1 for a, b in pairwise(mine))


def test_the_same_seed_gives_the_same_stream():
    assert stream(5, Mix(), 50) == stream(5, Mix(), 50) != stream(6, Mix(), 50)


def test_shares_are_as_asked():
    mix = Mix(skip_share=0.3, stray_share=0.05, stop_share=0.0)
    occupancies, scans = stream(9, mix, 3_000)
    counted = [scan for scan in scans if scan.vehicle >= 0]
    assert len(counted) / 3_000 == pytest.approx(0.7, abs=0.03)
    assert (len(scans) - len(counted)) / 3_000 == pytest.approx(0.05, abs=0.015)
    assert LONGEST_S < 90.0
    assert len(occupancies) > 2_000
