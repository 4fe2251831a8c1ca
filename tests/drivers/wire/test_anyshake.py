"""Frames of the AnyShake stream, both ways, and a stream that is damaged anywhere."""

import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drivers.wire.anyshake import (
    FIXED_BYTES,
    HEADERS,
    INTERVALS_MS,
    MAX_FRAME_BYTES,
    MAX_MS,
    RATES_HZ,
    AnyShakePacket,
    Layout,
    encode,
    gnss_of,
    layout_of,
    told_variable,
)
from drivers.wire.anyshake_stream import TELL_BYTES, AnyShakeDecoder, split
from drivers.wire.malformed import TEXT_BYTES, Malformed

GOLDEN = Path(__file__).parents[2] / "golden/anyshake"
INT32 = st.integers(-(2**31), 2**31 - 1)
USUAL = Layout(100, 100, False, (4, 4, 4, 0, 0, 0, 0, 0))


def old(version, number=0, seed=0):
    counts = np.random.default_rng([seed, number]).integers(-(2**31), 2**31, (3, 5), np.int32)
    time_ms = 0 if version == 1 else 5_000 + 50 * number
    return AnyShakePacket(version=version, counts=counts, time_ms=time_ms)


def new(number=0, layout=USUAL, seed=0):
    sizes = [size for size in layout.sample_bytes if size]
    chance = np.random.default_rng([seed, number])
    counts = np.stack(
        [
            chance.integers(-(1 << 8 * size - 1), 1 << 8 * size - 1, layout.samples).astype("i4")
            for size in sizes
        ]
    )
    time_ms = 5_000 + layout.interval_ms * number
    return AnyShakePacket(version=3, counts=counts, time_ms=time_ms, config=layout.word)


def frames(version, numbers):
    return [new(number) if version == 3 else old(version, number) for number in numbers]


layouts = st.builds(
    Layout,
    st.sampled_from(INTERVALS_MS[:2]),
    st.sampled_from(RATES_HZ[:6]),
    st.booleans(),
    st.lists(st.sampled_from((0, 2, 3, 4)), min_size=8, max_size=8).filter(any).map(tuple),
)
packets = st.one_of(
    st.builds(old, st.sampled_from((1, 2)), st.integers(0, 9), st.integers(0, 99)),
    st.builds(new, st.integers(0, 9), layouts, st.integers(0, 99)),
)
heads = st.sampled_from([header + tail for header in HEADERS.values() for tail in (b"", b"\0" * 9)])
noise = st.binary(max_size=90) | heads | packets.map(lambda packet: encode(packet)[:-1])
streams = st.lists(packets.map(encode) | noise, max_size=8).map(b"".join)


@given(packet=packets)
def test_what_is_encoded_reads_back_the_same(packet):
    assert AnyShakeDecoder().feed(encode(packet)) == [packet]
    assert AnyShakeDecoder(packet.version).feed(encode(packet)) == [packet]


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    decoder = AnyShakeDecoder()
    assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) == AnyShakeDecoder().feed(stream)


@settings(max_examples=50)
@given(stream=streams, version=st.sampled_from((0, 1, 2, 3)))
def test_byte_by_byte_is_the_same_as_whole(stream, version):
    decoder = AnyShakeDecoder(version)
    single = [record for byte in stream for record in decoder.feed(bytes([byte]))]
    assert single == AnyShakeDecoder(version).feed(stream)


@pytest.mark.parametrize("version", [0, 3])
def test_long_damage_is_told_at_the_same_place_whatever_the_split(version):
    lying = HEADERS[3] + struct.pack("<qI", 7, 0x3FFFFFFF) + bytes(4)  # a second of all channels
    stream = b"".join(
        [
            *map(encode, frames(3, range(4))),
            bytes(2 * TELL_BYTES),
            *map(encode, frames(2, range(5))),
            lying + bytes(9000),
            *map(encode, frames(1, range(5))),
            b"\xff" * 6000,
        ]
    )
    whole = AnyShakeDecoder(version).feed(stream)
    decoder = AnyShakeDecoder(version)
    assert [one for byte in stream for one in decoder.feed(bytes([byte]))] == whole
    pieces = [stream[at : at + 777] for at in range(0, len(stream), 777)]
    decoder = AnyShakeDecoder(version)
    assert [one for piece in pieces for one in decoder.feed(piece)] == whole
    assert sum(isinstance(one, AnyShakePacket) for one in whole) == (14 if version == 0 else 4)


@given(stream=noise, packet=packets)
def test_noise_before_a_frame_does_not_cost_the_frame(stream, packet):
    read = AnyShakeDecoder().feed(stream + encode(packet))
    # One false header in 256 has a frame whose XOR is right by chance: nobody can tell that one.
    assume(all(one == packet for one in read if isinstance(one, AnyShakePacket)))
    assert read[-1] == packet


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_header_that_announces_much_holds_up_nothing(version):
    lying = HEADERS[3] + struct.pack("<qI", 7, 0x3FFFFFFF)
    sent = frames(version, range(3))
    decoder = AnyShakeDecoder()
    assert decoder.feed(lying) == []
    read = [decoder.feed(encode(packet)) for packet in sent]
    assert [one[-1] for one in read] == sent


@given(layout=layouts)
def test_a_configuration_word_is_taken_apart_as_it_was_made(layout):
    assert layout_of(layout.word) == layout


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        (USUAL, 141),
        (Layout(100, 250, True, (4, 4, 4, 2, 2, 2, 0, 0)), 471),
        (Layout(1000, 1000, False, (4,) * 8), MAX_FRAME_BYTES),
    ],
)
def test_frames_are_as_long_as_the_table_says(layout, size):
    assert layout.frame_bytes == len(encode(new(layout=layout))) == size
    assert {len(encode(old(version))) for version in (1, 2)} == {FIXED_BYTES[1], FIXED_BYTES[2]}


