"""Streaming kernels of ground-motion channels: all of one rate at once, LANES to a tile.

Work is done in whole bins, so the numbers are the same however the stream was cut. The rings
hold a bin's numbers for all columns side by side, as the kernels leave them.
"""

# ruff: noqa: PLR0917 - kernels take no structures

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.intrinsics import will_read, will_write
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
        for i in range(saved.shape[0]):  # a slice assigned takes two seconds to compile
            saved[i] = mine[i]
        counts, real = block[tile].reshape(-1), weights[tile].reshape(-1)
        if lost == 0:
            real = real[:0]
        _run(counts, BEFORE, real, 0, frames, bins, setup, mine, values, means, fields)
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
    flat, begun, size = counts.reshape(-1), block[0].reshape(-1), counts.shape[1]
    values, means, fields = _cut(work, size // LANES)
    mine, base, numbers, nothing = state[0], cursors[BASE], cursors[BIN], fields[:0]
    for i in range(size):  # the first follows what stands before it
        begun[BEFORE + i] = flat[i] - base[i % LANES]
    for at in range(0, flat.shape[0], size):
        source, first = (flat, at) if at > 0 else (begun, BEFORE)
        _run(source, first, nothing, numbers[0], frames, bins, setup, mine, values, means, fields)
        _write_all(numbers, means, fields, frames, bins)
    last = flat[flat.shape[0] - BEFORE :]
    for i in range(LANES):
        base[i] = last[BEFORE - LANES + i]
    for i in range(BEFORE):
        begun[i] = last[i] - base[i % LANES]


@njit(cache=True, nogil=True, error_model="numpy")
def ratio_rows(passed: Floats, setup: Floats, state: Floats, fields: Floats) -> None:
    """STA/LTA alone of the first tile: (bins, bin samples * LANES) filtered values.

    fields  (FIELDS * LANES,) highest and lowest ratio, and samples above `on`
    """
    for number in range(passed.shape[0]):
        ratio(passed[number], setup, state, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _run(
    counts: Block,
    first: int,
    weights: Floats,
    number: int,
    frames: Floats,
    bins: Floats,
    setup: Floats,
    state: Floats,
    values: Floats,
    means: Floats,
    fields: Floats,
) -> None:
    """One bin of one tile.

    counts   (samples * LANES,) those of the bin, others before it and perhaps after it
    first    place of the bin's in them
    weights  (bin samples * LANES,) of them; none where all are real
    number   of the bin, whose place in `frames` and `bins` is written to next
    values   (bin samples * LANES,) room for what becomes of them
    means    (FRAMES_PER_BIN * LANES,) and fields (FIELDS * LANES,): filled here
    """
    # No views here: Numba would count the references to each.
    for i in range(fields.shape[0]):
        fields[i] = NOUGHT
    for i in range(means.shape[0]):
        means[i] = NOUGHT
    for i in range(LOWEST * LANES, (LOWEST + 1) * LANES):
        fields[i] = MOST
    difference(counts, first, values)
    size = values.shape[0]
    if weights.shape[0] > 0:
        for index in range(BANDS):
            band_real(values, weights, setup, index, state, fields)
        band_pass(values, setup, state)
        tell_real(values, weights, setup, state, means, fields)
    else:
        for index in range(BANDS):
            band(values, setup, index, state, fields)
            if counts.shape[0] >= first + 2 * size:
                _ask(index, counts, first + size, size, number, frames, bins)
        band_pass(values, setup, state)
        tell(values, setup, state, means, fields)
    frame_means(values, setup[FRAME_PART], means)
    close(np.float32(size // LANES), setup, state, means, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _ask(
    part: int, counts: Block, first: int, size: int, number: int, frames: Floats, bins: Floats
) -> None:
    """Ask for memory that is needed soon: one of BANDS parts at a time, for it takes in no more."""
    for at in range(first + part * size // BANDS, first + (part + 1) * size // BANDS, CACHE_LINE):
        will_read(counts, at)
    columns = frames.shape[1]
    row = number * FRAMES_PER_BIN % FRAME_RING
    for at in range(part, FRAMES_PER_BIN, BANDS):
        for i in range(0, LANES, CACHE_LINE):
            will_write(frames, (row + at) * columns + i)
    row = number % BIN_RING * FIELDS
    for at in range(part, FIELDS, BANDS):
        for i in range(0, LANES, CACHE_LINE):
            will_write(bins, (row + at) * columns + i)


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
