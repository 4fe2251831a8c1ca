"""Which alerts may be handled: active ones and those that were, a drill apart from the real."""

from dataclasses import dataclass

from edge.together import seen
from edge.together.people import About
from edge.together.seen import Seen


@dataclass
class Sight:
    """As much of an alert as is looked at."""

    revision: int = 1
    exercise: bool = False
    lane: str | None = "nb-01"
    zone: str | None = None


def test_what_was_active_is_known_as_it_was_then():
    alerts = {"A": Sight(revision=3), "B": Sight(exercise=True, lane=None, zone="fence")}
    found = Seen(lambda: list(alerts), alerts.get)
    found.look()
    alerts.clear()
    found.look()
    assert found.of("A") == About(revision=3, place="nb-01")
    assert found.of("B") == About(revision=1, place="fence")
    assert found.of("C") is None
    assert not found.is_active("A")
    assert (found.belongs("A", drill=False), found.belongs("A", drill=True)) == (True, False)
    assert (found.belongs("B", drill=False), found.belongs("B", drill=True)) == (False, True)


def test_nobody_can_tell_a_drill_that_was_not_looked_at():
    found = Seen(lambda: ["A"], lambda alert_id: None)
    found.look()
    assert found.of("A") == About()
    assert found.belongs("A", drill=True)
    assert found.belongs("A", drill=False)


def test_the_oldest_is_forgotten_first_and_nothing_active(monkeypatch):
    monkeypatch.setattr(seen, "MAX_SEEN", 2)
    active = ["A"]
    found = Seen(lambda: active, lambda alert_id: None)
    for number in range(5):
        active[1:] = [f"B{number}"]
        found.look()
    active[1:] = []
    found.look()
    assert [name for name in ("A", "B0", "B1", "B2", "B3", "B4") if found.of(name)] == [
        "A", "B3", "B4",
    ]  # fmt: skip
