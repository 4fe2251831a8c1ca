"""How an alert was handled on its way to the operator, as its message tells it."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

Count = Annotated[int, Meta(ge=0)]


class ShelvedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked not to be rung for this, why, and until when."""

    by: str
    """A role or key, never a name."""
    reason: str
    until_utc_ns: int


class HandlingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an alert between being made and being told; only what applies is there."""

    own_level: Annotated[int, Meta(ge=1, le=4)] | UnsetType = UNSET
    """Its level by itself, where it is told in the log for one of the reasons below."""
    shelved: ShelvedMessage | UnsetType = UNSET
    group: str | UnsetType = UNSET
    """Id of the alert that tells of it and of others."""
    members: list[str] | UnsetType = UNSET
    """This alert tells of these, in the order in which they came."""
    group_size: Count | UnsetType = UNSET
    """Alerts in it since it began."""
    group_active: Count | UnsetType = UNSET
    """Of them active now."""
    strongest: str | UnsetType = UNSET
    """The member whose event, probability and reasons this alert shows."""
    places: list[str] | UnsetType = UNSET
    """Lanes and zones of the members."""
    reopened: Count | UnsetType = UNSET
    """So many times it came again soon after it was cleared."""
    chattering: Count | UnsetType = UNSET
    """So often it has rung; told once, and cleared when it has been quiet."""
    realarm: Count | UnsetType = UNSET
    """So many times it has been told again because nobody had answered."""


def handling_of(facts: Mapping[str, Any]) -> HandlingMessage | UnsetType:
    """What an alert's facts say of its handling; UNSET where it is told as any."""
    told = {name: facts[name] for name in HandlingMessage.__struct_fields__ if name in facts}
    return msgspec.convert(told, HandlingMessage) if told else UNSET
