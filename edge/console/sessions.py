"""Who is logged in: tokens in memory, ended by time, by leaving, or with the console's process.

A browser holds a random token in a cookie that no script can read; a second one, which every
request that changes something must carry in a header, is given to the page alone (OWASP: session
management, CSRF prevention). Only digests of tokens are kept.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.console.people import Person, Role

IDLE_S = 30 * 60.0
"""A console that nobody touched for half an hour is nobody's."""
LONGEST_S = 12 * 3600.0  # a shift and its hand-over
LINK_S = 10 * 60.0
MAX_SESSIONS = 200
TRIES = 5
"""Wrong passwords of one login, or from one address, within `TRIES_S`; then they wait."""
TRIES_S = 60.0
MAX_TRIED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is logged in."""

    login: str
    role: Role
    language: str
    csrf: str
    began_s: float
    touched_s: float


@dataclass(slots=True)
class Sessions:
    """All of them; used by one thread."""

    monotonic: Callable[[], float] = time.monotonic
    _open: dict[bytes, Session] = field(default_factory=dict)
    _links: dict[bytes, tuple[Person, float]] = field(default_factory=dict)

    def begin(self, person: Person) -> tuple[str, Session]:
        """A new session and its token."""
        self._sweep()
        while len(self._open) >= MAX_SESSIONS:
            del self._open[min(self._open, key=lambda each: self._open[each].touched_s)]
        token, now_s = secrets.token_urlsafe(32), self.monotonic()
        session = Session(
            login=person.login,
            role=person.role,
            language=person.language,
            csrf=secrets.token_urlsafe(32),
            began_s=now_s,
            touched_s=now_s,
        )
        self._open[_digest(token)] = session
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
            del self._open[key]
            return None
        if touch:
            session = self._open[key] = replace(session, touched_s=self.monotonic())
        return session

    def speak(self, token: str, language: str) -> Session:
        """The session in another language. KeyError where there is none."""
        key = _digest(token)
        session = self._open[key] = replace(self._open[key], language=language)
        return session

    def end(self, token: str) -> None:
        """They have left."""
        self._open.pop(_digest(token), None)

    def end_all_of(self, login: str) -> None:
        """They may not stay: removed, or of another role or password now."""
        self._open = {key: one for key, one in self._open.items() if one.login != login}

    def link(self, person: Person) -> str:
        """A token that logs this person in once, within `LINK_S`."""
        token = secrets.token_urlsafe(32)
        self._links[_digest(token)] = person, self.monotonic() + LINK_S
        return token

    def follow(self, token: str) -> Person | None:
        """Whose link it is; it is of no use after."""
        person, until_s = self._links.pop(_digest(token), (None, 0.0))
        return person if self.monotonic() < until_s else None

    def _over(self, session: Session) -> bool:
        now_s = self.monotonic()
        return now_s - session.touched_s > IDLE_S or now_s - session.began_s > LONGEST_S

    def _sweep(self) -> None:
        self._open = {key: one for key, one in self._open.items() if not self._over(one)}


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


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
