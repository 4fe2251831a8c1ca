"""The line between service and console: two pipes, one JSON object a line each.

What the service tells may be dropped when the console does not read; what the console asks is
answered, or said to be unanswered. Nothing on the line can hold up the service.
"""

from typing import Any, Literal

import msgspec

MAX_LINE_BYTES = 1_000_000
"""Of one object; a health document of the largest site has a tenth."""

Kind = Literal["birth", "health", "state", "live", "status", "word"]


class Setup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of its input."""

    site: str
    side: str
    state_dir: str
    host: str
    port: int
    people: str
    hosts: list[str]
    """Names by which browsers may know it."""
    signer: str | None = None
    certificate: str | None = None
    key: str | None = None
    guest: str | None = None
    """A role: somebody may come in once without a password, by a link."""
    replay: bool = False
    layout: dict[str, Any] = {}


class Began(msgspec.Struct, frozen=True, kw_only=True, tag="began"):
    """The first line of its output: where it listens."""

    url: str
    link: str
    """Comes in without a password, once; empty where nobody may."""
    built: bool
    """Whether there is a page."""


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="told", omit_defaults=True):
    """The service tells something: a document as the brokers retain it, or a glimpse."""

    kind: Kind
    topic: str
    data: msgspec.Raw


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag="ask"):
    """The console asks for what a person wants done: a command as a centre would send it."""

    number: int
    topic: str
    payload: bytes
    response_topic: str
    correlation: bytes
    properties: list[tuple[str, str]]


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """What came of it: `garita.answer/1`."""

    number: int
    data: msgspec.Raw


class Unread(Exception):  # noqa: N818 - says what happened
    """A line that says nothing of the kind."""


_to_console = msgspec.json.Decoder(Told | Answer)
_to_service = msgspec.json.Decoder(Ask)


def line(message: Told | Ask | Answer) -> bytes:
    """One object and its end of line. JSON has no line feed outside of strings, nor within."""
    return msgspec.json.encode(message) + b"\n"


def read_told(data: bytes) -> Told | Answer:
    """What the service says. Unread."""
    return _read(_to_console, data)  # type: ignore[no-any-return]


def read_ask(data: bytes) -> Ask:
    """What the console asks. Unread."""
    return _read(_to_service, data)  # type: ignore[no-any-return]


def _read(decoder: "msgspec.json.Decoder[Any]", data: bytes) -> Any:  # noqa: ANN401 - by decoder
    if len(data) > MAX_LINE_BYTES:
        raise Unread(f"{len(data)} bytes")
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        raise Unread(str(error)[:200]) from None
