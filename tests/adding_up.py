"""Every alert that the fusion core makes in any test: does its table add up to what it says?

    prior + contributions = score          within 1e-9, for every explanation that is shown
    softmax of the scores = probabilities  within 1e-9; they add to 1
    ages                                   never below 0

`watch()` wraps the two calls by which every alert leaves the fuser, and with it the engine and the
service; `tests/conftest.py` lets no test pass whose alerts do not add up. Claims that a test of the
alarm book makes up have no table, and are not the core's.
"""

import functools
import math
from collections.abc import Callable, Iterator

from fusion.fuser import Fuser
from fusion.questions import EVENTS, KINDRED
from fusion.types import Alert, Event

CLOSE = 1e-9


class Watch:
    """What was wrong with alerts since somebody asked last."""

    def __init__(self) -> None:
        self.seen = 0
        self._wrong: list[str] = []

    def look(self, alert: Alert) -> None:
        """Check one alert."""
        self.seen += 1
        self._wrong += [f"{alert.event} {alert.alert_id}: {text}" for text in mistakes(alert)]

    def take(self) -> list[str]:
        """What was wrong; it is forgotten."""
        wrong, self._wrong = self._wrong, []
        return wrong


WATCH = Watch()


def watch() -> None:
    """Look at all alerts from now on."""
    for name in ("take", "tick"):
        setattr(Fuser, name, _looked_at(getattr(Fuser, name)))


def _looked_at(told: Callable[..., list[Alert]]) -> Callable[..., list[Alert]]:
    @functools.wraps(told)
    def wrapped(*given: object, **named: object) -> list[Alert]:
        alerts = told(*given, **named)
        for alert in alerts:
            WATCH.look(alert)
        return alerts

    return wrapped


def mistakes(alert: Alert) -> Iterator[str]:
    """Whatever does not add up in an alert, each in words."""
    shares = dict(alert.explanations)
    total = math.fsum(shares.values())
    if len(shares) != len(alert.explanations) or abs(total - 1.0) > CLOSE:
        yield f"probabilities add to {total!r}"
    rows: dict[str, list[float]] = {}
    for row in alert.contributions:
        rows.setdefault(row.explanation, []).append(row.nats)
        if not row.age_s >= 0.0:
            yield f"{row.source} {row.kind} is {row.age_s!r} s old"
    scores = {name: math.fsum(nats) for name, nats in rows.items()}
    main = alert.facts.get("explanation")
    if main not in scores:
        yield f"no table for its explanation {main!r}"
    elif not abs(scores[str(main)] - alert.score_nats) <= CLOSE:
        yield f"prior and contributions of {main} add to {scores[str(main)]!r}"
    for name, nats in scores.items():
        if not abs(_nats(shares.get(name, 0.0), shares["nothing"]) - nats) <= CLOSE:
            yield f"{name} has {nats!r} nats and probability {shares.get(name)!r}"
    whole = _probability(alert.event, shares)
    if not abs(alert.probability - whole) <= CLOSE:
        yield f"its probability is {alert.probability!r}, its explanations have {whole!r}"


def _nats(share: float, nothing: float) -> float:
    return math.log(share / nothing) if share > 0.0 and nothing > 0.0 else -math.inf


def _probability(event: Event, shares: dict[str, float]) -> float:
    """Of an event: of all explanations that are the same to the operator."""
    if event is Event.RAD_OVERRANGE:  # it is that whatever explains it
        return 1.0 - shares["nothing"]
    kin = next((kin for kin in KINDRED if event in kin), (event,))
    return math.fsum(share for name, share in shares.items() if EVENTS.get(name) in kin)
