"""Streaming kernels of ground-motion channels: all of one rate at once, sixteen to a tile.

Work is done in whole bins, so the numbers are the same however the stream was cut. Within a
bin each stage is a loop over lanes with five samples written out in it: the lanes become one
vector, and the state stays in registers for five samples. A tile's state is one flat float32
array, whose rows of LANES the names below number.
"""

# ruff: noqa: PLR0917 - kernels take no structures

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

CHUNK = 5  # samples of one turn of a lane; a bin has ten frames of whole samples
PASS_SECTIONS = 4  # pole pairs of the band-pass that steps are looked for in
BAND_SECTIONS = 2  # of each band's filter
BANDS = 5
SECTIONS = PASS_SECTIONS + BANDS * BAND_SECTIONS

# --- state: rows of a tile ----------------------------------------------------------------
FILTERS = 0  # two rows for each section
(
    STA,
    LTA,
    HELD,  # the last frame, which stands in for what is lost
    QUIET,  # the floor: mean square of the quiet ground
    QUIET_BINS,  # that it has been made of
    HEARD,  # samples, those that stand in for lost ones left out
) = range(2 * SECTIONS, 2 * SECTIONS + 6)
SCALE = HEARD + 1  # um/s per filtered count
BAND_SCALE = SCALE + 1  # the square of the same for each band, BANDS rows
STATE_ROWS = BAND_SCALE + BANDS

# --- fields of a bin ----------------------------------------------------------------------
SUM_2 = 0  # sum of squares of the band-passed velocity, (um/s)^2
SUM_4 = 1  # of fourth powers
PEAK = 2  # um/s
RATIO = 3  # highest STA/LTA; 0 until one LTA has been heard
ABOVE = 4  # samples with STA/LTA above `on`
FLOOR = 5  # mean square of the quiet ground at the end of the bin, (um/s)^2
LOWEST = 6  # lowest STA/LTA, with which a trigger lets go
STOOD_IN = 7  # samples lost or settling, in whose place stands the level before them
BAND_0 = 8  # sums of squares of each band, (um/s)^2
FIELDS = BAND_0 + BANDS

# --- constants of a bank, (SETUP_SIZE,) float32 -------------------------------------------
SHORT = 2 * SECTIONS  # 1 / samples of the STA; before it -a1 and -a2 of each section
LONG, LONG_SAMPLES, ON, WARM_BINS, RISE, FALL, SETUP_SIZE = range(SHORT + 1, SHORT + 8)

