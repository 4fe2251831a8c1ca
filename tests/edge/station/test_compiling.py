"""A first start: kernels first and out loud, sensors afterwards."""

import asyncio
import contextlib

import numba
import numpy as np
import pytest
from structlog.testing import capture_logs

from edge.kernel_cache import COMPILES
from edge.station import checkpoint, compiling
from edge.station.checkpoint import CheckpointService
from edge.station.outlets import Outlets
from tests.edge.rehearsed import small_config
from tests.edge.station.test_warmup import kernels

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
    clock = iter([0.0, 3.0, 9.0, 12.0, 15.5, 20.0]).__next__
    with capture_logs() as logs, compiling.told(clock):
        for times in (2.0, 3.0, 5.0, 7.0, 11.0):
            assert fresh(times)(1.0) == times + 1.0
    assert [entry["event"] for entry in logs] == [
        "compiling kernels",
        COMPILES,
        COMPILES,
        "kernels compiled",
    ]
    assert [(entry["done"], entry["after_s"]) for entry in logs[1:3]] == [(2, 9), (4, 16)]
    assert (logs[-1]["kernels"], logs[-1]["seconds"]) == (5, 20.0)


@compiled
def test_where_all_is_compiled_nothing_is_told():
    kernel = fresh(2.0)
    kernel(1.0)
    with capture_logs() as logs, compiling.told():
        kernel(np.float64(3.0))
    assert logs == []


def test_about_as_many_kernels_are_compiled_as_the_start_says():
    assert abs(len(dict(kernels())) - compiling.ABOUT) <= 5


def test_no_sensor_is_opened_before_the_kernels_are_there(tmp_path, monkeypatch):
    """What waits in a socket for a minute is a device with a wrong clock, for all we know."""
    steps = []

    async def start(self):
        steps.append("sensors")
        raise asyncio.CancelledError  # far enough

    monkeypatch.setattr(Outlets, "open", lambda self: steps.append("brokers"))
    monkeypatch.setattr(checkpoint, "warm_up", lambda policy: steps.append("kernels"))
    monkeypatch.setattr(checkpoint, "warm_up_spectra", lambda *rest: steps.append("templates"))
    monkeypatch.setattr(CheckpointService, "_start_http", lambda *rest: steps.append("http"))
    service = CheckpointService(small_config(tmp_path))
    monkeypatch.setattr(type(service.sources), "start", start)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(service.run())
    assert steps == ["http", "brokers", "kernels", "templates", "sensors"]
