"""Sources that no list has are told as unknown, never as a patient, a load or background."""

import numpy as np
import pytest

from fusion.kernels.identify import Spectrum
from fusion.spectra.beyond import peaks_beyond
from fusion.spectra.binning import bin_edges
from fusion.spectra.identify import Identifier
from fusion.spectra.response import response_rows
from fusion.spectra.templates import template_library
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec

NAI = DetectorSpec()
HPGE = DetectorSpec(
    material="HPGe",
    depth_cm=8.5,
    width_cm=8.5,
    height_cm=8.5,
    resolution_percent=0.24,
    resolution_power=0.5,
)
ANTIMONY = (  # Sb-125, keV and photons per 100 decays
    *((35.5, 6.0), (176.3, 6.8), (427.9, 29.6), (463.4, 10.5)),
    *((600.6, 17.7), (606.7, 5.0), (635.9, 11.2), (671.4, 1.8)),
)
CPS = 600.0
RUTHENIUM = ((497.1, 91.0), (610.3, 5.8))  # Ru-103


@pytest.fixture(scope="module", params=[NAI, HPGE], ids=["NaI", "HPGe"])
def identifier(request):
    detector = request.param
    return Identifier(template_library(detector, bin_edges(detector)), IdentifyPolicy())


def shape_of(identifier, source):
    library = identifier.library
    if isinstance(source, str):
        return next(one.shape for one in library.templates if one.nuclide == source)
    energies, photons = np.array(source).T
    shape = (
        response_rows(library.detector, energies, energies, library.edges_kev) * photons[:, None]
    ).sum(axis=0)
    return shape / shape.sum()


def ask(identifier, source, net, live_s=3.0, seed=3):
    library = identifier.library
    middle = 0.5 * (library.edges_kev[1:] + library.edges_kev[:-1])
    sky = np.exp(-middle / 150.0) * np.diff(library.edges_kev) / 150.0
    ground = library.nuisance_shapes.mean(axis=0) * 0.4 + 0.6 * sky / sky.sum()
    random = np.random.default_rng(seed)
    known = random.poisson(ground * CPS * 300.0).astype(float)
    mean = ground * CPS * live_s
    if source is not None:
        mean = mean + net * shape_of(identifier, source)
    return identifier.identify(random.poisson(mean).astype(float), live_s, known, 300.0)


@pytest.mark.parametrize("source", [ANTIMONY, RUTHENIUM], ids=["Sb-125", "Ru-103"])
@pytest.mark.parametrize("net", [1000.0, 4000.0])
def test_a_source_that_no_list_has_is_no_patient(identifier, source, net):
    verdict = ask(identifier, source, net)
    assert verdict.likeliest in ("unknown", "industrial")
    assert verdict.sigma > 8.0
    assert verdict.nats["unknown"] > max(verdict.nats["medical"], verdict.nats["norm"]) + 1.0


@pytest.mark.parametrize(
    ("source", "category"),
    [
        *((name, "medical") for name in ("Tc-99m", "I-131", "F-18", "Tl-201", "Ga-67", "In-111")),
        *((name, "norm") for name in ("Ra-226", "Th-232", "K-40")),
    ],
)
@pytest.mark.parametrize("net", [1000.0, 20_000.0])
def test_what_is_lawful_stays_so(identifier, source, category, net):
    verdict = ask(identifier, source, net)
    assert verdict.category == category
    assert verdict.nuclides[0][0] == source
    assert verdict.confidence > 0.9


@pytest.mark.parametrize("line_kev", [250.0, 520.0, 750.0, 1050.0, 1700.0])
@pytest.mark.parametrize("net", [300.0, 2000.0, 20_000.0])
def test_one_line_of_nothing_known_is_neither_lawful_nor_background(identifier, line_kev, net):
    if net < 1000.0 and identifier.library.detector is NAI:
        pytest.skip("there it may be a patient's, at a modest confidence")
    verdict = ask(identifier, ((line_kev, 1.0),), net)
    # With a rare nuclide that has a line there it may be industrial.
    assert verdict.category in ("unknown", "industrial")
    assert verdict.nats[verdict.category] > verdict.nats["medical"] + 1.0
    assert verdict.nats[verdict.category] > verdict.nats["norm"] + 1.0


def test_background_alone_has_no_peaks_beyond(identifier):
    verdicts = [ask(identifier, None, 0.0, live_s, seed=k) for k in range(6) for live_s in (3, 60)]
    assert {one.category for one in verdicts} == {"background"}


def test_a_peak_that_is_explained_is_none_beyond():
    place = np.arange(400)
    under = np.full(400, 20.0)
    peak = 300.0 * np.exp(-0.5 * ((place - 120) / 1.0) ** 2)
    mean = under + peak
    for other, seen in ((0.0, False), (40.0, False), (200.0, True)):
        more = other * np.exp(-0.5 * ((place - 300) / 1.0) ** 2)
        spectrum = Spectrum(mean + 0.3 * peak + more, np.ones(400), mean)
        found = peaks_beyond(spectrum, mean, under, np.zeros(400), measured=True)
        assert bool(found.any()) is seen
        assert not found[100:140].any()
        if seen:
            assert found.sum() == pytest.approx(more.sum(), rel=0.1)
    moved = np.where(np.abs(place - 300) < 20, 500.0, 0.0)
    assert not peaks_beyond(spectrum, mean, under, moved, measured=True).any()
