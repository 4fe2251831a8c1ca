"""Errors that a person can do something about."""

from edge.errors import ConfigError, Mistake


def test_a_mistake_says_where_what_and_how_to_mend_it():
    mistake = Mistake(line=7, key="http.port", value="0", message="no port", mend="write 8088")
    assert str(mistake) == "line 7, http.port = 0: no port; write 8088"


def test_a_mistake_without_a_line_is_one_of_the_file():
    mistake = Mistake(line=None, key="", value="", message="no such file", mend="")
    assert str(mistake) == "the file: no such file"


def test_a_config_error_shows_all_its_mistakes():
    one = Mistake(line=1, key="a", value="", message="x", mend="")
    two = Mistake(line=2, key="b", value="", message="y", mend="")
    assert str(ConfigError("site.yaml", [one, two])).splitlines() == [
        "site.yaml: 2 mistakes",
        "  line 1, a: x",
        "  line 2, b: y",
    ]
