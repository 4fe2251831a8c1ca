"""/metrics, /healthz and /readyz: a small HTTP server on threads of its own.

Alive: the loop still turns. Ready: something is read, the outbox takes rows, and at least one
side can be reached. A single sensor that is down makes a checkpoint poorer, not unready.
"""

import contextlib
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from prometheus_client import make_wsgi_app

from edge.errors import ConfigError, Mistake
from edge.metrics import REGISTRY

HEARTBEAT_LIMIT_S = 5.0
"""A loop that has not turned for so long hangs: its longest pause is a tick of 0.1 s, and a slow
disk may hold a commit for a second."""
CONNECTIONS = 8  # Prometheus, a probe and a few people; more is a mistake or an attack
READ_TIMEOUT_S = 3.0  # between two reads of a request
REQUEST_LIMIT_S = 10.0  # for all of it: a client that drips bytes may not hold a place

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the service does its job, in words."""

    reasons: Sequence[str] = ()
    """Why it does not; empty when it does."""
    degraded: Sequence[str] = ()
    """What is missing although it does."""

    @property
    def ready(self) -> bool:
        """Whether there is no reason against it."""
        return not self.reasons


def readiness(
    *,
    stale: Sequence[str],
    sensors: int,
    outbox_error: str,
    side_takes_alerts: bool,
    sides: Sequence[str],
) -> Readiness:
    """Judge a checkpoint.

    stale              what is wrong with each sensor that is not fresh, such as
                       `rpm-1: link cut`
    sensors            how many there are
    outbox_error       why no row can be written, or `""`
    side_takes_alerts  at least one side is connected and does not refuse our alerts
    sides              what is wrong with each side, such as `north: broker not connected`
    """
    reasons = []
    if sensors and len(stale) >= sensors:
        reasons.append("no sensor delivers")
    if outbox_error:
        reasons.append(f"outbox: {outbox_error}")
    if not side_takes_alerts:
        reasons.append("no side takes our alerts")
    return Readiness(reasons=reasons, degraded=[*stale, *sides])


@dataclass(slots=True, kw_only=True)
class HealthServer:
    """Answers until stopped. The callables run on the server's threads."""

    host: str
    port: int
    """0 takes any free port; after `start` it is the one taken."""
    heartbeat_age_s: Callable[[], float]
    """How long ago the loop last turned."""
    readiness: Callable[[], Readiness]
    refresh: Callable[[], None] = lambda: None
    """Called before each scrape, to take over figures that others keep."""
    heartbeat_limit_s: float = HEARTBEAT_LIMIT_S
    _refreshing: threading.Lock = field(default_factory=threading.Lock, init=False)
    _server: "_Server | None" = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Listen and answer. ConfigError where the port cannot be had."""
        try:
            server = _Server(self.host, self.port)
        except OSError as error:
            raise _port_taken(self.host, self.port, error) from error
        server.set_app(self._app(make_wsgi_app(REGISTRY)))
        self.port = server.server_port
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.2,), name="http", daemon=True
        )
        self._thread.start()
        log.info("http listening", host=self.host, port=self.port)

    def stop(self) -> None:
        """Close the port and what is open. May be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    def _app(self, metrics: WSGIApplication) -> WSGIApplication:
        pages: dict[str, Callable[[], tuple[int, Any]]] = {
            "/": lambda: (200, {"garita": ["/metrics", "/healthz", "/readyz"]}),
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "/")
            if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                return _answer(start_response, 405, {"error": "only GET"})
            if path == "/metrics":
                self._refresh()
                return metrics(environ, start_response)
            if path not in pages:
                return _answer(start_response, 404, {"error": "see /"})
            return _answer(start_response, *pages[path]())

        return app

    def _healthz(self) -> tuple[int, Any]:
        age_s = self.heartbeat_age_s()
        alive = age_s <= self.heartbeat_limit_s
        return 200 if alive else 503, {"alive": alive, "heartbeat_age_s": round(age_s, 3)}

    def _readyz(self) -> tuple[int, Any]:
        try:
            state = self.readiness()
        except Exception as error:  # whatever cannot be asked is not ready, and says so
            log.exception("readiness cannot be told")
            state = Readiness(reasons=[f"cannot be told: {error!r}"])
        said = {"ready": state.ready, "reasons": [*state.reasons], "degraded": [*state.degraded]}
        return 200 if state.ready else 503, said

    def _refresh(self) -> None:
        try:
            with self._refreshing:  # two scrapes at once must not count the same thing twice
                self.refresh()
        except Exception:  # the rest of the figures is still worth having
            log.exception("figures cannot be refreshed")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A bounded number of requests at a time, each for a bounded time."""

    daemon_threads = True
    block_on_close = False  # stopping takes no longer because of a client that hangs
    request_queue_size = CONNECTIONS

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._open: dict[socket.socket, float] = {}
        self._open_lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # The base class asks the name service for the host's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - base
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._open_lock:
            self._open[request] = time.monotonic() + REQUEST_LIMIT_S
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(request, None)
            self._slots.release()

    def service_actions(self) -> None:
        """Between two polls: end what takes too long."""
        now = time.monotonic()
        with self._open_lock:
            late = [request for request, until in self._open.items() if now > until]
            for request in late:
                with contextlib.suppress(OSError):  # it may have gone by itself
                    request.shutdown(socket.SHUT_RDWR)
                del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - base
        log.debug("http client gone", client=str(client_address), exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = READ_TIMEOUT_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - base class
        log.debug("http request", line=format % args)

    def get_stderr(self) -> Any:  # noqa: ANN401 - base class
        return _Errors()


class _Errors:
    """Where wsgiref writes tracebacks."""

    def write(self, text: str) -> None:
        log.debug("http error", text=text)

    def flush(self) -> None:
        pass


def _answer(start_response: StartResponse, status: int, said: object) -> Iterable[bytes]:
    words = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
    body = json.dumps(said).encode() + b"\n"
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response(f"{status} {words[status]}", headers)
    return [body]


def _port_taken(host: str, port: int, error: OSError) -> ConfigError:
    mistake = Mistake(
        line=None,
        key="http.port",
        value=f"{host}:{port}",
        message=f"cannot listen there ({error.strerror or error})",
        mend="stop what uses it, or choose another port (http.port, or --http-port of the demo)",
    )
    return ConfigError("http", [mistake])
