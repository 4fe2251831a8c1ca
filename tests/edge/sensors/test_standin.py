"""Stand-ins: lawful traffic, the same for all of them, and no alarm of their own making."""

import asyncio

import pytest

from drivers.catalog import KINDS
from drivers.wire.malformed import Malformed
from edge.sensors.standin import StandIn, quiet_day, with_sensor
from fusion.types import SECOND_NS, Origin
from simulators.catalog import KINDS as SIMULATORS
from simulators.scenario import SensorPlace
from tests.contract.pairs import pair_of
from tests.contract.scenarios import DEVICE, LANE, START_UTC_NS

PORTAL = pair_of("rpm-tsa")


def test_a_new_lane_gets_lawful_trucks_and_no_source():
    scenario = with_sensor(quiet_day(1, START_UTC_NS), PORTAL.config())
    trucks = scenario.lane_vehicles(LANE)
    assert len(trucks) > 100
    assert not any(truck.sources for truck in trucks)
    assert scenario.lane(LANE)


def test_two_sensors_of_one_lane_see_the_same_trucks():
    one = with_sensor(quiet_day(1, START_UTC_NS), PORTAL.config())
    scanner = KINDS["xray-planes"].config(id="xray-1", lane=LANE, url="folder:/x")
    both = with_sensor(one, scanner)
    assert both.vehicles == one.vehicles
    assert [place.sensor_id for place in both.sensors] == [DEVICE, "xray-1"]


def test_a_scenario_that_knows_the_sensor_is_left_as_it_is():
    assert with_sensor(PORTAL.scenario, PORTAL.config()) == PORTAL.scenario


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_stood_in_for(kind):
    pair = pair_of(kind)
    scenario = with_sensor(quiet_day(1, START_UTC_NS), pair.config())
    assert scenario.sensor(DEVICE) == SensorPlace(
        sensor_id=DEVICE,
        kind=kind,
        lane=LANE if pair.wire.lane else "",
        zone="" if pair.wire.lane else "fence",
        options=(("columns", "time,counts"), ("rate_hz", "100")) if kind == "ascii-serial" else (),
    )
    loop_time_s = 0.0

    async def check():
        nonlocal loop_time_s
        loop = asyncio.get_running_loop()
        stand_in = StandIn(pair.config(), pair.scenario)
        began = loop.time()
        chunks = []
        # An hour cannot be waited for: as if the loop had been held up, again and again.
        async with asyncio.timeout(20):
            while not pair.samples(chunks):
                reading = asyncio.create_task(stand_in.read())
                while not reading.done():
                    stand_in._stepped_to_s -= 4.0
                    await asyncio.sleep(0.05)
                chunks.append((START_UTC_NS + 10**9, await reading))
        loop_time_s = loop.time() - began

    asyncio.run(check())


def test_a_loop_that_was_held_up_does_not_make_it_catch_up_in_one_go():
    async def check():
        stand_in = StandIn(PORTAL.config(), PORTAL.scenario)
        stand_in._stepped_to_s -= 3600.0
        return await stand_in.read()

    assert len(asyncio.run(check())) < len(PORTAL.data)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("ascii-serial", {"columns": ("index", "ehz", "-"), "rate_hz": 128.0}),
        ("ascii-serial", {"columns": ("counts",), "rate_hz": 20.0}),
        ("anyshake-serial", {"version": 2}),
        ("anyshake-serial", {}),
    ],
)
def test_a_stand_in_speaks_as_its_device_is_configured_to(kind, keys):
    config = KINDS[kind].config(id="geo-1", zone="fence", url="/dev/ttyUSB7", **keys)
    scenario = with_sensor(quiet_day(1, START_UTC_NS), config)
    driver = KINDS[kind].build(config, Origin.SIMULATOR)
    data = SIMULATORS[kind].build(scenario, "geo-1").step(3000)
    read = [
        one
        for at in range(0, len(data), 50)
        for one in driver.feed(data[at : at + 50], START_UTC_NS + 3 * at * SECOND_NS // len(data))
    ]
    assert read
    assert not any(isinstance(one, Malformed) for one in read)
