"""Streaming kernels of ground-motion channels: all of one rate at once, LANES to a tile.

Work is done in whole bins, so the numbers are the same however the stream was cut. The rings
hold a bin's numbers for all columns side by side, as the kernels leave them.
"""

# ruff: noqa: PLR0917 - kernels take no structures

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.intrinsics import prefetch
from fusion.kernels.seismic_feed import (
    BASE,
    BIN,
    FILLED,
    FRAMES_PER_BIN,
    LANES,
    LOST,
    Block,
    Cursors,
    Floats,
    Pieces,
    fill,
)
from fusion.kernels.seismic_filters import band, band_pass, band_real, difference
from fusion.kernels.seismic_layout import (
    BANDS,
    BIN_RING,
    FIELDS,
    FRAME_PART,
    FRAME_RING,
    HISTORY,
    LOWEST,
    MOST,
    NOUGHT,
    ONE,
    STATE_ROWS,
)
from fusion.kernels.seismic_trigger import close, frame_means, ratio, tell, tell_real

BEFORE = HISTORY * LANES
CACHE_LINE = 16  # counts


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    counts: NDArray[np.int32],
    pieces: Pieces,
    factor: int,
    settle: int,
    cursors: Cursors,
    taps: Floats,
    history: Floats,
    setup: Floats,
    block: Block,
    weights: Floats,
    state: Floats,
    work: Floats,
    frames: Floats,
    bins: Floats,
) -> None:
    """Take pieces of many channels' streams, and finish the bins that they fill.

    counts   (samples,) raw counts, piece after piece
    pieces   (pieces, PIECE_FIELDS) whose they are; used up
    factor   raw samples to one that is kept
    settle   raw samples that the filters need to forget a gap
    cursors  (CURSOR_FIELDS, columns) where each column is
    taps     (taps,) of the low-pass before decimation, float64
    history  (columns, 2 * taps) what the low-pass remembers
    setup    (GOES_ON + bin samples,)
    block    (tiles, HISTORY + bin samples, LANES) counts of the bin that is being filled
    weights  (tiles, bin samples, LANES) 1, or 0 where nothing real stands
    state    (tiles, STATE_ROWS * LANES)
    work     ((bin samples + FRAMES_PER_BIN + FIELDS) * LANES,) room to work in
    frames   (FRAME_RING, columns) mean of |band-passed velocity| in um/s
    bins     (BIN_RING, FIELDS, columns)
    """
    while fill(counts, pieces, factor, settle, cursors, taps, history, block, weights):
        _finish(cursors, setup, block, weights, state, work, frames, bins)


@njit(cache=True, nogil=True, error_model="numpy")
def _finish(
    cursors: Cursors,
    setup: Floats,
    block: Block,
    weights: Floats,
    state: Floats,
    work: Floats,
    frames: Floats,
    bins: Floats,
) -> None:
    """Work on every bin that is full: the filters and all that is told of them."""
    size = weights.shape[1]
    values, means, fields = _cut(work, size)
    saved = np.empty(state.shape[1], np.float32)
    for tile in range(block.shape[0]):
        first = tile * LANES
        ready, lost = 0, 0
        for column in range(first, first + LANES):
            if cursors[FILLED, column] == size:
                ready += 1
                lost += cursors[LOST, column]
        if ready == 0:
            continue
        mine = state[tile]
        if ready < LANES:
            saved[:] = mine
        counts, real = block[tile].reshape(-1), weights[tile].reshape(-1)
        if lost == 0:
            real = real[:0]
        _run(counts[:BEFORE], counts[BEFORE:], counts[:0], real, setup, mine, values, means, fields)
        if ready < LANES:
            _put_back(cursors[FILLED, first : first + LANES], size, saved, mine)
        for column in range(first, first + LANES):
            if cursors[FILLED, column] == size:
                _write(column, cursors, means, fields, frames, bins)
                _begin(column, cursors, block, weights)


@njit(cache=True, nogil=True, error_model="numpy")
def _cut(work: Floats, size: int) -> tuple[Floats, Floats, Floats]:
    """Room for a bin's values, its frames' means and its fields."""
    end = size * LANES
    told = end + FRAMES_PER_BIN * LANES
    return work[:end], work[end:told], work[told:]


@njit(cache=True, nogil=True, error_model="numpy")
def _put_back(filled: Cursors, size: int, saved: Floats, state: Floats) -> None:
    """Lanes whose bin is not full have not moved."""
    for row in range(0, STATE_ROWS * LANES, LANES):
        was, now = saved[row : row + LANES], state[row : row + LANES]
        for i in range(LANES):
            now[i] = now[i] if filled[i] == size else was[i]


