"""What a centre asks: carried out once, answered where it wants it, refused with why."""

import msgspec
import pytest
from structlog.testing import capture_logs

from edge.delivery.hooks import Command
from edge.protocol.messages import rfc3339
from edge.station.asking import MAX_BYTES, Asking, may_be_answered
from fusion.handling_policy import HandlingPolicy
from fusion.shelving import Shelf
from fusion.types import SECOND_NS, AckSample, Origin, ShelveSample
from tests.edge.rehearsed import START_NS

HOUR_NS = 3600 * SECOND_NS
SHELVE = {"until": rfc3339(START_NS + HOUR_NS), "reason": "new fence", "place": "nb-01"}


class Centre:
    """A centre that asks, with a shelf in place of the engine."""

    def __init__(self):
        self.shelf = Shelf(HandlingPolicy())
        self.asked, self.answers = [], []
        self.asking = Asking(
            site="mariposa",
            places=["nb-01"],
            sensors=["rpm-1"],
            ask=self._ask,
            active=lambda: {"01JD8"},
            answer=lambda command, payload: self.answers.append((command, payload)),
            now_utc_ns=lambda: START_NS,
        )

    def _ask(self, asked, trigger):
        self.asked.append((asked, trigger))
        return [self.shelf.take(asked)] if isinstance(asked, ShelveSample) else []

    def says(self, verb, payload, *, root="garita/v1", response="centre/answers", retained=False):
        data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        command = Command(
            side="north",
            topic=f"{root}/mariposa/cmd/{verb}",
            payload=data,
            response_topic=response,
            correlation=b"42",
            user_properties=(),
            retained=retained,
        )
        self.asking.take(command)
        return msgspec.json.decode(self.answers[-1][1]) if self.answers else None


@pytest.fixture
def centre():
    return Centre()


def test_a_shelving_is_asked_of_the_engine_with_the_sides_name_and_answered(centre):
    answer = centre.says("shelve", SHELVE)
    assert answer == {
        "schema": "garita.answer/1",
        "site": "mariposa",
        "verb": "shelve",
        "accepted": True,
        "refusal": "",
        "text": "",
    }
    ((sample, trigger),) = centre.asked
    assert trigger == "cmd/shelve"
    assert (sample.by, sample.place, sample.reason) == ("north", "nb-01", "new fence")
    assert sample.until_utc_ns == START_NS + HOUR_NS
    assert (sample.origin, sample.standing) == (Origin.SENSOR, False)
    assert centre.answers[0][0].correlation == b"42"


def test_what_was_shelved_can_be_ended(centre):
    centre.says("shelve", SHELVE)
    assert centre.says("unshelve", {"place": "nb-01"})["accepted"]
    assert centre.shelf.kept == []
    assert centre.says("unshelve", {"place": "nb-01"})["refusal"] == "unknown"


def test_an_answer_to_an_active_alert_is_taken_and_one_to_another_is_not(centre):
    assert centre.says("ack", {"alert": "01JD8"})["accepted"]
    assert centre.says("ack", {"alert": "01JD9"})["refusal"] == "unknown"
    ((sample, _),) = centre.asked
    assert isinstance(sample, AckSample)
    assert (sample.alert_id, sample.by) == ("01JD8", "north")


def test_in_a_drill_only_drills_are_shelved(centre):
    centre.says("shelve", SHELVE, root="garita-exercise/v1")
    ((sample, _),) = centre.asked
    assert sample.origin is Origin.SIMULATOR


@pytest.mark.parametrize(
    ("verb", "payload", "refusal"),
    [
        ("release", {}, "unknown-verb"),
        ("shelve", b"", "unreadable"),
        ("shelve", b"\xff\xfe", "unreadable"),
        ("shelve", b"[" * MAX_BYTES, "unreadable"),
        ("shelve", b" " * (MAX_BYTES + 1), "unreadable"),
        ("shelve", SHELVE | {"for": "ever"}, "unreadable"),
        ("shelve", SHELVE | {"reason": " "}, "unreadable"),
        ("shelve", SHELVE | {"until": "soon"}, "unreadable"),
        ("shelve", SHELVE | {"until": "2026-12-01T06:00:00"}, "unreadable"),
        ("shelve", SHELVE | {"until": rfc3339(START_NS)}, "over"),
        ("shelve", SHELVE | {"until": rfc3339(START_NS + 9 * HOUR_NS)}, "too-long"),
        ("shelve", SHELVE | {"place": ""}, "no-scope"),
        ("shelve", SHELVE | {"place": "nb-02"}, "unknown"),
        ("shelve", SHELVE | {"sensor": "rpm-2"}, "unknown"),
        ("shelve", SHELVE | {"event": "PERSONS"}, "unknown"),
        ("shelve", SHELVE | {"event": "RAD_THREAT"}, "source"),
        ("ack", {"alert": ""}, "unreadable"),
    ],
)
def test_what_cannot_be_done_is_refused_with_why_and_in_the_log(centre, verb, payload, refusal):
    with capture_logs() as logs:
        answer = centre.says(verb, payload)
    assert (answer["accepted"], answer["refusal"]) == (False, refusal)
    assert centre.shelf.kept == []
    assert [one["event"] for one in logs] == ["command refused"]


def test_a_retained_command_is_not_carried_out_at_every_connection(centre):
    assert centre.says("shelve", SHELVE, retained=True)["refusal"] == "retained"
    assert centre.asked == []


def test_who_wants_no_answer_gets_none(centre):
    centre.says("shelve", SHELVE, response="")
    assert (len(centre.asked), centre.answers) == (1, [])


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        ("centre/answers", True),
        ("garita/v1/mariposa/answer/north/1", True),
        ("garita/v1/mariposa/nb-01/alert", False),
        ("garita/v1/nogales/answer/north/1", False),
        ("garita-exercise/v1/mariposa/state", False),
        ("$SYS/x", False),
        ("a/+/b", False),
        ("a/#", False),
        ("a" * 300, False),
        ("", False),
    ],
)
def test_an_answer_goes_nowhere_among_our_own_messages(topic, may):
    assert may_be_answered(topic, "mariposa") is may
