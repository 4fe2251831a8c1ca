"""Documents that were read in the short way: when they may be told as they are."""

import numpy as np
import pytest

from drivers.n42_short import is_plain, tell
from drivers.n42_told import BACK_NS, Told
from drivers.n42_usual import UsualDocuments
from drivers.wire import n42
from fusion.types import SECOND_NS, OccupancySample, Origin, SpectrumSample
from tests.drivers.n42_documents import START_UTC_NS, STEP_NS
from tests.drivers.n42_seconds import NAMES, a_second

END_NS = START_UTC_NS + 8 * STEP_NS
AHEAD_NS = 5 * SECOND_NS


@pytest.fixture
def table():
    usual = UsualDocuments(n42.read)
    usual.read(n42.write(a_second(0)))
    return usual.read(n42.write(a_second(1)))


def told():
    return Told("srpm-1", Origin.SENSOR, closes=False)


def test_its_times_may_be_a_little_off(table):
    portal = told()
    for received_ns, plain in [
        (0, True),
        (END_NS, True),
        (END_NS - AHEAD_NS, True),
        (END_NS - AHEAD_NS - 1, False),
    ]:
        assert is_plain(table, portal, received_ns, max_ahead_ns=AHEAD_NS) == plain
    portal.last_ns = table.starts_utc_ns[0] + BACK_NS
    assert is_plain(table, portal, END_NS, max_ahead_ns=AHEAD_NS)
    portal.last_ns += 1
    assert not is_plain(table, portal, END_NS, max_ahead_ns=AHEAD_NS)


def test_each_slice_is_a_sample(table):
    found, portal = [], told()
    tell(table, portal, found)
    occupancy, *spectra = found
    assert isinstance(occupancy, OccupancySample)
    assert occupancy.counter == 0
    assert [type(one) for one in spectra] == [SpectrumSample] * 4
    assert [one.start_utc_ns for one in spectra] == table.starts_utc_ns
    assert {(one.detectors, one.duration_ms, one.role) for one in spectra} == {(NAMES, 100, "item")}
    assert np.array_equal(np.concatenate([one.counts for one in spectra]), table.counts)
    assert portal.end_ns == END_NS
