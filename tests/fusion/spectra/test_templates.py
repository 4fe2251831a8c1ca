"""Physical invariants of the templates, and how near they come to spectra that we did not make."""

from pathlib import Path

import numpy as np
import pytest

from fusion.spectra.binning import bin_edges, binned
from fusion.spectra.matter import MATERIALS, attenuation_per_cm
from fusion.spectra.nuclides import NUCLIDES, SOURCES
from fusion.spectra.response import crystal_response, response_rows, sigma_kev
from fusion.spectra.templates import _library, template_library
from fusion.spectra.transport import (
    GROUP_EDGES_KEV,
    SHIELDS,
    bremsstrahlung,
    group_middles_kev,
    scattered,
    unscattered,
)
from fusion.types import DetectorSpec

NAI = DetectorSpec()
EDGES = bin_edges(NAI)
DATA = Path(__file__).parents[3].parent / "shared" / "data" / "nai-2x4x16"


def test_every_listed_nuclide_has_templates_of_its_category():
    library = template_library(NAI, EDGES)
    of = {one.nuclide: one.category for one in library.templates}
    listed = {
        "snm": "U-233 U-235 Np-237 Pu-239",
        "industrial": "Co-57 Co-60 Se-75 Ba-133 Cs-137 Ir-192 Am-241",
        "medical": "F-18 Ga-67 Tc-99m In-111 I-123 I-131 Tl-201",
        "norm": "K-40 Ra-226 Th-232",
    }
    for category, names in listed.items():
        assert {of[name] for name in names.split()} == {category}


def test_names_and_variants_are_unique_and_shapes_sum_to_one():
    library = template_library(NAI, EDGES)
    names = [(one.nuclide, one.variant) for one in library.templates]
    assert len(set(names)) == len(names)
    for one in library.templates:
        assert one.shape.min() > 0.0
        assert one.shape.sum() == pytest.approx(1.0, abs=1e-12)
    assert library.nuisance_names == ("K-40", "Ra-226", "Th-232")
    assert library.nuisance_shapes.sum(axis=1) == pytest.approx(1.0)


def test_the_same_detector_gives_the_same_library_bit_by_bit():
    once = template_library(NAI, EDGES)
    assert template_library(NAI, EDGES.copy()) is once
    again = _library.__wrapped__(NAI, tuple(float(edge) for edge in EDGES))
    for one, two in zip(once.templates, again.templates, strict=True):
        assert one.shape.tobytes() == two.shape.tobytes()


@pytest.mark.parametrize("material", ["NaI", "CsI", "LaBr3", "HPGe", "CZT", "PVT"])
def test_no_counts_lie_over_a_line_and_no_more_than_photons_came(material):
    detector = DetectorSpec(material=material)
    edges = np.linspace(5.0, 3200.0, 1600)
    lines = np.array([59.5, 356.0, 661.7, 1460.8, 2614.5])
    rows = response_rows(detector, lines, lines, edges)
    for line, row in zip(lines, rows, strict=True):
        top = line + 5.1 * sigma_kev(detector, np.array([line]))[0]
        assert row[edges[:-1] > top].sum() == pytest.approx(0.0, abs=1e-9)
        assert 0.0 < row.sum() <= 1.0


def test_the_full_peak_falls_with_energy_above_the_edge():
    crystal = crystal_response("NaI", 5.08, 10.16, 40.64)
    full = crystal.peaks[crystal.energies_kev > 150.0, 0]
    assert (np.diff(full) < 0.01).all()
    assert full[0] > 0.9
    assert np.interp(2614.5, crystal.energies_kev, crystal.peaks[:, 0]) < 0.2


@pytest.mark.parametrize("name", sorted(MATERIALS))
def test_attenuation_falls_with_energy_but_at_edges_and_pairs(name):
    energies = np.array([150.0, 200.0, 400.0, 800.0, 1500.0])
    assert (np.diff(attenuation_per_cm(name, energies)) < 0.0).all()


