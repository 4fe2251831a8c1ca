"""Says that kernels are compiled, and how far that is: a first start would look hung without it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from numba.core.event import Event, Listener, install_listener

from edge.kernel_cache import COMPILES

SAY_EVERY_S = 5.0
ABOUT = 38  # kernels that are called from outside of kernels; a site without spectra has fewer
ONCE = "once after an install or an upgrade; a minute on two free cores"

log = structlog.get_logger()


class _Watch(Listener):
    """Follows what Numba compiles; what it finds in its cache says nothing."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._nested = 0
        """A kernel compiles those that it calls; only whole ones are counted."""
        self._kernels = 0
        self._began_s = self._said_s = 0.0

    def on_start(self, event: Event) -> None:
        """A kernel, or one that it calls."""
        self._nested += 1
        if self._nested > 1:
            return
        now_s = self._now_s()
        if not self._kernels:
            self._began_s = self._said_s = now_s
            log.info("compiling kernels", about=ABOUT, why=ONCE)
        elif now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            # By the file: `fusion.kernels.seismic` is more telling than the function.
            room = event.data["dispatcher"].py_func.__module__.rpartition(".")[2]
            after_s = round(now_s - self._began_s)
            log.info(COMPILES, done=self._kernels, about=ABOUT, now=room, after_s=after_s)

    def on_end(self, event: Event) -> None:
        """The same is compiled, or failed."""
        del event
        self._nested -= 1
        self._kernels += not self._nested

    def sum_up(self) -> None:
        """How long all took, where there was anything to compile."""
        if self._kernels:
            seconds = round(self._now_s() - self._began_s, 1)
            log.info("kernels compiled", kernels=self._kernels, seconds=seconds)


@contextmanager
def told(now_s: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Log what is compiled meanwhile: that it begins, every five seconds how far, and the end."""
    watch = _Watch(now_s)
    with install_listener("numba:compile", watch):
        yield
    watch.sum_up()
