import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.lane_order import MOST_BEHIND, Queue, Trellis

weights = st.floats(0.01, 10.0)
FEW, ONE_TO_FEW = st.integers(0, 4), st.integers(1, 4)


@st.composite
def queues(draw, vehicles=FEW, scans=ONE_TO_FEW):
    n, m = draw(vehicles), draw(scans)

    def row(values, length=n):
        return draw(st.lists(values, min_size=length, max_size=length))

    return Queue(
        fits=[row(weights | st.just(0.0)) for _ in range(m)],
        strays=row(weights, m),
        skips=row(weights),
        waits=row(weights | st.just(0.0)),
        overtaking=[row(st.just(1.0) | st.floats(0.0, 1.0)) for _ in range(n)],
    )


def weight(queue: Queue, pairs: tuple[int | None, ...]) -> float:
    """As the module's first lines say it."""
    used, product = [], 1.0
    for scan, vehicle in enumerate(pairs):
        if vehicle is None:
            product *= queue.strays[scan]
            continue
        if vehicle in used or max(used, default=0) - vehicle > MOST_BEHIND:
            return 0.0
        product *= queue.fits[scan][vehicle]
        product *= math.prod(queue.overtaking[vehicle][k] for k in used if k > vehicle)
        used.append(vehicle)
    for vehicle in set(range(len(queue.skips))) - set(used):
        yet = math.prod(queue.overtaking[vehicle][k] for k in used if k > vehicle)
        if max(used, default=0) - vehicle > MOST_BEHIND:
            yet = 0.0
        product *= queue.skips[vehicle] + queue.waits[vehicle] * yet
    return product


def enumerated(queue: Queue) -> dict[tuple[int | None, ...], float]:
    """Every pairing there is, with its weight."""
    choices = [None, *range(len(queue.skips))]
    every = itertools.product(choices, repeat=len(queue.strays))
    return {pairs: weight(queue, pairs) for pairs in every}


def shares(queue: Queue) -> list[list[float]]:
    every = enumerated(queue)
    total = math.fsum(every.values())
    return [
        [
            math.fsum(w for pairs, w in every.items() if pairs[scan] == vehicle) / total
            for vehicle in [*range(len(queue.skips)), None]
        ]
        for scan in range(len(queue.strays))
    ]


@given(queue=queues())
def test_probabilities_are_those_of_all_pairings_written_out(queue):
    for row, plain in zip(Trellis(queue).posteriors(), shares(queue), strict=True):
        assert row == pytest.approx(plain, abs=1e-12)


@settings(max_examples=20)
@given(queue=queues(vehicles=st.just(MOST_BEHIND + 3), scans=st.just(3)))
def test_they_are_where_the_queue_is_longer_than_anybody_falls_behind(queue):
    for row, plain in zip(Trellis(queue).posteriors(), shares(queue), strict=True):
        assert row == pytest.approx(plain, abs=1e-12)


@given(queue=queues())
def test_the_likeliest_pairing_is_that_of_all_written_out(queue):
    every = enumerated(queue)
    nats, pairs = Trellis(queue).likeliest()
    assert nats == pytest.approx(math.log(max(every.values())))
    assert every[tuple(pairs)] == pytest.approx(max(every.values()))


@given(queue=queues(vehicles=st.integers(0, 20), scans=st.integers(1, 16)))
def test_every_scan_is_of_someone_or_of_none(queue):
    for row in Trellis(queue).posteriors():
        assert math.fsum(row) == pytest.approx(1.0, abs=1e-12)
        assert all(0.0 <= share <= 1.0 for share in row)


@given(queue=queues(vehicles=st.integers(1, 8), scans=st.integers(1, 8)))
def test_no_vehicle_is_in_two_scans(queue):
    _, pairs = Trellis(queue).likeliest()
    taken = [vehicle for vehicle in pairs if vehicle is not None]
    assert len(set(taken)) == len(taken)
    rows = Trellis(queue).posteriors()
    for vehicle in range(len(queue.skips)):
        assert math.fsum(row[vehicle] for row in rows) <= 1.0 + 1e-9


@given(queue=queues(), data=st.data())
def test_what_is_held_to_pairs_has_none_better_and_weighs_what_they_do(queue, data):
    _, pairs = Trellis(queue).likeliest()
    held = data.draw(st.sets(st.integers(0, len(pairs) - 1)))
    nats, again = Trellis(queue).likeliest({scan: pairs[scan] for scan in sorted(held)})
    assert again == pairs
    assert nats == pytest.approx(Trellis(queue).likeliest()[0])


def test_pairs_that_cannot_be_weigh_nothing():
    queue = Queue(
        fits=[[1.0], [1.0]],
        strays=[0.1, 0.1],
        skips=[0.3],
        waits=[0.7],
        overtaking=[[1.0]],
    )
    assert Trellis(queue).likeliest({0: 0, 1: 0}) == (-math.inf, [None, None])


def test_who_may_still_come_leaves_more_doubt_than_who_has_been_overtaken():
    """Two vehicles, one scan that fits both as well: the first, unless it has skipped the scan."""
    queue = Queue(
        fits=[[1.0, 1.0]],
        strays=[1e-6],
        skips=[0.3, 0.3],
        waits=[0.7, 0.7],
        overtaking=[[1.0, 0.02], [1.0, 1.0]],
    )
    first, second, none = Trellis(queue).posteriors()[0]
    assert first == pytest.approx(1.0 / (1.0 + 0.3 + 0.7 * 0.02), rel=1e-4)
    assert second == pytest.approx(1.0 - first, rel=1e-4)
    assert none < 1e-5
