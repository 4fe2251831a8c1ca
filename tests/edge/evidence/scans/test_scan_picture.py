import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.evidence.canvas import PALETTE, PURPLE, RED
from edge.evidence.document import MAX_BYTES
from edge.evidence.drafts import drafts
from edge.evidence.scans.colours import DUSK, MIST, OWN, VIOLET, YELLOW, palette
from edge.evidence.scans.picture import MARGIN, TOP, WIDTH, _declared, _emptiness, scan_picture
from edge.evidence.scans.reasons import LINE_ROWS, UNSEEN, reasons_of
from edge.evidence.scans.sheet import sheet_of
from edge.evidence.scans.story import scan_story_of
from edge.evidence.telling import LANGUAGES
from edge.text import word
from fusion.types import Contribution
from tests.edge.evidence.scan_alerts import scan_alert
from tests.fusion.scan_records import FACTS, FRONT_M, HEIGHT_M, composite_pixels, pixels
from tests.fusion.scan_records import scan_record as bare

PX_PER_M = 1560 / 19.2


def drawn(record):
    """The record as the worker leaves it."""
    return replace(record, sheet=sheet_of(record, record.pixels), pixels=None)


@pytest.fixture(scope="module")
def record():
    return drawn(bare())


def opened(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def picture(record, alert):
    return opened(scan_picture(record, scan_story_of(alert, record)))


def at(image, along_m, height_m, side=9):
    """The pixels about a place of the vehicle."""
    x = MARGIN + round((FRONT_M + along_m) * PX_PER_M)
    y = TOP + round((HEIGHT_M - height_m) * PX_PER_M)
    return image[y - side // 2 : y + side // 2 + 1, x - side // 2 : x + side // 2 + 1]


def hue(image):
    red, green, blue = image.reshape(-1, 3).mean(axis=0)
    return red, green, blue


def has(image, colour):
    return bool((image == colour).all(axis=2).any())


def test_materials_have_the_colours_that_analysts_know(record):
    image = picture(record, scan_alert(record))
    red, green, blue = hue(at(image, 7.5, 2.4))
    assert red > green > blue  # organic is orange
    red, green, blue = hue(at(image, 10.2, 2.4))
    assert green > red
    assert green > blue  # light metal is green
    red, green, blue = hue(at(image, 12.6, 2.2))
    assert blue > green > red  # steel is blue
    red, green, blue = hue(at(image, 14.3, 1.9))
    assert blue > green  # dense is violet,
    assert red + green + blue < 200  # and dark
    assert min(hue(at(image, 3.0, 4.8))) > 240  # air is white


def test_what_no_light_came_through_is_hatched(record):
    image = picture(record, scan_alert(record))
    place = at(image, 15.8, 2.2, side=41)
    assert has(place, OWN[VIOLET])
    assert has(place, OWN[DUSK])
    assert not has(at(image, 12.6, 2.2, side=21), OWN[VIOLET])


@pytest.mark.parametrize(
    ("rings", "first", "second"), [((0,), True, False), ((0, 1), True, True), ((), False, False)]
)
def test_what_rings_is_boxed_in_red_where_it_is(record, rings, first, second):
    image = picture(record, scan_alert(record, rings=rings))
    for (left_m, right_m, top_m), is_red in (
        ((14.0, 14.6, 2.2), first),
        ((12.0, 13.2, 2.8), second),
    ):
        for metres in (left_m, right_m):
            edge = at(image, metres, top_m - 0.3)
            assert has(edge, PALETTE[RED]) == is_red
            assert is_red or has(edge, (0, 0, 0))
        outside = at(image, left_m - 0.3, top_m - 0.3)
        assert not has(outside, PALETTE[RED])


def test_the_bytes_are_these_on_every_machine():
    """Where one is changed on purpose: look at the picture, then note its digest here."""
    record = drawn(bare(pixels(300, 1000, noise=0.0)))
    drill = scan_alert(record, exercise=True)
    data = scan_picture(record, scan_story_of(drill, record))
    assert hashlib.sha256(data).hexdigest()[:16] == GOLDEN


GOLDEN = "5440e117ed9c41cd"


def test_an_exercise_never_looks_like_the_real_thing(record):
    real, drill = (picture(record, scan_alert(record, exercise=drill)) for drill in (False, True))
    assert has(drill[:2], PALETTE[PURPLE])
    assert not has(real, PALETTE[PURPLE])


def test_where_the_portal_saw_a_source_is_shown_in_the_scan(record):
    gamma = Contribution(
        source="rpm-1", kind="gamma.profile", explanation="threat-source", nats=8.0, age_s=0.0,
        capped=False, facts={"position_m": 8.0},
    )  # fmt: skip
    image = picture(record, scan_alert(record, more=(gamma,)))
    assert has(at(image, 8.0, 4.0, side=41), PALETTE[RED])
    assert not has(at(picture(record, scan_alert(record)), 8.0, 4.0, side=41), PALETTE[RED])


def test_a_partial_scan_and_lost_lines_are_plain_to_see():
    whole = bare(pixels(300, 1000))
    partial = drawn(replace(whole, partial=True, lost_columns=((400, 450),)))
    image = picture(partial, scan_alert(partial))
    assert has(image, OWN[YELLOW])
    lost = at(image, 425 * 19.2 / 1000 - FRONT_M, 2.5, side=15)
    assert has(lost, OWN[MIST])
    assert not has(picture(drawn(whole), scan_alert(whole)), OWN[YELLOW])


def test_where_a_scan_broke_off_is_marked_at_its_edge():
    partial = drawn(replace(bare(pixels(300, 1000)), partial=True))
    image = picture(partial, scan_alert(partial))
    edge = image[TOP : TOP + 200, WIDTH - MARGIN - 4 : WIDTH - MARGIN]
    assert has(edge, OWN[YELLOW])
    assert has(edge, (0, 0, 0))


def test_what_is_missing_is_told_in_metres_and_both_languages(record):
    gaps = tuple((first, first + 25) for first in range(100, 700, 100))
    broken = replace(record, partial=True, lost_columns=gaps, facts={**FACTS, "length_m": 0.0})
    made = reasons_of(broken, scan_story_of(scan_alert(broken), broken), 1560)
    partial, lost, vehicle = made.warnings
    end_m = (record.columns - record.front_column) * record.pitch_x_mm / 1000
    assert partial.count(f"{end_m:.1f} m") == 2
    first_m = (100 - record.front_column) * record.pitch_x_mm / 1000
    assert lost.count(f"{first_m:.1f}-") == 2
    assert "…" in lost  # and more of them
    assert "NO VEHICLE" in vehicle
    assert all(" · " in one for one in made.warnings)


@pytest.mark.parametrize("note", UNSEEN)
def test_why_a_box_was_not_seen_is_told_in_both_languages(record, note):
    doubtful = replace(record, facts={**FACTS, "notes": ("no-low-plane", note)})
    (warning,) = reasons_of(doubtful, scan_story_of(scan_alert(doubtful), doubtful), 1560).warnings
    for language in LANGUAGES:
        assert f"({word('unseen', note, language)})" in warning


def test_long_reasons_go_on_in_a_second_line_and_no_further(record):
    story = scan_story_of(scan_alert(record), record)
    words = ("word " * 40, "palabra " * 10)
    first = replace(story.regions[0], words=words)
    made = reasons_of(record, replace(story, regions=(first,), others=()), 1560)
    (one,) = made.told
    assert [len(lines) for lines in one.lines] == [2, 1]
    assert one.lines[0][1].endswith("…")
    assert made.height == 2 * LINE_ROWS


def test_a_chapter_is_said_to_be_one():
    assert _declared("84") == "HS/SA 84"
    assert _declared("empty") == "empty/vacío"


@pytest.mark.parametrize(
    ("rows", "columns"), [(1400, 4000), (120, 400), (400, 400), (16, 4000), (1000, 20)]
)
def test_every_shape_is_drawn(rows, columns):
    record = drawn(bare(pixels(rows, columns, cell_px=2)))
    data = scan_picture(record, scan_story_of(scan_alert(record), record))
    assert opened(data).shape[1] == WIDTH
    assert len(data) <= MAX_BYTES


@pytest.mark.parametrize(
    "facts",
    [{}, {"regions": ()}, {**FACTS, "regions": FACTS["regions"] * 12}, {"geometry": {}}],
    ids=["no-vehicle", "nothing-stands-out", "many", "no-box"],
)
def test_odd_findings_are_drawn(record, facts):
    odd = replace(record, facts=facts)
    assert picture(odd, scan_alert(odd)).shape[1] == WIDTH


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"empty": True, "sure": {"empty": 0.99}}, "EMPTY/VACÍO"),
        ({"empty": False, "sure": {"empty": 0.99}}, "LOADED/CON CARGA"),
        ({"empty": False, "sure": {"empty": 0.5}}, ""),  # blind, or without a box
        ({"empty": False, "sure": {"empty": 0.99}, "partial": True}, ""),
    ],
    ids=["empty", "loaded", "not-known", "partial"],
)
def test_whether_it_is_empty_is_told_only_where_it_is_known(facts, told):
    assert _emptiness(facts) == told


