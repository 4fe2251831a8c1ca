"""The operator's desk: what becomes of an alert between being made and being told.

The book says what is believed. Here it is decided how that is told: for itself, in the log because
it is shelved, or in the log as a member of a group because there is a flood. No alert is dropped,
and each keeps its id, its table of reasons and its own level.
"""

from dataclasses import dataclass, replace

from fusion.alarms import AlarmBook, Claim
from fusion.chatter import MAX_REMEMBERED
from fusion.floods import FloodGuard
from fusion.ledger import Ledger
from fusion.policy import Policy
from fusion.shelving import Shelf, ShelfEntry, Shelving
from fusion.types import AckSample, Alert, Event, Fact, Level, Phase, ShelveSample

MAX_ENTRIES = 1_000  # of the shelf's log; the service takes them ten times a second


@dataclass(slots=True)
class _Card:
    """One active alert, as it is by itself and as it is told."""

    own: Alert
    rung: bool = False
    group_id: str = ""
    shelving: Shelving | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """What the operator's desk looks like, for metrics."""

    groups: int
    """Groups that are open."""
    folded: int
    """Alerts that are told by their group."""
    shelved: tuple[Shelving, ...]
    stale: tuple[Alert, ...]
    """Alerts that have been active for too long."""
    chattering: int
    """Alerts that chatter."""


class AlarmDesk:
    """Claims in, alerts out, as few of them with a sound as a person can answer."""

    def __init__(self, policy: Policy, site: str) -> None:
        self._book = AlarmBook(policy.alarms)
        self._shelf = Shelf(policy.handling)
        self._guard = FloodGuard(policy.handling, site)
        self._ledger = Ledger(policy.handling)
        self._cards: dict[str, _Card] = {}
        self._rang: dict[str, bool] = {}
        """Alerts that rang for themselves and were cleared."""
        self._entries: list[ShelfEntry] = []

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared, groups among them."""
        return self._ledger.active

    def said(self, key: str) -> Event | None:
        """What an alert was last told as; None: nothing was."""
        return self._book.said(key)

    def knows(self, key: str) -> bool:
        """Whether an alert of that key is active or waits to be told."""
        return self._book.knows(key)

    def consider(self, claim: Claim, now_utc_ns: int) -> list[Alert]:
        """A new belief: tell it if it is news."""
        return self._tell(self._book.consider(claim, now_utc_ns), now_utc_ns)

    def close(self, key: str, now_utc_ns: int) -> list[Alert]:
        """The incident is over: the alert is cleared after its off-delay."""
        return self._tell(self._book.close(key, now_utc_ns), now_utc_ns)

    def take_back(self, key: str, now_utc_ns: int) -> list[Alert]:
        """What was told does not hold."""
        return self._tell(self._book.take_back(key, now_utc_ns), now_utc_ns)

    def tick(self, now_utc_ns: int) -> list[Alert]:
        """Time passes: delays run out, shelves expire, groups have news, nobody has answered."""
        alerts = self._tell(self._book.tick(now_utc_ns), now_utc_ns)
        if entries := self._shelf.expire(now_utc_ns):
            self._note(entries)
            alerts += self._shelf_changed(now_utc_ns)
        alerts += [self._ledger.tell(one, now_utc_ns) for one in self._guard.due(now_utc_ns)]
        return alerts + self._ledger.realarms(now_utc_ns)

    def shelve(self, sample: ShelveSample, now_utc_ns: int) -> list[Alert]:
        """Shelve what somebody asks for, or end it; what is active is told accordingly."""
        entry = self._shelf.take(sample)
        self._note([entry])
        return [] if entry.what == "refused" else self._shelf_changed(now_utc_ns)

    def acknowledge(self, sample: AckSample, now_utc_ns: int) -> list[Alert]:
        """Somebody has answered an alert; one that is over can still be confirmed."""
        self._ledger.acknowledge(sample.alert_id)
        if sample.confirmed is None:
            return []
        return self._ledger.confirm(sample.alert_id, sample.confirmed, now_utc_ns)

    def take_entries(self) -> list[ShelfEntry]:
        """What has happened on the shelf since the last call."""
        taken, self._entries = self._entries, []
        return taken

    def state(self, now_utc_ns: int) -> DeskState:
        """How it looks now."""
        return DeskState(
            groups=len(self._guard.groups),
            folded=sum(card.group_id != "" for card in self._cards.values()),
            shelved=tuple(self._shelf.kept),
            stale=tuple(self._ledger.stale(now_utc_ns)),
            chattering=sum("chattering" in card.own.facts for card in self._cards.values()),
        )

    def _note(self, entries: list[ShelfEntry]) -> None:
        self._entries = (self._entries + entries)[-MAX_ENTRIES:]

    def _tell(self, alerts: list[Alert], now_utc_ns: int) -> list[Alert]:
        return [self._told(alert, now_utc_ns) for alert in alerts]

    def _told(self, own: Alert, now_utc_ns: int) -> Alert:
        name = own.alert_id
        # What goes on after it was cleared makes no second sound; what is told anew does.
        went_on = self._rang.pop(name, False) and own.phase is not Phase.NEW
        card = self._cards.setdefault(name, _Card(own, rung=went_on))
        card.own = own
        if own.phase is not Phase.CLEAR:
            self._decide(card, now_utc_ns)
        else:  # it ends as it was told
            del self._cards[name]
            self._leave(card, now_utc_ns)
            self._remember(card)
        return self._ledger.tell(_dressed(card), now_utc_ns)

    def _decide(self, card: _Card, now_utc_ns: int) -> None:
        """How an alert is told from now on."""
        own = card.own
        card.shelving = self._shelf.over(own)
        if card.shelving is not None:
            self._leave(card, now_utc_ns)
            card.group_id, card.rung = "", False  # when it is told again, it rings again
            return
        if card.group_id and not self._guard.stays(card.group_id, own):
            self._leave(card, now_utc_ns)
            card.group_id = ""
        if own.level >= Level.ADVISORY and not (card.rung or card.group_id):
            card.group_id = self._guard.admit(own, now_utc_ns)
            card.rung = not card.group_id

    def _leave(self, card: _Card, now_utc_ns: int) -> None:
        if card.group_id:
            self._guard.leave(card.group_id, card.own.alert_id, now_utc_ns)

    def _remember(self, card: _Card) -> None:
        if card.rung:
            self._rang[card.own.alert_id] = True
        while len(self._rang) > MAX_REMEMBERED:
            del self._rang[next(iter(self._rang))]

    def _shelf_changed(self, now_utc_ns: int) -> list[Alert]:
        """What is active and told otherwise from now on."""
        alerts = []
        for card in self._cards.values():
            before = card.shelving
            if self._shelf.over(card.own) == before:
                continue
            self._decide(card, now_utc_ns)
            own = replace(
                card.own,
                phase=Phase.UPDATE,
                updated_utc_ns=max(card.own.updated_utc_ns, now_utc_ns),
            )
            card.own = own
            alerts.append(self._ledger.tell(_dressed(card), now_utc_ns))
        return alerts


def _dressed(card: _Card) -> Alert:
    """The alert as it is told; its number is the ledger's."""
    own = card.own
    facts: dict[str, Fact] = {}
    if card.shelving is not None:
        facts = {"shelved": card.shelving.fact(), "own_level": int(own.level)}
    elif card.group_id:
        facts = {"group": card.group_id, "own_level": int(own.level)}
    if not facts:
        return own
    return replace(own, level=Level.LOG, facts={**own.facts, **facts})
