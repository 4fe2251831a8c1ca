"""Records without occupancy marks: series of slices, and single measurements."""

import numpy as np
import pytest

from fusion.radiation import RadiationPolicy
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.portal import Portal
from fusion.spectra.verdict import IdentifyPolicy
from tests.fusion.spectra.scenes import Device, feed, let_end, on_channels, spec, told

CS = on_channels("Cs-137")


def portal(**how):
    return Portal(spec(**how), RadiationPolicy(), SpectraPolicy(), IdentifyPolicy())


def series(device, seconds, sources=lambda second: (), **how):
    return [device.slice(sources(second), **how) for second in range(seconds)]


def test_a_walk_past_a_source_is_one_event():
    mine, device = portal(), Device(1, slice_s=1.0, detectors=1)
    found = feed(mine, series(device, 90))
    came = device.now_utc_ns
    found += feed(mine, series(device, 12, lambda t: [(CS, 250.0 / (1 + (t - 6) ** 2 / 9))]))
    went = device.now_utc_ns
    found += feed(mine, series(device, 60))
    found += let_end(mine, device)
    (one,) = told(found)
    assert one.facts["nuclides"][0][0] == "Cs-137"
    assert one.facts["category"] == "industrial"
    assert came - 2e9 <= one.start_utc_ns < one.end_utc_ns <= went + 6e9


def test_an_event_at_the_end_of_a_record_is_judged():
    mine, device = portal(), Device(2, slice_s=1.0)
    found = feed(mine, series(device, 60) + series(device, 8, lambda t: [(CS, 120.0)]))
    found += let_end(mine, device)
    assert [one.facts["nuclides"][0][0] for one in told(found)] == ["Cs-137"]


def test_two_sources_far_apart_are_two_events():
    mine, device = portal(), Device(3, slice_s=1.0)
    cobalt = on_channels("Co-60")
    samples = series(device, 60) + series(device, 6, lambda t: [(CS, 150.0)])
    samples += series(device, 60) + series(device, 6, lambda t: [(cobalt, 150.0)])
    samples += series(device, 60)
    found = told(feed(mine, samples) + let_end(mine, device))
    assert [one.facts["nuclides"][0][0] for one in found] == ["Cs-137", "Co-60"]


@pytest.mark.parametrize("seed", range(3))
def test_natural_ground_that_wanders_is_no_event(seed):
    mine, device = portal(), Device(10 + seed, slice_s=1.0, detectors=1)
    random = np.random.default_rng(seed)
    rates = np.array([60.0, 40.0, 40.0])
    names = ("K-40", "Ra-226", "Th-232")
    found = []
    for _ in range(600):
        rates = np.clip(rates * np.exp(random.normal(0.0, 0.06, 3)), 5.0, 250.0)
        level = float(np.clip(1.0 + rates.sum() / 1000 + random.normal(0, 0.01), 0.7, 1.6))
        sources = [(on_channels(n, "ground"), r) for n, r in zip(names, rates, strict=True)]
        found += feed(mine, [device.slice(sources, level=level)])
    assert told(found + let_end(mine, device)) == []


def test_neutrons_alone_are_an_event():
    mine, device = portal(), Device(4, slice_s=1.0)
    found = feed(mine, series(device, 90) + series(device, 10, neutrons=15.0) + series(device, 40))
    (one,) = told(found + let_end(mine, device))
    assert one.facts["neutron_sigma"] > 5.0


def test_one_measurement_with_its_background():
    mine, device = portal(detector=None), Device(5, detectors=1)
    samples = [
        device.slice(role="background", seconds=300),
        device.slice([(CS, 60.0)], seconds=120),
    ]
    assert told(feed(mine, samples)) == []
    (one,) = told(let_end(mine, device))
    assert one.facts["category"] == "industrial"
    assert one.facts["nuclides"][0][0] == "Cs-137"
    assert one.facts["static"] is True


def test_one_measurement_alone():
    mine, device = portal(detector=None), Device(6, detectors=1)
    feed(mine, [device.slice([(CS, 200.0)], seconds=300, role="")])
    (one,) = told(let_end(mine, device))
    assert one.facts["nuclides"][0][0] == "Cs-137"


