"""A plain deflate beside the kernel's, and zlib as the judge of both."""

import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fusion.kernels.png import deflate_runs, filtered_rows

# RFC 1951, section 3.2.5, as its table has it.
BASES = (3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
         131, 163, 195, 227, 258)  # fmt: skip
EXTRA = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0)


def code_of(symbol):
    """The fixed code of section 3.2.6, as text."""
    if symbol < 144:
        return f"{0b00110000 + symbol:08b}"
    if symbol < 256:
        return f"{0b110010000 + symbol - 144:09b}"
    if symbol < 280:
        return f"{symbol - 256:07b}"
    return f"{0b11000000 + symbol - 280:08b}"


def match_of(length):
    index = max(i for i, base in enumerate(BASES) if base <= length)
    over = length - BASES[index]
    extra = f"{over:0{EXTRA[index]}b}"[::-1] if EXTRA[index] else ""
    return code_of(257 + index) + extra + "00000"


def naive_deflate(data):
    bits = "110"
    i = 0
    while i < len(data):
        run = 1
        while i + run < len(data) and data[i + run] == data[i]:
            run += 1
        bits += code_of(data[i])
        left = run - 1
        while left >= 3:
            bits += match_of(min(left, 258))
            left -= min(left, 258)
        bits += code_of(data[i]) * left
        i += run
    bits += code_of(256)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))


runs = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 600)), max_size=12)


@given(st.binary(max_size=300) | runs.map(lambda all_: b"".join(bytes([v]) * n for v, n in all_)))
def test_what_is_packed_is_the_twin_and_unpacks_to_what_it_was(data):
    packed = deflate_runs(np.frombuffer(data, np.uint8)).tobytes()
    assert packed == naive_deflate(data)
    assert zlib.decompress(packed, wbits=-15) == data


def test_every_length_of_a_run_comes_back():
    for length in range(1, 800):
        data = bytes([7]) * length
        assert zlib.decompress(deflate_runs(np.frombuffer(data, np.uint8)).tobytes(), -15) == data


@given(st.integers(1, 20), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_rows_are_the_difference_to_the_row_above(rows, pairs, seed):
    pixels = np.random.default_rng(seed).integers(0, 16, (rows, 2 * pairs)).astype(np.uint8)
    packed = pixels[:, 0::2] * 16 + pixels[:, 1::2]
    above = np.vstack((np.zeros((1, pairs), np.uint8), packed[:-1]))
    expected = np.column_stack((np.full(rows, 2, np.uint8), packed - above))
    assert np.array_equal(filtered_rows(pixels, 2), expected)
