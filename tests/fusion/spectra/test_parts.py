"""Windows, gain, slices and gross counts, each by itself."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.spectra.gain import GainFollower, find_peak, measured_gain
from fusion.spectra.gross import GrossCounts
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.quiet import Quiet
from fusion.spectra.slices import Slices, added, is_over_range, slice_of
from fusion.spectra.stream import Stream, library_of, spread_templates
from fusion.spectra.telling import without_usual_dips
from fusion.spectra.verdicts import Verdicts
from fusion.spectra.window import best_detectors, best_window
from fusion.types import SECOND_NS, BackgroundSample, Detection, Family, Origin, Radiation
from tests.fusion.spectra.scenes import NAI, Device, edges_of, on_channels

POLICY = SpectraPolicy()


def test_the_best_window_is_where_the_source_was():
    scores = np.zeros((40, 3))
    scores[12:18, 1] = 4.0
    found = best_window(scores, np.ones(40), np.ones(40, bool), 20)
    assert (found.first, found.stop, found.column) == (12, 18, 1)
    assert found.sigma == pytest.approx(24 / np.sqrt(6))


def test_no_window_holds_a_slice_that_cannot_be_used():
    scores = np.full((20, 1), 3.0)
    usable = np.ones(20, bool)
    usable[8:11] = False
    found = best_window(scores, np.ones(20), usable, 20)
    assert (found.first, found.stop) == (11, 20)
    assert best_window(scores, np.ones(20), np.zeros(20, bool), 20) is None


@given(st.lists(st.floats(-5, 50), min_size=1, max_size=8))
def test_no_other_choice_of_detectors_shows_more(net):
    net = np.array(net)
    background = np.full(len(net), 20.0)
    chosen = best_detectors(net, background)

    def height(which):
        return net[which].sum() / np.sqrt(background[which].sum())

    assert len(chosen) > 0
    if (net > 0).any():
        assert height(chosen) >= height(np.arange(len(net))) - 1e-9


@pytest.mark.parametrize("drift", [0.985, 1.0, 1.02])
def test_potassium_tells_the_gain(drift):
    device = Device(1, detectors=1)
    sample = device.slice(seconds=600, drift=drift)
    edges = np.asarray(sample.edges_kev[0], np.float64)
    seen = measured_gain(sample.counts[0].astype(float), edges, NAI, POLICY)
    assert seen is not None
    assert seen.factor * drift == pytest.approx(1.0, abs=0.004)
    follower = GainFollower(POLICY)
    for _ in range(20):
        follower.follow(sample.counts[0].astype(float), edges, NAI)
    assert follower.factor * drift == pytest.approx(1.0, abs=0.004)


def test_a_gain_is_followed_only_so_far_at_once():
    device = Device(2, detectors=1)
    sample = device.slice(seconds=600, drift=1.02)
    trimmed = device.slice(seconds=600)
    edges = np.asarray(sample.edges_kev[0], float)
    follower = GainFollower(POLICY)
    follower.follow(trimmed.counts[0].astype(float), edges, NAI)
    before = follower.factor
    follower.follow(sample.counts[0].astype(float), edges, NAI)
    assert abs(follower.factor / before - 1.0) <= POLICY.gain_step + 1e-9


def test_the_first_look_may_find_it_anywhere():
    device = Device(2, detectors=1)
    sample = device.slice(seconds=600, drift=1.02)
    follower = GainFollower(POLICY)
    follower.follow(sample.counts[0].astype(float), np.asarray(sample.edges_kev[0], float), NAI)
    assert abs(follower.factor * 1.02 - 1.0) < 0.004


def test_where_no_line_shows_nothing_is_followed():
    counts = np.full(1024, 30.0)
    edges = np.linspace(0, 3000, 1025)
    assert find_peak(counts, edges, 1460.8, 70.0, search=0.03)[1] < POLICY.gain_sigma
    assert not GainFollower(POLICY).follow(counts, edges, NAI)


def test_slices_stay_bounded_and_lose_no_count():
    device = Device(3, detectors=1)
    policy = SpectraPolicy(kept_slices=16)
    slices, total = Slices(policy), 0
    for _ in range(200):
        sample = device.slice()
        total += int(sample.counts.sum())
        slices.add(slice_of(sample, over_range=False))
    assert len(slices) <= 16
    assert sum(int(one.counts.sum()) for one in slices) == total
    counts, live_s = added(slices)
    assert counts.sum() == total
    assert np.array_equal(counts, np.sum([one.counts for one in slices], axis=0))
    assert live_s == pytest.approx([200 * device.slice_s])
    ends = [(one.start_utc_ns, one.end_utc_ns) for one in slices]
    assert all(a[1] == b[0] for a, b in pairwise(ends))


@pytest.mark.parametrize("slice_s", [0.05, 0.2, 0.7])
def test_what_is_quiet_comes_of_age_however_few_slices_are_kept(slice_s):
    device = Device(3, slice_s=slice_s, detectors=1)
    first = device.slice()
    policy = SpectraPolicy(kept_bytes=4 * 8 * first.counts.nbytes)
    learned, quiet = [], Quiet(policy)
    instrument = SimpleNamespace(learn=learned.append)
    samples = [first, *(device.slice() for _ in range(round(60 / slice_s)))]
    for sample in samples:
        quiet.add(slice_of(sample, over_range=False), instrument)
        assert len(quiet.recent) <= 8
        assert len(list(quiet)) <= 16
    now_utc_ns = device.now_utc_ns
    assert now_utc_ns - learned[-1].end_utc_ns <= 14e9, "the delay and one merged slice"
    since = now_utc_ns - SECOND_NS
    taken = quiet.take_since(since)
    assert taken[0].start_utc_ns <= since < taken[0].end_utc_ns, "none is lost across it"
    counts = sum(int(one.counts.sum()) for one in [*learned, *quiet.recent, *taken])
    assert counts == sum(int(one.counts.sum()) for one in samples)


def test_a_dead_detector_is_over_range_and_one_switched_off_is_not():
    device = Device(4)
    assert not is_over_range(device.slice(), POLICY)
    assert is_over_range(device.slice(dead=0.3), POLICY)
    strong = device.slice([(on_channels("Cs-137"), 400_000.0)])
    assert is_over_range(strong, POLICY)
    off = device.slice(dead=1.0)
    assert not off.counts.any()
    assert not is_over_range(off, POLICY)


def test_vacant_slices_become_reports_of_five_seconds():
    device, gross = Device(5), GrossCounts("rpm-1")
    reports = [one for _ in range(60) for one in gross.vacant(device.slice(occupied=False))]
    assert all(isinstance(one, BackgroundSample) for one in reports)
    gamma = [one for one in reports if one.radiation is Radiation.GAMMA]
    assert [one.duration_ms for one in gamma] == [5000, 5000]
    assert sum(gamma[0].rate_cps) == pytest.approx(4 * 600, rel=0.1)


def test_the_score_test_s_templates_are_unlike_each_other():
    chosen = spread_templates(NAI, POLICY.templates)
    assert len(chosen) == POLICY.templates
    assert len({(one.nuclide, one.variant) for one in chosen}) == len(chosen)
    assert all(one.category != "norm" for one in chosen)
    assert (len(library_of(NAI).edges_kev) - 1) % 4 == 0


def test_detectors_of_other_gains_count_into_the_same_bins():
    gains = (1.0, 1.01, 0.985)
    stream = Stream(
        lanes=1,
        edges_kev=edges_of(gains),
        detector=NAI,
        policy=POLICY,
        windows_s=POLICY.windows_s,
        slice_s=0.2,
    )
    even = Stream(
        lanes=1,
        edges_kev=edges_of((1.0, 1.0, 1.0)),
        detector=NAI,
        policy=POLICY,
        windows_s=POLICY.windows_s,
        slice_s=0.2,
    )
    device = Device(6, detectors=3)
    # One spectrum in energy, seen by tubes of three gains.
    shape = np.outer(np.ones(3), on_channels("Cs-137")) * 1e6
    place = np.arange(shape.shape[1]) + 0.5
    moved = np.array(
        [np.interp(place * g, place, row) * g for row, g in zip(shape, gains, strict=True)]
    )
    live_s, vacant = np.ones((1, 3)), np.zeros(1, bool)
    stream.tick(moved.astype(np.uint32)[None], live_s, 0.2, vacant)
    even.tick(shape.astype(np.uint32)[None], live_s, 0.2, vacant)
    assert device.detectors == 3
    peak = even.found.binned[0].max()
    assert np.abs(stream.found.binned[0] - even.found.binned[0]).max() < 0.06 * peak
    assert stream.found.binned[0].sum() == pytest.approx(even.found.binned[0].sum(), rel=0.01)


@pytest.mark.parametrize(
    ("sigma", "depth", "told"), [(9.0, 0.08, False), (9.0, 0.25, True), (4.0, 0.5, True)]
)
def test_a_dip_must_be_deeper_than_what_every_vehicle_casts(sigma, depth, told):
    facts = {"dip_sigma": sigma, "depth": depth, "position_m": 9.0, "width_m": 1.0}
    dip = Detection(
        sensor_id="rpm-1",
        family=Family.RADIATION,
        origin=Origin.SIMULATOR,
        kind="gamma.dip",
        start_utc_ns=0,
        end_utc_ns=1,
        facts=facts,
    )
    other = replace(dip, kind="neutron.counts")
    found = without_usual_dips([dip, other], 3.5, SpectraPolicy())
    assert [one.kind for one in found] == ["gamma.dip"] * told + ["neutron.counts"]
    if told:
        assert 3.5 <= found[0].facts["dip_sigma"] < sigma


def test_a_spectrum_that_was_looked_at_is_not_identified_again():
    asked = []

    class Counting:
        def identify(self, *seen, shape_mode):
            asked.append((*seen, shape_mode))
            return len(asked)

    verdicts, ones, one = Verdicts(), np.ones(5), Counting()

    def verdict(counts=ones, *, live_s=1.0, known=ones, known_s=9.0, mode=None, by=one):
        return verdicts.of(by, (counts.copy(), live_s), (known, known_s), mode)

    assert [verdict(), verdict(2.0 * ones), verdict()] == [1, 2, 1]
    others = ({"live_s": 2.0}, {"known": None}, {"known_s": 8.0}, {"mode": ones})
    assert [verdict(**other) for other in others] == [3, 4, 5, 6]
    assert verdict() == 7  # of the last few
    assert verdict(by=Counting()) == 8
    assert len(asked) == 8
