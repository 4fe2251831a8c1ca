"""Pieces of channels' streams into bins: gaps bridged, fast channels brought down, DC taken off."""

# ruff: noqa: PLR0917 - kernels take no structures

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Cursors = NDArray[np.int64]
Pieces = NDArray[np.int64]

LANES = 16  # channels of a tile: one vector of float32
FRAMES_PER_BIN = 10

# --- where a column is, (columns, CURSOR_FIELDS) int64 -----------------------------------
(
    FILLED,  # samples in the bin that is being filled
    LOST,  # of them that stand in for something
    BIN,  # the number of that bin
    BASE,  # counts taken off all samples of the bin, besides OFFSET
    OFFSET,  # counts taken off every raw sample: a step over a gap is no knock
    LAST,  # the last raw sample, OFFSET taken off
    HOLD,  # raw samples still to be held for lost or settling
    PHASE,  # raw samples since the last that came out of the low-pass
    PLACE,  # in the low-pass's history
    HEARS,  # 0 before the first sample
) = range(10)
CURSOR_FIELDS = 10

COLUMN, START, SIZE, MISSING, BRIDGED = range(5)
PIECE_FIELDS = 5

NOUGHT = np.float32(0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    counts: NDArray[np.int32],
    pieces: Pieces,
    factor: int,
    settle: int,
    cursors: Cursors,
    taps: Floats,
    history: Floats,
    block: Floats,
    weights: Floats,
) -> bool:
    """Fill each column's bin as far as its pieces go; whether any is full.

    counts   (samples,) raw counts, piece after piece
    pieces   (pieces, PIECE_FIELDS) what is left of each; those of a column in their order
    factor   raw samples to one that is kept
    settle   raw samples that the filters need to forget a gap
    For the others see `fusion.kernels.seismic.advance`.
    """
    size = weights.shape[1]
    full = False
    for piece in pieces:
        if piece[SIZE] == 0:
            continue
        column = piece[COLUMN]
        cursor, past = cursors[column], history[column]
        tile, lane = block[column // LANES], column % LANES
        real = weights[column // LANES]
        if cursor[FILLED] < size and piece[MISSING] > 0 and piece[BRIDGED] == 0:
            piece[BRIDGED] = 1
            _bridge(np.int64(counts[piece[START]]), piece, settle, cursor)
        while cursor[FILLED] < size and piece[MISSING] > 0:
            piece[MISSING] -= 1
            _push(cursor[LAST], lane, factor, cursor, taps, past, tile, real)
        if cursor[FILLED] < size:
            if cursor[HEARS] == 0:
                cursor[HEARS], cursor[OFFSET] = 1, counts[piece[START]]
            if factor == 1 and cursor[HOLD] == 0:
                _copy(counts, piece, lane, cursor, tile)
            else:
                _push_all(counts, piece, lane, factor, cursor, taps, past, tile, real)
        full = full or cursor[FILLED] == size
    return full


@njit(cache=True, nogil=True, error_model="numpy")
def _bridge(next_count: np.int64, piece: Pieces, settle: int, cursor: Cursors) -> None:
    """Lost samples: what follows begins where the last sample was, and the filters settle."""
    if cursor[HEARS] == 0:
        piece[MISSING] = 0
        return
    cursor[OFFSET] = next_count - cursor[LAST]
    cursor[HOLD] = piece[MISSING] + settle


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(
    counts: NDArray[np.int32], piece: Pieces, lane: int, cursor: Cursors, tile: Floats
) -> None:
    """As many real samples as the bin still takes."""
    filled, start = cursor[FILLED], piece[START]
    taken = min(tile.shape[0] - 2 - filled, piece[SIZE])
    base = cursor[OFFSET] + cursor[BASE]
    for i in range(taken):
        tile[2 + filled + i, lane] = np.float32(counts[start + i] - base)
    cursor[LAST] = counts[start + taken - 1] - cursor[OFFSET]
    cursor[FILLED] += taken
    piece[START] += taken
    piece[SIZE] -= taken


@njit(cache=True, nogil=True, error_model="numpy")
def _push_all(
    counts: NDArray[np.int32],
    piece: Pieces,
    lane: int,
    factor: int,
    cursor: Cursors,
    taps: Floats,
    past: Floats,
    tile: Floats,
    real: Floats,
) -> None:
    """The same one by one."""
    while cursor[FILLED] < real.shape[0] and piece[SIZE] > 0:
        cursor[LAST] = counts[piece[START]] - cursor[OFFSET]
        piece[START] += 1
        piece[SIZE] -= 1
        _push(cursor[LAST], lane, factor, cursor, taps, past, tile, real)


@njit(cache=True, nogil=True, error_model="numpy")
def _push(
    raw: int,
    lane: int,
    factor: int,
    cursor: Cursors,
    taps: Floats,
    past: Floats,
    tile: Floats,
    real: Floats,
) -> None:
    """One raw sample, through the low-pass where the channel is too fast."""
    held = cursor[HOLD] > 0
    if held:
        cursor[HOLD] -= 1
    value = float(raw)
    if factor > 1:
        # Kept twice, so that the newest always stand in a row.
        length, place = taps.shape[0], cursor[PLACE]
        past[place] = past[place + length] = value
        place = (place + 1) % length
        cursor[PLACE] = place
        cursor[PHASE] += 1
        if cursor[PHASE] < factor:
            return
        cursor[PHASE] = 0
        value = 0.0
        for i in range(length):
            value += taps[i] * past[place + i]
    filled = cursor[FILLED]
    tile[2 + filled, lane] = np.float32(value - np.float64(cursor[BASE]))
    if held:
        real[filled, lane] = NOUGHT
        cursor[LOST] += 1
    cursor[FILLED] = filled + 1
