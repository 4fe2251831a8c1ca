"""The look at one station's bin against a twin that does it step by step."""

import math

import numpy as np
import pytest
from numba import config

from fusion.kernels import seismic_calm as calm
from fusion.kernels import seismic_look as kernel
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_layout import (
    ABOVE,
    BAND_0,
    BANDS,
    BIN_RING,
    FIELDS,
    FLOOR,
    FRAME_RING,
    RATIO,
    SUM_2,
    SUM_4,
)
from tests.fusion.site_hours import Hours

HOUR_NS = 3600 * 10**9
CHANNELS, OFF, KEPT_GAIN = 3, 1.5, 1.5
YOUNG_BINS, YOUNG_STEPS, YOUNG_NATS = 12, 5, 6.0
RULES = calm.Calm(
    bin_samples=20.0,
    frame_hz=50.0,
    bin_s=0.2,
    bin_ns=2e8,
    level_on=2.0,
    stirring=1.12,
    window_bins=30,
    chain_steps=3,
    chain_nats=3.0,
    chain_age_s=1.0,
    vertical_gain=1.25,
    hour_bins=5,
    spectrum_bins=25,
    quiet_keep=0.2 / 30.0,
    lag_bins=15,
)


class Naive:
    """Twin: one channel after the other, in plain Python."""

    def __init__(self, rules, memory):
        self.rules, self.memory, self.triggered = rules, memory.copy(), False

    def look(self, frames, bins, seats, last, utc_ns, *, event, kept, wanted):
        rules = self.rules
        rings = [window.Ring(frames[c], bins[c], 20.0, 50.0) for c in seats[:, calm.COLUMN]]
        now, mine = [], [self.memory[ear] for ear in seats[:, calm.EAR]]
        for ring, one in zip(rings, mine, strict=True):
            glance = np.zeros(window.GLANCE)
            window.glance(ring, last, Hours(one[calm.HOURS_0 :]).quietest(utc_ns), glance)
            now.append(glance.tolist())
            one[calm.BINS] += 1
        gains = [
            (1.25 if seat[calm.VERTICAL] else 1.0) * (KEPT_GAIN if n == kept else 1.0)
            for n, seat in enumerate(seats)
        ]
        heard = [here[window.NOW_RATIO] * gain for here, gain in zip(now, gains, strict=True)]
        best = heard.index(max(heard))
        here, warm = now[best], now[best][window.NOW_RATIO] > 0.0
        loud = walks = False
        if warm:
            if here[window.NOW_ABOVE] > 0.0:
                self.triggered = True
            elif here[window.NOW_RATIO] < OFF:
                self.triggered = False
            line = rules.level_on * Hours(mine[best][calm.HOURS_0 :]).raised(utc_ns)
            loud = self.triggered or here[window.NOW_LEVEL_1S] >= line
        stirs = mine[best][calm.BINS] >= YOUNG_BINS
        if warm:
            stirs = here[window.NOW_LEVEL_2S] >= rules.stirring
        size, found, places, bands = 0, np.zeros(window.FEATURES), [], np.zeros(BANDS)
        if rules.stirring < math.inf and (event or loud or stirs):
            size, marks = (
                max(2, min(wanted, last, int(mine[best][calm.BINS]))),
                np.zeros(steps.MOST),
            )
            count = window.describe(rings[best], last, size, found, marks)
            places, blows = marks[:count].tolist(), found[window.STEPS_0 :]
            walks = bool(
                places
                and blows[steps.CHAIN] >= (3 if warm else YOUNG_STEPS)
                and blows[steps.CHAIN_NATS] >= (3.0 if warm else YOUNG_NATS)
                and blows[steps.CHAIN_AGE_S] <= 1.0
            )
            if loud or walks:
                quiet = mine[best][calm.QUIET_0 : calm.QUIET_0 + BANDS]
                window.bands(rings[best], last, size, quiet, bands)
        due = self._learn(rings, now, mine, last, utc_ns, rest=not (event or loud or walks))
        return [best, loud, walks, size, len(places), len(due)], now, found, places, bands, due

    def _learn(self, rings, now, mine, last, utc_ns, *, rest):
        due = []
        for number, (ring, here, one) in enumerate(zip(rings, now, mine, strict=True)):
            if here[window.NOW_RATIO] <= 0.0:
                continue
            if last % 5 == 0:
                lesson = here[window.NOW_FLOOR], here[window.NOW_LEVEL_1S], 5 * 0.2
                Hours(one[calm.HOURS_0 :]).learn(utc_ns, *lesson)
            if rest:
                one[calm.QUIET_BINS] += 1
                keep = max(1.0 / one[calm.QUIET_BINS], self.rules.quiet_keep)
                for band in range(BANDS):
                    energy = ring.bins[(last - 1) % BIN_RING, BAND_0 + band]
                    one[calm.QUIET_0 + band] += keep * (energy - one[calm.QUIET_0 + band])
                due += [number] if last % 25 == 0 else []
        return due


