"""When something passed a ground sensor: the envelope of its motion to passages.

A sensor's gain, and what its ground carries, need not be known, so times of different sensors
compare where their amplitudes do not.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import passage as kernel
from fusion.types import Fact

SMOOTH_S = 0.8  # either way: three steps of a walker, and no more than half a car's length of time
SUMMIT_S = 2.0  # either way: two walkers who follow one another more closely are one summit
SUMMIT_FACTOR = 2.7  # one neper of energy: gaits vary by a tenth of it over four seconds
CLEAR_FACTOR = 6.0  # over the quiet ground: gusts reach three or four
CLEAR_STEPS = 2.5  # over what noise leaves between two steps
BETWEEN_S = 1.4  # either way: five steps, and what is between them
BETWEEN_SHARE = 0.2
NOISE_SHARE = 0.35  # of even noise stands out of its own quiet fifth, in bins of a fifth second
QUIET_SHARE = 0.05  # of the bins, the quietest: those before the event in a minute and a half
FEWEST_BINS = 15  # three seconds: less has no rise and fall
FAINTEST_SHARE = 0.05
"""Of the strongest passage's energy: of two who pass, one at 2 m and one at 12 m, the second has
more; less is a gust beside somebody's steps."""
FAINT_SHARE = 0.002  # six nats under the summit the fit looks no more
MOST = 6  # passages of one stretch
MOST_BINS = 450  # a minute and a half, in which a creeper goes 70 m
OVER_NATS = 0.5  # two fifths of the energy less: it has clearly been nearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One rise and fall of what a sensor heard."""

    at_s: float
    """Time of closest approach, from the start of the envelope; it may lie ahead of its end."""
    sd_s: float
    width_s: float
    """Range over speed at the closest approach, within a factor of two or so."""
    rise_nats: float
    """How far the energy fell on the side where it fell less."""
    over: bool
    """Whether it has clearly been nearer than it is now."""


def passages(
    energy: NDArray[np.floating],
    bin_s: float,
    floor: float | None = None,
    *,
    on_foot: bool = False,
) -> list[Passage]:
    """The passages in an envelope, oldest first.

    energy   (bins,) mean square of the band-passed motion, in any unit, some seconds before the
             event included; at most some minutes
    bin_s    length of a bin
    floor    mean square of the quiet ground; None: the quietest bins are that
    on_foot  somebody who steps: what lasts between two steps is no part of it
    """
    if len(energy) < FEWEST_BINS:
        return []
    values = np.ascontiguousarray(energy, dtype=np.float64)
    reach = max(1, round(SMOOTH_S / bin_s))
    clear = CLEAR_FACTOR
    if on_foot:
        values, between = np.zeros((2, len(values)))
        kernel.knocks(
            np.ascontiguousarray(energy, dtype=np.float64),
            max(1, round(BETWEEN_S / bin_s)),
            BETWEEN_SHARE,
            values,
            between,
        )
        smoothed = kernel.smooth(values, reach)
        # Traffic that comes and goes is a floor that rises and falls.
        floors = NOISE_SHARE * kernel.smooth(between, reach)
        clear = CLEAR_STEPS
    else:
        smoothed = kernel.smooth(values, reach)
        if floor is None:
            quietest = max(1, round(QUIET_SHARE * len(values)))
            floor = float(np.sort(smoothed)[:quietest].mean())
        floors = np.full(len(values), floor)
    floors = np.maximum(floors, float(smoothed.max()) * 1e-9)  # of a dead channel it is nought
    if not floors[0] > 0.0:
        return []
    edges = np.zeros(MOST + 1, dtype=np.int64)
    shape = kernel.smooth(values, max(1, round(SUMMIT_S / bin_s)))
    pieces = kernel.summits(shape, clear * float(floors.min()), SUMMIT_FACTOR, edges)
    found = []
    for piece in range(pieces):
        first, last = int(edges[piece]), int(edges[piece + 1])
        at = first + int(shape[first:last].argmax())
        top = float(shape[at])
        if top < clear * floors[at] or top < FAINTEST_SHARE * float(shape.max()):
            continue
        # A car's second in a minute of quiet is looked at closely.
        least = np.maximum(2.0 * floors[first:last], top * FAINT_SHARE)
        heard = np.flatnonzero(shape[first:last] > least)
        if not len(heard):
            continue
        first, last = first + int(heard[0]), first + int(heard[-1]) + 1
        if last - first >= FEWEST_BINS:
            found.append(_fitted(smoothed, floors, first, last, bin_s))
    return found


class Envelope:
    """What one channel heard of an event, bin by bin."""

    def __init__(self) -> None:
        self._squares: deque[float] = deque(maxlen=MOST_BINS)
        self._floor = 0.0
        self._end_s = 0.0
        self._bin_s = 0.2

    def hear(self, end_s: float, bin_s: float, square: float, floor: float) -> None:
        """A bin that ended then, seconds from the event's start.

        square  mean square of the band-passed motion
        floor   the same of the quiet ground; that before the event counts
        """
        if not self._squares:
            self._floor, self._end_s, self._bin_s = floor, end_s - bin_s, bin_s
        lost = round((end_s - self._end_s) / bin_s) - 1
        self._squares.extend([square] * max(0, min(lost, MOST_BINS)))  # none is heard in a gap
        self._squares.append(square)
        self._end_s = end_s

    def facts(self, *, on_foot: bool = False) -> tuple[Mapping[str, Fact], ...]:
        """Who has passed so far, for a detection's facts; of who steps `fusion.walks` tells."""
        if on_foot:
            return ()
        energy = np.array(self._squares, dtype=np.float64)
        first_s = self._end_s - len(energy) * self._bin_s
        return pass_facts(passages(energy, self._bin_s, self._floor), first_s)


def pass_facts(found: Sequence[Passage], first_s: float) -> tuple[Mapping[str, Fact], ...]:
    """The same for a detection's facts, in seconds from its start.

    first_s  start of the envelope, seconds from the start of the event
    """
    return tuple(
        {
            "at_s": round(one.at_s + first_s, 2),
            "sd_s": round(one.sd_s, 2),
            "width_s": round(one.width_s, 1),
            "rise": round(one.rise_nats, 2),
            "over": one.over,
        }
        for one in found
    )


def _fitted(
    smoothed: NDArray[np.float64], floors: NDArray[np.float64], first: int, last: int, bin_s: float
) -> Passage:
    found = np.zeros(kernel.FIELDS)
    kernel.fit(smoothed, floors, first, last, bin_s, SMOOTH_S / bin_s, found)
    before, after = float(found[kernel.BEFORE]), float(found[kernel.AFTER])
    return Passage(
        at_s=float(found[kernel.AT]) * bin_s,
        sd_s=float(found[kernel.DEVIATION]) * bin_s,
        width_s=float(found[kernel.WIDTH]),
        rise_nats=min(before, after),
        over=after >= OVER_NATS,
    )
