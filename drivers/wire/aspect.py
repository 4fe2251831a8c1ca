"""Aspect portals: what the registers of the device say, and what a station asks of it.

Facts/radiation 1.2: a description block of 8 registers at 0 says where the monitor block lies,
21 registers at 100 in fielded units. Values of 32 bits come low word first, floats (IEEE 754)
in the same order.

What the source leaves open, and what is done here:
(a) the units of the elapsed time, the backgrounds and the variances: kept as sent;
(b) whether a count runs on or is one interval's: kept as sent, the driver works it out;
(c) what the eight detector bits of a channel's status say: kept, not read;
(d) object mark, perhaps the number of axles: kept, not read;
(e) what a monitor block longer than 21 registers adds: not read.
"""

import math
import struct
from dataclasses import dataclass
from enum import IntFlag

from drivers.wire import modbus
from drivers.wire.malformed import Malformed, malformed

DESCRIPTION_AT, DESCRIPTION_REGISTERS = 0, 8
MONITOR_AT, MONITOR_REGISTERS = 100, 21


# Registers are kept as plain numbers: an IntFlag remembers every value that it was made of.


class Inputs(IntFlag):
    """Offset 2 of the monitor block."""

    OCCUPANCY_0 = 0x1
    OCCUPANCY_1 = 0x2
    OCCUPANCY_2 = 0x4
    OCCUPANCY_3 = 0x8
    BUTTON = 0x10
    SENSOR = 0x20
    FORWARD = 0x40  # direction 0 to 1
    BACKWARD = 0x80  # direction 1 to 0; with the other: unknown
    POWER_FAIL = 0x100
    LOW_BATTERY = 0x200
    OPEN = 0x400
    ERROR = 0x800
    RESET = 0x8000

    OCCUPIED = OCCUPANCY_0 | OCCUPANCY_1 | OCCUPANCY_2 | OCCUPANCY_3


class ChannelStatus(IntFlag):
    """Offsets 3 (gamma) and 10 (neutrons) of the monitor block."""

    ALARM_1 = 0x1
    ALARM_2 = 0x2
    LOW_COUNT = 0x10
    HIGH_COUNT = 0x20
    OVERLOAD = 0x40
    READY = 0x80
    DETECTORS = 0xFF00  # N0 to N7

    ALARM = ALARM_1 | ALARM_2


