"""Sensors that repeat themselves, come late, are loud by themselves or have a clock that is out."""

import pytest

from drivers.wire import bundle, datacast, tsa
from drivers.wire.sidecar import parse_sidecar
from simulators.catalog import KINDS
from simulators.portal_faults import Late, Stuck
from simulators.scenario import Fault, LanePlace, Scenario, SensorPlace, Vehicle

LANE = LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0, scanner_after_m=30.0)
PLACES = (
    SensorPlace(sensor_id="rpm", kind="rpm-tsa", lane="nb-01"),
    SensorPlace(
        sensor_id="geo",
        kind="shake-udp",
        zone="fence",
        place_m=(500.0, 0.0),
        options=(("channels", "EHZ"),),
    ),
    SensorPlace(
        sensor_id="xray",
        kind="xray-planes",
        lane="nb-01",
        options=(("rows", "120"), ("pitch_mm", "32")),
    ),
)


def day(*faults: Fault) -> Scenario:
    vehicles = tuple(
        Vehicle(vehicle_id=f"truck-{at_s:.0f}", lane="nb-01", at_portal_s=at_s)
        for at_s in (20.0, 60.0)
    )
    return Scenario(
        name="faults",
        seed=3,
        start_utc_ns=1_790_000_000 * 10**9,
        duration_s=100.0,
        lanes=(LANE,),
        sensors=PLACES,
        vehicles=vehicles,
        faults=faults,
    )


def sent(sensor_id, *faults, seconds=100, step_ms=200):
    scenario = day(*faults)
    simulator = KINDS[scenario.sensor(sensor_id).kind].build(scenario, sensor_id)
    return [simulator.step(step_ms) for _ in range(seconds * 1000 // step_ms)]


def stuck(sensor_id, start_s, end_s):
    return Fault(sensor_id=sensor_id, kind="stuck", start_s=start_s, end_s=end_s)


def test_a_stuck_portal_says_the_same_counts_until_it_is_free():
    decoder = tsa.TsaDecoder()
    told = [
        (number // 5, line)
        for number, data in enumerate(sent("rpm", stuck("rpm", 40.0, 80.0)))
        for line in decoder.feed(data)
        if isinstance(line, tsa.CountsLine)
    ]
    inside = [line for at_s, line in told if 41 <= at_s < 79]
    assert len({line.counts for line in inside if line.tag == "GB"}) == 1
    assert len({line.counts for line in inside if line.tag in ("GS", "GA")}) == 1
    assert len({line.counts for at_s, line in told if at_s < 40 and line.tag == "GB"}) > 3


@pytest.mark.parametrize("step_ms", [200, 1000])
def test_a_late_portal_says_the_same_as_one_in_time(step_ms):
    late = Fault(sensor_id="rpm", kind="late", start_s=30.0, end_s=70.0, size=0.5)
    in_time, behind = sent("rpm"), sent("rpm", late, step_ms=step_ms)
    assert b"".join(behind) == b"".join(in_time)
    if step_ms == 200:
        assert behind[:148] == in_time[:148]
        assert behind != in_time


def test_what_is_late_never_overtakes():
    link = Late()
    link.send(b"first", 1000, 0.5)
    link.send(b"second", 1200, 0.0)
    assert link.arrived(1499) == []
    assert link.arrived(1500) == [b"first", b"second"]


def test_a_controller_that_was_never_right_has_nothing_to_repeat():
    controller = Stuck()
    assert controller.told("GB", (1, 2, 3, 4), stuck=True) == ("GB", (1, 2, 3, 4))
    assert controller.told("GB", (5, 6, 7, 8), stuck=True) == ("GB", (1, 2, 3, 4))
    assert controller.told("GB", (5, 6, 7, 8), stuck=False) == ("GB", (5, 6, 7, 8))


def packets(*faults):
    return [
        datacast.parse_record(one)
        for data in sent("geo", *faults, seconds=30, step_ms=1000)
        for one in datacast.split(data)
    ]


def test_a_stuck_geophone_sends_one_packet_again_and_again():
    told = packets(stuck("geo", 10.0, 20.0))
    assert len({packet.counts for packet in told[40:80]}) == 1
    assert len({packet.counts for packet in told[80:]}) == 40
    assert len({packet.start_utc_ns for packet in told}) == 120
    assert told[:40] == packets()[:40]


def test_a_noisy_geophone_is_louder_and_then_as_if_nothing_had_been():
    noisy = Fault(sensor_id="geo", kind="noisy", start_s=10.0, end_s=20.0, size=3.0)
    quiet, loud = packets(), packets(noisy)
    assert loud[80:] == quiet[80:]

    def spread(told):
        counts = [count for packet in told for count in packet.counts]
        return max(counts) - min(counts)

    assert spread(loud[40:80]) > 3 * spread(quiet[40:80])


def scans(*faults):
    decoder = bundle.BundleDecoder()
    return [
        dict(one.files)
        for data in sent("xray", *faults, step_ms=1000)
        for one in decoder.feed(data)
    ]


def pictures(scan):
    return [content for name, content in sorted(scan.items()) if name.endswith("tiff")]


def test_a_stuck_scanner_shows_the_vehicle_before():
    first, second = map(pictures, scans(stuck("xray", 50.0, 100.0)))
    assert len(first) == 2
    assert first == second
    assert pictures(scans()[1]) != first


def test_a_scanners_clock_that_is_out_is_out_in_what_it_writes():
    step = Fault(sensor_id="xray", kind="clock-step", start_s=0.0, end_s=100.0, size=0.5)
    right, out = scans()[0], scans(step)[0]
    starts = [
        parse_sidecar(next(v for k, v in one.items() if k.endswith("json"))).start_utc_ns
        for one in (right, out)
    ]
    assert starts[1] - starts[0] == 500_000_000


def test_a_portal_whose_light_barrier_is_blind_counts_no_vehicle_until_it_sees_again():
    blind = Fault(sensor_id="rpm", kind="beam-blind", start_s=10.0, end_s=40.0)

    def passes(*faults):
        decoder = tsa.TsaDecoder()
        lines = [line for data in sent("rpm", *faults) for line in decoder.feed(data)]
        return sum(isinstance(line, tsa.EndLine) for line in lines)

    assert (passes(), passes(blind)) == (2, 1)
