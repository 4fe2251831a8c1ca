"""What the outbox holds: rows, the marks that name them, retained topics, dead letters."""

import json
from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "seq, epoch, exercise, topic, payload, active_topic, active_payload, "
    "level, created_utc_ns, properties"
)
"""Of the table `row`, in the order of `row_values`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One revision of an alert, ready to be published."""

    seq: int
    epoch: str
    exercise: bool
    topic: str
    payload: bytes
    active_topic: str
    """Retained topic of the alert; `""` where it has none."""
    active_payload: bytes
    """What is retained there from now on; empty clears it."""
    level: int
    created_utc_ns: int
    properties: tuple[tuple[str, str], ...] = ()
    """MQTT user properties beside `schema`, `epoch`, `seq` and `after`, which every alert has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row by name: which boot counted it, and its number. `("", 0)` is before the first."""

    epoch: str
    seq: int


ORIGIN = Mark(epoch="", seq=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveTopic:
    """The last word on a retained topic."""

    topic: str
    payload: bytes
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What a side will not get, and why."""

    side: str
    seq: int
    part: str
    """`"alert"` or `"active"`."""
    epoch: str
    topic: str
    reason: str
    created_utc_ns: int


def row_values(row: Row) -> tuple[object, ...]:
    """A row as the table takes it."""
    return (
        row.seq, row.epoch, int(row.exercise), row.topic, row.payload, row.active_topic,
        row.active_payload, row.level, row.created_utc_ns, json.dumps(row.properties),
    )  # fmt: skip


def read_row(values: tuple[Any, ...]) -> Row:
    """A row as the table gives it."""
    seq, epoch, exercise, topic, payload, active_topic, active_payload, level, created, props = (
        values
    )
    return Row(
        seq=seq, epoch=epoch, exercise=bool(exercise), topic=topic, payload=payload,
        active_topic=active_topic, active_payload=active_payload, level=level,
        created_utc_ns=created, properties=tuple((k, v) for k, v in json.loads(props)),
    )  # fmt: skip


def read_dead_letter(values: tuple[Any, ...]) -> DeadLetter:
    """A dead letter as the table gives it."""
    side, seq, part, epoch, topic, reason, created = values
    return DeadLetter(
        side=side, seq=seq, part=part, epoch=epoch, topic=topic, reason=reason,
        created_utc_ns=created,
    )  # fmt: skip
