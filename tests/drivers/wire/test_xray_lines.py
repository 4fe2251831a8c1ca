import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.malformed import Malformed
from drivers.wire.xray_lines import (
    ALIVE,
    BEGIN,
    END,
    MAGIC,
    LineDecoder,
    LineFrame,
    encode,
    split,
)

whole = st.integers
pixels = st.lists(whole(0, 65_535), min_size=1, max_size=40)


def line_of(scan_id, line_no, t_ns, energy, counts):
    payload = struct.pack(f"<{len(counts)}H", *counts)
    return LineFrame(scan_id, line_no, t_ns, energy, len(counts), 0, payload)


lines = st.builds(
    line_of,
    whole(0, 2**64 - 1),
    whole(0, 2**32 - 1),
    whole(-(2**63), 2**63 - 1),
    whole(0, 1),
    pixels,
)
others = st.builds(
    LineFrame, whole(0, 2**64 - 1), whole(0, 9000), whole(0, 2**62), whole(0, 2), whole(1, 1200),
    st.just(BEGIN), st.binary(max_size=60),
) | st.builds(LineFrame, whole(0, 9), whole(0, 99), whole(0, 9), whole(0, 1), whole(0, 9),
              st.sampled_from([END, ALIVE]))  # fmt: skip
frames = st.lists(lines | others, max_size=6)


def plain(found):
    return [
        one
        if isinstance(one, Malformed)
        else (one.scan_id, one.line_no, one.t_ns, one.energy, one.n, one.flags, bytes(one.payload))
        for one in found
    ]


def read(data):
    return plain(LineDecoder().feed(data))


@given(frames)
def test_what_is_written_is_read(sent):
    data = b"".join(map(encode, sent))
    assert read(data) == plain(sent)
    assert split(data) == [encode(one) for one in sent]


def test_a_line_is_laid_out_as_documented():
    data = encode(line_of(7, 3, 9, 1, [258]))
    assert data[:4] == b"\xc5XL1"
    assert struct.unpack("<IQIqBBH", data[4:32]) == (30, 7, 3, 9, 1, 0, 1)
    assert struct.unpack("<I", data[32:36]) == (zlib.crc32(data[4:32] + data[36:]),)
    assert data[36:] == b"\x02\x01"


streams = st.lists(st.binary(max_size=90) | (lines | others).map(encode), max_size=8).map(b"".join)


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    decoder, found = LineDecoder(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += plain(decoder.feed(stream[start:stop]))
    assert found + decoder.cut() == read_to_the_end(stream)


def read_to_the_end(stream):
    decoder = LineDecoder()
    return plain(decoder.feed(stream)) + decoder.cut()


@given(noise=st.binary(min_size=1, max_size=300), sent=st.lists(lines, min_size=2, max_size=4))
def test_behind_garbage_the_next_line_but_one_is_read(noise, sent):
    found = read(noise + b"".join(map(encode, sent)))
    good = [one for one in found if not isinstance(one, Malformed)]
    # Noise may look like a head and take the line behind it for its own payload, and be wrong.
    assert good[-len(sent) + 1 :] == plain(sent[1:])
    assert {one.reason for one in found if isinstance(one, Malformed)} <= {
        *("noise", "bad-header", "bad-checksum"),
    }


@given(place=st.integers(0, 10_000), by=st.integers(1, 255), one=lines)
def test_a_damaged_line_is_none(place, by, one):
    data = bytearray(encode(one))
    data[place % len(data)] ^= by
    after = line_of(1, 2, 3, 0, [4, 5])
    good = [x for x in read(bytes(data) + 40_000 * b"\0" + encode(after)) if type(x) is tuple]
    assert good == plain([after])


@pytest.mark.parametrize(
    ("at", "layout", "value"),
    [(4, "I", 10**9), (4, "I", 27), (30, "H", 3), (29, "B", 8), (29, "B", 3), (30, "H", 65_535)],
)
def test_a_head_whose_numbers_do_not_go_together_is_not_waited_for(at, layout, value):
    data = bytearray(encode(line_of(1, 2, 3, 0, [4, 5])))
    struct.pack_into("<" + layout, data, at, value)
    after = line_of(9, 9, 9, 0, [9])
    assert read(bytes(data) + encode(after))[1:] == plain([after])


def test_a_cut_drops_the_frame_half_read():
    decoder, one = LineDecoder(), line_of(1, 2, 3, 0, [4, 5])
    assert decoder.feed(encode(one)[:-1]) == []
    assert [bad.reason for bad in decoder.cut()] == ["truncated"]
    assert plain(decoder.feed(encode(one))) == plain([one])


def test_garbage_is_not_kept():
    decoder = LineDecoder()
    for _ in range(100):
        decoder.feed(MAGIC + 5000 * b"1")
    assert len(decoder._buffer) < 6000
