"""A headless Chromium for what has to be measured in one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 720}
WAIT_MS = 45_000


class BrowserMissing(Exception):  # noqa: N818 - says what happened
    """There is no Chromium, or nothing to drive it with; the message says what to install."""


@contextmanager
def browser() -> Iterator[Any]:
    """One that ends with the block. BrowserMissing."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BrowserMissing("no Chromium: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for tests and benches
    except ImportError:
        raise BrowserMissing("no Playwright: run ./garita test once, which installs it") from None
    with sync_playwright() as running:
        started = running.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


class Page:
    """One page of its own, let in by a one-time link."""

    def __init__(self, chromium: Any, link: str) -> None:  # noqa: ANN401 - Playwright's
        self._context = chromium.new_context(viewport=SIZE, locale="en-US")
        self._page = self._context.new_page()
        self._page.set_default_timeout(WAIT_MS)
        self._page.goto(link)

    def wait(self, selector: str, *, attached: bool = False) -> None:
        """Until there is such an element."""
        self._page.wait_for_selector(selector, state="attached" if attached else "visible")

    def gone(self, selector: str) -> None:
        """Until there is none."""
        self._page.wait_for_selector(selector, state="detached")

    def run(self, script: str, argument: object = None) -> Any:  # noqa: ANN401
        """What a script in the page gives back."""
        return self._page.evaluate(script, argument)

    def again(self) -> None:
        """Load it again."""
        self._page.reload()

    def close(self) -> None:
        """Close it."""
        self._context.close()
