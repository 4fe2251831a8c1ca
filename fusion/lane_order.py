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
from dataclasses import dataclass
from types import MappingProxyType

MOST_BEHIND = 4  # places; who has let five vehicles of the queue pass has left it

State = tuple[int, int]
"""Vehicles up to the foremost that was scanned; of the last `MOST_BEHIND` + 1 of them a bit each,
the foremost the lowest, for those that were scanned."""
Row = Sequence[float]
_Path = tuple[float, tuple[int | None, ...]]
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


class Trellis:
    """All ways through a queue's scans, from state to state."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._steps: list[dict[State, list[_Step]]] = []
        states = {START: True}  # a dict keeps its order
        for scan in range(len(queue.strays)):
            steps = {state: list(_steps(queue, scan, state)) for state in states}
            self._steps.append(steps)
            states = {step.state: True for found in steps.values() for step in found}
        self._left = {state: _left(queue, state) for state in states}

    def posteriors(self) -> list[list[float]]:
        """(scans, vehicles + 1) probability that a scan is of each vehicle, and last: of none.

        Every row adds to 1.
        """
        nobody = len(self._queue.skips)
        after = self._backward()
        shares = {START: 1.0}
        rows = []
        for steps, later in zip(self._steps, after, strict=True):
            row = [0.0] * (nobody + 1)
            grown: dict[State, float] = {}
            for state, share in shares.items():
                for step in steps[state]:
                    weight = share * step.weight
                    grown[step.state] = grown.get(step.state, 0.0) + weight
                    place = nobody if step.vehicle is None else step.vehicle
                    row[place] += weight * later[step.state]
            total = math.fsum(row)
            rows.append([part / total for part in row])
            shares = _scaled(grown)
        return rows

    def likeliest(
        self, held: Mapping[int, int | None] = MappingProxyType({})
    ) -> tuple[float, list[int | None]]:
        """The pairing of the greatest weight, and the logarithm of that.

        held  scans that have to be of these vehicles; where that cannot be: -inf, and all of none
        Of two as likely ones that in which the first scan they differ in is of none, or else of
        the earlier vehicle.
        """
        best: dict[State, _Path] = {START: (0.0, ())}
        for scan, steps in enumerate(self._steps):
            grown: dict[State, _Path] = {}
            for state, (nats, pairs) in best.items():
                for step in steps[state]:
                    if scan in held and held[scan] != step.vehicle:
                        continue
                    new = nats + math.log(step.weight), (*pairs, step.vehicle)
                    if step.state not in grown or _rank(new) < _rank(grown[step.state]):
                        grown[step.state] = new
            best = grown
        ended = [(nats + math.log(self._left[state]), way) for state, (nats, way) in best.items()]
        nats, pairs = min(ended, key=_rank, default=(-math.inf, (None,) * len(self._steps)))
        return nats, list(pairs)

    def _backward(self) -> list[dict[State, float]]:
        """How well what comes after each scan goes with each state then, in any unit."""
        later = [_scaled(self._left)]
        for steps in reversed(self._steps[1:]):
            known = later[-1]
            later.append(
                _scaled(
                    {
                        state: math.fsum(step.weight * known[step.state] for step in found)
                        for state, found in steps.items()
                    }
                )
            )
        return later[::-1]


def _rank(path: _Path) -> tuple[float, tuple[int, ...]]:
    return -path[0], tuple(-1 if vehicle is None else vehicle for vehicle in path[1])


def _scaled(weights: dict[State, float]) -> dict[State, float]:
    total = math.fsum(weights.values())
    return {state: weight / total for state, weight in weights.items()}


def _steps(queue: Queue, scan: int, state: State) -> Iterator[_Step]:
    """Everything that a scan can be; what cannot be is left out."""
    front, bits = state
    fits = queue.fits[scan]
    yield _Step(None, state, queue.strays[scan])
    for vehicle in range(max(0, front - 1 - MOST_BEHIND), front):
        back = front - 1 - vehicle
        if fits[vehicle] > 0.0 and not bits >> back & 1:
            fit = fits[vehicle] * _overtaken(queue, vehicle, state)
            if fit > 0.0:
                yield _Step(vehicle, (front, bits | 1 << back), fit)
    for vehicle in range(front, len(queue.skips)):
        if fits[vehicle] > 0.0:
            fit = fits[vehicle] * _lost(queue, state, vehicle)
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
    first = max(0, state[0] - 1 - MOST_BEHIND)
    if front - MOST_BEHIND <= first:
        return 1.0
    scanned, gone = set(_scanned(state)), range(first, front - MOST_BEHIND)
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
