import math

import numpy as np
import pytest
from numba import config

from fusion import seismic_stream as stream
from fusion.kernels import seismic_calm as calm
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.seismic import SeismicField, SeismicPolicy
from fusion.types import Family, Origin, SensorSpec, WaveformSample

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
SECONDS = 25 if config.DISABLE_JIT else 90


class NaiveHours:
    """Twin of the hours, one after the other."""

    def __init__(self):
        self.heard_s, self.floor, self.restless_2 = [0.0] * 24, [0.0] * 24, [0.0] * 24

    def learn(self, utc_ns, floor_square, level, seconds):
        hour = utc_ns // HOUR_NS % 24
        self.heard_s[hour] = min(self.heard_s[hour] + seconds, 7200.0)
        keep = seconds / self.heard_s[hour]
        self.floor[hour] += keep * (math.log(max(floor_square, 1e-30)) - self.floor[hour])
        off = np.clip(math.log(max(level, 1e-9)), -1.5, 1.5)
        self.restless_2[hour] += keep * (off * off - self.restless_2[hour])

    def quietest(self, utc_ns):
        hour = utc_ns // HOUR_NS % 24
        return 0.0 if self.heard_s[hour] < 600.0 else 0.5 * math.exp(self.floor[hour])

    def raised(self, utc_ns):
        hour = utc_ns // HOUR_NS % 24
        if self.heard_s[hour] < 600.0:
            return 1.0
        return 1.0 + 2.0 * np.clip(math.sqrt(self.restless_2[hour]) - 0.12, 0.0, 0.8)


def test_the_hours_are_those_of_the_twin():
    random, hours, twin = np.random.default_rng(1), np.zeros(3 * calm.HOURS), NaiveHours()
    for minute in range(2000):
        utc_ns = minute * 60 * SECOND_NS
        lesson = utc_ns, random.lognormal(-3.0, 2.0), random.lognormal(0.1, 0.4), 60.0
        calm.learn(hours, *lesson)
        twin.learn(*lesson)
        assert calm.quietest(hours, utc_ns) == pytest.approx(twin.quietest(utc_ns), rel=1e-12)
        assert calm.raised(hours, utc_ns) == pytest.approx(twin.raised(utc_ns), rel=1e-12)
    assert hours.tolist() == pytest.approx(twin.heard_s + twin.floor + twin.restless_2, rel=1e-12)


def look_at_all(frames, bins, done, calm_, seats, places, memory, due):  # noqa: PLR0917
    """Twin: nothing is passed over; each station looks at every bin that its channels have."""
    left = 0
    for station in np.unique(seats[:, calm.STATION]):
        mine = done[seats[seats[:, calm.STATION] == station, calm.COLUMN]]
        ready = mine.min() > places[station, calm.NEXT_BIN] or mine.max() > mine.min()
        places[station, calm.LEFT] = ready
        left += ready
    return left, 0


def heard(seed):
    """Calm and steps at five stations, of which one has three channels and another lags."""
    random = np.random.default_rng(seed)
    knock = np.sin(np.arange(25) * 1.3) * np.exp(-np.arange(25) / 4.0)
    packets = []
    for second in range(SECONDS):
        for number in range(5):
            for channel in ("EHE", "EHN", "EHZ") if number == 1 else ("EHZ",):
                counts = random.normal(0.0, 80.0, 100)
                if number < 3 and 15 <= second - 3 * number < 26:
                    for place in (10, 62):
                        counts[place : place + 25] += 1500.0 / (1 + number) * knock
                if number == 4:
                    counts *= 1.0 + 0.5 * math.sin(second / 9.0)
                packets.append(
                    WaveformSample(
                        sensor_id=f"geo-{number}",
                        origin=Origin.REPLAY,
                        start_utc_ns=second * SECOND_NS,
                        rate_hz=100.0,
                        channel=channel,
                        counts=counts.astype(np.int32),
                        counts_per_m_s=4e8,
                    )
                )
    return [each for each in packets if each.channel != "EHN" or each.start_utc_ns < 20 * SECOND_NS]


def told(packets):
    specs = [SensorSpec(sensor_id=f"geo-{n}", family=Family.SEISMIC, place="z") for n in range(5)]
    field = SeismicField(specs, SeismicPolicy())
    found = [d for packet in packets for d in field.feed(packet)]
    found += field.tick(packets[-1].start_utc_ns + 60 * SECOND_NS)
    return found, field._ears


@pytest.mark.parametrize("seed", [1] if config.DISABLE_JIT else [1, 2, 3])
def test_what_is_passed_over_changes_nothing(seed, monkeypatch):
    packets = heard(seed)
    found, ears = told(packets)
    monkeypatch.setattr(stream.calm, "rest", look_at_all)
    every, twin = told(packets)
    assert [(d.sensor_id, d.end_utc_ns, d.facts) for d in found] == [
        (d.sensor_id, d.end_utc_ns, d.facts) for d in every
    ]
    assert config.DISABLE_JIT or len(found) > 5
    assert ears.memory.tobytes() == twin.memory.tobytes()
    for mine, theirs in zip(ears.ears, twin.ears, strict=True):
        assert mine.tail.background.tobytes() == theirs.tail.background.tobytes()


def test_the_blows_are_those_that_the_whole_description_has():
    random = np.random.default_rng(5)
    frames = random.gamma(2.0, 1.0, 2000).astype(np.float32)
    bins = random.gamma(5.0, 1.0, (512, 13)).astype(np.float32)
    ring = window.Ring(frames, bins, 20.0, 50.0)
    for last in (30, 199, 203, 700):
        whole, out = np.zeros(window.FEATURES), np.zeros(steps.FEATURES)
        marks, places = np.zeros(steps.MOST), np.zeros(steps.MOST)
        count = window.describe(ring, last, 30, whole, marks)
        assert window.blows(ring, last, 30, out, places) == count > 0
        assert out.tolist() == whole[window.STEPS_0 :].tolist()
        assert places[:count].tolist() == marks[:count].tolist()
    bins[:] = 0.0
    assert window.blows(ring, 199, 30, out, places) == 0
