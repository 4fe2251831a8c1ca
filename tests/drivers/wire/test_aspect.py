"""Registers of an Aspect portal, both ways."""

import json
import math
import struct
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import modbus
from drivers.wire.aspect import (
    AspectDecoder,
    Channel,
    Description,
    Monitor,
    encode,
)
from drivers.wire.malformed import Malformed

GOLDEN = Path(__file__).parents[2] / "golden/aspect"
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
F32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
channels = st.builds(Channel, status=U16, count=U32, background=F32, variance=F32)
monitors = st.builds(
    Monitor,
    unit=st.just(1),
    transaction=st.integers(modbus.FIRST_TRANSACTION, 0xFFFF),
    elapsed=U32,
    inputs=U16,
    gamma=channels,
    neutron=channels,
    objects=U16,
    mark=U16,
    speed_mm_s=U16,
    outputs=st.integers(0, 0xFFF),
)
QUIET = Monitor(gamma=Channel(count=950), neutron=Channel(count=3))


def decoded(*records):
    return AspectDecoder().feed(b"".join(map(encode, records)))


def reasons(data, decoder=None):
    out = (decoder or AspectDecoder()).feed(data)
    return [one.reason for one in out if isinstance(one, Malformed)]


@given(monitors)
def test_every_register_is_read_back(monitor):
    assert decoded(monitor) in ([monitor], [malformed_by_chance(monitor)])


def malformed_by_chance(monitor):
    # Registers that hold a whole head are taken for one: no table value looks like it.
    (one,) = decoded(monitor)[:1]
    return one if isinstance(one, Malformed) and one.reason == "cut-short" else None


def test_the_words_of_a_long_value_come_low_word_first():
    registers = [0] * 21
    registers[4:6] = [0x5678, 0x1234]
    high, low = struct.unpack(">HH", struct.pack(">f", 950.5))
    registers[6:8] = [low, high]
    registers[11:13] = [7, 1]
    data = modbus.encode_answer(modbus.Answer(1, 0xF001, tuple(registers)))
    (monitor,) = AspectDecoder().feed(data)
    assert monitor.gamma.count == 0x12345678
    assert monitor.gamma.background == 950.5
    assert monitor.neutron.count == 65_543


@pytest.mark.parametrize(
    ("bits", "direction"),
    [(0x41, "forward"), (0x81, "backward"), (0xC1, ""), (0x01, "")],
)
def test_the_direction_is_one_bit_and_not_both(bits, direction):
    monitor = Monitor(inputs=bits, gamma=Channel(), neutron=Channel())
    assert (monitor.occupied, monitor.direction) == (True, direction)


@pytest.mark.parametrize(("base", "length"), [(100, 20), (100, 0), (100, 126), (65_530, 21)])
def test_a_description_that_nobody_can_read_by_is_absurd(base, length):
    absurd = Description(signature=1, registers=9, monitor_id=1, base=base, length=length)
    assert reasons(encode(absurd)) == ["absurd-block"]


def test_a_monitor_block_must_be_as_long_as_described():
    longer = Description(signature=1, registers=9, monitor_id=1, length=24)
    assert reasons(encode(longer) + encode(QUIET)) == ["wrong-length"]
    block = modbus.Answer(1, 0xF002, tuple(range(0x100, 0x118)))
    (_, monitor) = AspectDecoder().feed(encode(longer) + modbus.encode_answer(block))
    assert isinstance(monitor, Monitor)
    assert monitor.objects == 0x111


def test_a_recording_that_begins_after_the_description_is_read():
    assert decoded(QUIET) == [QUIET]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_reading(value):
    broken = Monitor(gamma=Channel(background=value), neutron=Channel())
    assert reasons(encode(broken)) == ["not-a-number"]


def test_another_unit_is_not_believed():
    other = Monitor(unit=2, gamma=Channel(), neutron=Channel())
    assert reasons(encode(QUIET) + encode(other)) == ["wrong-unit"]
    assert reasons(encode(QUIET), AspectDecoder(unit=2)) == ["wrong-unit"]


def test_a_damaged_description_or_unit_costs_one_reading_and_not_all_that_follow():
    absurd = Description(signature=1, registers=9, monitor_id=1, length=99)
    one, *others = AspectDecoder().feed(encode(absurd) + encode(QUIET) * 3)[1:]
    assert (one.reason, others) == ("wrong-length", [QUIET, QUIET])
    other = Monitor(unit=9, gamma=Channel(), neutron=Channel())
    one, *others = AspectDecoder().feed(encode(other) + encode(QUIET) * 3)[1:]
    assert (one.reason, others) == ("wrong-unit", [QUIET, QUIET])


@given(data=st.binary(max_size=600))
def test_garbage_is_never_a_reading(data):
    assert all(isinstance(one, Malformed) for one in AspectDecoder().feed(data))


def test_the_golden_frames_read_as_written_down():
    frames = (GOLDEN / "frames.txt").read_text().splitlines()
    data = b"".join(bytes.fromhex(line) for line in frames if not line.startswith("#"))
    read = AspectDecoder().feed(data)
    lines = [json.dumps({type(one).__name__: asdict(one)}) for one in read]
    assert lines == (GOLDEN / "frames.jsonl").read_text().splitlines()
