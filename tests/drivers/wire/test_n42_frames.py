import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import n42_frames
from drivers.wire.malformed import Malformed
from drivers.wire.n42_frames import BLOCK_BYTES, FrameDecoder, encode, split

documents = st.binary(max_size=40).map(
    lambda data: data.replace(b"\x02", b"").replace(b"\x03", b"")
)


def reasons(records):
    return [one.reason if isinstance(one, Malformed) else one for one in records]


@given(st.lists(documents))
def test_what_is_framed_comes_out(sent):
    stream = b"\r\n".join(map(encode, sent))
    assert FrameDecoder().feed(stream) == sent


@given(st.lists(documents))
def test_frames_are_told_apart(sent):
    frames = [encode(one) for one in sent]
    assert split(b"".join(frames)) == frames


@given(
    data=st.data(),
    stream=st.lists(st.one_of(documents.map(encode), st.binary(max_size=200))).map(b"".join),
)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    decoder, whole = FrameDecoder(), FrameDecoder()
    assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) == whole.feed(stream)
    single = FrameDecoder()
    assert [one for byte in stream for one in single.feed(bytes([byte]))] == FrameDecoder().feed(
        stream
    )


def test_noise_between_frames_is_told_once_a_burst():
    decoder = FrameDecoder()
    stream = (
        b"noise" * 200 + encode(b"a") + b"\n" + encode(b"b") + b"more\x03and more" + encode(b"c")
    )
    told = decoder.feed(stream)
    assert reasons(told) == ["between-frames", b"a", b"b", "between-frames", b"c"]
    assert told[0].text.startswith("noisenoise")


def test_a_frame_that_another_cuts_short_costs_itself_alone():
    assert reasons(FrameDecoder().feed(b"\x02<half" + encode(b"a"))) == ["truncated", b"a"]


def test_a_cut_link_drops_what_was_half_read():
    decoder = FrameDecoder()
    decoder.feed(b"\x02half")
    decoder.cut()
    assert reasons(decoder.feed(b"of it\x03" + encode(b"a"))) == ["between-frames", b"a"]


@pytest.mark.parametrize("piece", [1000, BLOCK_BYTES, 10 * BLOCK_BYTES])
def test_what_never_ends_is_not_kept(piece):
    decoder = FrameDecoder()
    decoder.feed(b"\x02<a>")
    told = []
    tracemalloc.start()
    for _ in range(10 * BLOCK_BYTES // piece):
        told += decoder.feed(b"1" * piece)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reasons(told) == ["no-document"]
    assert kept < 4096
    assert decoder.feed(b"\x03" + encode(b"b")) == [b"b"]


def test_a_document_may_be_as_large_as_a_record_and_no_larger(monkeypatch):
    monkeypatch.setattr(n42_frames, "MAX_DOCUMENT_BYTES", 100_000)
    fits, over = b"1 " * 50_000, b"1 " * 50_001
    told = FrameDecoder().feed(encode(fits) + encode(over) + encode(b"a"))
    assert reasons(told) == [fits, "too-large", b"a"]
