"""One suite over every driver and its simulator: clauses 1 to 9. The wires are beside."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drivers.catalog import KINDS as DRIVERS
from drivers.wire.malformed import Malformed
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, ScanLines
from simulators.catalog import KINDS as SIMULATORS
from tests.contract.pairs import Pair, pair_of
from tests.contract.scenarios import DEVICE, START_UTC_NS, WIRES

# The pair is computed once and never changed by a clause.
FEW = settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EDGE_BYTES = 2048  # of a large record each byte at both ends; the middle in a few pieces
NOISE = [
    b"\xff",
    b"\x00" * 90,
    b"noise",
    b"GS,000052,0000",
    b"{'EHZ', 15",
    b"\x89GXB\r\n\x1a\n",
    b"{",
]


@pytest.fixture(params=sorted(DRIVERS))
def pair(request):
    return pair_of(request.param)


def test_there_are_kinds_to_hold_to_the_contract():
    assert DRIVERS, "no driver is registered: the contract has nothing to hold"


def test_every_driver_has_a_simulator():
    assert sorted(DRIVERS) == sorted(SIMULATORS)


def test_every_kind_is_known_to_the_contract():
    assert sorted(WIRES) == sorted(DRIVERS)


def test_the_catalogs_name_each_kind_as_its_row_does():
    assert all(name == row.kind for name, row in {**DRIVERS, **SIMULATORS}.items())


def test_01_the_same_seed_gives_the_same_bytes_and_another_does_not(pair):
    assert pair.simulate() == pair.data
    assert pair.simulate(seed=8) != pair.data


@FEW
@example(steps_ms=[])
@example(steps_ms=[1] * 300)
@given(steps_ms=st.lists(st.integers(0, 1500), max_size=25))
def test_02_the_step_size_does_not_change_the_bytes(pair, steps_ms):
    assert pair.simulate(steps_ms=steps_ms) == pair.data


def test_03_all_that_the_simulator_sends_is_understood(pair):
    understood = pair.feed(pair.arrivals)
    assert understood, "a day without a sample proves nothing"
    assert [one for one in understood if one[0] == "Malformed"] == []


def test_04_byte_by_byte_is_the_same_as_whole(pair):
    bytewise = [
        (received_utc_ns, piece)
        for received_utc_ns, data in pair.arrivals
        for piece in crumbs(data)
    ]
    assert len(bytewise) > len(pair.arrivals)
    assert pair.feed(bytewise) == pair.feed(pair.arrivals)


@FEW
@given(data=st.data())
def test_04_any_split_is_the_same_as_whole(pair, data):
    pieces = []
    for received_utc_ns, chunk in pair.arrivals:
        cut = data.draw(st.integers(0, len(chunk))) if len(pieces) < 40 else len(chunk) // 2
        # An empty chunk would say that the link was cut.
        pieces += [(received_utc_ns, part) for part in (chunk[:cut], chunk[cut:]) if part]
    assert pair.feed(pieces) == pair.feed(pair.arrivals)


def crumbs(data):
    """The data in single bytes; of a large record the middle in pieces of an odd size."""
    if len(data) <= 4 * EDGE_BYTES:
        return [data[at : at + 1] for at in range(len(data))]
    head, middle, tail = data[:EDGE_BYTES], data[EDGE_BYTES:-EDGE_BYTES], data[-EDGE_BYTES:]
    pieces = [middle[at : at + 9973] for at in range(0, len(middle), 9973)]
    return [*crumbs(head), *pieces, *crumbs(tail)]


def with_noise(pair, index, noise):
    """The records with `noise` before one of them, at that one's time."""
    received_utc_ns = pair.records[index][0]
    return [*pair.records[:index], (received_utc_ns, noise), *pair.records[index:]]


def without(pair, index):
    """The records but one."""
    return [*pair.records[:index], *pair.records[index + 1 :]]


@FEW
@example(place=0.0, noise=NOISE[0])
@example(place=0.3, noise=NOISE[1])
@example(place=0.5, noise=NOISE[2])
@example(place=0.7, noise=NOISE[3])
@example(place=0.8, noise=NOISE[4])
@example(place=0.6, noise=NOISE[5])
@example(place=0.4, noise=NOISE[6])
@given(place=st.floats(0, 1), noise=st.binary(min_size=1, max_size=300))
def test_05_noise_costs_at_most_one_record(pair, place, noise):
    index = min(int(place * len(pair.records)), len(pair.records) - 1)
    after = pair.samples(with_noise(pair, index, noise))
    assert after in (pair.samples(pair.records), pair.samples(without(pair, index)))


