"""A first start: kernels first and out loud, sensors afterwards."""

import asyncio
import contextlib
import importlib
import pkgutil
import threading

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from structlog.testing import capture_logs

from edge.kernel_cache import COMPILES, kernels_written
from edge.station import compiling
from edge.station.checkpoint import CheckpointService
from tests.edge.rehearsed import small_config
from tests.edge.station.test_warmup import ROOMS

compiled = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="nothing is compiled in this run"
)


def fresh(times):
    """A kernel that no cache knows, and one that it calls."""

    @numba.njit
    def inner(x):
        return x * times

    @numba.njit
    def outer(x):
        return inner(x) + 1.0

    return outer


@compiled
def test_compiling_is_told_at_its_begin_now_and_then_and_at_its_end():
    # Each kernel and the one that it calls, and the end.
    clock = iter([0.0, 1.0, 3.0, 3.5, 9.0, 9.5, 12.0, 12.5, 15.5, 16.0, 20.0]).__next__
    with capture_logs() as logs, compiling.told(clock):
        made = [fresh(times) for times in (2.0, 3.0, 5.0, 7.0, 11.0)]
        assert [kernel(1.0) for kernel in made] == [3.0, 4.0, 6.0, 8.0, 12.0]
    assert [entry["event"] for entry in logs] == [
        "compiling kernels",
        COMPILES,
        COMPILES,
        "kernels compiled",
    ]
    assert [(entry["done"], entry["after_s"]) for entry in logs[1:3]] == [(4, 9), (8, 16)]
    assert (logs[-1]["kernels"], logs[-1]["seconds"]) == (10, 20.0)


@compiled
def test_what_several_threads_compile_is_counted_once():
    made = [fresh(times) for times in (2.0, 3.0, 5.0)]
    with capture_logs() as logs, compiling.told(lambda: 0.0):
        threads = [
            threading.Thread(target=kernel, args=(value,)) for kernel in made for value in (1, 1.0)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [entry["event"] for entry in logs] == ["compiling kernels", "kernels compiled"]
    assert logs[-1]["kernels"] == 6


@compiled
def test_what_numba_brings_along_is_not_counted():
    @numba.njit
    def kernel(size):
        return np.zeros(size).sum() + min(np.empty(size).shape[0], int(str(size) == "7"))

    with capture_logs() as logs, compiling.told(lambda: 0.0):
        assert kernel(7) == 1.0
    assert logs[-1]["kernels"] == 1


@compiled
def test_where_all_is_compiled_nothing_is_told():
    kernel = fresh(2.0)
    kernel(1.0)
    with capture_logs() as logs, compiling.told():
        kernel(np.float64(3.0))
    assert logs == []


@compiled
def test_as_many_kernels_are_announced_as_there_are():
    found = {
        value.py_func
        for room in ROOMS
        for module in pkgutil.iter_modules(room.__path__)
        for value in vars(importlib.import_module(f"{room.__name__}.{module.name}")).values()
        if isinstance(value, Dispatcher)
    }
    assert kernels_written() == len(found)


def test_no_sensor_is_opened_before_the_kernels_are_there(tmp_path, monkeypatch, free_port):
    """What waits in a socket for a minute is a device with a wrong clock, for all we know."""
    http, north, south = (free_port() for _ in range(3))
    sides = {
        side: {"broker": f"mqtt://127.0.0.1:{at}"}
        for side, at in (("north", north), ("south", south))
    }
    service = CheckpointService(small_config(tmp_path, sides=sides, http={"port": http}))
    steps = []

    async def start():
        steps.append("sensors")
        assert service.outlets.outbox.last_seq == 0  # open, where a closed one raises
        raise asyncio.CancelledError  # far enough

    @contextlib.contextmanager
    def told():
        steps.append("kernels")
        with compiling_told():
            yield
        steps.append("compiled")

    compiling_told = compiling.told
    monkeypatch.setattr(compiling, "told", told)
    monkeypatch.setattr(service.sources, "start", start)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(service.run())
    assert steps == ["kernels", "compiled", "sensors"]
