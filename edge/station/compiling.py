"""Says that kernels are compiled, and how far that is: a first start would look hung without it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from numba.core.event import Event, Listener, install_listener

from edge.kernel_cache import COMPILES, kernels_written

SAY_EVERY_S = 5.0
ONCE = "once after an install or an upgrade; a minute and a half on two free cores"

log = structlog.get_logger()


class _Watch(Listener):
    """Follows what Numba compiles; what it finds in its cache says nothing.

    Numba compiles under a lock of its own, and calls this under it: one kernel at a time, and
    within it those that it calls, whatever the threads.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._about = 0
        self._compiled: set[object] = set()
        """Kernels; one may be compiled for several kinds of arguments."""
        self._began_s = self._said_s = 0.0

    def on_start(self, event: Event) -> None:
        """A kernel, or one that it calls."""
        if _is_numbas(event):
            return
        now_s = self._now_s()
        if not self._about:
            self._began_s = self._said_s = now_s
            self._about = kernels_written()  # a site without spectra needs fewer
            log.info("compiling kernels", about=self._about, why=ONCE)
        elif now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            # By the file: `fusion.kernels.seismic` is more telling than the function.
            room = event.data["dispatcher"].py_func.__module__.rpartition(".")[2]
            after_s = round(now_s - self._began_s)
            done = len(self._compiled)
            log.info(COMPILES, done=done, about=self._about, now=room, after_s=after_s)

    def on_end(self, event: Event) -> None:
        """The same is compiled, or failed."""
        if not _is_numbas(event):
            self._compiled.add(event.data["dispatcher"])

    def sum_up(self) -> None:
        """How long all took, where there was anything to compile."""
        if self._about:
            seconds = round(self._now_s() - self._began_s, 1)
            log.info("kernels compiled", kernels=len(self._compiled), seconds=seconds)


def _is_numbas(event: Event) -> bool:
    """Whether it is of Numba itself: its `zeros`, `min` and the like are compiled like kernels."""
    module: str = event.data["dispatcher"].py_func.__module__
    return module.startswith("numba.")


@contextmanager
def told(now_s: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Log what is compiled meanwhile: that it begins, every five seconds how far, and the end."""
    watch = _Watch(now_s)
    with install_listener("numba:compile", watch):
        yield
    watch.sum_up()
