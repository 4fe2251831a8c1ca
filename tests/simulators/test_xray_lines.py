from dataclasses import replace

import numpy as np
import pytest

from drivers.wire.xray_lines import ALIVE, BEGIN, END, LineDecoder
from simulators.scenario import Fault
from simulators.xray_lines import XrayLinesSimulator
from tests.edge.sensors.test_scans import START_NS, scenario


def frames(day, seconds=20):
    decoder = LineDecoder()
    simulator = XrayLinesSimulator(day, "x")
    return [one for _ in range(seconds) for one in decoder.feed(simulator.step(1000))]


def lines(found):
    return [one for one in found if getattr(one, "flags", None) == 0]


@pytest.fixture(scope="module")
def day():
    return scenario(pitch="20")


@pytest.fixture(scope="module")
def usual(day):
    return frames(day)


def test_a_scan_is_a_begin_all_lines_in_both_energies_and_an_end(usual):
    told = [one for one in usual if one.flags != ALIVE]
    assert [told[0].flags, told[-1].flags] == [BEGIN, END]
    assert told[-1].line_no * 2 == len(lines(usual))
    assert [(one.line_no, one.energy) for one in lines(usual)[:4]] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert {one.n for one in lines(usual)} == {400}


def test_lines_come_when_they_are_taken(usual):
    times = [one.t_ns for one in lines(usual)[::2]]
    assert set(np.diff(times).tolist()) <= {9_999_999, 10_000_000, 10_000_001}  # 20 mm at 2 m/s
    assert START_NS < times[0] < START_NS + 4 * 10**9


def test_an_idle_scanner_is_alive_every_second(usual):
    assert sum(one.flags == ALIVE for one in usual) == 20


def faulty(day, kind, **more):
    fault = Fault(sensor_id="x", kind=kind, start_s=4.0, end_s=8.0, **more)
    return lines(frames(replace(day, faults=(fault,))))


def numbers(found):
    return [(one.line_no, one.energy) for one in found]


@pytest.mark.parametrize("kind", ["reorder", "duplicate", "cut", "garbage"])
def test_a_bad_link_loses_no_line(day, usual, kind):
    found = faulty(day, kind)
    assert set(numbers(found)) == set(numbers(lines(usual)))
    if kind != "garbage":
        assert numbers(found) != numbers(lines(usual))


def test_reordered_lines_are_late_by_less_than_64(day):
    highest = late = 0
    for line_no, _ in numbers(faulty(day, "reorder")):
        highest = max(highest, line_no)
        late = max(late, highest - line_no)
    assert 8 < late < 64


@pytest.mark.parametrize(("kind", "size"), [("loss", 0.1), ("stall", 0.0), ("silent", 0.0)])
def test_lines_are_lost(day, usual, kind, size):
    found = faulty(day, kind, size=size)
    share = 1.0 - len(found) / len(lines(usual))
    low, high = {"loss": (0.01, 0.1), "stall": (0.3, 0.6), "silent": (0.0, 0.0)}[kind]
    assert low <= share <= high


def test_one_energy_may_be_all_there_is(day):
    place = day.sensors[0]
    single = replace(place, options=(*place.options, ("energies", "1")))
    assert {one.energy for one in lines(frames(replace(day, sensors=(single,))))} == {0}


def test_a_scanner_that_is_started_anew_says_so_and_counts_from_one(day):
    starts = [Fault(sensor_id="x", kind="restart", start_s=at_s, end_s=at_s) for at_s in (0.1, 6.0)]
    again = replace(day.vehicles[0], vehicle_id="u", at_portal_s=15.0)
    found = frames(replace(day, faults=tuple(starts), vehicles=(*day.vehicles, again)), 40)
    assert [one.scan_id for one in found if one.flags == BEGIN] == [1, 1]
    assert sum(one.flags == END for one in found) == 1  # the first is never ended
    sessions = [one.scan_id for one in found if one.flags == ALIVE]
    assert sessions == sorted(sessions)
    assert set(sessions) == {2, 3}
