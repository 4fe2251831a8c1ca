import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.evidence.canvas import PALETTE, PURPLE, RED, Canvas, glyphs, shortened
from edge.evidence.picture import picture
from edge.evidence.png import encode
from edge.evidence.spectrum_chart import main_lines
from edge.evidence.story import story_of
from edge.text.catalogue import LANGUAGES, catalogue
from tests.edge.evidence.alerts import GAMMA, alert
from tests.edge.evidence.test_document import bare, gross, spectral
from tests.fusion.pass_records import pass_record


def opened(data):
    picture_ = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture_ is not None
    return picture_


def has(data, colour):
    return bool((opened(data) == PALETTE[colour]).all(axis=2).any())


@pytest.mark.parametrize(("make", "rows"), [(gross, 450), (spectral, 740), (bare, 450)])
def test_every_pass_can_be_drawn_and_opened(make, rows):
    assert opened(picture(*make())).shape == (rows, 800, 3)


def test_the_bytes_are_these_on_every_machine():
    """Where one is changed on purpose: look at the picture, then note its digest here."""
    digests = [hashlib.sha256(picture(*make())).hexdigest()[:16] for make in (gross, spectral)]
    assert digests == GOLDEN


GOLDEN = ["e3db8fb27964d8ec", "7ecd551db30930aa"]


def test_an_exercise_never_looks_like_the_real_thing():
    record = pass_record()
    real = picture(record, story_of(alert(record), record))
    drill = picture(record, story_of(alert(record, exercise=True), record))
    border = opened(drill)[:2]
    assert (border == PALETTE[PURPLE]).all(axis=2).any()
    assert not (opened(real)[:2] == PALETTE[PURPLE]).all(axis=2).any()


def test_the_place_of_the_source_is_marked_where_it_is_known():
    record = pass_record()
    known = story_of(alert(record), record)
    wedge = opened(picture(record, known))[92:104, 300:500]
    assert (wedge == PALETTE[RED]).all(axis=2).any()
    nowhere = {name: value for name, value in GAMMA.items() if name != "position_m"}
    unknown = story_of(alert(record, gamma=nowhere), record)
    assert not (opened(picture(record, unknown))[92:104, 100:] == PALETTE[RED]).all(axis=2).any()


@pytest.mark.parametrize(
    "change",
    [
        {"passed_m": np.zeros(50)},
        {"passed_m": np.linspace(20, 0, 50)},
        {"gamma_counts": np.zeros((50, 4), np.int64)},
        {"fitted_counts": np.full(50, np.nan)},
        {"length_m": 0.0},
    ],
    ids=["stands", "reverses", "nothing-counted", "no-fit", "no-length"],
)
def test_odd_passes_are_drawn_too(change):
    record = replace(pass_record(), **change)
    opened(picture(record, story_of(alert(record), record)))


def test_one_scan_and_none_are_drawn():
    for scans in (0, 1):
        record = pass_record(scans=max(scans, 1))
        first = slice(0, scans)
        record = replace(
            record,
            starts_utc_ns=record.starts_utc_ns[first],
            gamma_counts=record.gamma_counts[first],
            passed_m=record.passed_m[first],
            clean_counts=None,
            fitted_counts=None,
            alarm_counts=None,
        )
        opened(picture(record, story_of(alert(record), record)))


def test_the_fonts_have_every_letter_of_both_languages():
    def texts(table):
        for value in table.values():
            yield from texts(value) if isinstance(value, dict) else [value]

    letters = {
        letter
        for language in LANGUAGES
        for name in ("event", "level")
        for text in texts(catalogue(language).tables[name])
        for letter in text
    }
    for font in ("small", "bold"):
        assert letters <= set(glyphs(font))


def test_a_text_that_is_too_long_is_cut_and_one_with_odd_letters_is_written():
    assert shortened("abcdefghij", 8 * 6) == "abcde…"
    canvas = Canvas(40, 20)
    canvas.text(100, 2, "漢字")
    assert canvas.pixels.any()


def test_main_lines_stand_apart_and_a_strange_name_has_none():
    assert main_lines("Cs-137") == [661.7]
    assert main_lines("Xx-1") == []
    assert main_lines("Co-60") == [1173.2, 1332.5]


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_any_picture_comes_back_as_it_was(rows, half, random):
    pixels = np.array(
        [[random.choice([0, 0, 0, 5, 11]) for _ in range(2 * half)] for _ in range(rows)], np.uint8
    )
    assert (opened(encode(pixels, PALETTE)) == np.array(PALETTE, np.uint8)[pixels]).all()


def test_what_png_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="palette"):
        encode(np.full((2, 2), 16, np.uint8), PALETTE)
