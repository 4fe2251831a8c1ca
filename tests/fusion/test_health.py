from fusion.health import SensorHealth
from fusion.policy import AlarmPolicy
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    Family,
    Origin,
    Radiation,
    SensorSpec,
    StatusSample,
)
from tests.fusion.makers import START_UTC_NS

POLICY = AlarmPolicy()
SPEC = SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="nb-01", silent_after_ms=15_000)


def ns(seconds: float) -> int:
    return START_UTC_NS + int(seconds * SECOND_NS)


def sample(at_s: float) -> BackgroundSample:
    return BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=ns(at_s),
        duration_ms=5000,
        radiation=Radiation.GAMMA,
        rate_cps=(250.0,) * 4,
        device_fault="",
    )


def status(code: str, at_s: float, *, active: bool) -> StatusSample:
    return StatusSample(
        sensor_id="rpm-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=ns(at_s),
        code=code,
        active=active,
    )


def test_silence_is_told_once_and_ends_with_the_next_sample():
    health = SensorHealth(SPEC, POLICY)
    assert health.heard(sample(0.0), ns(0.0)) == []
    assert health.tick(ns(15.0)) == []
    (silent,) = health.tick(ns(15.1))
    assert silent.kind == "health.silent"
    assert silent.origin is Origin.SIMULATOR
    assert health.tick(ns(30.0)) == []
    assert not health.up
    (back,) = health.heard(sample(40.0), ns(40.0))
    assert back.facts["active"] is False
    assert back.facts["silent_s"] == 40.0
    assert health.up


def test_a_sensor_that_never_spoke_is_silent_too():
    health = SensorHealth(SPEC, POLICY)
    assert health.tick(ns(0.0)) == []
    assert len(health.tick(ns(15.1))) == 1


def test_a_link_that_comes_back_at_once_is_no_alert():
    health = SensorHealth(SPEC, POLICY)
    health.heard(sample(0.0), ns(0.0))
    health.heard(status("link", 1.0, active=True), ns(1.0))
    assert not health.up
    health.heard(status("link", 2.0, active=False), ns(2.0))
    assert health.tick(ns(14.0)) == []


def test_a_link_that_stays_away_is_silence_before_the_time_is_out():
    health = SensorHealth(SPEC, POLICY)
    health.heard(sample(0.0), ns(0.0))
    health.heard(status("link", 1.0, active=True), ns(1.0))
    (silent,) = health.tick(ns(1.0 + POLICY.link_delay_s))
    assert silent.facts["text"] == "link"


def test_tamper_is_told_when_it_begins_and_when_it_has_ended_and_not_in_between():
    health = SensorHealth(SPEC, POLICY)
    told = [
        health.heard(status("tamper", at_s, active=active), ns(at_s))
        for at_s, active in ((1.0, True), (2.0, True), (3.0, False), (4.0, False))
    ]
    assert [len(one) for one in told] == [1, 0, 0, 0]
    assert health.tick(ns(3.9)) == []
    (ended,) = health.tick(ns(4.0))
    assert health.tick(ns(5.0)) == []
    assert (told[0][0].kind, ended.kind) == ("health.tamper", "health.tamper")
    assert told[0][0].start_utc_ns == ended.start_utc_ns == ended.facts["began_utc_ns"]
    assert ended.facts["duration_s"] == 2.0
    assert (ended.facts["active"], ended.final) == (False, True)


def test_a_contact_that_chatters_is_one_episode():
    health = SensorHealth(SPEC, POLICY)
    told = [
        one
        for step in range(20)
        for one in health.heard(status("tamper", step * 0.4, active=step % 2 == 0), ns(step * 0.4))
        + health.tick(ns(step * 0.4 + 0.1))
    ]
    assert [one.facts["active"] for one in told] == [True]
    (ended,) = health.tick(ns(9.0))
    assert ended.facts["duration_s"] == 7.6


def test_a_fault_that_comes_back_later_is_a_second_episode_though_nobody_ticked():
    health = SensorHealth(SPEC, POLICY)
    told = [
        one
        for at_s, active in ((1.0, True), (2.0, False), (6.0, True))
        for one in health.heard(status("gamma-low", at_s, active=active), ns(at_s))
    ]
    assert [one.facts["active"] for one in told] == [True, False, True]
    assert told[1].facts["duration_s"] == 1.0
    assert told[2].start_utc_ns == ns(6.0)


def test_any_other_condition_is_a_fault_with_its_code():
    (fault,) = SensorHealth(SPEC, POLICY).heard(status("gamma-low", 1.0, active=True), ns(1.0))
    assert fault.kind == "health.fault"
    assert fault.facts["code"] == "gamma-low"


def test_what_was_heard_before_the_first_tick_is_no_old_silence():
    health = SensorHealth(SPEC, POLICY)
    health.heard(sample(0.0), 0)
    assert health.tick(ns(0.1)) == []
    assert health.tick(ns(14.0)) == []


def test_a_background_that_is_too_high_for_a_moment_is_no_fault():
    health = SensorHealth(SPEC, POLICY)
    assert health.heard(status("gamma-high", 1.0, active=True), ns(1.0)) == []
    assert health.tick(ns(15.0)) == []
    assert health.heard(status("gamma-high", 16.0, active=False), ns(16.0)) == []
    assert [d.kind for d in health.tick(ns(60.0)) if d.kind == "health.fault"] == []


def test_a_background_that_stays_too_high_is_told_with_its_beginning():
    health = SensorHealth(SPEC, POLICY)
    for at_s in (1.0, 6.0, 11.0, 16.0):
        assert health.heard(status("gamma-high", at_s, active=True), ns(at_s)) == []
    (fault,) = [d for d in health.tick(ns(21.0)) if d.kind == "health.fault"]
    assert (fault.start_utc_ns, fault.facts["code"]) == (ns(1.0), "gamma-high")
    assert health.heard(status("gamma-high", 26.0, active=True), ns(26.0)) == []
    assert health.heard(status("gamma-high", 31.0, active=False), ns(31.0)) == []
    (end,) = [d for d in health.tick(ns(33.0)) if d.kind == "health.fault"]
    assert end.facts["active"] is False
