"""What a centre may ask of a site below `{site}/cmd/{verb}`, and the answer.

Read strictly: what was meant otherwise than it is understood would leave an alert untold.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Reason = Annotated[str, Meta(max_length=200, pattern=r"\S")]
Scope = Annotated[str, Meta(max_length=64)]


class ShelveMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Not to be rung for something until a time, `garita.shelve/1`; never for a source."""

    schema: Literal["garita.shelve/1"] = "garita.shelve/1"
    until: Annotated[str, Meta(max_length=40)]
    """RFC 3339 with its zone; the policy says how far ahead."""
    reason: Reason
    """Why; every affected alert says it."""
    event: Scope = ""
    """An event code. Of these three at least one is given; empty is any."""
    sensor: Scope = ""
    """What this sensor says alone."""
    place: Scope = ""
    """A lane or a zone."""


class UnshelveMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a shelving before its time, `garita.unshelve/1`: of the very same scope."""

    schema: Literal["garita.unshelve/1"] = "garita.unshelve/1"
    event: Scope = ""
    sensor: Scope = ""
    place: Scope = ""


class AckMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert has been answered, `garita.ack/1`: it is not told again before it changes."""

    schema: Literal["garita.ack/1"] = "garita.ack/1"
    alert: Annotated[str, Meta(min_length=1, max_length=64)]
    """Its id."""


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command, `garita.answer/1`; on its response topic, with its correlation."""

    schema: Literal["garita.answer/1"] = "garita.answer/1"
    site: str
    verb: str
    accepted: bool
    refusal: str = ""
    """Why not: `unreadable`, `unknown-verb`, `retained`, `unknown`, `no-scope`, `source`, `over`,
    `too-long`, `too-many`."""
    text: str = ""
    """The same for a person, where there is more to say."""


COMMANDS: dict[str, type[ShelveMessage | UnshelveMessage | AckMessage]] = {
    "shelve": ShelveMessage,
    "unshelve": UnshelveMessage,
    "ack": AckMessage,
}
"""By verb."""
