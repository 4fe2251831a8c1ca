"""What a viewer of both brokers knows: alerts, who has them, and how the edge is.

Payloads in, entries out; no socket, no clock, no terminal. Both brokers carry the same
stream, so an alert is known by (site, epoch, seq) and shown once, with the sides that have it.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from edge.protocol.contract import (
    AlertMessage,
    HealthMessage,
    SensorHealth,
    SideHealth,
    StateMessage,
)
from edge.protocol.topics import EXERCISE_ROOT, ROOT

BOTH_SIDES_WAIT_S = 0.5
"""How long an alert waits for the other side's copy before it is shown with one side only.
Both brokers get it within milliseconds; a person does not notice half a second."""
REMEMBERED = 2000
"""Alerts whose key is kept; more than a day at the budget of six an hour per operator."""

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An alert that is to be shown."""

    message: AlertMessage
    payload: bytes
    exercise: bool
    sides: tuple[str, ...]
    """The sides whose broker has it, in the viewer's order."""
    already_active: bool
    """It was there before the viewer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something else that a person should know."""

    name: str
    """Phrase of the catalogue, below `screen`."""
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One side, as the status line shows it."""

    side: str
    connected: bool
    """This viewer to that side's broker."""
    delivery: SideHealth | None
    """The edge to that side's broker, by its own word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of everything, for one line."""

    states: tuple[tuple[str, str, str], ...]
    """(site, side, state of the edge as that side's broker has it)."""
    sensors: tuple[SensorHealth, ...]
    links: tuple[Link, ...]
    last_alert_age_s: float | None
    unreadable: int
    """Messages that were not what their topic promises."""


@dataclass(slots=True)
class _Heard:
    message: AlertMessage
    payload: bytes
    exercise: bool
    since_s: float
    retained: bool
    sides: set[str] = field(default_factory=set)
    shown: bool = False


class Board:
    """Collects what the brokers of the sides say."""

    def __init__(self, sides: Sequence[str]) -> None:
        self._sides = tuple(sides)
        self._up: dict[str, bool] = {}
        self._heard: OrderedDict[Key, _Heard] = OrderedDict()
        self._pending: deque[_Heard] = deque()
        self._late: dict[str, int] = {}
        self._notices: list[Notice] = []
        self._health: dict[tuple[str, str], HealthMessage] = {}
        self._states: dict[tuple[str, str], str] = {}
        self._last_alert_s: float | None = None
        self._unreadable = 0

    def link(self, side: str, connected: bool) -> None:
        """The viewer's connection to a side's broker came up or was lost."""
        if self._up.get(side) != connected:
            name = "link_up" if connected else "link_down"
            self._notices.append(Notice(name=name, facts={"side": side}))
        self._up[side] = connected

    def message(
        self, side: str, topic: str, payload: bytes, now_s: float, *, retained: bool = False
    ) -> None:
        """A message of a side's broker; one that cannot be read is only counted."""
        kind = _kind(topic)
        if kind is None or not payload:  # an active alert is cleared by an empty payload
            return
        try:
            if kind == "health":
                self._take_health(_HEALTH.decode(payload))
            elif kind == "state":
                self._take_state(side, _STATE.decode(payload))
            else:
                self._take_alert(side, topic, payload, now_s, retained)
        except (ValueError, RecursionError):  # deep nesting is the one that is no ValueError
            self._unreadable += 1

    def take(self, now_s: float) -> list[Entry | Notice]:
        """What is to be shown now, oldest first."""
        shown: list[Entry | Notice] = list(self._notices)
        self._notices.clear()
        # In the order they came: one that waits for its other copy holds up the next.
        while self._pending and self._complete(self._pending[0], now_s):
            heard = self._pending.popleft()
            heard.shown = True
            shown.append(self._entry(heard))
        shown += [
            Notice(name="caught_up", facts={"side": side, "n": n}) for side, n in self._late.items()
        ]
        self._late.clear()
        return shown

    def status(self, now_s: float) -> Status:
        """How everything is."""
        newest = max(self._health.values(), key=lambda each: each.updated, default=None)
        delivery = {each.side: each for each in newest.sides} if newest else {}
        return Status(
            states=tuple((*key, state) for key, state in sorted(self._states.items())),
            sensors=tuple(
                sensor for _, health in sorted(self._health.items()) for sensor in health.sensors
            ),
            links=tuple(
                Link(side=side, connected=self._up.get(side, False), delivery=delivery.get(side))
                for side in self._sides
            ),
            last_alert_age_s=None if self._last_alert_s is None else now_s - self._last_alert_s,
            unreadable=self._unreadable,
        )

    def _take_alert(
        self, side: str, topic: str, payload: bytes, now_s: float, retained: bool
    ) -> None:
        message = _ALERT.decode(payload)
        key = (message.site, message.epoch, message.seq)
        heard = self._heard.get(key)
        if heard is None:
            # The root decides as well: nothing below the exercise root may ring as real.
            exercise = message.status == "Exercise" or topic.startswith(EXERCISE_ROOT + "/")
            heard = _Heard(message, payload, exercise, now_s, retained)
            self._heard[key] = heard
            self._pending.append(heard)
            self._last_alert_s = now_s
            if len(self._heard) > REMEMBERED:
                self._heard.popitem(last=False)
        elif side not in heard.sides and heard.shown:
            self._late[side] = self._late.get(side, 0) + 1
        heard.sides.add(side)

    def _complete(self, heard: _Heard, now_s: float) -> bool:
        expected = {side for side in self._sides if self._up.get(side)}
        return expected <= heard.sides or now_s - heard.since_s >= BOTH_SIDES_WAIT_S

    def _entry(self, heard: _Heard) -> Entry:
        return Entry(
            message=heard.message,
            payload=heard.payload,
            exercise=heard.exercise,
            sides=tuple(side for side in self._sides if side in heard.sides),
            already_active=heard.retained,
        )

    def _take_health(self, health: HealthMessage) -> None:
        key = (health.site, health.place)
        known = self._health.get(key)
        if known is None or known.updated <= health.updated:
            self._health[key] = health

    def _take_state(self, side: str, state: StateMessage) -> None:
        # Each broker keeps its own: one may have lost the edge while the other has not.
        key = (state.site, side)
        if self._states.get(key) != state.state:
            facts: dict[str, str | int] = {"site": state.site, "side": side}
            self._notices.append(Notice(name=f"edge_{state.state}", facts=facts))
        self._states[key] = state.state


_ALERT = msgspec.json.Decoder(AlertMessage)
_HEALTH = msgspec.json.Decoder(HealthMessage)
_STATE = msgspec.json.Decoder(StateMessage)


def _kind(topic: str) -> str | None:
    """`alert` (stream or active), `health` or `state`; None for what a viewer does not show."""
    for root in (ROOT, EXERCISE_ROOT):
        if topic.startswith(root + "/"):
            levels = topic[len(root) + 1 :].split("/")
            break
    else:
        return None
    match levels:
        case [_, "state"]:
            return "state"
        case ["ops", *_]:
            return None
        case [_, _, "health"]:
            return "health"
        case [_, _, "alert"] | [_, _, "active", _]:
            return "alert"
    return None


def filters(site: str | None) -> list[str]:
    """Topic filters for everything that a viewer shows, of one site or of all."""
    name = site or "+"
    below = [f"{name}/+/alert", f"{name}/+/active/+", f"{name}/state", f"{name}/+/health"]
    # A site of simulators alone shows even its state below the exercise root only.
    return [f"{root}/{each}" for root in (ROOT, EXERCISE_ROOT) for each in below]
