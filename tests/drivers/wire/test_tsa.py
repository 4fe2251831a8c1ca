import json
import random
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import tsa
from drivers.wire.malformed import Malformed
from drivers.wire.tsa import (
    MAX_BLANK_LINES,
    MAX_LINE_BYTES,
    CountsLine,
    EndLine,
    SetupLine,
    SpeedLine,
    TamperLine,
    TsaDecoder,
    UnknownLine,
    encode,
    parse_line,
    speed_line,
)

GOLDEN = Path(__file__).parents[2] / "golden/tsa"

# Lines of facts/radiation 1.1 and what they say.
TABLE = [
    ("GB,000257,000257,000251,000267", CountsLine("GB", (257, 257, 251, 267))),
    ("GH,000457,000257,000251,000267", CountsLine("GH", (457, 257, 251, 267))),
    ("GL,000012,000012,000012,000012", CountsLine("GL", (12, 12, 12, 12))),
    ("NB,000004,000002,000004,000004", CountsLine("NB", (4, 2, 4, 4))),
    ("NH,000060,000002,000004,000004", CountsLine("NH", (60, 2, 4, 4))),
    ("NL,000000,000000,000000,000000", CountsLine("NL", (0, 0, 0, 0))),
    ("GS,000052,000052,000052,000052", CountsLine("GS", (52, 52, 52, 52))),
    ("GA,000357,000361,000352,000349", CountsLine("GA", (357, 361, 352, 349))),
    ("NS,000000,000001,000000,000002", CountsLine("NS", (0, 1, 0, 2))),
    ("NA,000012,000009,000014,000010", CountsLine("NA", (12, 9, 14, 10))),
    ("SP,0.2249,03.032,004.88,000000", SpeedLine(0.2249, 3.032, 4.88)),
    ("GX,001760,017600,000000,000000", EndLine(1760, 17600)),
    ("TT,000000,000000,000000,000000", TamperLine(True, ("000000",) * 4)),
    ("TC,111111,111111,111111,111111", TamperLine(False, ("111111",) * 4)),
    (
        "SG1,000450,000068,05,10,07.0,P",
        SetupLine("SG1", ("000450", "000068", "05", "10", "07.0", "P")),
    ),
    (
        "SG2,1111,0.069,0.455,01,1010,A",
        SetupLine("SG2", ("1111", "0.069", "0.455", "01", "1010", "A")),
    ),
    (
        "SG3,0.069,0.455,020,000,1.10.1",
        SetupLine("SG3", ("0.069", "0.455", "020", "000", "1.10.1")),
    ),
    (
        "SN1,000050,05,0047,1200,02,120",
        SetupLine("SN1", ("000050", "05", "0047", "1200", "02", "120")),
    ),
    (
        "SN2,0.504,5.040,0.504,5.040,PP",
        SetupLine("SN2", ("0.504", "5.040", "0.504", "5.040", "PP")),
    ),
    ("XZ,1,2,3", UnknownLine("XZ", "XZ,1,2,3")),
]
STREAM = b"".join(line.encode() + b"\r\n" for line, _ in TABLE)

BAD = [
    (b"GS,000052,000052,000052", "bad-fields"),
    (b"GS,000052,000052,000052,000052,1", "bad-fields"),
    (b"GS,0000x2,000052,000052,000052", "bad-fields"),
    (b"GS,+00052,000052,000052,000052", "bad-fields"),
    (b"GS, 00052,000052,000052,000052", "bad-fields"),
    (b"GS,1_0,000052,000052,000052", "bad-fields"),
    (b"GS,0000052,000052,000052,000052", "bad-fields"),
    (b"SP,-0.225,03.032,004.88,000000", "bad-fields"),
    (b"SP,nan,03.032,004.88,000000", "bad-fields"),
    (b"SP,1e5,03.032,004.88,000000", "bad-fields"),
    (b"GX,001760,017600", "bad-fields"),
    (b"TT,000000", "bad-fields"),
    (b"SG1,000450", "bad-fields"),
    (b"hello, portal", "not-a-line"),
    (b"\xff\x00\x80", "not-a-line"),
    (b"gs,000052,000052,000052,000052", "not-a-line"),
    (b"TOOLONG,1", "not-a-line"),
    (b"XZ," + b"1" * MAX_LINE_BYTES, "line-too-long"),
]

