"""What the centres ask of this site: read, asked of the engine, answered.

Everything here runs on the event loop's thread; a side's thread only hands the command over.
"""

from collections.abc import Callable, Collection
from typing import Any

import msgspec
import structlog

from edge.delivery.hooks import Command
from edge.protocol import topics
from edge.protocol.commands import (
    COMMANDS,
    AckMessage,
    AnswerMessage,
    CommandMessage,
    ShelveMessage,
    UnshelveMessage,
)
from edge.protocol.messages import encode
from edge.recordings.asked import Asked
from edge.settings.inhibits import moment
from edge.station.inhibits import utc_ns_of
from fusion.shelving import ShelfEntry
from fusion.types import AckSample, Event, Origin, ShelveSample

MAX_BYTES = 4_096  # a command has 300; whatever is longer is none
MAX_TOPIC = 256

log = structlog.get_logger()


class Refused(Exception):  # noqa: N818 - says what happened
    """A command that is not carried out: (code, text)."""


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
    ) -> None:
        """`active` gives the ids of all active alerts, `answer` sends to a response topic."""
        self._site = site
        self._known = {
            "event": frozenset(Event.__members__),
            "sensor": frozenset(sensors),
            "place": frozenset(places),
        }
        self._ask = ask
        self._active = active
        self._answer = answer
        self._now_utc_ns = now_utc_ns

    def take(self, command: Command) -> None:
        """Carry it out, or say why not."""
        verb = command.topic.rpartition("/")[2]
        try:
            self._carry_out(verb, command)
        except Refused as refused:
            code, text = refused.args
            log.warning("command refused", side=command.side, verb=verb[:32], why=code, text=text)
            answer = self._message(verb, refusal=code, text=text)
        else:
            log.info("command carried out", side=command.side, verb=verb)
            answer = self._message(verb)
        if may_be_answered(command.response_topic, self._site):
            self._answer(command, encode(answer))

    def _carry_out(self, verb: str, command: Command) -> None:
        if verb not in COMMANDS:
            raise Refused("unknown-verb", f"one of {', '.join(COMMANDS)}")
        if command.retained:
            raise Refused("retained", "it would be carried out again at every connection")
        entries = self._ask(self._sample(verb, command), f"cmd/{verb}")
        refusal = next((entry.refusal for entry in entries if entry.what == "refused"), "")
        if refusal:
            raise Refused(refusal, "")

    def _sample(self, verb: str, command: Command) -> Asked:
        message = _read(verb, command.payload)
        drill = command.topic.startswith(topics.EXERCISE_ROOT + "/")
        said: dict[str, Any] = {
            "origin": Origin.SIMULATOR if drill else Origin.SENSOR,
            "start_utc_ns": self._now_utc_ns(),
            "by": command.side,
        }
        if isinstance(message, AckMessage):
            if message.alert not in self._active():
                raise Refused("unknown", "no such alert is active")
            return AckSample(sensor_id="", alert_id=message.alert, **said)
        if not isinstance(message, ShelveMessage | UnshelveMessage):
            raise Refused("unavailable", f"{verb} is not carried out here")
        for scope, known in self._known.items():
            given = getattr(message, scope)
            if given and given not in known:
                raise Refused("unknown", f"there is no {scope} {given[:40]!r}")
        until_utc_ns = said["start_utc_ns"]
        if isinstance(message, ShelveMessage):
            until = moment(message.until)
            if until is None:
                raise Refused("unreadable", "until: RFC 3339 with its zone")
            until_utc_ns = utc_ns_of(until)
            if until_utc_ns <= said["start_utc_ns"]:  # at the very time of asking it would end it
                raise Refused("over", "until: that time has passed")
        return ShelveSample(
            sensor_id=message.sensor,
            until_utc_ns=until_utc_ns,
            reason=message.reason if isinstance(message, ShelveMessage) else "ended",
            event=message.event,
            place=message.place,
            **said,
        )

    def _message(self, verb: str, *, refusal: str = "", text: str = "") -> AnswerMessage:
        return AnswerMessage(
            site=self._site, verb=verb[:32], accepted=not refusal, refusal=refusal, text=text
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
    if len(payload) > MAX_BYTES:
        raise Refused("unreadable", f"{len(payload)} bytes")
    try:
        return msgspec.json.decode(payload, type=COMMANDS[verb])
    except msgspec.DecodeError as error:
        raise Refused("unreadable", str(error)[:200]) from error
