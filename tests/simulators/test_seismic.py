from itertools import pairwise

import numpy as np
import pytest

from drivers.wire.datacast import DatacastDecoder, ShakePacket, split
from drivers.wire.malformed import Malformed
from simulators.ground import Wavelets, attenuation, geophone
from simulators.ground_sites import SITES
from simulators.ground_sources import impacts
from simulators.scenario import Fault, LanePlace, Mover, Scenario, SensorPlace, Vehicle
from simulators.seismic import COUNTS_PER_M_S, KINDS, GroundMotion, ShakeSimulator

START_NS = 1_763_740_000_000_000_000


def scene(**keys):
    options = keys.pop("options", (("channels", "EHZ"),))
    return Scenario(
        name="test",
        seed=keys.pop("seed", 7),
        start_utc_ns=START_NS,
        duration_s=120.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="geo-1", kind="shake-udp", options=options),),
        **keys,
    )


def velocity(scenario, seconds, rate_hz=100):
    motion = GroundMotion(scenario, "geo-1", rate_hz, "Z")
    return np.concatenate([motion.next_second()[0] for _ in range(seconds)])


def walker(**keys):
    place = {"start_m": (-20.0, 10.0), "end_m": (20.0, 10.0), "start_s": 5.0, "zone": "east"}
    return Mover(**{"mover_id": "m-1", "kind": "person", **place, **keys})


def packets_of(scenario, seconds):
    return DatacastDecoder().feed(ShakeSimulator(scenario, "geo-1").step(seconds * 1000))


FULL = (("channels", "EHZ,EHN,EHE,ENZ"), ("rate_hz", "200"))
BUSY = {
    "movers": (walker(),),
    "vehicles": (Vehicle(vehicle_id="v-1", lane="nb-01", at_portal_s=30.0),),
    "faults": (
        Fault(sensor_id="geo-1", kind="loss", start_s=10.0, end_s=20.0),
        Fault(sensor_id="geo-1", kind="garbage", start_s=20.0, end_s=30.0),
    ),
    "options": FULL,
}


