"""Who stands in the beam, as documents tell it piece by piece."""

import math

import pytest

from drivers.n42_told import (
    CONTINUED,
    GAP_NS,
    Told,
    bounded,
    counter_of,
    milliseconds,
    nanoseconds,
)
from fusion.types import SECOND_NS, OccupancySample, Origin


def told(*, closes=True):
    return Told("srpm-1", Origin.SENSOR, closes=closes)


def occupancies(found):
    return [(one.opened, one.start_utc_ns) for one in found if isinstance(one, OccupancySample)]


def test_a_vehicle_comes_and_goes():
    found, portal = [], told()
    for second, occupied in enumerate([False, True, True, None, False], 1):
        portal.vehicle(second * SECOND_NS, occupied, 2.5 if occupied else None, found)
        portal.ended((second + 1) * SECOND_NS)
    assert occupancies(found) == [(True, 2 * SECOND_NS), (False, 5 * SECOND_NS)]
    assert [one.speed_m_s for one in found if hasattr(one, "speed_m_s")] == [2.5]


def test_an_occupancy_of_which_nothing_more_is_told_has_ended_where_that_was():
    found, portal = [], told()
    portal.vehicle(SECOND_NS, True, None, found)
    portal.ended(2 * SECOND_NS)
    portal.vehicle(2 * SECOND_NS + GAP_NS + 1, True, None, found)
    assert [opened for opened, _ in occupancies(found)] == [True, False, True]
    assert occupancies(found)[1] == (False, 2 * SECOND_NS)


@pytest.mark.parametrize(
    ("closes", "remarks", "ends"), [(True, (), 1), (True, (CONTINUED,), 0), (False, (), 0)]
)
def test_the_end_of_a_file_ends_its_occupancy(closes, remarks, ends):
    found, portal = [], told(closes=closes)
    portal.vehicle(SECOND_NS, True, None, found)
    portal.ended(2 * SECOND_NS)
    portal.close(remarks, found)
    assert occupancies(found)[1:] == [(False, 2 * SECOND_NS)] * ends


def test_time_never_goes_back():
    portal = told()
    assert [portal.forward(at) for at in (5, 3, 7)] == [5, 5, 7]


def test_what_is_no_duration_is_none():
    assert bounded(math.nan, 5.0) == bounded(-1.0, 5.0) == 0.0
    assert bounded(math.inf, 5.0) == 5.0
    assert (nanoseconds(0.1), milliseconds(0.1), milliseconds(0.0)) == (100_000_000, 100, 1)


def test_the_counter_is_in_a_remark():
    assert counter_of(("x", "Occupancy number = 12")) == 12
    assert counter_of(("occupancy number",)) is None
