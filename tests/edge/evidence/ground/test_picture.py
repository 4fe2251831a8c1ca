import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.evidence.canvas import (
    HEAT,
    LIGHT,
    MAROON,
    PURPLE,
    RED,
    WAVE_PALETTE,
    glyphs,
)
from edge.evidence.ground.chart import ENVELOPE_TOP, LEFT, RIGHT, short
from edge.evidence.ground.picture import HEIGHT, WIDTH, wave_picture
from edge.evidence.ground.spectrogram import BOTTOM, STEPS_DB, TOP
from edge.evidence.ground.story import wave_story_of
from edge.text.catalogue import LANGUAGES, catalogue
from fusion.seismic_features import CLASSES, TERMS
from fusion.types import SECOND_NS
from tests.edge.evidence.alerts import ground_alert
from tests.fusion.wave_records import facts_of, wave_record


def drawn(record, **alert):
    return wave_picture(record, wave_story_of(ground_alert(record, **alert), record))


def opened(data):
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return picture


def where(data, colour):
    return (opened(data) == WAVE_PALETTE[colour]).all(axis=2)


EVENTS = {
    "walk": {"seconds": 30.0},
    "begun": {"seconds": 2.0, "rate_hz": 100.0},
    "gap": {"lost": range(90, 100), "name": "digging", "cadence_hz": 0.9, "calibrated": False},
    "aircraft": {"name": "aircraft", "cadence_hz": 0.0, "tone_hz": 84.0, "rate_hz": 250.0},
    "fast": {"seconds": 20.0, "rate_hz": 4300.0, "channel": "ch0", "calibrated": False},
    "slow": {"seconds": 20.0, "rate_hz": 50.0},
}


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_drawn_and_opened(event):
    data = drawn(wave_record(**EVENTS[event]))
    assert opened(data).shape == (HEIGHT, WIDTH, 3)
    assert len(data) < 150_000


def test_the_bytes_are_these_on_every_machine():
    """Where one is changed on purpose: look at the picture, then note its digest here."""
    digests = {
        event: hashlib.sha256(drawn(wave_record(**keys))).hexdigest()[:16]
        for event, keys in EVENTS.items()
    }
    assert digests == GOLDEN


GOLDEN = {
    "walk": "a731fbd4741d4708",
    "begun": "2832424a5e6cb4d8",
    "gap": "1ce0bb031ea6dec5",
    "aircraft": "78bd46c0b7ae07da",
    "fast": "63e6ecfe8a71cfde",
    "slow": "cd9ea37730ee4ae3",
}


def test_an_exercise_never_looks_like_the_real_thing():
    record = wave_record(seconds=5.0)
    assert where(drawn(record, exercise=True), PURPLE)[:2].any()
    assert not where(drawn(record), PURPLE)[:2].any()


def test_footfalls_are_marked_where_they_are():
    marks = where(drawn(wave_record(seconds=30.0)), RED)[ENVELOPE_TOP + 2, LEFT + 1 : RIGHT - 1]
    columns = np.flatnonzero(marks) + LEFT + 1
    begins = columns[np.flatnonzero(np.diff(columns, prepend=-9) > 1)] + 1
    seconds = -10.0 + (begins - LEFT) * 40.0 / (RIGHT - LEFT)
    told = np.array(facts_of()["footfalls_s"])
    assert len(seconds) == len(told)
    assert abs(seconds - told).max() < 0.1


def test_the_louder_frequency_is_the_darker_one():
    data = drawn(wave_record(**EVENTS["aircraft"]))
    dark = where(data, MAROON)[TOP + 1 : BOTTOM, LEFT + 1 : RIGHT - 1]
    rows, columns = np.nonzero(dark)
    hz = (BOTTOM - TOP - 1 - rows) * 110.0 / (BOTTOM - TOP)
    assert 80.0 < hz.min() < hz.max() < 88.0
    assert columns.min() > (RIGHT - LEFT) * 10 / 40 - 3  # nothing before the event
    assert not where(drawn(wave_record(**EVENTS["walk"])), MAROON)[TOP + 1 : TOP + 30].any()


