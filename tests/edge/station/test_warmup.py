import ast
import importlib
import pkgutil
from pathlib import Path

import numba
import pytest
from numba.core.dispatcher import Dispatcher

import drivers.wire.kernels
import edge
import fusion.kernels
from edge.kernel_cache import VARIABLE
from edge.station.warmup import warm_up, warm_up_image
from fusion.spectra import stream, templates
from fusion.types import DetectorSpec

ROOMS = (fusion.kernels, drivers.wire.kernels)
KERNELS = tuple(room.__name__ for room in ROOMS)


def callers():
    """All modules but the kernels' own: what only another kernel calls is compiled into that."""
    for room in (fusion, edge, drivers):
        for path in Path(room.__path__[0]).rglob("*.py"):
            if path.parent.name != "kernels":
                yield ast.parse(path.read_text(encoding="utf-8"))


def used(tree):
    """Each name that a module takes from the kernels, as `module.name`."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in KERNELS:
            modules |= {name.asname or name.name: name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[0] in KERNELS:
            yield from (f"{node.module.rpartition('.')[2]}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):  # a way in that this does not look through
            assert not any(name.name.startswith(KERNELS) for name in node.names)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                yield f"{modules[name]}.{attribute}"


def kernels():
    demanded = {name for tree in callers() for name in used(tree)}
    for room in ROOMS:
        for module in pkgutil.iter_modules(room.__path__):
            loaded = importlib.import_module(f"{room.__name__}.{module.name}")
            for name, value in vars(loaded).items():
                if isinstance(value, Dispatcher) and f"{module.name}.{name}" in demanded:
                    yield f"{module.name}.{name}", value


def forget():
    templates._library.cache_clear()
    stream.library_of.cache_clear()
    stream.spread_templates.cache_clear()


@pytest.fixture
def no_library(monkeypatch):
    """As in a new image: no library was made or kept."""
    monkeypatch.delenv(VARIABLE, raising=False)
    templates.keep_on(None)
    forget()
    yield
    templates.keep_on(None)


def test_what_calls_a_kernel_is_found():
    found = dict(kernels())
    for usual in ("markup.take_apart", "png.deflate_runs", "spectra.stream_tick"):
        assert usual in found
    assert {name.partition(".")[0] for name in found} >= {"seismic", "seismic_look", "response"}


OF_BENCHES = {"evidence.take"}
"""What weighs many places at once, which no service does: ten seconds that nobody need wait."""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled in this run")
@pytest.mark.usefixtures("no_library")
def test_after_the_warm_up_no_kernel_is_left_to_compile():
    warm_up_image()
    found = dict(kernels())
    left = [name for name, kernel in found.items() if not kernel.signatures]
    assert set(left) <= OF_BENCHES


def test_the_made_up_source_is_found():
    assert warm_up()


@pytest.mark.usefixtures("no_library")
def test_the_image_keeps_the_library_of_the_usual_portal_beside_the_kernels(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    warm_up_image()
    (kept,) = tmp_path.glob("templates-*.library")
    assert kept.stat().st_mode & 0o444 == 0o444  # whoever the container runs as
    made = stream.library_of(DetectorSpec())
    forget()
    monkeypatch.setattr(templates, "_made", None)  # nothing is made any more
    again = stream.library_of(DetectorSpec())
    assert again is not made
    assert again.nuisance_shapes.tobytes() == made.nuisance_shapes.tobytes()
