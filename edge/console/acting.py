"""What a person wants done, as a command of the side's centre: the same words, signature, record.

The console has a key of its own for its side, so that the record tells its commands from those of
the centre; which person it was stays here, in its log.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec
import structlog

from edge.console import line
from edge.console.people import Act
from edge.console.sessions import Session
from edge.protocol import topics
from edge.protocol.commands import COMMANDS, AnswerMessage, CommandMessage
from edge.protocol.messages import encode
from edge.trust.keys import Signer
from edge.trust.signatures import command_properties

ANSWER_S = 5.0  # a checkpoint answers within milliseconds

VERBS: Mapping[str, Act] = MappingProxyType(
    {
        "ack": "acknowledge",
        "dispatch": "dispatch",
        "on-scene": "on-scene",
        "adjudicate": "adjudicate",
        "note": "note",
        "assist": "assist",
        "hand-over": "hand-over",
        "shelve": "shelve",
        "unshelve": "shelve",
    }
)
"""What may be asked for here, and which right it takes."""

log = structlog.get_logger()


class NotAnswered(Exception):  # noqa: N818 - says what happened
    """The service is not there, or has said nothing: what was asked may still be carried out."""


@dataclass(slots=True, kw_only=True)
class Acting:
    """Asks the service, and waits for its answer. On the loop's thread."""

    site: str
    side: str
    signer: Signer | None
    """Without one commands go unsigned, which a site without a keyring takes."""
    send: Callable[[bytes], bool]
    """Writes a line to the service; False where it is not there."""
    now_utc_ns: Callable[[], int] = time.time_ns
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _asked: dict[int, "asyncio.Future[AnswerMessage]"] = field(default_factory=dict)

    async def ask(
        self, verb: str, message: CommandMessage, session: Session, *, exercise: bool
    ) -> AnswerMessage:
        """Have it carried out. NotAnswered."""
        root = topics.root(exercise)
        topic = f"{root}/{self.site}/cmd/{verb}"
        response = f"{root}/{self.site}/answer/{self.side}/console"
        correlation, payload = secrets.token_bytes(16), encode(message)
        properties: list[tuple[str, str]] = []
        if self.signer is not None:
            properties = command_properties(
                self.signer,
                topic=topic,
                payload=payload,
                issued_utc_ns=self.now_utc_ns(),
                correlation=correlation,
                response_topic=response,
            )
        number = next(self._numbers)
        asked = line.Ask(
            number=number,
            topic=topic,
            payload=payload,
            response_topic=response,
            correlation=correlation,
            properties=properties,
        )
        coming: asyncio.Future[AnswerMessage] = asyncio.get_running_loop().create_future()
        self._asked[number] = coming
        try:
            if not self.send(line.line(asked)):
                raise NotAnswered("the service is not there")
            answer = await asyncio.wait_for(coming, ANSWER_S)
        except TimeoutError:
            raise NotAnswered(f"no answer within {ANSWER_S:g} s") from None
        finally:
            del self._asked[number]
        log.info(
            "asked",
            verb=verb,
            login=session.login,
            role=session.role,
            accepted=answer.accepted,
            refusal=answer.refusal,
        )
        return answer

    def answered(self, answer: line.Answer) -> None:
        """The service has answered."""
        coming = self._asked.get(answer.number)
        if coming is None or coming.done():
            return
        try:
            coming.set_result(msgspec.json.decode(answer.data, type=AnswerMessage))
        except msgspec.DecodeError as error:
            coming.set_exception(NotAnswered(f"an answer that cannot be read ({error})"))


def message_of(verb: str, said: bytes) -> CommandMessage:
    """The command that a page has sent. msgspec.ValidationError."""
    return msgspec.json.decode(said, type=COMMANDS[verb])
