import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from edge.indicators import charts, pages
from edge.indicators.count import count
from edge.indicators.figures import Window
from edge.indicators.page import Origin
from edge.indicators.reading import Reading
from edge.indicators.report import files
from edge.indicators.words import LANGUAGES, words
from tests.edge.indicators.month import DAY, DECEMBER, NOVEMBER, Writer, months, november

WHOLE = Window(from_utc_ns=NOVEMBER, to_utc_ns=DECEMBER)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=y>\u202e\x1b[2J</svg></style>=1+1"
VOID = {"meta"}


class Checker(HTMLParser):
    """Structure, anchors and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.text = [], set(), [], [], []
        self.scopes = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append(tag)
        assert not [name for name in named if name.startswith("on") or name == "src"]
        if "id" in named:
            assert named["id"] not in self.ids
            self.ids.add(named["id"])
        if tag == "a":
            self.links.append(named["href"])
        if tag == "th":
            self.scopes.append(named.get("scope"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def written(entries, window=WHOLE, languages=LANGUAGES):
    reading = Reading(entries)
    origin = Origin(first=0, size=len(entries), root="ab" * 32)
    return dict(files(count(reading, window), reading, origin, languages))


def check(made):
    """Every page is sound and every link leads somewhere; the pages by name."""
    read = {name: Checker(text) for name, text in made.items() if name.endswith(".html")}
    for name, page in read.items():
        assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
        assert set(page.scopes) <= {"row", "col"}
        for link in page.links:
            file, _, anchor = link.partition("#")
            assert (file or name) in read
            assert not anchor or anchor in read[file or name].ids, link
    return read


def test_the_pages_of_the_month_are_sound():
    read = check(written(november()))
    assert sorted(read) == sorted(
        f"{kind}.html"
        for language in LANGUAGES
        for kind in (f"report.{language}", f"entries.{language}.1")
    )


def test_every_figure_of_a_table_is_a_link():
    text = written(november())["report.en-US.html"]
    for body in re.findall(r"<tbody>.*?</tbody>", text, re.S):
        for cell in re.findall(r"<td>(.*?)</td>", body, re.S):
            assert cell == "–" or cell.startswith("<a ")


@settings(max_examples=20)
@given(months())
def test_any_month_makes_sound_pages(entries):
    check(written(entries))


def test_hostile_texts_are_shown_as_they_are_and_run_nothing():
    w = Writer()
    w.alert("2 08:00", HOSTILE, 1, HOSTILE, 3, HOSTILE, place=HOSTILE)
    w.add("2 08:01", "ack", by=HOSTILE[:40] + "/x", key=HOSTILE[:60], alert=HOSTILE)
    w.add("2 08:02", "sensor", sensor=HOSTILE, up=True, reason=HOSTILE)
    w.add("2 08:03", "side", side=HOSTILE, connected=True)
    w.add("2 08:03", "hand-over", by="north", alert=HOSTILE, step="offered", to=HOSTILE)
    w.add("2 08:04", "refused", by=HOSTILE[:40], verb=HOSTILE, why=HOSTILE)
    w.add("2 08:05", "change", what=[HOSTILE], signers=[HOSTILE], digest=HOSTILE)
    w.add("2 08:06", "shelve", event=HOSTILE, sensor=HOSTILE, place=HOSTILE, until=HOSTILE)
    w.add("2 08:07", "count", lanes={HOSTILE: {"passages": 3, "scans": HOSTILE}})
    w.add("2 08:08", "gap", sensor=HOSTILE, missing=3)
    made = written(w.entries)
    read = check(made)
    for name, page in read.items():
        assert "<script>alert(1)</script>" in "".join(page.text)
        assert "\x1b" not in made[name] and "\u202e" not in made[name]


def test_the_same_entries_give_the_same_bytes():
    assert written(november()) == written(november())


def test_an_empty_window_says_so_and_shows_no_zero():
    window = Window(from_utc_ns=DECEMBER, to_utc_ns=DECEMBER + DAY)
    made = written(november(), window)
    for language in LANGUAGES:
        page = check(made)[f"report.{language}.html"]
        assert words(language).page("empty") in "".join(page.text)
        assert "table" not in page.tags


def test_what_nobody_adjudicated_is_told_in_words():
    w = Writer()
    w.alert("2 08:00", "a", 1, "RAD_THREAT", 3)
    made = written(w.entries)
    assert "not adjudicated" in made["report.en-US.html"]
    assert "sin dictamen" in made["report.es-MX.html"]
    assert "sin medición" in made["report.es-MX.html"]


def test_entries_are_on_pages_of_a_bounded_size(monkeypatch):
    monkeypatch.setattr(pages, "PER_PAGE", 10)
    monkeypatch.setattr("edge.indicators.log_pages.PER_PAGE", 10)
    made = written(november(), languages=("en-US",))
    assert len([name for name in made if name.startswith("entries.en-US")]) == 7
    check(made)


def test_the_page_names_the_window_and_the_record():
    text = written(november())["report.en-US.html"]
    assert "From 2026-11-01 00:00 up to, not including, 2026-12-01 00:00 (UTC)" in text
    assert "ab" * 32 in text
    assert "65 entries" in text


def test_pictures_stay_within_their_frames():
    text = written(november())["report.en-US.html"]
    for picture in re.findall(r"<svg.*?</svg>", text, re.S):
        height = float(re.search(r'viewBox="0 0 \d+ (\d+)"', picture)[1])
        found = re.findall(
            r'<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"', picture
        )
        assert found or "not adjudicated" in picture
        for x, y, width, tall in (map(float, each) for each in found):
            assert 0 <= x <= x + width <= charts.WIDTH
            assert 0 <= y <= y + tall <= height


# --- contrast ---------------------------------------------------------------------------


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2, relative luminance."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_enough(scheme):
    text = written(november())["report.en-US.html"]
    light, dark = re.findall(r":root \{([^}]*--paper[^}]*--far[^}]*)\}", text)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", {"light": light, "dark": dark}[scheme]))
    for name, colour in colours.items():
        if name in ("ink", "soft", "link"):
            assert min(contrast(colour, colours[back]) for back in ("paper", "panel")) >= 4.5, name
        elif name not in ("paper", "panel", "line"):
            assert contrast(colour, colours["paper"]) >= 3.0, name
