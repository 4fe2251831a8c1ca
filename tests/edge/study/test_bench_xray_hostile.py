"""The short form of the attack."""

import asyncio
import importlib.util
from types import SimpleNamespace

import pytest

from drivers.dicos_unpacking import end_child
from edge.study import xray_hostile_station
from edge.study.bench_xray_hostile import Attack
from edge.study.xray_hostile_peers import Peer
from edge.study.xray_hostile_scans import truck_planes
from edge.study.xray_hostile_station import attacked


@pytest.fixture(scope="module")
def attack():
    made = Attack(seed=3)
    yield made
    end_child()


@pytest.mark.parametrize("name", ["planes", "dicos", "dicos.packed", "lines"])
def test_mutated_scans_raise_nothing_and_are_accounted_for(attack, name):
    if name == "dicos.packed" and not importlib.util.find_spec("gdcm"):
        pytest.skip("python-gdcm is not installed")
    found = attack.run(name, 80)
    assert [one.name for one in found if one.reached is False] == []
    figures = {one.name: one.value for one in found}
    assert figures[f"xray.{name}.read"] > 5
    assert figures[f"xray.{name}.truncated"] > 5


def test_mutated_scans_in_a_folder_are_filed_with_their_reason(attack):
    found = attack.through_folder(12)
    assert [one.name for one in found if one.reached is False] == []
    assert found[-1].value > 3


def test_an_honest_sender_is_heard_beside_every_attacker_and_each_of_these_is_told():
    pytest.importorskip("pynetdicom")
    found = asyncio.run(attacked(truck_planes(3)[0], 3, 5))
    assert [(one.name, one.how) for one in found if one.reached is False] == []


@pytest.mark.parametrize(
    ("took_s", "counts_s"), [((1.5, 0.5), 0.5), ((1.5, 1.2), 1.2), ((0.5,), 0.5)]
)
def test_only_what_is_slow_again_beside_the_same_attacker_counts(took_s, counts_s, monkeypatch):
    now_s = 0.0
    monkeypatch.setattr(xray_hostile_station, "time", SimpleNamespace(monotonic=lambda: now_s))
    station, tally = SimpleNamespace(where=None, told=[]), xray_hostile_station._Tally()
    took, here = iter(took_s), []

    def honest(_where):
        nonlocal now_s
        assert here == ["attacker"]
        now_s += next(took)
        return [0]

    def attack(_where, stack):
        here.append("attacker")
        stack.callback(here.clear)
        station.told.append(SimpleNamespace(reason="truncated"))

    peer, peers = Peer(attack, frozenset({"truncated"})), SimpleNamespace(honest=honest)
    asyncio.run(xray_hostile_station._one("slow", peer, station, peers, tally))
    assert tally.honest_s == [pytest.approx(counts_s)]
    assert (list(took), tally.refused, tally.untold) == ([], 0, [])
