"""Pauses between attempts, and what is said of a link that keeps breaking."""

from structlog.testing import capture_logs

from edge.sensors.patience import FLAPS, STEADY_S, Patience


def patience(name="a", retry_s=(0.5, 15.0)):
    return Patience(name, "tcp://127.0.0.1:1", seed=3, retry_s=retry_s)


def test_pauses_grow_to_their_limit_and_differ_between_sensors():
    pauses = {name: [patience(name).pause_s()] for name in ("a", "b")}
    for name in pauses:
        one = patience(name)
        pauses[name] = [one.pause_s() for _ in range(40)]
    assert all(0.5 <= pause <= 15.0 for pause in pauses["a"])
    assert pauses["a"][0] < 0.75
    assert pauses["a"][-1] == 15.0
    assert pauses["a"][:4] != pauses["b"][:4]


def grown():
    """After many attempts."""
    one = patience()
    for _ in range(40):
        one.pause_s()
    one.begin(100.0)
    return one


def test_a_sample_ends_the_waiting():
    one = grown()
    one.arrived(100.0, good=True)
    assert one.pause_s() < 1.0


def test_bytes_alone_do_not_until_the_link_has_stood_for_a_while():
    one = grown()
    one.arrived(100.0 + STEADY_S - 0.1, good=False)
    assert one.pause_s() == 15.0
    one.arrived(100.0 + STEADY_S, good=False)
    assert one.pause_s() < 1.0


def test_a_link_that_stood_for_long_in_silence_is_no_flap():
    one = grown()
    one.cut(100.0 + STEADY_S)
    assert one.pause_s() < 1.0


def test_flapping_is_said_once_and_so_is_its_end():
    one = patience()
    with capture_logs() as logs:
        for _ in range(10):
            one.opened_again()
            one.begin(0.0)
            one.arrived(0.1, good=False)
            one.cut(0.2)
        one.opened_again()
        one.arrived(0.1, good=True)
        one.cut(0.2)
    assert [entry["event"] for entry in logs] == [
        *["sensor connected", "sensor link cut"] * (FLAPS - 1),
        *["sensor connected", "sensor link flapping"],
        *["sensor steady again", "sensor link cut"],
    ]
    assert all(entry["sensor"] == "a" for entry in logs)


def test_a_session_that_stands_and_brings_nothing_makes_no_good_link():
    one = Patience("a", "tcp://127.0.0.1:1", seed=3, retry_s=(0.5, 15.0), quiet=False)
    pauses = []
    for number in range(8):
        one.begin(100.0 * number)
        one.arrived(100.0 * number + 60.0, good=False)
        one.cut(100.0 * number + 90.0)
        pauses.append(one.pause_s())
    assert pauses[-1] == 15.0
    one.arrived(900.0, good=True)
    assert one.pause_s() < 1.0
