"""An alert as the list shows it: what an operator needs to decide at a glance, in both languages.

A row of the list is two hundred bytes of facts and the words for them; the whole alert is asked
for when somebody opens it.
"""

from typing import Any, Literal

import msgspec

from edge.protocol.commands import CaseMessage
from edge.protocol.messages import AlertMessage
from edge.text import LANGUAGES, reasons, strip_exercise

REASONS = 3
"""More than three reasons are not read at a glance (facts: fusion 3.2)."""


class ReasonBar(msgspec.Struct, frozen=True, kw_only=True):
    """One reason and how much of the weight it carries."""

    text: str
    share: float
    """Of all that speaks for it, 0 to 1."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What is read, in one language."""

    headline: str
    instruction: str
    reasons: list[ReasonBar]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The last revision of an alert, as a row of the list."""

    id: str
    seq: int
    """Of this revision."""
    first_seq: int
    """Of the first revision that is kept: the list's order, which never changes."""
    epoch: str
    revision: int
    event: str
    level: int
    probability: float | None
    place: str
    direction: str | None
    exercise: bool
    state: Literal["Alert", "Update", "Cancel"]
    onset: str
    updated: str
    committed_utc_ns: int
    evidence: int
    """How many files there are."""
    group: str | None
    members: int
    shelved_by: str | None
    withheld: list[str]
    """Fields that this side's release rules keep back."""
    words: dict[str, Words]
    """By language."""


class CaseChange(msgspec.Struct, frozen=True, kw_only=True):
    """How an alert stands between both sides now."""

    index: int
    """Place in the common record of the entry that led here."""
    case: CaseMessage


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Which sequence number a side's centre has stored, and is not owed any more."""

    side: str
    seq: int
    waiting: int


def summary_of(
    message: AlertMessage, *, first_seq: int, place: str, committed_utc_ns: int
) -> Summary:
    """The row of one revision."""
    handling = message.handling if isinstance(message.handling, msgspec.Struct) else None
    withheld = sorted(message.withheld) if isinstance(message.withheld, dict) else []
    return Summary(
        id=message.id,
        seq=message.seq,
        first_seq=first_seq,
        epoch=message.epoch,
        revision=message.revision,
        event=message.event,
        level=message.level,
        probability=message.probability,
        place=place,
        direction=message.direction,
        exercise=message.status == "Exercise",
        state=message.msg_type,
        onset=message.onset,
        updated=message.updated,
        committed_utc_ns=committed_utc_ns,
        evidence=len(message.evidence),
        group=_set(handling, "group"),
        members=len(_set(handling, "members") or ()),
        shelved_by=getattr(_set(handling, "shelved"), "by", None),
        withheld=withheld,
        words={language: _words(message, language) for language in LANGUAGES},
    )


def _words(message: AlertMessage, language: str) -> Words:
    info = next((one for one in message.info if one.language == language), None)
    info = info or next(iter(message.info), None)
    return Words(
        headline=message.event if info is None else strip_exercise(info.headline),
        instruction="" if info is None else info.instruction,
        reasons=[
            ReasonBar(text=text, share=round(share, 4))
            for text, share in reasons(message, language, REASONS)
        ],
    )


def _set(struct: msgspec.Struct | None, name: str) -> Any:  # noqa: ANN401 - whatever that field holds
    value = getattr(struct, name, None)
    return None if value is msgspec.UNSET else value