class Outputs(IntFlag):
    """Offset 20 of the monitor block."""

    ALARM = 0x1
    VIDEO = 0x2
    YELLOW = 0x4
    FAST_FLASH = 0x8
    SLOW_FLASH = 0x10
    BUSY = 0x20
    ADAPTING = 0x40
    ENTRY_GREEN = 0x100
    EXIT_GREEN = 0x200
    EXIT_ARROW = 0x400
    OUT_8 = 0x800


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Registers 0 to 7: what the device is and where its monitor block lies."""

    unit: int = 1
    transaction: int = modbus.FIRST_TRANSACTION
    signature: int
    registers: int
    monitor_id: int
    base: int = MONITOR_AT
    length: int = MONITOR_REGISTERS
    reserved: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One radiation of the monitor block."""

    status: int = ChannelStatus.READY
    """Bits of `ChannelStatus`, and any that it does not name."""
    count: int = 0
    """u32."""
    background: float = 0.0
    """f32, as `variance`; units not stated."""
    variance: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The monitor block: everything the portal sees at one moment."""

    unit: int = 1
    transaction: int = modbus.FIRST_TRANSACTION
    elapsed: int = 0
    """u32, unit not stated."""
    inputs: int = 0
    """Bits of `Inputs`."""
    gamma: Channel
    neutron: Channel
    objects: int = 0
    """Counter of vehicles, u16."""
    mark: int = 0
    speed_mm_s: int = 0
    outputs: int = 0
    """Bits of `Outputs`."""

    @property
    def occupied(self) -> bool:
        """Whether anything breaks a beam."""
        return bool(self.inputs & Inputs.OCCUPIED)

    @property
    def alarming(self) -> bool:
        """Whether the device itself finds too much."""
        return bool((self.gamma.status | self.neutron.status) & ChannelStatus.ALARM)

    @property
    def direction(self) -> str:
        """`"forward"`, `"backward"`, or `""` where neither or both bits are set."""
        both = self.inputs & (Inputs.FORWARD | Inputs.BACKWARD)
        return {int(Inputs.FORWARD): "forward", int(Inputs.BACKWARD): "backward"}.get(both, "")


Record = Description | Monitor


class AspectDecoder:
    """Bytes in, records out, for any split of the stream. Never raises on data.

    `Malformed` reasons, beside those of the frames: wrong-unit, wrong-length (no block of
    ours), absurd-block (a description that nobody can read by), not-a-number.
    """

    def __init__(self, unit: int = 0) -> None:
        """unit: the only one that is believed; 0: the one that answers."""
        self._asked_unit = unit
        self._unit = unit
        self._length = 0
        self._answers = modbus.AnswerDecoder()

    def feed(self, data: bytes) -> list[Record | Malformed]:
        """The records that `data` completes."""
        return [
            one if isinstance(one, Malformed) else self._record(one)
            for one in self._answers.feed(data)
        ]

    def cut(self) -> None:
        """The link was cut: drop the frame half read."""
        self._answers.cut()

    def _record(self, answer: modbus.Answer) -> Record | Malformed:
        record: Record | str = "wrong-unit"
        if self._unit in {0, answer.unit}:
            record = interpret(answer, self._length)
        if isinstance(record, str):
            # What was believed before may have been the damaged one: it is not held on to.
            self._unit, self._length = self._asked_unit, 0
            return malformed(record, modbus.encode_answer(answer))
        self._unit = answer.unit
        if isinstance(record, Description):
            self._length = record.length
        return record


def interpret(answer: modbus.Answer, length: int = 0) -> Record | str:
    """What the registers say, or why they say nothing.

    length  of the monitor block as the device has described it; 0: not yet known
    """
    registers = answer.registers
    if len(registers) == DESCRIPTION_REGISTERS:
        signature, count, monitor_id, base, size, *rest = registers
        if not MONITOR_REGISTERS <= size <= modbus.MAX_REGISTERS or base + size > 0x10000:
            return "absurd-block"
        return Description(
            unit=answer.unit,
            transaction=answer.transaction,
            signature=signature,
            registers=count,
            monitor_id=monitor_id,
            base=base,
            length=size,
            reserved=(rest[0], rest[1], rest[2]),
        )
    if len(registers) < MONITOR_REGISTERS or (length and len(registers) != length):
        return "wrong-length"
    gamma, neutron = _channel(registers[3:10]), _channel(registers[10:17])
    if gamma is None or neutron is None:
        return "not-a-number"
    return Monitor(
        unit=answer.unit,
        transaction=answer.transaction,
        elapsed=_u32(registers[0], registers[1]),
        inputs=registers[2],
        gamma=gamma,
        neutron=neutron,
        objects=registers[17],
        mark=registers[18],
        speed_mm_s=registers[19],
        outputs=registers[20],
    )


def _channel(registers: tuple[int, ...]) -> Channel | None:
    background, variance = (_f32(*registers[at : at + 2]) for at in (3, 5))
    if not (math.isfinite(background) and math.isfinite(variance)):
        return None
    return Channel(
        status=registers[0],
        count=_u32(registers[1], registers[2]),
        background=background,
        variance=variance,
    )


def _u32(low: int, high: int) -> int:
    return high << 16 | low


def _f32(low: int, high: int) -> float:
    (value,) = struct.unpack(">f", struct.pack(">HH", high, low))
    return float(value)


# --- the other direction -----------------------------------------------------------------


def encode(record: Record) -> bytes:
    """The response that brings the record."""
    return modbus.encode_answer(
        modbus.Answer(record.unit, record.transaction, registers_of(record))
    )


def registers_of(record: Record) -> tuple[int, ...]:
    """The record's block; counts run over as the device's own do."""
    if isinstance(record, Description):
        start = (record.signature, record.registers, record.monitor_id)
        return (*start, record.base, record.length, *record.reserved)
    return (
        *_words(record.elapsed),
        record.inputs,
        *_of_channel(record.gamma),
        *_of_channel(record.neutron),
        record.objects & 0xFFFF,
        record.mark & 0xFFFF,
        min(record.speed_mm_s, 0xFFFF),
        record.outputs,
    )


def _of_channel(channel: Channel) -> tuple[int, ...]:
    floats = (
        _words(*struct.unpack(">I", struct.pack(">f", value)))
        for value in (channel.background, channel.variance)
    )
    return (channel.status, *_words(channel.count), *(word for two in floats for word in two))


def _words(value: int) -> tuple[int, int]:
    return value & 0xFFFF, value >> 16 & 0xFFFF
