"""N42 documents: written as evidence, read as a portal pushes them, and a whole record at once."""

import importlib
import importlib.util
import io
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.radiation_n42 import N42Config, N42Driver
from drivers.spectrum_reader import shared_reader
from drivers.wire import n42, n42_frames
from drivers.wire.malformed import Malformed
from edge.study import bench_evidence
from edge.study.bench_stages import START_UTC_NS, in_turn
from edge.study.figures import Figure, Options, at_most, plain
from fusion.types import Origin, SpectrumSample

LIBRARY = "SpecUtils"
DOCUMENTS = 50  # pushed ones, after one that starts the child
SLICE_NS = 100_000_000
RECORD = {"slices": 133, "detectors": 8, "channels": 16_384}


def run(options: Options) -> list[Figure]:
    """Writing against the library's own writer in the same run; reading in processor time."""
    options.say("n42: writing a pass of 200 spectra")
    figures = write()
    options.say(f"n42: reading {DOCUMENTS} pushed documents")
    figures += push()
    options.say("n42: a record of 8 x 16,384 channels x 133 slices")
    figures += record()
    options.say("n42: the evidence of such a pass")
    return figures + bench_evidence.wide()


def a_pass(*, slices: int, detectors: int, channels: int, cps: float) -> n42.Document:
    """What a spectroscopic portal says of a vehicle; `cps` of each detector."""
    random = np.random.default_rng(1)
    names = [f"D{number}" for number in range(1, detectors + 1)]
    energy = np.linspace(0.0, 3000.0, channels)
    shape = np.exp(-energy / 250.0) * (energy > 25.0)
    mean = 0.1 * cps * shape / shape.sum()
    calibration = n42.Calibration(coefficients=(0.0, 3000.0 / channels, 0.0))
    counts = random.poisson(mean, (slices, detectors, channels)).astype(np.uint32)
    measurements = [
        n42.Measurement(
            class_code="Foreground",
            start_utc_ns=START_UTC_NS + number * SLICE_NS,
            real_s=0.1,
            spectra=tuple(
                n42.Spectrum(detector=name, live_s=0.0995, counts=one, calibration=calibration)
                for name, one in zip(names, counts[number], strict=True)
            ),
            gross=(n42.Gross(detector="N1", live_s=0.1, counts=(float(random.poisson(0.4)),)),),
            occupied=True,
            speed_m_s=2.2,
        )
        for number in range(slices)
    ]
    return n42.Document(
        instrument=n42.Instrument(class_code="Spectroscopic Portal Monitor"),
        detectors=(
            *(n42.Detector(name=name, kind="NaI") for name in names),
            n42.Detector(name="N1", kind="He3", category="Neutron"),
        ),
        measurements=tuple(measurements),
    )


def write() -> list[Figure]:
    """50 slices of 4 detectors of 1,024 channels and their neutrons, as bytes."""
    document = a_pass(slices=50, detectors=4, channels=1024, cps=2000.0)
    if importlib.util.find_spec(LIBRARY) is None:
        ours_s, _ = in_turn(lambda: n42.write(document), lambda: None)
        how = "200 spectra of 1,024 channels; sandiaspecutils is not installed to compare with"
        return [at_most("n42.write", ours_s * 1e3, 15, "ms", how)]
    ours_s, library_s = in_turn(lambda: n42.write(document), lambda: by_library(document))
    how = f"200 spectra of 1,024 channels, {len(n42.write(document)):,} bytes"
    built = "sandiaspecutils: the same spectra built and written, in turn with ours"
    return [
        at_most("n42.write", ours_s * 1e3, 15, "ms", how),
        plain("n42.write.library", library_s * 1e3, "ms", built),
        plain("n42.write.ratio", library_s / ours_s, "x", built),
    ]


def by_library(document: n42.Document) -> bytes:
    """The reference: sandiaspecutils writes the document's measurements."""
    library: Any = importlib.import_module(LIBRARY)
    file = library.SpecFile()
    for number, one in enumerate(document.measurements, start=1):
        start = datetime.fromtimestamp((one.start_utc_ns or 0) / 1e9, UTC).replace(tzinfo=None)
        for index, spectrum in enumerate(one.spectra):
            made = library.Measurement.new()
            made.setGammaCounts(spectrum.counts.tolist(), spectrum.live_s, one.real_s)
            made.setDetectorName(spectrum.detector)
            made.setSampleNumber(number)
            made.setStartTime(start)
            made.setSourceType(library.SourceType.Foreground)
            made.setOccupancyStatus(library.OccupancyStatus.Occupied)
            made.setEnergyCalibration(
                library.EnergyCalibration.fromPolynomial(
                    spectrum.counts.size, list(spectrum.calibration.coefficients)
                )
            )
            if index == 0:
                made.setNeutronCounts([one.gross[0].counts[0]], one.real_s)
            file.addMeasurement(made, False)
    file.cleanupAfterLoad(False, False, False)
    written = io.BytesIO()
    file.write2012N42Xml(written)
    return written.getvalue()


def push() -> list[Figure]:
    """Documents of ten slices, 8 detectors of 1,024 channels: parent and child together."""
    data = n42_frames.encode(n42.write(a_pass(slices=10, detectors=8, channels=1024, cps=1000.0)))
    driver = _driver()
    driver.feed(data, 0)
    clocks = [time.CLOCK_PROCESS_CPUTIME_ID]
    # Linux: the clock of a process's whole processor time
    clocks += [~child << 3 | 2 for child in shared_reader().child_pids]
    before = sum(map(time.clock_gettime, clocks))
    for _ in range(DOCUMENTS):
        driver.feed(data, 0)
    used_s = sum(map(time.clock_gettime, clocks)) - before
    how = (
        f"80 spectra of 1,024 channels, {len(data):,} bytes, bytes to samples; mean of {DOCUMENTS}"
    )
    return [at_most("n42.push", used_s / DOCUMENTS * 1e3, 25, "ms", how)]


def record() -> list[Figure]:
    """A record of a spectroscopic portal with germanium, as one file."""
    document = a_pass(**RECORD, cps=2000.0)
    data = n42_frames.encode(n42.write(document))
    expected = _sum(s.counts for one in document.measurements for s in one.spectra)
    del document
    began = time.perf_counter()
    read = _driver().feed(data, 0)
    took_s = time.perf_counter() - began
    counts = _sum(one.counts for one in read if isinstance(one, SpectrumSample))
    lost = abs(expected - counts) + sum(isinstance(one, Malformed) for one in read)
    how = f"8 x 16,384 channels x 133 slices, {len(data):,} bytes, bytes to samples"
    return [
        at_most("n42.record", took_s, 10, "s", how),
        at_most("n42.record.lost", lost, 0, "", "counts that did not come through"),
        plain("n42.record.child", shared_reader().child_peak_mb, "MB", "the child's most"),
    ]


def _sum(arrays: Iterable[NDArray[Any]]) -> int:
    return sum(int(one.sum(dtype=np.int64)) for one in arrays)


def _driver() -> N42Driver:
    config = N42Config(id="srpm-1", lane="lane-1", url="tcp://127.0.0.1:1")
    return N42Driver(config, Origin.SIMULATOR)
