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
SHORT = 2 * SECTIONS  # 1 / samples of the STA; before it a1 and a2 of each section
LONG, LONG_SAMPLES, ON, WARM_BINS, RISE, FALL, SETUP_SIZE = range(SHORT + 1, SHORT + 8)

FRAME_RING = 2048  # 40 s of 20 ms means of |velocity|
BIN_RING = 512  # 100 s
MOST = np.float32(1e9)  # um/s; a bin of fourth powers of more would not fit a float32
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
    block: Floats,
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
    cursors  (columns, CURSOR_FIELDS) where each column is
    taps     (taps,) of the low-pass before decimation, float64
    history  (columns, 2 * taps) what the low-pass remembers
    setup    (SETUP_SIZE,)
    block    (tiles, 2 + bin samples, LANES) counts of the bin that is being filled
    weights  (tiles, bin samples, LANES) 1, or 0 where nothing real stands
    state    (tiles, STATE_ROWS * LANES)
    frames   (columns, FRAME_RING) mean of |band-passed velocity| in um/s
    bins     (columns, BIN_RING, FIELDS)
    """
    tiles, rows = block.shape[0], block.shape[1]
    size = rows - 2
    work = np.empty((3, size * LANES), np.float32)
    out = np.empty((FRAMES_PER_BIN + FIELDS) * LANES, np.float32)
    saved = np.empty(state.shape[1], np.float32)
    while fill(counts, pieces, factor, settle, cursors, taps, history, block, weights):
        for tile in range(tiles):
            first = tile * LANES
            ready, lost = 0, 0
            for column in range(first, first + LANES):
                if cursors[column, FILLED] == size:
                    ready += 1
                    lost += cursors[column, LOST]
            if ready == 0:
                continue
            if ready < LANES:
                saved[:] = state[tile]
            _run(block[tile], weights[tile], lost > 0, setup, state[tile], work, out)
            for lane in range(LANES):
                if cursors[first + lane, FILLED] == size:
                    _write(lane, cursors[first + lane], out, frames, bins, first + lane)
                    _begin(lane, cursors[first + lane], block[tile], weights[tile])
                else:
                    for row in range(STATE_ROWS):
                        state[tile, row * LANES + lane] = saved[row * LANES + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _run(
    block: Floats,
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
    _first_pair(raw, passed, setup, 0, state)
    for section in range(2, PASS_SECTIONS, 2):
        _next_pair(passed, passed, setup, section, state)
    for index in range(BANDS):
        section = PASS_SECTIONS + index * BAND_SECTIONS
        _first_pair(raw, band, setup, section, state)
        if lost:
            _energy_real(band, flat_weights, fields[(BAND_0 + index) * LANES :])
        else:
            _energy(band, fields[(BAND_0 + index) * LANES :])
    if lost:
        _ratio_real(passed, flat_weights, setup, state, fields)
        _moments_real(passed, flat_weights, size // FRAMES_PER_BIN, state, out, fields)
    else:
        _ratio(passed, setup, state, fields)
        _moments(passed, size // FRAMES_PER_BIN, state, out, fields)
    _close(np.float32(size), setup, state, out, fields)


@njit(cache=True, nogil=True, error_model="numpy")
def _difference(block: Floats, raw: Floats) -> None:
    """x[n] - x[n-2], the numerator that the first sections of all filters share.

    It takes off what is constant before anything is rounded.
    """
    for i in range(raw.shape[0]):
        raw[i] = block[i + 2 * LANES] - block[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _first_pair(source: Floats, into: Floats, setup: Floats, section: int, state: Floats) -> None:
    """Two sections, transposed direct form II; the first one's numerator has been taken."""
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    c1, c2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    for chunk in range(0, source.shape[0], CHUNK * LANES):
        for i in range(LANES):
            p, q, r, s = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            for u in range(CHUNK):
                y = source[chunk + u * LANES + i] + p
                p = q - a1 * y
                q = -(a2 * y)
                v = y + r
                r = s - c1 * v
                s = -(y + c2 * v)
                into[chunk + u * LANES + i] = v
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = p, q, r, s


@njit(cache=True, nogil=True, error_model="numpy")
def _next_pair(source: Floats, into: Floats, setup: Floats, section: int, state: Floats) -> None:
    """Two more sections with their numerators; `into` may be `source`."""
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    c1, c2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    for chunk in range(0, source.shape[0], CHUNK * LANES):
        for i in range(LANES):
            p, q, r, s = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            for u in range(CHUNK):
                x = source[chunk + u * LANES + i]
                y = x + p
                p = q - a1 * y
                q = -(x + a2 * y)
                v = y + r
                r = s - c1 * v
                s = -(y + c2 * v)
                into[chunk + u * LANES + i] = v
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = p, q, r, s


