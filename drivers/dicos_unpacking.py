"""Packed pixels of DICOS files, unpacked by GDCM in a process of its own (`dicos_child`)."""

import atexit
import functools
import math
import threading

from drivers.dicos_instance import Instance
from drivers.spectrum_process import GoneError, SpectrumProcess
from drivers.wire import dicos
from drivers.wire.dicos_write import packed_file
from drivers.wire.malformed import Malformed, malformed

# GDCM takes 50 ns a pixel for lossless JPEG here (facts 1.3: 241 ms for 4.8 million).
LEAST_S, SECONDS_PER_PIXEL = 0.5, 1.5e-7
PATIENCE = 2.0  # times the processor time

_asking = threading.Lock()


@functools.cache
def _child() -> SpectrumProcess:
    """The process's own: a scan comes every few minutes, so all scanners share it."""
    child = SpectrumProcess("dicos_child.py")
    atexit.register(child.end)
    return child


def end_child() -> None:
    """End the process that unpacks pixels; the next packed file starts another."""
    with _asking:
        _child().end()


def unpacked(one: Instance, laid: dicos.Layout) -> memoryview | Malformed:
    """The pixels' bytes, little endian. Malformed reasons: as of `dicos_reading.pictures`."""
    file = packed_file(laid.syntax, one.shape, one.bits, laid.pixels)
    size = math.prod(one.shape) * one.bits[0] // 8
    allowed_s = LEAST_S + math.prod(one.shape) * SECONDS_PER_PIXEL
    try:
        with _asking:
            answer, values = _child().ask(
                str(size), file, allowed_s=allowed_s, patience_s=PATIENCE * allowed_s
            )
    except GoneError:
        return malformed("reader-ended", laid.syntax.encode())
    if words := str(answer.get("error", "")):
        reason = "needs-library" if words.startswith("ModuleNotFoundError") else "unreadable"
        return malformed(reason, words.encode("ascii", "replace"))
    return values
