"""A spectroscopic portal with occupancy marks, fed with hand-made spectra."""

import numpy as np
import pytest

from fusion.evidence import weigh
from fusion.policy import AlarmPolicy, ScoringPolicy
from fusion.questions import QUESTIONS
from fusion.radiation import RadiationPolicy
from fusion.radiation_windows import EDGES_KEV, NATURAL
from fusion.score import score
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.portal import Portal
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import Event
from tests.fusion.spectra.scenes import Device, feed, let_end, on_channels, spec, told


def portal(detector=None):
    where = spec() if detector is None else spec(detector)
    return Portal(where, RadiationPolicy(), SpectraPolicy(), IdentifyPolicy())


def ended(mine, device):
    """The ticks after a vehicle: its last document may have been followed by another."""
    return [one for i in range(5) for one in mine.tick(device.now_utc_ns + i * 1_000_000_000)]


def passed(source=None, cps=0.0, *, seed=1, background_s=60, **how):
    """Everything that is found in one pass."""
    mine, device = portal(), Device(seed)
    feed(mine, device.vacant(background_s))
    return feed(mine, device.vehicle(source, cps, **how)) + ended(mine, device)


def final(found):
    (one,) = told(found)
    return one


def test_a_clean_vehicle_is_one_detection_and_background():
    found = passed()
    kinds = sorted(one.kind for one in found if one.final)
    assert "gamma.profile" not in kinds
    assert kinds.count("gamma.spectrum") == 1
    one = final(found)
    assert one.facts["category"] == "background"
    assert one.facts["nuclides"] == ()
    assert one.facts["over_range"] is False
    assert {"gamma_sigma", "neutron_sigma", "suppression", "width_m", "position_m"} <= set(
        one.facts
    )


@pytest.mark.parametrize(
    ("nuclide", "variant", "cps", "category"),
    [
        ("Cs-137", "bare", 80.0, "industrial"),
        ("Co-60", "bare", 120.0, "industrial"),
        ("Cs-137", "lead-1cm", 150.0, "industrial"),
        ("U-235", "bare", 120.0, "snm"),
        ("Tc-99m", "body", 150.0, "medical"),
    ],
)
def test_a_source_is_named(nuclide, variant, cps, category):
    one = final(passed(on_channels(nuclide, variant), cps, seed=7))
    assert one.facts["category"] == category
    assert one.facts["nuclides"][0][0] == nuclide


@pytest.mark.parametrize("series", ["K-40", "Ra-226", "Th-232"])
def test_a_load_of_stone_is_natural(series):
    one = final(passed(on_channels(series, "ground"), 200.0, width_m=10.0, seed=5))
    assert one.facts["category"] == "norm"
    nats = weigh(one).nats
    assert nats["norm"] > nats["threat-source"]


def test_what_is_natural_and_hides_a_source_is_told_as_the_source():
    both = on_channels("K-40", "ground") * 0.6 + on_channels("Cs-137") * 0.4
    one = final(passed(both, 300.0, seed=6))
    assert one.facts["category"] == "industrial"
    assert "Cs-137" in dict(one.facts["nuclides"])


def test_the_words_of_evidence_follow_the_category():
    one = weigh(final(passed(on_channels("Cs-137"), 200.0)))
    threat = one.nats
    # Its likelihood ratio is 300 nats, but nobody has seen what clean traffic does beyond 40: none
    # of the 300 clean passes of the fit is told as anything, which makes the weakest that are told
    # worth 3 nats, and each nat from there to 40 is worth a third: 8 in all with its category. That
    # has to be a warning by itself, shielded or not, whatever else it may be.
    assert threat["threat-source"] >= 8.0
    told = score([(one, 1.0)], QUESTIONS["radiation"], one.end_utc_ns, ScoringPolicy())
    shares = dict(told.explanations)
    sources = shares["threat-source"] + shares["shielded-source"]
    assert sources >= AlarmPolicy().level_lines[Event.RAD_THREAT][1]
    assert threat["threat-source"] > threat["norm"] + 5.0
    clean = weigh(final(passed())).nats
    assert all(nats <= 0.5 for nats in clean.values())


