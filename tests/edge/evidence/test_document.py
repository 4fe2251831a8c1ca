from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drivers.wire import n42
from edge.evidence.coarser import coarser, rough_bytes, sparser
from edge.evidence.document import MAX_BYTES, document
from edge.evidence.story import story_of
from tests.edge.evidence.alerts import GAMMA, alert
from tests.fusion.pass_records import pass_record, spectra_record

SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "n42" / "n42.xsd"
SPECTRAL = GAMMA | {"category": "industrial", "nuclides": (("Cs-137", 0.97),), "over_range": False}


def gross():
    record = pass_record()
    return record, story_of(alert(record), record)


def spectral(**shape):
    record = pass_record(spectra=spectra_record(**shape))
    return record, story_of(alert(record, gamma=SPECTRAL, kind="gamma.spectrum"), record)


def bare():
    """As little as a record can hold."""
    record = replace(
        pass_record(closed=False),
        counter=None,
        speed_m_s=None,
        gamma_background_cps=None,
        clean_counts=None,
        fitted_counts=None,
        alarm_counts=None,
        neutron_starts_utc_ns=np.empty(0, np.int64),
        neutron_s=np.empty(0),
        neutron_counts=np.empty(0, np.int64),
        neutron_background_cps=None,
    )
    return record, story_of(alert(record, gamma={}), record)


@pytest.fixture(scope="module")
def schema():
    etree = pytest.importorskip("lxml.etree")
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA.name} is not there")
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


@pytest.mark.parametrize("make", [gross, spectral, bare])
def test_every_pass_is_valid_n42(make, schema):
    from lxml import etree  # noqa: PLC0415 - only where it is installed

    schema.assertValid(etree.fromstring(document(*make())))


def test_a_foreign_reader_finds_counts_occupancy_and_neutrons(tmp_path):
    utilities = pytest.importorskip("SpecUtils")
    record, story = gross()
    path = tmp_path / "pass.n42"
    path.write_bytes(document(record, story))
    file = utilities.SpecFile()
    file.loadFile(str(path), utilities.ParserType.Auto)
    background = round(float(record.gamma_background_cps.sum()) * record.gamma_background_s)
    assert file.gammaCountSum() == record.gamma_counts.sum() + background
    assert file.neutronCountsSum() == record.neutron_counts.sum() + round(2.1 * 120)
    occupied = [str(each.occupied()).rsplit(".", 1)[-1] for each in file.measurements()]
    assert "Occupied" in occupied
    assert "NotOccupied" in occupied


def test_a_foreign_reader_finds_the_spectra(tmp_path):
    utilities = pytest.importorskip("SpecUtils")
    record, story = spectral(detectors=2, channels=256, slices=10)
    path = tmp_path / "pass.n42"
    path.write_bytes(document(record, story))
    file = utilities.SpecFile()
    file.loadFile(str(path), utilities.ParserType.Auto)
    spectra = record.spectra
    assert file.gammaCountSum() == spectra.counts.sum() + spectra.background_counts.sum()
    assert file.detectorNames() == ["NaI1", "NaI2", "neutrons"]


def test_alarm_and_verdict_are_told():
    text = document(*spectral(detectors=1, channels=64, slices=4)).decode()
    for told in ("<RadAlarmCategoryCode>Isotope<", "<NuclideName>Cs-137<", "Radioactive source"):
        assert told in text
    assert "<RadAlarmCategoryCode>Gamma<" in document(*gross()).decode()


def test_an_exercise_says_so():
    record = pass_record()
    text = document(record, story_of(alert(record, exercise=True), record)).decode()
    assert "EXERCISE" in text
    assert "SIMULACRO" in text


def test_a_huge_pass_is_summed_until_it_fits_and_says_so():
    record, story = spectral(detectors=8, channels=4096, slices=64)
    data = document(record, story)
    assert len(data) <= MAX_BYTES
    assert b"Summed to keep this document small: 64 slices as" in data
    read = n42.read(data)
    counted = sum(int(s.counts.sum()) for m in read.measurements for s in m.spectra)
    assert counted == record.spectra.counts.sum() + record.spectra.background_counts.sum()


def test_a_parked_vehicle_is_summed_too():
    record = pass_record(scans=4000)
    data = document(record, story_of(alert(record), record))
    assert len(data) <= MAX_BYTES
    assert b"4000 scans as" in data


def test_a_bent_calibration_keeps_its_edges_and_a_straight_one_is_short():
    record, story = spectral(detectors=1, channels=64, slices=2)
    assert b"CoefficientValues" in document(record, story)
    bent = replace(record.spectra, edges_kev=np.geomspace(20, 3000, 65, dtype=np.float32)[None, :])
    assert b"EnergyBoundaryValues" in document(replace(record, spectra=bent), story)


@pytest.mark.parametrize("slices", [1, 7, 64, 133])
def test_fewer_numbers_in_one_go_are_those_of_many_steps(slices):
    record = pass_record(spectra=spectra_record(slices=slices, channels=64))
    for most in (100, 1_000, 10_000):
        step = record
        while step.spectra.counts.size > most:
            step = coarser(step)
        once = sparser(record, most)
        for name in ("edges_kev", "starts_utc_ns", "real_s", "live_s"):
            assert getattr(once.spectra, name).tobytes() == getattr(step.spectra, name).tobytes()
        assert np.array_equal(once.spectra.counts, step.spectra.counts)
        assert once.spectra.window == step.spectra.window
    assert sparser(pass_record(), 1).spectra is None


def test_sums_that_need_more_than_32_bits_have_them():
    record = pass_record(spectra=spectra_record(slices=4, channels=8))
    full = np.full(record.spectra.counts.shape, 2**32 - 1, np.uint32)
    record = replace(record, spectra=replace(record.spectra, counts=full))
    assert set(sparser(record, 32).spectra.counts.ravel().tolist()) == {4 * (2**32 - 1)}


@pytest.mark.parametrize(("slices", "channels", "mean"), [(9, 4096, 0.05), (3, 16_384, 2.0)])
def test_the_length_of_a_document_is_known_beforehand(slices, channels, mean):
    spectra = spectra_record(slices=slices, channels=channels)
    counts = np.random.default_rng(1).poisson(mean, spectra.counts.shape).astype(np.uint32)
    record, story = spectral()
    record = replace(record, spectra=replace(spectra, counts=counts))
    assert rough_bytes(record) == pytest.approx(len(document(record, story)), rel=0.25)


def test_a_wide_pass_keeps_its_channels():
    """Lines of germanium are a few channels wide; a wider slice of time costs them nothing."""
    record, story = spectral(slices=133, channels=16_384)
    data = document(record, story)
    assert b"channels as" not in data
    assert b"133 slices as" in data
    assert len(data) <= MAX_BYTES
