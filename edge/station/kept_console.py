"""The console's process, as the service keeps it: started, told, asked, and started again.

Whatever the console does, the service waits for nothing of it: a glimpse that its pipe has no room
for is dropped, a process that ends is begun anew, and one that cannot run is a trouble and no more.
"""

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from edge.config import Config
from edge.console import line
from edge.console.line import Began, Setup
from edge.console.people import PEOPLE_FILE
from edge.delivery.hooks import Command
from edge.protocol import topics
from edge.settings.model import Console

FLUSH_S = 0.1
BEAT_FLUSHES = 10  # a word each second, so that silence is noticed
MAX_WAITING = 4_000
MAX_UNREAD_BYTES = 4_000_000
"""What the console has not read yet; beyond it, nothing more is written until it does."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
END_S = 1.5  # of the five seconds in which the service ends

NAMES_HERE = ("127.0.0.1", "localhost", "[::1]")
"""Of this machine, as a browser on it may call it."""

log = structlog.get_logger()


class KeptConsole:
    """One console, from `run` until cancelled. On the loop's thread, but for `overhear`."""

    def __init__(
        self,
        config: Config,
        *,
        ask: Callable[[Command], object],
        began: Callable[[Began], object] = lambda began: None,
        status: Callable[[], Any] = lambda: None,
    ) -> None:
        """Nothing is started before `run`.

        ask     carries out a command; it answers by the command's `reply`
        began   told each time that it listens
        status  what is told each second, beside the documents
        """
        assert config.console is not None
        self._config, self._console = config, config.console
        self._side: str = self._console.side or next(iter(config.sides))
        self._ask, self._began, self._status = ask, began, status
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MAX_WAITING)
        self._documents: dict[str, bytes] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._port = self._console.port
        self.trouble = ""
        """Why it does not run, `""` while it does."""

    def overhear(self, side: str, topic: str, payload: bytes) -> None:
        """A document or a glimpse goes out to a side; the console is told what its own is told.

        Any thread.
        """
        if side == self._side:
            self._waiting.append((topic, payload))

    async def run(self) -> None:
        """Keep it until cancelled."""
        wait_s = FIRST_WAIT_S
        try:
            while True:
                began_s = time.monotonic()
                try:
                    ended = await self._once()
                # Whatever it is, it is the console's trouble and never the service's.
                except Exception as error:
                    log.exception("console failed")
                    ended = repr(error)
                    await self._end()
                if time.monotonic() - began_s > STEADY_S:
                    wait_s = FIRST_WAIT_S
                self.trouble = f"console ended ({ended}), being started again"
                log.error("console ended", ending=ended, again_in_s=wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        finally:
            await self._end()

    async def _once(self) -> str:
        root = Path(__file__).parents[2]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "edge.console.process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=line.MAX_LINE_BYTES,
            cwd=root,
            start_new_session=True,
        )  # fmt: skip
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._setup()) + b"\n")
        first = await process.stdout.readline()
        if not first:
            return f"exit code {await process.wait()}"
        began = msgspec.json.decode(first, type=Began)
        self.trouble = ""
        # Begun again it is where it was, so that open pages find it.
        self._port = urlsplit(began.url).port or self._port
        link = {"link": began.link} if began.link else {}  # for a demonstration only, and once
        log.info("console listening", url=began.url, page=began.built, **link)
        self._began(began)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell(process.stdin), name="console-line")
            while data := await self._line(process.stdout):
                self._take(data, process.stdin)
            telling.cancel()
        return f"exit code {await process.wait()}"

    @staticmethod
    async def _line(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readline()
        except ValueError:  # longer than any
            return b"{}\n"

    def _take(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            asked = line.read_ask(data)
        except line.Unread as error:
            log.error("line from the console not read", error=str(error))
            return

        def reply(payload: bytes) -> None:
            answer = line.Answer(number=asked.number, data=msgspec.Raw(payload))
            with contextlib.suppress(OSError, RuntimeError):
                writer.write(line.line(answer))

        self._ask(
            Command(
                side=self._side,
                topic=asked.topic,
                payload=asked.payload,
                response_topic=asked.response_topic,
                correlation=asked.correlation,
                user_properties=tuple((name, value) for name, value in asked.properties),
                reply=reply,
            )
        )

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        """Everything that is known at first, then what is new; never waits for the reader."""
        for topic, payload in list(self._documents.items()):
            self._write(writer, topic, payload)
        flushes = 0
        while True:
            while self._waiting:
                topic, payload = self._waiting.popleft()
                if kind_of(topic) != "live":
                    self._documents[topic] = payload
                self._write(writer, topic, payload)
            if flushes % BEAT_FLUSHES == 0:
                self._write(writer, "status", msgspec.json.encode(self._status()))
            flushes += 1
            await asyncio.sleep(FLUSH_S)

    @staticmethod
    def _write(writer: asyncio.StreamWriter, topic: str, payload: bytes) -> None:
        kind = kind_of(topic)
        if kind is None or not payload:
            return
        if writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            return  # it is stuck; its pages say so by themselves
        with contextlib.suppress(OSError, RuntimeError):
            writer.write(
                line.line(line.Told(kind=kind, topic=place_of(topic), data=msgspec.Raw(payload)))
            )

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _setup(self) -> Setup:
        config, console = self._config, self._console
        return Setup(
            site=config.site.id,
            side=self._side,
            state_dir=str(config.state_dir),
            host=console.host,
            port=self._port,
            people=str(console.people or config.state_dir / PEOPLE_FILE),
            hosts=hosts_of(console),
            signer=_text(console.signer),
            certificate=_text(console.certificate),
            key=_text(console.key),
            guest=console.guest,
            layout=layout_of(config),
        )


def kind_of(topic: str) -> line.Kind | None:
    """What a topic's document is to the console; None: nothing."""
    if topic == "status":
        return "status"
    levels = topic.split("/")
    if len(levels) < 4 or not topic.startswith((f"{topics.ROOT}/", f"{topics.EXERCISE_ROOT}/")):
        return None
    match levels[3:]:
        case ["birth"]:
            return "birth"
        case [_, "health"]:
            return "health"
        case [_, "live", _]:
            return "live"
        case _:
            return None


def place_of(topic: str) -> str:
    """The part of a topic that tells which place, and of a glimpse what kind."""
    levels = topic.split("/")
    if kind_of(topic) == "live":
        return "/".join((levels[3], levels[5]))
    return levels[3] if kind_of(topic) == "health" else ""


def hosts_of(console: Console) -> list[str]:
    """Names by which browsers may know it."""
    host = f"[{console.host}]" if ":" in console.host else console.host
    return sorted({host, *NAMES_HERE, *console.names})


def layout_of(config: Config) -> dict[str, Any]:
    """The site as it is drawn: lanes, zones and sensors with their places in metres."""
    return {
        "names": dict(config.site.names),
        "lanes": [
            {
                "id": lane.id,
                "names": dict(lane.names),
                "direction": lane.direction,
                "portal_m": list(lane.portal_m),
                "heading_deg": lane.heading_deg,
            }
            for lane in config.lanes
        ],
        "zones": [
            {"id": zone.id, "names": dict(zone.names), "side": zone.side} for zone in config.zones
        ],
        "sensors": [
            {
                "id": sensor.id,
                "family": sensor.family.value,
                "place": sensor.lane or sensor.zone,
                "position_m": list(sensor.position_m),
            }
            for sensor in config.sensors
        ],
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