FRAME_RING = 2000  # 40 s of 20 ms means of |velocity|; whole bins
BIN_RING = 512  # 100 s
MOST = np.float32(1e38)  # what does not fit a float32 is told as this
DEAD = np.float32(1e-12)  # (um/s)^2; no ground is so quiet, and no ratio to it means anything
NOUGHT, ONE, TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
HEARD_ENOUGH = np.float32(1e6)


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
    setup    (SETUP_SIZE,)
    block    (tiles, 2 + bin samples, LANES) counts of the bin that is being filled
    weights  (tiles, bin samples, LANES) 1, or 0 where nothing real stands
    state    (tiles, STATE_ROWS * LANES)
    frames   (columns, FRAME_RING) mean of |band-passed velocity| in um/s
    bins     (columns, BIN_RING, FIELDS)
    """
    while fill(counts, pieces, factor, settle, cursors, taps, history, block, weights):
        finish(cursors, setup, block, weights, state, frames, bins)


@njit(cache=True, nogil=True, error_model="numpy")
def finish(
    cursors: Cursors,
    setup: Floats,
    block: Block,
    weights: Floats,
    state: Floats,
    frames: Floats,
    bins: Floats,
) -> None:
    """Work on every bin that is full: the filters and all that is told of them."""
    tiles, size = block.shape[0], block.shape[1] - 2
    work = np.empty((3, size * LANES), np.float32)
    out = np.empty((FRAMES_PER_BIN + FIELDS) * LANES, np.float32)
    saved = np.empty(state.shape[1], np.float32)
    for tile in range(tiles):
        first = tile * LANES
        ready, lost = 0, 0
        for column in range(first, first + LANES):
            if cursors[FILLED, column] == size:
                ready += 1
                lost += cursors[LOST, column]
        if ready == 0:
            continue
        if ready < LANES:
            saved[:] = state[tile]
        _run(block[tile], weights[tile], lost > 0, setup, state[tile], work, out)
        if ready == LANES:
            for column in range(first, first + LANES):
                _write(column, cursors, out, frames, bins)
            _begin_all(cursors[:, first : first + LANES], block[tile])
            if lost > 0:
                weights[tile, :, :] = ONE
            continue
        for column in range(first, first + LANES):
            if cursors[FILLED, column] == size:
                _write(column, cursors, out, frames, bins)
                _begin(column, cursors, block, weights)
            else:
                for row in range(STATE_ROWS):
                    at = row * LANES + column - first
                    state[tile, at] = saved[at]


@njit(cache=True, nogil=True, error_model="numpy")
def advance_rows(
    counts: NDArray[np.int32],
    cursors: Cursors,
    setup: Floats,
    block: Block,
    weights: Floats,
    state: Floats,
    frames: Floats,
    bins: Floats,
) -> None:
    """The same for the first tile's lanes together, without gaps: whole bins, sample by sample.

    counts  (bins, bin samples * LANES) raw counts: all lanes of a sample stand side by side
    """
    into = block[0].reshape(-1)[2 * LANES :]
    base = np.empty(LANES, np.int32)
    size = counts.shape[1]
    for number in range(counts.shape[0]):
        row = counts[number]
        for i in range(LANES):
            base[i] = cursors[BASE, i]
        for sample in range(size // LANES):
            for i in range(LANES):
                into[sample * LANES + i] = row[sample * LANES + i] - base[i]
        cursors[FILLED, :LANES] = size // LANES
        finish(cursors, setup, block, weights, state, frames, bins)


@njit(cache=True, nogil=True, error_model="numpy")
def ratio_rows(passed: Floats, setup: Floats, state: Floats, fields: Floats) -> None:
    """STA/LTA alone of the first tile: (bins, bin samples * LANES) filtered values.

    fields  (FIELDS * LANES,) highest and lowest ratio, and samples above `on`
    """
    for number in range(passed.shape[0]):
        _ratio(passed[number], setup, state, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _run(
    block: Block,
    weights: Floats,
    lost: bool,
    setup: Floats,
    state: Floats,
    work: Floats,
    out: Floats,
) -> None:
    """One bin of one tile.

    work  (3, bin samples * LANES) difference, filtered, band
    out   (FRAMES_PER_BIN + FIELDS) * LANES: frames, then fields
    """
    size = weights.shape[0]
    raw, passed, band = work[0], work[1], work[2]
    flat_block, flat_weights = block.reshape(-1), weights.reshape(-1)
    fields = out[FRAMES_PER_BIN * LANES :]
    fields[:] = NOUGHT
    fields[LOWEST * LANES : (LOWEST + 1) * LANES] = MOST
    _difference(flat_block, raw)
    _first_pair(raw, band, setup, 0, state)
    # Into another array: in place, no two lanes could be worked on at once.
    _next_pair(band, passed, setup, 2, state)
    for index in range(BANDS):
        section = PASS_SECTIONS + index * BAND_SECTIONS
        total = fields[(BAND_0 + index) * LANES : (BAND_0 + index + 1) * LANES]
        if lost:
            _first_pair(raw, band, setup, section, state)
            _energy_real(band, flat_weights, total)
        else:
            _band(raw, setup, section, state, total)
    if lost:
        _ratio_real(passed, flat_weights, setup, state, fields)
        _moments_real(passed, flat_weights, size // FRAMES_PER_BIN, state, fields)
    else:
        _ratio(passed, setup, state, fields)
        _moments(passed, state, fields)
    _frames(passed, size // FRAMES_PER_BIN, out)
    _close(np.float32(size), setup, state, out, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _difference(block: Block, raw: Floats) -> None:
    """x[n] - x[n-2], the numerator that the first sections of all filters share.

    Of integers, it takes off what is constant before anything is rounded.
    """
    for i in range(raw.shape[0]):
        raw[i] = np.float32(block[i + 2 * LANES] - block[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _first_pair(source: Floats, into: Floats, setup: Floats, section: int, state: Floats) -> None:
    """Two sections, transposed direct form II; the first one's numerator has been taken."""
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    c1, c2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    for chunk in range(0, source.shape[0], CHUNK * LANES):
        x, out = source[chunk : chunk + CHUNK * LANES], into[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            p, q, r, s = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            for u in range(CHUNK):
                y = x[u * LANES + i] + p
                p = q + a1 * y
                q = a2 * y
                v = y + r
                r = s + c1 * v
                s = c2 * v - y
                out[u * LANES + i] = v
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = p, q, r, s


@njit(cache=True, nogil=True, error_model="numpy")
def _next_pair(source: Floats, into: Floats, setup: Floats, section: int, state: Floats) -> None:
    """Two more sections, with their numerators."""
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    c1, c2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    for chunk in range(0, source.shape[0], CHUNK * LANES):
        x, out = source[chunk : chunk + CHUNK * LANES], into[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            p, q, r, s = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            for u in range(CHUNK):
                y = x[u * LANES + i] + p
                p = q + a1 * y
                q = a2 * y - x[u * LANES + i]
                v = y + r
                r = s + c1 * v
                s = c2 * v - y
                out[u * LANES + i] = v
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = p, q, r, s


@njit(cache=True, nogil=True, error_model="numpy")
def _band(source: Floats, setup: Floats, section: int, state: Floats, total: Floats) -> None:
    """The first pair's work, of which only the sum of squares is kept."""
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    c1, c2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    for chunk in range(0, source.shape[0], CHUNK * LANES):
        x = source[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            p, q, r, s, energy = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i], total[i]
            for u in range(CHUNK):
                y = x[u * LANES + i] + p
                p = q + a1 * y
                q = a2 * y
                v = y + r
                r = s + c1 * v
                s = c2 * v - y
                energy += v * v
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = p, q, r, s
            total[i] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def _energy_real(band: Floats, weights: Floats, total: Floats) -> None:
    """Add the squares of the samples that are real."""
    for at in range(0, band.shape[0], LANES):
        for i in range(LANES):
            total[i] += band[at + i] * band[at + i] * weights[at + i]


@njit(cache=True, nogil=True, error_model="numpy")
def _ratio(passed: Floats, setup: Floats, state: Floats, fields: Floats) -> None:
    """Recursive STA/LTA of the square, as obspy.signal.trigger.recursive_sta_lta.

    Withers et al. 1998, BSSA 88:95.
    """
    short, long, on = setup[SHORT], setup[LONG], setup[ON]
    for chunk in range(0, passed.shape[0], CHUNK * LANES):
        x = passed[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            top, above = fields[RATIO * LANES + i], fields[ABOVE * LANES + i]
            low = fields[LOWEST * LANES + i]
            for u in range(CHUNK):
                y = x[u * LANES + i]
                square = y * y
                sta += short * (square - sta)
                lta += long * (square - lta)
                ratio = sta / lta  # not a number where nothing has moved: no comparison holds
                top = ratio if ratio > top else top
                low = ratio if ratio < low else low
                above += ONE if ratio > on else NOUGHT
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            fields[RATIO * LANES + i], fields[ABOVE * LANES + i] = top, above
            fields[LOWEST * LANES + i] = low


@njit(cache=True, nogil=True, error_model="numpy")
def _ratio_real(
    passed: Floats, weights: Floats, setup: Floats, state: Floats, fields: Floats
) -> None:
    """The same where some samples are not real: STA and LTA stand still for those."""
    short, long, on = setup[SHORT], setup[LONG], setup[ON]
    for at in range(0, passed.shape[0], LANES):
        for i in range(LANES):
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            top, above = fields[RATIO * LANES + i], fields[ABOVE * LANES + i]
            low = fields[LOWEST * LANES + i]
            y, weight = passed[at + i], weights[at + i]
            square = y * y
            if weight > NOUGHT:
                sta += short * (square - sta)
                lta += long * (square - lta)
            ratio = sta / lta * weight
            top = ratio if ratio > top else top
            low = ratio if ratio < low and weight > NOUGHT else low
            above += ONE if ratio > on else NOUGHT
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            fields[RATIO * LANES + i], fields[ABOVE * LANES + i] = top, above
            fields[LOWEST * LANES + i] = low


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(passed: Floats, state: Floats, fields: Floats) -> None:
    """Peak, second and fourth moments of the velocity; its size stays in `passed`."""
    for chunk in range(0, passed.shape[0], CHUNK * LANES):
        x = passed[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            scale = state[SCALE * LANES + i]
            square, fourth = fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i]
            peak = fields[PEAK * LANES + i]
            for u in range(CHUNK):
                size = abs(x[u * LANES + i]) * scale
                x[u * LANES + i] = size
                peak = size if size > peak else peak
                size *= size
                square += size
                fourth += size * size
            fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i] = square, fourth
            fields[PEAK * LANES + i] = peak


@njit(cache=True, nogil=True, error_model="numpy")
def _moments_real(
    passed: Floats, weights: Floats, per_frame: int, state: Floats, fields: Floats
) -> None:
    """The same where some samples are not real: the last frame's level stands for those."""
    part = ONE / np.float32(per_frame)
    for frame in range(FRAMES_PER_BIN):
        for i in range(LANES):
            held, total = state[HELD * LANES + i], NOUGHT
            scale = state[SCALE * LANES + i]
            square, fourth = fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i]
            peak, lost = fields[PEAK * LANES + i], fields[STOOD_IN * LANES + i]
            for u in range(per_frame):
                at = (frame * per_frame + u) * LANES + i
                size = abs(passed[at]) * scale
                if weights[at] == NOUGHT:
                    size = held
                    lost += ONE
                passed[at] = size
                total += size
                peak = size if size > peak else peak
                size *= size
                square += size
                fourth += size * size
            fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i] = square, fourth
            fields[PEAK * LANES + i], fields[STOOD_IN * LANES + i] = peak, lost
            state[HELD * LANES + i] = total * part


