import importlib
import pkgutil
import re
from pathlib import Path

import numba
import pytest
from numba.core.dispatcher import Dispatcher

import edge.evidence
import fusion.kernels
from edge.station.warmup import warm_up


def called_from_python(name):
    """Kernels that only other kernels call are compiled into those."""
    call = re.compile(rf"\b{name}\(")
    rooms = (Path(fusion.__path__[0]), Path(edge.evidence.__path__[0]))
    return any(call.search(path.read_text()) for room in rooms for path in room.glob("*.py"))


def kernels():
    for module in pkgutil.iter_modules(fusion.kernels.__path__):
        loaded = importlib.import_module(f"fusion.kernels.{module.name}")
        for name, value in vars(loaded).items():
            if isinstance(value, Dispatcher) and called_from_python(name):
                yield f"{module.name}.{name}", value


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled in this run")
def test_after_the_warm_up_no_kernel_is_left_to_compile():
    assert warm_up()  # the made-up source is found
    found = dict(kernels())
    assert found
    assert [name for name, kernel in found.items() if not kernel.signatures] == []
