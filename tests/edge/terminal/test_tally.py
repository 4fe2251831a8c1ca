import json
from pathlib import Path

import pytest

from edge.protocol.messages import decode_alert, rfc3339
from edge.terminal.tally import EARLY_S, LATE_S, SETTLE_S, Tally
from fusion.types import SECOND_NS
from simulators.scenario import Truth

ALERT = json.loads(
    (Path(__file__).parents[2] / "golden" / "messages" / "exercise.json").read_bytes()
)
START = 1_795_284_000 * SECOND_NS


def message(at_s, event="RAD_THREAT", level=4, lane="nb-01", name="a"):
    onset = rfc3339(START + round(at_s * SECOND_NS))
    changes = {"onset": onset, "event": event, "level": level, "lane": lane, "id": name}
    return decode_alert(json.dumps(ALERT | changes).encode())


def truth(start_s, end_s, *events, name="bare-source", place="nb-01"):
    return Truth(
        name=name, subject="t", place=place, start_s=start_s, end_s=end_s, events=tuple(events)
    )


SOURCE = truth(10.0, 25.0, "RAD_THREAT", "RAD_OVERRANGE")
CLEAN = truth(0.0, 8.0, name="clean")


def tally(*messages):
    made = Tally()
    for each in messages:
        made.add(each)
    return made


def test_what_was_said_at_its_place_in_its_time_counts_as_found():
    (verdict,) = tally(message(12.0)).verdicts([SOURCE, CLEAN], START, 60.0)
    assert verdict.said == ("RAD_THREAT",)


@pytest.mark.parametrize(
    "wrong",
    [
        message(10.0 - EARLY_S - 1),
        message(25.0 + LATE_S + 1),
        message(12.0, event="PERSON"),
        message(12.0, lane="nb-02"),
    ],
)
def test_another_time_place_or_event_does_not(wrong):
    (verdict,) = tally(wrong).verdicts([SOURCE], START, 60.0)
    assert verdict.said == ()


def test_a_label_that_is_hardly_over_is_not_judged():
    assert tally().verdicts([SOURCE], START, 25.0 + SETTLE_S - 0.1) == []


def test_an_urgent_alert_that_no_label_explains_is_named():
    told = tally(message(12.0), message(3.0, name="b"), message(3.0, level=2, name="c"))
    assert [each.id for each in told.unexpected([SOURCE, CLEAN], START)] == ["b"]


def test_an_alert_counts_once_with_its_highest_level():
    told = tally(
        message(12.0, level=2),
        message(12.0, level=4),
        message(12.0, level=1),
        message(13.0, event="PERSON", level=3, name="b"),
    )
    assert told.events == [("RAD_THREAT", 1, 4), ("PERSON", 1, 3)]
