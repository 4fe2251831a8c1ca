"""What a station asks of an Aspect portal, and what a simulated portal answers.

Neither end waits or opens anything: the poller says what to send next and how long to wait
before, given what came back; the responder is fed requests and what its device has measured.
"""

from collections import deque
from dataclasses import replace

from drivers.wire import modbus
from drivers.wire.aspect import (
    DESCRIPTION_AT,
    DESCRIPTION_REGISTERS,
    AspectDecoder,
    Description,
    Monitor,
    encode,
)
from drivers.wire.malformed import Malformed

UNITS = range(1, 32)  # facts 1.2: the unit ids that a station looks through
BUSY_AFTER = 6  # readings at the fast rate after the lane has cleared: what follows it is wanted
MAX_WAITING = 16  # requests of one client: a station has one on the way
STALE_S = 30.0  # a station that asks more seldom than the device measures hears nothing older
ILLEGAL_ADDRESS = 2


class AspectPoller:
    """Finds the unit, reads its description, then its monitor block again and again."""

    def __init__(
        self, unit: int | None, pause_s: float, busy_pause_s: float, timeout_s: float
    ) -> None:
        """unit: the one to ask; None: the first of `UNITS` that answers.

        pause_s, busy_pause_s: from one reading to the next, while the lane is vacant and quiet,
        and while it is occupied or the device is alarming.
        """
        self.timeout_s = timeout_s
        self._units = [unit] if unit is not None else list(UNITS)
        self._pauses_s = (pause_s, busy_pause_s)
        self._transaction = modbus.FIRST_TRANSACTION - 1
        self._description: Description | None = None
        self._busy = 0
        self._start()

    def _start(self) -> None:
        self._unit = self._units[0]
        self._decoder = AspectDecoder(self._unit)

    @property
    def found(self) -> bool:
        """Whether a device has said what it is; until then it is looked for."""
        return self._description is not None

    @property
    def candidates(self) -> int:
        """How many units are still to be asked, this one included."""
        return len(self._units)

    @property
    def pause_s(self) -> float:
        """From the last request to the next."""
        if self._description is None:
            return 0.0
        return self._pauses_s[self._busy > 0]

    def ask(self) -> bytes:
        """The next request."""
        self._transaction = modbus.next_transaction(self._transaction)
        block = self._description
        at, count = (DESCRIPTION_AT, DESCRIPTION_REGISTERS)
        if block is not None:
            at, count = block.base, block.length
        return modbus.encode_read(modbus.Read(self._unit, self._transaction, at, count))

    def heard(self, data: bytes) -> bool:
        """What came back; True when it answers the last request, well or not."""
        answered = False
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                if record.reason.startswith("refused") or record.reason in UNREADABLE:
                    answered = True
                    self._give_up()
            elif record.transaction == self._transaction:
                answered = True
                self._take(record)
        return answered

    def unanswered(self) -> bool:
        """Nothing came in time: whether there is another unit to ask."""
        return self._description is None and self._next_unit()

    def _take(self, record: Description | Monitor) -> None:
        if isinstance(record, Description):
            self._description = record
        elif record.occupied or record.alarming:
            self._busy = BUSY_AFTER
        else:
            self._busy = max(0, self._busy - 1)

    def _give_up(self) -> None:
        # A device that refuses its own block may have another now: its description says.
        if self._description is None:
            self._next_unit()
        self._description = None

    def _next_unit(self) -> bool:
        if len(self._units) < 2:
            return False
        del self._units[0]
        self._start()
        return True


UNREADABLE = frozenset({"absurd-block", "wrong-length", "wrong-unit", "not-a-number"})


class AspectResponder:
    """A simulated device's side of one connection. Time is an argument.

    Each measurement answers one request for the monitor block, in order: a station that asks at
    the device's own rate hears them all. A request that comes before its measurement waits.
    """

    def __init__(self, description: Description) -> None:
        self._description = description
        self._data = b""
        self._asked: deque[modbus.Read] = deque()
        self._measured: deque[tuple[float, bytes]] = deque()

    def play(self, data: bytes, now_s: float) -> None:
        """What the simulator has sent, any number of whole frames and noise before them."""
        for piece in modbus.split(data):
            # The description is known; a station that asks for it need not wait.
            if not any(isinstance(one, Description) for one in AspectDecoder().feed(piece)):
                self._measured.append((now_s, piece))
        while len(self._measured) > 1 and now_s - self._measured[0][0] > STALE_S:
            self._measured.popleft()

    def feed(self, data: bytes) -> bool:
        """What the station sent; False where it is no request, or too many of them."""
        self._data += data
        while self._data:
            size, request = modbus.parse_read(self._data)
            if request is None:
                return True
            if isinstance(request, Malformed) or len(self._asked) >= MAX_WAITING:
                return False
            self._data = self._data[size:]
            if request.unit == self._description.unit:  # the other units are silent
                self._asked.append(request)
        return True

    def answers(self) -> bytes:
        """What can be answered now."""
        out = []
        while self._asked:
            answer = self._answer(self._asked[0])
            if answer is None:
                break
            self._asked.popleft()
            out.append(answer)
        return b"".join(out)

    def _answer(self, read: modbus.Read) -> bytes | None:
        device = self._description
        if (read.address, read.count) == (DESCRIPTION_AT, DESCRIPTION_REGISTERS):
            return encode(replace(device, transaction=read.transaction))
        if (read.address, read.count) != (device.base, device.length):
            return modbus.encode_refusal(read, ILLEGAL_ADDRESS)
        if not self._measured:
            return None
        _, piece = self._measured.popleft()
        noise, frame = _cut_noise(piece)
        return noise + read.transaction.to_bytes(2, "big") + frame[2:]


def _cut_noise(piece: bytes) -> tuple[bytes, bytes]:
    for at in range(len(piece)):
        if modbus.head(piece[at : at + modbus.HEAD_BYTES]) == "":
            return piece[:at], piece[at:]
    return piece, b""