@FEW
@example(place=0.5, share=0.5)
@given(place=st.floats(0, 1), share=st.floats(0, 1))
def test_05_the_start_of_a_record_costs_at_most_the_next(pair, place, share):
    index = min(int(place * len(pair.records)), len(pair.records) - 1)
    record = pair.records[index][1]
    start = record[: 1 + int(share * (len(record) - 2))]
    test_05 = pair.samples(with_noise(pair, index, start))
    assert test_05 in (pair.samples(pair.records), pair.samples(without(pair, index)))


@FEW
@example(place=0.5, share=0.5)
@given(place=st.floats(0, 1), share=st.floats(0, 1))
def test_05_a_link_cut_within_a_record_costs_that_record(pair, place, share):
    index = min(int(place * len(pair.records)), len(pair.records) - 1)
    received_utc_ns, record = pair.records[index]
    cut = 1 + int(share * (len(record) - 2))
    parts = [(received_utc_ns, part) for part in (record[:cut], b"", record[cut:])]
    lost = [*pair.records[:index], *parts, *pair.records[index + 1 :]]
    gone = [*pair.records[:index], (received_utc_ns, b""), *pair.records[index + 1 :]]
    assert pair.samples(lost) == pair.samples(gone)


def test_06_an_endless_line_is_not_kept(pair):
    _, record = max(pair.records, key=lambda record: len(record[1]))
    filler = b"1" * 65_536
    for start in (b"", record[: len(record) // 2], record[:3]):
        driver = pair.new_driver()
        tracemalloc.start()
        try:
            if start:
                driver.feed(start, START_UTC_NS)
            for _ in range(64):
                driver.feed(filler, START_UTC_NS)
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # What a record of this kind takes, twice over, and not the 4 MiB that were fed.
        assert kept < 262_144 + 2 * len(record)


@FEW
@given(chunks=st.lists(st.binary(max_size=400), max_size=12))
def test_07_garbage_never_raises(pair, chunks):
    driver = pair.new_driver()
    for number, data in enumerate(chunks):
        for one in driver.feed(data, START_UTC_NS + number * MILLISECOND_NS):
            assert isinstance(one, Malformed)


@FEW
@given(data=st.data())
def test_07_damaged_records_never_raise(pair, data):
    driver = pair.new_driver()
    read = []
    some = data.draw(st.lists(st.sampled_from(range(len(pair.records))), max_size=8))
    for index in some:
        received_utc_ns, record = pair.records[index]
        damaged = bytearray(record)
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at] = data.draw(st.integers(0, 255))
        read += driver.feed(bytes(damaged), received_utc_ns)
    # And it goes on: what comes whole after a cut is read, but for a scan that was read before.
    read += driver.feed(b"", pair.records[-1][0])
    for at, record in pair.records:
        read += driver.feed(record, at + 60 * SECOND_NS)
    samples = [one for one in read if not isinstance(one, Malformed)]
    assert {(one.sensor_id, one.origin) for one in samples} == {(DEVICE, Origin.SIMULATOR)}


@pytest.mark.parametrize("origin", list(Origin))
def test_08_origin_and_sensor_id_are_carried(pair, origin):
    driver = pair.new_driver(origin)
    samples = [one for at, data in pair.arrivals for one in driver.feed(data, at)]
    assert {(one.sensor_id, one.origin) for one in samples} == {(DEVICE, origin)}


def test_09_times_do_not_run_backwards(pair):
    assert_in_order(pair, pair.arrivals)


@FEW
@given(place=st.floats(0, 1), noise=st.sampled_from([*NOISE, b""]), late_ms=st.integers(0, 90_000))
def test_09_nor_do_they_after_noise_a_cut_and_a_pause(pair, place, noise, late_ms):
    index = min(int(place * len(pair.records)), len(pair.records) - 1)
    before = with_noise(pair, index, noise)[: index + 1]
    later = [(at + late_ms * MILLISECOND_NS, record) for at, record in pair.records[index:]]
    assert_in_order(pair, [*before, *later])


def assert_in_order(pair: Pair, chunks):
    """Of what a device says as a whole, and of each of its channels.

    Not between channels: where a packet of one is late or lost, that one waits for it while
    the others go on. Nor between the parts of a scan and the scan, which began with the first.
    """
    driver = pair.new_driver()
    last_utc_ns: dict[str, int] = {}
    for received_utc_ns, data in chunks:
        for one in driver.feed(data, received_utc_ns):
            if not isinstance(one, Malformed):
                channel = getattr(one, "channel", "lines" if isinstance(one, ScanLines) else "")
                assert one.start_utc_ns >= last_utc_ns.get(channel, 0), one
                last_utc_ns[channel] = one.start_utc_ns