@njit(cache=True, nogil=True, error_model="numpy")
def _frames(passed: Floats, per_frame: int, out: Floats) -> None:
    """Means of the sizes, five or two samples of a frame at a time where they fit."""
    out[: FRAMES_PER_BIN * LANES] = NOUGHT
    rows = FRAMES_PER_BIN * per_frame
    if per_frame % 5 == 0:
        for row in range(0, rows, 5):
            frame = row // per_frame
            x, total = passed[row * LANES : (row + 5) * LANES], out[frame * LANES :]
            for i in range(LANES):
                t = total[i]
                for u in range(5):
                    t += x[u * LANES + i]
                total[i] = t
    elif per_frame % 2 == 0:
        for row in range(0, rows, 2):
            frame = row // per_frame
            x, total = passed[row * LANES : (row + 2) * LANES], out[frame * LANES :]
            for i in range(LANES):
                total[i] = (total[i] + x[i]) + x[LANES + i]
    else:
        for row in range(rows):
            frame = row // per_frame
            x, total = passed[row * LANES : (row + 1) * LANES], out[frame * LANES :]
            for i in range(LANES):
                total[i] += x[i]
    part = ONE / np.float32(per_frame)
    for i in range(FRAMES_PER_BIN * LANES):
        out[i] *= part


