import pytest

from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_scan import scan
from tests.drivers.n42_documents import a_pass, portal_of_panels


def test_a_pass_is_counted_and_its_fault_noted():
    seen = scan(n42.write(a_pass(slices=5, detectors=4)))
    assert (seen.form, seen.spectra, seen.measurements) == ("N42-2012", 24, 6)
    ((number, fault),) = seen.faults  # and not the one of the analysis
    assert (number, fault.code, fault.detector) == (3, "tamper", "D1")


def test_panels_have_no_spectra():
    assert scan(n42.write(portal_of_panels(3))).spectra == 0


@pytest.mark.parametrize(
    ("zone", "minutes"), [("Z", 0), ("-06:00", -360), ("+05:45", 345), ("", 0)]
)
def test_the_zone_of_the_first_time_is_noted(zone, minutes):
    text = (
        f"<N42InstrumentData><StartTime>2026-01-01T00:00:00{zone}</StartTime></N42InstrumentData>"
    )
    assert scan(text.encode()).utc_offset_min == minutes


@pytest.mark.parametrize(
    "harm",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        b"<!DOCTYPE a>",
    ],
)
def test_a_document_type_is_refused_before_anything_else(harm):
    assert scan(harm + b"<RadInstrumentData>&b;</RadInstrumentData>").reason == "has-dtd"


def test_an_entity_that_nobody_declared_is_no_xml():
    assert scan(b"<RadInstrumentData>&b;</RadInstrumentData>").reason == "not-xml"


def test_a_prefix_that_nobody_declared_is_let_pass():
    text = b"<RadInstrumentData><InterSpec:DetectorType/></RadInstrumentData>"
    assert not isinstance(scan(text), Malformed)


def test_an_encoding_that_nobody_knows_is_told():
    text = b'<?xml version="1.0" encoding="x-none"?><RadInstrumentData/>'
    assert scan(text).reason == "not-xml"
