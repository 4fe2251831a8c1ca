"""Modbus/TCP: the answers to reads of holding registers, as a stream of bytes brings them.

PDUs are pymodbus's to encode and to decode, and so are whole frames; where frames begin and end
in a stream that may be damaged is told here. Modbus/TCP has no checksum. Our own reads number
their transactions from `FIRST_TRANSACTION` to 0xFFFF, so that the next frame's head shows within
one that was cut short, and the mixture of both is not taken for a reading.
"""

from dataclasses import dataclass

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ReadHoldingRegistersRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

READ = 3  # function code 3, read holding registers
REFUSED = 0x80 | READ
HEAD_BYTES = 9  # transaction, protocol, length, unit, function, byte count
MAX_REGISTERS = 125  # Modbus application protocol 1.1b3, 6.3
READ_BYTES = 12  # a request: head without byte count, address, count
MAX_FRAME_BYTES = HEAD_BYTES + 2 * MAX_REGISTERS
FIRST_TRANSACTION = 0xF001
WAIT, NOISE = "wait", "noise"

REFUSALS = {
    1: "function",
    2: "address",
    3: "value",
    4: "failure",
    6: "busy",
    10: "path",
    11: "gone",
}
"""Exception codes (Modbus application protocol 1.1b3, 7) to the word in a reason."""

