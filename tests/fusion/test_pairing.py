from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.associate import Lane, Transit
from fusion.association_policy import AssociationPolicy
from fusion.pairing import MAX_SCANS, MAX_VEHICLES, Change, Pairing
from fusion.types import SECOND_NS, Detection, LaneSpec
from tests.fusion.makers import START_UTC_NS, detection, occupancy

POLICY = AssociationPolicy()


class Crossing:
    """Some lanes before one scanner, each named by its letter."""

    def __init__(self, *names: str, window_s: tuple[float, float] = (5.0, 60.0)) -> None:
        self.lanes = {
            name: Lane(
                LaneSpec(lane_id=name, direction="northbound", scan_offset_s=window_s), POLICY
            )
            for name in names or ("a",)
        }
        self.pairing = Pairing(list(self.lanes.values()), POLICY)
        self.changes: list[Change] = []

    def pass_(self, at_s: float, length_m: float = 0.0, speed_m_s: float = 2.0, lane: str = "a"):
        """A vehicle goes through the portal; without a length nothing was measured of it."""
        transit = self.lanes[lane].occupancy(occupancy(at_s))
        self.changes = self.pairing.heed()
        seconds = (length_m or 16.0) / speed_m_s
        left = occupancy(at_s, at_s + seconds)
        told = {"length_m": length_m, "speed_m_s": speed_m_s if length_m else None}
        self.lanes[lane].occupancy(replace(left, facts={**left.facts, **told}))
        self.changes += self.pairing.heed()
        return transit

    def scan(self, at_s: float, length_m: float = 0.0, name: str = "", **facts) -> Transit:
        """Whose it is told to be."""
        self.changes = self.pairing.take([one_scan(at_s, length_m, name, **facts)])
        return self.changes[-1].transit

    def learn(self, offset_s: float, times: int = 8, lane: str = "a", skip: bool = False) -> None:
        """The lane's habit, well before the first second."""
        for number in range(times):
            at_s = -200.0 * (times - number) - 1000.0
            transit = self.pass_(at_s, lane=lane)
            if not skip:
                assert self.scan(at_s + offset_s) is transit
            self.over(at_s + 150.0)

    def over(self, at_s: float) -> None:
        for lane in self.lanes.values():
            self.pairing.settle(lane.over(START_UTC_NS + round(at_s * SECOND_NS)))


def one_scan(at_s: float, length_m: float = 0.0, name: str = "", **facts) -> Detection:
    more = {"scan_id": name or f"scan-{at_s}", "length_m": length_m, "notes": (), **facts}
    final = more.pop("final", True)
    return detection("xray.scan", "xray-1", more, start_s=at_s, end_s=at_s + 8.0, final=final)


def sure(transit: Transit, seat: int = 0) -> float:
    return transit.scans["xray-1", seat]


def test_a_scan_goes_to_the_vehicle_whose_time_fits():
    crossing = Crossing()
    first, second = crossing.pass_(0.0), crossing.pass_(20.0)
    assert crossing.scan(8.0) is first
    assert crossing.scan(28.0) is second
    assert not first.ambiguous
    assert not second.ambiguous
    assert min(sure(first), sure(second)) > 0.9


def test_a_vehicle_that_skips_the_scanner_does_not_steal_the_next_ones_scan():
    crossing = Crossing()
    learned = crossing.pass_(0.0)
    assert crossing.scan(8.0) is learned
    skipper, follower = crossing.pass_(20.0), crossing.pass_(35.0)
    assert crossing.scan(43.0) is follower
    assert not skipper.scans


def test_two_vehicles_that_cannot_be_told_apart_by_time_make_an_ambiguous_pairing():
    crossing = Crossing()
    first, second = crossing.pass_(0.0), crossing.pass_(2.0)
    told = crossing.scan(10.0)
    assert told is first, "the one that is ahead"
    assert told.ambiguous
    assert 0.5 < sure(first) < POLICY.sure_pairing
    assert not second.scans


def test_the_second_scan_makes_the_first_ones_pairing_sure():
    crossing = Crossing()
    first, second = crossing.pass_(0.0), crossing.pass_(2.0)
    crossing.scan(10.0)
    assert crossing.scan(12.0) is second
    assert not first.ambiguous
    assert first in [change.transit for change in crossing.changes]
    assert sure(first) > POLICY.sure_pairing


def test_lengths_tell_apart_what_times_do_not():
    crossing = Crossing()
    car, truck = crossing.pass_(0.0, 4.5), crossing.pass_(2.0, 18.0)
    assert crossing.scan(10.0, 17.8) is truck
    assert not truck.ambiguous
    assert not car.scans


def test_evidence_moves_when_another_pairing_turns_out_to_be_clearly_better_and_none_is_lost():
    crossing = Crossing()
    crossing.learn(10.0)
    first, second = crossing.pass_(0.0), crossing.pass_(6.0)
    assert crossing.scan(15.5, name="a") is second
    assert crossing.scan(16.5, name="b") is second
    assert first in [change.transit for change in crossing.changes]
    assert [d.facts["scan_id"] for d in first.of("xray.scan")] == ["a"]
    assert [d.facts["scan_id"] for d in second.of("xray.scan")] == ["b"]


