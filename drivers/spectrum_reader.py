"""Reads spectrum files that nobody vouches for, through sandiaspecutils in child processes.

Whatever the file does to the parser, here it becomes a `Malformed`. Where the library is not
installed (it has wheels for x86-64 only), N42 is read by our own plain reader.
"""

import atexit
import functools
import importlib.util
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from drivers.spectrum_process import GoneError, SpectrumProcess
from drivers.wire import n42
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.n42_frames import MAX_DOCUMENT_BYTES
from drivers.wire.n42_nodes import kind_in, utc_ns
from drivers.wire.n42_scan import Scan, as_utf8, scan

# A portal reads one document at a time, so one that keeps a child busy leaves the other to all the
# rest. Each may grow to 2 GB over a file that is made for it, which is why there are no more.
CHILDREN = 2
# Two portals that keep both busy would hold up all others for as long as they like. Who has waited
# for so long, in which a child reads three whole passes, goes on without.
WAIT_S = 0.5
# Those that our own reader takes then, in our own process: a whole pass has 3.3 MB (facts 4.1).
MOST_BYTES_WITHOUT = 4 * 2**20
# Of processor time for any file. A portal's 3.3 MB take 0.13 s (facts 4.1), 17 million channels in
# 1.6 MB 0.7 s.
LEAST_S = 1.0
SECONDS_PER_BYTE = 1e-6
# Counted zeroes make few bytes of many channels: 8 x 16,384 x 133 of them are 0.3 MB and take 1 s.
SECONDS_PER_SPECTRUM = 2e-3
MOST_FOR_SPECTRA_S = 2.0
# A child that waits instead of working uses no processor time: it is ended by the clock.
PATIENCE = 4.0  # times the processor time

SUFFIXES = {
    ".pcf": "Pcf",
    ".spc": "Spc",
    ".cnf": "Cnf",
    ".chn": "Chn",
    ".spe": "SpeIaea",
}
"""What the library reads besides N42, by the file's name."""
URI_HEAD = b"RADDATA://"
NEUTRON = "neutron"
_CLASSES = {
    "Foreground": "Foreground",
    "Background": "Background",
    "Calibration": "Calibration",
    "IntrinsicActivity": "IntrinsicActivity",
}
_OCCUPIED = {"Occupied": True, "NotOccupied": False}


def installed() -> bool:
    """Whether sandiaspecutils is there."""
    return importlib.util.find_spec("SpecUtils") is not None


def parser_of(head: bytes, suffix: str = "") -> str:
    """The library's parser for a file with this beginning and name's end; `""`: taken for N42."""
    if head.startswith(URI_HEAD):
        return "Uri"
    return SUFFIXES.get(suffix.lower(), "")


class SpectrumReader:
    """Keeps a few children, each started when first needed and again after each end of it.

    Safe to use from several threads, which get a child in the order of asking, or none where all
    are busy for longer than `WAIT_S`.
    """

    def __init__(
        self,
        *,
        least_s: float = LEAST_S,
        use_library: bool | None = None,
        children: int = CHILDREN,
    ) -> None:
        self._least_s = least_s
        self._use_library = installed() if use_library is None else use_library
        self._children = [SpectrumProcess() for _ in range(children)]
        self._lock = threading.Lock()  # guards the three below
        self._idle = self._children.copy()
        self._waiting: deque[SimpleQueue[SpectrumProcess]] = deque()
        self._to_end: list[SpectrumProcess] = []

    def read(self, data: bytes, suffix: str = "") -> n42.Document | Malformed:
        """The file's measurements. `suffix` is the end of its name, such as `.pcf`.

        Malformed reasons: `too-large`; those of `n42_scan.scan` and `n42.read`; `unreadable`,
        with the library's words; `reader-ended`, the file crashed the reader or took it longer
        than a file of its size may; `reader-busy`, other files keep every child and this is none
        that our own reader takes; `needs-library`.
        """
        if len(data) > MAX_DOCUMENT_BYTES:
            return malformed("too-large", data)
        if parser := parser_of(data[:16], suffix):
            if not self._use_library:
                text = f"{parser} files are read by sandiaspecutils, which is not installed"
                return malformed("needs-library", text.encode())
            return self._ask(parser, data, Scan(parser))
        return self._read_n42(as_utf8(data))

    def _read_n42(self, data: bytes) -> n42.Document | Malformed:
        seen = scan(data)
        if isinstance(seen, Malformed):
            return seen
        # The library refuses documents without spectra: a portal of plastic panels, for one.
        if self._use_library and seen.spectra:
            read = self._ask(seen.form.replace("-", "_"), data, seen)
            if not isinstance(read, Malformed) or not _tries_plain(read, data):
                return read
            plain = n42.read(data)
            was_busy = isinstance(plain, Malformed) and read.reason == "reader-busy"
            return read if was_busy else plain
        plain = n42.read(data)
        nothing = isinstance(plain, Malformed) and plain.reason == "no-measurement"
        if nothing and not self._use_library and seen.spectra:
            text = f"a form of {seen.form} that only sandiaspecutils reads, which is not installed"
            return malformed("needs-library", text.encode())
        return plain

    @property
    def child_peak_mb(self) -> float:
        """The most memory that any child has had so far; 0 before the first."""
        return max(child.peak_mb for child in self._children)

    @property
    def child_pids(self) -> list[int]:
        """The children's processes."""
        return [child.pid for child in self._children if child.pid is not None]

    def close(self) -> None:
        """End the children; one that reads just now, once it has. The next file starts another."""
        with self._lock:
            self._to_end = [child for child in self._children if child not in self._idle]
            for child in self._idle:
                child.end()

    def _ask(self, parser: str, data: bytes, seen: Scan) -> n42.Document | Malformed:
        allowed_s = max(self._least_s, len(data) * SECONDS_PER_BYTE)
        allowed_s += min(seen.spectra * SECONDS_PER_SPECTRUM, MOST_FOR_SPECTRA_S)
        try:
            with self._lent() as child:
                if child is None:
                    return malformed("reader-busy", data)
                answer, arrays = child.ask(
                    parser, data, allowed_s=allowed_s, patience_s=PATIENCE * allowed_s
                )
        except GoneError:
            return malformed("reader-ended", data)
        if "error" in answer:
            return malformed("unreadable", str(answer["error"]).encode("ascii", "replace"))
        document = _document(answer, arrays, seen)
        return document if document.measurements else malformed("no-measurement", data)

    @contextmanager
    def _lent(self) -> Iterator[SpectrumProcess | None]:
        child = self._borrow()
        try:
            yield child
        finally:
            if child is not None:
                self._give_back(child)

    def _borrow(self) -> SpectrumProcess | None:
        with self._lock:
            if self._idle:
                return self._idle.pop()  # the last that was used: most of the time one is enough
            turn: SimpleQueue[SpectrumProcess] = SimpleQueue()
            self._waiting.append(turn)
        try:
            return turn.get(timeout=WAIT_S)
        except Empty:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    return None
            return turn.get()  # it came in this moment

    def _give_back(self, child: SpectrumProcess) -> None:
        with self._lock:
            if child in self._to_end:
                self._to_end.remove(child)
                child.end()
            if self._waiting:
                # From hand to hand: who comes in this moment is not to get ahead.
                self._waiting.popleft().put(child)
            else:
                self._idle.append(child)


