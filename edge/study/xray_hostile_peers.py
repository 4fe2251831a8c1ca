"""Peers of a C-STORE receiver that mean harm, or are broken, each beside a scanner that is not.

While each of them is connected an honest sender's scan has to be taken, and what was done has to be
told with a reason.
"""

import io
import socket
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from drivers.wire import dicos
from drivers.wire.dicos_write import begin
from edge.study.xray_hostile_scans import FIRST_ELEMENT, SCAN, Plane
from simulators.dicos_sending import send
from simulators.xray_dicos import DxOptions, dx

Where = tuple[str, int]
CT = "1.2.840.10008.5.1.4.1.1.2"
LOSSY = "1.2.840.10008.1.2.4.50"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
CROWD = 200
DRIPPING = 6
P_DATA = b"\x04\x00"
LARGE_PDU = 1 << 20


@dataclass(frozen=True, slots=True)
class Peer:
    """One who connects; what it leaves open is closed with the stack."""

    attack: Callable[[Where, ExitStack], None]
    reasons: frozenset[str]
    """One of which has to be told."""
    after_s: float = 1.0
    """For so long after it left."""


class Peers:
    """Everybody, around one truck's high plane."""

    def __init__(self, high: Plane, seed: int) -> None:
        self._high = high
        self._random = Random(seed)
        self._sent = 0
        self._stream = b""

    def honest(self, where: Where) -> list[int]:
        """Send a scan that nobody has sent before; the statuses."""
        self._sent += 1
        plane = self._high.copy()
        plane[0, :4] = self._sent
        return send(where, [dx(plane, SCAN, DxOptions(number=self._sent))[1]])

    @property
    def all(self) -> Mapping[str, Peer]:
        """By name."""
        file = dx(self._high, SCAN)[1]

        def peer(attack: Callable[[Where, ExitStack], None], *reasons: str) -> Peer:
            return Peer(attack, frozenset(reasons))

        return {
            "hangs-up-within-a-scan": peer(self._hang_up, "truncated"),
            "aborts-within-a-scan": peer(self._abort, "truncated"),
            "claims-an-endless-pdu": peer(self._endless, "too-large"),
            "speaks-http": peer(self._noise, "not-dicom"),
            "comes-in-a-crowd": peer(self._crowd, "too-many"),
            "drips": Peer(self._drip, frozenset({"truncated"})),
            "offers-another-class": peer(_offering(CT, dicos.EXPLICIT), "unsupported"),
            "offers-lossy-jpeg": peer(_offering(dicos.DX_PROCESSING, LOSSY), "unsupported"),
            "offers-jpeg-2000": peer(_offering(dicos.DX_PROCESSING, JPEG_2000), "unsupported"),
            "sends-no-pixels": peer(_storing(_changed(file, _without_pixels)), "missing-pixels"),
            "sends-wrong-bits": peer(
                _storing(_changed(file, lambda read: setattr(read, "BitsStored", 17))),
                "unsupported",
            ),
            "sends-too-few-pixels": peer(
                _storing(_changed(file, lambda read: setattr(read, "Rows", 900))),
                "dimension-mismatch",
            ),
            "claims-a-huge-picture": peer(_storing(_changed(file, _huge)), "too-large"),
            "lies-about-lengths": peer(
                self._sending_raw(_lied(file)), "truncated", "bad-header", "missing-pixels"
            ),
            "sends-a-deflate-bomb": peer(self._sending_raw(_bomb(file)), "too-large"),
        }

    def mutated(self, where: Where) -> float:
        """Send an honest sender's bytes with harm done to them; s until the station hung up."""
        if not self._stream:
            self._stream = _recorded(where, dx(self._high, SCAN)[1])
        made = bytearray(self._stream)
        first = 6 + int.from_bytes(made[2:6], "big")
        for _ in range(self._random.choice((1, 2, 8))):
            # Mostly where lengths and commands are, and not among the pixels.
            at = self._random.randrange(min(len(made), self._random.choice((first, first + 1200))))
            made[at] = self._random.randrange(256)
        cut = self._random.choice((len(made), self._random.randrange(len(made))))
        with socket.create_connection(where, 5.0) as wire, _broken_allowed():
            wire.sendall(made[: min(first, cut)])
            wire.settimeout(0.3)
            with _broken_allowed():
                wire.recv(65_536)
            wire.settimeout(5.0)
            wire.sendall(made[min(first, cut) : cut])
            wire.shutdown(socket.SHUT_WR)
            began = time.monotonic()
            while wire.recv(65_536):
                pass
            return time.monotonic() - began
        return 0.0

    # --- what they do ----------------------------------------------------------------------

    def _hang_up(self, where: Where, stack: ExitStack) -> None:
        wire = _within_a_scan(where, stack)
        stack.callback(wire.close)

    def _abort(self, where: Where, stack: ExitStack) -> None:
        wire = _within_a_scan(where, stack, whole=True)
        stack.callback(lambda: wire.sendall(b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"))

    def _endless(self, where: Where, stack: ExitStack) -> None:
        wire = _associated(where, stack).dul.socket.socket
        wire.sendall(P_DATA + b"\xff\xff\xff\xff" + bytes(1000))

    def _noise(self, where: Where, stack: ExitStack) -> None:
        wire = stack.enter_context(socket.create_connection(where, 5.0))
        wire.sendall(b"GET / HTTP/1.1\r\nHost: border\r\n\r\n" + bytes(200))

    def _crowd(self, where: Where, stack: ExitStack) -> None:
        for _ in range(CROWD):
            stack.enter_context(socket.create_connection(where, 5.0))

    def _drip(self, where: Where, stack: ExitStack) -> None:
        """Not so many that no place is left: that is the crowd's."""
        wires = [_within_a_scan(where, stack) for _ in range(2)]
        for _ in range(DRIPPING):
            for wire in wires:
                wire.sendall(b"\0")
            time.sleep(0.02)

    def _sending_raw(self, file: bytes) -> Callable[[Where, ExitStack], None]:
        """A data set that no library would send."""
        syntax = dicos.EXPLICIT
        if dicos.DEFLATED.encode() in file[:512]:
            syntax = dicos.DEFLATED

        def attack(where: Where, stack: ExitStack) -> None:
            association = _associated(where, stack, dicos.DX_PROCESSING, syntax)
            (context,) = association.accepted_contexts
            command = _command("1.2.3.4")
            wire = association.dul.socket.socket
            wire.sendall(_p_data(context.context_id, 0x03, command))
            wire.sendall(_p_data(context.context_id, 0x02, file[file.index(b"GARITA") + 6 :]))
            time.sleep(0.2)

        return attack


def _offering(sop_class: str, syntax: str) -> Callable[[Where, ExitStack], None]:
    def attack(where: Where, stack: ExitStack) -> None:
        _associated(where, stack, sop_class, syntax)

    return attack


def _storing(file: bytes) -> Callable[[Where, ExitStack], None]:
    def attack(where: Where, stack: ExitStack) -> None:
        del stack
        send(where, [file])

    return attack


def _within_a_scan(where: Where, stack: ExitStack, *, whole: bool = False) -> socket.socket:
    """The wire of an association on which a scan has begun to come; `whole`: up to the end of a
    PDU."""
    association = _associated(where, stack)
    wire: socket.socket = association.dul.socket.socket
    (context,) = association.accepted_contexts
    wire.sendall(_p_data(context.context_id, 0x03, _command("1.2.3.4")))
    piece = _p_data(context.context_id, 0x00, bytes(LARGE_PDU // 2))
    wire.sendall(piece if whole else piece[: len(piece) // 2])
    return wire


def _associated(
    where: Where,
    stack: ExitStack,
    sop_class: str = dicos.DX_PROCESSING,
    syntax: str = dicos.EXPLICIT,
) -> Any:  # noqa: ANN401 - pynetdicom has no types
    from pynetdicom import AE  # noqa: PLC0415 - 290 ms for those who need it

    entity: Any = AE(ae_title="STRANGER")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 5.0
    entity.add_requested_context(sop_class, syntax)
    association = entity.associate(*where, ae_title="GARITA")
    stack.callback(_left, association)
    return association


def _left(association: Any) -> None:  # noqa: ANN401
    """Gone, without a word."""
    wire = getattr(association.dul.socket, "socket", None)
    if wire is not None:
        wire.close()
    association.kill()


class _broken_allowed(ExitStack):  # noqa: N801 - used as a function
    """A station that hangs up is what is wanted."""

    def __exit__(self, *raised: Any) -> bool:  # noqa: ANN401
        super().__exit__(*raised)
        return isinstance(raised[1], OSError)


def _recorded(where: Where, file: bytes) -> bytes:
    """All that an honest sender of this file sends."""
    from pydicom import dcmread  # noqa: PLC0415
    from pynetdicom import AE, evt  # noqa: PLC0415

    sent: list[bytes] = []
    entity: Any = AE(ae_title="SCANNER")
    entity.add_requested_context(dicos.DX_PROCESSING, dicos.EXPLICIT)
    heard = [(evt.EVT_DATA_SENT, lambda event: sent.append(event.data))]
    association = entity.associate(*where, ae_title="GARITA", evt_handlers=heard)
    association.send_c_store(dcmread(io.BytesIO(file)))
    association.release()
    return b"".join(sent)


def _command(instance: str) -> bytes:
    """C-STORE-RQ (PS3.7 table 9.3-1)."""

    def element(number: int, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HHI", 0, number, len(value)) + value

    body = b"".join((
        element(0x0002, dicos.DX_PROCESSING.encode()),
        element(0x0100, struct.pack("<H", 1)),
        element(0x0110, struct.pack("<H", 1)),
        element(0x0700, struct.pack("<H", 0)),
        element(0x0800, struct.pack("<H", 1)),
        element(0x1000, instance.encode()),
    ))  # fmt: skip
    return element(0x0000, struct.pack("<I", len(body))) + body


def _p_data(context: int, flags: int, data: bytes) -> bytes:
    """P-DATA-TF with one value (PS3.8 section 9.3.5)."""
    item = struct.pack(">IBB", len(data) + 2, context, flags) + data
    return P_DATA + struct.pack(">I", len(item)) + item


def _changed(file: bytes, change: Callable[[Any], object]) -> bytes:
    from pydicom import dcmread  # noqa: PLC0415

    read = dcmread(io.BytesIO(file))
    change(read)
    out = io.BytesIO()
    read.save_as(out, enforce_file_format=False)
    return out.getvalue()


def _without_pixels(read: Any) -> None:  # noqa: ANN401
    del read.PixelData


def _huge(read: Any) -> None:  # noqa: ANN401
    read.Rows = read.Columns = 65_535


def _lied(file: bytes) -> bytes:
    """The data set's first element is longer than everything."""
    at = file.index(FIRST_ELEMENT) + len(FIRST_ELEMENT)
    return file[:at] + b"\xff\xff" + file[at + 2 : at + 4000]


def _bomb(file: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    head = begin(dicos.DX_PROCESSING, "1.2", dicos.DEFLATED)
    elements = file[file.index(FIRST_ELEMENT) :]
    blank = np.zeros(64 << 20, np.uint8).tobytes()
    return head + packer.compress(elements[:800] + blank) + packer.flush()
