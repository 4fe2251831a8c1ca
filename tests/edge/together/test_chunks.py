"""Entries for a centre: as many as fit, exactly as they are."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.commands import RecordMessage
from edge.protocol.messages import encode
from edge.together.chunks import MAX_CHUNK_BYTES, chunk


@given(sizes=st.lists(st.integers(0, 70_000), max_size=12))
def test_a_chunk_is_no_larger_than_a_message_may_be_and_no_smaller_than_it_must(sizes):
    entries = [bytes(size) for size in sizes]
    message = chunk("a" * 32, 2**53 - 1, entries)
    assert len(encode(message)) <= MAX_CHUNK_BYTES
    assert message.entries == entries[: len(message.entries)]
    if len(message.entries) < len(entries):
        more = RecordMessage(
            site="a" * 32, from_=2**53 - 1, entries=entries[: len(message.entries) + 1]
        )
        assert len(encode(more)) > MAX_CHUNK_BYTES - 200


def test_bytes_come_back_as_they_were():
    message = chunk("mariposa", 7, [b"\xff\x00{", b""])
    assert msgspec.json.decode(encode(message), type=RecordMessage) == message


def test_what_no_message_holds_is_left_out():
    assert chunk("mariposa", 0, [bytes(MAX_CHUNK_BYTES)]).entries == []
