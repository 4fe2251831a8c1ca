import hashlib
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.bundle import (
    MAGIC,
    MAX_BUNDLE_BYTES,
    MAX_HEADER_BYTES,
    Bundle,
    BundleDecoder,
    encode,
    split,
)
from drivers.wire.malformed import Malformed

names = st.text("abcdefgh_.", min_size=1, max_size=12).filter(lambda name: name.strip("."))
file_sets = st.dictionaries(names, st.binary(max_size=60), min_size=1, max_size=4)
pieces = st.binary(max_size=40) | file_sets.map(encode) | st.just(MAGIC)
streams = st.lists(pieces, max_size=5).map(b"".join)


def header_of(entries: bytes) -> bytes:
    return MAGIC + struct.pack("<II", len(entries), zlib.crc32(entries)) + entries


def decoded(stream: bytes, size: int) -> list[Bundle | Malformed]:
    decoder = BundleDecoder()
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    return [record for chunk in chunks for record in decoder.feed(chunk)]


@given(files=file_sets)
def test_what_is_encoded_is_decoded(files):
    assert BundleDecoder().feed(encode(files)) == [Bundle(tuple(files.items()))]


@given(files=file_sets)
def test_digests_go_along_where_they_are_known(files):
    digests = tuple(hashlib.sha256(content).hexdigest() for content in files.values())
    assert BundleDecoder().feed(encode(files, digests)) == [Bundle(tuple(files.items()), digests)]


def test_sixteen_files_of_the_longest_names_fit_with_their_digests():
    files = {f"{number:02}" + "n" * 198: b"" for number in range(16)}
    (one,) = BundleDecoder().feed(encode(files, ["0" * 64] * 16))
    assert len(one.files) == len(one.digests) == 16


@given(data=st.data(), stream=streams)
def test_the_split_of_the_stream_does_not_matter(data, stream):
    at = data.draw(st.integers(0, len(stream)))
    decoder = BundleDecoder()
    whole = BundleDecoder().feed(stream)
    assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) == whole


@given(stream=streams)
def test_byte_by_byte_is_the_same_as_whole(stream):
    assert decoded(stream, 1) == BundleDecoder().feed(stream)


@given(
    files=file_sets,
    noise=st.binary(min_size=1, max_size=30),
    place=st.floats(0, 1),
    after=st.lists(file_sets, min_size=2, max_size=2),
)
def test_noise_costs_at_most_one_bundle(files, noise, place, after):
    first = encode(files)
    at = int(place * len(first))
    # Noise in a header's length lets it be waited for as far as a header may reach.
    last = {"last": bytes(MAX_HEADER_BYTES)}
    stream = first[:at] + noise + first[at:] + b"".join(encode(one) for one in (*after, last))
    read = [record for record in BundleDecoder().feed(stream) if isinstance(record, Bundle)]
    assert read[-3:] == [Bundle(tuple(one.items())) for one in (*after, last)]


def test_a_cut_bundle_gives_way_to_the_next_one():
    long = encode({"a": bytes(range(256)) * 4})
    short = encode({"b": b"whole"})
    decoder = BundleDecoder()
    read = decoder.feed(long[:700] + short * 30)
    assert [record.reason for record in read if isinstance(record, Malformed)] == ["bad-checksum"]
    assert read.count(Bundle((("b", b"whole"),))) == 30


