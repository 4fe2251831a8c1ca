"""Who is logged in: kept for as long as a session lasts, over restarts of the service.

A browser holds a random token in a cookie that no script can read; a second one, which every
request that changes something must carry in a header, is given to the page alone (OWASP: session
management, CSRF prevention). Of the first only a digest is kept, in a file that nobody else reads.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from edge.console.people import Person, Role

SESSIONS_FILE = "sessions.json"
IDLE_S = 30 * 60.0
"""A console that nobody touched for half an hour is nobody's."""
LONGEST_S = 12 * 3600.0  # a shift and its hand-over
LINK_S = 10 * 60.0
WRITE_EACH_S = 30.0  # when a session was last touched may be lost by so much
MAX_SESSIONS = 200
TRIES = 5
"""Wrong passwords of one login, or from one address, within `TRIES_S`; then they wait."""
TRIES_S = 60.0
MAX_TRIED = 10_000

log = structlog.get_logger()


class Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is logged in."""

    login: str
    role: Role
    language: str
    csrf: str
    began_s: float
    """Seconds since 1970, as all of them."""
    touched_s: float
    guest: bool = False
    """Came by a link, and has no password."""


class Sessions:
    """All of them; used by one thread."""

    def __init__(self, path: Path | None = None, now_s: Callable[[], float] = time.time) -> None:
        """Those that the file still has; without a file they end with the process."""
        self._path, self._now_s = path, now_s
        self._links: dict[bytes, tuple[Person, float]] = {}
        self._open: dict[str, Session] = {}
        self._written_s = 0.0
        if path is not None and path.exists():
            try:
                self._open = msgspec.json.decode(path.read_bytes(), type=dict[str, Session])
            except (OSError, ValueError) as error:  # everybody logs in once more, no harm
                log.warning("sessions not read", path=str(path), error=str(error))

    def begin(self, person: Person, *, guest: bool = False) -> tuple[str, Session]:
        """A new session and its token."""
        self._open = {key: one for key, one in self._open.items() if not self._over(one)}
        while len(self._open) >= MAX_SESSIONS:
            del self._open[min(self._open, key=lambda each: self._open[each].touched_s)]
        token, now_s = secrets.token_urlsafe(32), self._now_s()
        session = Session(
            login=person.login,
            role=person.role,
            language=person.language,
            csrf=secrets.token_urlsafe(32),
            began_s=now_s,
            touched_s=now_s,
            guest=guest,
        )
        self._put(_digest(token), session)
        return token, session

    def of(self, token: str, *, touch: bool = True) -> Session | None:
        """Whose token it is, while the session lasts.

        touch  a person did something; what a page does by itself must not keep a session alive
        """
        key = _digest(token)
        session = self._open.get(key)
        if session is None:
            return None
        if self._over(session):
            self.end(token)
            return None
        if touch:
            session = msgspec.structs.replace(session, touched_s=self._now_s())
            self._open[key] = session
            if self._now_s() - self._written_s > WRITE_EACH_S:
                self._write()
        return session

    def speak(self, token: str, language: str) -> Session:
        """The session in another language. KeyError where there is none."""
        key = _digest(token)
        session = msgspec.structs.replace(self._open[key], language=language)
        self._put(key, session)
        return session

    def end(self, token: str) -> None:
        """They have left."""
        if self._open.pop(_digest(token), None) is not None:
            self._write()

    def link(self, person: Person) -> str:
        """A token that logs this person in once, within `LINK_S`."""
        token = secrets.token_urlsafe(18)  # short enough for a line of a terminal
        self._links[token.encode()] = person, self._now_s() + LINK_S
        return token

    def follow(self, token: str) -> Person | None:
        """Whose link it is; it is of no use after."""
        person, until_s = self._links.pop(token.encode("utf-8", "replace"), (None, 0.0))
        return person if self._now_s() < until_s else None

    def _over(self, session: Session) -> bool:
        now_s = self._now_s()
        return now_s - session.touched_s > IDLE_S or now_s - session.began_s > LONGEST_S

    def _put(self, key: str, session: Session) -> None:
        self._open[key] = session
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        self._written_s = self._now_s()
        part = self._path.with_name(self._path.name + ".part")
        try:
            part.touch(mode=0o600)
            part.write_bytes(msgspec.json.encode(self._open))
            part.replace(self._path)
        except OSError as error:  # they last as long as the process then
            log.warning("sessions not kept", path=str(self._path), error=str(error))


def same(first: str, second: str) -> bool:
    """Whether two tokens are the same; takes as long for any two."""
    return hmac.compare_digest(first.encode(), second.encode())


@dataclass(slots=True)
class Throttle:
    """Slows down whoever guesses; bounded, so that guessing cannot fill the memory either."""

    monotonic: Callable[[], float] = time.monotonic
    tries: int = TRIES
    within_s: float = TRIES_S
    _tried: dict[str, deque[float]] = field(default_factory=dict)

    def wait_s(self, *names: str) -> float:
        """How long these have to wait before they may try again; 0 where they need not."""
        return max((self._wait_s(name) for name in names), default=0.0)

    def failed(self, *names: str) -> None:
        """It was wrong."""
        for name in names:
            if name not in self._tried and len(self._tried) >= MAX_TRIED:
                del self._tried[next(iter(self._tried))]
            self._tried.setdefault(name, deque(maxlen=self.tries)).append(self.monotonic())

    def succeeded(self, *names: str) -> None:
        """It was right: they begin anew."""
        for name in names:
            self._tried.pop(name, None)

    def _wait_s(self, name: str) -> float:
        tried = self._tried.get(name)
        if tried is None or len(tried) < self.tries:
            return 0.0
        return max(0.0, tried[0] + self.within_s - self.monotonic())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
