from pathlib import Path

import numpy as np
import pytest

from drivers.wire.datacast import DatacastDecoder
from fusion.kernels import seismic_window as window
from fusion.seismic import SeismicDetector, SeismicPolicy
from fusion.seismic_course import Course, Pace
from fusion.seismic_features import CLASSES, NOT_KNOWN, TERMS, nats_of
from fusion.seismic_presets import PRESETS
from fusion.seismic_tail import Tail
from fusion.types import Family, Origin, SensorSpec, WaveformSample

CAPTURE = Path(__file__).parents[3] / "shared/data/shake/R24FA-datacast.txt"
SECOND_NS = 10**9


def packet(counts, start_s=0.0, *, rate_hz=100.0, calibrated=True, scale=3.9965e8):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.REPLAY,
        start_utc_ns=round(start_s * 1e9),
        rate_hz=rate_hz,
        channel="EHZ",
        counts=np.asarray(counts, np.int32),
        counts_per_m_s=scale,
        calibrated=calibrated,
    )


def detections(counts, rate_hz=100, *, preset="footsteps", **keys):
    spec = SensorSpec(sensor_id="geo-1", family=Family.SEISMIC, place="east", preset=preset)
    station, size = SeismicDetector(spec, SeismicPolicy()), rate_hz // 4
    told = [
        d
        for at in range(0, len(counts), size)
        for d in station.feed(
            packet(counts[at : at + size], at / rate_hz, rate_hz=float(rate_hz), **keys)
        )
    ]
    return told + station.tick(round((len(counts) / rate_hz + 60) * 1e9))