@njit(cache=True, nogil=True, error_model="numpy")
def advance_rows(
    counts: NDArray[np.int32],
    cursors: Cursors,
    setup: Floats,
    block: Block,
    state: Floats,
    work: Floats,
    frames: Floats,
    bins: Floats,
) -> None:
    """The same for the first tile's lanes together, without gaps: whole bins, sample by sample.

    counts  (bins, bin samples * LANES) raw counts: all lanes of a sample stand side by side
    """
    size = counts.shape[1]
    values, means, fields = _cut(work, size // LANES)
    mine, base, numbers, nothing = state[0], cursors[BASE], cursors[BIN], fields[:0]
    stands = block[0].reshape(-1)
    before = np.empty(BEFORE, np.int32)
    for i in range(BEFORE):
        before[i] = stands[i] + base[i % LANES]
    for number in range(counts.shape[0]):
        row = counts[number]
        coming = counts[min(number + 1, counts.shape[0] - 1)]
        _run(before, row, coming, nothing, setup, mine, values, means, fields)
        _write_all(numbers, means, fields, frames, bins)
        before = row[size - BEFORE :]
    for i in range(BEFORE):
        at = i % LANES
        base[at] = before[BEFORE - LANES + at]
        stands[i] = before[i] - base[at]


@njit(cache=True, nogil=True, error_model="numpy")
def ratio_rows(passed: Floats, setup: Floats, state: Floats, fields: Floats) -> None:
    """STA/LTA alone of the first tile: (bins, bin samples * LANES) filtered values.

    fields  (FIELDS * LANES,) highest and lowest ratio, and samples above `on`
    """
    for number in range(passed.shape[0]):
        ratio(passed[number], setup, state, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _run(
    before: Block,
    counts: Block,
    coming: Block,
    weights: Floats,
    setup: Floats,
    state: Floats,
    values: Floats,
    means: Floats,
    fields: Floats,
) -> None:
    """One bin of one tile.

    before   (HISTORY * LANES,) counts
    counts   (bin samples * LANES,) those of the bin
    coming   (bin samples * LANES,) those of the next one, or none
    weights  (bin samples * LANES,) of them; none where all are real
    values   (bin samples * LANES,) room for what becomes of them
    means    (FRAMES_PER_BIN * LANES,) and fields (FIELDS * LANES,): filled here
    """
    # No views here: Numba would count the references to each.
    size = values.shape[0] // LANES
    for i in range(fields.shape[0]):
        fields[i] = NOUGHT
    for i in range(means.shape[0]):
        means[i] = NOUGHT
    for i in range(LOWEST * LANES, (LOWEST + 1) * LANES):
        fields[i] = MOST
    difference(before, counts, values)
    if weights.shape[0] > 0:
        for index in range(BANDS):
            band_real(values, weights, setup, index, state, fields)
        band_pass(values, setup, state)
        tell_real(values, weights, setup, state, means, fields)
    else:
        for index in range(BANDS):
            band(values, setup, index, state, fields)
            # A part at a time: memory does not take in all at once.
            part = coming.shape[0] // BANDS
            for at in range(index * part, (index + 1) * part, CACHE_LINE):
                prefetch(coming, at)
        band_pass(values, setup, state)
        tell(values, setup, state, means, fields)
    frame_means(values, setup[FRAME_PART], means)
    close(np.float32(size), setup, state, means, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _write(
    column: int, cursors: Cursors, means: Floats, fields: Floats, frames: Floats, bins: Floats
) -> None:
    """Put a lane's finished bin into its column's rings."""
    number, lane = cursors[BIN, column], column % LANES
    at, row = number * FRAMES_PER_BIN % FRAME_RING, number % BIN_RING
    for frame in range(FRAMES_PER_BIN):
        frames[at + frame, column] = means[frame * LANES + lane]
    for field in range(FIELDS):
        bins[row, field, column] = fields[field * LANES + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _write_all(
    numbers: Cursors, means: Floats, fields: Floats, frames: Floats, bins: Floats
) -> None:
    """The same for all lanes of the first tile, which are at one bin; that is behind them then."""
    at, row = numbers[0] * FRAMES_PER_BIN % FRAME_RING, numbers[0] % BIN_RING
    # Not by slices, which are looked at for overlaps; and LANES, known beforehand, would be
    # written out one by one.
    lanes = means.shape[0] // FRAMES_PER_BIN
    for frame in range(FRAMES_PER_BIN):
        into, mine = frames[at + frame], means[frame * LANES :]
        for i in range(lanes):
            into[i] = mine[i]
    for field in range(FIELDS):
        into, mine = bins[row, field], fields[field * LANES :]
        for i in range(lanes):
            into[i] = mine[i]
    for i in range(lanes):
        numbers[i] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _begin(column: int, cursors: Cursors, block: Block, weights: Floats) -> None:
    """Begin the next bin of a lane: what has been constant is taken off anew.

    The last samples stand before it.
    """
    size, tile, lane = weights.shape[1], column // LANES, column % LANES
    moved = block[tile, size + HISTORY - 1, lane]
    for row in range(HISTORY):
        block[tile, row, lane] = block[tile, size + row, lane] - moved
    cursors[BASE, column] += moved
    cursors[BIN, column] += 1
    cursors[FILLED, column] = 0
    if cursors[LOST, column] > 0:
        cursors[LOST, column] = 0
        for row in range(size):
            weights[tile, row, lane] = ONE