def test_what_a_vehicle_loses_is_said():
    crossing = Crossing()
    crossing.learn(10.0)
    first, second = crossing.pass_(0.0), crossing.pass_(6.0)
    crossing.scan(15.5)
    crossing.scan(16.5)
    took_back = {id(change.transit): change.took_back for change in crossing.changes}
    assert took_back == {id(first): False, id(second): True}


def test_who_overtakes_is_found_by_length_where_times_allow_it():
    crossing = Crossing()
    crossing.learn(12.0, 2)
    truck, car = crossing.pass_(0.0, 18.0), crossing.pass_(4.0, 4.5)
    crossing.scan(14.0, 4.4)
    crossing.scan(15.5, 18.1)
    assert [d.facts["length_m"] for d in truck.of("xray.scan")] == [18.1]
    assert [d.facts["length_m"] for d in car.of("xray.scan")] == [4.4]
    assert not truck.ambiguous
    assert not car.ambiguous


def test_a_scan_without_any_vehicle_in_the_portal_is_a_transit_of_its_own():
    crossing = Crossing()
    transit = crossing.scan(8.0)
    assert not transit.by_portal
    assert transit in crossing.lanes["a"].transits


def test_a_scan_that_was_nobodys_goes_to_the_vehicle_that_is_counted_late():
    crossing = Crossing()
    stray = crossing.scan(8.0)
    counted = crossing.pass_(0.0)
    assert counted.of("xray.scan")
    assert not stray.detections
    assert stray not in crossing.lanes["a"].transits


def test_an_occupancy_long_enough_for_two_has_room_for_two_scans():
    crossing = Crossing()
    crossing.learn(12.0)
    both = crossing.pass_(0.0, 39.0, 2.0)
    assert crossing.scan(12.0, 17.0) is both
    assert crossing.scan(23.0, 18.0) is both
    assert len(both.of("xray.scan")) == 2
    assert sure(both, 1) > POLICY.sure_pairing
    assert both.of("xray.scan")[1].facts["behind_m"] == pytest.approx(21.0)


def test_two_cars_close_together_are_told_from_one_truck_by_their_scans():
    crossing = Crossing()
    crossing.learn(12.0)
    cars = crossing.pass_(0.0, 14.0, 2.0)
    assert crossing.scan(12.0, 4.5) is cars
    assert crossing.scan(17.0, 4.7) is cars


def test_a_truck_hides_no_second_vehicle_behind_it():
    crossing = Crossing()
    crossing.learn(12.0)
    truck = crossing.pass_(0.0, 18.0, 2.0)
    assert crossing.scan(12.0, 18.0) is truck
    second = crossing.scan(20.0, 4.5)
    assert not second.by_portal
    assert sure(second) > POLICY.sure_pairing


def test_a_part_of_a_scan_and_the_whole_are_one_scan():
    crossing = Crossing()
    first = crossing.pass_(0.0)
    crossing.pass_(20.0)
    assert crossing.scan(8.0, name="x", final=False) is first
    assert crossing.scan(8.0, name="x") is first
    assert crossing.changes[-1].took_back, "the whole may show less"
    assert len(first.of("xray.scan")) == 1


def test_of_a_backlog_nobody_knows_when_it_was():
    crossing = Crossing()
    crossing.learn(10.0)
    first = crossing.pass_(0.0)
    assert crossing.scan(45.0, notes=("clock-behind",)) is first
    second, third = crossing.pass_(100.0), crossing.pass_(104.0)
    late = crossing.scan(114.0, notes=("clock-behind",))
    assert late in (second, third)
    assert late.ambiguous


def test_two_lanes_share_a_scanner_and_each_vehicle_is_told_in_its_own():
    crossing = Crossing("a", "b")
    crossing.learn(10.0, lane="a")
    crossing.learn(25.0, lane="b")
    slow, quick = crossing.pass_(0.0, lane="b"), crossing.pass_(8.0, lane="a")
    assert crossing.scan(18.0) is quick
    assert crossing.scan(25.0) is slow
    assert (quick.lane.lane_id, slow.lane.lane_id) == ("a", "b")
    assert not quick.ambiguous
    assert not slow.ambiguous


def test_two_scanners_of_a_lane_have_each_their_own_scan_of_a_vehicle():
    crossing = Crossing()
    other = Pairing([crossing.lanes["a"]], POLICY)
    transit = crossing.pass_(0.0)
    assert crossing.scan(8.0) is transit
    (change,) = other.take([replace(one_scan(20.0), sensor_id="xray-2")])
    assert change.transit is transit
    assert sorted(transit.scans) == [("xray-1", 0), ("xray-2", 0)]


def test_who_backed_out_comes_to_the_scanner_after_driving_in_for_good():
    crossing = Crossing()
    crossing.learn(10.0)
    first = crossing.pass_(0.0, 2.0)
    assert crossing.pass_(6.0, 17.0) is first
    assert crossing.scan(16.0, 17.0) is first
    assert sure(first) > 0.98


