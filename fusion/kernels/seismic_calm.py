"""Stations where nothing happens: the bins of all of them at once, and what they teach."""

# ruff: noqa: PLR0917 - kernels take no structures

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_layout import BAND_0, BANDS

Floats = NDArray[np.floating[Any]]
Numbers = NDArray[np.int64]

# --- what a station knows of a channel, (ears, MEMORY) float64 ----------------------------
HOURS = 24
BINS = 0  # that have been looked at since it began
QUIET_BINS = 1  # that the bands' quiet was made of
QUIET_0 = 2  # energy of each band in a bin of quiet
HOURS_0 = QUIET_0 + BANDS  # three rows for the hours of the day
HEARD_S, FLOOR, RESTLESS_2 = 0, HOURS, 2 * HOURS
MEMORY = HOURS_0 + 3 * HOURS

# --- where a station is, (stations, PLACE_FIELDS) int64 -----------------------------------
(
    NEXT_BIN,  # to be looked at
    ANCHOR_NS,  # UTC at which bin 0 begins
    CALM,  # 1: no event; only then its bins are passed over here
    LEFT,  # 1: there is something that is to be looked at by itself
) = range(4)
PLACE_FIELDS = 4

# --- the channels of stations, (channels, SEAT_FIELDS) int64; those of a station in a row ---
STATION, COLUMN, EAR, VERTICAL = range(4)
SEAT_FIELDS = 4

HOUR_NS = 3600 * 10**9
WARM_S = 600.0  # an hour that has been heard for less is not known
SLOW_S = 7200.0  # of listening: two days' worth of an hour
CALM_LEVEL = 0.12
"""Restlessness of noise that does not change: ln(rms of a second) wanders by so much."""
MOST = 0.8
GAIN = 2.0
UNDER = 0.5  # the quiet may be so much of its mean square below the hour's own
LARGEST_STEP = 1.5  # of ln(level): a passer-by is not what the hour is like


class Calm(NamedTuple):
    """What calm is, for one bank."""

    bin_samples: float
    frame_hz: float
    bin_s: float
    bin_ns: float
    level_on: float
    """rms over the quiet that is activity."""
    stirring: float
    """The same from which steps are looked for; infinite: they are not."""
    window_bins: int
    """In which they are looked for."""
    chain_steps: float
    """So many alike steps are activity,"""
    chain_nats: float
    """which say so much,"""
    chain_age_s: float
    """and of which the last is no older."""
    vertical_gain: float
    hour_bins: int
    """Between two lessons of the hour."""
    spectrum_bins: int
    """Between two spectra of the quiet."""
    quiet_keep: float
    """Share of a new bin in the bands' quiet."""
    lag_bins: int
    """A channel that is so far behind another may have to be dropped."""


@njit(cache=True, nogil=True, error_model="numpy")
def rest(
    frames: Floats,
    bins: Floats,
    done: Numbers,
    calm: Calm,
    seats: Numbers,
    places: Numbers,
    memory: Floats,
    due: Numbers,
) -> tuple[int, int]:
    """Pass over the bins in which nothing happens, and learn from them.

    frames   (columns, FRAME_RING), bins (columns, BIN_RING, FIELDS): those of the bank
    done     (columns,) bins that are finished
    seats    (channels, SEAT_FIELDS)
    places   (stations, PLACE_FIELDS)
    memory   (ears, MEMORY)
    due      (room, 2) filled with ears whose spectrum is to be learned, and the UTC ns then
    returns  how many stations are left to be looked at, and how many ears are due
    """
    left, count, first = 0, 0, 0
    now = np.zeros((seats.shape[0], window.GLANCE))
    found, marks = np.zeros(steps.FEATURES), np.zeros(steps.MOST)
    while first < seats.shape[0]:
        end, station = first + 1, seats[first, STATION]
        fewest = most = done[seats[first, COLUMN]]
        while end < seats.shape[0] and seats[end, STATION] == station:
            fewest = min(fewest, done[seats[end, COLUMN]])
            most = max(most, done[seats[end, COLUMN]])
            end += 1
        number = places[station, NEXT_BIN]
        if places[station, CALM] == 1:
            mine = seats[first:end]
            while number < fewest and count + end - first <= due.shape[0]:
                utc_ns = places[station, ANCHOR_NS] + np.int64(np.rint((number + 1) * calm.bin_ns))
                if not _is_calm(
                    frames, bins, calm, mine, memory, number + 1, utc_ns, now, found, marks
                ):
                    break
                number += 1
                count = teach(bins, calm, mine, memory, number, utc_ns, now, due, count)
            places[station, NEXT_BIN] = number
        lags = most > fewest and most - number >= calm.lag_bins
        places[station, LEFT] = 1 if number < fewest or lags else 0
        left += places[station, LEFT]
        first = end
    return left, count