@njit(cache=True, nogil=True, error_model="numpy")
def _close(size: np.float32, setup: Floats, state: Floats, out: Floats, fields: Floats) -> None:
    """End a bin: the warm-up's mask, the floor, the scale of the bands.

    The floor is the mean at first, then quick to fall and slow to rise. It moves by
    2 (m - f) / (m + f), which is ln(m / f) where they are near: a loud minute does not become
    the quiet. A bin that is not all real leaves it alone.
    """
    for i in range(LANES):
        state[HELD * LANES + i] = out[(FRAMES_PER_BIN - 1) * LANES + i]
        heard = state[HEARD * LANES + i]
        if heard < setup[LONG_SAMPLES]:
            fields[RATIO * LANES + i] = NOUGHT
            fields[ABOVE * LANES + i] = NOUGHT
            fields[LOWEST * LANES + i] = NOUGHT
        lost = fields[STOOD_IN * LANES + i]
        if fields[RATIO * LANES + i] == NOUGHT and lost < size:
            fields[LOWEST * LANES + i] = NOUGHT  # still ground
        state[HEARD * LANES + i] = min(heard + size - lost, HEARD_ENOUGH)
        fields[SUM_2 * LANES + i] = min(fields[SUM_2 * LANES + i], MOST)
        fields[SUM_4 * LANES + i] = min(fields[SUM_4 * LANES + i], MOST)
        level, quiet = fields[SUM_2 * LANES + i] / size, state[QUIET * LANES + i]
        if lost == NOUGHT:
            count = state[QUIET_BINS * LANES + i] + ONE
            state[QUIET_BINS * LANES + i] = min(count, HEARD_ENOUGH)
            step = TWO * (level - quiet) / max(level + quiet, DEAD)
            if quiet < DEAD:
                quiet = level
            elif count <= setup[WARM_BINS]:
                quiet *= ONE + step / count
            elif step > NOUGHT:
                quiet *= ONE + setup[RISE] * min(step, ONE)
            else:
                quiet *= ONE + setup[FALL] * step
            state[QUIET * LANES + i] = quiet
        fields[FLOOR * LANES + i] = quiet
        for band in range(BANDS):
            energy = fields[(BAND_0 + band) * LANES + i] * state[(BAND_SCALE + band) * LANES + i]
            fields[(BAND_0 + band) * LANES + i] = min(energy, MOST)


