"""The crossing's places are those of its configuration; what is put into an hour is labelled."""

from itertools import pairwise
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge.config import checkpoint_of, load_config
from simulators.crossing import LANES, SCANNER_AFTER_M, Hour, gone_s, sensors, spread_s
from simulators.crossing_loads import shielded_source
from simulators.scenario import Fault, Mover, Vehicle

CONFIG = Path(__file__).parents[2] / "configs" / "crossing.yaml"


def test_the_configuration_has_the_very_places_of_the_simulated_days():
    checkpoint = checkpoint_of(load_config(CONFIG))
    told = {sensor.sensor_id: (sensor.place, sensor.position_m) for sensor in checkpoint.sensors}
    assert told == {
        place.sensor_id: (place.lane or place.zone, place.place_m) for place in sensors(1)
    }
    lanes = {lane.lane_id: (lane.portal_m, lane.heading_deg) for lane in checkpoint.lanes}
    assert lanes == {place.lane: (place.portal_m, place.heading_deg) for place in LANES}


def test_a_spectroscopic_portal_comes_last_so_that_all_others_stay_what_they_are():
    assert sensors(1, spectroscopic=True)[:-1] == sensors(1)


@given(
    seed=st.integers(0, 99),
    count=st.integers(0, 40),
    room_s=st.floats(0.0, 1000.0),
    apart_s=st.floats(1.0, 200.0),
)
def test_spread_times_lie_between_in_order_and_apart(seed, count, room_s, apart_s):
    times_s = spread_s(Random(seed), count, 10.0, 10.0 + room_s, apart_s)
    assert len(times_s) <= count
    assert all(9.999 <= at_s <= 10.001 + room_s for at_s in times_s)
    assert all(b - a > apart_s - 1e-6 for a, b in pairwise(times_s))


def test_all_that_is_put_into_an_hour_has_a_label():
    hour = Hour("test", 1, 0, 100.0, Random(1))
    load = shielded_source(Random(1))
    vehicle = load.onto(Vehicle(vehicle_id="nb-01-0001", lane="nb-01", at_portal_s=50.0))
    hour.drive(vehicle, load, "close behind")
    walker = Mover(
        mover_id="",
        kind="person",
        zone="north-fence",
        start_s=5.0,
        start_m=(0.0, 0.0),
        end_m=(14.0, 0.0),
    )
    hour.move(walker, "person", ("PERSON",))
    hour.fail(Fault(sensor_id="rpm-nb-01", kind="silent", start_s=1.0, end_s=2.0), "nb-01", ())
    fault, person, truck = hour.scenario().truth
    assert (fault.name, fault.subject) == ("silent", "rpm-nb-01")
    assert (person.subject, person.end_s) == ("person-0001", 15.0)
    assert truck.detail.endswith("; close behind")
    assert truck.end_s == gone_s(vehicle) == vehicle.reaches_s(SCANNER_AFTER_M + vehicle.length_m)
    assert len(truck.hidden_m) == 1
