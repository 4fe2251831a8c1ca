"""Results are the same on every processor: none of NumPy's or BLAS's own order gets into them."""

import ast
import os
import pickle
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fusion
from drivers.radiation import TsaConfig, TsaDriver
from fusion.spectra.steady import steady
from fusion.types import SECOND_NS, Origin
from simulators.radiation import PortalSimulator
from simulators.scenario import LanePlace, Scenario, SensorPlace, Source
from tests.fusion.spectra.scenes import Device, on_channels, spec
from tests.fusion.test_radiation import SPEC, START_NS, TRUCK

ROOM = Path(fusion.__file__).parent
PRODUCTS = frozenset(
    ("convolve", "correlate", "dot", "einsum", "inner", "matmul", "tensordot", "vdot", "linalg")
)
TRANSCENDENTAL = frozenset(
    (
        *("arctan2", "cbrt", "cos", "exp", "exp2", "expm1", "geomspace", "hypot", "log", "log10"),
        *("log1p", "log2", "logspace", "power", "sin", "tan", "tanh"),
    )
)
REASONS = {
    "radiation_profile.py": "of 8 numbers, and what is told of it is rounded to a thousandth",
    "radiation_windows.py": "of 3 windows, and what is told of it is rounded to a thousandth",
    "spectra/assess.py": "rates of detectors, which choose a window of slices by its excess",
    "spectra/detector.py": "chooses one of few resolutions",
}
"""Files in which products are added up by BLAS, and why that may be."""


def sources():
    return sorted(ROOM.rglob("*.py"))


def products(tree):
    """Lines with a matrix product, or with a NumPy function that makes one."""
    for node in ast.walk(tree):
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if product or (isinstance(node, ast.Attribute) and node.attr in PRODUCTS):
            yield node.lineno


def test_no_product_is_added_up_by_blas_without_a_reason():
    found = {
        path.relative_to(ROOM).as_posix()
        for path in sources()
        if any(products(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == set(REASONS), f"BLAS adds in another order on another processor: {found}"


def unsteady(tree):
    """Lines with a NumPy function whose last bits go by the processor, outside of `steady`."""
    settled = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "steady"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "np"
            and node.attr in TRANSCENDENTAL
            and id(node) not in settled
        ):
            yield node.lineno


@pytest.mark.parametrize("name", ["nuisance.py", "templates.py", "unlisted.py", "sharp.py"])
def test_tables_of_the_identification_are_rounded_where_they_are_made(name):
    tree = ast.parse((ROOM / "spectra" / name).read_text(encoding="utf-8"))
    assert not list(unsteady(tree))


def test_rounding_takes_the_last_bits_away():
    values = np.array([1.0, 59.541, 1e-250, 8000.0, 0.0])
    assert np.array_equal(steady(values * (1.0 + 2e-16)), steady(values))
    assert steady(values) == pytest.approx(values, rel=1e-7)


PROGRAM = """
import hashlib
import pickle
import sys
import numpy as np
from fusion.radiation import RadiationDetector, RadiationPolicy
from fusion.spectra.binning import bin_edges
from fusion.spectra.identify import Identifier
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.portal import Portal
from fusion.spectra.stream import spread_templates
from fusion.spectra.templates import template_library
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec

detector = DetectorSpec()
library = template_library(detector, bin_edges(detector))
identifier = Identifier(library, IdentifyPolicy())
random = np.random.default_rng(1)
nature = library.nuisance_shapes.mean(axis=0)
told = [[one.nuclide for one in spread_templates(detector, 29)]]
for k in range(12):
    known = random.poisson(nature * 3e5).astype(float)
    net = library.templates[k * 97].shape * 10 ** (2 + k / 4)
    counts = random.poisson(nature * 3000.0 + net).astype(float)
    told.append(identifier.identify(counts, 2.0, known, 200.0))
    told.append(identifier.identify(counts, 2.0, None, 0.0))
shapes = b"".join(one.shape.tobytes() for one in library.templates)
specs, samples = pickle.loads(sys.stdin.buffer.read())
counting = RadiationDetector(specs[0], RadiationPolicy())
portal = Portal(specs[1], RadiationPolicy(), SpectraPolicy(), IdentifyPolicy())
walked = Portal(specs[1], RadiationPolicy(), SpectraPolicy(), IdentifyPolicy())
for one, series in zip((counting, portal, walked), samples):
    found = [each for sample in series for each in one.feed(sample)]
    assert any(each.final for each in found)
    told.append(found)
# What is told is rounded: the background beneath it is not.
for instrument in (portal._instrument, walked._monitor._instrument):
    told.append((instrument.background_counts.tobytes(), instrument.background_live_s.tobytes()))
with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
    print(hashlib.sha256(shapes + repr(told).encode()).hexdigest())
"""


def counted():
    """Samples of a portal that counts: a clean vehicle, and one with a source of neutrons."""
    source = Source(
        nuclide="Cf-252", activity_mbq=0.17, from_m=11.0, to_m=11.0, neutrons_per_s=20_000.0
    )
    vehicles = (
        replace(TRUCK, at_portal_s=60.0),
        replace(TRUCK, at_portal_s=90.0, sources=(source,)),
    )
    scenario = Scenario(
        name="test",
        seed=1,
        start_utc_ns=START_NS,
        duration_s=120.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="rpm-1", kind="rpm-tsa", lane="nb-01"),),
        vehicles=vehicles,
    )
    simulator = PortalSimulator(scenario, "rpm-1")
    driver = TsaDriver(TsaConfig(id="rpm-1", lane="nb-01", url="tcp://x:1"), Origin.SIMULATOR)
    return [
        sample
        for tick in range(1, 601)
        for sample in driver.feed(simulator.step(200), START_NS + tick * SECOND_NS // 5)
    ]


def marked():
    """Samples of a portal with spectra: more than a minute of vacant lane, and two vehicles."""
    device = Device(1)
    samples = device.vacant(90.0) + device.vehicle() + device.vacant(20.0)
    return samples + device.vehicle(on_channels("Cs-137"), 150.0) + device.vacant(20.0)


def unmarked():
    """Samples of a record without marks: a walk past a source."""
    device = Device(2, slice_s=1.0, detectors=1)
    samples = [device.slice() for _ in range(90)]
    samples += [device.slice([(on_channels("Cs-137"), 150.0)]) for _ in range(8)]
    return samples + [device.slice() for _ in range(60)]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86 has these names")
def test_an_older_processor_makes_the_same_of_all_bit_by_bit():
    # Made here, for what simulates need not be the same everywhere.
    given = pickle.dumps(((SPEC, spec()), (counted(), marked(), unmarked())))
    older = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4", "OPENBLAS_CORETYPE": "Nehalem"}
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env=os.environ | settings,
            cwd=ROOM.parent,
            input=given,
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout
        for settings in ({}, older)
    }
    assert len(digests) == 1
