"""A document taken apart by regular expressions beside the kernel."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.kernels.markup import (
    LARGEST,
    LONGEST_TEXT,
    NUMBERS,
    TEXT,
    Apart,
    Tags,
    copy_tag,
    end_of_text,
    tag_number,
    take_apart,
    take_numbers,
)

TAGS = ("<n>", "<n z>", "<t>", '<t u="v">')
LENGTHS = np.array([len(tag) - 1 for tag in TAGS], np.int64)
TABLE = np.array([tag[:-1].encode() for tag in TAGS], "S9").view(np.uint8).reshape(len(TAGS), -1)
ROOM = 60


def array(data):
    return np.frombuffer(data, np.uint8)


def naive_numbers(text, counted):
    """None: no plain numbers."""
    if not re.fullmatch(rb"[0-9 \n]*", text):
        return None
    tokens = [int(token) for token in text.split()]
    if any(token >= LARGEST for token in tokens):
        return None
    values, waiting = [], iter(tokens)
    for token in waiting:
        length = 1
        if counted and token == 0:
            length = next(waiting, 0)
            if length == 0:
                return None
        values += [token] * length
    return values if len(values) <= ROOM else None


def naive_apart(data):
    if re.search(rb"[\x00-\x09\x0b-\x1f]", data):
        return None
    skeleton, texts, rows, values, at = b"", [], [], [], 0
    while at < len(data):
        tag = re.compile(rb"<[^>]*>").match(data, at)
        if tag is None:
            if data[at : at + 1] == b"<":
                return None
            skeleton += data[at : at + 1]
            at += 1
            continue
        skeleton += tag[0]
        at = tag.end()
        if tag[0].decode("latin-1") not in TAGS:
            continue
        end = data.find(b"<", at)
        if end < 0:
            return None
        number = TAGS.index(tag[0].decode("latin-1"))
        if number < 2:
            found = naive_numbers(data[at:end], number == 1)
            if found is None or len(values) + len(found) > ROOM:
                return None
            values += found
            rows.append(len(values))
            skeleton = skeleton[: len(skeleton) - len(tag[0])] + b"<n>" + bytes([NUMBERS])
        else:
            if end - at > LONGEST_TEXT:
                return None
            texts.append([at, end])
            skeleton += bytes([TEXT])
        at = end
    return skeleton, texts, rows, values


def kernel_apart(data):
    skeleton = np.empty(len(data) * 2 + 1, np.uint8)
    texts, rows = np.empty((50, 2), np.int64), np.empty(50, np.int64)
    values = np.empty(ROOM, np.uint32)
    made, text_count, row_count = take_apart(
        array(data), Tags(TABLE, LENGTHS), Apart(skeleton, texts, rows, values)
    )
    if made < 0:
        return None
    size = rows[row_count - 1] if row_count else 0
    return (
        skeleton[:made].tobytes(),
        texts[:text_count].tolist(),
        rows[:row_count].tolist(),
        values[:size].tolist(),
    )


numbers = st.lists(st.integers(0, 12) | st.just(0) | st.integers(0, 2 * LARGEST), max_size=9)
pieces = st.one_of(
    st.sampled_from([tag.encode() for tag in TAGS] + [b"</n>", b"<o>", b"\n", b"<", b">", b"\x01"]),
    numbers.map(lambda found: " ".join(map(str, found)).encode()),
    st.text("PT0.9S ", max_size=50).map(str.encode),
)


@settings(max_examples=400)
@given(st.lists(pieces, max_size=12).map(b"".join))
def test_what_is_taken_apart_is_the_twin(data):
    assert kernel_apart(data) == naive_apart(data)


@settings(max_examples=300)
@given(st.lists(st.tuples(numbers, st.booleans()), max_size=6))
def test_numbers_come_back(rows):
    data = b""
    for found, counted in rows:
        data += (b"<n z>" if counted else b"<n>") + " ".join(map(str, found)).encode() + b"</n>"
    assert kernel_apart(data) == naive_apart(data)


@given(numbers, st.booleans())
def test_one_run_of_numbers_is_the_twin(found, counted):
    text = " ".join(map(str, found)).encode()
    values = np.empty(ROOM, np.uint32)
    place, at = take_numbers(array(text + b"<"), 0, counted, values, 0)
    naive = naive_numbers(text, counted)
    assert (None if place < 0 else values[:at].tolist()) == naive


@given(st.sampled_from([*TAGS, "<m>", "<n y>", "<t"]))
def test_a_tag_is_known(tag):
    data = array(tag[:-1].encode())
    number = TAGS.index(tag) if tag in TAGS else -1
    assert tag_number(data, 0, len(data), Tags(TABLE, LENGTHS)) == number


@given(st.lists(pieces, max_size=3).map(b"".join))
def test_a_tag_is_copied_to_its_end(data):
    skeleton = np.zeros(len(data) + 3, np.uint8)
    end = copy_tag(array(b"<" + data), 0, skeleton, 1)
    found = re.match(rb"<[\n\x20-\xff]*?>", b"<" + data)
    assert end == (found.end() - 1 if found else -1)
    if found:
        assert skeleton[1 : end + 2].tobytes() == found[0]


@given(st.lists(pieces, max_size=3).map(b"".join))
def test_a_text_ends_at_the_next_tag(data):
    found = re.match(rb"[\n\x20-;=-\xff]{0,%d}<" % LONGEST_TEXT, data)
    assert end_of_text(array(data), 0) == (found.end() - 1 if found else -1)
