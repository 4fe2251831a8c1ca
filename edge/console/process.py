"""The console's process: told everything on its standard input, asking on its standard output.

    garita run  ── birth, health, glimpses, answers ──>  this process  <── browsers
                <── what a person wants done ──────────

It ends when its input does: whoever started it is gone.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvicorn

from edge.console import line
from edge.console.acting import Acting
from edge.console.app import Console, application
from edge.console.feed import Feed
from edge.console.line import Began, Setup
from edge.console.notes import NOTES_FILE, Notes
from edge.console.people import People, Person
from edge.console.scans import Pictures
from edge.console.sessions import SESSIONS_FILE, Sessions
from edge.console.site import Site
from edge.console.static import Pages
from edge.log import configure
from edge.trust.keys import read_signer

GRACE_S = 1  # of the five seconds in which the service ends
KEEP_ALIVE_S = 30
MAX_CONNECTIONS = 400
"""Six a browser and a stream each; more is a mistake or an attack."""
BACKLOG = 128
EXIT_PORT = 3
NICE = 5  # whatever browsers want, fusion comes first

log = structlog.get_logger()


def main() -> int:
    """Serve until the input ends. 3: the port cannot be had."""
    configure()
    os.nice(NICE)
    setup = msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup)
    return asyncio.run(_serve(setup))


async def _serve(setup: Setup) -> int:
    console = _console(setup)
    application_ = application(console)
    server = _Server(
        uvicorn.Config(
            application_,
            host=setup.host,
            port=setup.port,
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=16_384,
            ssl_certfile=setup.certificate,
            ssl_keyfile=setup.key,
        )
    )
    try:
        sockets = [server.config.bind_socket()]
    except SystemExit:  # uvicorn has said why
        return EXIT_PORT
    sockets[0].listen(BACKLOG)  # who is told of it may come at once
    port = sockets[0].getsockname()[1]
    scheme = "https" if setup.certificate else "http"
    host = f"[{setup.host}]" if ":" in setup.host else setup.host
    url = f"{scheme}://{host}:{port}/"
    link = ""
    if setup.guest is not None:
        guest = msgspec.convert({"login": "guest", "role": setup.guest, "password": ""}, Person)
        link = f"{url}in/{console.sessions.link(guest)}"
    began = Began(url=url, link=link, built=console.pages.built)
    write_line(msgspec.json.encode(began) + b"\n")
    reading = asyncio.create_task(_read(console, server), name="line")
    await server.serve(sockets=sockets)
    reading.cancel()
    console.feed.close()
    return 0


def _console(setup: Setup) -> Console:
    secure, state_dir = setup.certificate is not None, Path(setup.state_dir)
    return Console(
        site=Site(site=setup.site, side=setup.side, layout=setup.layout, replay=setup.replay),
        feed=Feed(state_dir, setup.side),
        people=People(Path(setup.people)),
        sessions=Sessions(state_dir / SESSIONS_FILE),
        acting=Acting(
            site=setup.site,
            side=setup.side,
            signer=None if setup.signer is None else read_signer(Path(setup.signer)),
            send=write_line,
        ),
        pages=Pages(),
        notes=Notes(state_dir / NOTES_FILE),
        pictures=Pictures(state_dir / "scans"),
        hosts=frozenset(setup.hosts),
        secure=secure,
    )


async def _read(console: Console, server: "_Server") -> None:
    try:
        async for data in _lines():
            try:
                message = line.read_told(data)
            except line.Unread as error:
                log.error("line from the service not read", error=str(error))
                continue
            if isinstance(message, line.Answer):
                console.acting.answered(message)
            else:
                console.site.told(message, console.feed)
    finally:
        console.site.lost()
        server.should_exit = True


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=line.MAX_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        try:
            data = await reader.readline()
        except ValueError:  # longer than any; what is left of it will not be read either
            continue
        if not data:
            return
        yield data


def write_line(data: bytes) -> bool:
    """To the service; False where it is not there."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except (OSError, ValueError):
        return False
    return True


class _Server(uvicorn.Server):
    """Ended by its input alone: Ctrl+C in a terminal reaches the service, which ends us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:  # noqa: ANN401 - a context manager of uvicorn's
        yield


if __name__ == "__main__":
    raise SystemExit(main())
