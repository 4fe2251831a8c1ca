"""Run by `spectrum_reader` as a process of its own: parses spectrum files with sandiaspecutils.

Imports nothing of ours, for it is started by its path. A parser for a hundred forms, fed by the
network, may crash, hang or grow: here it takes nobody with it, and it holds no one's GIL.

A request is a header (`REQUEST`), the parser's name and the file; an answer is a header
(`ANSWER`), JSON and the arrays that it counts on. End of input ends the process.
"""

import importlib
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

REQUEST = struct.Struct("<IIQ")
"""Milliseconds of processor time allowed, bytes of the parser's name, bytes of the file."""
ANSWER = struct.Struct("<QQ")
"""Bytes of JSON, bytes of arrays."""
# The largest file allowed (64 MB) with its channels as floats, as lists and as integers.
MEMORY_BYTES = 2 * 2**30
MAX_VALUES = 40_000_000  # channels of all spectra; as in `wire.n42_nodes`
CLOSE = 1e-5  # of a channel's energy, relative; the library calculates in float32
UNKNOWN_MODELS = {"InvalidEquationType", "UnspecifiedUsingDefaultPolynomial"}


Answer = tuple[dict[str, Any], list[bytes]]
Reader = Callable[[str, bytes], Answer]
"""From the parser's name and a file to what is said of it."""


def main(library: str, reader: Reader) -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for our parent, which closes the pipe
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What the library prints must not get between the answers, nor into the log.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    while len(header := requests.read(REQUEST.size)) == REQUEST.size:
        allowed_ms, name_bytes, file_bytes = REQUEST.unpack(header)
        name, data = requests.read(name_bytes).decode(), requests.read(file_bytes)
        if len(data) < file_bytes:
            return
        answer, arrays = _answer(library, reader, name, data, allowed_ms / 1000)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answers, answer, arrays)


def _send(answers: BinaryIO, answer: dict[str, Any], arrays: list[bytes]) -> None:
    text = msgspec.json.encode(answer)
    answers.write(ANSWER.pack(len(text), sum(map(len, arrays))))
    answers.write(text)
    answers.writelines(arrays)
    answers.flush()


def _answer(library: str, reader: Reader, name: str, data: bytes, allowed_s: float) -> Answer:
    try:
        importlib.import_module(library)  # here: what it raises is an answer, too
        # The default action of this signal ends the process, also from within the library and
        # where nobody is left to end it. Processor time: a busy machine does not spoil a file.
        signal.setitimer(signal.ITIMER_PROF, allowed_s)
        return reader(name, data)
    # Whatever the library finds wrong, MemoryError and its own kinds included, it says in words.
    except Exception as error:  # noqa: BLE001 - as said
        return {"error": f"{type(error).__name__}: {error}"}, []


def _read(name: str, data: bytes) -> Answer:
    library: Any = importlib.import_module("SpecUtils")
    file = library.SpecFile()
    place = os.memfd_create("spectra")
    try:
        with os.fdopen(os.dup(place), "wb") as opened:
            opened.write(data)
        del data
        file.loadFile(f"/proc/self/fd/{place}", getattr(library.ParserType, name), "")
    finally:
        os.close(place)
    described = {
        "manufacturer": file.manufacturer(),
        "model": file.instrumentModel(),
        "serial": file.instrumentId(),
        "class_code": file.instrumentType(),
        "remarks": file.remarks(),
    }
    measurements, calibrations, arrays = _measurements(file)
    answer = {**described, "measurements": measurements, "calibrations": calibrations}
    return answer, arrays


def _measurements(file: Any) -> tuple[list[Any], list[Any], list[bytes]]:  # noqa: ANN401
    measurements, calibrations, arrays = [], _Calibrations(), []
    values = 0
    for one in file.measurements():
        if one.derivedDataProperties():  # sums and differences of what is there by itself
            continue
        channels = one.numGammaChannels()
        values += channels
        if values > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} channels")
        if channels:
            # A float32 holds whole numbers to 16 million exactly, and the library has no more.
            counts = np.array(one.gammaCounts(), dtype=np.float64)
            np.nan_to_num(counts, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            arrays.append(np.clip(np.rint(counts), 0, 2**32 - 1).astype("<u4").tobytes())
        start = one.startTime()
        measurements.append(
            (
                one.sampleNumber(),
                one.detectorName(),
                one.detectorType(),
                f"{start:%Y-%m-%dT%H:%M:%S.%f}Z",
                one.realTime(),
                one.liveTime(),
                one.sourceType().name,
                one.occupied().name,
                one.speed(),
                one.neutronCountsSum() if one.containedNeutron() else None,
                channels,
                calibrations.number(one, channels) if channels else None,
            )
        )
    return measurements, calibrations.found, arrays


class _Calibrations:
    """Every distinct one once: `["polynomial", coefficients]`, `["edges", keV]`, `["unknown"]`."""

    def __init__(self) -> None:
        self.found: list[list[Any]] = []
        self._numbers: dict[tuple[Any, ...], int] = {}

    def number(self, one: Any, channels: int) -> int:  # noqa: ANN401
        # Deviation pairs, which the binding cannot tell, belong to a detector.
        coefficients = one.calibrationCoeffs()
        model = one.energyCalibrationModel().name
        key = (one.detectorName(), model, channels, *coefficients)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(_calibration(one, model, coefficients, channels))
        return self._numbers[key]


def _calibration(
    one: Any,  # noqa: ANN401
    model: str,
    coefficients: list[float],
    channels: int,
) -> list[Any]:
    if model in UNKNOWN_MODELS:
        return ["unknown"]
    edges: NDArray[np.float64] = np.array(one.channelEnergies() or [], dtype=np.float64)
    if edges.size != channels + 1 or not np.all(np.isfinite(edges)):
        return ["unknown"]
    at = np.arange(channels + 1)
    if model == "Polynomial" and np.allclose(np.polyval(coefficients[::-1], at), edges, CLOSE):
        return ["polynomial", coefficients]
    return ["edges", edges.tolist()]


if __name__ == "__main__":
    main("SpecUtils", _read)
