"""`garita demo`: the main job with nothing attached.

Two brokers, the simulators on their real wires and the service run as children; this process
only watches both brokers, as any centre could. Everything ends with it.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
import webbrowser
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.delivery.broker import BrokerProcess, start_broker
from edge.errors import EXIT_OK
from edge.kernel_cache import COMPILES
from edge.protocol.topics import EXERCISE_ROOT
from edge.terminal import children
from edge.terminal.children import Child
from edge.terminal.demo_setup import LOOPBACK, SIDES, check_ports, effective_config
from edge.terminal.stream import SYMBOLS, Screen, open_screen
from edge.terminal.tally import Tally
from edge.terminal.viewer import Viewer
from edge.terminal.watch import ending_calmly, targets_of
from edge.text import say, word
from simulators.scenario import Scenario
from simulators.scripts import SCENARIOS

SCENARIO = "demo"
RELINK_S = 6.0
"""Between two days: the service's longest pause before it looks for a sensor again is 5 s."""
GO = "go"
"""What `simulate --hold` waits for on its stdin."""
EXIT_FAILED = 1
LISTENING = "console listening"
"""What the service's log calls it."""


@dataclass(slots=True)
class Day:
    """One run of the scenario."""

    scenario: Scenario
    simulators: Child
    begun_s: float | None = None
    """Monotonic; None while the simulators hold."""
    begun_utc_ns: int = 0


@dataclass(slots=True)
class Demo:
    """Everything that runs, and what was seen of it."""

    arguments: argparse.Namespace
    config: Path
    broker: str
    """What the brokers are, `mosquitto` or `iotcore`."""
    screen: Screen
    viewer: Viewer
    running: list[Child]
    """The service and the simulators."""
    day: Day
    started_s: float
    tally: Tally = field(default_factory=Tally)
    begun_s: float | None = None
    """Monotonic; when the first day began."""
    first_alert_s: float | None = None
    console: str = ""
    """The link that lets somebody in, once it was told."""

    def say(self, name: str, /, **facts: object) -> None:
        """A phrase of the catalogue, on the screen."""
        self.screen.say(say("demo", name, self.arguments.language, **facts))


def main(arguments: argparse.Namespace) -> int:
    """Run the demo for a while or until Ctrl+C. BrokerUnavailable where a port is taken."""
    started_s = time.monotonic()
    check_ports(arguments)
    with ending_calmly(), contextlib.ExitStack() as stack:
        try:
            demo = _start(stack, arguments, started_s)
            _introduce(demo)
            failed = _run(demo)
        except KeyboardInterrupt:  # while it was still starting
            return EXIT_OK
        demo.viewer.stop()
        if failed is not None:
            demo.say("failed", name=failed.name, code=failed.code)
            demo.screen.say(failed.said())
            return EXIT_FAILED
        _summarise(demo)
    return EXIT_OK


# --- start -----------------------------------------------------------------------------


def _start(stack: contextlib.ExitStack, arguments: argparse.Namespace, started_s: float) -> Demo:
    """Start everything at once, what takes longest first; it ends in the other order."""
    temporary = tempfile.TemporaryDirectory(prefix="garita-demo-", ignore_cleanup_errors=True)
    directory = Path(stack.enter_context(temporary))
    config = directory / "demo.yaml"
    config.write_text(json.dumps(effective_config(arguments, directory), indent=2), "utf-8")
    brokers: list[BrokerProcess] = []
    running: list[Child] = []
    stack.callback(_stop, brokers)
    stack.callback(children.end, running)
    running.append(Child("service", ["run", "--config", str(config)], directory / "service.log"))
    day = _open_day(running, config, arguments.seed)
    for side, port in zip(SIDES, (arguments.north_port, arguments.south_port), strict=True):
        brokers.append(start_broker(port, directory / side))
    screen = open_screen(arguments.language)
    stack.callback(screen.close)
    urls = [f"{side}={broker.url}" for side, broker in zip(SIDES, brokers, strict=True)]
    viewer = Viewer(targets_of(urls), screen)
    stack.callback(viewer.stop)
    viewer.start()
    return Demo(
        arguments=arguments,
        config=config,
        broker=brokers[0].kind,
        screen=screen,
        viewer=viewer,
        running=running,
        day=day,
        started_s=started_s,
    )


def _stop(brokers: list[BrokerProcess]) -> None:
    for broker in brokers:
        broker.stop()


def _open_day(running: list[Child], config: Path, seed: int) -> Day:
    """Open the simulators' wires; they hold until told to go."""
    words = ["simulate", "--scenario", SCENARIO, "--seed", str(seed), "--serve", "--hold"]
    log = config.with_name("simulators.log")
    simulators = Child("simulators", [*words, "--config", str(config)], log)
    running.append(simulators)
    return Day(scenario=SCENARIOS[SCENARIO](seed, time.time_ns()), simulators=simulators)


def _introduce(demo: Demo) -> None:
    arguments, screen = demo.arguments, demo.screen
    kinds = Counter(sensor.kind.partition("-")[0] for sensor in demo.day.scenario.sensors)
    demo.say("title")
    demo.say("simulated", radiation=kinds["rpm"], xray=kinds["xray"], seismic=kinds["shake"])
    demo.say("real", broker=demo.broker)
    demo.say("subscribe")
    ports = (arguments.north_port, arguments.south_port)
    for port in ports:
        screen.say(f"  mosquitto_sub -p {port} -V mqttv5 -t '{EXERCISE_ROOT}/#' -v")
    demo.say("watch")
    screen.say("  ./garita watch " + " ".join(f"mqtt://{LOOPBACK}:{port}" for port in ports))
    demo.say("metrics", url=f"http://{LOOPBACK}:{arguments.http_port}/metrics")
    demo.say("starting")