def test_who_has_waited_for_the_tunnel_comes_when_it_is_free():
    crossing = Crossing("a", "b")
    for lane in "ab":
        crossing.learn(10.0, lane=lane)
    skipper = crossing.pass_(-14.0, lane="a")
    ahead, behind = crossing.pass_(0.0, lane="a"), crossing.pass_(3.0, lane="b")
    assert crossing.scan(10.0) is ahead
    assert crossing.scan(19.5) is behind, "16.5 s after it was counted, for 18 s it was taken"
    assert not skipper.scans


def test_a_lane_where_hardly_anybody_is_scanned_is_known_by_that():
    crossing = Crossing()
    first, _ = crossing.pass_(0.0), crossing.pass_(2.0)
    crossing.scan(10.0)
    before = sure(first)
    crossing = Crossing()
    crossing.learn(10.0, 30, skip=True)
    first, _ = crossing.pass_(0.0), crossing.pass_(2.0)
    crossing.scan(10.0)
    assert first.ambiguous
    assert first.scans == {} or sure(first) < before


def test_memory_is_bounded():
    crossing = Crossing()
    for number in range(3 * MAX_SCANS):
        crossing.scan(10.0 * number)
    assert len(crossing.pairing._scans) <= MAX_SCANS


def test_a_flood_of_vehicles_and_scans_is_weighed_in_bounded_room():
    crossing = Crossing("a", "b", window_s=(5.0, 600.0))
    for number in range(16):
        crossing.pass_(20.0 * number, 12.0, lane="ab"[number % 2])
    for number in range(16):
        crossing.scan(325.0 + 15.0 * number, 12.0)
    pairing = crossing.pairing
    vehicles = pairing._vehicles([scan.seen for scan in pairing._scans])
    assert len(pairing._scans) == MAX_SCANS
    assert len(vehicles) <= MAX_SCANS + MAX_VEHICLES
    told = [transit for lane in crossing.lanes.values() for transit in lane.transits]
    assert sum(len(transit.of("xray.scan")) for transit in told) == 16


gaps = st.lists(st.floats(30.0, 90.0), min_size=1, max_size=12)


@settings(max_examples=40)
@given(gaps=gaps, offset_s=st.floats(7.0, 28.0), wobble=st.lists(st.floats(-0.5, 0.5), min_size=12))
def test_in_order_and_far_apart_every_scan_is_its_own_vehicles(gaps, offset_s, wobble):
    crossing = Crossing(window_s=(5.0, 29.0))
    at_s = 0.0
    for gap_s, off_s in zip(gaps, wobble, strict=False):
        at_s += gap_s
        transit = crossing.pass_(at_s)
        assert crossing.scan(at_s + offset_s + off_s) is transit
        assert not transit.ambiguous


class Forgetful(Pairing):
    """Asks every time, whether anything is otherwise or not."""

    _settled = property(lambda self: None, lambda self, value: None)


def play(events: Sequence[tuple[float, str, str]], kind: type[Pairing] = Pairing) -> list[tuple]:
    """(at, what, lane) in this order, to what every transit holds in the end."""
    crossing = Crossing("a", "b")
    crossing.pairing = kind(list(crossing.lanes.values()), POLICY)
    for at_s, what, lane in events:
        if what == "portal":
            crossing.pass_(at_s, 12.0, lane=lane)
        else:
            crossing.scan(at_s, 12.0, name=f"scan-{lane}-{at_s}")
    return sorted(
        (
            transit.key,
            tuple((d.facts["scan_id"]) for d in transit.of("xray.scan")),
            tuple((key, round(weight, 9)) for key, weight in sorted(transit.scans.items())),
        )
        for lane in crossing.lanes.values()
        for transit in lane.transits
    )


events = st.lists(
    st.tuples(
        st.integers(0, 40).map(float), st.sampled_from(["portal", "scan"]), st.sampled_from("ab")
    ),
    min_size=1,
    max_size=8,
    unique=True,
).map(sorted)


@given(events=events)
def test_the_same_again_gives_the_same(events):
    assert play(events) == play(events)


@given(events=events, data=st.data())
def test_what_happens_at_one_time_may_be_told_in_any_order(events, data):
    """Two portals that count a vehicle each at one moment: which is heard first is chance."""
    at_once = [one for one in events if one[1] == "portal"]
    rest = [one for one in events if one[1] != "portal"]
    at_once = [(0.0, what, lane) for _, what, lane in {(0.0, w, ln) for _, w, ln in at_once}]
    other = data.draw(st.permutations(sorted(at_once)))
    assert play([*sorted(at_once), *rest]) == play([*other, *rest])


@given(events=events)
def test_no_scan_is_lost_and_none_is_told_twice(events):
    told = [name for _, names, _ in play(events) for name in names]
    assert sorted(told) == sorted(f"scan-{ln}-{at}" for at, what, ln in events if what == "scan")


@given(events=events, later=events)
def test_what_was_not_asked_again_would_have_been_the_same(events, later):
    more = [(at_s + 90.0, what, lane) for at_s, what, lane in later]
    assert play([*events, *more]) == play([*events, *more], Forgetful)
