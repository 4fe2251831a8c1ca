"""What comes from a centre, read."""

import msgspec

from edge.delivery.happenings import Received
from edge.delivery.hooks import Command
from edge.protocol.contract import CursorMessage, OpsStateMessage

_cursor_decoder = msgspec.json.Decoder(CursorMessage)
_ops_decoder = msgspec.json.Decoder(OpsStateMessage)


def read_cursor(message: Received) -> CursorMessage:
    """What a centre has stored. ValueError where it is no cursor: anybody may write there."""
    return _cursor_decoder.decode(message.payload)  # its DecodeError is a ValueError


def says_online(message: Received) -> bool:
    """Whether a centre has just said that it is there."""
    try:
        online = _ops_decoder.decode(message.payload).online
    except ValueError:
        return False
    return online and not message.retained


def command(side: str, message: Received) -> Command:
    """What a centre asks."""
    return Command(
        side=side,
        topic=message.topic,
        payload=message.payload,
        response_topic=message.response_topic,
        correlation=message.correlation,
        user_properties=message.user_properties,
        retained=message.retained,
    )
