"""What a ground station tells depends on its own samples, whoever else sends, and when."""

import math
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.seismic import SeismicField, SeismicPolicy
from fusion.seismic_station import Station
from fusion.types import SECOND_NS, Family, Origin, SensorSpec, WaveformSample

START_NS = 1_763_740_000 * SECOND_NS
RATE_HZ, SECONDS = 100, 40
CHANNELS = {"a": ("EHZ",), "b": ("EHE", "EHN", "EHZ"), "c": ("EHZ",), "d": ("EHE", "EHZ")}
JITTER_MS = {"a": 0, "b": 0, "c": 45, "d": 40}
"""Two hear the time badly: theirs is off by up to so much."""


def stations(seed):
    """Samples of each station, by channel: somebody walks past, one after the other."""
    random = np.random.default_rng(seed)
    step = np.sin(np.arange(25) * 1.3) * np.exp(-np.arange(25) / 4.0)
    ground = {}
    for number, (name, channels) in enumerate(CHANNELS.items()):
        for channel in channels:
            counts = random.normal(0.0, 80.0, RATE_HZ * SECONDS)
            if name != "c" or seed % 2:
                for at in range(RATE_HZ * (13 + 3 * number), RATE_HZ * (24 + 3 * number), 52):
                    counts[at : at + 25] += 1400.0 * step
            counts *= 1.0 + 0.4 * math.sin(number) * (np.arange(len(counts)) > 3000)
            ground[name, channel] = counts.astype(np.int32)
    return ground


def packets(ground, size):
    """Each station's packets in the order in which it sends them."""
    random = Random(1)
    sent = {}
    for name, channels in CHANNELS.items():
        sent[name] = []
        for at in range(0, RATE_HZ * SECONDS, size):
            late_ns = random.randint(-JITTER_MS[name], JITTER_MS[name]) * 1_000_000
            sent[name] += [
                WaveformSample(
                    sensor_id=name,
                    origin=Origin.REPLAY,
                    start_utc_ns=START_NS + at * SECOND_NS // RATE_HZ + late_ns,
                    rate_hz=float(RATE_HZ),
                    channel=channel,
                    counts=ground[name, channel][at : at + size],
                    counts_per_m_s=4e8,
                )
                for channel in channels
            ]
    return sent


def told(samples):
    """What each station tells, when all that there is has come in this order, and heard of steps.

    Steps until a few seconds ago: the newest samples are those that wait for a batch.
    """
    specs = [SensorSpec(sensor_id=name, family=Family.SEISMIC, place="z") for name in CHANNELS]
    field = SeismicField(specs, SeismicPolicy())
    found = [each for sample in samples for each in field.feed(sample)]
    steps = {name: field.steps(name, START_NS + 34 * SECOND_NS) for name in CHANNELS}
    found += field.tick(START_NS + 600 * SECOND_NS)
    by_station = {name: [each for each in found if each.sensor_id == name] for name in CHANNELS}
    facts = {
        name: [(each.start_utc_ns, each.end_utc_ns, each.final, each.facts) for each in mine]
        for name, mine in by_station.items()
    }
    curves = {
        name: (one.first, one.steps.tobytes(), one.rest.tobytes()) for name, one in steps.items()
    }
    return facts, curves


def one_after_the_other(sent):
    return [sample for name in CHANNELS for sample in sent[name]]


@cache
def alone(seed, size):
    """The packets, and what is told where no station sends before the one before it has ended."""
    sent = packets(stations(seed), size)
    return sent, told(one_after_the_other(sent))


def shuffled(sent, seed, stall):
    """All stations together: bursts of some packets, and now and then one is held up."""
    random, left = Random(seed), {name: list(reversed(each)) for name, each in sent.items()}
    while any(left.values()):
        name = random.choice([name for name, each in left.items() if each])
        for _ in range(random.choice((1, 1, 2, 3, stall))):
            if left[name]:
                yield left[name].pop()


@pytest.mark.parametrize("size", [25, 50, 27])
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), stall=st.sampled_from([1, 8, 40, 400]))
def test_a_station_tells_the_same_whoever_else_sends_and_however_late(size, seed, stall):
    sent, expected = alone(seed % 4, size)
    assert sum(len(each) for each in expected[0].values()) > 10
    assert told(shuffled(sent, seed, stall)) == expected


def test_a_look_that_fails_costs_one_bin_and_no_bin_is_looked_at_twice(monkeypatch):
    looked, look = [], Station.look

    def failing(self, bank, columns, number, end_utc_ns):
        looked.append(number)
        if len(looked) == 40:
            raise RuntimeError("a kernel that could not be compiled")
        return look(self, bank, columns, number, end_utc_ns)

    monkeypatch.setattr(Station, "look", failing)
    specs = [SensorSpec(sensor_id="a", family=Family.SEISMIC, place="z")]
    field, failures = SeismicField(specs, SeismicPolicy()), 0
    for sample in packets(stations(1), 50)["a"]:
        try:
            field.feed(sample)
        except RuntimeError:
            failures += 1
    assert failures == 1
    assert len(looked) == len(set(looked)) > 80
