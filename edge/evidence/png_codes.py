"""Deflate in one block whose codes are made for its bytes.

RFC 1951. Only runs of one byte are shortened: in a picture of noise hardly anything else comes
again, and the codes alone save half.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.png_codes import SYMBOLS, put_tokens, tokens_of

MOST_BITS = 15
LAST_DYNAMIC = 0b101  # the last block, its codes told: section 3.2.7
ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""In which the lengths of the codes' own code are told."""
LITERAL_BITS = 4  # a code of sixteen equal words: the lengths 0 to 15 as they are


def deflate_coded(data: NDArray[np.uint8]) -> bytes:
    """`data` (bytes,) as a stream that any inflate turns back into it."""
    tokens, counts = tokens_of(data)
    lengths = code_lengths(counts.tolist())
    head = _head(lengths)
    packed = np.zeros(len(head) + 2 * tokens.shape[0] + 64, np.uint8)
    whole, rest = divmod(len(head), 8)
    packed[: whole + 1] = np.packbits(
        np.array([*head, *[0] * (8 - rest)], np.uint8), bitorder="little"
    )
    code = np.array(codes(lengths), np.int64), np.array(lengths, np.int64)
    end = put_tokens(packed, len(head), tokens, code)
    return packed[: (end + 7) >> 3].tobytes()


def code_lengths(counts: Sequence[int]) -> list[int]:
    """Bits of each symbol, 0 where it is not used; never more than `MOST_BITS`. Huffman 1952.

    Equal counts are joined in the order of their symbols, so that the code is always the same.
    """
    while True:
        lengths = _huffman(counts)
        if max(lengths) <= MOST_BITS:
            return lengths
        counts = [(count + 1) // 2 for count in counts]  # what is rare is made less rare


def _huffman(counts: Sequence[int]) -> list[int]:
    lengths = [0] * len(counts)
    heap = [(count, symbol, symbol) for symbol, count in enumerate(counts) if count]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
        return lengths
    heapq.heapify(heap)
    above: dict[int, int] = {}
    node = len(counts)  # those beyond the symbols are pairs
    while len(heap) > 1:
        (one, first, left), (other, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        above[left] = above[right] = node
        heapq.heappush(heap, (one + other, first, node))
        node += 1
    depths = {node - 1: 0}
    for each in reversed(above):  # a pair comes later than what it is of
        depths[each] = depths[above[each]] + 1
        if each < len(counts):
            lengths[each] = depths[each]
    return lengths


def codes(lengths: Sequence[int]) -> list[int]:
    """The code of each symbol by section 3.2.2, its first bit lowest."""
    found = [0] * len(lengths)
    code = 0
    for bits in range(1, MOST_BITS + 1):
        for symbol, length in enumerate(lengths):
            if length == bits:
                found[symbol] = int(f"{code:0{bits}b}"[::-1], 2)
                code += 1
        code <<= 1
    return found


def _head(lengths: Sequence[int]) -> list[int]:
    """Bits of everything before the tokens."""
    told = [LITERAL_BITS if symbol < 16 else 0 for symbol in ORDER]
    bits = _number(LAST_DYNAMIC, 3)
    bits += _number(SYMBOLS - 257, 5) + _number(0, 5) + _number(len(ORDER) - 4, 4)
    for length in told:
        bits += _number(length, 3)
    for length in (*lengths, 1):  # the last one: of the only distance
        bits += _number(length, LITERAL_BITS)[::-1]  # a code's first bit is its highest
    return bits


def _number(value: int, bits: int) -> list[int]:
    """Lowest bit first."""
    return [value >> bit & 1 for bit in range(bits)]
