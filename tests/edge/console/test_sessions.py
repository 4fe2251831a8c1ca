"""Who is logged in."""

from pathlib import Path

from edge.console.people import Person
from edge.console.sessions import (
    IDLE_S,
    LINK_S,
    LONGEST_S,
    MAX_SESSIONS,
    TRIES,
    TRIES_S,
    Sessions,
    Throttle,
)

ANA = Person(login="ana", role="operator", password="")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_token_is_of_its_session_and_of_no_other() -> None:
    sessions = Sessions()
    token, session = sessions.begin(ANA)
    assert sessions.of(token) is not None
    assert sessions.of(token[:-1]) is None
    assert sessions.of("") is None
    assert session.csrf not in (token, "")


def test_a_session_ends_when_nobody_touches_it() -> None:
    clock = Clock()
    sessions = Sessions(now_s=clock)
    token, _ = sessions.begin(ANA)
    clock.now_s += IDLE_S - 1
    assert sessions.of(token, touch=False) is not None
    clock.now_s += 2
    assert sessions.of(token) is None


def test_a_session_ends_with_the_shift_however_it_is_used() -> None:
    clock = Clock()
    sessions = Sessions(now_s=clock)
    token, _ = sessions.begin(ANA)
    for _ in range(int(LONGEST_S / 600) - 1):
        clock.now_s += 600
        assert sessions.of(token) is not None
    clock.now_s += 1200
    assert sessions.of(token) is None


def test_a_restart_keeps_sessions_and_the_file_has_no_token(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    token, before = Sessions(path).begin(ANA)
    assert token not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    after = Sessions(path).of(token, touch=False)
    assert after == before


def test_who_has_left_is_out_after_a_restart_too(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    sessions = Sessions(path)
    token, _ = sessions.begin(ANA)
    sessions.end(token)
    assert Sessions(path).of(token) is None


def test_a_damaged_file_means_logging_in_once_more(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    path.write_text("{]")
    token, _ = Sessions(path).begin(ANA)
    assert Sessions(path).of(token) is not None


def test_a_link_lets_in_once_and_not_for_long() -> None:
    clock = Clock()
    sessions = Sessions(now_s=clock)
    link = sessions.link(ANA)
    assert sessions.follow(link) == ANA
    assert sessions.follow(link) is None
    late = sessions.link(ANA)
    clock.now_s += LINK_S + 1
    assert sessions.follow(late) is None


def test_too_many_sessions_end_the_one_that_was_left_longest() -> None:
    clock = Clock()
    sessions = Sessions(now_s=clock)
    tokens = []
    for _ in range(MAX_SESSIONS + 1):
        clock.now_s += 1
        tokens.append(sessions.begin(ANA)[0])
    assert sessions.of(tokens[0]) is None
    assert all(sessions.of(one) for one in tokens[1:])


def test_who_guesses_waits_and_who_knows_does_not() -> None:
    clock = Clock()
    throttle = Throttle(monotonic=clock)
    for _ in range(TRIES):
        assert throttle.wait_s("ana") == 0
        throttle.failed("ana")
    assert 0 < throttle.wait_s("ana") <= TRIES_S
    assert throttle.wait_s("eva") == 0
    clock.now_s += TRIES_S
    assert throttle.wait_s("ana") == 0
    throttle.failed("ana")
    throttle.succeeded("ana")
    assert throttle.wait_s("ana") == 0
