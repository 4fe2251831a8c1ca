"""The ticks around recorded device files: those of a service that was not there."""

from itertools import pairwise

from edge.recordings.format import Event, What
from edge.study.devices import LEAD_NS, QUIET_NS, TAIL_NS, TICK_NS, with_ticks
from fusion.engine import LONGEST_STEP_NS, Engine
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    Checkpoint,
    Family,
    LaneSpec,
    Origin,
    Radiation,
    SensorSpec,
)
from fusion.types import Event as Told
from tests.fusion.makers import START_UTC_NS


def raw(at_s):
    return Event(What.RAW, START_UTC_NS + at_s * SECOND_NS, 0, "rpm", b"x")


def ticks(*at_s):
    return [event.utc_ns for event in with_ticks(map(raw, at_s)) if event.what is What.TICK]


def told(silent_after_s, *at_s):
    """What an engine says of a portal that speaks at those times only."""
    portal = SensorSpec(
        sensor_id="rpm",
        family=Family.RADIATION,
        place="lane",
        silent_after_ms=round(silent_after_s * 1000),
    )
    lane = LaneSpec(lane_id="lane", direction="northbound")
    engine = Engine(Checkpoint(site="site", sensors=(portal,), lanes=(lane,), zones=()))
    alerts = []
    for event in with_ticks(map(raw, at_s)):
        if event.what is What.TICK:
            alerts += engine.tick(event.utc_ns)
            continue
        alerts += engine.feed(
            BackgroundSample(
                sensor_id="rpm",
                origin=Origin.REPLAY,
                start_utc_ns=event.utc_ns,
                duration_ms=5000,
                radiation=Radiation.GAMMA,
                rate_cps=(250.0,) * 4,
                device_fault="",
            )
        )
    return [alert.event for alert in alerts]


def test_ticks_begin_with_the_first_event_and_end_ten_minutes_after_the_last():
    found = ticks(0, 5)
    assert found[0] == START_UTC_NS
    assert found[-1] == START_UTC_NS + 5 * SECOND_NS + TAIL_NS
    assert {after - before for before, after in pairwise(found)} == {TICK_NS}


def test_a_silence_of_hours_has_fewer_ticks_but_none_that_the_engine_passes_over():
    steps = [after - before for before, after in pairwise(ticks(0, 36_000))]
    assert max(steps) <= LONGEST_STEP_NS
    assert len(steps) < 40_000


def test_only_after_a_day_of_silence_is_there_a_step():
    steps = [after - before for before, after in pairwise(ticks(0, 864_000))]
    (long,) = [step for step in steps if step > LONGEST_STEP_NS]
    assert long > 864_000 * SECOND_NS - QUIET_NS - TAIL_NS - LEAD_NS - 2 * SECOND_NS


def test_a_real_silence_within_device_files_is_told():
    # Begins, ends, and begins again where the file ends.
    assert told(15, 0, 5, 3600) == [Told.SENSOR_SILENT] * 3
    assert told(7200, 0, 5, 36_000) == [Told.SENSOR_SILENT] * 2
    assert told(86_400, 0, 5, 864_000) == [Told.SENSOR_SILENT] * 2


def test_a_pause_shorter_than_the_limit_is_not_told():
    assert told(7200, 0, 5, 7000) == []