def test_a_strong_source_is_told_before_the_vehicle_has_left():
    found = passed(on_channels("Co-60"), 1500.0)
    early = told(found, final=False)
    assert early
    assert early[0].facts["category"] == "industrial"
    assert early[0].end_utc_ns < final(found).end_utc_ns
    sigmas = [one.facts["gamma_sigma"] for one in early]
    assert len(sigmas) <= 12, "an interim result is told again only when it has grown"


def test_a_saturated_pass_is_over_range_and_named_from_its_flanks():
    found = passed(on_channels("Cs-137"), 900_000.0)
    one = final(found)
    assert one.facts["over_range"] is True
    assert one.facts["category"] == "over-range"
    assert dict(one.facts["nuclides"]).get("Cs-137", 0.0) > 0.5
    first, stop = one.record.spectra.window
    rates = one.record.spectra.counts[first:stop].sum(axis=2).max(axis=1) / 0.2
    assert rates.max() < SpectraPolicy().over_range_cps


def test_dead_time_is_over_range_too():
    mine, device = portal(), Device(2)
    feed(mine, device.vacant(60))
    samples = device.vehicle(on_channels("Co-60"), 300.0)
    middle = len(samples) // 2
    device.now_utc_ns = samples[middle].start_utc_ns
    samples[middle] = device.slice(occupied=True, dead=0.4)
    one = final(feed(mine, samples) + ended(mine, device))
    assert one.facts["over_range"] is True


def test_neutrons_stand_beside_the_spectrum():
    one = final(passed(neutrons=40.0))
    assert one.facts["neutron_sigma"] > 4.5
    assert weigh(one).nats.get("threat-source", 0.0) <= 0.5, "neutron.counts says it already"


def test_the_detectors_nearest_to_the_source_are_used():
    one = final(passed(on_channels("Cs-137"), 150.0, shares=(1.0, 0.02, 0.02, 0.02)))
    assert one.facts["nuclides"][0][0] == "Cs-137"
    assert one.facts["detectors"] < 4


def test_background_stands_still_while_a_vehicle_is_there():
    mine, device = portal(), Device(3)
    feed(mine, device.vacant(60))
    samples = device.vehicle(on_channels("Cs-137"), 300.0)
    feed(mine, samples[:-1])
    before = mine._instrument.background_counts.copy()
    feed(mine, samples[-1:])
    ended(mine, device)
    np.testing.assert_array_equal(mine._instrument.background_counts, before)


def test_a_drifting_gain_is_followed_between_vehicles():
    mine, device = portal(), Device(4, detectors=2)
    for minute in range(20):
        feed(mine, device.vacant(60, drift=1.0 + 0.0012 * minute))
    for factor in mine._instrument.gains:
        assert factor == pytest.approx(1.0 / 1.0228, abs=0.006)
    one = final(
        feed(mine, device.vehicle(on_channels("Cs-137"), 120.0, drift=1.0228)) + ended(mine, device)
    )
    assert one.facts["nuclides"][0][0] == "Cs-137"


def test_a_marked_background_stands_for_the_vacant_lane():
    mine, device = portal(), Device(5)
    feed(mine, [device.slice(role="background", seconds=120, occupied=None)])
    one = final(feed(mine, device.vehicle(on_channels("Ba-133"), 150.0)) + ended(mine, device))
    assert one.facts["nuclides"][0][0] == "Ba-133"
    assert one.record.spectra.background_live_s == pytest.approx(120)


def test_a_background_of_minutes_that_comes_first_blinds_no_interim_result():
    mine, device = portal(), Device(5)
    feed(mine, [device.slice(role="background", seconds=300, occupied=None)])
    found = feed(mine, device.vehicle(on_channels("Cs-137"), 1500.0)) + ended(mine, device)
    assert told(found, final=False)
    assert final(found).facts["nuclides"][0][0] == "Cs-137"


def test_a_vehicle_that_is_marked_on_its_slices_alone():
    mine, device = portal(), Device(6)
    feed(mine, device.vacant(60))
    slices = [one for one in device.vehicle(on_channels("Cs-137"), 150.0) if hasattr(one, "counts")]
    found = feed(mine, [*slices, *device.vacant(2)])
    assert final(found).facts["nuclides"][0][0] == "Cs-137"
    assert [one.final for one in found if one.kind == "portal.occupancy"] == [False, True]


