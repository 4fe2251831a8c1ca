from structlog.testing import capture_logs

from edge.delivery.dead_letters import BURST_S, Bursts
from edge.delivery.rows import DeadLetter


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def letter(seq, *, side="north", reason="0x99"):
    return DeadLetter(
        side=side, seq=seq, part="alert", epoch="E", topic="t", reason=reason, created_utc_ns=1
    )


def test_a_burst_has_one_line_and_the_next_says_how_many_it_had():
    clock = Clock()
    bursts = Bursts(clock)
    with capture_logs() as logs:
        bursts.tell([letter(1)])
        bursts.tell([letter(2), letter(3)])
        clock.now_s += BURST_S
        bursts.tell([letter(4)])
        bursts.tell([letter(5)])
    assert [(entry["seq"], entry["count"]) for entry in logs] == [(1, 1), (4, 3)]


def test_another_reason_and_another_side_have_lines_of_their_own():
    bursts = Bursts(Clock())
    with capture_logs() as logs:
        bursts.tell([letter(1), letter(1, side="south"), letter(2, reason="0x90")])
    assert [(entry["side"], entry["reason"]) for entry in logs] == [
        ("north", "0x99"),
        ("south", "0x99"),
        ("north", "0x90"),
    ]
