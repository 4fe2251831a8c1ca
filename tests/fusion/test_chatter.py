"""What clears and comes again goes on; what does so often is told once as chattering."""

from dataclasses import replace

from fusion.alarms import AlarmBook, Claim
from fusion.chatter import MAX_REMEMBERED, cause
from fusion.policy import AlarmPolicy
from fusion.types import Alert, Event, Level, Phase
from tests.fusion.test_alarms import claim, ns

POLICY = AlarmPolicy()


def contact(began_s: float, at_s: float | None = None, code: str = "tamper") -> Claim:
    """A contact of a sensor that has been open since `began_s`."""
    return replace(
        claim(
            3.0,
            began_s if at_s is None else at_s,
            kind="device",
            key=f"device/geo-1/{code}/{ns(began_s)}",
            event=Event.SENSOR_TAMPER,
            source="geo-1",
        ),
        onset_utc_ns=ns(began_s),
    )


class Contact:
    """A loose contact, and what the book has said of it."""

    def __init__(self) -> None:
        self.book = AlarmBook(POLICY)
        self.said: list[Alert] = []

    def opens(self, at_s: float) -> None:
        self.said += self.book.consider(contact(at_s), ns(at_s))

    def closes(self, began_s: float, at_s: float) -> None:
        self.said += self.book.consider(contact(began_s, at_s), ns(at_s))
        self.said += self.book.close(contact(began_s).key, ns(at_s))

    def until(self, at_s: float) -> None:
        self.said += self.book.tick(ns(at_s))


def test_the_cause_of_a_fault_is_its_sensor_and_code():
    assert cause("device/geo-1/tamper/1234") == "device/geo-1/tamper"
    assert cause("transit/nb-01/12/radiation") == "transit/nb-01/12/radiation"


def test_a_contact_that_opens_again_within_a_minute_goes_on_under_its_id_without_a_sound():
    one = Contact()
    one.opens(0.0)
    one.closes(0.0, 5.0)
    one.opens(50.0)
    assert [a.phase for a in one.said] == [Phase.NEW, Phase.CLEAR, Phase.UPDATE]
    assert [a.revision for a in one.said] == [1, 2, 3]
    assert len({a.alert_id for a in one.said}) == 1
    assert one.said[-1].facts["reopened"] == 1


def test_a_contact_that_opens_again_after_that_is_a_new_alert():
    one = Contact()
    one.opens(0.0)
    one.closes(0.0, 5.0)
    one.opens(5.0 + POLICY.reopen_s + 1.0)
    assert [a.phase for a in one.said] == [Phase.NEW, Phase.CLEAR, Phase.NEW]
    assert len({a.alert_id for a in one.said}) == 2


def test_the_third_time_within_a_minute_it_is_told_as_chattering_and_stays_until_it_is_quiet():
    one = Contact()
    for start_s in range(0, 300, 10):
        one.opens(float(start_s))
        one.closes(float(start_s), start_s + 2.0)
        one.until(start_s + 5.0)
    latched = one.said[-1]
    assert [a.phase for a in one.said].count(Phase.NEW) == 1
    assert len(one.said) == 5, "two that were cleared, and the third that stays"
    assert (latched.phase, latched.facts["chattering"]) == (Phase.UPDATE, 3)
    assert one.book.active == [latched]
    one.until(292.0 + POLICY.chatter_quiet_s - 1.0)
    assert one.book.active == [latched]
    one.until(292.0 + POLICY.chatter_quiet_s)
    assert (one.said[-1].phase, one.said[-1].facts["chattering"]) == (Phase.CLEAR, 30)
    assert one.book.active == []


def test_other_contacts_of_the_sensor_do_not_count():
    book = AlarmBook(POLICY)
    said = []
    for number in range(6):
        one = contact(10.0 * number, code=f"fault-{number}")
        said += book.consider(one, ns(10.0 * number))
        said += book.close(one.key, ns(10.0 * number + 1.0))
    assert [a.phase for a in said] == [Phase.NEW, Phase.CLEAR] * 6
    assert not any("chattering" in a.facts for a in said)


def test_what_was_taken_back_and_holds_after_all_rings_anew():
    book = AlarmBook(POLICY)
    book.consider(claim(3.0, 0.0), ns(0.0))
    (back,) = book.take_back("transit/x", ns(1.0))
    (again,) = book.consider(claim(3.0, 2.0), ns(2.0))
    assert (again.phase, again.alert_id) == (Phase.NEW, back.alert_id)
    assert again.revision == back.revision + 1


def test_a_level_falls_only_when_the_score_is_a_deadband_below_its_line():
    book = AlarmBook(POLICY)
    (told,) = book.consider(claim(2.3, 0.0), ns(0.0))
    assert told.level is Level.CRITICAL
    for at_s, nats in enumerate((2.1, 2.3, 1.9, 2.3, 1.7), start=1):
        assert book.consider(claim(nats, at_s), ns(at_s)) == []
    (less,) = book.consider(claim(1.1, 9.0), ns(9.0))
    assert less.level is Level.WARNING


def test_what_was_cleared_is_remembered_within_bounds():
    book = AlarmBook(POLICY)
    for number in range(MAX_REMEMBERED + 50):
        one = claim(3.0, 0.0, key=f"transit/{number}")
        book.consider(one, ns(0.0))
        book.take_back(one.key, ns(0.0))
    assert len(book._memory._ended) == MAX_REMEMBERED
