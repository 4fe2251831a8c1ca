"""The attack of `garita bench anyshake` in short."""

from random import Random

import pytest

from edge.study.bench_anyshake import RESYNC_PACKETS, attack, told
from edge.study.intervals import proportion


@pytest.mark.parametrize("version", [1, 2, 3])
def test_damage_raises_nothing_and_costs_no_frame_behind_it(version):
    tally = attack(version, Random(version), 60_000)
    assert tally.raised == 0
    assert tally.worst <= RESYNC_PACKETS
    # As many as 1 in 256 are to be expected; a short run is held to what chance allows.
    assert proportion(tally.accepted, tally.candidates)[0] <= 1 / 256
    assert tally.false <= tally.accepted
    assert [figure.reached for figure in told(version, tally)][1] is True


def test_the_same_seed_does_the_same_damage():
    first, again = (attack(3, Random(5), 5_000) for _ in range(2))
    first.seconds = again.seconds = 0.0
    assert first == again
