"""Who saw nothing, who could not have, and since when silence means something."""

from dataclasses import replace

import pytest

from fusion.types import SECOND_NS, Family, SensorSpec
from fusion.witnesses import ASK_NS, BLIND_NS, WARM_NS, Witnesses, others
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, dense, detection, gamma, steps


class Senses:
    """All up, but for those that are down."""

    def __init__(self, *down):
        self.down = set(down)

    def up(self, sensor_id):
        return sensor_id not in self.down


def names_of(place, *detections, down=()):
    return others(CHECKPOINT.sensors, place, detections, Senses(*down))


def test_who_said_nothing_for_any_explanation_was_silent():
    assert names_of("fence", steps("geo-2", 20.0)) == (("geo-1", "geo-3"), ())


def test_who_was_down_is_named_apart():
    assert names_of("fence", steps("geo-2", 20.0), down=("geo-3",)) == (("geo-1",), ("geo-3",))


def test_a_scanner_has_seen_nothing_only_once_it_has_scanned():
    peak = gamma(12.0, point=90.0, extended=20.0)
    assert names_of("nb-01", peak) == ((), ())
    clear = detection("xray.scan", "xray-1", {"regions": ()})
    assert names_of("nb-01", peak, clear) == (("xray-1",), ())
    assert names_of("nb-01", peak, clear, dense(11.0)) == ((), ())


def test_what_a_cue_is_made_of_has_spoken():
    seen = replace(dense(11.0), nats={})
    cue = replace(dense(11.0), sensor_id="fusion", kind="fusion.shielding")
    assert names_of("nb-01", seen) == (("rpm-1", "xray-1"), ())
    assert names_of("nb-01", seen, cue) == (("rpm-1",), ())


def test_a_row_of_silence_is_no_word():
    cue = replace(dense(11.0), sensor_id="fusion", kind="fusion.drop-off")
    row = replace(steps("geo-1", 20.0), kind="silence.steps", nats={"person": -1.0})
    assert names_of("fence", steps("geo-2", 20.0), cue, row)[0] == ("geo-1", "geo-3")


def test_a_scanner_of_several_lanes_is_a_witness_in_each():
    scanner = SensorSpec(sensor_id="xray-9", family=Family.XRAY, place="nb-01", also=("nb-02",))
    scan = detection("xray.scan", "xray-9", {})
    for lane in ("nb-01", "nb-02"):
        assert others([scanner], lane, [scan], Senses()) == (("xray-9",), ())
    assert others([scanner], "sb-01", [scan], Senses()) == ((), ())


@pytest.fixture
def senses():
    return Senses()


@pytest.fixture
def witnesses(senses):
    return Witnesses(CHECKPOINT.sensors, senses)


def watch(witnesses, from_s, to_s):
    for second in range(from_s, to_s + 1):
        witnesses.tick(START_UTC_NS + second * SECOND_NS)


def at(seconds):
    return START_UTC_NS + seconds * SECOND_NS


def test_silence_means_something_once_a_sensor_has_warmed_up(witnesses):
    watch(witnesses, 0, 100)
    warm_s = WARM_NS // SECOND_NS
    assert not witnesses.quiet("geo-1", at(warm_s - 1))
    assert witnesses.quiet("geo-1", at(warm_s))


def test_who_comes_back_warms_up_anew(witnesses, senses):
    watch(witnesses, 0, 50)
    senses.down.add("geo-1")
    watch(witnesses, 51, 60)
    senses.down.clear()
    watch(witnesses, 61, 120)
    assert not witnesses.quiet("geo-1", at(80))
    assert witnesses.quiet("geo-1", at(91))
    assert witnesses.quiet("geo-2", at(80))


def test_nobody_was_listened_to_while_the_machine_stood_still(witnesses):
    watch(witnesses, 0, 100)
    witnesses.tick(at(100) + BLIND_NS + SECOND_NS)
    assert not witnesses.quiet("geo-1", at(100))


def test_it_is_asked_once_a_second(witnesses, senses):
    witnesses.tick(at(0))
    senses.down.add("geo-1")
    witnesses.tick(at(0) + ASK_NS - 1)
    senses.down.clear()
    watch(witnesses, 1, 60)
    assert witnesses.quiet("geo-1", at(30))


def test_a_sensor_that_tells_of_something_is_not_quiet(witnesses):
    watch(witnesses, 0, 100)
    witnesses.note(steps("geo-1", 50.0))
    assert not witnesses.quiet("geo-1", at(50))
    assert witnesses.quiet("geo-1", at(51))


def test_a_sensor_with_a_fault_is_no_witness_until_all_of_them_have_ended(witnesses):
    watch(witnesses, 0, 100)
    for code in ("clock", "tamper"):
        witnesses.note(detection("health.fault", "geo-1", {"active": True, "code": code}))
    witnesses.note(detection("health.fault", "geo-1", {"active": False, "code": "clock"}))
    assert not witnesses.is_well("geo-1")
    witnesses.note(detection("health.tamper", "geo-1", {"active": False, "code": "tamper"}))
    assert witnesses.is_well("geo-1")
    assert witnesses.quiet("geo-1", at(60))
