from dataclasses import replace

from fusion.associate import Lane
from fusion.policy import AssociationPolicy
from fusion.types import SECOND_NS
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, gamma, occupancy

POLICY = AssociationPolicy()


def lane() -> Lane:
    return Lane(CHECKPOINT.lanes[0], POLICY)


def at(seconds: float) -> int:
    return START_UTC_NS + int(seconds * SECOND_NS)


def test_portal_findings_belong_to_the_vehicle_in_the_beam():
    lane_ = lane()
    opened = lane_.occupancy(occupancy(0.0))
    assert lane_.portal(gamma(9.0, point=40, extended=10, start_s=0.0, end_s=4.0)) is opened
    assert lane_.occupancy(occupancy(0.0, 8.0)) is opened
    assert lane_.portal(gamma(9.5, point=45, extended=10)) is opened
    assert len(opened.of("gamma.profile")) == 1, "the final finding replaces the interim one"


def test_a_second_vehicle_is_a_second_transit_even_where_the_first_was_never_closed():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    second = lane_.occupancy(occupancy(12.0))
    assert first is not second
    assert first.closed
    late = gamma(9.0, point=40, extended=10, start_s=12.0, end_s=14.0)
    assert lane_.portal(late) is second


def test_a_scan_goes_to_the_vehicle_whose_time_fits():
    lane_ = lane()
    first, second = (lane_.occupancy(occupancy(t)) for t in (0.0, 20.0))
    assert lane_.scan(at(8.0)) is first
    assert lane_.scan(at(28.0)) is second
    assert not first.ambiguous
    assert not second.ambiguous


def test_a_vehicle_that_skips_the_scanner_does_not_steal_the_next_ones_scan():
    lane_ = lane()
    learned = lane_.occupancy(occupancy(0.0))
    assert lane_.scan(at(8.0)) is learned
    skipper = lane_.occupancy(occupancy(20.0))
    follower = lane_.occupancy(occupancy(35.0))
    assert lane_.scan(at(43.0)) is follower
    assert not skipper.scanned


def test_two_vehicles_that_cannot_be_told_apart_by_time_make_an_ambiguous_pairing():
    lane_ = lane()
    lane_.scan(at(0.0))  # a stray scan teaches nothing
    lane_.occupancy(occupancy(100.0))
    lane_.occupancy(occupancy(102.0))
    assert lane_.scan(at(110.0)).ambiguous


def test_a_scan_without_any_vehicle_in_the_portal_is_a_transit_of_its_own():
    transit = lane().scan(at(8.0))
    assert not transit.by_portal


def test_two_portals_of_one_lane_see_one_vehicle():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    second = replace(occupancy(3.0), sensor_id="rpm-2")
    assert lane_.occupancy(second) is first
    assert lane_.occupancy(occupancy(12.0)) is not first