def _tries_plain(read: Malformed, data: bytes) -> bool:
    """Whether our own reader may take what the library has not."""
    if read.reason == "reader-busy":
        return len(data) <= MOST_BYTES_WITHOUT
    return read.reason == "unreadable"


@functools.cache
def shared_reader() -> SpectrumReader:
    """The process's own: a child costs 60 MB and is rarely busy, so all sensors share them."""
    reader = SpectrumReader()
    atexit.register(reader.close)
    return reader


# --- the child's answer as a document ---------------------------------------------------


def _document(answer: dict[str, Any], arrays: memoryview, seen: Scan) -> n42.Document:
    calibrations = [_calibration(*one) for one in answer["calibrations"]]
    detectors: dict[str, n42.Detector] = {}
    samples: dict[int, list[tuple[tuple[Any, ...], n42.Spectrum | None]]] = {}
    at = 0
    for row in answer["measurements"]:
        sample, name, kind, *_, channels, calibration = row
        spectrum = None
        if channels:
            described = f"{kind} {answer['model']}" if kind_in(kind) == "Other" else kind
            detectors.setdefault(
                name, n42.Detector(name=name, kind=kind_in(described), description=kind)
            )
            counts = np.frombuffer(arrays, "<u4", channels, at).astype(np.uint32, copy=False)
            at += 4 * channels
            spectrum = n42.Spectrum(
                detector=name,
                live_s=_short(row[5]),
                counts=counts,
                calibration=calibrations[calibration],
            )
        samples.setdefault(sample, []).append((row, spectrum))
    measurements = [_measurement(rows, seen) for _, rows in sorted(samples.items())]
    if any(one.gross for one in measurements):
        detectors[NEUTRON] = n42.Detector(name=NEUTRON, category="Neutron")
    return n42.Document(
        instrument=n42.Instrument(
            **{key: answer[key] for key in ("manufacturer", "model", "serial", "class_code")}
        ),
        detectors=tuple(detectors.values()),
        measurements=tuple(_with_faults(measurements, seen)),
        remarks=tuple(answer["remarks"]),
        form=seen.form,
    )


def _calibration(form: str, values: list[float] | None = None) -> n42.Calibration:
    if form == "polynomial" and values is not None:
        return n42.Calibration(coefficients=tuple(values))
    if form == "edges" and values is not None:
        return n42.Calibration(edges_kev=np.array(values, np.float32))
    return n42.UNKNOWN_CALIBRATION


def _measurement(
    rows: list[tuple[tuple[Any, ...], n42.Spectrum | None]], seen: Scan
) -> n42.Measurement:
    first = rows[0][0]
    start_utc_ns = utc_ns(first[3])
    if start_utc_ns is not None:  # the library leaves zones out
        start_utc_ns -= seen.utc_offset_min * 60 * 1_000_000_000
    neutrons = [row[9] for row, _ in rows if row[9] is not None]
    real_s = max(_short(row[4]) for row, _ in rows)
    return n42.Measurement(
        class_code=_CLASSES.get(first[6], "NotSpecified"),
        start_utc_ns=start_utc_ns,
        real_s=real_s,
        spectra=tuple(spectrum for _, spectrum in rows if spectrum is not None),
        gross=(n42.Gross(detector=NEUTRON, live_s=real_s, counts=(float(sum(neutrons)),)),)
        if neutrons
        else (),
        occupied=_OCCUPIED.get(first[7]),
        speed_m_s=_short(first[8]) or None,
    )


def _with_faults(measurements: list[n42.Measurement], seen: Scan) -> list[n42.Measurement]:
    """The library passes faults over; the scan has noted in which measurement they were."""
    for number, fault in seen.faults:
        if measurements:
            # Where it has left measurements out, nothing tells which.
            at = number if len(measurements) == seen.measurements else 0
            one = measurements[at]
            measurements[at] = replace(one, faults=(*one.faults, fault))
    return measurements


def _short(value: float | None) -> float:
    """What was rounded to a float32, as the document had it: 0.0995 and not 0.09950000047683716.

    JSON has nothing for what is no number: it comes as None, and is 0.
    """
    return 0.0 if value is None else float(f"{value:.7g}")