# --- run -------------------------------------------------------------------------------


def _run(demo: Demo) -> Child | None:
    """Watch until the time is over or Ctrl+C; a child that failed ends it too."""
    try:
        while not _over(demo):
            demo.viewer.turn()
            _count(demo)
            _tell_service(demo)
            if failed := _failed(demo):
                return failed
            _turn_day(demo)
    except KeyboardInterrupt:
        pass  # the usual end
    return None


def _over(demo: Demo) -> bool:
    """`--for` counts from where the first day begins: starting is not part of the show."""
    limit_s: float | None = demo.arguments.for_s
    if limit_s is None or demo.begun_s is None:
        return False
    return time.monotonic() - demo.begun_s >= limit_s


def _count(demo: Demo) -> None:
    for entry in demo.viewer.entries:
        demo.tally.add(entry.message)
        if demo.first_alert_s is None and len(entry.sides) == len(SIDES):
            demo.first_alert_s = time.monotonic() - demo.started_s
            demo.say("first_alert", seconds=demo.first_alert_s)


def _tell_service(demo: Demo) -> None:
    """What the service's log says that a person wants to know: kernels, and where the console is.

    Before it is ready it says nothing to the brokers.
    """
    if demo.console:
        return
    for line in demo.running[0].says():
        if facts := _compiled(line):
            if demo.begun_s is None:
                demo.say("compiling", **facts)
        elif link := _console(line):
            demo.console = link
            demo.say("console")
            demo.screen.say(f"  {link}")
            _open_browser(link)


def _compiled(line: str) -> dict[str, float]:
    """How far the kernels are, where a line of the log tells it."""
    told = _told(line, COMPILES)
    with contextlib.suppress(ValueError, LookupError, TypeError, OverflowError):
        numbers = {"done": told["done"], "about": told["about"], "seconds": told["after_s"]}
        return {name: int(number) for name, number in numbers.items()}
    return {}


def _console(line: str) -> str:
    """The link that lets somebody into the console, where a line of the log tells it."""
    link = _told(line, LISTENING).get("link", "")
    return link if isinstance(link, str) else ""


def _told(line: str, event: str) -> dict[str, Any]:
    """A line of that event; empty where it is another. The log may say anything."""
    if not line.startswith("{") or event not in line:
        return {}
    with contextlib.suppress(ValueError):
        told = json.loads(line)
        if isinstance(told, dict) and told.get("event") == event:
            return told
    return {}


def _open_browser(link: str) -> None:
    """Where there is a desktop; the link is good once, so nobody else's page is opened by it."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(link)


def _failed(demo: Demo) -> Child | None:
    """A child that ended by itself; simulators may, at the end of their day."""
    for child in demo.running:
        day_over = child is demo.day.simulators and child.code == EXIT_OK
        if child.code is not None and not day_over:
            return child
    return None


def _turn_day(demo: Demo) -> None:
    """Begin the first day once the service is ready, another one once that is over."""
    day, now_s = demo.day, time.monotonic()
    if day.begun_s is None:
        ready = any(state == "ready" for *_, state in demo.viewer.board.status(now_s).states)
        if ready:
            _begin(demo, day, now_s)
            demo.begun_s = now_s
            demo.say("begins")
    elif day.simulators.code is not None:
        demo.running.remove(day.simulators)
        seed = day.scenario.seed + 1
        demo.say("again")
        demo.day = _open_day(demo.running, demo.config, seed)
        _begin(demo, demo.day, now_s + RELINK_S)
    elif now_s >= day.begun_s and not day.begun_utc_ns:
        _go(day)


def _begin(demo: Demo, day: Day, at_s: float) -> None:
    day.begun_s = at_s
    if at_s <= time.monotonic():
        _go(day)


def _go(day: Day) -> None:
    day.begun_utc_ns = time.time_ns()
    day.simulators.tell(GO)


# --- end -------------------------------------------------------------------------------


def _summarise(demo: Demo) -> None:
    """Alerts by event, and what was simulated against what was said."""
    language = demo.arguments.language
    now_s = time.monotonic()
    demo.screen.say("")
    demo.say("ended", seconds=now_s - demo.started_s)
    if demo.first_alert_s is not None:
        demo.say("first_alert", seconds=demo.first_alert_s)
    for event, n, level in demo.tally.events:
        told = say("demo", "alerts", language, n=n, event=event)
        demo.screen.say(f"  {SYMBOLS[level]} {word('level', str(level), language):<11}  {told}")
    if not demo.tally.events:
        demo.say("no_alert")
    day = demo.day
    if not day.begun_utc_ns or day.begun_s is None:
        return
    truths = day.scenario.truth
    demo.say("labels")
    for verdict in demo.tally.verdicts(truths, day.begun_utc_ns, now_s - day.begun_s):
        truth = verdict.truth
        demo.screen.say(
            "  "
            + say(
                "demo",
                "label",
                language,
                verdict=say("demo", "found" if verdict.said else "missed", language),
                name=word("truth", truth.name, language),
                place=truth.place,
                said=", ".join(verdict.said or truth.events),
            )
        )
    unexpected = demo.tally.unexpected(truths, day.begun_utc_ns)
    for message in unexpected:
        place = message.lane or message.zone or message.site
        demo.say("unexpected", event=message.event, place=place, level=message.level)
    if not unexpected:
        demo.say("none_unexpected")