def test_a_record_that_ends_in_a_vehicle_is_judged():
    mine, device = portal(), Device(7)
    feed(mine, device.vacant(60))
    feed(mine, device.vehicle(on_channels("Cs-137"), 150.0)[:-1])
    assert final(let_end(mine, device)).facts["nuclides"][0][0] == "Cs-137"


def test_the_detector_need_not_be_told():
    where = spec(None)
    mine = Portal(where, RadiationPolicy(), SpectraPolicy(), IdentifyPolicy())
    device = Device(8)
    feed(mine, device.vacant(60))
    one = final(feed(mine, device.vehicle(on_channels("Cs-137"), 150.0)) + ended(mine, device))
    assert one.facts["nuclides"][0][0] == "Cs-137"


def test_the_record_of_a_pass_holds_its_spectra():
    one = final(passed(on_channels("Cs-137"), 150.0))
    spectra = one.record.spectra
    slices = len(spectra.starts_utc_ns)
    assert spectra.counts.shape == (slices, 4, 1024)
    assert spectra.live_s.shape == (slices, 4)
    assert spectra.background_counts.shape == (4, 1024)
    assert 0 <= spectra.window[0] < spectra.window[1] <= slices


def test_the_same_samples_give_the_same_detections():
    assert passed(on_channels("Cs-137"), 100.0) == passed(on_channels("Cs-137"), 100.0)


def test_clean_vehicles_raise_no_alarm():
    mine, device = portal(), Device(9)
    feed(mine, device.vacant(60))
    for _ in range(40):
        found = feed(mine, device.vehicle(shadow=float(device.random.uniform(0.0, 0.2))))
        found += ended(mine, device)
        assert {one.facts["category"] for one in told(found)} == {"background"}
        feed(mine, device.vacant(4))


def test_a_vehicle_in_several_documents_is_one():
    mine, device = portal(), Device(10)
    feed(mine, device.vacant(60))
    found = []
    for one in device.vehicle(on_channels("Cs-137"), 150.0)[1:-1]:
        device.now_utc_ns = one.start_utc_ns
        found += mine.feed(device.mark(opened=True)) + mine.feed(one)
        device.now_utc_ns = one.start_utc_ns + 200_000_000
        found += mine.feed(device.mark(opened=False)) + mine.tick(device.now_utc_ns)
    found += feed(mine, device.vacant(1))
    assert final(found).facts["nuclides"][0][0] == "Cs-137"
    assert sum(one.kind == "portal.occupancy" for one in found) == 2


