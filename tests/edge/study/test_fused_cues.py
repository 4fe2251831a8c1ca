"""What several sensors say together, through simulated bytes, drivers and senses."""

from dataclasses import replace
from random import Random

import pytest

from edge.config import checkpoint_of
from edge.study.tapes import perceived, rehearsed
from fusion.policy import Policy
from fusion.types import Event, Level
from simulators.loads import dense_object, pallets
from simulators.loads_radioactive import bare_source, shielded_source
from simulators.scenario import Fault, Mover, Scenario, SensorPlace, Vehicle
from tests.edge.rehearsed import START_NS, small_config, small_scenario

PIG_S, CLEAN_S, SAFE_S, BLINDED_S, BLIND_BEAM_S = 90.0, 150.0, 210.0, 270.0, 330.0
LEAK_SHARE = 0.75  # of the demo's pig: what a portal alone does not ring for


def truck(load, name: str, at_s: float, *, scanned: bool = True) -> Vehicle:
    return load.onto(Vehicle(vehicle_id=name, lane="nb-01", at_portal_s=at_s, scanned=scanned))


def weak_pig(random: Random):
    made = shielded_source(random)
    (source,) = made.sources
    weaker = replace(source, activity_mbq=LEAK_SHARE * source.activity_mbq)
    return replace(made, sources=(weaker,))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """[alert] of a day at one lane: who hides something, who does not, and who cannot be seen."""
    config = small_config(tmp_path_factory.mktemp("cues"))
    small, random = small_scenario(), Random(7)
    scanner = SensorPlace(sensor_id="xray-1", kind="xray-planes", lane="nb-01", place_m=(0.0, 20.0))
    portal = next(one for one in small.sensors if one.sensor_id == "rpm-1")
    day = replace(
        small,
        seed=500_777,
        duration_s=390.0,
        sensors=(portal, scanner),
        vehicles=(
            truck(weak_pig(random), "pig", PIG_S),
            truck(pallets(random), "clean", CLEAN_S),
            truck(dense_object(random), "safe", SAFE_S),
            truck(bare_source(random), "blinded", BLINDED_S),
            truck(pallets(random), "uncounted", BLIND_BEAM_S),
        ),
        movers=(),
        faults=(
            Fault(sensor_id="rpm-1", kind="tamper", start_s=BLINDED_S - 8.0, end_s=BLINDED_S + 9.0),
            Fault(sensor_id="rpm-1", kind="beam-blind", start_s=320.0, end_s=360.0),
        ),
    )
    kept = [one for one in config.sensors if one.id in ("rpm-1", "xray-1")]
    config = config.model_copy(update={"sensors": kept})
    samples = rehearsed(day, config)
    _, found = perceived(samples, checkpoint_of(config), Policy())
    return [one.alert for one in found]


def of_truck(told, at_s: float, event: Event | None = None):
    """Alerts whose first evidence is of the vehicle that came then."""
    since_ns, to_ns = (START_NS + int((at_s + s) * 1e9) for s in (-12.0, 40.0))
    return [
        one
        for one in told
        if since_ns <= one.onset_utc_ns <= to_ns and (event is None or one.event is event)
    ]


def kinds_of(alerts):
    return {row.kind for alert in alerts for row in alert.contributions}


def test_a_pig_that_leaks_a_little_rings_as_a_shielded_source(told):
    alerts = of_truck(told, PIG_S, Event.SHIELDED_SOURCE)
    assert max(alert.level for alert in alerts) >= Level.WARNING
    assert "fusion.shielding" in kinds_of(alerts)


def test_ordinary_goods_and_a_safe_are_no_source(told):
    for at_s in (CLEAN_S, SAFE_S):
        for event in (Event.SHIELDED_SOURCE, Event.RAD_THREAT):
            assert all(a.level < Level.WARNING for a in of_truck(told, at_s, event))


def test_a_portal_that_is_opened_just_before_a_source_comes_is_told_a_level_higher(told):
    sources = of_truck(told, BLINDED_S, Event.RAD_THREAT)
    assert "fusion.blinded" in kinds_of(sources)
    tamper = [a for a in told if a.event is Event.SENSOR_TAMPER]
    assert next(a.level for a in tamper) == Level.WARNING
    assert max(a.level for a in tamper) == Level.CRITICAL


def test_a_vehicle_that_the_scanner_saw_and_the_portal_did_not_went_around_it(told):
    alerts = of_truck(told, BLIND_BEAM_S, Event.PORTAL_BYPASS)
    assert alerts
    assert "fusion.bypass" in kinds_of(alerts)
    assert not of_truck(told, CLEAN_S, Event.PORTAL_BYPASS)


def test_every_table_adds_up(told):
    for alert in told:
        main = alert.facts["explanation"]
        rows = [row.nats for row in alert.contributions if row.explanation == main]
        assert sum(rows) == pytest.approx(alert.score_nats, abs=1e-9)


STOP_M, FAR_M, SOUTH_M = (207.0, 5.0), (203.0, 65.0), (207.0, -145.0)


def mover(kind: str, start_s: float, start_m, end_m, speed_m_s: float) -> Mover:
    return Mover(
        mover_id=f"{kind}{start_s}",
        kind=kind,
        zone="fence",
        start_s=start_s,
        start_m=start_m,
        end_m=end_m,
        speed_m_s=speed_m_s,
    )


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """[alert] of a car that lets somebody out, and of one that somebody gets into later."""
    places = {"geo-1": (200.0, 0.0), "geo-2": (200.0, 15.0)}
    config = small_config(
        tmp_path_factory.mktemp("ground"),
        lanes=[],
        sensors=[
            {
                "id": name,
                "kind": "shake-udp",
                "zone": "fence",
                "url": f"udp://127.0.0.1:{port}",
                "position_m": list(place_m),
            }
            for port, (name, place_m) in enumerate(places.items(), start=2)
        ],
    )
    day = Scenario(
        name="cars",
        seed=500_900,
        start_utc_ns=START_NS,
        duration_s=275.0,
        sensors=tuple(
            SensorPlace(sensor_id=name, kind="shake-udp", zone="fence", place_m=place_m)
            for name, place_m in places.items()
        ),
        movers=(
            mover("car", 40.0, SOUTH_M, STOP_M, 8.0),
            mover("person", 67.0, STOP_M, FAR_M, 1.4),
            mover("car", 80.0, STOP_M, SOUTH_M, 8.0),
            mover("person", 190.0, FAR_M, STOP_M, 1.4),
            mover("car", 239.0, STOP_M, SOUTH_M, 8.0),
        ),
    )
    _, found = perceived(rehearsed(day, config), checkpoint_of(config), Policy())
    return [one.alert for one in found]


def test_who_gets_out_of_a_car_is_told_as_a_drop_off_and_who_gets_in_as_a_pick_up(heard):
    told = {
        alert.facts["explanation"]: alert
        for alert in heard
        if alert.event is Event.DROP_OFF and alert.level >= Level.WARNING
    }
    assert set(told) == {"drop-off", "pick-up"}
    assert told["drop-off"].onset_utc_ns < told["pick-up"].onset_utc_ns
    assert kinds_of(told.values()) >= {"fusion.drop-off", "fusion.pick-up"}
