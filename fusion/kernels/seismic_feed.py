"""Pieces of channels' streams into bins: gaps bridged, fast channels brought down, DC taken off."""

# ruff: noqa: PLR0917 - kernels take no structures

import math
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from fusion.kernels.seismic_layout import HISTORY

Floats = NDArray[np.floating[Any]]
Cursors = NDArray[np.int64]
Pieces = NDArray[np.int64]
Block = NDArray[np.int32]

LANES = 2 if config.DISABLE_JIT else 64  # type: ignore[attr-defined]
"""Channels of a tile: four vectors of float32, which do not wait for each other."""
FRAMES_PER_BIN = 10

# --- where a column is, (CURSOR_FIELDS, columns) int64 -----------------------------------
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
MOST = (2**31 - 1) // 3  # counts from the beginning of a bin: two of them, one of which
# stands before the bin, still differ by an int32
FRACTION = 8  # parts of a count that are kept of what comes out of the low-pass


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    counts: NDArray[np.int32],
    pieces: Pieces,
    factor: int,
    settle: int,
    cursors: Cursors,
    taps: Floats,
    history: Floats,
    block: Block,
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
    for piece in range(pieces.shape[0]):
        if pieces[piece, SIZE] == 0:
            continue
        column = pieces[piece, COLUMN]
        if cursors[FILLED, column] < size and pieces[piece, MISSING] > 0:
            _bridge(counts, piece, pieces, settle, cursors)
            while cursors[FILLED, column] < size and pieces[piece, MISSING] > 0:
                pieces[piece, MISSING] -= 1
                _push(column, factor, cursors, taps, history, block, weights)
        if cursors[FILLED, column] < size:
            if cursors[HEARS, column] == 0:
                cursors[HEARS, column] = 1
                cursors[OFFSET, column] = counts[pieces[piece, START]]
            if factor == 1 and cursors[HOLD, column] == 0:
                _copy(counts, piece, pieces, cursors, block)
            else:
                while cursors[FILLED, column] < size and pieces[piece, SIZE] > 0:
                    raw = counts[pieces[piece, START]] - cursors[OFFSET, column]
                    cursors[LAST, column] = raw
                    pieces[piece, START] += 1
                    pieces[piece, SIZE] -= 1
                    _push(column, factor, cursors, taps, history, block, weights)
        full = full or cursors[FILLED, column] == size
    return full


@njit(cache=True, nogil=True, error_model="numpy")
def _bridge(
    counts: NDArray[np.int32], piece: int, pieces: Pieces, settle: int, cursors: Cursors
) -> None:
    """Lost samples: what follows begins where the last sample was, and the filters settle."""
    if pieces[piece, BRIDGED] == 1:
        return
    pieces[piece, BRIDGED] = 1
    column = pieces[piece, COLUMN]
    if cursors[HEARS, column] == 0:
        pieces[piece, MISSING] = 0
        return
    cursors[OFFSET, column] = counts[pieces[piece, START]] - cursors[LAST, column]
    cursors[HOLD, column] = pieces[piece, MISSING] + settle


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(
    counts: NDArray[np.int32], piece: int, pieces: Pieces, cursors: Cursors, block: Block
) -> None:
    """As many real samples as the bin still takes."""
    column, start = pieces[piece, COLUMN], pieces[piece, START]
    tile, lane = column // LANES, column % LANES
    filled, offset = cursors[FILLED, column], cursors[OFFSET, column]
    taken = min(block.shape[1] - HISTORY - filled, pieces[piece, SIZE])
    base = offset + cursors[BASE, column]
    # No views: each would count its references for a few samples.
    for i in range(taken):
        block[tile, HISTORY + filled + i, lane] = min(max(counts[start + i] - base, -MOST), MOST)
    cursors[LAST, column] = counts[start + taken - 1] - offset
    cursors[FILLED, column] = filled + taken
    pieces[piece, START] = start + taken
    pieces[piece, SIZE] -= taken


@njit(cache=True, nogil=True, error_model="numpy")
def _push(
    column: int,
    factor: int,
    cursors: Cursors,
    taps: Floats,
    history: Floats,
    block: Block,
    weights: Floats,
) -> None:
    """The last raw sample again, through the low-pass where the channel is too fast."""
    held = cursors[HOLD, column] > 0
    if held:
        cursors[HOLD, column] -= 1
    value = cursors[LAST, column]
    if factor > 1:
        # Kept twice, so that the newest always stand in a row.
        length, place = taps.shape[0], cursors[PLACE, column]
        history[column, place] = history[column, place + length] = float(value)
        place = (place + 1) % length
        cursors[PLACE, column] = place
        cursors[PHASE, column] += 1
        if cursors[PHASE, column] < factor:
            return
        cursors[PHASE, column] = 0
        low = 0.5
        for i in range(length):
            low += taps[i] * history[column, place + i]
        value = np.int64(math.floor(low))
    tile, lane, filled = column // LANES, column % LANES, cursors[FILLED, column]
    block[tile, HISTORY + filled, lane] = min(max(value - cursors[BASE, column], -MOST), MOST)
    if held:
        weights[tile, filled, lane] = NOUGHT
        cursors[LOST, column] += 1
    cursors[FILLED, column] = filled + 1
