"""The console's application: every route of the table, on Starlette."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as PathRoute

from edge.console import openapi
from edge.console.acting import VERBS, Acting, NotAnswered, message_of
from edge.console.books import BooksError
from edge.console.feed import Event, Feed, Watcher
from edge.console.guard import Guard, said
from edge.console.notes import Notes, NotesError
from edge.console.people import RIGHTS, People, PeopleError
from edge.console.reading import File, Refusal, body_of, digest_of, number_of, send
from edge.console.routes import (
    API,
    CHANGES,
    ROUTES,
    Cases,
    Language,
    LogIn,
    Me,
    NotesOf,
    Page,
    Route,
    Written,
)
from edge.console.scans import NoScan, Pictures
from edge.console.sessions import Session, Sessions, Throttle, same
from edge.console.site import Site
from edge.console.static import Pages
from edge.delivery.rows import Row
from edge.protocol.commands import CommandMessage, NoteMessage
from edge.protocol.messages import rfc3339
from edge.text import LANGUAGES
from edge.text.catalogue import catalogue

COOKIE = "garita"
SECURE_COOKIE = "__Host-garita"
MAX_BODY_BYTES = 16_384
BEAT_S = 0.5
"""A page that has heard nothing for three of them says that what it shows is old."""
PAGE, MAX_PAGE = 200, 1_000
MAX_STREAMS = 64
"""Browsers that watch at once: the stations of both sides, many times over."""
_ALERT = re.compile("[A-Za-z0-9-]{1,64}")

log = structlog.get_logger()

Handler = Callable[[Request, Session | None], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """What the application works with. On the loop's thread."""

    site: Site
    feed: Feed
    people: People
    sessions: Sessions
    acting: Acting
    pages: Pages
    notes: Notes
    pictures: Pictures
    hosts: frozenset[str]
    secure: bool = False
    throttle: Throttle = field(default_factory=Throttle)


def application(console: Console) -> Guard:
    """The whole of it, guarded."""
    app = _App(console)
    starlette = Starlette(
        routes=app.routes(),
        lifespan=app.lifespan,
        exception_handlers={404: _not_found, 405: _not_allowed, 413: _too_large, 500: _failed},
        max_body_size=MAX_BODY_BYTES,
    )
    return Guard(starlette, hosts=console.hosts, secure=console.secure)


