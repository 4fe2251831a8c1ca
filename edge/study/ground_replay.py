"""A recording of ground motion through `garita replay`: every alert, and every event that ended."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.study.ground_chain import RINGS
from edge.study.player import Player
from edge.study.replay import days
from fusion.types import Event

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the command tells of one file."""

    path: Path
    alerts: tuple[Told, ...]
    """Every revision."""
    ended: tuple[Told, ...]
    """The last detection of each event."""

    def last_of_each_alert(self) -> list[Told]:
        """The highest revision at each alert's highest level."""
        best: dict[str, Told] = {}
        for alert in self.alerts:
            if alert["level"] >= best.get(alert["id"], alert)["level"]:
                best[alert["id"]] = alert
        return list(best.values())

    def ringing(self, events: Iterable[Event]) -> int:
        """Alerts that rang at any time as one of these events."""
        names = {str(event) for event in events}
        return len(
            {
                alert["id"]
                for alert in self.alerts
                if alert["event"] in names and alert["level"] >= RINGS
            }
        )


def replayed(path: Path, settings: Iterable[tuple[str, str]] = ()) -> Replayed:
    """One file, with settings such as `("preset", "earthquake")`.

    ReplayError or OSError where it cannot be read.
    """
    shown = {
        show: [
            json.loads(line)
            for day in days([path], settings=list(settings))
            for line in Player(day, show=show).lines()
        ]
        for show in ("alerts", "detections")
    }
    alerts = tuple(one for one in shown["alerts"] if one["msg_type"] != "Cancel")
    last: dict[tuple[str, str], Told] = {}
    for one in shown["detections"]:
        if one["kind"] == "seismic.event":
            last[one["sensor"], one["start"]] = one
    return Replayed(path, alerts, tuple(last.values()))


def seconds(text: str) -> float:
    """Of an RFC 3339 time, since 1970."""
    return datetime.fromisoformat(text).timestamp()
