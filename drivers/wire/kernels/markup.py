"""Takes the numbers out of a document of markup that comes again and again in the same form.

What is left, the skeleton, is compared with one that a parser has read; so nothing here needs to
know what the tags mean.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

NUMBERS, TEXT = 1, 2
"""Marks in the skeleton, where numbers and where a short text were. XML has no place for them."""
LONGEST_TEXT = 40
LARGEST = 10_000_000  # so much that a float32 holds every number below

LESS, GREATER, BLANK, NEW_LINE = 60, 62, 32, 10
ZERO, NINE = 48, 57


class Tags(NamedTuple):
    """Tags without the `>` that ends them."""

    names: Bytes
    """(tags, longest)"""
    lengths: NDArray[np.int64]
    """(tags,)"""


class Apart(NamedTuple):
    """Room for a document taken apart; overwritten."""

    skeleton: Bytes
    """Twice as long as the document: a text may be empty, and its mark is not."""
    texts: NDArray[np.int64]
    """(most, 2) first byte of each text, and one past its last."""
    rows: NDArray[np.int64]
    """(most,) where each run of numbers ends in `values`."""
    values: NDArray[np.uint32]


@njit(cache=True, nogil=True)
def tag_number(data: Bytes, begin: int, end: int, tags: Tags) -> int:
    """Which of the tags is at begin:end; -1: none."""
    names, lengths = tags
    for number in range(lengths.shape[0]):
        if lengths[number] != end - begin:
            continue
        same = True
        for i in range(lengths[number]):
            if names[number, i] != data[begin + i]:
                same = False
                break
        if same:
            return number
    return -1


@njit(cache=True, nogil=True)
def take_numbers(
    data: Bytes, begin: int, counted_zeroes: bool, values: NDArray[np.uint32], at: int
) -> tuple[int, int]:
    """Read whole numbers up to the next tag into `values` from `at` on.

    counted_zeroes  each 0 is followed by how many there are (N42-2012)
    returns         (where the tag begins, where the values end); -1 first: no plain numbers
    """
    room = values.shape[0]
    place, size = begin, data.shape[0]
    run = False
    while True:
        while place < size and (data[place] == BLANK or data[place] == NEW_LINE):
            place += 1
        if place >= size:
            return -1, at
        if data[place] == LESS:
            return (-1 if run else place), at
        number = 0
        first = place
        while place < size and ZERO <= data[place] <= NINE:
            number = 10 * number + int(data[place]) - ZERO
            place += 1
            if number >= LARGEST:
                return -1, at
        if place == first:
            return -1, at
        if run:
            # The first zero is there already.
            if number == 0 or at + number - 1 > room:
                return -1, at
            for i in range(at, at + number - 1):
                values[i] = 0
            at += number - 1
            run = False
            continue
        if at >= room:
            return -1, at
        values[at] = number
        at += 1
        run = counted_zeroes and number == 0


@njit(cache=True, nogil=True)
def copy_tag(data: Bytes, begin: int, skeleton: Bytes, made: int) -> int:
    """Copy the tag that begins here to `skeleton` from `made` on; returns where it ends, or -1."""
    for place in range(begin, data.shape[0]):
        letter = data[place]
        if letter < BLANK and letter != NEW_LINE:
            return -1
        skeleton[made + place - begin] = letter
        if letter == GREATER:
            return place
    return -1


@njit(cache=True, nogil=True)
def end_of_text(data: Bytes, begin: int) -> int:
    """Where the next tag begins; -1: too far off."""
    for place in range(begin, min(begin + LONGEST_TEXT + 1, data.shape[0])):
        if data[place] == LESS:
            return place
        if data[place] < BLANK and data[place] != NEW_LINE:
            return -1
    return -1


@njit(cache=True, nogil=True)
def take_apart(data: Bytes, tags: Tags, apart: Apart) -> tuple[int, int, int]:
    """Copy a document to the skeleton without what stands behind some of its tags.

    tags     behind the first plain numbers are taken, behind the second with counted zeroes,
             behind all others one short text; the second, no shorter, becomes the first: how
             numbers are written is no matter of the form
    returns  bytes of the skeleton, how many texts, how many rows; -1 first: not of this form
    """
    skeleton, texts, rows, values = apart
    names, lengths = tags
    place = made = text_count = row_count = at = 0
    while 0 <= place < data.shape[0]:
        letter = data[place]
        if letter != LESS:
            skeleton[made] = letter
            made += 1
            place = place + 1 if letter >= BLANK or letter == NEW_LINE else -1
            continue
        end = copy_tag(data, place, skeleton, made)
        number = tag_number(data, place, end, tags)
        made += end + 1 - place
        place = end + 1 if end >= 0 else -1
        if number < 0:
            continue
        if number >= 2:
            end = end_of_text(data, place) if text_count < texts.shape[0] else -1
            if end >= 0:
                texts[text_count, 0], texts[text_count, 1] = place, end
            text_count += 1
            place = end
            skeleton[made] = TEXT
        else:
            place, at = take_numbers(data, place, number == 1, values, at)
            if row_count == rows.shape[0]:
                return -1, 0, 0
            rows[row_count] = at
            row_count += 1
            made += lengths[0] - lengths[number]
            for i in range(lengths[0]):
                skeleton[made - 1 - lengths[0] + i] = names[0, i]
            skeleton[made - 1] = GREATER
            skeleton[made] = NUMBERS
        made += 1
    return (made if place >= 0 else -1), text_count, row_count
