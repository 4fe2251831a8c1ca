"""YAML with the line of every key."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.settings.lines import MAX_BYTES, dotted, read_yaml


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "a.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_every_key_and_item_has_its_line(written):
    document = read_yaml(written("a: 1\nb:\n  - {c: 2,\n     d: 3}\n"))
    assert document.data == {"a": 1, "b": [{"c": 2, "d": 3}]}
    assert document.line(("a",)) == 1
    assert document.line(("b", 0, "c")) == 3
    assert document.line(("b", 0, "d")) == 4


def test_a_missing_key_has_the_line_of_what_it_is_missing_from(written):
    document = read_yaml(written("a: 1\nb:\n  c: 2\n"))
    assert document.line(("b", "missing")) == 2
    assert document.line(("missing",)) == 1


def test_a_key_given_twice_is_a_mistake_with_both_lines(written):
    document = read_yaml(written("a:\n  b: 1\n  c: 2\n  b: 3\n"))
    (mistake,) = document.mistakes
    assert (mistake.line, mistake.key) == (4, "a.b")
    assert "line 2" in mistake.message
    assert document.data == {"a": {"b": 1, "c": 2}}


def test_a_merged_mapping_is_told_once(written):
    document = read_yaml(written("a: &x\n  b: 1\n  b: 2\nc:\n  <<: *x\nd:\n  <<: *x\n"))
    assert [mistake.line for mistake in document.mistakes] == [3]


def test_a_merged_key_has_the_line_where_it_is_written(written):
    document = read_yaml(written("a: &x\n  b: 1\n  c: 2\nd:\n  <<: *x\n  c: 3\n"))
    assert document.data["d"] == {"b": 1, "c": 3}
    assert document.line(("d", "b")) == 2
    assert document.line(("d", "c")) == 6


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: [1, 2\n", 3),
        ("a: *nowhere\n", 1),
        ("a: 1\nb: !!python/object:os.system x\n", 2),
        (b"a: 1\nb: \xff\n", 2),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(written, text, line):
    with pytest.raises(ConfigError) as caught:
        read_yaml(written(text))
    (mistake,) = caught.value.mistakes
    assert mistake.line == line
    assert mistake.mend


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "? [1, 2]\n: 3\n",
        'a: "\x01"\n',
        "[" * 100 + "]" * 100,
        "\n".join(["l0: &l0 [x]", *(f"l{i}: &l{i} [{f'*l{i - 1}, ' * 10}]" for i in range(1, 9))]),
        "#" * (MAX_BYTES + 1),
    ],
    ids=["cycle", "list as a key", "control", "deep", "a billion laughs", "endless"],
)
def test_hostile_files_end_in_a_config_error(written, text):
    with pytest.raises(ConfigError):
        read_yaml(written(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nsite: " + "[" * 20_000, 2),
        ("a: 1\nsite: " + "[" * 40 + "]" * 40, 2),
        ("a: 1\n" + "- " * 20_000, 2),
        ("a: 1\nb:\n" + "".join(" " * i + "a:\n" for i in range(1, 1200)), 34),
    ],
    ids=["brackets", "closed brackets", "dashes", "indentation"],
)
def test_what_is_nested_beyond_reason_is_told_with_its_line(written, text, line):
    with pytest.raises(ConfigError) as caught:
        read_yaml(written(text))
    (mistake,) = caught.value.mistakes
    assert mistake.line == line
    assert mistake.mend


def test_what_is_no_regular_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(ConfigError, match="no regular file"):
            read_yaml(path)


def test_a_file_that_is_not_there_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match="directory"):
        read_yaml(tmp_path)


def test_a_path_is_shown_as_a_person_writes_it():
    assert dotted(("sensors", 2, "url")) == "sensors[2].url"
    assert dotted(()) == ""


@settings(max_examples=150)
@given(data=st.binary(max_size=200) | st.text(alphabet="ab:- \n[]{}&*!|>'\"#\t", max_size=60))
def test_any_bytes_are_a_document_or_a_config_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("yaml") / "a.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    try:
        read_yaml(path)
    except ConfigError as error:
        assert error.mistakes