def rings(random, cold):
    """Motion with steps now and then, louder and quieter by the second."""
    frames = random.gamma(2.0, 0.5, (CHANNELS, FRAME_RING))
    bins = random.gamma(5.0, 0.2, (CHANNELS, BIN_RING, FIELDS))
    for first in range(0, FRAME_RING, 300):
        frames[:, first : first + 200 : 27] += 12.0
    bins[:, :, SUM_2] *= 20.0 * np.repeat(random.lognormal(0.0, 0.5, (CHANNELS, 64)), 8, axis=1)
    bins[:, :, SUM_4] = bins[:, :, SUM_2] ** 2
    bins[:, :, FLOOR] = 1.0
    bins[:, :, ABOVE] = random.random((CHANNELS, BIN_RING)) < 0.02
    bins[:, :, RATIO] = random.lognormal(0.7, 0.5, (CHANNELS, BIN_RING))
    bins[:, :cold, RATIO] = 0.0
    bins[:, :, BAND_0:] = random.gamma(3.0, 1.0, (CHANNELS, BIN_RING, BANDS))
    return frames.astype(np.float32), bins.astype(np.float32)


@pytest.mark.parametrize("seed", [1] if config.DISABLE_JIT else range(6))
@pytest.mark.parametrize("stirring", [1.12, math.inf])
def test_a_look_is_that_of_the_twin(seed, stirring):
    random = np.random.default_rng(seed)
    frames, bins = rings(random, cold=30)
    rules = RULES._replace(stirring=stirring)
    memory = np.zeros((CHANNELS, calm.MEMORY))
    memory[:, calm.HOURS_0 : calm.HOURS_0 + 24] = 590.0  # known after ten seconds
    twin = Naive(rules, memory)
    seats = np.array([(0, n, CHANNELS - 1 - n, n == 1) for n in range(CHANNELS)], np.int64)
    stance, more = np.zeros(kernel.STANCE, np.int64), (OFF, KEPT_GAIN, 12.0, 5.0, YOUNG_NATS)
    now, due = np.zeros((CHANNELS, window.GLANCE)), np.zeros((CHANNELS, 2), np.int64)
    found, marks, bands = np.zeros(window.FEATURES), np.zeros(steps.MOST), np.zeros(BANDS)
    seen = set()
    for last in range(1, 60 if config.DISABLE_JIT else 200):
        event, kept = bool(random.integers(2)), int(random.integers(-1, CHANNELS))
        wanted, utc_ns = int(random.integers(2, 31)), 7 * HOUR_NS + last * 200_000_000
        stance[: kernel.BEST] = stance[kernel.TRIGGERED], event, kept, wanted
        kernel.look(
            frames, bins, rules, more, seats, memory, last, utc_ns, stance, now, found, marks,
            bands, due,
        )  # fmt: skip
        known, glances, window_, places, bands_, ears = twin.look(
            frames, bins, seats, last, utc_ns, event=event, kept=kept, wanted=wanted
        )
        assert stance[kernel.BEST :].tolist() == known
        assert stance[kernel.TRIGGERED] == twin.triggered
        assert now.tolist() == glances
        assert memory.tobytes() == twin.memory.tobytes()
        assert due[: len(ears)].tolist() == [[seats[n, calm.EAR], utc_ns] for n in ears]
        if known[3] and (known[1] or known[2]):
            assert found.tolist() == window_.tolist()
            assert marks[: len(places)].tolist() == places
            assert bands.tolist() == bands_.tolist()
        seen.add((bool(known[1]), bool(known[2]), known[3] > 0, bool(ears)))
    assert config.DISABLE_JIT or len(seen) >= (6 if stirring < math.inf else 3)