six_digits = st.integers(0, tsa.MAX_COUNT)
four_counts = st.tuples(six_digits, six_digits, six_digits, six_digits)
settings_text = st.text("0123456789.APT", min_size=1, max_size=8)
records = st.one_of(
    st.builds(
        CountsLine, st.sampled_from(sorted(tsa.BACKGROUND_TAGS | tsa.SCAN_TAGS)), four_counts
    ),
    st.builds(
        SpeedLine,
        st.integers(0, 99_999).map(lambda n: n / 10_000),
        st.integers(0, 99_000).map(lambda n: n / 1000),
        st.integers(0, 99_900).map(lambda n: n / 100),
        six_digits,
    ),
    st.builds(EndLine, six_digits, six_digits, st.tuples(six_digits, six_digits)),
    st.builds(TamperLine, st.booleans(), st.tuples(*[settings_text] * 4)),
    st.sampled_from(sorted(tsa.SETUP_FIELDS)).flatmap(
        lambda tag: st.builds(
            SetupLine, st.just(tag), st.tuples(*[settings_text] * len(tsa.SETUP_FIELDS[tag]))
        )
    ),
)
# About the limit, with and without a CR, and far beyond it.
long_lines = st.integers(MAX_LINE_BYTES - 2, MAX_LINE_BYTES + 4).map(lambda n: b"A" * n) | st.just(
    b"A" * 1000
)
streams = st.binary(max_size=300) | st.lists(
    records.map(encode)
    | st.binary(max_size=40)
    | st.sampled_from([b"\r\n", b"\r", b"\n", b"\r\n" * (MAX_BLANK_LINES + 1)])
    | long_lines,
    max_size=12,
).map(b"".join)


def decode(data):
    return TsaDecoder().feed(data)


@pytest.mark.parametrize(("line", "record"), TABLE, ids=[line[:3] for line, _ in TABLE])
def test_every_line_of_the_table_reads_and_writes(line, record):
    assert parse_line(line.encode()) == record
    assert encode(record) == line.encode() + b"\r\n"


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_line_that_is_none_says_why(line, reason):
    assert parse_line(line).reason == reason


def test_the_table_reads_whole_and_byte_by_byte_with_either_line_end():
    wanted = [record for _, record in TABLE]
    for stream in (STREAM, STREAM.replace(b"\r\n", b"\n")):
        assert decode(stream) == wanted
        decoder = TsaDecoder()
        assert [one for byte in stream for one in decoder.feed(bytes([byte]))] == wanted


@given(record=records)
def test_what_is_encoded_decodes_to_the_same(record):
    assert decode(encode(record)) == [record]


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    decoder = TsaDecoder()
    assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) == decode(stream)


@given(stream=streams)
def test_byte_by_byte_is_the_same_as_whole_over_the_limit_too(stream):
    decoder = TsaDecoder()
    assert [one for byte in stream for one in decoder.feed(bytes([byte]))] == decode(stream)


@given(noise=st.binary(max_size=200) | long_lines, place=st.integers(0, len(TABLE)))
def test_noise_costs_at_most_the_record_that_it_hits(noise, place):
    lines = [line.encode() + b"\r\n" for line, _ in TABLE]
    wanted = [record for _, record in TABLE]
    read = decode(b"".join([*lines[:place], noise, *lines[place:]]))
    lost = wanted[place : place + 1] if noise else []
    kept = wanted[:place] + wanted[place + len(lost) :]
    remaining = iter(read)
    assert all(any(one == record for one in remaining) for record in kept)


