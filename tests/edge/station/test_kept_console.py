"""The console's process beside the service: told, asked, killed, frozen, never waited for."""

import asyncio
import json
import os
import signal
import time
import urllib.request

import pytest

from edge.config import load_config
from edge.console.people import People
from edge.delivery.outbox import Outbox
from edge.protocol.commands import AnswerMessage
from edge.protocol.messages import encode
from edge.record.record import RECORD_FILE, Record
from edge.station.kept_console import KeptConsole, hosts_of, kind_of, place_of
from tests.edge.delivery.test_release import alert, row_of
from tests.edge.rehearsed import SENSORS

PASSWORD = "correct horse battery"
CONFIG = {
    "site": {"id": "mariposa"},
    "sides": {"north": {"broker": "mqtt://127.0.0.1:1"}, "south": {"broker": "mqtt://127.0.0.1:2"}},
    "lanes": [{"id": "nb-01", "direction": "northbound"}],
    "zones": [{"id": "fence"}],
    "console": {"side": "south", "port": 0},
}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "site.json"
    path.write_text(json.dumps({**CONFIG, "sensors": SENSORS, "state_dir": "state"}))
    return load_config(path)


@pytest.fixture
def state(config):
    """What the service has written."""
    config.state_dir.mkdir()
    outbox = Outbox(config.state_dir / "outbox.db", ["north", "south"])
    record = Record(config.state_dir / RECORD_FILE, site="mariposa", now_utc_ns=time.time_ns)
    People(config.state_dir / "people.json").put("ana", "operator", PASSWORD)
    outbox.commit([row_of(alert(seq=1, id="A1", evidence=[]))])
    yield outbox
    outbox.close()
    record.close()


class Browser:
    """Asks the console for things, on a thread."""

    def __init__(self, url):
        self._url = url
        self._cookie = self._csrf = ""

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"cookie": self._cookie, "x-garita-csrf": self._csrf}
        if data is not None:
            headers["content-type"] = "application/json"
        request = urllib.request.Request(
            f"{self._url}api/v1{path}", data=data, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            if "set-cookie" in answer.headers:
                self._cookie = answer.headers["set-cookie"].partition(";")[0]
            return json.load(answer)

    async def ask(self, method, path, body=None):
        return await asyncio.to_thread(self._ask, method, path, body)

    async def log_in(self):
        said = await self.ask("POST", "/session", {"login": "ana", "password": PASSWORD})
        self._csrf = said["csrf"]


async def until(reached, within_s=20.0):
    deadline_s = time.monotonic() + within_s
    while True:
        found = await reached()
        if found:
            return found
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.05)


def kept(config, work):
    """Run `work` with a console that is kept, and what it was asked."""

    async def run():
        asked, began = [], asyncio.Queue()

        def ask(command):
            asked.append(command)
            answer = AnswerMessage(site="mariposa", verb="ack", accepted=True)
            command.reply(encode(answer))

        console = KeptConsole(config, ask=ask, began=began.put_nowait, status=lambda: {"ready": 1})
        task = asyncio.create_task(console.run())
        try:
            await work(console, began, asked)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_it_shows_what_is_on_disk_and_asks_for_what_a_person_wants(config, state):
    async def work(console, began, asked):
        browser = Browser((await began.get()).url)
        await browser.log_in()
        page = await browser.ask("GET", "/alerts")
        assert [one["id"] for one in page["alerts"]] == ["A1"]
        answer = await browser.ask("POST", "/acts/ack", {"alert": "A1"})
        assert answer["accepted"]
        (command,) = asked
        assert (command.side, command.topic) == ("south", "garita/v1/mariposa/cmd/ack")

    kept(config, work)


def test_it_is_told_what_its_own_side_is_told(config, state):
    async def work(console, began, asked):
        browser = Browser((await began.get()).url)
        await browser.log_in()
        health = {"place": "nb-01", "sensors": [], "sides": []}
        console.overhear("north", "garita/v1/mariposa/nb-01/health", b'{"place":"secret"}')
        console.overhear("south", "garita/v1/mariposa/nb-01/health", json.dumps(health).encode())

        async def told():
            site = await browser.ask("GET", "/site")
            return site["health"] and site["status"] and site

        site = await until(told)
        assert site["health"] == {"nb-01": health}
        assert "secret" not in json.dumps(site)
        assert site["beat"]["service"]

    kept(config, work)


def test_one_that_is_killed_is_started_again_and_people_stay_logged_in(config, state):
    async def work(console, began, asked):
        first = await began.get()
        browser = Browser(first.url)
        await browser.log_in()
        os.kill(console._process.pid, signal.SIGKILL)
        again = Browser((await asyncio.wait_for(began.get(), 20)).url)
        again._cookie, again._csrf = browser._cookie, browser._csrf
        assert (await again.ask("GET", "/session"))["login"] == "ana"
        assert console.trouble == ""

    kept(config, work)


def test_one_that_is_frozen_holds_nobody_up(config, state):
    async def work(console, began, asked):
        await began.get()
        pid = console._process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            payload = b'{"values":"' + b"x" * 100_000 + b'"}'
            for _ in range(20):
                for _ in range(50):
                    console.overhear("south", "garita/v1/mariposa/nb-01/live/gamma", payload)
                began_s = time.monotonic()
                await asyncio.sleep(0.05)
                assert time.monotonic() - began_s < 2.0
        finally:
            os.kill(pid, signal.SIGCONT)

    kept(config, work)


def test_a_port_that_is_taken_is_told_and_tried_again(config, state, free_port):
    async def work(console, began, asked):
        await until(lambda: asyncio.sleep(0, console.trouble))
        assert "exit code 3" in console.trouble

    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = config.console.model_copy(update={"port": port})
        kept(config.model_copy(update={"console": busy}), work)


@pytest.mark.parametrize(
    ("topic", "kind", "place"),
    [
        ("garita/v1/mariposa/nb-01/health", "health", "nb-01"),
        ("garita-exercise/v1/mariposa/nb-01/live/gamma", "live", "nb-01/gamma"),
        ("garita/v1/mariposa/birth", "birth", ""),
        ("garita/v1/mariposa/nb-01/alert", None, ""),
        ("garita/v1/mariposa/record/checkpoint", None, ""),
        ("status", "status", ""),
        ("other/v1/mariposa/birth", None, ""),
    ],
)
def test_what_a_topic_is_to_the_console(topic, kind, place):
    assert kind_of(topic) == kind
    assert place_of(topic) == place


def test_browsers_may_know_it_by_its_own_names_only(config):
    named = config.console.model_copy(update={"host": "::1", "names": ["garita.example"]})
    assert hosts_of(named) == ["127.0.0.1", "[::1]", "garita.example", "localhost"]
