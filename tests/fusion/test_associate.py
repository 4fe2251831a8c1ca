from dataclasses import replace

from fusion.associate import Lane
from fusion.policy import AssociationPolicy
from tests.fusion.makers import CHECKPOINT, dense, gamma, occupancy

POLICY = AssociationPolicy()


def lane() -> Lane:
    return Lane(CHECKPOINT.lanes[0], POLICY)


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


def test_two_portals_of_one_lane_see_one_vehicle():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    second = replace(occupancy(3.0), sensor_id="rpm-2")
    assert lane_.occupancy(second) is first
    assert lane_.occupancy(occupancy(12.0)) is not first


def through(start_s: float, end_s: float, length_m: float | None, speed_m_s: float | None = 2.0):
    left = occupancy(start_s, end_s)
    return replace(left, facts={**left.facts, "length_m": length_m, "speed_m_s": speed_m_s})


def test_who_backs_out_of_the_beam_and_comes_again_is_one_vehicle_with_all_that_was_seen():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    lane_.portal(gamma(9.0, point=40, extended=10, start_s=0.0, end_s=3.0))
    lane_.occupancy(through(0.0, 3.0, 2.4))
    assert lane_.occupancy(occupancy(7.0)) is first
    lane_.portal(gamma(4.0, point=9, extended=10, start_s=7.0, end_s=16.0))
    assert lane_.occupancy(through(7.0, 16.0, 17.5)) is first
    assert first.closed
    assert first.length_m == 17.5
    assert [d.facts["gamma_sigma"] for d in first.of("gamma.profile")] == [9.0, 4.0]


def test_who_creeps_in_and_out_again_and_then_drives_through_is_one_vehicle():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    lane_.portal(gamma(9.0, point=40, extended=10, start_s=0.0, end_s=8.0))
    lane_.occupancy(through(0.0, 8.0, 5.1, 0.8))
    second = lane_.occupancy(occupancy(9.0))
    assert second is not first, "nobody knows yet"
    lane_.portal(gamma(4.0, point=9, extended=10, start_s=9.0, end_s=18.0))
    assert lane_.occupancy(through(9.0, 18.0, 17.9, 2.2)) is second
    assert lane_.transits == [second]
    assert lane_.take_absorbed() == [first]
    assert lane_.take_absorbed() == []
    assert [d.facts["gamma_sigma"] for d in second.of("gamma.profile")] == [4.0, 9.0]
    assert not first.detections


def test_a_car_that_creeps_with_the_queue_behind_it_stays_a_vehicle():
    for left, through_ in (
        (through(0.0, 8.0, 5.1, 0.8), through(9.0, 18.0, 17.9, 1.2)),
        (through(0.0, 8.0, 5.1, 0.8), through(19.0, 28.0, 17.9, 2.2)),
        (through(0.0, 8.0, 8.4, 0.8), through(9.0, 18.0, 17.9, 2.2)),
    ):
        lane_ = lane()
        lane_.occupancy(occupancy(0.0))
        lane_.occupancy(left)
        lane_.occupancy(replace(through_, final=False, end_utc_ns=through_.start_utc_ns))
        lane_.occupancy(through_)
        assert len(lane_.transits) == 2
        assert not lane_.take_absorbed()


def test_a_whole_vehicle_a_later_one_and_one_of_unknown_length_are_followed_by_another():
    for left, again_s in (
        (through(0.0, 3.0, 4.2), 7.0),
        (through(0.0, 3.0, 2.4), 14.0),
        (through(0.0, 3.0, 2.4, None), 7.0),
    ):
        lane_ = lane()
        first = lane_.occupancy(occupancy(0.0))
        lane_.occupancy(left)
        assert lane_.occupancy(occupancy(again_s)) is not first


def test_nobody_backs_out_for_ever():
    lane_ = lane()
    seen = []
    for number in range(6):
        seen.append(lane_.occupancy(occupancy(7.0 * number)))
        lane_.occupancy(through(7.0 * number, 7.0 * number + 3.0, 2.0))
    assert seen[4] is seen[0]
    assert seen[5] is not seen[0]


def test_a_scan_weighs_as_much_as_it_is_sure_and_so_do_cues_made_of_it():
    transit = lane().occupancy(occupancy(0.0))
    transit.replace_scan([dense(9.0)], weight=0.7)
    transit.add(replace(dense(9.0), sensor_id="fusion", kind="fusion.shielding"))
    transit.add(replace(dense(9.0), sensor_id="fusion", kind="fusion.blinded"))
    weights = {found.kind: weight for found, weight in transit.weighed()}
    assert weights == {
        "portal.occupancy": 1.0,
        "xray.dense": 0.7,
        "fusion.shielding": 0.7,
        "fusion.blinded": 1.0,
    }


def test_a_whole_scan_takes_the_place_of_its_part_and_not_of_the_scan_behind_it():
    transit = lane().occupancy(occupancy(0.0))
    transit.replace_scan([dense(2.0), dense(5.0)])
    transit.replace_scan([dense(3.0)], seat=1, weight=0.6)
    transit.replace_scan([dense(2.0)])
    assert [d.facts["position_m"] for d in transit.of("xray.dense")] == [2.0, 3.0]
    assert transit.taken_back, "one of two dense blocks has not been there"
    transit.remove_scan(("xray-1", 0))
    assert [d.facts["position_m"] for d in transit.of("xray.dense")] == [3.0]
    assert transit.scans == {("xray-1", 1): 0.6}


def test_a_vehicle_that_only_the_scanner_saw_is_nothing_without_its_scan():
    transit = lane().open(0)
    transit.replace_scan([dense(2.0)])
    transit.add(replace(dense(9.0), sensor_id="fusion", kind="fusion.bypass"))
    transit.remove_scan(("xray-1", 0))
    assert not transit.detections
