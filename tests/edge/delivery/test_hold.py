import pytest

from edge.delivery.hold import (
    FIRST_S,
    LONGEST_S,
    NOT_AUTHORIZED,
    PROOF_S,
    QUOTA_EXCEEDED,
    Hold,
    Refused,
)


def refused(seq=1, *, part="alert", topic="a", reason=NOT_AUTHORIZED, sent_s=0.0):
    return Refused(part=part, seq=seq, topic=topic, reason=reason, sent_s=sent_s)


@pytest.mark.parametrize("reason", [0x80, 0x83, 0x90, 0x91, 0x95, 0x99])
def test_what_is_wrong_with_the_message_itself_is_final(reason):
    hold = Hold()
    assert not hold.refused(refused(reason=reason), 0.0)
    assert not hold.on
    assert not hold.due(LONGEST_S)


@pytest.mark.parametrize("reason", [NOT_AUTHORIZED, QUOTA_EXCEEDED])
def test_what_is_wrong_with_the_side_is_tried_again_ever_later(reason):
    hold, now_s, waits = Hold(), 0.0, []
    for _ in range(7):
        assert hold.refused(refused(reason=reason, sent_s=now_s), now_s)
        assert hold.refused(refused(2, reason=reason, sent_s=now_s), now_s)
        began_s = now_s
        while not hold.due(now_s):
            now_s += 0.5
        waits.append(now_s - began_s)
        hold.begin_again()
        assert not hold.due(now_s + LONGEST_S)
    assert waits == [FIRST_S, 4.0, 8.0, 16.0, 32.0, LONGEST_S, LONGEST_S]
    hold.accepted("alert", 1, "a", now_s)
    hold.refused(refused(3, reason=reason, sent_s=now_s), now_s)
    assert hold.due(now_s + FIRST_S)


def test_only_the_topic_of_a_held_row_waits():
    hold = Hold()
    hold.refused(refused(topic="a"), 0.0)
    assert hold.keeps("a")
    assert not hold.keeps("b")
    assert not hold.all


def test_a_quota_is_everybodys_and_no_row_that_passes_makes_a_refusal_final():
    hold = Hold()
    hold.refused(refused(reason=QUOTA_EXCEEDED), 0.0)
    assert hold.all
    hold.accepted("alert", 2, "b", 0.1)  # it was under way
    assert not hold.due(0.1)
    assert hold.refused(refused(reason=QUOTA_EXCEEDED, sent_s=0.2), 0.3)


def test_a_row_of_another_topic_that_passes_makes_the_next_refusal_final():
    hold = Hold()
    hold.refused(refused(1, topic="a"), 1.0)
    hold.accepted("alert", 2, "b", 1.5)
    assert hold.due(1.5)  # at once: the rule may have been put right in between
    assert hold.refused(refused(3, topic="a", sent_s=1.2), 1.6)  # sent before the proof
    hold.begin_again()
    assert not hold.refused(refused(1, topic="a", sent_s=1.7), 1.8)
    assert not hold.refused(refused(3, topic="a", sent_s=1.7), 1.8)
    assert not hold.on


def test_what_passed_before_the_refusal_proves_nothing():
    hold = Hold()
    hold.accepted("alert", 1, "b", 0.9)
    assert hold.refused(refused(2, topic="a", sent_s=1.0), 1.1)


def test_a_proof_grows_old():
    hold = Hold()
    hold.refused(refused(1, topic="a"), 1.0)
    hold.accepted("alert", 2, "b", 1.5)
    hold.begin_again()
    assert hold.refused(refused(1, topic="a", sent_s=1.6 + PROOF_S), 2.0 + PROOF_S)


def test_a_retained_topic_that_passes_proves_nothing_and_is_no_longer_held():
    hold = Hold()
    hold.refused(refused(1, part="active", topic="x"), 0.0)
    hold.refused(refused(1), 0.0)
    assert hold.any_active
    hold.accepted("active", 2, "x", 0.1)
    assert not hold.any_active
    assert not hold.due(0.1)
    assert hold.begin_again() == frozenset()
