import pytest

from drivers.n42_faults import code_of, text_of
from drivers.wire.n42 import Fault


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        ("tamper", "", "tamper"),
        ("17", "Door open", "tamper"),
        ("E4", "Low battery", "battery"),
        ("E5", "Mains lost", "power"),
        ("gamma-high", "", "gamma-high"),
        ("HV_Fail 2", "no high voltage", "hv-fail-2"),
        ("", "", "fault"),
        ("Ñ" * 100, "", "fault"),
        ("x" * 100, "", "x" * 32),
    ],
)
def test_a_fault_gets_the_engines_code_or_its_own(code, description, expected):
    assert code_of(Fault(code=code, description=description)) == expected


def test_a_person_reads_which_detector_and_what():
    assert text_of(Fault(code="17", description="hot", detector="A1")) == "A1: hot"
    assert text_of(Fault(code="17", description="")) == "17"
