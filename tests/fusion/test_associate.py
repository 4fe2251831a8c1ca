from dataclasses import replace

from fusion.associate import Lane, Zone
from fusion.policy import AssociationPolicy
from fusion.types import SECOND_NS
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, detection, gamma, occupancy, steps

POLICY = AssociationPolicy()


def lane() -> Lane:
    return Lane(CHECKPOINT.lanes[0], POLICY)


def at(seconds: float) -> int:
    return START_UTC_NS + int(seconds * SECOND_NS)


def zone() -> Zone:
    return Zone("fence", [s for s in CHECKPOINT.sensors if s.place == "fence"], POLICY)


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


def test_one_walker_past_three_sensors_is_one_track():
    zone_ = zone()
    tracks = [zone_.add(steps(f"geo-{i + 1}", 10.0 + 11.0 * i)) for i in range(3)]
    assert len({id(track) for track in tracks}) == 1
    assert len(zone_.tracks) == 1


def test_steps_a_minute_later_are_somebody_else():
    zone_ = zone()
    first = zone_.add(steps("geo-1", 10.0))
    assert zone_.add(steps("geo-1", 10.0 + POLICY.track_gap_s + 10.0)) is not first


def test_the_best_heard_moment_of_a_sensor_is_kept():
    zone_ = zone()
    zone_.add(steps("geo-1", 10.0, peak=5.0))
    track = zone_.add(steps("geo-1", 12.0, peak=20.0))
    zone_.add(steps("geo-1", 19.0, peak=3.0))
    assert track.peaks_um_s["geo-1"] == 20.0
    assert track.peak_utc_ns["geo-1"] == at(12.0)
    assert track.passed == {"geo-1"}
    assert track.end_utc_ns == at(19.0)


def test_who_steps_out_of_a_vehicle_is_a_track_of_its_own():
    facts = {"class": "vehicle", "classes": {"vehicle": 1.0}, "peak_um_s": 90.0}
    zone_ = zone()
    car = zone_.add(detection("seismic.event", "geo-2", facts, start_s=0.0, end_s=10.0))
    walker = zone_.add(steps("geo-2", 23.0, peak=5.0))
    assert walker is not car
    assert zone_.add(steps("geo-3", 30.0, peak=5.0)) is walker


def test_two_portals_of_one_lane_see_one_vehicle():
    lane_ = lane()
    first = lane_.occupancy(occupancy(0.0))
    second = replace(occupancy(3.0), sensor_id="rpm-2")
    assert lane_.occupancy(second) is first
    assert lane_.occupancy(occupancy(12.0)) is not first
