"""What the centres ask of this site: read, vouched for, carried out, recorded, answered.

Everything here runs on the event loop's thread; a side's thread only hands the command over. What
is refused changes nothing, and is counted, told in the record and answered with why.
"""

from collections.abc import Callable, Collection, Iterable
from itertools import islice

import msgspec
import structlog
from msgspec import UNSET, structs

from edge import command_metrics
from edge.delivery.hooks import Command
from edge.protocol import topics
from edge.protocol.commands import (
    COMMANDS,
    AdjudicateMessage,
    AnswerMessage,
    AssistMessage,
    CommandMessage,
    HandOverMessage,
    NoteMessage,
    RecordMessage,
    RecordRequestMessage,
    ResendMessage,
    ShelveMessage,
    UnshelveMessage,
)
from edge.protocol.messages import encode
from edge.record.entries import Draft
from edge.record.record import RecordError
from edge.recordings.asked import Asked
from edge.settings.inhibits import moment
from edge.station.inhibits import utc_ns_of
from edge.station.resending import Coming
from edge.together import handling
from edge.together.cases import Case, Handling
from edge.together.chunks import MAX_ENTRIES, chunk
from edge.together.people import Author, Refusal
from edge.together.refusals import Refusals
from edge.together.seen import Seen
from edge.together.shelf import shelf_draft
from fusion.shelving import HOUR_NS, ShelfEntry
from fusion.types import AckSample, Alert, Event, Origin, ShelveSample

MAX_BYTES = 4_096  # a command has 300; whatever is longer is none
MAX_TOPIC = 256
LONGEST_NS = 366 * 24 * HOUR_NS  # no policy allows more; what is beyond 64 bits is none

log = structlog.get_logger()


class Refused(Exception):  # noqa: N818 - says what happened
    """A command that is not carried out: (code, text), and how its alert stands."""

    def __init__(self, code: str, text: str, case: Case | None = None) -> None:
        super().__init__(code, text)
        self.case = case


def unsigned(command: Command) -> Author | Refusal:
    """Everybody who may write to the topic is taken for the side whose broker it is."""
    return Author(side=command.side)


