"""What was done with an alert is told in its words, in both languages."""

import re

import pytest

from edge import text
from edge.text.render import render
from fusion.types import Event, Level, Phase
from tests.edge.text.test_text import LONGEST_NAME, alert, cases

ID = "01JD8Q3M6Z5T0V9XKQ2A7B4C1E"
DONE = {
    "reopened": {"reopened": 3},
    "chattering": {"chattering": 12},
    "realarm": {"realarm": 2},
    "shelved": {
        "shelved": {"by": "ops-north", "until_utc_ns": 1_795_000_000 * 10**9, "reason": "ROADWORK"},
        "own_level": 3,
    },
    "member": {"group": ID, "own_level": 2},
    "group": {
        "group_size": 28,
        "group_active": 24,
        "places": tuple(f"{LONGEST_NAME[:-1]}{i}" for i in range(5)),
        "members": (ID,),
        "strongest": ID,
    },
}


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("done", DONE)
@pytest.mark.parametrize("case", [*cases()])
def test_every_code_and_level_says_what_was_done_with_it_at_a_glance(language, done, case):
    event, explanation, level = case
    plain = alert(event, explanation=explanation, level=level)
    handled = alert(
        event, explanation=explanation, level=level, facts={**plain.facts, **DONE[done]}
    )
    info = render(handled, language)
    assert len(info.headline) <= 110 if done == "group" else len(info.headline) <= 80
    assert len(info.description) > len(render(plain, language).description) + 20
    assert len(info.description) <= 700
    for part in info:
        assert not re.search(r"[{}\[\]]|\s\s| [,.:;]|\bNone\b|\bnan\b", part), part


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("done", DONE)
def test_a_fact_of_another_type_breaks_no_sentence(language, done):
    for name in DONE[done]:
        for odd in ("x", True, -1, 10**30, 1.5, {}, (), {"by": None, "until_utc_ns": 10**40}):
            info = render(alert(Event.PERSON, facts={**DONE[done], name: odd}), language)
            for part in info:
                assert not re.search(r"[{}\[\]]|\s\s|\bNone\b|\bnan\b", part), part


def test_the_words_read_as_a_person_would_say_them():
    many = alert(
        Event.PERSON,
        lane=None,
        zone="fence",
        direction=None,
        facts=DONE["group"] | {"places": ("fence", "gate")},
    )
    assert render(many, "en-US").headline == (
        "EXERCISE: 28 alerts at once, the worst: Person on foot, heading north"
    )
    assert "28 so far, 24 active now, at fence, gate." in render(many, "en-US").description
    assert render(many, "es-MX").headline == (
        "SIMULACRO: 28 alertas a la vez; la más grave: Persona a pie, hacia el norte"
    )
    aside = render(alert(Event.PERSON, level=Level.LOG, facts=DONE["shelved"]), "en-US")
    assert "Put aside by ops-north until 2026-11-18 11:06 UTC (ROADWORK)" in aside.description
    assert "by itself it would be WARNING." in aside.description
    over = render(alert(Event.PERSON, phase=Phase.CLEAR, facts=DONE["reopened"]), "es-MX")
    assert "Volvió a presentarse (3 veces hasta ahora)." in over.description


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("fact", ["ambiguous", "taken_back"])
def test_a_pairing_in_doubt_and_a_word_taken_back_are_said(language, fact):
    plain = render(alert(Event.CARGO_ANOMALY), language).description
    told = render(alert(Event.CARGO_ANOMALY, facts={fact: True}), language).description
    assert len(told) > len(plain) + 20
    assert render(alert(Event.CARGO_ANOMALY, facts={fact: False}), language).description == plain
