"""The clock against wall clocks that are set, stepped, wrong and set back."""

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edge.clock import (
    BEFORE_US_UTC_NS,
    CATCH_UP_PPM,
    FAR_NS,
    SLEW_PPM,
    STABLE_FAR_NS,
    STABLE_NS,
    STEP_NS,
    Clock,
)
from fusion.types import MILLISECOND_NS, SECOND_NS

START_UTC_NS = 1_800_000_000 * SECOND_NS


class Hands:
    """Two clocks that a test moves."""

    def __init__(self):
        self.monotonic_ns = 5 * SECOND_NS
        self.wall_utc_ns = START_UTC_NS

    def clock(self):
        return Clock(lambda: self.monotonic_ns, lambda: self.wall_utc_ns)

    def pass_ns(self, elapsed_ns):
        self.monotonic_ns += elapsed_ns
        self.wall_utc_ns += elapsed_ns


def run(hands, clock, seconds):
    """Read ten times a second."""
    for _ in range(seconds * 10):
        hands.pass_ns(SECOND_NS // 10)
        clock.now_utc_ns()


def test_it_starts_at_the_wall_clock_and_advances_with_it():
    hands = Hands()
    clock = hands.clock()
    assert clock.now_utc_ns() == START_UTC_NS
    hands.pass_ns(7)
    assert clock.now_utc_ns() == START_UTC_NS + 7


def test_a_small_error_is_slewed_at_the_stated_rate():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns += 100 * MILLISECOND_NS
    run(hands, clock, 1)
    assert clock.offset_ns == 100 * MILLISECOND_NS - SECOND_NS * SLEW_PPM // 1_000_000
    run(hands, clock, 200)
    assert clock.offset_ns == 0
    assert clock.now_utc_ns() == hands.wall_utc_ns


def test_a_small_error_backwards_is_slewed_too():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns -= 100 * MILLISECOND_NS
    run(hands, clock, 201)
    assert clock.now_utc_ns() == hands.wall_utc_ns


def test_very_frequent_readings_slew_as_much_as_rare_ones():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns += 100 * MILLISECOND_NS
    for _ in range(10_000):
        hands.pass_ns(1_001)  # alone it would round to no correction at all
        clock.now_utc_ns()
    assert 100 * MILLISECOND_NS - clock.offset_ns == 10_000 * 1_001 * SLEW_PPM // 1_000_000


def test_a_step_forward_is_adopted_once_it_has_been_stable():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns += 3600 * SECOND_NS
    with capture_logs() as logs:
        run(hands, clock, STABLE_NS // SECOND_NS)
        assert clock.offset_ns == 3600 * SECOND_NS
        run(hands, clock, 1)
    assert clock.now_utc_ns() == hands.wall_utc_ns
    assert [entry["event"] for entry in logs] == ["wall clock stepped", "clock set forward"]


def test_a_step_that_is_taken_back_is_not_adopted():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns += 3600 * SECOND_NS
    run(hands, clock, 5)
    hands.wall_utc_ns -= 3600 * SECOND_NS
    run(hands, clock, 30)
    assert clock.now_utc_ns() == START_UTC_NS + 35 * SECOND_NS


def test_a_step_back_is_approached_slowly_and_never_taken():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns -= 10 * SECOND_NS
    before = clock.now_utc_ns()
    with capture_logs() as logs:
        run(hands, clock, STABLE_NS // SECOND_NS + 100)
    assert clock.now_utc_ns() >= before + 100 * SECOND_NS
    expected_ns = -10 * SECOND_NS + 100 * SECOND_NS * CATCH_UP_PPM // 1_000_000
    assert abs(clock.offset_ns - expected_ns) < SECOND_NS // 100
    assert len([entry for entry in logs if "went back" in entry["event"]]) == 1


def test_after_a_step_back_the_times_agree_in_the_end():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns -= SECOND_NS
    run(hands, clock, 500)
    assert clock.now_utc_ns() == hands.wall_utc_ns


@given(
    st.lists(st.tuples(st.integers(-(10**6), 10**11), st.integers(-(10**13), 10**13)), max_size=60)
)
def test_whatever_the_hands_do_time_does_not_run_backwards(moves):
    hands = Hands()
    clock = hands.clock()
    last = clock.now_utc_ns()
    for monotonic_ns, wall_ns in moves:
        hands.monotonic_ns += monotonic_ns
        hands.wall_utc_ns += wall_ns
        now = clock.now_utc_ns()
        assert now >= last
        last = now


def test_the_threshold_is_the_first_error_that_is_not_slewed():
    for error_ns, slewed in ((STEP_NS - 1, True), (STEP_NS, False)):
        hands = Hands()
        clock = hands.clock()
        hands.wall_utc_ns += error_ns
        hands.pass_ns(SECOND_NS)
        clock.now_utc_ns()
        assert (clock.offset_ns < error_ns) is slewed


DAY_NS = 86_400 * SECOND_NS


def test_a_day_ahead_is_not_taken_for_the_truth_and_is_over_once_it_is_mended():
    hands = Hands()
    clock = hands.clock()
    assert not clock.trouble
    hands.wall_utc_ns += DAY_NS
    run(hands, clock, 600)
    assert clock.now_utc_ns() == START_UTC_NS + 600 * SECOND_NS
    assert "24 hours ahead of ours" in clock.trouble
    hands.wall_utc_ns -= DAY_NS
    run(hands, clock, 1)
    assert clock.now_utc_ns() == hands.wall_utc_ns
    assert not clock.trouble


def test_a_day_ahead_that_stays_is_the_truth_in_the_end_and_is_told():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns += FAR_NS + 1
    run(hands, clock, STABLE_FAR_NS // SECOND_NS + 1)
    assert clock.now_utc_ns() == hands.wall_utc_ns
    assert "was set ahead by 6 hours within the last hour" in clock.trouble
    run(hands, clock, 3_600)
    assert not clock.trouble


def test_a_clock_that_was_never_set_takes_the_time_at_once():
    hands = Hands()
    hands.wall_utc_ns = 0
    clock = hands.clock()
    hands.wall_utc_ns += BEFORE_US_UTC_NS
    run(hands, clock, STABLE_NS // SECOND_NS + 1)
    assert clock.now_utc_ns() == hands.wall_utc_ns


def test_a_day_behind_is_told_and_over_once_it_is_mended():
    hands = Hands()
    clock = hands.clock()
    hands.wall_utc_ns -= DAY_NS
    run(hands, clock, 60)
    assert "24 hours behind ours" in clock.trouble
    hands.wall_utc_ns += DAY_NS
    run(hands, clock, 60)
    assert abs(clock.now_utc_ns() - hands.wall_utc_ns) < STEP_NS
    assert not clock.trouble
