from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire import n42
from drivers.wire.malformed import Malformed
from tests.drivers.n42_documents import a_pass, portal_of_panels


def plainly(document):
    """The document as a value that `==` compares."""
    return [
        (
            one.class_code,
            one.start_utc_ns,
            one.real_s,
            one.occupied,
            one.speed_m_s,
            one.faults,
            one.remarks,
            one.gross,
            [
                (
                    spectrum.detector,
                    spectrum.live_s,
                    spectrum.counts.tolist(),
                    spectrum.calibration.edges(spectrum.counts.size).tolist(),
                )
                for spectrum in one.spectra
            ],
        )
        for one in document.measurements
    ]


def test_a_pass_reads_as_it_was_written():
    written = a_pass()
    read = n42.read(n42.write(written))
    assert plainly(read) == plainly(written)
    assert read.detectors == written.detectors
    assert read.item == written.item
    (analysis,) = read.analyses
    (wanted,) = written.analyses
    assert analysis.nuclides == wanted.nuclides
    assert replace(analysis, alarms=()) == replace(wanted, alarms=())
    assert [one.category for one in analysis.alarms] == ["Isotope", "Neutron"]
    assert analysis.alarms[1].detectors == ("N1",)


def test_panels_read_as_they_were_written():
    read = n42.read(n42.write(portal_of_panels()))
    assert [[one.counts for one in each.gross] for each in read.measurements] == [[(50,)] * 4] * 10
    assert {one.kind for one in read.detectors} == {"PVT"}