def test_a_link_cut_within_a_bundle_is_told_and_forgotten():
    bundle = encode({"a": b"contents"})
    decoder = BundleDecoder()
    assert decoder.feed(bundle[:-3]) == []
    assert [record.reason for record in decoder.cut()] == ["truncated"]
    assert decoder.cut() == []
    assert decoder.feed(bundle) == [Bundle((("a", b"contents"),))]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b'{"files":[["a",%d]]}' % (MAX_BUNDLE_BYTES + 1), "too-large"),
        (b'{"files":[["a",-1]]}', "bad-header"),
        (b'{"files":[["../a",1]]}', "bad-header"),
        (b'{"files":[["..",1]]}', "bad-header"),
        (b'{"files":[["C:\\\\a",1]]}', "bad-header"),
        (b'{"files":[["a",1],["a",1]]}', "bad-header"),
        (b'{"files":[]}', "bad-header"),
        (b'{"files":[["a",1e30]]}', "bad-header"),
        (b'{"files":[["a"]]}', "bad-header"),
        (b'{"files":[["a",1]],"sha256":["00"]}', "bad-header"),
        (b'{"files":[["a",1]],"sha256":["%s"]}' % (b"g" * 64), "bad-header"),
        (b'{"files":[["a",1]],"sha256":["%s","%s"]}' % (b"0" * 64, b"0" * 64), "bad-header"),
        (b"[" * 2000, "bad-header"),
        (b"\xff\xfe", "bad-header"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else value,
)
def test_a_lying_header_is_malformed_and_costs_nothing_else(header, reason):
    good = encode({"b": b"good"})
    read = BundleDecoder().feed(header_of(header) + good)
    assert read[0].reason == reason
    assert read[-1] == Bundle((("b", b"good"),))


def test_a_header_that_claims_a_gigabyte_of_header_is_not_waited_for():
    lie = MAGIC + struct.pack("<II", 1 << 30, 0)
    read = BundleDecoder().feed(lie + encode({"a": b""}))
    assert read == [read[0], Bundle((("a", b""),))]
    assert read[0].reason == "bad-header"


def test_a_million_random_and_mutated_bytes_raise_nothing_and_are_not_kept():
    random = np.random.default_rng(20261121)
    good = encode({"scan_high.tiff": bytes(400), "scan.json": b"{}"})
    decoder = BundleDecoder()
    tracemalloc.start()
    for _ in range(500):
        noisy = bytearray(good * 2)
        for at in random.integers(0, len(noisy), 5):
            noisy[at] = random.integers(0, 256)
        decoder.feed(bytes(noisy))
        decoder.feed(random.bytes(1000))
        # What a lying size still waits for is given up when the link is cut.
        if random.random() < 0.1:
            decoder.cut()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 4 << 20
    decoder.cut()
    assert decoder.feed(good)[-1] == Bundle((("scan_high.tiff", bytes(400)), ("scan.json", b"{}")))


def test_endless_noise_is_told_once_and_not_kept():
    decoder = BundleDecoder()
    told = [record for _ in range(200) for record in decoder.feed(b"\x89noise " * 1000)]
    assert [record.reason for record in told] == ["noise"]
    assert len(decoder._buffer) < len(MAGIC)


def test_nested_starts_cannot_make_it_slow():
    # Every header inside claims all the rest and is false: read naively, this is quadratic.
    nested = b"".join(header_of(b'{"files":[["a",%d]]}' % 3_000_000) for _ in range(20_000))
    stream = nested + bytes(4_000_000)
    began = time.process_time()
    read = decoded(stream, 1 << 16)
    assert time.process_time() - began < 5.0  # a hang takes minutes; this is no speed claim
    assert 1 <= len(read) < 100


def test_twenty_megabytes_in_small_chunks_are_copied_a_few_times_only():
    bundle = encode({"a": bytes(20_000_000)})
    began = time.process_time()
    assert len(decoded(bundle, 4096)) == 1
    assert time.process_time() - began < 5.0  # copied with each chunk it would take a minute


def test_split_gives_back_the_bundles():
    bundles = [encode({"a": b"1"}), encode({"b": b"22", "c": b""})]
    assert split(b"".join(bundles)) == bundles
    assert split(b"noise" + bundles[0] + b"noise") == bundles[:1]
    assert split(b"") == []


@pytest.mark.parametrize("files", [{}, {"a/b": b""}, {"": b""}, {str(i): b"" for i in range(17)}])
def test_what_breaks_a_limit_is_not_encoded(files):
    with pytest.raises(ValueError, match="no bundle"):
        encode(files)
