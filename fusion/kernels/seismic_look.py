"""One station's newest bin, looked at by itself: which channel hears best, and what goes on."""

# ruff: noqa: PLR0917 - kernels take no structures

import math

from numba import njit

from fusion.kernels import seismic_calm as calm
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_calm import BINS, COLUMN, EAR, HOURS_0, QUIET_0, VERTICAL

Floats = calm.Floats
Numbers = calm.Numbers

# --- how a station stands, (STANCE,) int64 -------------------------------------------------
(
    TRIGGERED,  # 1: STA/LTA went over its line and has not come back; kept from bin to bin
    EVENT,  # 1: something goes on
    KEPT,  # the seat of the channel that it was heard on; -1: none
    WANTED,  # bins that are to be described
    # Filled by `look`:
    BEST,  # the seat of the channel that hears best
    LOUD,  # 1: STA/LTA or the level says that something goes on
    WALKS,  # 1: steps do
    SIZE,  # bins that were described; 0: none
    MARKS,  # blows in them
    DUE,  # ears whose spectrum is to be learned
) = range(10)
STANCE = 10


@njit(cache=True, nogil=True, error_model="numpy")
def look(
    frames: Floats,
    bins: Floats,
    rules: calm.Calm,
    more: tuple[float, float, float, float, float],
    seats: Numbers,
    memory: Floats,
    last: int,
    utc_ns: int,
    stance: Numbers,
    now: Floats,
    found: Floats,
    marks: Floats,
    bands: Floats,
    due: Numbers,
) -> None:
    """Look at the bin before number `last`, which ended then; learn from it.

    frames   (columns, FRAME_RING), bins (columns, BIN_RING, FIELDS): those of the bank
    more     STA/LTA with which a trigger lets go, how much better another channel must hear in
             the middle of an event, and, before the quiet is known, how many bins, alike steps
             and nats it takes
    seats    (channels, SEAT_FIELDS) of one station
    memory   (ears, MEMORY)
    now      (channels, GLANCE) filled here
    found    (window.FEATURES,), marks (steps.MOST,), bands (BANDS,) of a window, filled where
             something goes on
    due      (room, 2) filled with ears whose spectrum is to be learned, and the UTC ns then
    """
    off, kept_gain, young_bins, young_steps, young_nats = more
    best = _hears_best(
        frames, bins, rules, kept_gain, stance[KEPT], seats, memory, last, utc_ns, now
    )
    heard, mine = now[best], memory[seats[best, EAR]]
    warm = heard[window.NOW_RATIO] > 0.0
    loud = False
    if warm:
        if heard[window.NOW_ABOVE] > 0.0:
            stance[TRIGGERED] = 1
        elif heard[window.NOW_RATIO] < off:
            stance[TRIGGERED] = 0
        level_on = rules.level_on * calm.raised(mine[HOURS_0:], utc_ns)
        loud = stance[TRIGGERED] == 1 or heard[window.NOW_LEVEL_1S] >= level_on
    bins_heard = int(mine[BINS]) + 1
    stirs = bins_heard >= young_bins
    if warm:
        stirs = heard[window.NOW_LEVEL_2S] >= rules.stirring
    event, size, count, walks = stance[EVENT] == 1, 0, 0, False
    if rules.stirring < math.inf and (event or loud or stirs):
        ring = calm.ring_of(frames, bins, rules, seats[best, COLUMN])
        size = max(2, min(stance[WANTED], last, bins_heard))
        blows = found[window.STEPS_0 :]
        if loud:
            count = window.describe(ring, last, size, found, marks)
        else:  # mostly there are no steps, and then nobody asks for the rest
            count = window.blows(ring, last, size, blows, marks)
        walks = (
            count > 0
            and blows[steps.CHAIN] >= (rules.chain_steps if warm else young_steps)
            and blows[steps.CHAIN_NATS] >= (rules.chain_nats if warm else young_nats)
            and blows[steps.CHAIN_AGE_S] <= rules.chain_age_s
        )
        if walks and not loud:
            window.describe(ring, last, size, found, marks)
        if loud or walks:
            window.bands(ring, last, size, mine[QUIET_0:], bands)
    stance[BEST], stance[LOUD], stance[WALKS] = best, loud, walks
    stance[SIZE], stance[MARKS], stance[DUE] = size, count, 0
    if not (event or loud or walks):
        stance[DUE] = calm.teach(bins, rules, seats, memory, last, utc_ns, now, due, 0)
    else:
        _hear(rules, seats, memory, last, utc_ns, now)


@njit(cache=True, nogil=True, error_model="numpy")
def _hears_best(
    frames: Floats,
    bins: Floats,
    rules: calm.Calm,
    kept_gain: float,
    kept: int,
    seats: Numbers,
    memory: Floats,
    last: int,
    utc_ns: int,
    now: Floats,
) -> int:
    """The seat with the highest STA/LTA; of near-equals the one in use, then a vertical."""
    best, most = 0, -1.0
    for seat in range(seats.shape[0]):
        mine = memory[seats[seat, EAR]]
        ring = calm.ring_of(frames, bins, rules, seats[seat, COLUMN])
        window.glance(ring, last, calm.quietest(mine[HOURS_0:], utc_ns), now[seat])
        gain = rules.vertical_gain if seats[seat, VERTICAL] == 1 else 1.0
        gain *= kept_gain if seat == kept else 1.0
        ratio = now[seat, window.NOW_RATIO] * gain
        if ratio > most:
            best, most = seat, ratio
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def _hear(
    rules: calm.Calm, seats: Numbers, memory: Floats, last: int, utc_ns: int, now: Floats
) -> None:
    """Something goes on: of such a bin only the hour of the day is learned."""
    for seat in range(seats.shape[0]):
        mine = memory[seats[seat, EAR]]
        mine[BINS] += 1.0
        if last % rules.hour_bins == 0 and now[seat, window.NOW_RATIO] > 0.0:
            floor, level = now[seat, window.NOW_FLOOR], now[seat, window.NOW_LEVEL_1S]
            seconds = rules.hour_bins * rules.bin_s
            calm.learn(mine[HOURS_0:], utc_ns, floor, level, seconds)
