"""Viewers of the console without a browser: each holds a stream open and reads all of it."""

import contextlib
import http.client
import threading
from urllib.parse import urlsplit


def let_in(link: str) -> str:
    """The cookie that a one-time link gives."""
    where = urlsplit(link)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    connection.request("GET", where.path)
    cookie = connection.getresponse().headers["set-cookie"]
    connection.close()
    return str(cookie).partition(";")[0]


class Viewers:
    """So many pages that watch, with live values; threads of this process."""

    def __init__(self, link: str, cookie: str, number: int, topics: list[str]) -> None:
        """They watch from now on."""
        self._where = urlsplit(link)
        self._cookie, self._topics = cookie, ",".join(topics)
        self._ended = threading.Event()
        self.bytes = self.events = 0
        self._open: list[http.client.HTTPConnection] = []
        self._threads = [threading.Thread(target=self._watch, daemon=True) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """They close."""
        self._ended.set()
        for connection in self._open:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(2)
        for thread in self._threads:
            thread.join(5)

    def _watch(self) -> None:
        where = self._where
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        self._open.append(connection)
        with contextlib.suppress(OSError, http.client.HTTPException, AttributeError):
            connection.request(
                "GET", f"/api/v1/events?topics={self._topics}", headers={"cookie": self._cookie}
            )
            answer = connection.getresponse()
            while not self._ended.is_set() and (line := answer.readline()):
                self.bytes += len(line)
                self.events += line.startswith(b"event:")
        connection.close()
