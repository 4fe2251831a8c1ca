import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.datacast import (
    MAX_COUNTS,
    MAX_RECORD_BYTES,
    DatacastDecoder,
    ShakePacket,
    capture_lines,
    encode,
    parse_record,
    split,
)
from drivers.wire.malformed import TEXT_BYTES, Malformed

CAPTURE = Path(__file__).parents[4] / "shared/data/shake/R24FA-datacast.txt"
GOLDEN = Path(__file__).parents[2] / "golden/datacast"
needs_capture = pytest.mark.skipif(
    not CAPTURE.exists(), reason="the capture R24FA-datacast.txt is not beside this checkout"
)

packets = st.builds(
    ShakePacket,
    st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True),
    st.integers(0, 2**63 - 1),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=30).map(tuple),
)
noise = st.binary(max_size=60) | st.text("{}',. 0123456789-EHZ\r\n", max_size=60).map(str.encode)
streams = st.lists(packets.map(encode) | noise, max_size=8).map(b"".join)


@given(packet=packets)
def test_what_is_encoded_reads_back_the_same(packet):
    assert parse_record(encode(packet)) == packet


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    decoder = DatacastDecoder()
    assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) == DatacastDecoder().feed(stream)


@given(stream=streams)
def test_byte_by_byte_is_the_same_as_whole(stream):
    decoder = DatacastDecoder()
    single = [record for byte in stream for record in decoder.feed(bytes([byte]))]
    assert single == DatacastDecoder().feed(stream)


@given(stream=noise, packet=packets)
def test_noise_before_a_record_does_not_cost_the_record(stream, packet):
    assert DatacastDecoder().feed(stream + encode(packet))[-1] == packet


@given(stream=streams)
def test_datagrams_cut_from_a_stream_join_to_the_same_stream(stream):
    assert b"".join(split(stream)) == stream
    assert all(datagram.find(b"{", 1) < 0 for datagram in split(stream))


def test_a_golden_list_of_forms_reads_as_written():
    decoder = DatacastDecoder()
    told = [
        msgspec.json.encode(record).decode()
        for record in decoder.feed((GOLDEN / "forms.txt").read_bytes())
    ]
    assert told == (GOLDEN / "forms.jsonl").read_text().splitlines()


@pytest.mark.parametrize(
    ("text", "utc_ns"),
    [
        (b"1580372810.003", 1_580_372_810_003_000_000),
        (b"1580372810.123457", 1_580_372_810_123_457_000),
        (b"1580372810.123456789", 1_580_372_810_123_456_789),
        (b"1580372810", 1_580_372_810_000_000_000),
    ],
)
def test_the_time_is_read_without_rounding(text, utc_ns):
    packet = parse_record(b"{'EHZ', %b, 1}" % text)
    assert isinstance(packet, ShakePacket)
    assert packet.start_utc_ns == utc_ns


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"{'EHZ', 1.5, 2147483648}", "range"),
        (b"{'EHZ', 1.5, -2147483649}", "range"),
        (b"{'EHZ', 1.5, 1e3}", "counts"),
        (b"{'EHZ', 1.5, 1.0}", "counts"),
        (b"{'EHZ', 1.5, 1,, 2}", "counts"),
        (b"{'EHZ', 1.5, \xff}", "counts"),
        (b"{'EHZ', 1.5, }", "length"),
        (b"{'EHZ', 1.5, " + b"1," * MAX_COUNTS + b"1}", "length"),
        (b"{'EHZ', -1.5, 1}", "head"),
        (b"{EHZ, 1.5, 1}", "head"),
        (b"{'EHZ', 9999999999.0, 1}", "time"),
        (b"{}", "head"),
    ],
)
def test_what_is_no_record_says_why(record, reason):
    assert [told.reason for told in DatacastDecoder().feed(record)] == [reason]


def test_an_endless_record_is_told_once_and_not_kept():
    decoder = DatacastDecoder()
    told = decoder.feed(b"{'EHZ', 1.5, ")
    for _ in range(200):
        told += decoder.feed(b"7, " * 300)
    assert [record.reason for record in told] == ["too-long"]
    assert kept_bytes(decoder) <= MAX_RECORD_BYTES
    assert decoder.feed(b"{'EHZ', 1.5, 1}") == [ShakePacket("EHZ", 1_500_000_000, (1,))]


def test_a_cut_link_drops_the_half_record():
    decoder = DatacastDecoder()
    decoder.feed(b"{'EHZ', 1.5, 1, 2")
    decoder.cut()
    assert decoder.feed(b"{'EHZ', 2.5, 3}") == [ShakePacket("EHZ", 2_500_000_000, (3,))]


def test_a_million_random_and_mutated_bytes_never_raise_and_never_pile_up():
    chance = random.Random(20200130)
    good = encode(ShakePacket("EHZ", 1_580_372_810_003_000_000, tuple(range(-12, 13))))
    decoder = DatacastDecoder()
    fed = 0
    while fed < 1_000_000:
        piece = bytearray(chance.randbytes(40) if chance.random() < 0.3 else good)
        for _ in range(chance.choice((0, 1, 1, 5))):
            piece[chance.randrange(len(piece))] = chance.choice((123, 125, chance.randrange(256)))
        decoder.feed(bytes(piece))
        fed += len(piece)
        assert kept_bytes(decoder) <= MAX_RECORD_BYTES + TEXT_BYTES
        if chance.random() < 0.05:  # whatever came before, a whole record is read
            assert isinstance(decoder.feed(good)[-1], ShakePacket)
            fed += len(good)


def kept_bytes(decoder):
    return len(decoder._rest) + len(decoder._outside)


@needs_capture
def test_the_real_capture_reads_whole_and_is_written_byte_for_byte():
    raw = CAPTURE.read_bytes()
    read = DatacastDecoder().feed(raw)
    assert len(read) == 1760
    lines = [line.strip() for line in raw.splitlines() if line.strip() not in (b"", b"TERM")]
    assert [encode(packet) for packet in read] == lines


@needs_capture
def test_the_real_capture_is_replayed_at_the_end_of_each_packet():
    first, *_ = capture_lines(CAPTURE.read_bytes())
    assert first[0] == 1_580_372_810_253_000_000
    assert not any(
        isinstance(parse_record(text), Malformed) for _, text in capture_lines(CAPTURE.read_bytes())
    )
