"""Vehicles in the order of a portal against scans in the order of a scanner: who is in which scan.

Pencil and paper: weights in, probabilities out. A pairing gives each scan at most one vehicle and
each vehicle at most one scan. Its weight is the product of

    fits[j][i]      for every scan j that is of vehicle i,
    strays[j]       for every scan that is of none of them,
    overtaking[i][k] for every two vehicles i before k of which k was scanned first, and
    skips[i] + waits[i] * (overtaking[i][k] of every k after i that was scanned)
                    for every vehicle that no scan is of: it skips the scanner, or is yet to come
                    and has then been overtaken by those.

A vehicle that the front of the queue has left more than `MOST_BEHIND` places behind is scanned no
more. So whoever is still to come is among the last few, and sums and maxima over all pairings are
taken exactly, scan by scan, over (how far the queue has come, which of the last few were scanned):
the forward-backward algorithm and Viterbi's (Rabiner 1989, Proc. IEEE 77:257, sections III.A-B).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

MOST_BEHIND = 4  # places; who has let five vehicles of the queue pass has left it

State = tuple[int, int]
"""Vehicles up to the foremost that was scanned; of the last `MOST_BEHIND` + 1 of them a bit each,
the foremost the lowest, for those that were scanned."""
Row = Sequence[float]
START: State = (0, 0)
_KEPT = (1 << (MOST_BEHIND + 1)) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What is known of some vehicles and scans, both in order. No weight is negative."""

    fits: Sequence[Row]
    """(scans, vehicles)"""
    strays: Row
    """(scans,), all positive, so that there is always a pairing"""
    skips: Row
    """(vehicles,), all positive too"""
    waits: Row
    """(vehicles,)"""
    overtaking: Sequence[Row]
    """(vehicles, vehicles): [i][k] is used where i comes before k"""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one scan can be, from one state."""

    vehicle: int | None
    state: State
    weight: float


def posteriors(queue: Queue) -> list[list[float]]:
    """(scans, vehicles + 1) probability that a scan is of each vehicle, and last: of none.

    Every row adds to 1.
    """
    before = _forward(queue)
    after = _backward(queue, before)
    rows = []
    for scan in range(len(queue.strays)):
        row = [0.0] * (len(queue.skips) + 1)
        for state, mass in before[scan].items():
            for step in _steps(queue, scan, state):
                place = len(queue.skips) if step.vehicle is None else step.vehicle
                row[place] += mass * step.weight * after[scan + 1][step.state]
        total = math.fsum(row)
        rows.append([share / total for share in row])
    return rows


def likeliest(queue: Queue) -> tuple[float, list[int | None]]:
    """The pairing of the greatest weight, and the logarithm of that.

    Of two as likely ones that in which the first scan they differ in is of none, or else of the
    earlier vehicle. Where no pairing is possible, as `only` may leave it, -inf and nobody.
    """
    best: dict[State, tuple[float, tuple[int | None, ...]]] = {START: (0.0, ())}
    for scan in range(len(queue.strays)):
        grown: dict[State, tuple[float, tuple[int | None, ...]]] = {}
        for state, (nats, pairs) in best.items():
            for step in _steps(queue, scan, state):
                new = nats + math.log(step.weight), (*pairs, step.vehicle)
                if step.state not in grown or _rank(new) < _rank(grown[step.state]):
                    grown[step.state] = new
        best = grown
    ended = [(nats + _log(_left(queue, state)), pairs) for state, (nats, pairs) in best.items()]
    nats, pairs = min(ended, key=_rank, default=(-math.inf, (None,) * len(queue.strays)))
    return nats, list(pairs)


def only(queue: Queue, held: Mapping[int, int | None]) -> Queue:
    """The same where these scans are of these vehicles, as far as they can be; others are free."""
    fits = [list(row) for row in queue.fits]
    strays = list(queue.strays)
    for scan, vehicle in held.items():
        fit = 0.0 if vehicle is None else fits[scan][vehicle]
        fits[scan] = [fit if other == vehicle else 0.0 for other in range(len(fits[scan]))]
        if fit > 0.0:
            strays[scan] = 0.0
    return replace(queue, fits=fits, strays=strays)


def _rank(path: tuple[float, tuple[int | None, ...]]) -> tuple[float, tuple[int, ...]]:
    return -path[0], tuple(-1 if vehicle is None else vehicle for vehicle in path[1])


def _log(weight: float) -> float:
    return math.log(weight) if weight > 0.0 else -math.inf


def _forward(queue: Queue) -> list[dict[State, float]]:
    """Before each scan and after the last: the states and their shares, scaled to add to 1."""
    shares = [{START: 1.0}]
    for scan in range(len(queue.strays)):
        grown: dict[State, float] = {}
        for state, share in shares[-1].items():
            for step in _steps(queue, scan, state):
                grown[step.state] = grown.get(step.state, 0.0) + share * step.weight
        shares.append(_scaled(grown))
    return shares


def _backward(queue: Queue, before: Sequence[dict[State, float]]) -> list[dict[State, float]]:
    """How well what comes later goes with each of those states, in any unit."""
    later = [_scaled({state: _left(queue, state) for state in before[-1]})]
    for scan in reversed(range(len(queue.strays))):
        later.append(
            _scaled(
                {
                    state: math.fsum(
                        step.weight * later[-1][step.state] for step in _steps(queue, scan, state)
                    )
                    for state in before[scan]
                }
            )
        )
    return later[::-1]


def _scaled(weights: dict[State, float]) -> dict[State, float]:
    total = math.fsum(weights.values())
    return {state: weight / total for state, weight in weights.items()}


def _steps(queue: Queue, scan: int, state: State) -> Iterator[_Step]:
    """Everything that a scan can be; what cannot be is left out."""
    front, bits = state
    if queue.strays[scan] > 0.0:
        yield _Step(None, state, queue.strays[scan])
    for vehicle in range(max(0, front - 1 - MOST_BEHIND), front):
        back = front - 1 - vehicle
        fit = queue.fits[scan][vehicle]
        if fit > 0.0 and not bits >> back & 1:
            fit *= _overtaken(queue, vehicle, state)
            if fit > 0.0:
                yield _Step(vehicle, (front, bits | 1 << back), fit)
    for vehicle in range(front, len(queue.skips)):
        fit = queue.fits[scan][vehicle]
        if fit > 0.0:
            fit *= _lost(queue, state, vehicle)
            if fit > 0.0:
                shifted = (bits << (vehicle + 1 - front) | 1) & _KEPT
                yield _Step(vehicle, (vehicle + 1, shifted), fit)


def _scanned(state: State) -> Iterator[int]:
    """Which of the last few vehicles were scanned."""
    front, bits = state
    return (front - 1 - back for back in range(MOST_BEHIND + 1) if bits >> back & 1)


def _overtaken(queue: Queue, vehicle: int, state: State) -> float:
    """The weight of having been overtaken by all that come after it and were scanned."""
    return math.prod(queue.overtaking[vehicle][k] for k in _scanned(state) if k > vehicle)


def _lost(queue: Queue, state: State, front: int) -> float:
    """The weight of those who are left behind for good as that vehicle comes to be the foremost."""
    first, scanned = max(0, state[0] - 1 - MOST_BEHIND), set(_scanned(state))
    gone = range(first, max(first, front - MOST_BEHIND))
    return math.prod(queue.skips[i] for i in gone if i not in scanned)


def _left(queue: Queue, state: State) -> float:
    """The weight of all that have not been scanned and have not been left behind."""
    scanned = set(_scanned(state))
    first = max(0, state[0] - 1 - MOST_BEHIND)
    return math.prod(
        queue.skips[i] + queue.waits[i] * _overtaken(queue, i, state)
        for i in range(first, len(queue.skips))
        if i not in scanned
    )
