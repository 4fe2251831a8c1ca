from edge.indicators import alerts, count, doings, log_pages
from edge.indicators.words import LANGUAGES, escaped, words
from edge.record.entries import CODES, STEPS, Kind
from fusion.types import Event, Level
from tests.edge.indicators.month import DECEMBER, NOVEMBER, november


def tables(language):
    return words(language)._catalogue.tables


def test_every_language_has_the_same_keys():
    first, *others = ({(a, b) for a, t in tables(one).items() for b in t} for one in LANGUAGES)
    assert first
    assert all(other == first for other in others)


def test_no_text_is_empty_and_both_fill_in_the_same():
    for table, texts in tables("en-US").items():
        for key, text in texts.items():
            other = tables("es-MX")[table][key]
            assert text.strip() and other.strip()
            assert text.count("{") == other.count("{"), (table, key)


def test_every_code_that_a_report_can_say_has_a_word():
    for language in LANGUAGES:
        found = tables(language)
        assert set(Kind.__args__) == set(found["kind"])
        assert set(CODES) == set(found["code"])
        assert set(Event) == set(found["event"])
        assert {str(int(level)) for level in Level} <= set(found["level"])
        assert set(alerts.DIRECTIONS) == set(found["direction"])
        assert set(alerts.OUTCOMES) == set(found["outcome"])
        assert set(doings.ENDINGS) | (set(STEPS) - {"offered"}) == set(found["step"])
        assert {*doings.VERBS, "other"} == set(found["verb"])
        assert set(doings.SCOPES) == set(found["any"])
        assert set(log_pages.COLUMNS) == set(found["entry"])
        titles = {name.removeprefix("drill-") for name in count.TABLES}
        assert titles == set(found["title"]) == set(found["note"])


def test_every_word_of_the_month_is_in_the_catalogues():
    window = count.Window(from_utc_ns=NOVEMBER, to_utc_ns=DECEMBER)
    for figure in count.count(november(), window).figures:
        for table, code in (*figure.row, figure.column):
            if table and (table, code) != ("why", "one-signature"):
                assert all(code in tables(language)[table] for language in LANGUAGES), code


def test_what_others_wrote_moves_nothing():
    assert escaped("<b onclick='x'>\u202e&\x1b[2J") == "&lt;b onclick=&#x27;x&#x27;&gt; &amp; [2J"
