"""A station with several channels: all are followed, one event comes of them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.seismic import SeismicDetector, SeismicPolicy
from fusion.types import Family, Origin, SensorSpec, WaveformSample
from simulators.scenario import Mover, Scenario, SensorPlace
from simulators.seismic import COUNTS_PER_M_S, GroundMotion

START_NS = 1_763_740_000_000_000_000
SPEC = SensorSpec(sensor_id="geo-1", family=Family.SEISMIC, place="east")
RATE_HZ = 100
CHANNELS = ("EHZ", "EHN", "EHE")


def station():
    return SeismicDetector(SPEC, SeismicPolicy())


def ground(
    seconds, *, seed=1, start_m=(-25.0, 15.0), end_m=(25.0, 15.0), kind="person", begin=14.0
):
    """Counts of the three axes; a walker passes unless `kind` is empty."""
    walker = Mover(
        mover_id=f"m-{seed}", kind=kind, zone="east", start_m=start_m, end_m=end_m, start_s=begin
    )
    scenario = Scenario(
        name="test",
        seed=seed,
        start_utc_ns=START_NS,
        duration_s=seconds,
        sensors=(SensorPlace(sensor_id="geo-1", kind="shake-udp"),),
        movers=(walker,) if kind else (),
        wind_m_s=2.0,
    )
    motion = GroundMotion(scenario, "geo-1", RATE_HZ, "ENZ")
    velocity = np.concatenate([motion.next_second() for _ in range(seconds)], axis=1)
    counts = np.rint(velocity * COUNTS_PER_M_S + 16_000).astype(np.int32)
    return {f"EH{axis}": counts[i] for i, axis in enumerate("ENZ")}


def piece(counts, channel, at, size):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=START_NS + round(at / RATE_HZ * 1e9),
        rate_hz=float(RATE_HZ),
        channel=channel,
        counts=counts[channel][at : at + size],
        counts_per_m_s=COUNTS_PER_M_S,
    )


def packets(counts, channels=CHANNELS, size=25, lost=lambda channel, at: False):
    """Quarter seconds of each channel in turn."""
    length = len(next(iter(counts.values())))
    for at in range(0, length, size):
        for channel in channels:
            if not lost(channel, at):
                yield piece(counts, channel, at, size)


def told(samples, end_s=1000.0):
    detector = station()
    found = [each for sample in samples for each in detector.feed(sample)]
    return found + detector.tick(START_NS + round(end_s * 1e9))


def named(detections):
    return {each.facts["class"] for each in detections if not each.final}


WALK = ground(45)


def test_a_walker_is_one_event_of_the_station_and_not_one_of_each_channel():
    detections = told(packets(WALK))
    assert named(detections) == {"person"}
    assert sum(each.final for each in detections) == 1
    assert len({each.start_utc_ns for each in detections}) == 1
    assert {each.facts["channel"] for each in detections} <= set(CHANNELS)


def test_channels_that_hear_the_same_are_told_as_the_vertical():
    alike = dict.fromkeys(CHANNELS, WALK["EHZ"])
    detections = told(packets(alike))
    assert {each.facts["channel"] for each in detections} == {"EHZ"}
    assert detections == told(packets(alike, ["EHZ"]))


def test_a_horizontal_that_alone_hears_the_steps_is_used_and_named():
    still = ground(45, kind="")
    deaf = {"EHZ": still["EHZ"], "EHN": still["EHN"], "EHE": WALK["EHZ"]}
    detections = told(packets(deaf))
    assert named(detections) == {"person"}
    assert {each.facts["channel"] for each in detections} == {"EHE"}
    assert told(packets(deaf, ["EHZ", "EHN"])) == []


def test_a_horizontal_alone_is_followed():
    detections = told(packets({"EHE": WALK["EHZ"]}, ["EHE"]))
    assert named(detections) == {"person"}
    assert {each.facts["channel"] for each in detections} == {"EHE"}


@pytest.fixture(scope="module")
def told_of_the_walk():
    return told(packets(WALK))


@settings(max_examples=15)
@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=12), order=st.permutations(CHANNELS)
)
def test_neither_cut_nor_order_of_the_channels_changes_the_detections(
    told_of_the_walk, sizes, order
):
    length = len(WALK["EHZ"])
    at, turn, samples = dict.fromkeys(CHANNELS, 0), 0, []
    while any(place < length for place in at.values()):
        for channel in sorted(order, key=lambda each: (at[each] // 100, order.index(each))):
            size = sizes[turn % len(sizes)]
            turn += 1
            if at[channel] < length and at[channel] <= min(at.values()) + 200:
                samples.append(piece(WALK, channel, at[channel], size))
                at[channel] += size
    assert told(samples) == told_of_the_walk


def test_a_channel_that_stops_is_waited_for_only_until_it_counts_as_silent():
    cut = 20 * RATE_HZ
    samples = packets(WALK, lost=lambda channel, at: channel == "EHZ" and at >= cut)
    detector, heard_ns, late_s = station(), 0, []
    detections = []
    for sample in samples:
        heard_ns = max(heard_ns, sample.start_utc_ns + 250_000_000)
        found = detector.feed(sample)
        late_s += [(heard_ns - each.end_utc_ns) / 1e9 for each in found]
        detections += found
    assert "person" in named(detections)
    assert max(late_s) <= SeismicPolicy().silent_s + 0.25
    assert late_s[-1] <= 0.25
    assert detections[-1].facts["channel"] != "EHZ"


def test_a_channel_that_comes_back_is_used_again_after_its_own_warm_up():
    counts = ground(75, begin=40.0)
    alone = {"EHZ": counts["EHZ"], "EHN": counts["EHZ"] * 0 + 7}
    samples = packets(
        alone, ["EHZ", "EHN"], lost=lambda channel, at: channel == "EHZ" and 500 <= at < 2000
    )
    detections = told(samples)
    assert named(detections) == {"person"}
    assert {each.facts["channel"] for each in detections} == {"EHZ"}


def test_packets_lost_of_one_channel_make_no_knock():
    still = ground(60, kind="")
    drift = {name: counts + np.arange(6000, dtype=np.int32) * 40 for name, counts in still.items()}
    assert told(packets(drift, lost=lambda channel, at: channel == "EHN" and at % 175 == 0)) == []


def test_a_station_that_falls_silent_has_its_last_seconds_looked_at():
    detector = station()
    lagging = packets(WALK, lost=lambda channel, at: channel == "EHN" and at >= 3000)
    short = [sample for sample in lagging if sample.start_utc_ns < START_NS + 34 * 10**9]
    detections = [each for sample in short for each in detector.feed(sample)]
    assert max(each.end_utc_ns for each in detections) <= START_NS + 30 * 10**9
    final = detector.tick(START_NS + 40 * 10**9)
    assert final[-1].final
    assert final[-1].end_utc_ns >= START_NS + 33 * 10**9


@pytest.mark.parametrize("seed", range(3))
def test_three_channels_of_calm_ground_call_nobody(seed):
    assert not named(told(packets(ground(600, seed=seed, kind=""), size=100)))


def test_three_channels_hear_nearly_all_walkers_within_twenty_metres():
    classes = Counter()
    for seed in range(12):
        distance_m = 5.0 + 15.0 * seed / 11
        walk = ground(
            40, seed=seed, start_m=(-20.0, distance_m), end_m=(20.0, distance_m), begin=12.0
        )
        classes["person" if "person" in named(told(packets(walk))) else "missed"] += 1
    assert classes["person"] >= 11
