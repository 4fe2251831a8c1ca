"""Channels written one by one beside the kernel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.kernels.channels import LONGEST, TABLED, Written, put_number, write_channels

small, any_whole = st.integers(0, 12_000), st.integers(-(2**63), 2**63 - 1)
channels = st.lists(st.sampled_from([0, 0, 0, 1, 7]) | small | any_whole, max_size=40)
zeroes = st.integers(TABLED - 2, TABLED + 2).map(lambda size: [0] * size)


def naive_channels(counts):
    """The text, and whether its zeroes are counted."""
    tokens, i = [], 0
    while i < len(counts):
        run = 1
        while counts[i] == 0 and i + run < len(counts) and counts[i + run] == 0:
            run += 1
        tokens += [counts[i]] if counts[i] else [0, run]
        i += run
    sparse = counts.count(0) > len(counts) / 3
    counted = sparse and len(tokens) < len(counts)
    told = tokens if counted else counts
    ends_blank = all(0 <= number < TABLED for number in told)
    return " ".join(map(str, told)) + (" " if told and ends_blank else ""), counted


@given(any_whole)
def test_a_number_is_its_digits_and_a_blank(number):
    text = np.zeros(LONGEST, np.uint8)
    end = put_number(text, 0, number)
    assert text[:end].tobytes().decode() == f"{number} "


@given(st.lists(channels | zeroes, max_size=5))
def test_spectra_are_written_as_one_by_one(spectra):
    counts = np.array([number for one in spectra for number in one], np.int64)
    ends = np.cumsum(np.array([len(one) for one in spectra], np.int64))
    text = np.empty(len(counts) * LONGEST, np.uint8)
    written = Written(text, np.empty_like(ends), np.empty(len(ends), np.bool_))
    write_channels(counts, ends, 1 / 3, written)
    cuts = [0, *written.ends.tolist()]
    found = [
        (text[begin:end].tobytes().decode(), bool(counted))
        for begin, end, counted in zip(cuts[:-1], cuts[1:], written.counted, strict=True)
    ]
    assert found == [naive_channels(one) for one in spectra]