@pytest.mark.parametrize(
    ("name", "energy_kev", "cm2_g"),
    # NIST XCOM, without coherent scattering.
    [
        ("lead", 1000.0, 0.0684),
        ("NaI", 661.7, 0.0745),
        ("water", 661.7, 0.0857),
        ("steel", 1000.0, 0.0599),
        ("NaI", 2000.0, 0.0412),
        ("water", 100.0, 0.167),
    ],
)
def test_coefficients_are_those_of_xcom(name, energy_kev, cm2_g):
    found = attenuation_per_cm(name, np.array([energy_kev]))[0] / MATERIALS[name].density_g_cm3
    assert found == pytest.approx(cm2_g, rel=0.03)


def test_shields_take_more_the_thicker_they_are_and_make_no_energy():
    lines = np.array([100.0, 300.0, 661.7, 1332.5, 2614.5])
    for material in ("steel", "lead", "water"):
        family = [one for one in SHIELDS if one.material == material]
        through = np.array([unscattered(one, lines) for one in family])
        assert (np.diff(through, axis=0) < 0.0).all()
        for one, share in zip(family, through, strict=True):
            out = scattered(one, lines) @ group_middles_kev() + share * lines
            assert (out < 1.02 * lines).all()


def test_bremsstrahlung_ends_at_the_beta_and_carries_a_few_per_cent():
    photons = bremsstrahlung(((2280.0, 100.0),))
    assert photons[GROUP_EDGES_KEV[1:] > 2400.0].sum() == 0.0
    assert 0.001 < (photons @ group_middles_kev()) / (100 * 930.0) < 0.03


def test_lines_are_in_order_and_betas_belong_to_someone():
    for one in SOURCES:
        energies = [energy for energy, _ in one.lines]
        assert energies == sorted(set(energies))
        assert one.lines or one.betas
    assert dict(NUCLIDES["Cs-137"].lines)[661.7] == pytest.approx(85.1, rel=0.01)


# On simulated spectra of the 2x4x16 inch log; what is asked is below what was found (0.990 and
# better), and for plutonium and thorium, whose make-up is not told, well below.
NEAR = {
    "Co57": 0.99, "Co60": 0.99, "Se75": 0.99, "Ba133": 0.98, "Cs137": 0.99, "Ir192": 0.99,
    "Am241": 0.99, "F18": 0.99, "Ga67": 0.99, "Tc99m": 0.99, "In111": 0.99, "I123": 0.97,
    "I131": 0.99, "Tl201": 0.99, "K40": 0.98, "Ra226": 0.99, "Th232": 0.96, "U235": 0.98,
    "Np237": 0.97, "Pu239": 0.98,
}  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="the test data is not beside the repository")
@pytest.mark.parametrize("truth", sorted(NEAR))
def test_templates_come_near_spectra_that_others_simulated(truth):
    spectra = pytest.importorskip("SpecUtils", reason="sandiaspecutils is not installed")
    detector = DetectorSpec(resolution_percent=7.5, resolution_power=0.62)
    edges = bin_edges(detector)

    def read(name):
        record = spectra.SpecFile()
        record.loadFile(str(DATA / f"{name}.txt"), spectra.ParserType.Uri)
        one = record.measurements()[0]
        channels = np.array(one.channelEnergies(), dtype=np.float64)
        channels = np.append(channels, 2 * channels[-1] - channels[-2])
        counts = np.array(one.gammaCounts(), dtype=np.float64)
        return binned(counts, channels[: len(counts) + 1], edges) / one.liveTime()

    net = read(f"{truth}_Unshielded") - read("background")
    nuclide = next(name for name in NUCLIDES if name.replace("-", "") == truth)
    cosines = [
        net @ one.shape / np.linalg.norm(net) / np.linalg.norm(one.shape)
        for one in template_library(detector, edges).templates
        if one.nuclide == nuclide
    ]
    assert max(cosines) >= NEAR[truth]