def test_a_background_in_a_document_of_a_pass_does_not_end_it():
    mine, device = portal(), Device(11)
    background = device.slice(role="background", seconds=120, occupied=None)
    samples = device.vehicle(on_channels("Ba-133"), 150.0)
    samples.insert(len(samples) // 2, background)
    one = final(feed(mine, [background, *samples]) + ended(mine, device))
    assert one.facts["nuclides"][0][0] == "Ba-133"


@pytest.mark.parametrize("category", ["norm", "unknown"])
def test_plastic_is_judged_by_windows_and_names_nothing(category):
    mine = portal()
    device = Device(31, detectors=2, cps=1000.0, kind="PVT")
    feed(mine, device.vacant(120))
    shares = NATURAL.mean(axis=0) if category == "norm" else [1.0, 0.0, 0.0, 0.0, 0.0]
    middle_kev = (np.arange(1024) + 0.5) * 3000.0 / 1024
    window = np.digitize(middle_kev, EDGES_KEV) - 1
    shape = np.zeros(1024)
    for number, share in enumerate(shares):
        shape[window == number] = share / np.count_nonzero(window == number)
    found = feed(mine, device.vehicle(shape, 1500.0, shadow=0.0))
    found += feed(mine, device.vacant(5))
    found += let_end(mine, device)
    (one,) = [one for one in found if one.kind == "gamma.profile" and one.final]
    assert one.facts["category"] == category
    assert one.facts["windows"] in ("norm-like", "not-norm-like")
    assert not one.facts.get("nuclides")
    assert not told(found)


def test_only_empty_vehicles_teach_how_vehicles_change_the_background():
    mine, device = portal(), Device(41, cps=3000.0)
    feed(mine, device.vacant(60))
    middle = on_channels("ground") * np.exp(-(((np.arange(1024) - 400) / 300.0) ** 2))
    middle /= middle.sum()

    def passing(source, cps):
        # Of middle energies some vehicles shield more than others do.
        more = float(device.random.uniform(0.0, 80.0))
        samples = device.vehicle(middle, more, width_m=30.0, length_m=24.0, shadow=0.1)
        if source is not None:
            samples = device.vehicle(source, cps)
        feed(mine, samples)
        ended(mine, device)
        feed(mine, device.vacant(4))

    for _ in range(6):
        passing(on_channels("Cs-137"), 500.0)
        passing(on_channels("K-40", "ground"), 1500.0)
    assert mine._instrument.shape_mode is None
    assert mine._instrument._shape._seen == 0
    for _ in range(40):
        passing(None, 0.0)
    mode = mine._instrument.shape_mode
    assert mode is not None
    middle_kev = mine._instrument.stream.library.edges_kev[:-1]
    within = mode[(middle_kev > 500.0) & (middle_kev < 2000.0)].sum()
    assert 0.001 < abs(within) < 0.02, "a share of the counts, up or down"
    assert mode.sum() == pytest.approx(0.0, abs=1e-9)


def test_what_was_learned_is_used_and_hides_no_source(monkeypatch):
    mine, device = portal(), Device(42)
    feed(mine, device.vacant(60))
    instrument = mine._instrument
    heard = []
    identify = instrument.identifier.identify

    def listening(*args, shape_mode=None):
        heard.append(shape_mode)
        return identify(*args, shape_mode=shape_mode)

    instrument.identifier.identify = listening
    background = instrument.background_counts
    tilted = instrument.binned(background * np.linspace(0.9, 1.1, 1024))
    learned = (tilted - instrument.binned(background)) / tilted.sum()
    monkeypatch.setattr(type(instrument._shape), "mode", property(lambda self: learned))
    one = final(feed(mine, device.vehicle(on_channels("Cs-137"), 80.0)) + ended(mine, device))
    assert heard
    assert all(mode is learned for mode in heard)
    assert one.facts["nuclides"][0][0] == "Cs-137"


def test_a_first_slice_of_no_counts_blinds_nothing():
    mine, device = portal(), Device(43)
    feed(mine, [device.slice(occupied=False, level=0.0)])
    feed(mine, device.vacant(60))
    assert mine._instrument.stream.seconds(0) > 40.0
    found = feed(mine, device.vehicle(on_channels("Cs-137"), 1500.0)) + ended(mine, device)
    assert told(found, final=False), "told while the vehicle was there"
    assert final(found).facts["nuclides"][0][0] == "Cs-137"


def test_a_marked_background_of_no_counts_is_none():
    mine, device = portal(), Device(44)
    feed(mine, device.vacant(60))
    feed(mine, [device.slice(role="background", seconds=120, occupied=None, level=0.0)])
    one = final(feed(mine, device.vehicle(on_channels("Cs-137"), 150.0)) + ended(mine, device))
    assert one.facts["nuclides"][0][0] == "Cs-137"
    assert one.record.spectra.background_counts.sum() > 0.0


@pytest.mark.parametrize("at_m", [1.5, 8.0, 13.0])
def test_a_source_that_only_the_spectrum_shows_has_its_place_too(at_m):
    mine, device = portal(), Device(51)
    feed(mine, device.vacant(60))
    samples = [device.mark(opened=True)]
    for i in range(36):
        away_m = (i + 0.5) * 0.44 - at_m  # in metres from the front, 2.2 m/s
        profile = (6.25 / (6.25 + away_m**2)) ** 1.5
        lines = [(on_channels("Cs-137"), 40.0 * profile)]
        samples.append(device.slice(lines, occupied=True, level=0.9))
    found = feed(mine, [*samples, device.mark(opened=False)]) + ended(mine, device)
    facts = final(found).facts
    assert facts["extent"] == "none", "nothing stands out in the counts"
    assert facts["nuclides"][0][0] == "Cs-137"
    assert facts["position_m"] == pytest.approx(at_m, abs=1.5)
    assert facts["cab"] is (at_m < 2.0)
