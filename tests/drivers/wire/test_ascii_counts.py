"""Lines of numbers in every form that loggers print."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.ascii_counts import (
    MAX_LINE_BYTES,
    AsciiDecoder,
    Rows,
    encode,
    parse_line,
    split,
)
from drivers.wire.malformed import Malformed

numbers = st.integers(-(2**31), 2**31) | st.floats(-1e6, 1e6).map(lambda value: round(value, 6))
lines = st.lists(numbers, min_size=2, max_size=2).map(encode)
noise = st.binary(max_size=40) | st.text("0123456789,;:-+. \t\r\neE[]#", max_size=60).map(
    str.encode
)
streams = st.lists(lines | noise, max_size=12).map(b"".join)


def read(decoder, *pieces):
    """Each row and each reason, in order; how rows were gathered does not count."""
    told = []
    for piece in pieces:
        for record in decoder.feed(piece):
            told += [record.reason] if isinstance(record, Malformed) else record.values.tolist()
    return told


@given(rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_what_is_encoded_reads_back_the_same(rows):
    assert read(AsciiDecoder(2), b"".join(map(encode, rows))) == [list(row) for row in rows]


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    assert read(AsciiDecoder(2), stream[:at], stream[at:]) == read(AsciiDecoder(2), stream)


@given(stream=streams, columns=st.sampled_from((0, 1, 2)))
def test_byte_by_byte_is_the_same_as_whole(stream, columns):
    single = read(AsciiDecoder(columns), *(stream[at : at + 1] for at in range(len(stream))))
    assert single == read(AsciiDecoder(columns), stream)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"12,-7", (12, -7)),
        (b" 12 ;\t-7.5\r", (12, -7.5)),
        (b"0,004;-7,5", (0.004, -7.5)),
        (b"12\t-7", (12, -7)),
        (b"  12   -7  ", (12, -7)),
        (b"12,-7,", (12, -7)),
        (b'"12","-7"', (12, -7)),
        (b"+.5e-3, 007", (0.0005, 7)),
        (b"2026-03-01T12:00:00.004Z,5", (1_772_366_400.004, 5)),
        (b"2026-03-01 12:00:00.004,5", (1_772_366_400.004, 5)),
        (b"2026-03-01 05:00:00-0700\t5", (1_772_366_400, 5)),
        (b"2026/03/01 12:00:00.004;5", (1_772_366_400.004, 5)),
        (b"00:01:02.5,5", (62.5, 5)),
        (b"25:01:02.5,5", "number"),
        (b"", ()),
        (b"# gain 85", ()),
        (b"ready", "number"),
        (b"12,,7", "number"),
        (b"nan,1", "number"),
        (b"1_000,1", "number"),
        (b"2026-13-01T12:00:00Z,5", "number"),
        (b"1e999,1", "number"),
        (b"1," * 17 + b"1", "columns"),
    ],
)
def test_a_line_is_read_as_it_was_meant(line, values):
    assert parse_line(line) == values


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b" ", b"  ", b", "])
def test_many_lines_at_once_read_as_each_by_itself(separator):
    text = b"".join(b"%d%b%d\r\n" % (number, separator, -number) for number in range(50))
    (rows,) = AsciiDecoder(2).feed(text)
    assert isinstance(rows, Rows)
    assert rows.values.tolist() == [[number, -number] for number in range(50)]


def test_a_heading_and_remarks_are_passed_over_and_later_words_are_not():
    text = b"SparkFun logger 1.2\r\ntime,counts\r\n# x\r\n0,5\r\nrestart\r\n4,6\r\n1,2,3\r\n"
    assert read(AsciiDecoder(), text) == [[0, 5], "number", [4, 6], "columns"]
    assert read(AsciiDecoder(2), b"what\n" * 70)[0] == "number"


def test_the_mark_of_a_text_file_is_no_part_of_its_first_number():
    assert read(AsciiDecoder(2), b"\xef\xbb\xbf0,5\n4,6\n") == [[0, 5], [4, 6]]
    assert read(AsciiDecoder(2), b"0,5\n\xef\xbb\xbf4,6\n") == [[0, 5], "number"]


def test_brackets_do_not_make_two_lines_of_one():
    assert read(AsciiDecoder(1), b"1\n2],[3\n4\n") == [[1], "number", [4]]


def test_an_endless_line_is_told_once_and_not_kept():
    decoder = AsciiDecoder(1)
    assert read(decoder, *[b"7" * 300] * 200) == ["too-long"]
    assert len(decoder._rest) <= MAX_LINE_BYTES
    assert read(decoder, b"7\n8\n") == [[8]]


def test_a_cut_link_drops_the_half_line():
    decoder = AsciiDecoder(1)
    decoder.feed(b"12")
    decoder.cut()
    assert read(decoder, b"34\n") == [[34]]


def test_a_million_random_and_mutated_bytes_never_raise_and_never_pile_up():
    chance = random.Random(20260102)
    good = b"".join(encode((1000 + 4 * number, number)) for number in range(20))
    decoder = AsciiDecoder(2)
    fed = 0
    while fed < 1_000_000:
        piece = bytearray(chance.randbytes(60) if chance.random() < 0.3 else good)
        for _ in range(chance.choice((0, 1, 5))):
            piece[chance.randrange(len(piece))] = chance.choice(b"\n,;:[]-0" + chance.randbytes(3))
        for record in decoder.feed(bytes(piece)):
            if isinstance(record, Rows):
                assert record.values.shape[1] == 2
                assert np.isfinite(record.values).all()
        assert len(decoder._rest) <= MAX_LINE_BYTES
        fed += len(piece)


def test_a_stream_is_cut_into_its_lines():
    assert split(b"1,2\r\n3,4\r\n5") == [b"1,2\r\n", b"3,4\r\n", b"5"]