@njit(cache=True, nogil=True, error_model="numpy")
def _write(column: int, cursors: Cursors, out: Floats, frames: Floats, bins: Floats) -> None:
    """Put a lane's finished bin into its column's rings."""
    number, lane = cursors[BIN, column], column % LANES
    at, row = number * FRAMES_PER_BIN % FRAME_RING, number % BIN_RING
    for frame in range(FRAMES_PER_BIN):
        frames[column, at + frame] = out[frame * LANES + lane]
    for field in range(FIELDS):
        bins[column, row, field] = out[(FRAMES_PER_BIN + field) * LANES + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _begin(column: int, cursors: Cursors, block: Block, weights: Floats) -> None:
    """Begin the next bin of a lane: what has been constant is taken off anew.

    The last two samples stand before it.
    """
    size, tile, lane = weights.shape[1], column // LANES, column % LANES
    moved = block[tile, size + 1, lane]
    block[tile, 0, lane] = block[tile, size, lane] - moved
    block[tile, 1, lane] = 0
    cursors[BASE, column] += moved
    cursors[BIN, column] += 1
    cursors[FILLED, column] = 0
    if cursors[LOST, column] > 0:
        cursors[LOST, column] = 0
        for row in range(size):
            weights[tile, row, lane] = ONE


@njit(cache=True, nogil=True, error_model="numpy")
def _begin_all(cursors: Cursors, block: Block) -> None:
    """The same for all lanes of a tile at once, the weights left out."""
    last = block.shape[0] - 1
    before, end, first, second = block[last - 1], block[last], block[0], block[1]
    base, number = cursors[BASE], cursors[BIN]
    filled, lost = cursors[FILLED], cursors[LOST]
    for i in range(LANES):
        first[i] = before[i] - end[i]
        second[i] = 0
        base[i] += end[i]
        number[i] += 1
        filled[i] = lost[i] = 0
