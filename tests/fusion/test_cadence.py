"""A portal whose reports begin to come late is told; a link that holds one up is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.cadence import CadenceWatch
from fusion.engine import Engine
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    Checkpoint,
    CountSample,
    Event,
    Family,
    LaneSpec,
    OccupancySample,
    Origin,
    Phase,
    Radiation,
    SensorSpec,
)
from tests.fusion.makers import START_UTC_NS

SCAN_S = 0.2


def _common(at_s):
    utc_ns = START_UTC_NS + round(at_s * SECOND_NS)
    return {"sensor_id": "rpm-1", "origin": Origin.SENSOR, "start_utc_ns": utc_ns}


def report(at_s):
    return BackgroundSample(
        duration_ms=1000,
        radiation=Radiation.GAMMA,
        rate_cps=(200.0 + at_s, 230.0, 240.0, 250.0),
        device_fault="",
        **_common(at_s),
    )


def vehicle(at_s, lasts_s, shift_s):
    """Its second before the beam at once, then scan by scan."""
    rows = [OccupancySample(opened=True, counter=None, lead_in_ms=1000, **_common(at_s))]
    for i in range(round(lasts_s / SCAN_S)):
        begins_s = at_s + SCAN_S * i
        rows.append(
            CountSample(
                duration_ms=200,
                radiation=Radiation.GAMMA,
                counts=(50, 51, 52, 53 + i),
                device_alarm=False,
                **_common(begins_s + shift_s(begins_s)),
            )
        )
    return [*rows, OccupancySample(opened=False, counter=1, **_common(at_s + lasts_s + 0.5))]


def reports(until_s, shift_s, every_s=5.0, from_s=0.0):
    times_s = np.arange(from_s, until_s, every_s).tolist()
    return [report(at_s + shift_s(at_s)) for at_s in times_s]


def told(samples):
    """(seconds, active, text) of all that is said."""
    watch = CadenceWatch()
    said = [(sample, watch.feed(sample)) for sample in samples]
    return [
        ((sample.start_utc_ns - START_UTC_NS) / SECOND_NS, one.active, one.text)
        for sample, one in said
        if one is not None
    ]


def step(from_s, to_s, by_s):
    return lambda at_s: by_s if from_s <= at_s < to_s else 0.0


@pytest.mark.parametrize("by_s", [0.5, -0.5, 2.0])
def test_reports_that_come_late_are_told_with_the_second_and_so_is_the_end(by_s):
    begin, end = told(reports(400.0, step(200.0, 300.0, by_s)))
    assert begin == (pytest.approx(205.0 + by_s), True, f"{by_s:+.2f} s")
    assert end == (305.0, False, "")


def test_one_report_that_is_held_up_is_no_fault():
    assert told(reports(900.0, step(200.0, 205.0, 0.8))) == []


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.5))
def test_a_link_with_a_scattered_delay_is_no_fault(seed, scale_s):
    random = np.random.default_rng(seed)
    samples = [report(5.0 * i + float(random.exponential(scale_s))) for i in range(300)]
    assert told(samples) == []


def test_scans_of_a_vehicle_that_come_late_are_told_within_two_seconds():
    late = step(106.0, 900.0, 0.5)
    samples = [*reports(100.0, late), *vehicle(100.0, 12.0, late)]
    ((at_s, active, text),) = told([*samples, *reports(400.0, late, from_s=115.0)])
    assert active
    assert text == "+0.50 s"
    assert 106.0 < at_s <= 108.5


def test_a_scan_that_is_held_up_is_no_fault():
    samples = [*reports(100.0, step(0, 0, 0)), *vehicle(100.0, 12.0, step(105.0, 106.0, 0.6))]
    assert told(samples) == []


def test_between_vehicles_it_may_begin_to_count_anew():
    random = np.random.default_rng(3)
    samples, at_s = [], 0.0
    for _ in range(60):
        until_s = at_s + float(random.uniform(1.0, 60.0))
        samples += reports(until_s, lambda at_s: 0.0, from_s=at_s)
        lasts_s = float(random.uniform(2.0, 20.0))
        samples += vehicle(until_s, lasts_s, lambda at_s: 0.0)
        at_s = until_s + lasts_s + float(random.uniform(0.5, 4.0))
    assert told(samples) == []


def test_who_reports_at_another_rate_or_was_silent_is_not_late():
    slower = reports(400.0, lambda at_s: 0.0, every_s=6.0, from_s=206.0)
    said = told([*reports(201.0, lambda at_s: 0.0), *slower])
    assert [active for _, active, _ in said] in ([], [True, False])
    assert told([*reports(201.0, lambda at_s: 0.0), *reports(600.0, step(0, 600, 0.5))[60:]]) == []


def test_what_stays_late_is_told_once_and_then_is_how_it_is():
    said = told(reports(2000.0, step(200.0, 3000.0, 0.5)))
    assert [active for _, active, _ in said] == [True, False]
    assert 590.0 < said[1][0] - said[0][0] < 610.0


def test_an_alert_is_made_of_it():
    site = Checkpoint(
        site="s",
        sensors=(SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="l"),),
        lanes=(LaneSpec(lane_id="l", direction="northbound"),),
    )
    engine, alerts = Engine(site), []
    for sample in reports(400.0, step(200.0, 300.0, 0.5)):
        alerts += engine.tick(sample.start_utc_ns + SECOND_NS)
        alerts += engine.feed(sample)
    assert [alert.event for alert in alerts] == [Event.SENSOR_FAULT] * len(alerts)
    assert [alert.phase for alert in alerts] == [Phase.NEW, Phase.CLEAR]
    assert alerts[0].facts["code"] == "mistimed"
