"""However much is refused, the record grows by a few entries, and none is left uncounted."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge.together.refusals import BURST_S, Refusals
from fusion.types import SECOND_NS

BURST_NS = BURST_S * SECOND_NS
notes = st.lists(
    st.tuples(
        st.integers(0, 3 * SECOND_NS),
        st.sampled_from(["north", "south"]),
        st.sampled_from(["unsigned", "unreadable"]),
    ),
    max_size=60,
)


@given(notes=notes)
def test_every_refusal_is_counted_once_and_entries_are_a_burst_apart(notes):
    refusals, now_utc_ns, told = Refusals(), 0, []
    for gap_ns, side, why in notes:
        now_utc_ns += gap_ns
        told += [(now_utc_ns, one) for one in refusals.tick(now_utc_ns)]
        told += [(now_utc_ns, one) for one in refusals.note(side, "", "ack", why, now_utc_ns)]
    now_utc_ns += BURST_NS
    told += [(now_utc_ns, one) for one in refusals.tick(now_utc_ns)]
    for side in ("north", "south"):
        for why in ("unsigned", "unreadable"):
            of = [(at, d) for at, d in told if (d.by, d.facts["why"]) == (side, why)]
            assert sum(d.facts["count"] for _, d in of) == notes_of(notes, side, why)
            times = [at for at, _ in of]
            assert all(b - a >= BURST_NS for a, b in itertools.pairwise(times))


def notes_of(notes, side, why):
    return sum(note[1:] == (side, why) for note in notes)


def test_what_is_quiet_is_forgotten():
    refusals = Refusals()
    (first,) = refusals.note("north", "k1", "ack", "already", 0)
    assert (first.by, first.key, first.facts) == (
        "north", "k1", {"verb": "ack", "why": "already", "count": 1},
    )  # fmt: skip
    assert refusals.tick(BURST_NS) == []
    assert refusals._bursts == {}
