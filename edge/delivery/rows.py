"""What the outbox holds: rows, the marks that name them, retained topics, dead letters."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

COLUMNS = (
    "seq, epoch, exercise, topic, payload, active_topic, active_payload, "
    "level, created_utc_ns, properties"
)
"""Of the table `row`, in the order of `row_values`."""


EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a row and is sent before it."""

    n: int
    """Counts the files of an alert."""
    topic: str
    name: str
    media_type: str
    sha256: str
    payload: bytes

    @property
    def part(self) -> str:
        """What it is called among the dead letters."""
        return f"{EVIDENCE}/{self.n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What one side gets of a row in place of the whole (see `edge.delivery.release`)."""

    side: str
    topic: str
    payload: bytes
    active_topic: str
    active_payload: bytes
    properties: tuple[tuple[str, str], ...] = ()
    withheld: tuple[int, ...] = ()
    """Numbers of the files that it does not get."""
    rules: tuple[str, ...] = ()
    """Names of the rules that withhold something, in alphabetical order."""


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
    attachments: tuple[Attachment, ...] = ()
    """To be committed with it. A row that is read has none: they are large, and are read when
    its turn has come (`Outbox.attachments`)."""
    variants: tuple[Variant, ...] = ()
    """For the sides that get less than the whole; to be committed with it. A row that is read
    for a side is that side's, and has none."""

    @property
    def size(self) -> int:
        """Bytes of everything that is kept of it."""
        files = sum(len(each.payload) for each in self.attachments)
        less = sum(len(each.payload) + len(each.active_payload) for each in self.variants)
        return len(self.payload) + len(self.active_payload) + files + less

    def told_to(self, side: str) -> "Row":
        """The row as a side gets it."""
        for each in self.variants:
            if each.side == side:
                files = tuple(one for one in self.attachments if one.n not in each.withheld)
                return replace(
                    self, topic=each.topic, payload=each.payload, active_topic=each.active_topic,
                    active_payload=each.active_payload, properties=each.properties,
                    attachments=files, variants=(),
                )  # fmt: skip
        return replace(self, variants=())

    def digests(self, sides: Iterable[str]) -> dict[str, str]:
        """SHA-256 of the payload that each side gets.

        None of the whole where another side gets less: from what it was told it could try what
        it was not, until the digest is the same. The whole carries the site's signature.
        """
        less = {each.side: each.payload for each in self.variants}
        told = less if less else dict.fromkeys(sides, self.payload)
        return {side: hashlib.sha256(told[side]).hexdigest() for side in sides if side in told}

    def withheld(self) -> dict[str, list[str]]:
        """Names of the rules that withhold something, by the sides that get less."""
        return {each.side: list(each.rules) for each in self.variants}


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
    """`"alert"`, `"active"`, or `"evidence/2"` for the second file of the alert."""
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
