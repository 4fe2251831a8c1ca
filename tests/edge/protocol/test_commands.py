import msgspec
import pytest

from edge.protocol.commands import AssistMessage, HandOverMessage, RecordRequestMessage


@pytest.mark.parametrize(
    "command",
    [
        AssistMessage(what="canine"),
        AssistMessage(what="canine", alert="01JD"),
        HandOverMessage(alert="01JD", step="offered", to="south"),
        RecordRequestMessage(from_=0, to=10),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_written_with_its_defaults_is_read(command):
    written = msgspec.json.encode(command)
    assert msgspec.json.decode(written, type=type(command)) == command
