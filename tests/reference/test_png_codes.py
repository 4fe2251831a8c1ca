"""zlib and cv2 as the judges of a picture of many colours, and plain twins of its kernels."""

import zlib
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.evidence.png import encode
from edge.evidence.png_codes import code_lengths, codes, deflate_coded
from fusion.kernels.png_codes import sub_filtered, tokens_of


def inflated(data):
    return zlib.decompress(deflate_coded(data), -15)


@given(
    st.binary(min_size=1, max_size=300),
    st.lists(st.integers(1, 700), min_size=1, max_size=5),
)
@settings(max_examples=40)
def test_any_inflate_gives_the_bytes_back(values, runs):
    longer = b"".join(bytes([value]) * run for value, run in zip(values, runs, strict=False))
    for data in (values, longer):
        assert inflated(np.frombuffer(data, np.uint8)) == data


@pytest.mark.parametrize("length", [1, 2, 3, 4, 10, 11, 257, 258, 259, 260, 261, 600])
def test_runs_of_every_length(length):
    data = np.full(length, 7, np.uint8)
    assert inflated(data) == data.tobytes()


def test_tokens_say_the_bytes():
    data = np.repeat(np.array([3, 3, 9, 0], np.uint8), [1, 5, 2, 300])
    said = []
    for token in tokens_of(data)[0].tolist():
        said += [token] if token < 256 else [said[-1]] * (token - 256)
    assert said == data.tolist()


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=60).filter(lambda c: sum(c) > 0))
@settings(max_examples=40)
def test_a_code_is_whole_and_no_word_begins_another(counts):
    lengths = code_lengths(counts)
    words = [
        f"{code:0{length}b}"[::-1]
        for code, length in zip(codes(lengths), lengths, strict=True)
        if length
    ]
    assert len(words) == sum(count > 0 for count in counts)
    if len(words) > 1:
        assert sum(2.0 ** -len(word) for word in words) == 1.0
    ordered = sorted(words)
    assert not any(b.startswith(a) for a, b in pairwise(ordered))


def test_the_rarest_symbol_has_no_more_than_fifteen_bits():
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    assert max(code_lengths(fibonacci)) == 15


def test_the_filter_is_the_difference_to_the_left():
    pixels = np.random.default_rng(1).integers(0, 256, (5, 9)).astype(np.uint8)
    wanted = np.diff(pixels, axis=1, prepend=np.zeros((5, 1), np.uint8))
    assert (sub_filtered(pixels, 1) == np.insert(wanted, 0, 1, axis=1)).all()


def test_a_picture_of_256_colours_is_read_as_it_was_drawn():
    random = np.random.default_rng(1)
    palette = [tuple(int(part) for part in random.integers(0, 256, 3)) for _ in range(256)]
    pixels = random.integers(0, 256, (33, 57)).astype(np.uint8)
    read = cv2.imdecode(np.frombuffer(encode(pixels, palette), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert (read == np.array(palette, np.uint8)[pixels]).all()
