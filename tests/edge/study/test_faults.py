"""Every kind of fault, in short; the long run is `garita bench faults`."""

import pytest

from edge.delivery.broker import find_mosquitto
from edge.study import faults


def test_every_kind_strikes_every_victim_before_one_does_so_again():
    pairs = [(fault.kind, fault.victim) for fault in faults.plan(68, seed=3)]
    assert len(set(pairs[:34])) == len(set(pairs[34:])) == 34
    assert {kind for kind, _ in pairs} == set(faults.KINDS)
    assert pairs == [(fault.kind, fault.victim) for fault in faults.plan(68, seed=3)]
    assert pairs != [(fault.kind, fault.victim) for fault in faults.plan(68, seed=4)]


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_a_dozen_faults_lose_nothing(monkeypatch):
    monkeypatch.setattr(faults, "LASTS_S", (0.1, 0.5))
    result = faults.run(times=12, seed=5)
    assert sum(faults.by_kind(result.faults).values()) == 12
    assert result.kept, result
    for found in result.sides.values():
        assert found.stored == found.committed > 20
        assert found.wire >= found.stored / 2
