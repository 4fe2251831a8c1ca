"""Packing of pictures whose bytes must be the same on every machine."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

END_OF_BLOCK = 256
LONGEST = 258  # of a match, RFC 1951 section 3.2.5
SHORTEST = 3


@njit(cache=True, nogil=True)
def put_bits(packed: NDArray[np.uint8], at: int, value: int, bits: int, reverse: bool) -> int:
    """Set the `bits` lowest bits of `value` from bit `at` on; returns the next bit's place.

    packed   (bytes,) zeros from `at` on
    reverse  the highest first, as Huffman codes go; else the lowest, as all numbers do
    """
    for i in range(bits):
        shift = bits - 1 - i if reverse else i
        if (value >> shift) & 1:
            packed[at >> 3] |= np.uint8(1 << (at & 7))
        at += 1
    return at


@njit(cache=True, nogil=True)
def put_symbol(packed: NDArray[np.uint8], at: int, symbol: int) -> int:
    """One literal or length in the fixed code of RFC 1951, section 3.2.6."""
    if symbol < 144:
        return put_bits(packed, at, 0x30 + symbol, 8, True)
    if symbol < 256:
        return put_bits(packed, at, 0x190 + symbol - 144, 9, True)
    if symbol < 280:
        return put_bits(packed, at, symbol - 256, 7, True)
    return put_bits(packed, at, 0xC0 + symbol - 280, 8, True)


@njit(cache=True, nogil=True)
def put_run(packed: NDArray[np.uint8], at: int, length: int) -> int:
    """The last byte `length` times more: a match at distance 1."""
    if length == LONGEST:
        at = put_symbol(packed, at, 285)
    elif length < 11:
        at = put_symbol(packed, at, 254 + length)
    else:
        extra = 1
        # Four codes share a number of extra bits; the first of each four begins at 2^(e+2) + 3.
        while length >= (1 << (extra + 3)) + 3:
            extra += 1
        over = length - (1 << (extra + 2)) - 3
        at = put_symbol(packed, at, 261 + 4 * extra + (over >> extra))
        at = put_bits(packed, at, over & ((1 << extra) - 1), extra, False)
    return put_bits(packed, at, 0, 5, True)


@njit(cache=True, nogil=True)
def filtered_rows(pixels: NDArray[np.uint8], kind: int) -> NDArray[np.uint8]:
    """Two pixels of sixteen colours a byte, less the byte above it, after the filter's kind.

    pixels   (rows, columns), an even number of columns
    returns  (rows, columns / 2 + 1)

    PNG, third edition, section 9.2: filter 2, Up.
    """
    rows, columns = pixels.shape
    filtered = np.empty((rows, columns // 2 + 1), np.uint8)
    above = np.zeros(columns // 2, np.uint8)
    for y in range(rows):
        filtered[y, 0] = kind
        for x in range(columns // 2):
            packed = np.uint8((pixels[y, 2 * x] << 4) | pixels[y, 2 * x + 1])
            filtered[y, x + 1] = packed - above[x]
            above[x] = packed
    return filtered


@njit(cache=True, nogil=True)
def deflate_runs(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Deflate in one block of fixed codes, in which only repeated bytes are shortened.

    data     (bytes,)
    returns  (packed bytes,) that any inflate turns back into `data`

    RFC 1951. A library's deflate packs better, and differently with every version of it.
    """
    size = data.shape[0]
    packed = np.zeros(size + size // 8 + 16, np.uint8)  # 9 bits a byte at most
    at = put_bits(packed, 0, 3, 3, False)  # the last block, fixed codes
    i = 0
    while i < size:
        at = put_symbol(packed, at, int(data[i]))
        run = 1
        while i + run < size and data[i + run] == data[i]:
            run += 1
        left = run - 1
        while left >= SHORTEST:
            length = min(left, LONGEST)
            at = put_run(packed, at, length)
            left -= length
        for _ in range(left):
            at = put_symbol(packed, at, int(data[i]))
        i += run
    at = put_symbol(packed, at, END_OF_BLOCK)
    return packed[: (at + 7) >> 3]
