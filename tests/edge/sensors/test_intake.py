"""The step from bytes to samples that live service and replay share."""

from drivers.base import DriverKind
from edge.sensors.intake import Intake, kind_of
from fusion.types import Origin, StatusSample
from tests.contract.pairs import pair_of
from tests.contract.scenarios import DEVICE

PORTAL = pair_of("rpm-tsa")
LINE = b"GB,000257,000257,000251,000267\r\n"
NOW_UTC_NS = 10**18


def intake():
    return Intake(PORTAL.config(), Origin.REPLAY)


def links(taken):
    return [(one.code, one.active) for one in taken.samples if isinstance(one, StatusSample)]


def test_the_first_bytes_say_nothing_of_the_link():
    assert links(intake().feed(LINE, NOW_UTC_NS)) == []


def test_a_cut_is_said_once_and_its_end_with_the_next_bytes():
    one = intake()
    assert links(one.feed(b"", NOW_UTC_NS)) == [("link", True)]
    assert links(one.feed(b"", NOW_UTC_NS)) == []
    assert links(one.feed(LINE, NOW_UTC_NS)) == [("link", False)]
    assert links(one.feed(LINE, NOW_UTC_NS)) == []


def test_the_links_status_carries_origin_sensor_and_time():
    (status,) = intake().feed(b"", NOW_UTC_NS).samples
    assert (status.sensor_id, status.origin, status.start_utc_ns) == (
        DEVICE,
        Origin.REPLAY,
        NOW_UTC_NS,
    )


def test_the_trigger_counts_all_bytes_up_to_its_own():
    one = intake()
    one.feed(LINE[:5], NOW_UTC_NS)
    assert one.feed(LINE[5:], NOW_UTC_NS).trigger == f"{DEVICE}@{len(LINE)}"


def test_what_was_of_no_use_says_why_and_what_was_of_some_does_not():
    one = intake()
    assert one.feed(b"noise\r\n", NOW_UTC_NS).refused
    mixed = one.feed(b"noise\r\n" + LINE, NOW_UTC_NS)
    assert (len(mixed.malformed), mixed.refused) == (1, "")
    assert one.feed(LINE[:4], NOW_UTC_NS).refused == ""


def test_reading_apart_from_sorting_comes_to_the_same():
    together, apart = intake(), intake()
    for data in (LINE, b"noise\r\n", b"", LINE):
        read = apart.read(data, NOW_UTC_NS)
        assert apart.sort(read, data, NOW_UTC_NS) == together.feed(data, NOW_UTC_NS)


def test_the_row_of_the_catalog_is_found_by_the_configuration():
    assert isinstance(kind_of(PORTAL.config()), DriverKind)
    assert kind_of(PORTAL.config()).kind == "rpm-tsa"