class _App:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._cookie = SECURE_COOKIE if console.secure else COOKIE
        self._catalogues = {
            one: msgspec.json.encode(_texts(catalogue(one).tables)) for one in LANGUAGES
        }
        self._document = msgspec.json.encode(openapi.document())

    def routes(self) -> list[BaseRoute]:
        api = [
            PathRoute(one.path, self._endpoint(one), methods=[one.method], name=one.name)
            for one in ROUTES
        ]
        return [
            PathRoute("/in/{token}", self._follow, methods=["GET"]),
            Mount(API, routes=api),
            PathRoute("/{path:path}", self._page, methods=["GET", "HEAD"]),
        ]

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._console.feed.run(), name="feed"),
            asyncio.create_task(self._beat(), name="beat"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            self._console.feed.tell(Event(kind="beat", data=self._console.site.beat()))
            await asyncio.sleep(BEAT_S)

    def _endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        verb = route.path.removeprefix("/acts/")
        handler: Handler = getattr(self, f"_{route.name}", None) or self._acting(verb)

        async def endpoint(request: Request) -> Response:
            try:
                session = self._session(request, route)
                return await handler(request, session)
            except Refusal as refusal:
                return said(*refusal.args)
            except NoScan as error:
                return said(404, "unknown", str(error))
            except (BooksError, PeopleError) as error:
                log.warning("cannot be answered", route=route.name, error=str(error))
                return said(503, "unread", "the checkpoint's files cannot be read now")

        return endpoint

    def _session(self, request: Request, route: Route) -> Session | None:
        token = request.cookies.get(self._cookie, "")
        session = self._console.sessions.of(token, touch=route.name != "events") if token else None
        if route.needs is None:
            return session
        if session is None:
            raise Refusal(401, "log-in", "log in first")
        if route.changes and not same(request.headers.get(CHANGES, ""), session.csrf):
            raise Refusal(403, "csrf", f"the page's token is missing ({CHANGES})")
        if not session.guest:
            person = self._console.people.of(session.login)
            if person is None or person.role != session.role:
                self._console.sessions.end(token)
                raise Refusal(401, "log-in", "you are of another role now; log in again")
        if route.needs not in RIGHTS[session.role]:
            raise Refusal(403, "rights", f"{session.role}: may not {route.needs}")
        return session

    # --- who ---------------------------------------------------------------------------

    async def _log_in(self, request: Request, _session: Session | None) -> Response:
        wanted = await body_of(request, LogIn)
        console, address = self._console, request.client.host if request.client else ""
        names = f"login {wanted.login[:64]}", f"address {address}"
        if wait_s := console.throttle.wait_s(*names):
            slow = said(429, "wait", f"too many tries; wait {wait_s:.0f} s")
            slow.headers["retry-after"] = str(int(wait_s) + 1)
            return slow
        console.throttle.failed(*names)  # before it is tried: a hundred at once are a hundred
        person = await asyncio.to_thread(console.people.check, wanted.login, wanted.password)
        if person is None:
            log.warning("log-in refused", login=wanted.login[:32], address=address)
            raise Refusal(401, "log-in", "login or password is wrong")
        console.throttle.succeeded(*names)
        log.info("logged in", login=person.login, role=person.role, address=address)
        token, session = console.sessions.begin(person)
        response = self._json(self._me_of(session))
        self._set_cookie(response, token)
        return response

    async def _follow(self, request: Request) -> Response:
        person = self._console.sessions.follow(request.path_params["token"])
        if person is None:
            return said(410, "over", "this link is used up; log in, or have a new one made")
        token, session = self._console.sessions.begin(person, guest=True)
        log.info("logged in by a link", login=session.login, role=session.role)
        response = RedirectResponse("/", status_code=303, headers={"cache-control": "no-store"})
        self._set_cookie(response, token)
        return response

    async def _me(self, _request: Request, session: Session | None) -> Response:
        assert session is not None
        return self._json(self._me_of(session))

    async def _speak(self, request: Request, session: Session | None) -> Response:
        assert session is not None
        wanted = await body_of(request, Language)
        token = request.cookies.get(self._cookie, "")
        return self._json(self._me_of(self._console.sessions.speak(token, wanted.language)))

    async def _leave(self, request: Request, _session: Session | None) -> Response:
        self._console.sessions.end(request.cookies.get(self._cookie, ""))
        response = Response(status_code=204)
        response.delete_cookie(
            self._cookie, httponly=True, samesite="strict", secure=self._console.secure
        )
        return response

    def _me_of(self, session: Session) -> Me:
        return Me(
            login=session.login,
            role=session.role,
            language=session.language,
            acts=sorted(RIGHTS[session.role]),
            csrf=session.csrf,
            site=self._console.site.name,
            side=self._console.site.side,
        )

    def _set_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(
            self._cookie, token, httponly=True, samesite="strict", secure=self._console.secure
        )

    # --- what is there -----------------------------------------------------------------

    async def _openapi(self, _request: Request, _session: Session | None) -> Response:
        return Response(self._document, media_type="application/json")

    async def _words(self, request: Request, _session: Session | None) -> Response:
        language = request.path_params["language"]
        if language not in self._catalogues:
            raise Refusal(404, "unknown", f"there are {', '.join(LANGUAGES)}")
        return Response(self._catalogues[language], media_type="application/json")

    async def _alerts(self, request: Request, _session: Session | None) -> Response:
        feed = self._console.feed
        before = number_of(request, "before")
        asked = number_of(request, "limit")
        limit = PAGE if asked is None else asked
        if not 1 <= limit <= MAX_PAGE:
            raise Refusal(400, "limit", f"1 to {MAX_PAGE}")
        found, more = feed.alerts(before_first_seq=before, limit=limit)
        known = {one.id for one in found}
        return self._json(
            Page(
                seq=feed.seq,
                index=feed.index,
                alerts=found,
                more=more,
                cases=[one for one in feed.cases() if one.case.alert in known],
                stored=feed.stored(),
            )
        )

    async def _alert(self, request: Request, _session: Session | None) -> Response:
        alert_id, feed = request.path_params["alert"], self._console.feed
        summary = feed.alert(alert_id) if _ALERT.fullmatch(alert_id) else None
        row = feed.outbox.row(summary.seq) if summary is not None else None
        if summary is None or row is None:
            raise Refusal(404, "unknown", "there is no such alert, or it is not kept any more")
        case = next((one for one in feed.cases() if one.case.alert == alert_id), None)
        revisions = feed.revisions(alert_id)
        head = msgspec.json.encode({"summary": summary, "case": case, "revisions": revisions})
        # The alert's own bytes, as they were signed and sent: nothing of them is written anew.
        body = head[:-1] + b',"alert":' + row.payload + b"}"
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})

    async def _cases(self, request: Request, _session: Session | None) -> Response:
        feed = self._console.feed
        after = number_of(request, "after")
        cases = feed.cases(-1 if after is None else after)
        return self._json(Cases(index=feed.index, cases=cases))

    async def _site(self, _request: Request, _session: Session | None) -> Response:
        return Response(
            self._console.site.document(self._console.feed),
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )

    # --- files -------------------------------------------------------------------------

    async def _evidence(self, request: Request, _session: Session | None) -> Response:
        digest = digest_of(request)
        book = self._console.feed.outbox
        found = book.files(digest)
        if not found:
            raise Refusal(404, "unknown", "there is no such file, or it is not kept any more")
        file = found[0]
        return send(
            request,
            File(
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                part=lambda first, length: book.part(file, first, length),
                sha256=digest,
            ),
        )

    async def _scan(self, request: Request, _session: Session | None) -> Response:
        digest = digest_of(request)
        path = self._console.pictures.path(digest)
        if path is None:
            raise Refusal(404, "unknown", "there is no such scan, or it is not kept any more")
        # Its name is the digest of the pixels, not of the file.
        file = File(
            name=path.name,
            media_type="image/tiff",
            size_bytes=path.stat().st_size,
            part=partial(_part, path),
        )
        return send(request, file)

    async def _axis(self, request: Request, _session: Session | None) -> Response:
        row = self._row(request)
        files = {
            one["sha256"]: self._file_bytes(one["sha256"])
            for one in msgspec.json.decode(row.payload).get("evidence", ())
            if one["name"].endswith((".n42", ".mseed"))
        }
        from edge.console.axis import axis_of  # noqa: PLC0415 - NumPy, for those who look

        load = partial(axis_of, row.payload, lambda digest: files.get(digest, b""))
        return self._json(await asyncio.to_thread(load))

    async def _scans(self, request: Request, _session: Session | None) -> Response:
        return self._json(self._console.pictures.of(self._row(request).payload, self._file_bytes))

    def _row(self, request: Request) -> Row:
        """The last revision of the alert that is asked for. Refusal."""
        alert_id, feed = request.path_params["alert"], self._console.feed
        summary = feed.alert(alert_id) if _ALERT.fullmatch(alert_id) else None
        row = feed.outbox.row(summary.seq) if summary is not None else None
        if row is None:
            raise Refusal(404, "unknown", "there is no such alert, or it is not kept any more")
        return row

    async def _scan_about(self, request: Request, _session: Session | None) -> Response:
        digest = digest_of(request)
        load = partial(self._console.pictures.about, digest, self._file_bytes(digest))
        return self._json(await asyncio.to_thread(load))

    async def _scan_plane(self, request: Request, _session: Session | None) -> Response:
        digest, plane = digest_of(request), request.path_params["plane"]
        load = partial(self._console.pictures.plane, digest, self._file_bytes(digest), plane)
        counts = await asyncio.to_thread(load)  # unpacking holds Python up for none of its 0.1 s
        return Response(
            counts,
            media_type="application/octet-stream",
            headers={"cache-control": "private, max-age=86400, immutable"},
        )

    def _file_bytes(self, digest: str) -> bytes:
        """A file of evidence whole; empty where there is none."""
        book = self._console.feed.outbox
        found = book.files(digest)
        return book.part(found[0], 0, found[0].size_bytes) if found else b""

    # --- being told --------------------------------------------------------------------

    async def _events(self, request: Request, _session: Session | None) -> Response:
        feed = self._console.feed
        if feed.watching >= MAX_STREAMS:
            raise Refusal(503, "full", f"{MAX_STREAMS} pages watch already")
        last = request.headers.get("last-event-id") or request.query_params.get("last") or None
        if last is not None and not (last.isascii() and last.isdigit() and len(last) < 19):
            raise Refusal(400, "last", "Last-Event-ID is a sequence number")
        wanted = frozenset(filter(None, request.query_params.get("topics", "").split(",")))
        watcher = feed.watch(None if last is None else int(last), wanted)
        token = request.cookies.get(self._cookie, "")
        return StreamingResponse(
            self._stream(watcher, token),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _stream(self, watcher: Watcher, token: str) -> AsyncIterator[bytes]:
        looked_s = time.monotonic()
        try:
            yield b"retry: 1000\n\n"
            while not watcher.cut_off:
                await watcher.came.wait()
                watcher.came.clear()
                pieces = []
                while watcher.waiting:
                    pieces.append(_sse(watcher.waiting.popleft()))
                if pieces:
                    yield b"".join(pieces)
                if time.monotonic() - looked_s > BEAT_S:
                    looked_s = time.monotonic()
                    if self._console.sessions.of(token, touch=False) is None:
                        yield _sse(Event(kind="again", data=b'{"why":"log-in"}'))
                        return
        finally:
            self._console.feed.leave(watcher)

    # --- acting ------------------------------------------------------------------------

    def _acting(self, verb: str) -> Handler:
        assert verb in VERBS, verb

        async def act(request: Request, session: Session | None) -> Response:
            assert session is not None
            try:
                message = message_of(verb, await request.body())
            except msgspec.DecodeError as error:
                raise Refusal(422, "unreadable", str(error)[:200]) from None
            return await self._asked(request, session, verb, message)

        return act

    async def _asked(
        self, request: Request, session: Session, verb: str, message: CommandMessage
    ) -> Response:
        exercise = request.query_params.get("exercise") == "true"
        try:
            answer = await self._console.acting.ask(verb, message, session, exercise=exercise)
        except NotAnswered as error:
            raise Refusal(503, "not-answered", str(error)) from None
        return self._json(answer, 200 if answer.accepted else 409)

    async def _notes(self, request: Request, _session: Session | None) -> Response:
        return self._json(NotesOf(notes=self._console.notes.of(request.path_params["alert"])))

    async def _write(self, request: Request, session: Session | None) -> Response:
        assert session is not None
        written, alert = await body_of(request, Written), request.path_params["alert"]
        if not _ALERT.fullmatch(alert) or self._console.feed.alert(alert) is None:
            raise Refusal(404, "unknown", "there is no such alert, or it is not kept any more")
        try:
            kept = self._console.notes.keep(
                alert=alert,
                time=rfc3339(time.time_ns()),
                login=session.login,
                role=session.role,
                text=written.text,
            )
        except NotesError as error:
            log.error("note not kept", error=str(error))
            raise Refusal(503, "not-kept", "the note cannot be written to the disk") from None
        message = NoteMessage(alert=alert, note_sha256=kept.sha256)
        return await self._asked(request, session, "note", message)

    # --- pages -------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path.startswith("api/"):
            return said(404, "unknown", "see /api/v1/openapi.json")
        return self._console.pages.answer(path, request.headers)

    def _json(self, value: msgspec.Struct, status: int = 200) -> Response:
        return Response(
            msgspec.json.encode(value),
            status_code=status,
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )


def _part(path: Path, first: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(length)


def _sse(event: Event) -> bytes:
    head = b"" if event.seq is None else b"id: %d\n" % event.seq
    return head + b"event: " + event.kind.encode() + b"\ndata: " + event.data + b"\n\n"


def _texts(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _texts(value) if isinstance(value, Mapping) else value for key, value in tables.items()
    }


async def _not_found(_request: Request, _error: Exception) -> Response:
    return said(404, "unknown", "see /api/v1/openapi.json")


async def _not_allowed(_request: Request, _error: Exception) -> Response:
    return said(405, "method", "see /api/v1/openapi.json")


async def _too_large(_request: Request, _error: Exception) -> Response:
    return said(413, "too-large", f"{MAX_BODY_BYTES} bytes at most")


async def _failed(_request: Request, _error: Exception) -> Response:
    return said(500, "failed", "that went wrong here")
