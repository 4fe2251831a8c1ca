"""What was asked of the engine, as a recording keeps it: one JSON object, its kind first."""

from dataclasses import replace
from typing import Literal

import msgspec
import structlog

from fusion.types import AckSample, Origin, ShelveSample

Asked = ShelveSample | AckSample

log = structlog.get_logger()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["shelve", "ack"]
    asked: msgspec.Raw


def write_asked(asked: Asked) -> bytes:
    """The bytes to keep."""
    kind: Literal["shelve", "ack"] = "shelve" if isinstance(asked, ShelveSample) else "ack"
    return msgspec.json.encode(_Kept(kind=kind, asked=msgspec.Raw(msgspec.json.encode(asked))))


def as_replayed(asked: Asked) -> Asked:
    """The same, asked in a replay."""
    return replace(asked, origin=Origin.REPLAY)


def read_asked(data: bytes) -> list[Asked]:
    """What was kept; nothing, and a line in the log, where this Garita cannot read it."""
    try:
        kept = msgspec.json.decode(data, type=_Kept)
        if kept.kind == "shelve":
            return [msgspec.json.decode(kept.asked, type=ShelveSample)]
        return [msgspec.json.decode(kept.asked, type=AckSample)]
    except msgspec.DecodeError as error:
        log.warning("what was asked cannot be read", why=str(error))
        return []
