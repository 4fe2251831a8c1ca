from collections import Counter
from itertools import islice

import numpy as np
import pytest

from drivers.wire.tsa import CountsLine, EndLine, TsaDecoder
from simulators.traffic import (
    FIELD,
    MONDAY_UTC_NS,
    THREATS,
    Mix,
    hour,
    month,
    passes_of,
    played,
)

PORTAL = "rpm-tsa-nb-01"


def lines_of(scenario, sensor_id=PORTAL):
    decoder = TsaDecoder()
    return [one for _, data in played(scenario, sensor_id) for one in decoder.feed(data)]


def test_an_hour_is_the_same_every_time_and_another_seed_or_hour_is_not():
    assert hour(1, 5) == hour(1, 5)
    assert hour(1, 5).vehicles != hour(2, 5).vehicles
    assert hour(1, 5).vehicles != hour(1, 6).vehicles
    assert next(islice(month(1), 5, None)) == hour(1, 5)


def test_a_month_has_the_fields_rates():
    vehicles, names = 0, Counter()
    for scenario in month(3, days=30):
        vehicles += len(scenario.vehicles)
        names.update(one.name for one in scenario.truth)
    assert vehicles == pytest.approx(30 * 24 * FIELD.per_hour, rel=0.02)
    assert sum(names.values()) == vehicles
    assert names["patient"] == pytest.approx(vehicles * FIELD.patient_share, rel=0.6)
    # What alarms in the field is 0.41 % of conveyances (facts 3.1).
    assert 0.001 < (names["patient"] + names["norm"]) / vehicles < 0.006
    assert names["industrial"] == names["special"] == 0


def test_vehicles_come_in_order_and_some_stop_reverse_or_follow_closely():
    quirks, gaps_s = Counter(), []
    for number in range(24):
        vehicles = hour(4, number, mix=Mix(per_hour=60.0, stop_share=0.1)).vehicles
        quirks.update(len(one.speeds) for one in vehicles)
        ends = [one.in_beam_s()[-1][1] for one in vehicles]
        gaps_s += [
            later.at_portal_s - end for later, end in zip(vehicles[1:], ends[:-1], strict=True)
        ]
    assert min(gaps_s) > 0.5
    assert 0.01 < np.mean(np.array(gaps_s) < 2.0) < 0.15  # within a beam's hold-in
    assert quirks[3] > 50  # stops
    assert quirks[0] > 1000


def test_each_pass_is_an_occupancy_unless_the_hold_in_joins_two():
    scenario = hour(6, 3, mix=Mix(close_share=0.0, reverse_share=0.0), gap_s=25.0)
    ends = [one for one in lines_of(scenario) if isinstance(one, EndLine)]
    assert len(ends) == len(scenario.vehicles)


def test_compressed_hours_have_background_between_vehicles_and_less_of_it():
    whole, compressed = hour(7, 3), hour(7, 3, gap_s=25.0)
    assert compressed.duration_s < 0.7 * whole.duration_s
    vacant = [
        one for one in lines_of(compressed) if isinstance(one, CountsLine) and one.tag == "GB"
    ]
    assert len(vacant) >= 3 * len(compressed.vehicles)


def test_it_is_one_portal_all_month_long():
    levels = []
    for number in (2, 26, 50):
        lines = lines_of(hour(8, number, mix=Mix(per_hour=1.0, rain_a_day=0.0)))
        counts = [one.counts for one in lines if isinstance(one, CountsLine) and one.tag == "GB"]
        levels.append(np.mean(counts, axis=0))
    assert levels[0] == pytest.approx(levels[1], rel=0.05)
    assert levels[0] == pytest.approx(levels[2], rel=0.05)


def test_rain_is_the_same_rain_from_every_hour():
    wet = Mix(rain_a_day=1.0)
    first, second = hour(9, 30, mix=wet).rain, hour(9, 31, mix=wet).rain
    assert first
    assert [one.start_s - 3600.0 for one in first] == pytest.approx([one.start_s for one in second])


def test_trials_have_one_truck_a_load_and_its_truth():
    trial = passes_of(10, THREATS)
    assert len(trial.vehicles) == len(trial.truth) == len(THREATS)
    assert trial.start_utc_ns == MONDAY_UTC_NS
    assert all(one.events for one in trial.truth)
    names = Counter(one.name for one in trial.truth)
    assert set(names) == {"industrial", "special", "neutron"}
    assert trial == passes_of(10, THREATS)


def test_spectroscopic_portals_can_stand_in_the_lane_too():
    scenario = hour(11, 0, mix=Mix(per_hour=0.0), kinds=("rpm-tsa", "rpm-n42"))
    assert [one.sensor_id for one in scenario.sensors] == ["rpm-tsa-nb-01", "rpm-n42-nb-01"]
    _, data = next(played(scenario, "rpm-n42-nb-01", step_ms=1000))
    assert data.startswith(b"\x02<?xml")
