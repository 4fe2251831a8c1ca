"""`garita watch URL ...`: an operator's view of the alert stream of any broker, read only."""

import argparse
import math
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from types import FrameType

import msgspec

from edge.arguments import NORTH_PORT, SOUTH_PORT
from edge.errors import EXIT_OK, EXIT_USAGE, BrokerUnavailable
from edge.settings.addresses import broker_address
from edge.terminal.board import Entry, Notice, Status
from edge.terminal.stream import Screen, open_screen
from edge.terminal.viewer import Access, Target, Viewer

FIRST_CONNECT_S = 5.0
"""As a sensor's default timeout; a broker that needs longer is not there."""


class JsonScreen:
    """JSON Lines: one object per alert, with the sides that have it."""

    def show(self, items: Iterable[Entry | Notice]) -> None:
        """Alerts only; the rest is not data."""
        for item in items:
            if isinstance(item, Entry):
                # As it came, but on one line whatever the sender's taste in white space.
                alert = msgspec.Raw(msgspec.json.format(item.payload, indent=-1))
                line = {"sides": item.sides, "alert": alert}
                sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()

    def say(self, text: str) -> None:
        """Not data, so to stderr."""
        print(text, file=sys.stderr)  # noqa: T201 - to a person

    def status(self, status: Status, now_s: float) -> None:
        """Nothing: a program asks /metrics."""

    def close(self) -> None:
        """Nothing to undo."""


def main(arguments: argparse.Namespace) -> int:
    """Show the alerts of one or several brokers until Ctrl+C."""
    try:
        targets = targets_of(arguments.urls)
    except ValueError as error:
        print(f"garita watch: {error}", file=sys.stderr)  # noqa: T201 - to a person
        return EXIT_USAGE
    access = _access(arguments)
    screen: Screen = JsonScreen() if arguments.json else open_screen(arguments.language)
    viewer = Viewer(
        targets, screen, site=arguments.site, access=access, evidence=arguments.evidence
    )
    reasons = Reasons(viewer, targets, screen)
    deadline = None if arguments.for_s is None else time.monotonic() + arguments.for_s
    with ending_calmly():
        try:
            viewer.start()
            _wait_for_one(viewer, reasons, deadline)
            while deadline is None or time.monotonic() < deadline:
                viewer.turn()
                reasons.tell()
        except KeyboardInterrupt:
            pass  # the usual end of watching
        finally:
            screen.close()
            viewer.stop()
    return EXIT_OK


def _access(arguments: argparse.Namespace) -> Access:
    password = None
    if arguments.password_file is not None:
        try:
            password = arguments.password_file.read_text("utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise BrokerUnavailable(f"--password-file cannot be read: {error}") from error
    return Access(
        ca=arguments.ca,
        cert=arguments.cert,
        key=arguments.key,
        username=arguments.username,
        password=password,
    )


def targets_of(urls: Sequence[str]) -> list[Target]:
    """Brokers and their sides. ValueError says which address is wrong.

    The demo's ports tell the sides apart; elsewhere the first is north and the second south,
    and `side=URL` says otherwise.
    """
    targets: list[Target] = []
    for index, url in enumerate(urls):
        name, equals, rest = url.partition("=")
        if not equals or "/" in name:
            name, rest = "", url
        try:
            address = broker_address(rest)
        except ValueError as error:
            raise ValueError(f"{rest}: {error}") from None
        targets.append(Target(side=name or _side(address.port, index), address=address))
    sides = [target.side for target in targets]
    if len(set(sides)) < len(sides):
        raise ValueError("two brokers of one side; write side=URL to tell them apart")
    return targets


def _side(port: int, index: int) -> str:
    by_port = {NORTH_PORT: "north", SOUTH_PORT: "south"}
    return by_port.get(port) or (["north", "south"][index] if index < 2 else f"side-{index + 1}")


class Reasons:
    """Says once why a side's broker is not connected, and again when the reason is another."""

    def __init__(self, viewer: Viewer, targets: Sequence[Target], screen: Screen) -> None:
        self._viewer, self._targets, self._screen = viewer, targets, screen
        self._told: dict[str, str] = {}

    def tell(self) -> None:
        """What is new, a line each."""
        now = dict(self._viewer.refusals)
        for target in self._targets:
            reason = now.get(target.side)
            if reason is not None and reason != self._told.get(target.side):
                self._screen.say(f"{target.side} {target.address}: {reason}")
        self._told = now

    def all(self) -> str:
        """Every side's reason."""
        return "; ".join(
            f"{target.side} {target.address}: {self._viewer.refusals.get(target.side, 'no answer')}"
            for target in self._targets
        )


def _wait_for_one(viewer: Viewer, reasons: Reasons, deadline: float | None) -> None:
    """Turn until a broker answers. BrokerUnavailable where none does in time."""
    began = time.monotonic()
    until = min(began + FIRST_CONNECT_S, deadline or math.inf)
    while not viewer.connected:
        viewer.turn()
        reasons.tell()
        if not viewer.connected and time.monotonic() >= until:
            raise BrokerUnavailable(
                f"no broker answers within {until - began:.1f} s ({reasons.all()}); "
                "start one with `garita demo`, or check the address"
            )


class ending_calmly:  # noqa: N801 - reads as a phrase: with ending_calmly()
    """SIGTERM, and a terminal that was closed, end a command like Ctrl+C does.

    So the terminal and the children are left in order. For the main thread only.
    """

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