@njit(cache=True, nogil=True, error_model="numpy")
def _energy(band: Floats, total: Floats) -> None:
    """Add the squares."""
    for chunk in range(0, band.shape[0], CHUNK * LANES):
        for i in range(LANES):
            e = total[i]
            for u in range(CHUNK):
                v = band[chunk + u * LANES + i]
                e += v * v
            total[i] = e


@njit(cache=True, nogil=True, error_model="numpy")
def _energy_real(band: Floats, weights: Floats, total: Floats) -> None:
    """The same where some samples are not real."""
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
        for i in range(LANES):
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            top, above = fields[RATIO * LANES + i], fields[ABOVE * LANES + i]
            low = fields[LOWEST * LANES + i]
            for u in range(CHUNK):
                y = passed[chunk + u * LANES + i]
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
            sta += short * (square - sta) * weight
            lta += long * (square - lta) * weight
            ratio = sta / lta * weight
            top = ratio if ratio > top else top
            low = ratio if ratio < low and weight > NOUGHT else low
            above += ONE if ratio > on else NOUGHT
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            fields[RATIO * LANES + i], fields[ABOVE * LANES + i] = top, above
            fields[LOWEST * LANES + i] = low


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(passed: Floats, per_frame: int, state: Floats, out: Floats, fields: Floats) -> None:
    """Frames, peak, second and fourth moments of the velocity."""
    for chunk in range(0, passed.shape[0], CHUNK * LANES):
        for i in range(LANES):
            scale = state[SCALE * LANES + i]
            square, fourth = fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i]
            peak = fields[PEAK * LANES + i]
            for u in range(CHUNK):
                size = abs(passed[chunk + u * LANES + i]) * scale
                size = size if size < MOST else MOST
                peak = size if size > peak else peak
                size *= size
                square += size
                fourth += size * size
            fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i] = square, fourth
            fields[PEAK * LANES + i] = peak
    for i in range(FRAMES_PER_BIN * LANES):
        out[i] = NOUGHT
    part = ONE / np.float32(per_frame)
    # Frame by frame each sum would wait for the one before it.
    for u in range(per_frame):
        for frame in range(FRAMES_PER_BIN):
            at = (frame * per_frame + u) * LANES
            for i in range(LANES):
                size = abs(passed[at + i]) * state[SCALE * LANES + i]
                out[frame * LANES + i] += size if size < MOST else MOST
    for i in range(FRAMES_PER_BIN * LANES):
        out[i] *= part


@njit(cache=True, nogil=True, error_model="numpy")
def _moments_real(
    passed: Floats, weights: Floats, per_frame: int, state: Floats, out: Floats, fields: Floats
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
                size = size if size < MOST else MOST
                if weights[at] == NOUGHT:
                    size = held
                    lost += ONE
                total += size
                peak = size if size > peak else peak
                size *= size
                square += size
                fourth += size * size
            fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i] = square, fourth
            fields[PEAK * LANES + i], fields[STOOD_IN * LANES + i] = peak, lost
            out[frame * LANES + i] = total * part
            state[HELD * LANES + i] = total * part


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
            fields[(BAND_0 + band) * LANES + i] *= state[(BAND_SCALE + band) * LANES + i]


@njit(cache=True, nogil=True, error_model="numpy")
def _write(
    lane: int,
    cursor: Cursors,
    out: Floats,
    frames: Floats,
    bins: Floats,
    column: int,
) -> None:
    """Put a lane's finished bin into its column's rings."""
    number = cursor[BIN]
    at = number * FRAMES_PER_BIN % FRAME_RING
    for frame in range(FRAMES_PER_BIN):
        frames[column, (at + frame) % FRAME_RING] = out[frame * LANES + lane]
    for field in range(FIELDS):
        bins[column, number % BIN_RING, field] = out[(FRAMES_PER_BIN + field) * LANES + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _begin(lane: int, cursor: Cursors, block: Floats, weights: Floats) -> None:
    """Begin the next bin of a lane: what has been constant is taken off anew."""
    size = weights.shape[0]
    moved = np.int64(block[size + 1, lane])
    base = np.float32(moved)
    block[0, lane] = block[size, lane] - base
    block[1, lane] = block[size + 1, lane] - base
    cursor[BASE] += moved
    cursor[BIN] += 1
    cursor[FILLED] = 0
    if cursor[LOST] > 0:
        cursor[LOST] = 0
        for row in range(size):
            weights[row, lane] = ONE
