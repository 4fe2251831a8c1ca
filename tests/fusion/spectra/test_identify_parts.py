"""Detector, bins, nuisances, sharp detectors and verdicts, each by itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.kernels.identify import Spectrum
from fusion.kernels.identify_errors import moved_template
from fusion.kernels.identify_rounds import follow_background
from fusion.spectra.binning import bin_edges, binned
from fusion.spectra.detector import detector_of
from fusion.spectra.fits import Case
from fusion.spectra.identify import Identifier
from fusion.spectra.nuisance import (
    Bins,
    measured_scene,
    source_modes,
    unmeasured_scene,
    wrong_of,
)
from fusion.spectra.sharp import continuum, is_sharp, only_peaks
from fusion.spectra.templates import template_library
from fusion.spectra.unlisted import unlisted_lines
from fusion.spectra.verdict import CATEGORIES, Hypothesis, IdentifyPolicy, judge
from fusion.spectra.widths import fwhm_kev
from fusion.types import DetectorSpec

NAI = DetectorSpec()
HPGE = DetectorSpec(material="HPGe", resolution_percent=0.24, resolution_power=0.5)
LANTHANUM = DetectorSpec(
    material="LaBr3",
    depth_cm=3.8,
    width_cm=3.8,
    height_cm=3.8,
    resolution_percent=3.0,
    resolution_power=0.5,
)
POLICY = IdentifyPolicy()


@pytest.fixture(scope="module")
def library():
    return template_library(NAI, bin_edges(NAI))


@pytest.fixture(scope="module")
def bins(library):
    return Bins(detector=NAI, edges_kev=library.edges_kev)


def shape_of(library, nuclide):
    return next(one.shape for one in library.templates if one.nuclide == nuclide)


def hypothesis(name, category, nats, **more):
    values = {"net_counts": 100.0, "suppression": 0.0, "misfit": 1.0} | more
    return Hypothesis(nuclides=(name,), categories=(category,), nats=nats, **values)


@pytest.mark.parametrize("detector", [NAI, LANTHANUM, HPGE])
def test_bins_are_as_wide_as_peaks_ask(detector):
    edges = bin_edges(detector)
    middle = 0.5 * (edges[1:] + edges[:-1])
    ratio = fwhm_kev(detector, middle) / np.diff(edges)
    assert ratio.max() / ratio.min() < 1.1
    assert 8 <= len(middle) <= 3000


@given(st.floats(0.97, 1.03), st.integers(0, 50))
def test_counts_put_into_other_bins_stay_as_many(gain, seed):
    counts = np.random.default_rng(seed).poisson(5.0, 400).astype(float)
    channels = np.linspace(30.0, 2900.0, 401) * gain
    inside = binned(counts, channels, np.linspace(20.0, 3000.0, 50))
    assert inside.sum() == pytest.approx(counts.sum())


def test_edges_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        binned(np.ones(10), np.arange(10.0), bin_edges(NAI))


@pytest.mark.parametrize(
    ("percent", "material", "channels"),
    [(0.24, "HPGe", 16_384), (3.0, "LaBr3", 4096), (7.0, "NaI", 1024)],
)
def test_a_peak_tells_the_detector(percent, material, channels):
    edges = np.linspace(0.0, 3000.0, channels + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    sigma = percent / 100 * 661.7 / 2.3548
    peak = np.exp(-0.5 * ((middle - 661.7) / sigma) ** 2) / sigma
    mean = 50.0 * np.exp(-middle / 600.0) + 4e5 * peak * (edges[1] - edges[0]) / 2.5
    found = detector_of(np.random.default_rng(3).poisson(mean), edges)
    assert found.material == material
    assert found.resolution_percent == pytest.approx(percent, rel=0.2)


def test_no_peak_leaves_what_is_usual():
    edges = np.linspace(0.0, 3000.0, 1025)
    found = detector_of(np.full(1024, 20.0), edges)
    assert (found.material, found.resolution_percent) == ("NaI", 7.0)


def test_the_continuum_goes_under_peaks():
    level = 400.0 * np.exp(-np.arange(300) / 200.0)
    peak = 3000.0 * np.exp(-0.5 * ((np.arange(300) - 150) / 1.0) ** 2)
    assert continuum(level + peak)[150] == pytest.approx(level[150], rel=0.1)
    stripped = only_peaks((level + peak)[None])[0]
    assert stripped[148:153].sum() > 0.9 * stripped.sum()
    assert is_sharp(HPGE)
    assert not is_sharp(NAI)


def test_a_source_moved_on_its_scale_has_its_peak_there(library, bins):
    shape = shape_of(library, "Cs-137")
    errors = np.zeros(source_modes(shape[None], bins, POLICY)[0].shape[1])
    errors[0], errors[1] = 0.02, 5.0
    there = moved_template(shape, bins.axis, errors)
    assert there.sum() == pytest.approx(shape.sum())
    assert there.min() >= 0.0
    high = bins.middle_kev > 550.0
    before, after = (
        (one * bins.middle_kev)[high].sum() / one[high].sum() for one in (shape, there)
    )
    assert after / before == pytest.approx(1.02 + 5.0 / before, abs=0.004)


def test_a_background_s_errors_go_by_its_amount(library, bins):
    naturals = library.nuisance_names, library.nuisance_shapes
    background = library.nuisance_shapes.sum(axis=0) * 1000.0
    for scene, share in (
        (measured_scene(background, bins, naturals, POLICY), 0.2),
        (unmeasured_scene(background, bins, naturals, POLICY), 0.06),
    ):
        values = np.zeros(len(scene.start))
        values[0] = share
        which = slice(*scene.modes)
        spectrum = Spectrum(background, np.ones(len(background)), background)
        frame = Case(spectrum, scene, wrong_of(bins, POLICY)).without_source().frame
        limits = np.array(scene.parts[1:])
        follow_background(frame, values, limits)
        assert limits[3, which] == pytest.approx(scene.parts.upper[which] * 0.2)
        assert limits[1, which] == pytest.approx(scene.parts.prior_precision[which] * 25.0)


def test_what_comes_with_ground_only_is_no_source_of_its_own(library, bins):
    """511 keV alone is a positron emitter, not a background."""
    naturals = library.nuisance_names, library.nuisance_shapes
    scene = unmeasured_scene(np.ones(len(bins.middle_kev)), bins, naturals, POLICY)
    near = np.abs(bins.middle_kev - 511.0) < 30.0
    first, last = 0, scene.modes[0]
    shares = scene.parts.shapes[first:last][:, near].sum(axis=1)
    shares = shares / scene.parts.shapes[first:last].sum(axis=1)
    assert shares.max() < 0.25


@given(
    st.lists(
        st.tuples(st.sampled_from(CATEGORIES), st.floats(-400.0, 0.0), st.floats(0.3, 5.0)),
        min_size=1,
        max_size=6,
    ),
    st.floats(-400.0, 0.0),
)
def test_a_verdict_is_a_distribution(rows, background):
    told = [
        hypothesis(f"X-{k}", category, nats, misfit=misfit)
        for k, (category, nats, misfit) in enumerate(rows)
    ]
    verdict = judge(told, background, POLICY, measured=True)
    assert sum(share for _, share in verdict.candidates) <= 1.0 + 1e-6
    assert 0.0 <= verdict.confidence <= 1.0
    assert all(math.isfinite(nats) for nats in verdict.nats.values())
    assert (verdict.category == "background") == (verdict.sigma < POLICY.alarm_sigma)


def test_a_mixture_is_called_by_the_gravest_in_it():
    one = Hypothesis(
        nuclides=("Tc-99m", "U-235"),
        categories=("medical", "snm"),
        nats=-10.0,
        net_counts=1.0,
        suppression=0.0,
        misfit=1.0,
    )
    assert one.category == "snm"


def test_a_line_of_no_listed_nuclide_is_unknown_and_has_no_name(library, bins):
    lines = unlisted_lines(bins.detector, bins.edges_kev)
    assert lines.sum(axis=1) == pytest.approx(np.ones(len(lines)))
    top = int(np.argmin(np.abs(bins.middle_kev[lines.argmax(axis=1)] - 2000.0)))
    sky = library.nuisance_shapes.sum(axis=0) / 3.0
    random = np.random.default_rng(4)
    counts = random.poisson(3500.0 * sky + 2500.0 * lines[top]).astype(float)
    known = random.poisson(3500.0 * 150.0 * sky).astype(float)
    verdict = Identifier(library, POLICY).identify(counts, 2.0, known, 300.0)
    assert verdict.category == "unknown"
    assert verdict.nuclides == ()


def test_a_spectrum_without_its_background_is_seen_to_be_that(library):
    identifier = Identifier(library, POLICY)
    sky = library.nuisance_shapes.sum(axis=0) / 3.0
    net = np.random.default_rng(5).poisson(4000.0 * shape_of(library, "Cs-137")).astype(float)
    verdict = identifier.identify(net, 100.0, 5e4 * sky, 100.0)
    assert [name for name, _ in verdict.nuclides] == ["Cs-137"]
    assert verdict.suppression == 0.0


def test_the_promise_of_scores_is_near_what_a_fit_finds(library):
    identifier = Identifier(library, POLICY)
    sky = library.nuisance_shapes.sum(axis=0) / 3.0
    random = np.random.default_rng(6)
    known = random.poisson(3500.0 * 150.0 * sky).astype(float)
    for net in (0.0, 400.0):
        counts = random.poisson(3500.0 * sky + net * shape_of(library, "Cs-137")).astype(float)
        promise = identifier.promise(counts, 2.0, known, 300.0)
        found = identifier.identify(counts, 2.0, known, 300.0)
        line = 0.5 * POLICY.alarm_sigma**2
        assert (promise > line) == (0.5 * found.sigma**2 > line)


def test_a_learned_shape_is_no_source(library):
    sky = library.nuisance_shapes.sum(axis=0) / 3.0
    wave = np.cos(np.linspace(0.0, 3.0 * np.pi, len(sky)))
    mode = 0.3 * sky * (wave - (sky * wave).sum())
    random = np.random.default_rng(8)
    known = random.poisson(2e5 * sky).astype(float)
    counts = random.poisson(2e4 * (sky + mode)).astype(float)
    identifier = Identifier(library, POLICY)
    without = identifier.identify(counts, 30.0, known, 300.0)
    with_it = identifier.identify(counts, 30.0, known, 300.0, shape_mode=mode)
    assert with_it.sigma < POLICY.alarm_sigma < without.sigma
