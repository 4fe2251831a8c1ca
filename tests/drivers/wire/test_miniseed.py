"""miniSEED in every form, whole and byte by byte, damaged and endless."""

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.malformed import Malformed
from drivers.wire.miniseed import (
    MiniSeedDecoder,
    MiniSeedRecord,
    begins_like_one,
    encode,
    frame,
    frames,
    source_of,
)

SOURCE = ("XX", "STA", "00", "EHZ")
START_UTC_NS = 1_580_372_810_003_000_000
RANDOM = np.random.default_rng(4)
COUNTS = RANDOM.integers(-1000, 1000, 300).astype(np.int32)
FORMS = {
    "steim-2": (COUNTS, {"version": 2, "steim": True}),
    "int32-2": (COUNTS, {"version": 2}),
    "float32-2": (COUNTS.astype(np.float32) / 7, {"version": 2}),
    "float64-2": (COUNTS / 7, {"version": 2}),
    "steim-3": (COUNTS, {"steim": True}),
    "int32-3": (COUNTS, {}),
    "float64-3": (COUNTS / 7, {}),
}


def stream(form, record_bytes=512):
    values, how = FORMS[form]
    return b"".join(encode(SOURCE, START_UTC_NS, 100.0, values, record_bytes=record_bytes, **how))