_FRAMER = FramerSocket(DecodePDU(is_server=False))
_ASKED = FramerSocket(DecodePDU(is_server=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """The registers that one read has brought."""

    unit: int
    transaction: int
    registers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A request for `count` registers from `address` on."""

    unit: int
    transaction: int
    address: int
    count: int


class AnswerDecoder:
    """Bytes in, answers out, for any split of the stream. Never raises on data.

    `Malformed` reasons: noise (no frame begins there), byte-count and wrong-function (a head
    that contradicts itself or answers no read of ours), cut-short (another frame begins within),
    refused-... (an exception response).
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._lost = bytearray()
        self._lost_bytes = 0
        self._why = ""

    def feed(self, data: bytes) -> list[Answer | Malformed]:
        """The answers that `data` completes; at most one frame's bytes are kept."""
        self._data += data
        out: list[Answer | Malformed] = []
        at = 0
        while (step := self._next(at, out)) > 0:
            at += step
        del self._data[:at]
        return out

    def cut(self) -> None:
        """The link was cut: drop the frame half read."""
        self._data.clear()
        self._found()

    def _next(self, at: int, out: list[Answer | Malformed]) -> int:
        """Read or skip what begins `at`; how many bytes that took, 0: wait for more."""
        if at >= len(self._data):
            return 0
        verdict = head(self._data[at : at + HEAD_BYTES])
        if verdict == WAIT:
            return 0
        if verdict:
            return self._skip(at, verdict, out)
        size = 6 + self._data[at + 5]
        frame = bytes(self._data[at : at + size])
        if short := _cut_at(frame, whole=len(frame) == size):
            self._end_loss(out)
            out.append(malformed("cut-short", frame[:short]))
            return short
        if len(frame) < size:
            return 0
        self._end_loss(out)
        out.append(_whole(frame))
        return size

    def _skip(self, at: int, why: str, out: list[Answer | Malformed]) -> int:
        # Three zeros stand in every head: protocol and high byte of the length.
        zeros = self._data.find(b"\0\0\0", at + 3)
        to = zeros - 2 if zeros >= 0 else max(at + 1, len(self._data) - 4)
        if self._why in {"", NOISE}:
            self._why = why
        self._lost += self._data[at:to][: TEXT_BYTES - len(self._lost)]
        before, self._lost_bytes = self._lost_bytes, self._lost_bytes + to - at
        # Told when it crosses the limit, once, for its end may never come.
        if before < MAX_FRAME_BYTES <= self._lost_bytes:
            out.append(malformed(self._why, bytes(self._lost)))
        return to - at

    def _end_loss(self, out: list[Answer | Malformed]) -> None:
        if 0 < self._lost_bytes < MAX_FRAME_BYTES:
            out.append(malformed(self._why, bytes(self._lost)))
        self._found()

    def _found(self) -> None:
        self._lost.clear()
        self._lost_bytes = 0
        self._why = ""


def _whole(frame: bytes) -> Answer | Malformed:
    _, unit, transaction, pdu = _FRAMER.decode(frame)
    answer = _FRAMER.decoder.decode(pdu)
    if isinstance(answer, ExceptionResponse):
        return malformed(f"refused-{REFUSALS.get(answer.exception_code, 'other')}", frame)
    if answer is None:  # the head was checked, so it never is; a library may change its mind
        return malformed("byte-count", frame)
    return Answer(unit, transaction, tuple(answer.registers))


def head(data: bytes | bytearray) -> str:
    """`""` where an answer to one of our reads begins, `"wait"` where it may, or why it does not.

    data  up to `HEAD_BYTES` bytes; the verdict on more is never another one
    """
    # The protocol is 0, a length from 3 to 254; unit 0, the broadcast, is never answered.
    size, unit = data[5:6] or b"\3", data[6:7] or b"\1"
    if any(data[2:5]) or not 3 <= size[0] <= 254 or not unit[0]:
        return NOISE
    if len(data) > 7 and data[7] not in {READ, REFUSED}:
        return "wrong-function"
    if len(data) < HEAD_BYTES:
        return WAIT
    if data[7] == REFUSED:
        return "" if data[5] == 3 else "byte-count"
    agree = data[5] == data[8] + 3 and data[8] % 2 == 0 and data[8] > 0
    return "" if agree else "byte-count"


def _cut_at(frame: bytes, *, whole: bool) -> int:
    """Where within the frame another one begins; 0: nowhere."""
    ours = frame[0] >> 4 == FIRST_TRANSACTION >> 12
    at = frame.find(b"\0\0\0", 3)
    while 0 <= at <= len(frame) - HEAD_BYTES + 2:
        begins = at - 2
        if head(frame[begins : begins + HEAD_BYTES]) == "" and (
            not ours or frame[begins] >> 4 == frame[0] >> 4
        ):
            return begins
        at = frame.find(b"\0\0\0", at + 1)
    if not (ours and whole):
        return 0
    # A head that the frame's end cuts off is told by its transaction: this one's, or the next.
    transaction = int.from_bytes(frame[:2], "big")
    for begins in range(max(1, len(frame) - HEAD_BYTES + 1), len(frame) - 1):
        follows = int.from_bytes(frame[begins : begins + 2], "big")
        if follows in {transaction, next_transaction(transaction)} and head(frame[begins:]) == WAIT:
            return begins
    return 0


def next_transaction(transaction: int) -> int:
    """The number of the read after that one."""
    return transaction + 1 if FIRST_TRANSACTION <= transaction < 0xFFFF else FIRST_TRANSACTION


# --- the other direction -----------------------------------------------------------------


def encode_answer(answer: Answer) -> bytes:
    """The response that brings the registers."""
    return _FRAMER.buildFrame(
        ReadHoldingRegistersResponse(
            registers=list(answer.registers),
            dev_id=answer.unit,
            transaction_id=answer.transaction,
        )
    )


def encode_refusal(read: Read, code: int) -> bytes:
    """The exception response to a read."""
    refusal = ExceptionResponse(READ, code, device_id=read.unit, transaction=read.transaction)
    return _FRAMER.buildFrame(refusal)


def encode_read(read: Read) -> bytes:
    """The request."""
    return _FRAMER.buildFrame(
        ReadHoldingRegistersRequest(
            dev_id=read.unit,
            transaction_id=read.transaction,
            address=read.address,
            count=read.count,
        )
    )


def parse_read(data: bytes) -> tuple[int, Read | Malformed | None]:
    """The first request in `data`: how many bytes it takes, and what it asks.

    0 bytes where it is not whole yet. What is no read of registers is `Malformed`, reason
    `no-read`: a device may refuse it, a simulated one hangs up.
    """
    size = 6 + int.from_bytes(data[4:6], "big") if len(data) >= 6 else 0
    if any(data[2:4]) or (size and size != READ_BYTES):
        return len(data), malformed("no-read", data)
    if len(data) < READ_BYTES:
        return 0, None
    _, unit, transaction, pdu = _ASKED.decode(data[:READ_BYTES])
    request = _ASKED.decoder.decode(pdu)
    if type(request) is not ReadHoldingRegistersRequest:
        return len(data), malformed("no-read", data)
    return READ_BYTES, Read(unit, transaction, request.address, request.count)


def split(data: bytes) -> list[bytes]:
    """One piece a frame; what stands before one, and is none, goes with it."""
    pieces = []
    at = start = 0
    while at < len(data):
        if head(data[at : at + HEAD_BYTES]) == "":
            end = at + 6 + data[at + 5]
            pieces.append(data[start:end])
            at = start = end
        else:
            at += 1
    return pieces if start == len(data) else [*pieces, data[start:]]