def footsteps(rate_hz=100, *, steps=24, pace_s=0.54, seed=3, size=4000.0):
    """Noise, then a ringing knock every half second or so."""
    random = np.random.default_rng(seed)
    counts = 100.0 * random.standard_normal(40 * rate_hz)
    at_s = np.arange(rate_hz // 4) / rate_hz
    knock = np.sin(2.0 * np.pi * 21.0 * at_s) * np.exp(-at_s / 0.03)
    for step in range(steps):
        at = round((20.0 + step * pace_s + random.normal(0.0, 0.012)) * rate_hz)
        counts[at : at + len(knock)] += size * random.uniform(0.8, 1.25) * knock
    return np.rint(counts).astype(np.int32)


@pytest.mark.skipif(
    not CAPTURE.exists(), reason="the capture R24FA-datacast.txt is not beside this checkout"
)
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_one_motion_of_the_real_capture_by_preset(preset):
    read = DatacastDecoder().feed(CAPTURE.read_bytes())
    told = detections(
        [c for each in read if each.channel == "EHZ" for c in each.counts], preset=preset
    )
    assert {each.facts["class"] for each in told}.isdisjoint({"person", "group"})
    if preset == "earthquake":
        assert [each.final for each in told] == [True]
        # facts/seismic.md 3.1: the general scenario triggers from 48.7 to 85.6 s.
        assert told[0].start_utc_ns / 1e9 == pytest.approx(48.7, abs=0.25)
        assert told[0].end_utc_ns / 1e9 == pytest.approx(85.6, abs=0.25)
        assert told[0].facts["class"] == "unknown"


@pytest.mark.parametrize("rate_hz", [100, 250, 500, 2000])
def test_steps_are_somebody_at_any_rate_and_each_is_marked(rate_hz):
    told = detections(footsteps(rate_hz), rate_hz)
    named = [each for each in told if each.facts["class"] in {"person", "group"}]
    assert named
    facts = told[-1].facts
    assert len(facts["footfalls_s"]) == pytest.approx(24, abs=3)
    gaps = np.diff(facts["footfalls_s"])
    assert np.median(gaps) == pytest.approx(0.54, abs=0.03)
    assert facts["clear"] > 1.5
    assert set(facts["why"]) <= set(TERMS)
    assert list(facts["why"].values()) == sorted(facts["why"].values(), reverse=True)


def test_somebody_is_told_within_a_second_of_the_fourth_clear_step():
    told = detections(footsteps())
    first = next(each for each in told if each.facts["class"] in {"person", "group"})
    assert first.end_utc_ns / 1e9 <= 20.0 + 3 * 0.54 + 1.0


def test_a_station_of_unknown_sensitivity_is_judged_the_same_and_tells_counts():
    known = detections(footsteps())
    unknown = detections(footsteps(), scale=1.0, calibrated=False)
    assert [d.facts["class"] for d in known] == [d.facts["class"] for d in unknown]
    assert unknown[-1].facts["peak_counts"] > 1000.0
    assert "peak_um_s" not in unknown[-1].facts


def test_a_sensitivity_that_becomes_known_is_told_in_units_from_then_on():
    spec = SensorSpec(sensor_id="geo-1", family=Family.SEISMIC, place="east")
    station, walk, told = SeismicDetector(spec, SeismicPolicy()), footsteps(), []
    for part, keys in enumerate(({"scale": 1.0, "calibrated": False}, {})):
        for at in range(0, len(walk), 25):
            piece = packet(walk[at : at + 25], len(walk) / 100 * part + at / 100, **keys)
            told += station.feed(piece)
    told += station.tick(200 * SECOND_NS)
    first, second = [each.facts for each in told if each.final]
    assert first["class"] == second["class"] == "person"
    assert "peak_counts" in first
    assert "peak_um_s" in second


def test_the_table_has_every_term_for_every_class():
    out = np.ones((len(TERMS), len(CLASSES)))
    nats_of([NOT_KNOWN] * len(TERMS), out)
    assert not out.any()
    nats_of([0.5] * len(TERMS), out)
    assert np.abs(out).max() <= 2.51


def test_a_tail_takes_what_is_there_however_it_was_cut():
    counts = np.random.default_rng(1).integers(-500, 500, 1400)
    whole, pieces = Tail(100.0), Tail(100.0)
    whole.keep(packet(counts))
    for at in range(0, 1400, 7):
        pieces.keep(packet(counts[at : at + 7], at / 100.0))
    end_ns = round(12.34 * SECOND_NS)
    np.testing.assert_array_equal(whole.power(end_ns, 2), pieces.power(end_ns, 2))
    assert whole.power(SECOND_NS, 2) is None


@pytest.mark.parametrize(("wander", "least_s", "most_s"), [(0.001, 59.0, 60.0), (0.02, 0.0, 12.0)])
def test_an_engine_keeps_its_pace_and_legs_do_not(wander, least_s, most_s):
    random, pace = np.random.default_rng(2), Pace()
    for n in range(301):
        if not 100 < n < 130:  # drowned for six seconds
            # Now and then only every other stroke is heard.
            pace.hear(
                0.2 * n, np.log(1.8) + random.normal(0.0, wander) - np.log(2.0) * (n % 9 == 0)
            )
    assert least_s <= pace.held_s <= most_s
    pace.hear(100.0, np.log(1.8))
    assert pace.held_s == 0.0


def test_what_swells_and_fades_is_a_bell_and_what_stays_is_none():
    def bell_of(level):
        course = Course()
        for n in range(1, 101):
            now = [0.0] * window.GLANCE
            now[window.NOW_LEVEL] = now[window.NOW_LEVEL_1S] = now[window.NOW_LEVEL_2S] = level(n)
            course.hear(0.2 * n, now, active=True)
        return course.terms(20.0)[2]

    assert bell_of(lambda n: float(np.exp(2.0 - ((n - 50) / 25.0) ** 2))) > 0.95
    assert bell_of(lambda n: 5.0) == 0.0
    assert bell_of(lambda n: float(np.exp(((n - 50) / 25.0) ** 2))) < -0.95
    np_fit = np.polyfit(np.arange(100), np.log([5.0 + (n % 9) for n in range(100)]), 2)
    assert np.sign(bell_of(lambda n: 5.0 + (n - 1) % 9)) == -np.sign(np_fit[0])
