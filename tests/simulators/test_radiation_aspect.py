"""The simulated Aspect portal: its registers, its device's habits, its faults."""

from itertools import pairwise

import pytest

from drivers.radiation_aspect import AspectDriver
from drivers.radiation_aspect_config import AspectConfig
from drivers.wire import modbus
from drivers.wire.aspect import AspectDecoder, ChannelStatus, Description, Monitor
from drivers.wire.malformed import Malformed
from fusion.types import MILLISECOND_NS, Origin, StatusSample
from simulators.radiation_aspect import KINDS, AspectSimulator
from simulators.scenario import Fault, LanePlace, Scenario, SensorPlace, Source, Vehicle

TRUCK = Vehicle(vehicle_id="t-1", lane="nb-01", at_portal_s=20.0)
START_NS = 1_763_740_000_000_000_000


def scene(*vehicles, **keys):
    return Scenario(
        name="test",
        seed=keys.pop("seed", 7),
        start_utc_ns=START_NS,
        duration_s=120.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="rpm-1", kind="rpm-aspect", lane="nb-01"),),
        vehicles=vehicles,
        **keys,
    )


def fault(kind, start_s=30.0, end_s=45.0):
    return Fault(sensor_id="rpm-1", kind=kind, start_s=start_s, end_s=end_s)


def sent(scenario, seconds=60):
    return AspectSimulator(scenario, "rpm-1").step(seconds * 1000)


def readings(scenario, seconds=60):
    read = AspectDecoder().feed(sent(scenario, seconds))
    return [one for one in read if isinstance(one, Monitor)]


def statuses(scenario, seconds=100):
    simulator = AspectSimulator(scenario, "rpm-1")
    config = AspectConfig(id="rpm-1", lane="nb-01", url="tcp://127.0.0.1:502")
    driver = AspectDriver(config, Origin.SIMULATOR)
    read = []
    for at_ms in range(200, seconds * 1000 + 1, 200):
        if data := simulator.step(200):
            read += driver.feed(data, START_NS + at_ms * MILLISECOND_NS)
    return [(one.code, one.active) for one in read if isinstance(one, StatusSample)]


def test_it_says_what_it_is_first_and_then_what_it_sees():
    first, *others = AspectDecoder().feed(sent(scene()))
    assert isinstance(first, Description)
    assert all(isinstance(one, Monitor) for one in others)
    assert len(others) == 61  # the first second's, then one a second


def test_counts_run_on_at_the_backgrounds_rate():
    seen = readings(scene(), 120)
    assert all(a.gamma.count <= b.gamma.count for a, b in pairwise(seen))
    elapsed_s = (seen[-1].elapsed - seen[0].elapsed) / 1000
    rate_cps = (seen[-1].gamma.count - seen[0].gamma.count) / elapsed_s
    assert 800 < rate_cps < 1100
    assert 0.9 < seen[-1].gamma.background / rate_cps < 1.1


def test_a_vehicle_is_counted_measured_and_read_five_times_a_second():
    seen = readings(scene(TRUCK))
    inside = [one for one in seen if one.occupied]
    assert abs(len(inside) - 5 * 18.0 / 2.2) <= 5
    assert {one.objects for one in inside} == {1}
    assert {one.direction for one in inside} == {"forward"}
    assert abs(inside[-1].speed_mm_s - 2200) < 200
    assert seen[-1].objects == 1


def test_who_reverses_is_seen_to():
    reversing = Vehicle(
        vehicle_id="t-1",
        lane="nb-01",
        at_portal_s=20.0,
        speeds=((0.0, 2.0), (4.0, -1.0), (6.0, 2.0)),
    )
    assert {one.direction for one in readings(scene(reversing)) if one.occupied} == {
        "forward",
        "backward",
    }


def test_a_source_rings_the_devices_own_alarm():
    source = Source(nuclide="Cs-137", activity_mbq=20.0, from_m=9.0, to_m=9.0)
    truck = Vehicle(vehicle_id="t-1", lane="nb-01", at_portal_s=20.0, sources=(source,))
    assert any(one.alarming for one in readings(scene(truck)))
    assert not any(one.alarming for one in readings(scene(TRUCK)))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("tamper", "tamper"),
        ("power", "power"),
        ("battery", "battery"),
        ("error", "device-error"),
        ("gamma-high", "gamma-high"),
        ("gamma-low", "gamma-low"),
    ],
)
def test_a_fault_is_told_by_the_driver_once_at_each_end(kind, code):
    assert statuses(scene(faults=(fault(kind, end_s=60.0),))) == [(code, True), (code, False)]


def test_a_silent_device_sends_nothing():
    silent = fault("silent")
    seen = readings(scene(faults=(silent,)))
    assert not [one for one in seen if 30_000 <= one.elapsed < 45_000]
    assert seen[-1].elapsed == 60_000


def test_garbage_costs_no_reading():
    read = AspectDecoder().feed(sent(scene(faults=(fault("garbage"),))))
    assert sum(isinstance(one, Malformed) for one in read) == 15
    assert [one for one in read if isinstance(one, Monitor)][-1].elapsed == 60_000


def test_the_row_cuts_what_is_sent_into_frames():
    (row,) = KINDS
    frames = row.packets(sent(scene(TRUCK)))
    assert all(modbus.head(frame[:9]) == "" for frame in frames)


def test_a_ready_channel_has_no_fault_of_its_own():
    quiet = readings(scene())
    assert {one.gamma.status for one in quiet} == {ChannelStatus.READY}
    assert {one.inputs for one in quiet} == {0}
