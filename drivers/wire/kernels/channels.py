"""Writes the channels of many spectra as text, all at once."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MINUS, BLANK, ZERO = 45, 32, 48
LONGEST = 21  # bytes of a whole number of 64 bits with its sign, and a blank
TABLED = 10_000
"""Where all numbers of a spectrum are below this its text ends in a blank, by long habit."""
TEN = np.uint64(10)


class Written(NamedTuple):
    """Room for the text; overwritten."""

    text: NDArray[np.uint8]
    """At least `LONGEST` bytes for each number."""
    ends: NDArray[np.int64]
    """(spectra,) one past the last byte of each."""
    counted: NDArray[np.bool_]
    """(spectra,) whether every run of zeroes is told as a 0 and its length."""


@njit(cache=True, nogil=True)
def put_number(text: NDArray[np.uint8], at: int, number: int) -> int:
    """Write the number and a blank at that place; returns where the next one goes."""
    if 0 <= number < 10:
        text[at] = ZERO + number
        text[at + 1] = BLANK
        return at + 2
    if number < 0:
        # The smallest of all has no opposite of 64 bits with a sign.
        rest = np.uint64(-(number + 1)) + np.uint64(1)
        text[at] = MINUS
        at += 1
    else:
        rest = np.uint64(number)
    size = 1
    power = rest
    while power >= TEN:
        power //= TEN
        size += 1
    for place in range(at + size - 1, at - 1, -1):
        shorter = rest // TEN
        text[place] = ZERO + np.int64(rest - shorter * TEN)
        rest = shorter
    text[at + size] = BLANK
    return at + size + 1


@njit(cache=True, nogil=True)
def write_channels(
    counts: NDArray[np.int64], ends: NDArray[np.int64], worth_share: float, written: Written
) -> None:
    """Every spectrum as numbers with blanks between them.

    counts       of all spectra, one after the other
    ends         (spectra,) one past the last channel of each
    worth_share  with no more zeroes than this share they are not counted; with more they are
                 where that takes fewer numbers (N42-2012, CountedZeroes)
    """
    begin = 0
    at = 0
    for s in range(ends.shape[0]):
        end = ends[s]
        zeroes = 0
        runs = 0
        longest = 0
        run = 0
        low = True
        for i in range(begin, end):
            if counts[i] != 0:
                run = 0
                low = low and 0 < counts[i] < TABLED
                continue
            zeroes += 1
            run += 1
            if run == 1:
                runs += 1
            longest = max(longest, run)
        size = end - begin
        counted = zeroes > worth_share * size and size - zeroes + 2 * runs < size
        i = begin
        while i < end:
            at = put_number(written.text, at, counts[i])
            if counted and counts[i] == 0:
                run = 1
                while i + run < end and counts[i + run] == 0:
                    run += 1
                at = put_number(written.text, at, run)
                i += run
            else:
                i += 1
        if size and not (low and (longest < TABLED or not counted)):
            at -= 1
        written.ends[s] = at
        written.counted[s] = counted
        begin = end
