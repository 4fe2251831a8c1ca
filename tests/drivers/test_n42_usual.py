"""The short way with documents says what the long way says, whatever is in them."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.n42_table import Table
from drivers.n42_usual import UsualDocuments
from drivers.spectrum_reader import SpectrumReader, installed
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from tests.drivers.n42_seconds import a_second, coming, same, samples


class Counting:
    """The long way, counting how often it is gone."""

    def __init__(self, read=n42.read):
        self.times = 0
        self._read = read

    def __call__(self, data):
        self.times += 1
        return self._read(data)


def test_the_second_of_a_form_is_read_in_the_short_way():
    long = Counting()
    usual = UsualDocuments(long)
    written = [n42.write(a_second(number)) for number in range(6)]
    read = [usual.read(data) for data in written]
    assert long.times == 1
    assert isinstance(read[-1], Table)
    assert same(samples(read), samples(map(n42.read, written)))


def test_a_vehicle_may_come_at_any_slice():
    long = Counting()
    usual = UsualDocuments(long)
    documents = [a_second(0, occupied=False), a_second(1), coming(2, 1), coming(3, 3)]
    documents += [coming(4 + place, place) for place in range(4)]
    written = [n42.write(one) for one in documents]
    read = [usual.read(data) for data in written]
    assert long.times == 3  # vacant, occupied, and with a speed
    assert same(samples(read), samples(map(n42.read, written)))


def test_more_slices_than_ever_are_read_in_the_long_way():
    long = Counting()
    usual = UsualDocuments(long)
    for slices in (4, 4, 3, 3):
        usual.read(n42.write(a_second(0, slices=slices)))
    assert long.times == 2


def test_durations_that_no_float32_holds_are_learned_when_they_are_seen():
    def single(data):
        """As the library has them."""
        document = n42.read(data)
        return dataclasses.replace(
            document,
            measurements=tuple(
                dataclasses.replace(
                    one,
                    spectra=tuple(
                        dataclasses.replace(each, live_s=float(f"{np.float32(each.live_s):.7g}"))
                        for each in one.spectra
                    ),
                )
                for one in document.measurements
            ),
        )

    written = [n42.write(a_second(k, live_s=0.1 if k < 2 else 29.9876543)) for k in range(5)]
    for read in (single, n42.read):
        long = Counting(read)
        usual = UsualDocuments(long)
        found = [usual.read(data) for data in written]
        assert long.times == 2
        assert same(samples(found), samples(map(read, written)))


def test_times_finer_than_the_library_has_them_are_learned():
    def whole_us(data):
        """As the library has them."""
        document = n42.read(data)
        measurements = [
            dataclasses.replace(one, start_utc_ns=one.start_utc_ns // 1000 * 1000)
            for one in document.measurements
        ]
        return dataclasses.replace(document, measurements=tuple(measurements))

    documents = [a_second(k, clock_ns=0 if k < 2 else 123_456_789) for k in range(5)]
    # What is known of durations is not forgotten for it.
    documents += [a_second(k, clock_ns=123_456_700, live_s=29.9876543) for k in range(5, 9)]
    documents += [a_second(k) for k in range(9, 12)]
    written = [n42.write(one) for one in documents]
    for read in (whole_us, n42.read):
        long = Counting(read)
        usual = UsualDocuments(long)
        found = [usual.read(data) for data in written]
        assert long.times == 3
        assert same(samples(found), samples(map(read, written)))


@pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
def test_digits_that_are_all_zero_tell_nothing_of_the_library():
    """Devices write seven, and begin on the second."""
    written = [n42.write(a_second(k, clock_ns=k // 2 * 700)) for k in range(6)]
    written = [re.sub(rb"(\.\d)Z<", rb"\g<1>000000Z<", one) for one in written]
    reader = SpectrumReader()
    try:
        usual = UsualDocuments(reader.read)
        found = [usual.read(data) for data in written]
        assert isinstance(found[1], Table) and isinstance(found[-1], Table)
        assert same(samples(found), samples(map(reader.read, written)))
    finally:
        reader.close()


def test_a_vehicle_that_stands_does_not_end_the_short_way():
    long = Counting()
    usual = UsualDocuments(long)
    usual.read(n42.write(a_second(0, slices=1, speed=2.25)))
    standing = [n42.write(a_second(1 + k, slices=1, speed=2.25)) for k in range(80)]
    for data in standing:
        usual.read(data.replace(b">2.25<", b">0.0<"))
    before = long.times
    assert isinstance(usual.read(n42.write(a_second(90, slices=1, speed=2.25))), Table)
    assert long.times == before


@pytest.mark.parametrize("zone", [b"", b"-07:00", b"+05:30"])
def test_local_times_are_read_in_the_short_way(zone):
    written = [n42.write(a_second(number)) for number in range(4)]
    written = [re.sub(rb"Z</StartDateTime>", zone + b"</StartDateTime>", one) for one in written]
    long = Counting()
    usual = UsualDocuments(long)
    found = [usual.read(data) for data in written]
    assert long.times == 1
    assert same(samples(found), samples(map(n42.read, written)))


def test_two_zones_in_one_document_are_read_in_the_long_way():
    written = [n42.write(a_second(number)) for number in range(4)]
    written = [one.replace(b"Z</StartDateTime>", b"+00:00</StartDateTime>", 1) for one in written]
    long = Counting()
    usual = UsualDocuments(long)
    assert same(samples(map(usual.read, written)), samples(map(n42.read, written)))
    assert long.times == 4


seconds = st.builds(
    a_second,
    number=st.integers(0, 40),
    seed=st.integers(0, 3),
    slices=st.sampled_from([1, 4]),
    mean=st.sampled_from([0.0, 0.01, 0.4, 3.0, 2e4]),
    channels=st.sampled_from([48, 49]),
    live_s=st.sampled_from([0.0, 0.0993, 0.099312, 0.0993123456, 0.1]),
    occupied=st.sampled_from([True, False, None]),
    speed=st.sampled_from([None, 2.2, 3.0, 2.123456789]),
    clock_ns=st.sampled_from([0, 123_000_000, 123_456_000, 123_456_700, 123_456_789]),
)


@settings(max_examples=150)
@given(st.lists(seconds, max_size=8))
def test_any_documents_are_the_samples_of_the_plain_reader(documents):
    usual = UsualDocuments(n42.read)
    written = [n42.write(one) for one in documents]
    assert same(samples(map(usual.read, written)), samples(map(n42.read, written)))


@pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
@pytest.mark.parametrize("zone", [b"", b"Z", b"-07:00", b"+05:30"])
def test_local_times_are_those_of_the_library(zone):
    documents = [a_second(number, clock_ns=123_456_700) for number in range(4)]
    written = [n42.write(one).replace(b"Z</Sta", zone + b"</Sta") for one in documents]
    reader = SpectrumReader()
    try:
        usual = UsualDocuments(reader.read)
        found = [usual.read(data) for data in written]
        assert isinstance(found[-1], Table)
        assert same(samples(found), samples(map(reader.read, written)))
    finally:
        reader.close()


@pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
def test_any_documents_are_the_samples_of_the_library():
    reader = SpectrumReader()

    @settings(max_examples=60)
    @given(st.lists(seconds, max_size=8))
    def check(documents):
        usual = UsualDocuments(reader.read)
        written = [n42.write(one) for one in documents]
        assert same(samples(map(usual.read, written)), samples(map(reader.read, written)))

    try:
        check()
    finally:
        reader.close()


PLAIN = n42.write(a_second(1, slices=1, channels=12))
changes = st.lists(
    st.tuples(
        st.integers(0, len(PLAIN) - 1),
        st.sampled_from([b"", b"0", b"7", b" ", b"<", b">", b"&", b"&lt;", b"\x01", b"\xff", b"-"])
        | st.sampled_from([b"<!--x-->", b"<ChannelData>", b"00", b".5", b"\t", b"\r", b"99999999"]),
        st.integers(0, 3),
    ),
    max_size=3,
)


@settings(max_examples=400)
@given(changes)
def test_a_changed_document_is_read_or_refused_as_ever(made):
    changed = PLAIN
    for at, what, length in made:
        changed = changed[:at] + what + changed[at + length :]
    usual = UsualDocuments(n42.read)
    usual.read(PLAIN)
    for _ in range(2):
        assert same(samples([usual.read(changed)]), samples([n42.read(changed)]))


def test_an_entity_in_the_place_of_a_number_is_refused():
    usual = UsualDocuments(n42.read)
    usual.read(PLAIN)
    hostile = PLAIN.replace(
        b'<?xml version="1.0" encoding="UTF-8"?>', b'<!DOCTYPE a [<!ENTITY b "1">]>'
    )
    assert usual.read(hostile).reason == "has-dtd"


def test_documents_that_never_come_again_are_no_longer_learned():
    long = Counting()
    usual = UsualDocuments(long)
    for number in range(200):
        document = dataclasses.replace(a_second(slices=1), item=f"truck {number}")
        assert not isinstance(usual.read(n42.write(document)), Malformed)
    assert long.times == 200
    assert len(usual._forms) < 100