@pytest.mark.parametrize("step_ms", [7, 100, 250, 999, 4001])
def test_the_size_of_the_steps_does_not_change_the_bytes(step_ms):
    whole = ShakeSimulator(scene(**BUSY), "geo-1").step(40_000)
    simulator = ShakeSimulator(scene(**BUSY), "geo-1")
    steps = [simulator.step(step_ms) for _ in range(40_000 // step_ms)]
    steps.append(simulator.step(40_000 - step_ms * (40_000 // step_ms)))
    assert b"".join(steps) == whole


def test_another_seed_sends_other_bytes():
    first, other = (ShakeSimulator(scene(seed=seed), "geo-1").step(1000) for seed in (1, 2))
    assert first != other


def test_every_channel_sends_a_packet_each_quarter_second():
    packets = packets_of(scene(options=FULL), 10)
    assert len(packets) == 160
    vertical = [packet for packet in packets if packet.channel == "EHZ"]
    assert {len(packet.counts) for packet in packets} == {50}
    assert [packet.start_utc_ns for packet in vertical] == [
        START_NS + number * 250_000_000 for number in range(40)
    ]


def test_what_is_sent_cuts_into_datagrams_of_one_packet_each():
    sent = ShakeSimulator(scene(options=FULL), "geo-1").step(2000)
    datagrams = KINDS[0].packets(sent)
    assert datagrams == split(sent)
    assert all(len(DatacastDecoder().feed(datagram)) == 1 for datagram in datagrams)


@pytest.mark.parametrize("options", [(("rate_hz", "60"),), (("channels", "HDF"),)])
def test_what_cannot_be_simulated_is_refused(options):
    with pytest.raises(ValueError, match="geo-1"):
        ShakeSimulator(scene(options=options), "geo-1")


def test_a_silent_station_sends_nothing_and_then_goes_on_in_time():
    fault = Fault(sensor_id="geo-1", kind="silent", start_s=2.0, end_s=5.0)
    times = [packet.start_utc_ns - START_NS for packet in packets_of(scene(faults=(fault,)), 8)]
    assert [ns for ns in times if 2e9 <= ns < 5e9] == []
    assert times[-1] == 7_750_000_000


def test_loss_drops_doubles_and_delays_packets():
    fault = Fault(sensor_id="geo-1", kind="loss", start_s=0.0, end_s=1000.0)
    packets = packets_of(scene(faults=(fault,)), 100)
    times = [packet.start_utc_ns for packet in packets]
    assert len(set(times)) == pytest.approx(360, abs=20)
    assert len(times) > len(set(times))
    assert times != sorted(times)


def test_a_little_loss_is_the_share_that_it_says():
    fault = Fault(sensor_id="geo-1", kind="loss", start_s=0.0, end_s=1000.0, size=0.01)
    packets = packets_of(scene(faults=(fault,)), 1000)
    times = [packet.start_utc_ns for packet in packets]
    assert 4000 - len(set(times)) == pytest.approx(40, abs=20)
    assert len(times) - len(set(times)) == pytest.approx(40, abs=20)
    assert sum(b < a for a, b in pairwise(times)) == pytest.approx(40, abs=25)


def test_a_clock_steps_and_is_set_right():
    fault = Fault(sensor_id="geo-1", kind="clock-step", start_s=5.0, end_s=9.0, size=-2.5)
    times = [packet.start_utc_ns - START_NS for packet in packets_of(scene(faults=(fault,)), 12)]
    assert times[:20] == [number * 250_000_000 for number in range(20)]
    assert times[20:36] == [number * 250_000_000 - 2_500_000_000 for number in range(20, 36)]
    assert times[36:] == [number * 250_000_000 for number in range(36, 48)]


def test_a_clock_may_be_off_and_drift():
    options = (("channels", "EHZ"), ("clock_offset_ms", "-40"), ("clock_drift_ppm", "100"))
    times = [packet.start_utc_ns - START_NS for packet in packets_of(scene(options=options), 100)]
    assert times[0] == -40_000_000
    assert times[-1] - 99_750_000_000 == pytest.approx(-30_000_000, abs=1_000_000)


def test_an_old_station_fills_a_packet_in_half_a_second():
    packets = packets_of(scene(options=(("channels", "SHZ"), ("rate_hz", "50"))), 4)
    assert {len(packet.counts) for packet in packets} == {25}
    assert [packet.start_utc_ns - START_NS for packet in packets[:3]] == [0, 5 * 10**8, 10**9]


def test_garbage_leaves_whole_packets_between_what_it_spoils():
    fault = Fault(sensor_id="geo-1", kind="garbage", start_s=0.0, end_s=1000.0)
    records = packets_of(scene(faults=(fault,)), 60)
    assert sum(isinstance(record, Malformed) for record in records) > 30
    assert sum(isinstance(record, ShakePacket) for record in records) > 120


def test_the_counts_are_the_velocity_times_the_sensitivity():
    scenario = scene(movers=(walker(),))
    packets = packets_of(scenario, 20)
    counts = np.concatenate([packet.counts for packet in packets])
    velocity_m_s = velocity(scenario, 20)
    offset = np.median(counts - velocity_m_s * COUNTS_PER_M_S)
    assert np.abs(counts - offset - velocity_m_s * COUNTS_PER_M_S).max() <= 1.0


def test_quiet_ground_is_as_loud_as_measured():
    noise = velocity(scene(wind_m_s=0.0), 100)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    f = np.fft.rfftfreq(len(noise), 0.01)
    band = spectrum[(f >= 5.0) & (f <= 40.0)].sum()
    rms_m_s = np.sqrt(2.0 * band) / len(noise)
    assert rms_m_s == pytest.approx(130e-9, rel=0.1)  # 126 of the ground and 30 of still air


def test_wind_is_louder_and_comes_in_gusts():
    calm, gale = velocity(scene(wind_m_s=0.0), 100), velocity(scene(wind_m_s=14.0), 100)
    assert gale.std() > 4.0 * calm.std()
    seconds = gale.reshape(100, 100).std(axis=1)
    assert 0.3 < seconds.std() / seconds.mean() < 1.2


@pytest.mark.parametrize(
    ("soil", "peaks_um_s"),
    [
        ("loam", {5: 36, 10: 19, 20: 7.6, 30: 3.5, 50: 0.87}),
        ("loess", {5: 25, 10: 16, 20: 8.7, 30: 5.7, 50: 2.8, 80: 1.1, 100: 0.63}),
        ("gravel", {5: 11, 10: 7.5, 20: 5.0, 30: 3.8, 50: 2.6, 80: 1.7, 100: 1.3}),
    ],
)
def test_a_step_fades_over_ground_as_the_table_says(soil, peaks_um_s):
    wavelets = Wavelets(SITES[soil], 200, 4.5)
    for range_m, peak in peaks_um_s.items():  # the table is for one frequency, a step has many
        assert 0.62 < peak_um_s(wavelets, range_m) / peak < 1.25


def peak_um_s(wavelets, range_m):
    return float(np.abs(wavelets.get("walk-15", range_m)[0, 0]).max()) * 1e6


def test_high_frequencies_fade_first():
    near, far = attenuation(SITES["loess"], np.array([5.0, 40.0]), np.array([5.0, 80.0]))
    assert far[1] / far[0] < 0.2 * near[1] / near[0]


def test_the_geophone_is_flat_above_its_corner_and_falls_by_40_db_a_decade_below():
    response = np.abs(geophone(np.array([0.0045, 0.045, 45.0]), 4.5))
    assert response[2] == pytest.approx(1.0, abs=0.02)
    assert response[1] / response[0] == pytest.approx(100.0, rel=0.01)


def test_a_walker_steps_twice_a_second_and_is_loudest_at_the_nearest_point():
    blows = list(impacts(scene(), walker()))
    cadence = 1.0 / np.diff([blow.at_s for blow in blows]).mean()
    assert cadence == pytest.approx(1.78, rel=0.1)
    motion = np.abs(velocity(scene(movers=(walker(),)), 36)).reshape(36, 100).max(axis=1)
    assert 15 <= motion.argmax() <= 23
    assert motion[:4].max() < 1e-6
    assert 8e-6 < motion.max() < 40e-6


def test_a_horse_sets_four_feet_a_stride():
    blows = list(impacts(scene(), walker(kind="animal", mass_kg=450.0)))
    stride_s = (blows[-1].at_s - blows[0].at_s) / (len(blows) / 4.0)
    assert 0.8 <= 1.0 / stride_s <= 1.5


def test_digging_stays_on_its_spot():
    dig = walker(kind="digging", end_m=(-19.0, 10.0), speed_m_s=0.02)
    blows = list(impacts(scene(), dig))
    assert {blow.place_m for blow in blows} == {(-20.0, 10.0)}
    gaps = np.diff([blow.at_s for blow in blows])
    assert gaps.std() > 0.3 * gaps.mean()


def test_a_truck_swells_and_fades_as_it_passes_its_lane():
    vehicle = Vehicle(vehicle_id="v-1", lane="nb-01", at_portal_s=60.0)
    motion = velocity(scene(vehicles=(vehicle,), wind_m_s=0.0), 120)
    loud = motion.reshape(12, 1000).std(axis=1)
    assert 5 <= loud.argmax() <= 7
    assert loud.max() > 10.0 * loud[0]


def test_two_stations_feel_one_walker_at_consistent_times():
    sensors = tuple(
        SensorPlace(sensor_id=f"geo-{number}", kind="shake-udp", place_m=(30.0 * number, 0.0))
        for number in (0, 1)
    )
    passing = walker(start_m=(-30.0, 5.0), end_m=(60.0, 5.0), speed_m_s=1.5)
    scenario = Scenario(
        name="line",
        seed=3,
        start_utc_ns=START_NS,
        duration_s=70.0,
        sensors=sensors,
        movers=(passing,),
    )
    loudest_s = []
    for sensor in sensors:
        motion = GroundMotion(scenario, sensor.sensor_id, 100, "Z")
        loudest_s.append(np.argmax([np.abs(motion.next_second()).max() for _ in range(70)]))
    assert loudest_s[1] - loudest_s[0] == pytest.approx(20.0, abs=3.0)
