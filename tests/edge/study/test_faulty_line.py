"""A line that fails as lines do."""

import contextlib
import socket
import threading
import time

import pytest

from edge.study.faulty_line import FaultyLine


class Echo:
    """Says everything back."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def close(self):
        self._server.close()


@pytest.fixture
def line():
    echo = Echo()
    made = FaultyLine(echo.port, seed=1)
    yield made
    made.close()
    echo.close()


@pytest.fixture
def call(line):
    made = []

    def connect():
        made.append(socket.create_connection(("127.0.0.1", line.port), timeout=5))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def says(connection, data=b"hello"):
    connection.sendall(data)
    came = b""
    while len(came) < len(data):
        part = connection.recv(4096)
        if not part:
            break
        came += part
    return came


def test_an_open_line_passes_everything_on(call):
    assert says(call(), b"x" * 100_000) == b"x" * 100_000


def test_a_reset_is_no_goodbye(line, call):
    cut, ended = call(), call()
    assert says(cut) == says(ended) == b"hello"
    line.cut(politely=False)
    with pytest.raises(ConnectionResetError):
        cut.recv(1)
    again = call()
    assert says(again) == b"hello"
    line.cut(politely=True)
    assert again.recv(1) == b""


def test_what_was_half_open_stays_dead_and_what_is_new_comes_through(line, call):
    before = call()
    assert says(before) == b"hello"
    line.become("half-open")
    before.sendall(b"lost")
    meanwhile = call()
    meanwhile.sendall(b"lost as well")
    for how in ("half-open", "open"):
        line.become(how)
        for each in (before, meanwhile):
            each.settimeout(0.1)
            with pytest.raises(TimeoutError):
                each.recv(1)
    assert says(call()) == b"hello"


def test_a_slow_line_loses_nothing(line, call):
    line.become("slow")
    began_s = time.monotonic()
    assert says(call()) == b"hello"
    assert time.monotonic() - began_s > 0.2  # there and back


def test_a_frozen_line_goes_on_where_it_stopped(line, call):
    connection = call()
    assert says(connection) == b"hello"
    line.become("frozen")
    connection.sendall(b"later")
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    line.become("open")
    connection.settimeout(5)
    assert connection.recv(5) == b"later"


def test_a_truncated_frame_ends_in_its_middle(line, call):
    connection = call()
    assert says(connection) == b"hello"
    line.truncate()
    with pytest.raises(ConnectionResetError):
        while says(connection, b"a whole frame" * 50):
            pass
    assert says(call()) == b"hello"
