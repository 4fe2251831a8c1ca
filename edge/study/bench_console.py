"""The operator's console, as people before it have it: in a real Chromium, over loopback.

Painted is the first frame after the row is in the page. Rendering is by software where there is
no graphics processor, which is the worst case. What eight viewers cost is measured at the
reference load, in windows with and without them by turns, so that the machine's noise is in both.
`--times` sets the seconds of that load.
"""

import datetime
import gzip
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from edge.console.build import BUILT, is_current
from edge.delivery.certificates import Authority
from edge.study import bench_load
from edge.study.bench_load_site import (
    SIDES,
    play,
    spawn,
    start_tls_broker,
    subscribe,
    wait_listening,
    write_config,
)
from edge.study.browser import BrowserMissing, Page, browser
from edge.study.console_alerts import SITE, Shown, rows, scan_of
from edge.study.console_viewers import Viewers, let_in
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from edge.study.ports import free_ports
from edge.study.replay_console import ReplayConsole

PAINTED, PAUSE_S = 100, 0.2
MANY = 10_000
SCROLL_S = 5.0
VIEWERS = 8
LOAD_S, WINDOW_S = 240, 20.0
SCAN_PX = (1200, 4000)
OUTAGE_S = 30.0
LISTENING_S = 60.0


def run(options: Options) -> list[Figure]:
    """All figures; those of the page are left out where there is no Chromium, which is said."""
    figures = [page_size()]
    try:
        with browser() as chromium:
            options.say("console: alerts committed and painted")
            figures += painted(chromium)
            options.say(f"console: {MANY:,} alerts")
            figures += many(chromium)
            options.say("console: a scan at full depth")
            figures.append(scan(chromium))
            options.say(f"console: the line dead for {OUTAGE_S:g} s")
            figures += outage(chromium)
    except BrowserMissing as missing:
        options.say(f"console: {missing}")
    options.say("console: the reference load, with and without viewers")
    return [*figures, *load(options)]