def test_the_same_ground_as_its_background_is_background():
    mine, device = portal(), Device(7)
    feed(mine, [device.slice(role="background", seconds=300), device.slice(seconds=300)])
    (one,) = told(let_end(mine, device))
    assert one.facts["category"] == "background"
    assert one.facts["nuclides"] == ()


def test_a_record_that_is_only_background_is_told_once():
    mine, device = portal(), Device(8)
    found = feed(mine, [device.slice(role="background", seconds=300)]) + let_end(mine, device)
    assert len(told(found)) == 1
    device.now_utc_ns += 600 * 10**9
    found = feed(mine, [device.slice(role="background", seconds=300)]) + let_end(mine, device)
    assert told(found) == [], "a device that reports its background says nothing new"


def test_spectra_without_energies_are_no_spectra():
    mine, device = portal(), Device(9)
    sample = device.slice(seconds=300)
    from dataclasses import replace  # noqa: PLC0415 - of this one test

    bare = replace(sample, edges_kev=np.zeros((0, 0), np.float32))
    assert feed(mine, [bare]) + let_end(mine, device) == []


def test_a_record_that_is_over_range_from_its_start_is_told_once_and_kept_short():
    mine, device = portal(), Device(7, slice_s=1.0, detectors=1)
    found = feed(mine, series(device, 120, dead=0.9))
    (one,) = told(found)
    assert one.facts["over_range"] is True
    assert one.facts["category"] == "over-range"
    assert len(mine._monitor._waiting) < 60, "what waits for a background is bounded"
    found = feed(mine, series(device, 90))
    found += feed(mine, series(device, 12, lambda t: [(CS, 250.0 / (1 + (t - 6) ** 2 / 9))]))
    found += feed(mine, series(device, 60)) + let_end(mine, device)
    assert "Cs-137" in [name for one in told(found) for name, _ in one.facts["nuclides"]]


def held_bytes(mine):
    monitor = mine._monitor
    event = monitor._event
    held = [*(monitor._waiting or ()), *monitor._quiet]
    if event is not None:
        held += [*event.slices, *event.before, *event.after]
    return sum({id(one.counts): one.counts.nbytes for one in held}.values())


@pytest.mark.parametrize("slice_s", [0.1, 1.0])
def test_a_record_of_large_spectra_is_kept_within_its_bytes(slice_s):
    policy = SpectraPolicy(kept_bytes=400_000)
    mine = Portal(spec(), RadiationPolicy(), policy, IdentifyPolicy())
    device = Device(4, slice_s=slice_s)
    most, found = 0, []
    samples = series(device, round(60 / slice_s))
    samples += series(device, round(8 / slice_s), lambda t: [(CS, 150.0)])
    samples += series(device, round(60 / slice_s))
    for sample in samples:
        found += feed(mine, [sample])
        most = max(most, held_bytes(mine))
    found += let_end(mine, device)
    # The event, what is after it, and half as much of what is quiet before it and now.
    assert most <= 3 * policy.kept_bytes
    (one,) = told(found)
    assert one.facts["nuclides"][0][0] == "Cs-137"


@pytest.mark.parametrize("slots", [8, 12])
def test_the_background_of_large_spectra_is_followed_too(slots):
    device = Device(6, slice_s=0.1)
    levels = np.concatenate((np.ones(400), np.linspace(1.0, 1.25, 1_200), np.full(600, 1.25)))
    samples = [device.slice(level=level) for level in levels]
    quarter = samples[0].counts.nbytes * slots
    rates = []
    for policy in (SpectraPolicy(), SpectraPolicy(kept_bytes=4 * quarter)):
        mine = Portal(spec(), RadiationPolicy(), policy, IdentifyPolicy())
        assert told(feed(mine, samples)) == []
        assert len(mine._monitor._quiet.recent) <= max(slots, 101)
        instrument = mine._monitor._instrument
        rates.append(float(instrument.background_counts.sum() / instrument.background_live_s[0]))
    assert rates[0] > 4 * 600 * 1.15
    assert rates[1] == pytest.approx(rates[0], rel=0.02)


def test_slices_of_a_millisecond_are_kept_within_their_number():
    policy = SpectraPolicy(kept_slices=60)
    mine = Portal(spec(), RadiationPolicy(), policy, IdentifyPolicy())
    device = Device(5, slice_s=0.001, detectors=1)
    feed(mine, series(device, 2_000))
    assert len(mine._monitor._waiting) <= 60
    assert mine._monitor._waited == 2_000
