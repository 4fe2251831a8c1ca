"""What comes of a side's wish for alerts once more: which of them, and which are gone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from edge.delivery.again import Wanted
from edge.delivery.outbox import Outbox, OutboxError
from edge.protocol.commands import GoneMessage, ResendMessage
from edge.together.people import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Alerts that a side is sent once more."""

    count: int
    gone: GoneMessage | UnsetType = UNSET
    """What it asked for in vain."""


class Resending:
    """Asks a side's publisher for what the outbox still has."""

    def __init__(
        self,
        outbox: Outbox,
        send_again: Callable[[str, Wanted], bool],
        keeps_cursor: Mapping[str, bool],
    ) -> None:
        self._outbox = outbox
        self._send_again = send_again
        self._keeps_cursor = keeps_cursor

    def __call__(self, side: str, message: ResendMessage) -> Coming | Refusal:
        """Have them sent; only that side notices."""
        try:
            return self._ask(side, message)
        except OutboxError as error:
            return Refusal(why="unavailable", text=str(error))

    def _ask(self, side: str, message: ResendMessage) -> Coming | Refusal:
        outbox = self._outbox
        keeps_cursor = self._keeps_cursor[side]
        stored_seq = outbox.cursor(side).seq if keeps_cursor else outbox.done_seq(side)
        to = None if message.to is UNSET else message.to
        last = outbox.last_seq if to is None else to
        first = stored_seq + 1 if message.from_ is UNSET else message.from_
        if message.epoch and outbox.epoch_of(first) != message.epoch:
            return Refusal(why="unknown", text=f"{first} was not counted in that epoch")
        if message.from_ is not UNSET and not first <= last <= outbox.last_seq:
            return Refusal(why="unknown", text=f"the last alert is {outbox.last_seq}")
        if to is None and keeps_cursor:
            first = min(first, stored_seq + 1)  # nobody's wish settles what is owed
        count, lowest = outbox.kept(side, first, last)
        if first <= last and not count:
            return Refusal(why="gone", text=f"{first} to {last} are no longer kept for this side")
        if count and not self._send_again(side, Wanted(first=first, last=to)):
            return Refusal(why="too-many", text="what was asked for before has yet to be sent")
        if lowest is None or lowest == first:
            return Coming(count=count)
        return Coming(count=count, gone=GoneMessage(from_=first, to=lowest - 1))
