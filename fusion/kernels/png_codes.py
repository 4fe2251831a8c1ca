"""Deflate with codes that fit the data: for pictures of many colours."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SYMBOLS = 286  # 256 bytes, the end, 29 lengths: RFC 1951, section 3.2.5
END_OF_BLOCK = 256
LONGEST, SHORTEST = 258, 3


@njit(cache=True, nogil=True)
def sub_filtered(pixels: NDArray[np.uint8], kind: int) -> NDArray[np.uint8]:
    """Each byte less the one before it in its row, after the filter's kind.

    pixels   (rows, columns)
    returns  (rows, columns + 1)

    PNG, third edition, section 9.2: filter 1, Sub.
    """
    rows, columns = pixels.shape
    filtered = np.empty((rows, columns + 1), np.uint8)
    for y in range(rows):
        filtered[y, 0] = kind
        before = 0
        for x in range(columns):
            value = int(pixels[y, x])
            filtered[y, x + 1] = (value - before) & 255
            before = value
    return filtered


@njit(cache=True, nogil=True)
def length_symbol(length: int) -> tuple[int, int, int]:
    """Symbol of a match's length, how many extra bits, and what they say: RFC 1951, 3.2.5."""
    if length == LONGEST:
        return 285, 0, 0
    if length < 11:
        return 254 + length, 0, 0
    extra = 1
    # Four codes share a number of extra bits; the first of each four begins at 2^(e+2) + 3.
    while length >= (1 << (extra + 3)) + 3:
        extra += 1
    over = length - (1 << (extra + 2)) - 3
    return 261 + 4 * extra + (over >> extra), extra, over & ((1 << extra) - 1)


@njit(cache=True, nogil=True)
def tokens_of(data: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """What to write for the bytes: themselves, and the lengths of runs, the end last.

    data     (bytes,)
    returns  (tokens,) a byte, or 256 + length of a run of the byte before it; and how often
             each symbol is used, (SYMBOLS,)
    """
    size = data.shape[0]
    tokens = np.empty(size, np.int32)
    counts = np.zeros(SYMBOLS, np.int64)
    found = 0
    i = 0
    while i < size:
        value = data[i]
        run = 1
        while i + run < size and data[i + run] == value:
            run += 1
        tokens[found] = value
        counts[value] += 1
        found += 1
        left = run - 1
        while left >= SHORTEST:
            length = min(left, LONGEST)
            tokens[found] = 256 + length
            counts[length_symbol(length)[0]] += 1
            found += 1
            left -= length
        for _ in range(left):
            tokens[found] = value
            counts[value] += 1
            found += 1
        i += run
    counts[END_OF_BLOCK] = 1
    return tokens[:found], counts


@njit(cache=True, nogil=True)
def put_tokens(
    packed: NDArray[np.uint8],
    at: int,
    tokens: NDArray[np.int32],
    code: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Write the tokens and the end of the block from bit `at` on; returns the next bit's place.

    packed  (bytes,) zeros from `at` on, with room for all
    code    (SYMBOLS,) bits of each symbol, the first to be written lowest; (SYMBOLS,) how many
    """
    bits, lengths = code
    place = at >> 3
    held = np.int64(packed[place])
    count = at & 7
    for i in range(tokens.shape[0] + 1):
        token = END_OF_BLOCK if i == tokens.shape[0] else int(tokens[i])
        if token <= END_OF_BLOCK:
            held |= bits[token] << count
            count += lengths[token]
        else:
            symbol, extra, over = length_symbol(token - 256)
            held |= bits[symbol] << count
            count += lengths[symbol]
            held |= np.int64(over) << count
            count += extra + 1  # and one bit, 0, for the only distance there is: 1
        while count >= 8:
            packed[place] = np.uint8(held & 255)
            held >>= 8
            count -= 8
            place += 1
    packed[place] = np.uint8(held & 255)
    return 8 * place + count