@pytest.mark.parametrize("cut", range(1, 31))
def test_who_joins_in_the_middle_of_a_line_loses_only_that(cut):
    first, rest = TABLE[0][0].encode()[cut:] + b"\r\n", STREAM[32:]
    assert decode(first + rest) == [record for _, record in TABLE[1:]]


def test_a_first_line_that_is_no_end_of_one_is_told():
    assert decode(b"hello, portal\r\n") == [Malformed("not-a-line", "hello, portal")]


def test_after_a_cut_the_line_half_read_is_dropped_and_the_next_may_be_half():
    decoder = TsaDecoder()
    assert decoder.feed(STREAM[:40]) == [TABLE[0][1]]
    decoder.cut()
    assert decoder.feed(b",000267\r\n" + STREAM[:32]) == [TABLE[0][1]]


def test_an_endless_line_is_told_once_and_not_kept():
    decoder = TsaDecoder()
    told = [one for _ in range(1000) for one in decoder.feed(b"GS,000052," * 100)]
    assert [one.reason for one in told] == ["line-too-long"]
    assert told[0].text.startswith("GS,000052,")
    assert len(decoder._line) <= MAX_LINE_BYTES + 2
    assert decoder.feed(b"\r\n" + STREAM[:32]) == [TABLE[0][1]]
    decoder.feed(b"A" * 1000)
    decoder.cut()
    assert [one.reason for one in decoder.feed(b"A" * 1000)] == ["line-too-long"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_of_just_the_limit_is_read(end):
    line = b"XZ," + b"1" * (MAX_LINE_BYTES - 3)
    assert decode(line + end) == [UnknownLine("XZ", line.decode())]
    assert [one.reason for one in decode(line + b"1" + end)] == ["line-too-long"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_flood_of_blank_lines_is_told_once_for_each_run(end):
    decoder = TsaDecoder()
    read = decoder.feed(end * 100_000 + STREAM[:32] + end * 5 + STREAM[:32] + end * 1000)
    blank = Malformed("blank-lines", "")
    assert read == [blank, TABLE[0][1], TABLE[0][1], blank]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_million_damaged_bytes_never_raise_and_the_next_line_is_read(seed):
    chance = random.Random(seed)
    stream = bytearray(STREAM * (1_000_000 // len(STREAM)))
    for _ in range(20_000):
        stream[chance.randrange(len(stream))] = chance.randrange(256)
    decoder = TsaDecoder()
    read = decoder.feed(bytes(stream)) + decoder.feed(chance.randbytes(1_000_000))
    assert sum(isinstance(one, CountsLine) for one in read) > 5_000
    assert sum(isinstance(one, Malformed) for one in read) > 5_000
    assert len(decoder._line) <= MAX_LINE_BYTES + 2
    assert decoder.feed(b"\r\n" + STREAM[:32])[-1] == TABLE[0][1]


def test_the_speed_of_the_sample_line_is_the_same_in_all_its_units():
    # Golden vector of facts/radiation 1.1: 0.2249 s/ft = 4.446 ft/s = 3.03 mph = 4.88 km/h.
    line = speed_line(0.3048 / 0.2249)
    assert encode(line) == b"SP,0.2249,03.032,004.88,000000\r\n"
    assert pytest.approx(4.446, abs=1e-3) == 1 / 0.2249


def test_no_speed_overflows_its_fields():
    assert encode(speed_line(0.001)) == b"SP,9.9999,00.002,000.00,000000\r\n"
    assert encode(speed_line(300.0)) == b"SP,0.0010,99.000,999.00,000000\r\n"


def test_a_count_beyond_six_digits_stays_at_the_highest():
    assert encode(CountsLine("GA", (10**6, 1, 2, 3))) == b"GA,999999,000001,000002,000003\r\n"


def test_the_golden_capture_reads_as_written_down():
    read = decode((GOLDEN / "table.txt").read_bytes())
    lines = [json.dumps({type(one).__name__: asdict(one)}) for one in read]
    assert lines == (GOLDEN / "table.jsonl").read_text().splitlines()