@njit(cache=True, nogil=True, error_model="numpy")
def _is_calm(
    frames: Floats,
    bins: Floats,
    calm: Calm,
    seats: Numbers,
    memory: Floats,
    last: int,
    utc_ns: int,
    now: Floats,
    found: Floats,
    marks: Floats,
) -> bool:
    """Whether the bin before number `last` is as quiet as ever, by the channel that hears best."""
    best, most = 0, -1.0
    for seat in range(seats.shape[0]):
        ring = ring_of(frames, bins, calm, seats[seat, COLUMN])
        hours = memory[seats[seat, EAR], HOURS_0:]
        window.glance(ring, last, quietest(hours, utc_ns), now[seat])
        gain = calm.vertical_gain if seats[seat, VERTICAL] == 1 else 1.0
        ratio = now[seat, window.NOW_RATIO] * gain
        if ratio > most:
            best, most = seat, ratio
    heard = now[best]
    if not heard[window.NOW_RATIO] > 0.0:
        return False  # it knows no quiet yet: that is judged by itself
    level_on = calm.level_on * raised(memory[seats[best, EAR], HOURS_0:], utc_ns)
    if heard[window.NOW_ABOVE] > 0.0 or heard[window.NOW_LEVEL_1S] >= level_on:
        return False
    if not heard[window.NOW_LEVEL_2S] >= calm.stirring:
        return True
    ring = ring_of(frames, bins, calm, seats[best, COLUMN])
    bins_heard = int(memory[seats[best, EAR], BINS]) + 1
    size = max(2, min(calm.window_bins, last, bins_heard))
    return not (
        window.blows(ring, last, size, found, marks) > 0
        and found[steps.CHAIN] >= calm.chain_steps
        and found[steps.CHAIN_NATS] >= calm.chain_nats
        and found[steps.CHAIN_AGE_S] <= calm.chain_age_s
    )


@njit(cache=True, nogil=True, error_model="numpy")
def ring_of(frames: Floats, bins: Floats, calm: Calm, column: int) -> window.Ring:
    """What the bank keeps of one channel."""
    return window.Ring(frames[column], bins[column], calm.bin_samples, calm.frame_hz)


@njit(cache=True, nogil=True, error_model="numpy")
def teach(
    bins: Floats,
    calm: Calm,
    seats: Numbers,
    memory: Floats,
    last: int,
    utc_ns: int,
    now: Floats,
    due: Numbers,
    count: int,
) -> int:
    """Learn from a calm bin; how many ears are due for a spectrum now."""
    row = (last - 1) % bins.shape[1]
    for seat in range(seats.shape[0]):
        ear, column = seats[seat, EAR], seats[seat, COLUMN]
        mine = memory[ear]
        mine[BINS] += 1.0
        if not now[seat, window.NOW_RATIO] > 0.0:
            continue
        if last % calm.hour_bins == 0:
            floor, level = now[seat, window.NOW_FLOOR], now[seat, window.NOW_LEVEL_1S]
            learn(mine[HOURS_0:], utc_ns, floor, level, calm.hour_bins * calm.bin_s)
        mine[QUIET_BINS] += 1.0
        keep = max(1.0 / mine[QUIET_BINS], calm.quiet_keep)
        for b in range(BANDS):
            mine[QUIET_0 + b] += keep * (bins[column, row, BAND_0 + b] - mine[QUIET_0 + b])
        if last % calm.spectrum_bins == 0:
            due[count, 0], due[count, 1] = ear, utc_ns
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def learn(hours: Floats, utc_ns: int, floor_square: float, level: float, seconds: float) -> None:
    """So many seconds of an hour: the quiet's mean square then, and the level over it.

    hours  (3 * HOURS,) how long each was heard, mean ln(mean square), mean square ln(level)
    """
    hour = utc_ns // HOUR_NS % HOURS
    heard_s = hours[HEARD_S + hour] = min(hours[HEARD_S + hour] + seconds, SLOW_S)
    keep = seconds / heard_s
    floor = math.log(max(floor_square, 1e-30))
    hours[FLOOR + hour] += keep * (floor - hours[FLOOR + hour])
    off = max(-LARGEST_STEP, min(LARGEST_STEP, math.log(max(level, 1e-9))))
    hours[RESTLESS_2 + hour] += keep * (off * off - hours[RESTLESS_2 + hour])


@njit(cache=True, nogil=True, error_model="numpy")
def quietest(hours: Floats, utc_ns: int) -> float:
    """Mean square under which the quiet of this hour is not believed; 0: not known."""
    hour = utc_ns // HOUR_NS % HOURS
    if hours[HEARD_S + hour] < WARM_S:
        return 0.0
    return UNDER * math.exp(hours[FLOOR + hour])


@njit(cache=True, nogil=True, error_model="numpy")
def restless(hours: Floats, utc_ns: int) -> float:
    """How much more than steady noise the level wanders at this hour, 0 to MOST."""
    hour = utc_ns // HOUR_NS % HOURS
    if hours[HEARD_S + hour] < WARM_S:
        return 0.0
    return min(max(math.sqrt(hours[RESTLESS_2 + hour]) - CALM_LEVEL, 0.0), MOST)


@njit(cache=True, nogil=True, error_model="numpy")
def raised(hours: Floats, utc_ns: int) -> float:
    """Factor on the level that counts as activity at this hour, 1 or more."""
    return 1.0 + GAIN * restless(hours, utc_ns)