def page_size() -> Figure:
    """Everything that a browser fetches but pictures."""
    if not is_current():
        raise RuntimeError("the page is not built: ./garita console build")
    files = [path for path in BUILT.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    return at_most("console.page", size / 1e3, 150, "kB", f"{len(files)} files, gzip, all views")


@contextmanager
def station(number: int = 0) -> Iterator[tuple[ReplayConsole, Shown]]:
    """A console over an outbox of this process, with so many alerts in it."""
    with ReplayConsole(SITE, 0) as console:
        shown = Shown(console)
        shown.commit(rows(1, number))
        yield console, shown


def painted(chromium: Any) -> list[Figure]:  # noqa: ANN401 - Playwright's
    """From the commit's return to the frame in which the alert can be read."""
    with station(20) as (console, shown):
        page = Page(chromium, console.link)
        page.wait(".row")
        first_s = page.run("performance.now()") / 1e3  # since the navigation began
        page.run(_WATCH)
        committed: dict[str, float] = {}
        for row in rows(21, PAINTED):
            alert = json.loads(row.payload)["id"]
            shown.commit([row])
            committed[alert] = time.time() * 1e3
            time.sleep(PAUSE_S)
        time.sleep(1.0)
        seen: dict[str, float] = page.run("window.painted")
        page.close()
    waits = [seen[alert] - at for alert, at in committed.items() if alert in seen]
    how = f"n = {len(waits)} of {PAINTED}, headless Chromium, software rendering"
    return [
        plain("console.painted.p50", percentile(waits, 0.5), "ms", how),
        at_most("console.painted.p95", percentile(waits, 0.95), 250, "ms", how),
        at_most("console.painted.missed", PAINTED - len(waits), 0, "", "alerts never painted"),
        at_most("console.first_list", first_s, 1, "s", "from the link to the first row"),
    ]


_WATCH = """() => {
  window.painted = {};
  const look = () => {
    for (const row of document.querySelectorAll(".row")) {
      const id = row.id.slice(4);
      if (!(id in window.painted)) {
        window.painted[id] = null;
        requestAnimationFrame(() => { window.painted[id] = Date.now(); });
      }
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


def many(chromium: Any) -> list[Figure]:  # noqa: ANN401
    """Frames while all of a long list is scrolled through."""
    with station(MANY) as (console, _):
        page = Page(chromium, console.link)
        page.wait(".row")
        ends_s = time.monotonic() + 60
        while page.run(_NEWEST) < MANY and time.monotonic() < ends_s:
            time.sleep(0.2)  # the console is reading what was there before it
        began_s = time.monotonic()
        page.again()
        page.wait(".row")
        first_s = time.monotonic() - began_s
        while page.run("document.querySelector('.whole').offsetHeight / 104") < MANY * 0.99:
            page.run("document.querySelector('.list').scrollTop = 1e9")
            time.sleep(0.1)
            if time.monotonic() > ends_s:
                break
        rows_there = page.run("Math.round(document.querySelector('.whole').offsetHeight / 104)")
        page.run("document.querySelector('.list').scrollTop = 0")
        time.sleep(0.5)
        frames = page.run(_SCROLL, SCROLL_S * 1e3)
        page.close()
    steps = np.diff(frames)
    how = f"{rows_there:,} rows, {len(frames)} frames in {SCROLL_S:g} s, software rendering"
    return [
        at_least("console.scroll", 1e3 / float(np.mean(steps)), 50, "frames/s", how),
        plain("console.scroll.p95", percentile(steps.tolist(), 0.95), "ms", "of a frame"),
        at_most("console.first_of_many", first_s, 1, "s", f"first row of {MANY:,} alerts"),
    ]


_NEWEST = "async () => (await (await fetch('/api/v1/alerts?limit=1')).json()).seq"

_SCROLL = """(lasts) => new Promise((done) => {
  const list = document.querySelector(".list");
  const frames = [];
  const began = performance.now();
  const step = (at) => {
    frames.push(at);
    const share = (performance.now() - began) / lasts;
    if (share >= 1) return done(frames);
    list.scrollTop = share * (list.scrollHeight - list.clientHeight);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def scan(chromium: Any) -> Figure:  # noqa: ANN401
    """From asking for a dual-energy scan to its pixels on the screen."""
    waits = []
    with station() as (console, shown):
        row, record, name = scan_of(*SCAN_PX)
        console.whole.put(record, name)
        console.whole.wait(30.0)
        shown.commit([row])
        page = Page(chromium, console.link)
        page.wait(".row")
        alert = json.loads(row.payload)["id"]
        for _ in range(5):
            began_s = time.monotonic()
            page.run(f"location.hash = '#/xray/{alert}'")
            page.wait("html[data-scan-ms]", attached=True)
            page.wait(".xray canvas")
            waits.append(time.monotonic() - began_s)
            page.run(
                "() => { delete document.documentElement.dataset.scanMs;"
                " location.hash = '#/watch'; }"
            )
            page.wait(".watch")
        page.close()
    how = f"{SCAN_PX[0]} x {SCAN_PX[1]}, two planes of 16 bits, worst of {len(waits)}"
    return at_most("console.scan", max(waits), 1, "s", how)


def outage(chromium: Any) -> list[Figure]:  # noqa: ANN401
    """A line that goes dead without a word: how soon that is told, and what is missed."""
    from edge.study.faulty_line import FaultyLine  # noqa: PLC0415 - threads of its own

    with station(5) as (console, shown):
        port = int(console.link.split(":")[2].partition("/")[0])
        line = FaultyLine(port)
        page = Page(chromium, console.link.replace(f":{port}/", f":{line.port}/"))
        page.wait(".row")
        before = page.run("performance.timeOrigin")
        began_s = time.monotonic()
        line.become("frozen")
        page.wait(".banner.bad")
        told_s = time.monotonic() - began_s
        made = list(rows(6, 30))
        for row in made:
            shown.commit([row])
            time.sleep(OUTAGE_S / len(made))
        line.become("open")
        line.cut(politely=False)
        back_s = time.monotonic()
        page.gone(".banner.bad")
        back_s = time.monotonic() - back_s
        page.run("document.querySelector('.list').scrollTop = 0")
        time.sleep(1.0)
        height = page.run("Math.round(document.querySelector('.whole').offsetHeight / 104)")
        reloaded = page.run("performance.timeOrigin") != before
        page.close()
        line.close()
    how = f"network frozen for {OUTAGE_S:g} s, {len(made)} alerts meanwhile"
    return [
        at_most("console.outage.banner", told_s, 3, "s", how),
        at_most("console.outage.back", back_s, 5, "s", "banner gone after the line is back"),
        at_most("console.outage.missed", 5 + len(made) - height, 0, "", how),
        at_most("console.outage.reloads", int(reloaded), 0, "", "of the page"),
    ]


def load(options: Options) -> list[Figure]:
    """What eight viewers cost, and what alerts take meanwhile."""
    duration_s = options.times or LOAD_S
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-console-")))
        ports = free_ports(3)
        authority = Authority(folder / "tls", valid_for=datetime.timedelta(days=1))
        for side, port in zip(SIDES, ports, strict=False):
            start_tls_broker(stack, authority, folder / side, port)
        section = {"host": "127.0.0.1", "port": 0, "guest": "operator"}
        config = write_config(folder, ports, authority.issue("edge"), authority.ca, section)
        received = subscribe(stack, ports[0], authority.issue("viewer"), authority.ca)
        notes = {which: folder / f"{which}.txt" for which in ("lines", "scans")}
        feeders = [
            spawn(
                stack,
                folder / f"{which}.log",
                "edge.study.bench_feed",
                *map(str, (which, config, options.seed, duration_s, path)),
            )
            for which, path in notes.items()
        ]
        log = folder / "service.log"
        service = spawn(stack, log, "edge", "run", "--config", str(config))
        wait_listening(service, config, log)
        play(feeders)
        link = _link(log)
        cookie, pid = let_in(link), _console_of(service.pid)
        topics = topics_of(config)
        windows, costs, events = _by_turns(
            lambda: Viewers(link, cookie, VIEWERS, topics), pid, feeders[0], duration_s
        )
        sent = bench_load._sent(notes.values())
        waits: dict[bool, list[float]] = {True: [], False: []}
        for trigger, at_ns in received.rows:
            wait = bench_load.latency_ms(sent, trigger, at_ns)
            watched = next((on for first, last, on in windows if first <= at_ns < last), None)
            if wait is not None and watched is not None and not wait[0].startswith("xray"):
                waits[watched].append(wait[1])
    with_ms, without_ms = (percentile(waits[on], 0.99) for on in (True, False))
    how = (
        f"reference load, {duration_s} s in windows of {WINDOW_S:g} s by turns,"
        f" {len(topics)} live topics"
    )
    return [
        at_most("console.viewers", statistics.mean(costs[True]) * 100, 10, "% of a core",
                f"{VIEWERS} viewers, the console's process, {how}; {events:,} events"),
        plain("console.no_viewers", statistics.mean(costs[False]) * 100, "% of a core", how),
        at_most("console.fusion.p99", with_ms / max(without_ms, 1e-9), 1.1, "",
                f"{with_ms:.1f} ms (n = {len(waits[True])}) with, {without_ms:.1f} ms"
                f" (n = {len(waits[False])}) without"),
    ]  # fmt: skip


def topics_of(config: Path) -> list[str]:
    """Live values of every zone and lane, as a page with charts asks for them."""
    told = YAML(typ="safe").load(config.read_text("utf-8"))
    zones = [f"{one['id']}/ground" for one in told.get("zones", ())]
    lanes = [f"{one['id']}/{kind}" for one in told["lanes"] for kind in ("gamma", "neutron")]
    return [*zones, *lanes]


def _by_turns(
    watch: Callable[[], Viewers], pid: int, feeder: "subprocess.Popen[bytes]", duration_s: float
) -> tuple[list[tuple[int, int, bool]], dict[bool, list[float]], int]:
    """Windows (first, last ns, whether watched), what the console took in each, events sent."""
    windows: list[tuple[int, int, bool]] = []
    costs: dict[bool, list[float]] = {True: [], False: []}
    events, watched, ends_s = 0, False, time.monotonic() + duration_s
    while feeder.poll() is None and time.monotonic() < ends_s:
        viewers = watch() if watched else None
        time.sleep(1.0)  # what they get at first is not what watching costs
        cost, first_ns = bench_load.Cost(), time.monotonic_ns()
        cost.look(pid)
        time.sleep(WINDOW_S)
        cost.look(pid)
        windows.append((first_ns, time.monotonic_ns(), watched))
        costs[watched].append(cost.cores)
        if viewers is not None:
            viewers.end()
            events += viewers.events
        watched = not watched
    return windows, costs, events


def _link(log: Path) -> str:
    ends_s = time.monotonic() + LISTENING_S
    while time.monotonic() < ends_s:
        for line in log.read_text("utf-8").splitlines():
            if '"console listening"' in line:
                return str(json.loads(line)["link"])
        time.sleep(0.1)
    raise RuntimeError(f"the service has no console: {log.read_text('utf-8')[-500:]}")


def _console_of(service: int) -> int:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == service and b"edge.console.process" in words:
            return int(path.parent.name)
    raise RuntimeError("the console's process is not there")