def test_header_and_trailer_inside_the_data_do_not_end_a_frame():
    counts = np.frombuffer(b"\xef\x10\x01\xfe" * 30, "<i4").reshape(3, 10)
    packet = AnyShakePacket(version=3, counts=counts, time_ms=1, config=USUAL.word)
    assert AnyShakeDecoder().feed(encode(packet) * 3) == [packet] * 3


def test_small_samples_keep_their_sign():
    layout = Layout(100, 10, False, (2, 3, 4, 0, 0, 0, 0, 0))
    counts = np.array([[-2], [-70_000], [-(2**31)]], np.int32)
    packet = AnyShakePacket(version=3, counts=counts, config=layout.word)
    assert AnyShakeDecoder().feed(encode(packet))[0].counts.tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({2: 0xFF, 9: 0xFF}, "time"),
        ({-1: 0}, "trailer"),
        ({40: 0x55}, "checksum"),
        ({10: 0, 11: 0, 12: 0, 13: 0}, "config"),
    ],
)
def test_what_is_no_frame_says_why(damage, reason):
    frame = bytearray(encode(new()))
    for at, value in damage.items():
        frame[at] = value
    good = encode(new(1))
    read = AnyShakeDecoder(3).feed(bytes(frame) + good)
    assert [getattr(one, "reason", "") for one in read] == [reason, ""]
    assert AnyShakeDecoder(3).feed(b"hello" + good)[0] == Malformed("noise", "hello")


def test_once_a_version_is_known_no_other_is_looked_for():
    decoder = AnyShakeDecoder()
    decoder.feed(b"".join(map(encode, frames(3, range(3)))))
    assert [one.reason for one in decoder.feed(encode(old(1)) + encode(new(4)))[:1]] == ["noise"]
    decoder.cut()
    assert decoder.feed(encode(old(1))) == [old(1)]


def test_variables_rotate_with_the_seconds():
    def told(version, second, word):
        packet = new() if version == 3 else old(2)
        shape = {"config": packet.config, "counts": packet.counts}
        return told_variable(
            AnyShakePacket(version=version, time_ms=1000 * second, variable=word, **shape)
        )

    lat = struct.pack("<f", 32.5)
    assert told(2, 4, (77 | 1 << 31).to_bytes(4, "little")) == ("device_id", 77)
    assert told(2, 5, lat) == ("latitude_deg", 32.5)
    assert told(3, 20, (77).to_bytes(4, "little")) == ("device_id", 77)
    assert told(3, 24, lat) == ("temperature_c", 32.5)
    assert told(3, 25, lat) is None
    assert told_variable(old(1)) is None


def test_the_gnss_flag_stands_in_the_configuration_or_beside_the_device_id():
    assert [gnss_of(new(layout=USUAL._replace(gnss=gnss))) for gnss in (True, False)] == [
        True,
        False,
    ]
    with_flag = (1 << 31).to_bytes(4, "little")
    counts = old(2).counts
    packet = AnyShakePacket(version=2, counts=counts, time_ms=8000, variable=with_flag)
    assert (gnss_of(packet), gnss_of(old(2)), gnss_of(old(1))) == (True, None, None)


def test_clean_streams_are_cut_into_their_frames():
    for version in (1, 2, 3):
        sent = [encode(packet) for packet in frames(version, range(4))]
        assert split(b"".join(sent)) == sent
    assert split(sent[0] + sent[1][:20]) == [sent[0], sent[1][:20]]
    assert split(b"") == []


def test_a_million_random_and_mutated_bytes_never_raise_and_never_pile_up():
    chance = random.Random(20260101)
    good = [encode(packet) for version in (1, 2, 3) for packet in frames(version, range(3))]
    decoder = AnyShakeDecoder()
    fed = 0
    while fed < 1_000_000:
        piece = bytearray(chance.randbytes(400) if chance.random() < 0.3 else chance.choice(good))
        for _ in range(chance.choice((0, 1, 1, 5))):
            piece[chance.randrange(len(piece))] = chance.choice((0, 1, 0xFE, chance.randrange(256)))
        decoder.feed(bytes(piece))
        fed += len(piece)
        assert len(decoder._buffer) <= MAX_FRAME_BYTES
        assert len(decoder._text) <= TEXT_BYTES


def test_false_headers_by_the_thousand_do_not_take_long():
    lying = HEADERS[3] + struct.pack("<qI", 7, 0x3FFFFFFF)
    decoder = AnyShakeDecoder()
    for _ in range(40):
        decoder.feed(lying * 100)
    assert len(decoder._open) <= 32
    assert len(decoder._buffer) <= MAX_FRAME_BYTES


def test_a_golden_list_of_frames_reads_as_written():
    text = (GOLDEN / "frames.txt").read_text()
    data = bytes.fromhex("".join(line for line in text.splitlines() if not line.startswith("#")))
    told = [json.dumps(as_told(record)) for record in AnyShakeDecoder().feed(data)]
    assert told == (GOLDEN / "frames.jsonl").read_text().splitlines()


def as_told(record):
    if isinstance(record, Malformed):
        return {"malformed": record.reason, "text": record.text}
    told = {"version": record.version, "time_ms": record.time_ms, "gnss": gnss_of(record)}
    told["variable"] = told_variable(record)
    if record.version == 3:
        layout = layout_of(record.config)
        told |= {"interval_ms": layout.interval_ms, "rate_hz": layout.rate_hz}
    return told | {"channels": record.channels, "counts": record.counts.tolist()}


def test_the_latest_time_is_still_one_of_a_sample():
    assert MAX_MS * 1_000_000 < 2**63
