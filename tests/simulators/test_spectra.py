"""The log's response against the facts, and against what is known of spectra."""

import math

import numpy as np
import pytest

from simulators import spectra
from simulators import spectra_photons as photons
from simulators.scenario import Source
from simulators.spectra_data import LINES, attenuation, compton, lines_of

# facts/radiation 5.4: interactions per second and MBq of one 2x4x16 log at 2.5 m, by the lines
# of 5.3 that it counts (the simulator has weaker ones beside).
RATES = {
    "Am-241": (190.0, 50.0),
    "Co-57": (505.0, 100.0),
    "Tc-99m": (470.0, 100.0),
    "Tl-201": (560.0, 60.0),
    "Ga-67": (425.0, 92.0),
    "In-111": (960.0, 100.0),
    "I-123": (440.0, 100.0),
    "Se-75": (880.0, 110.0),
    "Ir-192": (970.0, 250.0),
    "I-131": (455.0, 100.0),
    "F-18": (825.0, 100.0),
    "Cs-137": (340.0, 100.0),
    "Co-60": (650.0, 100.0),
    "K-40": (33.0, 100.0),
}


def point(nuclide, **keys):
    return Source(nuclide=nuclide, activity_mbq=1.0, from_m=0.0, to_m=0.0, **keys)


def counted(shape, low_kev, high_kev):
    """Share of a shape's counts between two energies."""
    at = np.linspace(0.0, 1.0, len(shape.quantiles_kev))
    low, high = np.interp([low_kev, high_kev], shape.quantiles_kev, at)
    return high - low


@pytest.mark.parametrize("nuclide", RATES)
def test_a_log_counts_what_the_facts_say(nuclide):
    expected, from_kev = RATES[nuclide]
    energies, share = lines_of(nuclide)
    seen = energies > from_kev
    random = np.random.default_rng(1)
    beam = photons.source_beam(energies[seen], share[seen], 40_000, random)
    _, weight = photons.deposits(beam.energy_kev, random)
    sent = 1e6 * share[seen].sum() * spectra.FACE_M2 / (4 * math.pi * 2.5**2)
    assert sent * weight.mean() == pytest.approx(expected, rel=0.07)


def test_klein_nishina_is_the_thomson_cross_section_at_no_energy_and_that_of_the_book_at_one_mev():
    barn = compton("tissue", np.array([0.1, 1000.0])) / (0.5551 * 0.60221)
    assert barn == pytest.approx([0.6652, 0.2112], rel=0.01)


def test_attenuation_is_that_of_xcom():
    assert attenuation("lead", np.array([661.7]))[0] == pytest.approx(0.110, rel=0.02)
    assert attenuation("NaI", np.array([661.7]))[0] == pytest.approx(0.0766, rel=0.03)


def test_what_a_shield_lets_through_unscattered_is_exponential_and_scatter_comes_on_top():
    random = np.random.default_rng(2)
    for material, g_cm2 in (("lead", 11.35), ("lead", 60.0), ("steel", 15.7), ("tissue", 12.0)):
        beam = photons.source_beam(np.array([661.7]), np.array([1.0]), 40_000, random)
        behind = photons.through(beam, material, g_cm2, random)
        expected = math.exp(-g_cm2 * attenuation(material, np.array([661.7]))[0])
        assert behind.weight * behind.untouched.mean() == pytest.approx(expected, rel=0.08)
        assert behind.weight > 1.2 * expected


def test_lead_glows_with_its_own_x_rays():
    random = np.random.default_rng(3)
    beam = photons.source_beam(np.array([140.5]), np.array([1.0]), 40_000, random)
    behind = photons.through(beam, "lead", 3.0, random)
    assert np.isin(behind.energy_kev, photons.LEAD_XRAYS_KEV).mean() > 0.02


def test_caesium_has_its_peak_its_edge_and_what_scatters_back():
    shape = spectra.source_shape(point("Cs-137"))
    peak = counted(shape, 610.0, 720.0)
    assert 0.3 < peak < 0.6
    assert counted(shape, 500.0, 600.0) < 0.25 * peak  # the valley above the Compton edge at 477
    assert counted(shape, 180.0, 260.0) > 1.2 * counted(shape, 280.0, 360.0)  # back-scatter


def test_the_peak_is_as_wide_as_the_resolution():
    shape = spectra.source_shape(point("Cs-137"))
    kev = shape.draw_kev(400_000, np.random.default_rng(4))
    counts, edges = np.histogram(kev, np.arange(560.0, 800.0, 4.0))
    top = edges[:-1][counts > counts.max() / 2]
    assert np.ptp(top) + 4.0 == pytest.approx(0.07 * 661.7, rel=0.12)


def test_the_background_is_that_of_the_facts():
    parts = spectra.background()
    assert sum(part.share for part in parts) == pytest.approx(1.0)
    low = sum(part.share * counted(part.shape, 0.0, 200.0) for part in parts)
    high = sum(part.share * counted(part.shape, 1000.0, 4000.0) for part in parts)
    assert low == pytest.approx(0.44, abs=0.03)  # facts 5.2
    assert high == pytest.approx(0.094, abs=0.012)


def test_a_load_that_is_radioactive_throughout_absorbs_most_of_itself():
    load = Source(nuclide="K-40", activity_mbq=1.0, from_m=0.0, to_m=10.0)
    bulk, bare = spectra.source_shape(load), spectra.source_shape(point("K-40"))
    assert 0.05 < bulk.cps / bare.cps < 0.3
    assert counted(bulk, 1380.0, 1540.0) < 0.6 * counted(bare, 1380.0, 1540.0)


def test_a_body_scatters_the_line_down():
    bare, body = (
        spectra.source_shape(point("Tc-99m", in_body=in_body)) for in_body in (False, True)
    )
    assert body.cps < 0.7 * bare.cps
    assert counted(body, 80.0, 125.0) > 1.3 * counted(bare, 80.0, 125.0)


def test_the_same_source_has_the_same_shape_and_draws_are_within_it():
    first, second = (spectra._shape.__wrapped__("Co-57", "point", 0.0, 0.0, 0.0) for _ in range(2))
    assert (first.quantiles_kev == second.quantiles_kev).all()
    kev = first.draw_kev(1000, np.random.default_rng(5))
    assert kev.min() >= spectra.LOWEST_KEV - 1.0
    assert spectra.source_shape(point("Tc-99m")).quantiles_kev[-1] < 200.0


@pytest.mark.parametrize("nuclide", sorted(LINES))
def test_every_nuclide_has_photons(nuclide):
    energies, share = lines_of(nuclide)
    assert (energies > 5.0).all()
    assert (share > 0.0).all()
