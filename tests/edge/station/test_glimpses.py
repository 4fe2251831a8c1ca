import msgspec
import numpy as np
import pytest

from edge.station.glimpses import Glimpses, glimpse
from fusion.types import (
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
    WaveformSample,
)


def counts(origin=Origin.SENSOR, radiation=Radiation.GAMMA):
    return CountSample(
        sensor_id="rpm-1",
        origin=origin,
        start_utc_ns=0,
        duration_ms=200,
        radiation=radiation,
        counts=(10, 20, 30, 40),
        device_alarm=False,
    )


def ground(values, counts_per_m_s=4e8):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=0,
        rate_hz=100.0,
        channel="EHZ",
        counts=np.array(values, np.int32),
        counts_per_m_s=counts_per_m_s,
    )


class Screen:
    def __init__(self):
        self.now, self.shown = 100.0, []
        self.glimpses = Glimpses(
            site="mariposa",
            places={"rpm-1": "nb-01", "geo-1": "fence"},
            publish=self.publish,
            monotonic=lambda: self.now,
        )

    def publish(self, topic, payload, place):
        assert f"/{place}/" in topic
        self.shown.append((topic, msgspec.json.decode(payload)))


def test_a_sensor_is_shown_twice_a_second_at_most():
    screen = Screen()
    for _ in range(20):
        screen.glimpses.look(counts())
        screen.now += 0.1
    assert len(screen.shown) in {4, 5}


def test_gamma_and_neutron_of_one_portal_do_not_hide_each_other():
    screen = Screen()
    screen.glimpses.look(counts())
    screen.glimpses.look(counts(radiation=Radiation.NEUTRON))
    assert [topic for topic, _ in screen.shown] == [
        "garita/v1/mariposa/nb-01/live/gamma",
        "garita/v1/mariposa/nb-01/live/neutron",
    ]


def test_what_a_simulator_measures_is_shown_below_the_exercise_root():
    screen = Screen()
    screen.glimpses.look(ground([0, 400, 0, -400]))
    ((topic, message),) = screen.shown
    assert topic == "garita-exercise/v1/mariposa/fence/live/ground"
    assert message["origin"] == "simulator"


def test_panel_rates_are_per_second():
    assert glimpse(counts())["panels_cps"] == [50.0, 100.0, 150.0, 200.0]
    vacant = BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=0,
        duration_ms=1000,
        radiation=Radiation.GAMMA,
        rate_cps=(1.0, 2.0, 3.0, 4.0),
        device_fault="",
    )
    assert glimpse(vacant) == {"panels_cps": [1.0, 2.0, 3.0, 4.0], "total_cps": 10.0, "occupied": 0}


def test_ground_motion_is_without_the_digitizers_offset():
    shown = glimpse(ground([16_000 + 400, 16_000 - 400] * 10))
    assert shown["rms_um_s"] == pytest.approx(1.0)
    assert shown["peak_um_s"] == pytest.approx(1.0)


def test_what_is_no_measurement_is_not_shown():
    screen = Screen()
    opened = OccupancySample(
        sensor_id="rpm-1", origin=Origin.SENSOR, start_utc_ns=0, opened=True, counter=1
    )
    screen.glimpses.look(opened)
    screen.glimpses.look(ground([1, 2], counts_per_m_s=0.0))
    assert screen.shown == []
