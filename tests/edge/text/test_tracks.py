"""What is said of somebody whom several ground sensors have followed."""

import pytest

from edge.text.render import render
from fusion.types import Alert, Event, Level, Phase


def alert(**facts) -> Alert:
    return Alert(
        alert_id="0" * 26,
        revision=2,
        phase=Phase.UPDATE,
        event=Event.PERSON,
        level=Level.WARNING,
        probability=0.9,
        site="test",
        lane=None,
        zone="fence",
        direction=facts.get("direction"),
        exercise=False,
        onset_utc_ns=0,
        updated_utc_ns=0,
        explanations=(("person", 0.9), ("nothing", 0.1)),
        contributions=(),
        score_nats=2.2,
        silent=(),
        down=(),
        facts=facts,
    )


ALONG = {
    "course": "along",
    "direction": "north",
    "speed_m_s": 1.42,
    "speed_sd_m_s": 0.08,
    "near": "geo-3",
    "position_sd_m": 2.4,
    "count": 1,
    "turned": False,
    "toward": {"en-US": "toward the river", "es-MX": "hacia el río"},
}


@pytest.mark.parametrize(
    ("language", "place", "way"),
    [
        (
            "en-US",
            "Zone fence, heading north.",
            "Speed 1.4 m/s ± 0.1, toward the river, now near geo-3 ± 2 m.",
        ),
        (
            "es-MX",
            "Zona fence, hacia el norte.",
            "Velocidad 1.4 m/s ± 0.1, hacia el río, ahora cerca de geo-3 ± 2 m.",
        ),
    ],
)
def test_the_way_is_told_in_both_languages(language, place, way):
    told = render(alert(**ALONG), language).description
    assert place in told
    assert way in told


def test_a_file_that_has_turned_is_told():
    told = render(alert(**ALONG | {"count": 3, "turned": True}), "en-US").description
    assert "Has turned round. At least 3." in told


def test_who_crosses_has_no_speed():
    told = render(alert(course="across", near="geo-2", count=1), "en-US").description
    assert "Crosses the line of sensors near geo-2." in told
    assert "Speed" not in told


def test_without_a_way_nothing_is_said_of_one():
    told = render(alert(), "en-US").description
    assert "Speed" not in told
    assert "Crosses" not in told


@pytest.mark.parametrize(
    ("language", "end", "said"),
    [
        ("en-US", "start", "Starts at lane nb-01."),
        ("en-US", "end", "Ends at lane nb-01."),
        ("en-US", "both", "Starts and ends at lane nb-01."),
        ("es-MX", "start", "Parte del carril nb-01."),
        ("es-MX", "end", "Llega al carril nb-01."),
        ("es-MX", "both", "Parte del carril nb-01 y vuelve a él."),
    ],
)
def test_who_comes_from_a_lane_or_goes_to_one_is_said_so(language, end, said):
    assert said in render(alert(near_lane="nb-01", near_lane_at=end), language).description


def test_where_a_vehicle_was_followed_is_said_in_order():
    told = render(alert(zones=("north-fence", "south-fence")), "en-US").description
    assert "Followed through north-fence, south-fence." in told
    assert "Followed" not in render(alert(zones=("north-fence",)), "en-US").description
