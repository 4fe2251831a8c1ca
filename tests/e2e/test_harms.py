"""What a person is told of a harm, and that it is over once it was mended; all of them, and longer,
are in `garita bench harms`."""

import pytest

from edge.delivery.broker import find_mosquitto
from edge.study import harms

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")


def test_a_service_that_is_harmed_says_so_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(harms, "LASTS_S", 0.5)
    monkeypatch.setattr(harms, "CLOCK_S", 1.0)
    names = ["broker refuses", "clock a day ahead", "clock a day behind", "key lost while running"]
    result = harms.run(names)
    assert [one.name for one in result.harms] == names
    for one in result.harms:
        assert one.told_after_s is not None, one
        assert one.over_after_s is not None, one
    for found in result.sides.values():
        assert found.kept, found
