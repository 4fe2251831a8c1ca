"""The watch over all alerts of the suite sees what does not add up."""

from dataclasses import replace

import pytest

from fusion.alarms import AlarmBook
from fusion.fuser import Fuser
from fusion.policy import Policy
from tests.adding_up import WATCH, mistakes
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, dense, gamma, occupancy


class Everybody:
    """Senses that are all up."""

    def up(self, sensor_id):
        return True

    def steps(self, sensor_id, end_utc_ns):
        return None


@pytest.fixture
def alert():
    """Of a source, as the fuser gives it out."""
    fuser = Fuser(CHECKPOINT, Policy(), Everybody())
    fuser.tick(START_UTC_NS, [])
    told = fuser.take([occupancy(0.0), gamma(12.0, point=90.0, extended=20.0), dense(11.0)])
    return told[-1]


def with_row(alert, *, main, more_nats=0.0, older_s=0.0):
    """With one row of the explanation that is told, or of another, changed a little."""
    rows = list(alert.contributions)
    at = [(row.explanation == alert.facts["explanation"]) is main for row in rows].index(True)
    rows[at] = replace(rows[at], nats=rows[at].nats + more_nats, age_s=rows[at].age_s + older_s)
    return replace(alert, contributions=tuple(rows))


def test_alerts_of_the_fuser_are_looked_at_and_add_up(alert):
    seen = WATCH.seen
    assert list(mistakes(alert)) == []
    fuser = Fuser(CHECKPOINT, Policy(), Everybody())
    fuser.tick(START_UTC_NS, [])
    told = fuser.take([occupancy(0.0), gamma(12.0, point=90.0, extended=20.0)])
    assert told
    assert WATCH.seen == seen + len(told)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: replace(a, score_nats=a.score_nats + 2e-9), "add to"),
        (lambda a: with_row(a, main=True, more_nats=2e-9), "add to"),
        (lambda a: with_row(a, main=False, more_nats=2e-9), "nats and probability"),
        (lambda a: with_row(a, main=False, older_s=-1e3), "s old"),
        (lambda a: replace(a, contributions=()), "no table"),
        (lambda a: replace(a, probability=a.probability - 1e-6), "its probability"),
        (
            lambda a: replace(
                a, explanations=tuple((name, share * 0.99) for name, share in a.explanations)
            ),
            "probabilities add",
        ),
        (
            lambda a: replace(
                a,
                explanations=tuple(
                    zip(
                        (name for name, _ in a.explanations),
                        reversed([share for _, share in a.explanations]),
                        strict=True,
                    )
                ),
            ),
            "nats and probability",
        ),
    ],
    ids=["score", "row", "other-row", "age", "no-rows", "probability", "sum", "swapped"],
)
def test_an_alert_that_does_not_add_up_is_seen(alert, spoil, said):
    assert any(said in text for text in mistakes(spoil(alert)))


def test_a_book_that_spoils_what_it_is_told_fails_the_test_in_which_it_does(monkeypatch):
    say = AlarmBook._say

    def spoilt(*given, **named):
        return [replace(one, score_nats=99.0) for one in say(*given, **named)]

    monkeypatch.setattr(AlarmBook, "_say", spoilt)
    fuser = Fuser(CHECKPOINT, Policy(), Everybody())
    fuser.tick(START_UTC_NS, [])
    assert fuser.take([occupancy(0.0), gamma(12.0, point=90.0, extended=20.0)])
    assert any("add to" in text for text in WATCH.take())  # taken, or this test would fail
