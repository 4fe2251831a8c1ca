"""A tape fused again gives the engine's own alerts; what is left out or spoilt is not heard."""

import pytest

from edge.config import checkpoint_of
from edge.study.tapes import Fed, fused, perceived, rehearsed
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.types import Event, Family
from tests.edge.rehearsed import small_config, small_scenario


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    config = small_config(tmp_path_factory.mktemp("tape"))
    return checkpoint_of(config), rehearsed(small_scenario(), config)


@pytest.fixture(scope="module")
def tape(day):
    return perceived(day[1], day[0], Policy())


def engine_alerts(checkpoint, samples):
    engine, told = Engine(checkpoint, Policy()), []
    for fed in samples:
        alerts = engine.tick(fed.utc_ns) if fed.sample is None else engine.feed(fed.sample)
        told += alerts
    return told


def test_what_is_perceived_and_fused_is_what_the_engine_tells(day, tape):
    checkpoint, samples = day
    engine = engine_alerts(checkpoint, samples)
    assert {alert.event for alert in engine} >= {Event.RAD_THREAT, Event.SENSOR_TAMPER}
    assert [told.alert for told in tape[1]] == engine
    assert fused(tape[0], checkpoint, Policy()) == tape[1]


def test_a_family_that_is_left_out_says_nothing(day, tape):
    told = fused(tape[0], day[0], Policy(), keep=lambda d: d.family is not Family.RADIATION)
    assert told
    assert not {one.alert.event for one in told} & {Event.RAD_THREAT, Event.SENSOR_TAMPER}


def test_a_sensor_that_is_dead_is_told_as_silent(day):
    checkpoint, samples = day
    spoilt, _ = perceived(
        samples, checkpoint, Policy(), lambda _, one: () if one.sensor_id == "rpm-1" else (one,)
    )
    told = fused(spoilt, checkpoint, Policy())
    assert Event.SENSOR_SILENT in {one.alert.event for one in told}
    assert Event.RAD_THREAT not in {one.alert.event for one in told}


def test_samples_come_in_the_order_of_time(day):
    times = [fed.utc_ns for fed in day[1]]
    assert times == sorted(times)
    assert isinstance(day[1][0], Fed)