names = st.from_regex("[A-Z][a-z0-9]{0,5}", fullmatch=True)
tenths = st.integers(0, 100_000).map(lambda number: number / 10)
calibrations = st.one_of(
    st.just(n42.UNKNOWN_CALIBRATION),
    st.tuples(st.floats(-50, 50), st.floats(0.1, 10), st.floats(0, 1e-3)).map(
        lambda three: n42.Calibration(coefficients=three)
    ),
    st.lists(st.floats(0.125, 9, width=32), min_size=65, max_size=65).map(
        lambda steps: n42.Calibration(edges_kev=np.cumsum(steps, dtype=np.float32))
    ),
)
spectra = st.builds(
    n42.Spectrum,
    detector=names,
    live_s=tenths,
    counts=st.lists(st.one_of(st.just(0), st.integers(0, 2**32 - 1)), min_size=64, max_size=64).map(
        lambda counts: np.array(counts, np.uint32)
    ),
    calibration=calibrations,
)
measurements = st.builds(
    n42.Measurement,
    class_code=st.sampled_from(["Foreground", "Background", "NotSpecified"]),
    start_utc_ns=st.integers(10**17, 4 * 10**18),
    real_s=tenths.filter(bool),
    spectra=st.lists(spectra, max_size=3).map(tuple),
    gross=st.lists(
        st.builds(
            n42.Gross,
            detector=names,
            live_s=tenths,
            counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    occupied=st.sampled_from([None, True, False]),
    speed_m_s=st.one_of(st.none(), st.floats(0.1, 50)),
)


@settings(max_examples=80)
@given(st.lists(measurements, min_size=1, max_size=4))
def test_whatever_is_measured_reads_as_it_was_written(measured):
    written = n42.Document(instrument=n42.Instrument(), detectors=(), measurements=tuple(measured))
    read = n42.read(n42.write(written))
    assert plainly(read) == plainly(written)


OLD = """<?xml version="1.0"?>
<n:N42InstrumentData xmlns:n="http://physics.nist.gov/Divisions/Div846/Gp4/ANSIN4242/2005/ANSIN4242">
 <n:Measurement>
  <n:InstrumentInformation><n:InstrumentModel>P</n:InstrumentModel></n:InstrumentInformation>
  <n:DetectorData>
   <n:StartTime>2010-04-17T11:33:19.4-06:00</n:StartTime><n:SampleRealTime>PT1S</n:SampleRealTime>
   <n:Occupied>1</n:Occupied><n:Speed Units="mph">10</n:Speed>
   <n:DetectorMeasurement><n:SpectrumMeasurement>
    <n:CountDoseData DetectorType="Neutron"><n:Counts>3</n:Counts></n:CountDoseData>
    <n:Spectrum Detector="A1"><n:LiveTime>PT0.9S</n:LiveTime><n:SourceType>Item</n:SourceType>
     <n:DetectorType>HPGe 50%</n:DetectorType>
     <n:Calibration Type="Energy"><n:Equation Model="Polynomial">
      <n:Coefficients>0.5 3</n:Coefficients></n:Equation></n:Calibration>
     <n:ChannelData Compression="CountedZeroes">0 2 7 1.05562e+06 0 1</n:ChannelData>
    </n:Spectrum>
    <n:Spectrum Detector="A2"><n:ChannelData>1 2 3</n:ChannelData></n:Spectrum>
   </n:SpectrumMeasurement></n:DetectorMeasurement>
  </n:DetectorData>
 </n:Measurement>
</n:N42InstrumentData>"""


def test_a_portals_text_of_2006_is_read():
    (one,) = n42.read(OLD.encode()).measurements
    assert (one.class_code, one.real_s, one.occupied) == ("Foreground", 1.0, True)
    assert one.start_utc_ns == 1_271_525_599_400_000_000
    assert one.speed_m_s == pytest.approx(4.4704)
    assert [gross.counts for gross in one.gross] == [(3,)]
    first, second = one.spectra
    assert first.counts.tolist() == [0, 0, 7, 1_055_620, 0]
    assert first.calibration.edges(5).tolist() == [0.5, 3.5, 6.5, 9.5, 12.5, 15.5]
    assert second.calibration is n42.UNKNOWN_CALIBRATION
    assert second.live_s == 1.0


def test_utf_16_is_read():
    text = OLD.replace('version="1.0"', 'version="1.0" encoding="UTF-16"')
    read = n42.read(text.encode("utf-16"))
    assert len(read.measurements) == 1


def spoilt(old, new):
    return OLD.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-xml"),
        (b"\x02\x03", "not-xml"),
        (OLD.encode()[:-5], "not-xml"),
        (b"<html/>", "not-n42"),
        (b"<RadInstrumentData/>", "no-measurement"),
        (spoilt("<n:N42", "<!DOCTYPE a><n:N42"), "has-dtd"),
        (spoilt("1 2 3", "1 two 3"), "bad-value"),
        (spoilt("1 2 3", "1 nan 3"), "bad-value"),
        (spoilt("1 2 3", "1 1e999 3"), "bad-value"),
        (spoilt("PT0.9S", "P1M"), "bad-value"),
        (spoilt("0 2 7", "0 4000000000 7"), "too-large"),
        (spoilt("0 2 7", "0 -2 7"), "too-large"),
        (spoilt("<n:Occupied>", "<a>" * 100), "too-deep"),
        (spoilt("<n:ChannelData>1 2 3</n:ChannelData>", ""), "bad-value"),
    ],
)
def test_what_cannot_be_read_is_told(data, reason):
    assert n42.read(data).reason == reason


def test_counts_beyond_32_bits_and_below_none_are_held_within():
    (one,) = n42.read(spoilt("1 2 3", "-1 2.6 1e12")).measurements
    assert one.spectra[1].counts.tolist() == [0, 3, 2**32 - 1]


def test_more_elements_than_any_device_writes_are_refused():
    data = b"<RadInstrumentData>" + b"<a/>" * 500_001 + b"</RadInstrumentData>"
    assert n42.read(data).reason == "too-many-elements"


@settings(max_examples=200)
@given(st.data())
def test_damaged_documents_never_raise(data):
    document = bytearray(data.draw(st.sampled_from([OLD.encode(), n42.write(a_pass(channels=8))])))
    for _ in range(data.draw(st.integers(1, 6))):
        document[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(n42.read(bytes(document)), n42.Document | Malformed)
