import numpy as np
import pytest

from fusion.spectra.binning import bin_edges
from fusion.spectra.identify import Identifier
from fusion.spectra.templates import template_library
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec

PASS_S, KNOWN_S = 2.0, 300.0


@pytest.fixture(scope="module")
def library():
    detector = DetectorSpec()
    return template_library(detector, bin_edges(detector))


@pytest.fixture(scope="module")
def identifier(library):
    return Identifier(library, IdentifyPolicy())


@pytest.fixture(scope="module")
def background_cps(library):
    middle = 0.5 * (library.edges_kev[1:] + library.edges_kev[:-1])
    sky = np.exp(-middle / 200.0) * np.diff(library.edges_kev) / 200.0
    shape = library.nuisance_shapes.sum(axis=0) + 2.0 * sky
    return shape / shape.sum() * 1750.0


def shape_of(library, nuclide, variant="bare"):
    return next(
        one.shape for one in library.templates if one.nuclide == nuclide and one.variant == variant
    )


def ask(identifier, background_cps, net, seed, level=0.9):
    random = np.random.default_rng(seed)
    known = random.poisson(background_cps * KNOWN_S).astype(float)
    counts = random.poisson(level * background_cps * PASS_S + net).astype(float)
    return identifier.identify(counts, PASS_S, known, KNOWN_S)


@pytest.mark.parametrize("nuclide", ["Cs-137", "Co-60", "Ba-133", "I-131", "Tc-99m", "K-40"])
def test_a_source_is_named_behind_a_shield_that_no_one_told_of(
    identifier, library, background_cps, nuclide
):
    net = 1000.0 * shape_of(library, nuclide, "steel-1cm")
    verdict = ask(identifier, background_cps, net, seed=7)
    assert verdict.nuclides[0][0] == nuclide
    assert verdict.net_counts == pytest.approx(1000.0, rel=0.4)
    assert verdict.suppression == pytest.approx(0.1, abs=0.1)


def test_background_is_background_whatever_its_level(identifier, background_cps):
    verdicts = [
        ask(identifier, background_cps, 0.0, seed, level)
        for seed in range(15)
        for level in (1.0, 0.75)
    ]
    assert {one.category for one in verdicts} == {"background"}
    assert all(one.nuclides == () for one in verdicts)


def test_two_sources_are_both_named(identifier, library, background_cps):
    net = 2500.0 * shape_of(library, "Cs-137") + 2500.0 * shape_of(library, "Co-60")
    verdict = ask(identifier, background_cps, net, seed=3)
    assert {name for name, _ in verdict.nuclides} == {"Cs-137", "Co-60"}
    assert verdict.category == "industrial"


def test_the_same_counts_give_the_same_verdict(identifier, library, background_cps):
    net = 300.0 * shape_of(library, "Ir-192")
    first, second = (ask(identifier, background_cps, net, seed=11) for _ in range(2))
    assert first == second


def test_shares_of_a_verdict_are_probabilities(identifier, library, background_cps):
    for seed in range(5):
        verdict = ask(identifier, background_cps, 200.0 * shape_of(library, "U-235"), seed)
        assert all(0.0 <= share <= 1.0 for _, share in verdict.candidates)
        assert 0.0 <= verdict.confidence <= 1.0
        assert np.isfinite(list(verdict.nats.values())).all()


def test_without_a_background_ordinary_nature_is_no_alarm(identifier, background_cps):
    random = np.random.default_rng(2)
    counts = random.poisson(background_cps * 60.0).astype(float)
    assert identifier.identify(counts, 60.0, None, 0.0).category == "background"


def test_no_counts_at_all_are_no_source(identifier, background_cps):
    known = background_cps * KNOWN_S
    for counts in (np.zeros(len(known)), known * 0.5 * PASS_S / KNOWN_S):
        assert identifier.identify(counts, PASS_S, known, KNOWN_S).category == "background"
