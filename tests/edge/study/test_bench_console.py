"""The console's bench in short: what it measures is there, and measured where it says."""

import pytest

from edge.console.build import is_current
from edge.study import bench_console
from edge.study.browser import BrowserMissing, browser
from edge.study.console_alerts import rows
from edge.study.console_viewers import Viewers, let_in

needs_page = pytest.mark.skipif(not is_current(), reason="needs the page: ./garita console build")


@needs_page
def test_the_page_is_within_its_size():
    figure = bench_console.page_size()
    assert figure.reached
    assert figure.value > 20


@needs_page
def test_alerts_are_painted_and_each_is_counted(monkeypatch):
    monkeypatch.setattr(bench_console, "PAINTED", 8)
    try:
        with browser() as chromium:
            figures = {one.name: one for one in bench_console.painted(chromium)}
    except BrowserMissing as missing:
        pytest.skip(str(missing))
    assert figures["console.painted.missed"].value == 0
    assert 0 < figures["console.painted.p50"].value <= figures["console.painted.p95"].value


def test_viewers_are_told_everything_and_leave():
    with bench_console.station() as (console, shown):
        viewers = Viewers(console.link, let_in(console.link), 3, ["nb-01/gamma"])
        try:
            for row in rows(1, 5):
                shown.commit([row])
            wait = 200
            while viewers.events < 3 * 5 and wait:
                bench_console.time.sleep(0.05)
                wait -= 1
            assert viewers.events >= 3 * 5
        finally:
            viewers.end()
        assert not any(thread.is_alive() for thread in viewers._threads)
