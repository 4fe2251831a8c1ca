"""What stands before every request: who may come in, how much, and what never leaves.

Plain ASGI around the application. Headers after OWASP's secure headers and cheat sheets; nothing
of another origin is loaded, framed or sent to.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": CSP,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
RATE_PER_S = 50.0
"""Requests of one address: a page that opens asks for twenty at once."""
BURST = 200.0
MAX_ADDRESSES = 10_000
MAX_TARGET = 4_096

log = structlog.get_logger()


@dataclass(slots=True)
class Bucket:
    """Tokens of every address: one is spent with each request, and they come back with time."""

    per_s: float = RATE_PER_S
    burst: float = BURST
    monotonic: Callable[[], float] = time.monotonic
    _left: "OrderedDict[str, tuple[float, float]]" = field(default_factory=OrderedDict)

    def take(self, address: str) -> bool:
        """Whether there was one left."""
        now_s = self.monotonic()
        left, at_s = self._left.pop(address, (self.burst, now_s))
        left = min(self.burst, left + (now_s - at_s) * self.per_s)
        self._left[address] = (left - 1.0 if left >= 1.0 else left), now_s
        if len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)
        return left >= 1.0


class Guard:
    """Refuses what must not come in, and sees to it that every answer has its headers."""

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str], secure: bool, bucket: Bucket | None = None
    ) -> None:
        """What it lets through.

        hosts   names that a browser may know us by, without a port: another name is a rebound one
        secure  whether browsers reach us by TLS
        """
        self._app = app
        self._hosts = hosts
        self._bucket = bucket or Bucket()
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        if secure:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                ours = {name for name, _ in self._headers}
                kept = [pair for pair in message["headers"] if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        refusal = self._refusal(scope)
        try:
            if refusal is not None:
                await refusal(scope, receive, send_guarded)
            else:
                await self._app(scope, receive, send_guarded)
        except Exception:  # no trace of it leaves, whatever it was
            log.exception("request failed", path=scope["path"])
            if not begun:
                await said(500, "failed", "that went wrong here")(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        client = scope.get("client")
        if not self._bucket.take(client[0] if client else ""):
            response = said(429, "too-many", "too many requests; wait a second")
            response.headers["retry-after"] = "1"
            return response
        if host_of(headers.get(b"host", b"")) not in self._hosts:
            return said(421, "host", "not the name of this console")
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
            return said(414, "too-long", "too long an address")
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        # What changes something comes from our own page: a form elsewhere sends another origin.
        site = headers.get(b"sec-fetch-site", b"same-origin")
        origin = headers.get(b"origin")
        foreign = origin is not None and origin.rpartition(b"//")[2] != headers.get(b"host", b"")
        if foreign or site not in (b"same-origin", b"none"):
            return said(403, "origin", "only from this console's own page")
        return None


def host_of(header: bytes) -> str:
    """The name in a Host header, without its port."""
    text = header.decode("ascii", "replace").lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]


def said(status: int, code: str, text: str) -> JSONResponse:
    """A refusal as every one of them looks (RFC 9457)."""
    body = {"type": f"garita:{code}", "status": status, "title": text}
    return JSONResponse(
        body,
        status_code=status,
        headers={"cache-control": "no-store"},
        media_type="application/problem+json",
    )