def test_what_was_not_received_is_grey_and_not_quiet():
    grey = where(drawn(wave_record(**EVENTS["gap"])), LIGHT)
    column = LEFT + round((8.5 + 10.0) / 40.0 * (RIGHT - LEFT)) + 8
    assert grey[TOP + 20 : BOTTOM - 20, column].all()
    assert not grey[TOP + 20 : BOTTOM - 20, LEFT + 20].any()


def test_the_gap_has_the_length_of_what_was_lost():
    grey = where(drawn(wave_record(**EVENTS["gap"])), LIGHT)[TOP + 20, LEFT + 1 : RIGHT - 1]
    assert grey.sum() / (RIGHT - LEFT) * 40.0 == pytest.approx(2.5, abs=0.2)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"class": "unknown", "classes": {}, "why": None},
        {"classes": {"hovercraft": 1.0}, "why": {"odd_term": 99.0}, "class": "hovercraft"},
        {"footfalls_s": "often", "classes": 3, "peak_um_s": "high"},
    ],
    ids=["nothing", "not-classed", "new-words", "wrong"],
)
def test_odd_facts_are_drawn_too(facts):
    opened(drawn(wave_record(seconds=3.0, facts=facts)))


def test_a_record_without_samples_is_drawn_too():
    record = wave_record(seconds=3.0)
    opened(drawn(replace(record, traces=(replace(record.traces[0], packets=()),))))


@pytest.mark.parametrize("counts", [[7], [7, 7, 7], [-(2**31), 2**31 - 1] * 2000], ids=len)
def test_odd_samples_are_drawn_too(counts):
    record = wave_record(seconds=3.0)
    packets = ((record.begin_utc_ns + SECOND_NS, np.array(counts, np.int32)),)
    opened(drawn(replace(record, traces=(replace(record.traces[0], packets=packets),))))


def test_silence_is_drawn_white():
    record = wave_record(seconds=3.0)
    packets = ((record.begin_utc_ns, np.full(4000, 16_000, np.int32)),)
    data = drawn(replace(record, traces=(replace(record.traces[0], packets=packets),)))
    assert not where(data, MAROON).any(axis=0)[LEFT:RIGHT].any()


def test_what_the_alert_rests_on_names_the_class_and_the_last_word_the_footfalls():
    record = wave_record(seconds=30.0, final=True, name="weather")
    best = {**facts_of("person", 12.0), "footfalls_s": (0.1, 0.6)}
    story = wave_story_of(ground_alert(record, facts=best), record)
    assert story.name == "person"
    assert len(story.footfalls_s) == len(record.facts["footfalls_s"])
    assert story.classes[0] == ("person", 0.84)
    assert story.why[0][0] == "chain_nats"


def test_every_class_and_every_term_has_its_words_in_letters_that_there_are():
    for language in LANGUAGES:
        tables = catalogue(language).tables
        assert set(TERMS) <= set(tables["term"])
        assert set(CLASSES) - {"unknown"} <= set(tables["explanation"])
        letters = {letter for text in tables["term"].values() for letter in text}
        assert letters <= set(glyphs("small"))
        assert max(len(text) for text in tables["term"].values()) <= 29


def test_the_colours_grow_darker():
    luminance = [sum(WAVE_PALETTE[colour]) for colour in HEAT]
    assert luminance == sorted(luminance, reverse=True)
    assert len(set(HEAT)) == len(HEAT)
    assert list(STEPS_DB) == sorted(STEPS_DB)


def test_numbers_are_short():
    told = [short(value) for value in (0.0, 0.4156, 9.3, 124.2, 1234.0, -52_345.0)]
    assert told == ["0", "0.416", "9.3", "124", "1,234", "−52k"]