class Asking:
    """The commands of both centres."""

    def __init__(
        self,
        *,
        site: str,
        places: Collection[str],
        sensors: Collection[str],
        ask: Callable[[Asked, str], list[ShelfEntry]],
        active: Callable[[], Collection[str]],
        answer: Callable[[Command, bytes], None],
        now_utc_ns: Callable[[], int],
        sides: Collection[str] = ("north", "south"),
        vouch: Callable[[Command], Author | Refusal] = unsigned,
        record: Callable[[Draft], object] = lambda draft: None,
        look: Callable[[str], Alert | None] = lambda alert_id: None,
        entries: Callable[[int, int], Iterable[bytes]] | None = None,
        resend: Callable[[str, ResendMessage], Coming | Refusal] | None = None,
        before: Handling | None = None,
    ) -> None:
        """What it needs of the others; without the later ones it does less.

        active  ids of all active alerts
        answer  sends to a response topic
        vouch   who signed a command, or why it is not believed
        record  takes what is to be entered into the common record; RecordError where it cannot
        look    an active alert by its id
        entries bytes of the record's entries from one index to before another
        resend  sends a side alerts once more, or says why not
        before  how the alerts stood, as the record's entries tell it
        """
        self._site = site
        self._known = {
            "event": frozenset(Event.__members__),
            "sensor": frozenset(sensors),
            "place": frozenset(places),
        }
        self._addresses = {
            f"{root}/{site}/cmd/{verb}": verb
            for root in (topics.ROOT, topics.EXERCISE_ROOT)
            for verb in COMMANDS
        }
        self._ask = ask
        self._answer = answer
        self._now_utc_ns = now_utc_ns
        self._sides = frozenset(sides)
        self._vouch = vouch
        self._record = record
        self._entries = entries
        self._resend = resend
        self._seen = Seen(active, look)
        self._refusals = Refusals()
        self.handling = before or Handling()
        """How every alert stands that was handled."""

    def take(self, command: Command) -> None:
        """Carry it out, or say why not."""
        verb, key = self._addresses.get(command.topic, ""), ""
        try:
            author = self._author(verb, command)
            key = author.key
            answer = self._carry_out(verb, command, author)
        except RecordError as error:
            log.error("command not carried out", side=command.side, verb=verb, why=str(error))
            command_metrics.command(command.side, "not-recorded")
            answer = self._message(verb, refusal="not-recorded", text="the record takes nothing")
        except Refused as refused:
            code, text = refused.args
            self._refuse(command.side, key, verb, code, text)
            answer = self._message(verb, refused.case, refusal=code, text=text)
        else:
            command_metrics.command(command.side, "")
            log.info("command carried out", side=command.side, verb=verb, key=key)
        if may_be_answered(command.response_topic, self._site):
            self._answer(command, encode(answer))

    def tick(self) -> None:
        """Time has passed: offers expire, what was refused by the dozen is told as one."""
        now_utc_ns = self._now_utc_ns()
        self._seen.look()
        after, drafts = handling.tick(self.handling, now_utc_ns)
        for draft in (*drafts, *self._refusals.tick(now_utc_ns)):
            self._enter(draft)
        self.handling = after

    def shelved(self, entries: Iterable[ShelfEntry], key: str = "") -> None:
        """What has happened on the shelf, for the record; `take` tells of its own."""
        for draft in (shelf_draft(entry, key) for entry in entries):
            if draft is not None:
                self._enter(draft)

    def _author(self, verb: str, command: Command) -> Author:
        if not verb:
            raise Refused("unknown-verb", f"one of {', '.join(COMMANDS)}")
        if command.retained:
            raise Refused("retained", "it would be carried out again at every connection")
        if len(command.payload) > MAX_BYTES:
            raise Refused("unreadable", f"{len(command.payload)} bytes")
        author = self._vouch(command)
        if isinstance(author, Refusal):
            raise Refused(author.why, author.text)
        return author

    def _carry_out(
        self, verb: str, command: Command, author: Author
    ) -> AnswerMessage | RecordMessage:
        message = _read(verb, command.payload)
        drill = command.topic.startswith(topics.EXERCISE_ROOT + "/")
        match message:
            case RecordRequestMessage():
                return self._chunk(message)
            case ResendMessage():
                if self._resend is None:
                    raise Refused("unavailable", "alerts are sent again by the cursor alone")
                coming = self._resend(author.side, message)
                if isinstance(coming, Refusal):
                    raise Refused(coming.why, coming.text)
                answer = self._message(verb)
                return structs.replace(answer, again=coming.count, gone=coming.gone)
            case ShelveMessage() | UnshelveMessage():
                entries = self._ask(self._shelving(message, author, drill), f"cmd/{verb}")
                self.shelved(entries, author.key)
                refusal = next((one.refusal for one in entries if one.what == "refused"), "")
                if refusal:
                    raise Refused(refusal, "")
                return self._message(verb)
            case _:
                return self._message(verb, self._handle(message, author, drill))

    def _handle(self, message: handling.CaseCommand, author: Author, drill: bool) -> Case | None:
        """Do something about an alert; how it stands then."""
        now_utc_ns, alert = self._now_utc_ns(), message.alert
        self._seen.look()
        seen = self._seen.of(alert)
        known = seen is not None or alert in self.handling.cases
        if alert and not (known and self._seen.belongs(alert, drill=drill)):
            raise Refused("unknown", "no such alert is active, or was of late")
        if isinstance(message, HandOverMessage) and message.to not in self._sides:
            raise Refused("unknown", f"there is no side {message.to!r}")
        after, came = handling.apply(self.handling, message, author, now_utc_ns, seen)
        if isinstance(came, Refusal):
            raise Refused(came.why, came.text, after.of(alert))
        self._record(came)
        self.handling = after
        calms = not isinstance(message, NoteMessage | AssistMessage | HandOverMessage)
        judged = message.code if isinstance(message, AdjudicateMessage) else ""
        if (calms and self._seen.is_active(alert)) or judged:
            # Whoever was sent, or has said what it was, has answered it as well.
            self._ask(
                AckSample(
                    sensor_id="",
                    origin=Origin.SIMULATOR if drill else Origin.SENSOR,
                    start_utc_ns=now_utc_ns,
                    alert_id=alert,
                    by=author.by,
                    confirmed=judged == "CONFIRMED_THREAT" if judged else None,
                ),
                f"cmd/{came.kind}",
            )
        return after.of(alert) if alert else None

    def _shelving(
        self, message: ShelveMessage | UnshelveMessage, author: Author, drill: bool
    ) -> ShelveSample:
        for scope, known in self._known.items():
            given = getattr(message, scope)
            if given and given not in known:
                raise Refused("unknown", f"there is no {scope} {given[:40]!r}")
        now_utc_ns = until_utc_ns = self._now_utc_ns()
        if isinstance(message, ShelveMessage):
            until = moment(message.until)
            if until is None:
                raise Refused("unreadable", "until: RFC 3339 with its zone")
            until_utc_ns = utc_ns_of(until)
            if until_utc_ns <= now_utc_ns:  # at the very time of asking it would end it
                raise Refused("over", "until: that time has passed")
            if until_utc_ns > now_utc_ns + LONGEST_NS:
                raise Refused("too-long", "")
        return ShelveSample(
            sensor_id=message.sensor,
            origin=Origin.SIMULATOR if drill else Origin.SENSOR,
            start_utc_ns=now_utc_ns,
            until_utc_ns=until_utc_ns,
            by=author.by,
            reason=message.reason if isinstance(message, ShelveMessage) else "ended",
            event=message.event,
            place=message.place,
        )

    def _chunk(self, message: RecordRequestMessage) -> RecordMessage:
        if self._entries is None:
            raise Refused("unavailable", "this site keeps no record")
        to = min(message.to, message.from_ + MAX_ENTRIES)
        wanted = self._entries(message.from_, to) if to > message.from_ else ()
        found = chunk(self._site, message.from_, islice(wanted, MAX_ENTRIES))
        if not found.entries:
            raise Refused("unknown", "there are no such entries")
        return found

    def _refuse(self, side: str, key: str, verb: str, why: str, text: str) -> None:
        command_metrics.command(side, why)
        for draft in self._refusals.note(side, key, verb, why, self._now_utc_ns()):
            count = draft.facts["count"]
            log.warning("command refused", side=side, verb=verb, why=why, text=text, count=count)
            self._enter(draft)

    def _enter(self, draft: Draft) -> None:
        """Of what has happened already: it is told even where the record cannot take it."""
        try:
            self._record(draft)
        except RecordError as error:
            log.error("entry lost", kind=draft.kind, by=draft.by, facts=draft.facts, why=str(error))

    def _message(
        self, verb: str, case: Case | None = None, *, refusal: str = "", text: str = ""
    ) -> AnswerMessage:
        return AnswerMessage(
            site=self._site,
            verb=verb,
            accepted=not refusal,
            refusal=refusal,
            text=text,
            state=UNSET if case is None else case.told(),
        )


def may_be_answered(topic: str, site: str) -> bool:
    """Whether an answer may go there: never among our own messages, where it would be one of us.

    Brokers let an edge write below its own name only, so below `{site}/answer/` it may.
    """
    if not topic or len(topic) > MAX_TOPIC or any(sign in topic for sign in "+#\0"):
        return False
    roots = (topics.ROOT, topics.EXERCISE_ROOT)
    answers = tuple(f"{root}/{site}/answer/" for root in roots)
    ours = ("$", *(f"{root}/" for root in roots))
    return topic.startswith(answers) or not topic.startswith(ours)


def _read(verb: str, payload: bytes) -> CommandMessage:
    try:
        return msgspec.json.decode(payload, type=COMMANDS[verb])
    except ValueError as error:  # a DecodeError, or within a string a UnicodeDecodeError
        raise Refused("unreadable", str(error)[:200]) from error
