"""Frames of Modbus/TCP, whole, split, damaged and mixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.malformed import Malformed
from drivers.wire.modbus import (
    FIRST_TRANSACTION,
    MAX_FRAME_BYTES,
    Answer,
    AnswerDecoder,
    Read,
    encode_answer,
    encode_read,
    encode_refusal,
    next_transaction,
    parse_read,
    split,
)

answers = st.builds(
    Answer,
    unit=st.integers(1, 247),
    transaction=st.integers(FIRST_TRANSACTION, 0xFFFF),
    # Below 0x100 nothing: three zeros in a row are what a head is told by.
    registers=st.lists(st.integers(0x100, 0xEFFF), min_size=1, max_size=125).map(tuple),
)
noise = st.binary(min_size=1, max_size=400)


def decoded(data):
    return AnswerDecoder().feed(data)


def reasons(data):
    return [one.reason for one in decoded(data) if isinstance(one, Malformed)]


def good(data):
    return [one for one in decoded(data) if not isinstance(one, Malformed)]


@given(many=st.lists(answers, max_size=5))
def test_what_is_encoded_is_read_back(many):
    data = b"".join(map(encode_answer, many))
    assert decoded(data) == many
    assert split(data) == [encode_answer(answer) for answer in many]


@given(
    data=st.data(),
    stream=st.lists(noise | answers.map(encode_answer), max_size=6).map(b"".join),
)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = AnswerDecoder()
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    out = [one for piece in pieces for one in decoder.feed(piece)]
    whole = decoded(stream)
    assert [kind(one) for one in out] == [kind(one) for one in whole]


def kind(one):
    return one.reason if isinstance(one, Malformed) else one


@given(before=noise, answer=answers)
def test_noise_before_a_frame_costs_no_frame(before, answer):
    assert good(before + encode_answer(answer))[-1:] == [answer]


@given(first=answers, second=answers, data=st.data())
def test_a_frame_that_was_cut_short_is_not_mixed_with_the_next(first, second, data):
    # Two answers of one poll: the next transaction follows, or this one's answer comes again.
    follows = data.draw(st.sampled_from([first.transaction, next_transaction(first.transaction)]))
    second = Answer(first.unit, follows, second.registers)
    whole = encode_answer(first)
    # The last byte alone may be mistaken: see the device's own codec for what it may change.
    kept = data.draw(st.integers(1, max(1, len(whole) - 2)))
    assert good(whole[:kept] + encode_answer(second)) in ([second], [])
    told = decoded(whole[:kept] + encode_answer(second) * 2)
    assert [one for one in told if not isinstance(one, Malformed)][-1] == second
    assert all(one == second for one in told if not isinstance(one, Malformed))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("f001 0000 0003 01 83 02", "refused-address"),
        ("f001 0000 0003 01 83 0b", "refused-gone"),
        ("f001 0000 0003 01 83 63", "refused-other"),
        ("f001 0000 0005 01 04 02 0001", "wrong-function"),
        ("f001 0000 0007 01 03 02 0001", "byte-count"),
        ("f001 0000 0006 01 03 03 000100", "byte-count"),
        ("f001 0000 0003 01 03 00", "byte-count"),
        ("f001 0000 0004 01 83 0202", "byte-count"),
        ("f001 0001 0005 01 03 02 0001", "noise"),
        ("f001 0000 0105 01 03 02 0001", "noise"),
        ("f001 0000 0005 00 03 02 0001", "noise"),
    ],
)
def test_a_wrong_frame_is_told_with_its_reason_and_the_next_is_read(frame, reason):
    answer = Answer(1, FIRST_TRANSACTION + 1, (1000, 2000))
    assert reasons(bytes.fromhex(frame) + encode_answer(answer)) == [reason]
    assert good(bytes.fromhex(frame) + encode_answer(answer)) == [answer]


@pytest.mark.parametrize("filler", [b"\0", b"\xff", b"\0\0\0\5", b"\xf0\1\0\0\0\xfd\1\3\xfa"])
def test_endless_noise_is_told_once_and_not_kept(filler):
    decoder = AnswerDecoder()
    out = [one for _ in range(64) for one in decoder.feed(filler * 4096)]
    if filler == b"\xf0\1\0\0\0\xfd\1\3\xfa":  # a head over and over: each cuts the one before
        assert {one.reason for one in out} == {"cut-short"}
    else:
        assert len(out) == 1
    assert len(decoder._data) <= MAX_FRAME_BYTES
    answer = Answer(1, FIRST_TRANSACTION, (1000,))
    assert answer in decoder.feed(encode_answer(answer) * 2)


def test_a_cut_link_drops_the_frame_half_read():
    answer = Answer(1, FIRST_TRANSACTION, (1000, 2000))
    decoder = AnswerDecoder()
    assert decoder.feed(encode_answer(answer)[:11]) == []
    decoder.cut()
    assert decoder.feed(encode_answer(answer)) == [answer]


def test_transactions_stay_where_no_register_looks_like_them():
    assert next_transaction(0) == FIRST_TRANSACTION
    assert next_transaction(0xFFFF) == FIRST_TRANSACTION
    assert next_transaction(0xF123) == 0xF124


@given(
    st.builds(
        Read,
        st.integers(1, 247),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFF),
        st.integers(1, 125),
    )
)
def test_a_request_is_read_back(read):
    data = encode_read(read)
    assert parse_read(data) == (12, read)
    assert parse_read(data[:7]) == (0, None)


@given(st.binary(max_size=40))
def test_what_is_no_request_never_raises(data):
    size, read = parse_read(data)
    assert 0 <= size <= len(data)
    assert read is None or isinstance(read, Read | Malformed)


def test_a_refusal_is_for_the_read_that_it_answers():
    read = Read(3, FIRST_TRANSACTION, 0, 8)
    assert encode_refusal(read, 2) == bytes.fromhex("f001 0000 0003 03 83 02")