def read(data, *, pieces=1, **how):
    decoder = MiniSeedDecoder(**how)
    size = max(1, len(data) // pieces)
    out = [one for at in range(0, len(data), size) for one in decoder.feed(data[at : at + size])]
    return out + decoder.end()


def plain(out):
    return [
        one.reason
        if isinstance(one, Malformed)
        else (one.start_utc_ns, one.rate_hz, one.count, one.values.tolist(), one.offset, one.size)
        for one in out
    ]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_back(form):
    records = read(stream(form))
    values = np.concatenate([record.values for record in records])
    assert values.dtype == FORMS[form][0].dtype
    assert values.tolist() == FORMS[form][0].tolist()
    assert {(one.network, one.station, one.location, one.channel) for one in records} == {SOURCE}
    times = [record.start_utc_ns for record in records]
    counts = np.cumsum([0] + [record.count for record in records])[:-1]
    assert times == [START_UTC_NS + 10_000_000 * int(count) for count in counts]


@pytest.mark.parametrize("form", FORMS)
def test_byte_by_byte_is_the_same_as_whole(form):
    data = stream(form)
    assert plain(read(data, pieces=len(data))) == plain(read(data))
    framed = 3 * frame(7, "XX", "STA", stream(form, 4096))
    assert plain(read(framed, pieces=len(framed), framed=True)) == plain(read(framed, framed=True))


@pytest.mark.parametrize("record_bytes", [128, 256, 512, 4096])
def test_records_of_any_length(record_bytes):
    records = read(stream("steim-2", record_bytes))
    assert {record.size for record in records} == {record_bytes}


def test_heads_alone_leave_integers_out_and_tell_where_records_are():
    data = b"junk" + stream("steim-2")
    heads = [one for one in read(data, heads_only=True) if isinstance(one, MiniSeedRecord)]
    assert sum(head.count for head in heads) == len(COUNTS)
    assert all(len(head.values) == 0 for head in heads)
    for head in heads:
        assert plain(read(data[head.offset : head.offset + head.size]))[0][2] == head.count


@pytest.mark.parametrize("form", FORMS)
def test_damage_costs_one_record_and_what_hides_behind_it_is_found(form):
    first, second = stream(form), stream(form)
    out = read(first[:100] + second)
    assert sum(one.count for one in out if isinstance(one, MiniSeedRecord)) >= len(COUNTS) - 130
    assert any(isinstance(one, Malformed) for one in out) or form.endswith("2")


def test_text_and_fill_are_passed_over():
    from pymseed import DataEncoding, MS3Record  # noqa: PLC0415 - only here

    writer = MS3Record()
    writer.sourceid = "FDSN:XX_STA__L_O_G"
    writer.starttime = START_UTC_NS
    writer.encoding = DataEncoding.TEXT
    told = b"".join(writer.generate("lid opened", "t"))
    out = read(b"\0" * 512 + told + stream("int32-3") + b" " * 300)
    assert all(isinstance(one, MiniSeedRecord) for one in out)
    assert sum(one.count for one in out) == len(COUNTS)


def test_a_head_that_claims_more_samples_than_it_has_bytes_for_is_refused():
    data = bytearray(stream("int32-2"))
    data[30:32] = (60_000).to_bytes(2, "big" if data[20] == 7 else "little")
    assert "head" in plain(read(bytes(data[:512])))


def test_an_endless_record_is_not_kept():
    head = stream("int32-3")[:40]
    endless = head[:36] + (2**31 - 1).to_bytes(4, "little")
    decoder = MiniSeedDecoder()
    tracemalloc.start()
    for _ in range(64):
        decoder.feed(endless + b"1" * 65_536)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 400_000


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_mutated_records_never_raise_and_times_are_in_range(seed):
    chance = random.Random(seed)
    data = bytearray(b"".join(stream(form) for form in chance.sample(sorted(FORMS), 3)))
    for _ in range(chance.choice((1, 4, 32))):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                del data[at : at + chance.randrange(1, 64)]
            case _:
                data[at:at] = chance.randbytes(chance.randrange(1, 64))
    for one in read(bytes(data), pieces=chance.randrange(1, 5)):
        if isinstance(one, MiniSeedRecord):
            assert 0 <= one.start_utc_ns < 2**63
            assert 0 < one.rate_hz <= 1e6
            assert len(one.values) == one.count


@given(data=st.binary(max_size=600))
def test_garbage_never_raises(data):
    assert all(isinstance(one, Malformed) for one in read(data) + read(data, framed=True))


def test_frames_carry_the_servers_number():
    (record,) = encode(SOURCE, START_UTC_NS, 100.0, COUNTS)
    sent = frame(2**40, "XX", "STA", record)
    assert list(frames(sent + sent)) == [sent, sent]
    (heard,) = MiniSeedDecoder(framed=True).feed(sent)
    assert (heard.sequence, heard.count) == (2**40, len(COUNTS))


@pytest.mark.parametrize(
    ("source_id", "parts"),
    [
        ("FDSN:AM_R24FA_00_E_H_Z", ("AM", "R24FA", "00", "EHZ")),
        ("FDSN:_mart_10___cp", ("", "mart", "10", "cp")),
        ("FDSN:____H_Z", ("", "", "", "HZ")),
        ("Line 3 / node 7", ("", "Line-3-node-7", "", "")),
    ],
)
def test_a_source_is_told_by_its_parts(source_id, parts):
    assert source_of(source_id) == parts


def test_what_begins_like_one():
    assert begins_like_one(stream("int32-3"))
    assert begins_like_one(stream("int32-2"))
    assert begins_like_one(b"000001V 010009402.3")
    assert not begins_like_one(b"{'EHZ', 1580372810.003, 1}")
    assert not begins_like_one(b"time,counts\n0,1")
    assert not begins_like_one(b"")


def _bundled():
    try:
        import obspy  # noqa: PLC0415 - a test extra
    except ImportError:
        return []
    return sorted((Path(obspy.__file__).parent / "io/mseed/tests/data").glob("**/*"))


@pytest.mark.parametrize(
    "name",
    [
        "steim2.mseed",
        "timingquality.mseed",
        "BW.BGLD.__.EHE.D.2008.001.first_10_records",
        "mseed_no_blkt_1000.mseed",
    ],
)
def test_what_obspy_reads_reads_the_same(name):
    found = [path for path in _bundled() if path.name == name]
    if not found:
        pytest.skip(f"obspy's {name} is not installed")
    from obspy import read as obspy_read  # noqa: PLC0415 - two seconds

    traces = obspy_read(str(found[0]))
    ours = [one for one in read(found[0].read_bytes()) if isinstance(one, MiniSeedRecord)]
    assert sum(one.count for one in ours) == sum(len(trace) for trace in traces)
    values = np.concatenate([one.values for one in ours])
    theirs = np.concatenate([trace.data for trace in traces])
    assert np.array_equal(np.sort(values), np.sort(theirs))
