import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.wire import n42
from tests.drivers.n42_documents import START_UTC_NS, a_pass, portal_of_panels

SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "n42" / "n42.xsd"


@pytest.fixture(scope="module")
def schema():
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    if not SCHEMA.exists():
        pytest.skip("no n42.xsd in ../shared/data/n42")
    return etree.XMLSchema(etree.parse(SCHEMA))


def assert_valid(schema, data):
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    schema.assertValid(etree.fromstring(data))


def test_what_is_written_is_valid(schema):
    assert_valid(schema, n42.write(a_pass()))
    assert_valid(schema, n42.write(portal_of_panels()))


def test_a_document_without_anything_is_valid(schema):
    empty = n42.Document(instrument=n42.Instrument(), detectors=(), measurements=())
    assert_valid(schema, n42.write(empty))


@pytest.mark.parametrize("channels", [1, 2, 1024])
def test_every_form_of_calibration_is_valid(schema, channels):
    counts = np.arange(channels, dtype=np.uint32)
    edges = np.linspace(-20, 3000, channels + 1, dtype=np.float32) ** 3 / 9e6
    forms = [
        n42.UNKNOWN_CALIBRATION,
        n42.Calibration(coefficients=(1.0,)),
        n42.Calibration(coefficients=(1.0, 3.0, 1e-5, 1e-9)),
        n42.Calibration(edges_kev=edges),
    ]
    spectra = tuple(
        n42.Spectrum(detector=f"D{number}", live_s=1.0, counts=counts, calibration=form)
        for number, form in enumerate(forms)
    )
    one = n42.Measurement(class_code="what?", start_utc_ns=None, real_s=0.0, spectra=spectra)
    document = n42.Document(instrument=n42.Instrument(), detectors=(), measurements=(one,))
    assert_valid(schema, n42.write(document))


words = st.text(max_size=20)
shares = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60)
@given(
    said=st.tuples(words, words, words),
    number=shares,
    counts=st.lists(st.integers(0, 2**32 - 1)),
)
@example(said=("", "", ""), number=math.inf, counts=[])
def test_whatever_is_said_is_valid(schema, said, number, counts):
    name, text, code = said
    one = n42.Measurement(
        class_code=code,
        start_utc_ns=START_UTC_NS,
        real_s=number,
        spectra=(
            n42.Spectrum(detector=name, live_s=number, counts=np.array([*counts, 1], np.uint32)),
        ),
        gross=(n42.Gross(detector=text, live_s=number, counts=(number,)),),
        speed_m_s=number,
        faults=(n42.Fault(code=text, description=text, severity=code, detector=text),),
        remarks=(text,),
    )
    analysis = n42.Analysis(
        algorithm=text,
        version=name,
        description=text,
        confidence=None if math.isnan(number) else number,
        settings=((name, text),),
        alarms=(n42.Alarm(category=code, description=text, detectors=(text,)),),
        nuclides=(n42.Nuclide(name=name, confidence=0.5, category=text),),
    )
    document = n42.Document(
        instrument=n42.Instrument(manufacturer=text, model=name, serial=text, class_code=code),
        detectors=(n42.Detector(name=name, kind=code, category=text, description=text),),
        measurements=(one,),
        analyses=(analysis,),
        remarks=(text,),
        item=text,
    )
    assert_valid(schema, n42.write(document))


def test_the_same_content_is_the_same_bytes_and_other_content_another_uuid():
    data = n42.write(a_pass())
    assert n42.write(a_pass()) == data
    other = n42.write(replace(a_pass(), item="lane nb-02"))
    assert other[:200] != data[:200]


def test_zeroes_are_counted_where_that_is_shorter():
    sparse = np.zeros(1024, np.uint32)
    sparse[[0, 5, 1023]] = 7
    dense = np.arange(1, 1025, dtype=np.uint32) * 97
    exact = np.array([0.5, 0.0, 1.0])
    one = n42.Measurement(
        class_code="Foreground",
        start_utc_ns=START_UTC_NS,
        real_s=1.0,
        spectra=tuple(
            n42.Spectrum(detector="D", live_s=1.0, counts=counts)
            for counts in (sparse, dense, exact)
        ),
    )
    text = n42.write(
        n42.Document(instrument=n42.Instrument(), detectors=(), measurements=(one,))
    ).decode()
    assert '"CountedZeroes">7 0 4 7 0 1017 7 </ChannelData>' in text
    assert "<ChannelData>97 194 " in text
    assert "<ChannelData>0.5 0.0 1.0</ChannelData>" in text


@pytest.mark.parametrize("low", [0.0, -12.5])
def test_edges_of_a_quadratic_become_its_coefficients(low):
    at = np.arange(1025, dtype=np.float64)
    edges = (low + 2.9 * at + 1e-5 * at**2).astype(np.float32)
    found = n42.calibration_of(edges)
    assert found.coefficients == pytest.approx((low, 2.9, 1e-5), rel=1e-3, abs=1e-3)
    assert np.abs(found.edges(1024) - edges).max() < 0.01


def test_edges_of_no_quadratic_stay_as_they_are():
    edges = np.linspace(1, 1500, 1025, dtype=np.float32) ** 1.3
    found = n42.calibration_of(edges.astype(np.float32))
    assert found.coefficients == ()
    assert np.array_equal(found.edges(1024), edges)


@pytest.mark.parametrize(
    "absurd",
    [
        n42.UNKNOWN_CALIBRATION,
        n42.Calibration(coefficients=(0.0, 0.0, 0.0)),
        n42.Calibration(coefficients=(0.0, -3.0)),
        n42.Calibration(coefficients=(0.0, math.nan)),
        n42.Calibration(coefficients=(0.0, 1e300, 1e300)),
        n42.Calibration(edges_kev=np.arange(5, dtype=np.float32)),
        n42.Calibration(edges_kev=np.zeros(65, np.float32)),
    ],
)
def test_an_absurd_calibration_has_no_edges(absurd):
    assert absurd.edges(64).shape == (0,)
