"""Reads spectrum files that nobody vouches for, through sandiaspecutils in a child process.

Whatever the file does to the parser, here it becomes a `Malformed`. Where the library is not
installed (it has wheels for x86-64 only), N42 is read by our own plain reader.
"""

import atexit
import functools
import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivers.spectrum_child import ANSWER, REQUEST
from drivers.wire import n42
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.n42_frames import MAX_DOCUMENT_BYTES
from drivers.wire.n42_nodes import kind_in, utc_ns
from drivers.wire.n42_scan import Scan, as_utf8, scan

# All portals share one child: what one of them may hold it for, the others wait. Of processor time
# for any file; a portal's 3.3 MB take 0.13 s (facts 4.1), 17 million channels in 1.6 MB 0.7 s.
LEAST_S = 1.0
SECONDS_PER_BYTE = 1e-6
# Counted zeroes make few bytes of many channels: 8 x 16,384 x 133 of them are 0.3 MB and take 1 s.
SECONDS_PER_SPECTRUM = 2e-3
MOST_FOR_SPECTRA_S = 2.0
# A child that waits instead of working uses no processor time: it is ended by the clock.
PATIENCE = 4.0  # times the processor time
START_S = 20.0  # importing NumPy on a machine that is busy
PIPE_BYTES = 2**20

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


class _GoneError(Exception):
    """The child ended, or was too slow."""


class SpectrumReader:
    """Keeps one child, started when first needed and again after each end of it.

    Safe to use from several threads; one file is read at a time.
    """

    def __init__(self, *, least_s: float = LEAST_S, use_library: bool | None = None) -> None:
        self._least_s = least_s
        self._use_library = installed() if use_library is None else use_library
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._peak_mb = 0.0

    def read(self, data: bytes, suffix: str = "") -> n42.Document | Malformed:
        """The file's measurements. `suffix` is the end of its name, such as `.pcf`.

        Malformed reasons: `too-large`; those of `n42_scan.scan` and `n42.read`; `unreadable`,
        with the library's words; `reader-ended`, the file crashed the reader or took it longer
        than a file of its size may; `needs-library`.
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
            if not isinstance(read, Malformed) or read.reason != "unreadable":
                return read
        plain = n42.read(data)
        nothing = isinstance(plain, Malformed) and plain.reason == "no-measurement"
        if nothing and not self._use_library and seen.spectra:
            text = f"a form of {seen.form} that only sandiaspecutils reads, which is not installed"
            return malformed("needs-library", text.encode())
        return plain

    @property
    def child_peak_mb(self) -> float:
        """The most memory that any child has had so far; 0 before the first.

        Of one that ended by itself Linux tells only the most of it and of us when we started it.
        """
        child = self._child
        return max(self._peak_mb, 0.0 if child is None else _peak_mb(child.pid))

    @property
    def child_pid(self) -> int | None:
        """The child's process; None while there is none."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End the child. The next file starts another."""
        with self._lock:
            self._end()

    def _ask(self, parser: str, data: bytes, seen: Scan) -> n42.Document | Malformed:
        with self._lock:
            try:
                answer, arrays = self._exchange(parser, data, seen.spectra)
            except (_GoneError, OSError, ValueError, msgspec.MsgspecError):
                self._end()
                return malformed("reader-ended", data)
        if "error" in answer:
            return malformed("unreadable", str(answer["error"]).encode("ascii", "replace"))
        document = _document(answer, arrays, seen)
        return document if document.measurements else malformed("no-measurement", data)

    def _exchange(
        self, parser: str, data: bytes, spectra: int
    ) -> tuple[dict[str, Any], memoryview]:
        began_s = time.monotonic()
        allowed_s = max(self._least_s, len(data) * SECONDS_PER_BYTE)
        allowed_s += min(spectra * SECONDS_PER_SPECTRUM, MOST_FOR_SPECTRA_S)
        ends_s = began_s + PATIENCE * allowed_s
        if self._child is None:
            self._child = _start()
            ends_s += START_S
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        name = parser.encode()
        head = REQUEST.pack(round(allowed_s * 1000), len(name), len(data)) + name
        _write(self._child.stdin.fileno(), head + data, ends_s)
        source = self._child.stdout.fileno()
        text_bytes, array_bytes = ANSWER.unpack(_read(source, ANSWER.size, ends_s))
        answer = msgspec.json.decode(_read(source, text_bytes, ends_s))
        return answer, memoryview(_read(source, array_bytes, ends_s))

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            self._peak_mb = max(self._peak_mb, _ended(child))


@functools.cache
def shared_reader() -> SpectrumReader:
    """The process's own: one child for all sensors, because it costs 60 MB and is rarely busy."""
    reader = SpectrumReader()
    atexit.register(reader.close)
    return reader


def _start() -> subprocess.Popen[bytes]:
    place = Path(__file__).with_name("spectrum_child.py")
    child = subprocess.Popen(  # noqa: S603 - our own file, our own interpreter
        [sys.executable, "-I", str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Threads of a linear-algebra library reserve memory that the limit then lacks.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        bufsize=0,
    )
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        os.set_blocking(pipe.fileno(), False)
    return child


def _ended(child: subprocess.Popen[bytes]) -> float:
    """End the child; the most memory that it has had, in MB."""
    peak_mb = _peak_mb(child.pid)
    # Not `kill`, which forgets what a child used that has ended by itself.
    os.kill(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        pipe.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return peak_mb or usage.ru_maxrss / 1024


def _peak_mb(pid: int) -> float:
    """Of a process that runs; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _write(target: int, data: bytes, ends_s: float) -> None:
    view = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(target, selectors.EVENT_WRITE)
        while view:
            _wait(selector, ends_s)
            view = view[os.write(target, view[:PIPE_BYTES]) :]


def _read(source: int, size: int, ends_s: float) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while at < size:
            _wait(selector, ends_s)
            got = os.readv(source, [view[at : at + PIPE_BYTES]])
            if not got:
                raise _GoneError
            at += got
    return data


def _wait(selector: selectors.BaseSelector, ends_s: float) -> None:
    if not selector.select(max(ends_s - time.monotonic(), 0.0)):
        raise _GoneError


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
