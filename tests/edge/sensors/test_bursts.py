"""Malformed input in the log: one line where a burst begins, one where it ends."""

from structlog.testing import capture_logs

from drivers.wire.malformed import Malformed
from edge.sensors.bursts import BURST_NS, Bursts

NOISE = Malformed("not-a-line", "noise")
LONG = Malformed("line-too-long", "AAAA")


def test_a_burst_is_summed_up_by_reason_when_it_is_over():
    bursts = Bursts("portal-north")
    with capture_logs() as logs:
        bursts.add([NOISE], 10**18)
        bursts.add([LONG, LONG, NOISE], 10**18 + BURST_NS - 1)
        bursts.end_if_over(10**18 + 2 * BURST_NS - 2)
        assert len(logs) == 1
        for _ in range(3):
            bursts.end_if_over(10**18 + 2 * BURST_NS - 1)
    assert [(entry["event"], entry["sensor"]) for entry in logs] == [
        ("input malformed", "portal-north")
    ] * 2
    assert (logs[0]["reason"], logs[0]["text"]) == ("not-a-line", "noise")
    assert logs[1]["counts"] == {"not-a-line": 2, "line-too-long": 2}


def test_good_input_after_a_while_ends_a_burst_too():
    bursts = Bursts("portal-north")
    with capture_logs() as logs:
        bursts.add([NOISE, NOISE], 10**18)
        bursts.add([], 10**18 + BURST_NS)
    assert logs[1]["counts"] == {"not-a-line": 2}


def test_a_single_record_was_told_whole_already():
    bursts = Bursts("portal-north")
    with capture_logs() as logs:
        bursts.add([NOISE], 10**18)
        bursts.end()
    assert len(logs) == 1
