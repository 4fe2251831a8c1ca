from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.station.gaps import EVERY_NS, LATE, SETTLE_NS, Gaps
from fusion.types import SECOND_NS, OccupancySample, Origin, WaveformSample

T0 = 1_800_000_000 * SECOND_NS


def packet(at_utc_ns, missing=0, sensor="geo-1"):
    return WaveformSample(
        sensor_id=sensor,
        origin=Origin.SENSOR,
        start_utc_ns=at_utc_ns,
        rate_hz=100.0,
        channel="EHZ",
        counts=np.zeros(50, np.int32),
        counts_per_m_s=1.0,
        missing=missing,
    )


def passage(counter, at_utc_ns=T0, *, opened=False):
    return OccupancySample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=at_utc_ns,
        opened=opened,
        counter=counter,
    )


def passages(counters):
    gaps = Gaps({})
    for number, counter in enumerate(counters):
        gaps.look(passage(counter, T0 + number * SECOND_NS), T0)
    return [one.facts for one in gaps.drafts(T0, ending=True)]


def test_samples_that_never_came_are_told_with_the_time_between():
    gaps = Gaps({"geo-1": "fence"})
    gaps.look(packet(T0), T0)
    gaps.look(packet(T0 + 3 * SECOND_NS, missing=250), T0 + 3 * SECOND_NS)
    gaps.look(packet(T0 + 9 * SECOND_NS, missing=50), T0 + 9 * SECOND_NS)
    assert list(gaps.drafts(T0 + 10 * SECOND_NS)) == []  # more may follow
    (one,) = gaps.drafts(T0 + 3 * SECOND_NS + SETTLE_NS)
    assert (one.kind, one.place, one.by) == ("gap", "fence", "edge")
    assert one.facts == {
        "sensor": "geo-1",
        "what": "samples",
        "missing": 300,
        "gaps": 2,
        "after": "2027-01-15T08:00:00.500000Z",
        "until": "2027-01-15T08:00:09.000000Z",
    }
    assert list(gaps.drafts(T0 + EVERY_NS * 9, ending=True)) == []


def test_a_portal_s_counter_tells_of_passages_that_nobody_heard_of():
    assert passages([7, 8, 9]) == []
    (one,) = passages([7, 8, 12])
    assert (one["what"], one["missing"], one["gaps"]) == ("passages", 3, 1)
    assert (one["after"][17:19], one["until"][17:19]) == ("01", "02")


def test_a_counter_that_is_late_set_anew_or_not_there_is_no_gap():
    assert passages([7, 8, 8, 10, 11]) == []
    assert passages([65_535, 65_536, 0, 1]) == []
    assert passages([7, 60_000, 60_001]) == []
    assert passages([None, None]) == []
    gaps = Gaps({})
    gaps.look(passage(1), T0)
    gaps.look(passage(4, opened=True), T0)
    assert list(gaps.drafts(T0, ending=True)) == []


@given(st.lists(st.booleans(), max_size=60), st.data())
def test_every_passage_that_was_not_told_is_counted_once(heard, data):
    heard = [True, *heard]
    counters = [number for number, one in enumerate(heard, 100) if one]
    late = data.draw(st.lists(st.integers(0, LATE), min_size=len(counters) - 1))
    told = [counters[0], *counters[1:]]
    if all(heard):
        told[1:] = [max(told[0], c - by) for c, by in zip(told[1:], late, strict=False)]
        assert passages(told) == []
    else:
        missing = sum(one["missing"] for one in passages(told))
        assert missing == told[-1] - told[0] + 1 - len(told)


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["geo-1", "geo-2"])), max_size=300))
def test_a_sensor_that_flaps_is_told_of_once_an_hour_and_nothing_is_left_out(steps):
    gaps, now_utc_ns, told, missing = Gaps({}), T0, [], 0
    for step_s, sensor in steps:
        now_utc_ns += step_s * SECOND_NS
        gaps.look(packet(now_utc_ns, missing=3, sensor=sensor), now_utc_ns)
        missing += 3
        told += [(now_utc_ns, one.facts) for one in gaps.drafts(now_utc_ns)]
    for sensor in ("geo-1", "geo-2"):
        at = [when for when, facts in told if facts["sensor"] == sensor]
        assert all(after - before >= EVERY_NS for before, after in pairwise(at))
    rest = [one.facts for one in gaps.drafts(now_utc_ns, ending=True)]
    assert sum(facts["missing"] for facts in [*rest, *(facts for _, facts in told)]) == missing
