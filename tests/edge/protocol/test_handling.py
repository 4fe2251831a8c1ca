"""What became of an alert is told with it, and only where something did."""

import msgspec
import pytest
from msgspec import UNSET

from edge.protocol.handling import handling_of
from edge.protocol.messages import decode_alert, encode_alert
from fusion.types import Alert, Level
from tests.fusion.desks import Desk, asked, walker


def message(alert: Alert) -> dict[str, object]:
    payload = encode_alert(alert, seq=1, epoch="e", config_digest="c", languages=["en-US", "es-MX"])
    decode_alert(payload)
    return msgspec.json.decode(payload)


def test_an_alert_that_is_told_as_any_says_nothing_of_it():
    (alert,) = Desk().believe(0.0, walker(1, 0.0))
    assert "handling" not in message(alert)
    assert handling_of(alert.facts) is UNSET


def test_a_shelved_alert_names_who_why_and_until_when_and_its_own_level():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, 60.0, place="east"))
    (alert,) = desk.believe(5.0, walker(1, 5.0, level=Level.WARNING))
    told = message(alert)
    assert told["level"] == 1
    assert told["handling"] == {
        "own_level": 3,
        "shelved": {
            "by": "north",
            "reason": "fence works",
            "until_utc_ns": alert.facts["shelved"]["until_utc_ns"],
        },
    }


def test_a_group_names_its_members_and_they_name_it():
    desk = Desk()
    for number in range(12):
        desk.believe(float(number), walker(number, number))
    desk.tick(12.0)
    (group,) = [a for a in desk.desk.active if "members" in a.facts]
    members = [message(a) for a in desk.desk.active if "group" in a.facts]
    told = message(group)["handling"]
    assert told["members"] == [one["id"] for one in members]
    assert (told["group_size"], told["group_active"], told["places"]) == (6, 6, ["east"])
    assert {one["handling"]["group"] for one in members} == {group.alert_id}


@pytest.mark.parametrize("name", ["realarm", "reopened", "chattering"])
def test_what_is_told_again_says_how_often(name):
    assert getattr(handling_of({name: 2, "source": "geo-1"}), name) == 2