@pytest.mark.parametrize(("share", "shown"), [(0.4, True), (0.02, False)])
def test_much_load_of_no_told_material_stands_in_the_legend(record, share, shown):
    whole = replace(record, facts={**FACTS, "materials": {"unresolved": share}})
    alike = picture(whole, scan_alert(whole)) == picture(record, scan_alert(record))
    assert bool(alike.all()) is not shown


def test_an_eight_bit_picture_is_grey():
    record = drawn(bare(composite_pixels()))
    image = picture(record, scan_alert(record, rings=()))
    sheet = image[TOP + 40 : TOP + 120, MARGIN + 200 : MARGIN + 400].astype(int)
    assert (np.ptp(sheet, axis=2) == 0).all()
    red, green, blue = hue(at(image, 7.5, 2.4))
    assert red == green == blue
    assert 60 < red < 200


def test_noise_still_fits_in_a_message():
    made = pixels()
    made.high[:] = np.random.default_rng(1).integers(0, 65_536, made.high.shape)
    made.groups[:] = np.random.default_rng(1).integers(0, 6, made.groups.shape)
    record = drawn(bare(made))
    assert len(scan_picture(record, scan_story_of(scan_alert(record), record))) <= MAX_BYTES


def test_a_scan_has_a_picture_and_its_planes(record):
    with_planes = replace(record, tiff=b"II*\0")
    names = [draft.name for draft in drafts(scan_alert(record), with_planes, 1)]
    assert names == ["scan-2.png", "report-2.dcs", "planes-2.tif"]


def test_all_colours_are_different_enough_to_be_a_palette():
    assert len(palette()) == 256
