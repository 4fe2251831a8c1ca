"""A wire on which a simulated scanner sends its DICOS files to whoever listens (C-STORE)."""

import asyncio
import contextlib
import io
import logging
import socket
import threading
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from drivers.wire import dicos
from simulators.base import SimulatorKind

ATTEMPTS, PAUSE_S = 20, 0.25  # a station that is just starting refuses for some seconds
TIMEOUT_S = 30.0
CALLED, CALLING = "GARITA", "SCANNER"
MAX_TITLE = 16  # characters of an AE title (PS3.5 table 6.2-1)


class DicosOutlet:
    """Sends each scan over an association of its own, as a scanner does between trucks.

    url  dicos://host:port, dicos://TITLE@host:port to call the station so, and with
         ?calling=TITLE to have this name
    """

    def __init__(self, url: str, kind: SimulatorKind) -> None:
        parts = urlsplit(url)
        if not parts.hostname or not parts.port:
            raise ValueError(f"{url!r} names nobody to send to; write dicos://TITLE@host:port")
        self.address = url
        self.called = _title(unquote(parts.username or CALLED))
        self.calling = _title(parse_qs(parts.query).get("calling", [CALLING])[0])
        self._where = (parts.hostname, parts.port)
        self._kind = kind
        self._closing = threading.Event()

    async def send(self, data: bytes) -> None:
        """Send the scans that a step brought, one after the other."""
        for packet in self._kind.packets(data):
            files = [content for _, content in self._kind.files(packet)]
            with contextlib.suppress(ConnectionError):  # nobody there: the scan is lost, as it is
                await asyncio.to_thread(
                    send, self._where, files,
                    called=self.called, calling=self.calling, closing=self._closing,
                )  # fmt: skip

    async def close(self) -> None:
        """Give up on what could not be sent."""
        self._closing.set()


def sending_url(host: str, port: int, *, called: str = "", calling: str = "") -> str:
    """The `url` of an outlet; empty titles: the usual ones."""
    title = f"{quote(called, safe='')}@" if called else ""
    name = f"?{urlencode({'calling': calling})}" if calling else ""
    return f"dicos://{title}{f'[{host}]' if ':' in host else host}:{port}{name}"


def _title(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MAX_TITLE or not text.isascii() or not text.isprintable():
        raise ValueError(f"{text!r} is no AE title: 1 to {MAX_TITLE} plain characters")
    return text


def send(
    where: tuple[str, int],
    files: list[bytes],
    *,
    called: str = CALLED,
    calling: str = CALLING,
    closing: threading.Event | None = None,
) -> list[int]:
    """Store the files over one association; the status of each answer, -1 where none came.

    called   the station's AE title
    calling  the sender's

    ConnectionError where nobody takes the association.
    """
    from pydicom import dcmread  # noqa: PLC0415 - 290 ms for those who need it
    from pynetdicom import AE  # noqa: PLC0415

    _register()
    entity: Any = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = TIMEOUT_S
    entity.maximum_pdu_size = 0
    datasets = [dcmread(io.BytesIO(file)) for file in files]
    for uid, syntax in sorted({_context(one) for one in datasets}):
        entity.add_requested_context(uid, syntax)
    association = _associated(entity, where, called, closing or threading.Event())
    wire = association.dul.socket.socket
    try:
        answers = [association.send_c_store(one) for one in datasets if association.is_established]
    finally:
        association.release()
        wire.close()  # which pynetdicom leaves open where the other end was faster
    return [int(answer.Status) if "Status" in answer else -1 for answer in answers]


def _associated(
    entity: Any,  # noqa: ANN401
    where: tuple[str, int],
    called: str,
    closing: threading.Event,
) -> Any:  # noqa: ANN401
    for _ in range(ATTEMPTS):
        # pynetdicom leaves a socket open that was refused; so somebody has to be there first.
        with contextlib.suppress(OSError):
            socket.create_connection(where, TIMEOUT_S).close()
            association = entity.associate(*where, ae_title=called)
            if association.is_established:
                return association
            if association.dul.socket is not None and association.dul.socket.socket is not None:
                association.dul.socket.socket.close()
        if closing.wait(PAUSE_S):
            break
    raise ConnectionError(f"no association with {where[0]}:{where[1]}")


def _context(dataset: Any) -> tuple[str, str]:  # noqa: ANN401
    return str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)


def _register() -> None:
    from pynetdicom.service_class import StorageServiceClass  # noqa: PLC0415
    from pynetdicom.sop_class import register_uid  # noqa: PLC0415

    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for uid, keyword in dicos.SOP_CLASSES.items():
        register_uid(uid, keyword, StorageServiceClass)
