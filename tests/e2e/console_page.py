"""A real Chromium before the console of a running demo."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.console.build import is_current
from edge.study.faulty_line import FaultyLine
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120.0

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or not is_current(),
    reason="needs Chromium (apt-get install chromium) and the page (./garita console build)",
)


class RunningDemo:
    """`garita demo` with a console, reached over a line that can be cut."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in ("north_port", "south_port", "http_port")}
        options = [f"--{name.replace('_', '-')}={port}" for name, port in self.ports.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edge", "demo", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUTF8": "1", "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        )
        self.said = ""
        threading.Thread(target=self._listen, daemon=True).start()
        self.link = self._link()
        self.where = urlsplit(self.link)
        self.line = FaultyLine(self.where.port)
        self.url = f"http://127.0.0.1:{self.line.port}/"

    def _listen(self):
        for line in self.process.stdout:
            self.said += line.decode()

    def _link(self):
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self.process.poll() is None:
            if found := re.search(r"http://127\S+/in/[\w-]+", self.said):
                return found.group(0)
            time.sleep(0.05)
        self.end()
        raise AssertionError(f"no link:\n{self.said}")

    @property
    def state(self):
        """The folder of its state."""
        (found,) = [path.parent for path in self.folder.rglob("outbox.db")]
        return found

    def console_pid(self):
        """Of the console's process, a child of this demo's service."""
        return self._pid(b"edge.console.process")

    def service_pid(self):
        """Of the service itself."""
        return self._pid(b"edge\0run\0")

    def _pid(self, words):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if words not in path.read_bytes():
                    continue
                if str(self.folder).encode() in (path.parent / "environ").read_bytes():
                    return int(path.parent.name)
            except OSError:
                continue
        return None

    def add(self, login, role, password):
        """Let somebody in, as one does at a site."""
        secret = self.folder / f"{login}.txt"
        secret.write_text(password + "\n")
        subprocess.run(
            [sys.executable, "-P", "-m", "edge", "console", "add", login, "--role", role,
             "--people", str(self.state / "people.json"), "--password-file", str(secret)],
            cwd=ROOT, check=True, capture_output=True, timeout=60,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def end(self):
        if line := getattr(self, "line", None):
            line.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def over(browser, demo, cookies, **options):
    """A page of its own for somebody who has been let in."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, **options)
    context.add_cookies(cookies)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on(
        "console",
        lambda said: (
            page.problems.append(said.text)
            if said.type == "error" and "Failed to load" not in said.text
            else None
        ),
    )
    page.goto(demo.url)
    return page


def asked(page, path):
    """What the page's own session gets from the interface."""
    answer = page.context.request.get(page.url.split("#")[0] + "api/v1" + path)
    assert answer.ok, answer.status
    return json.loads(answer.body())


def until(condition, timeout_s=30.0, what=""):
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never: {what or condition}")
