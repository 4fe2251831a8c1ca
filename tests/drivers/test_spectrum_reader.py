"""The child process that reads: what it says, and what ends it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from drivers import spectrum_reader
from drivers.spectrum_reader import SpectrumReader, installed, parser_of
from drivers.wire import n42
from tests.drivers.n42_documents import a_pass, both_stopped, portal_of_panels

DATA = Path(__file__).parents[3] / "shared" / "data"
ROOT = Path(__file__).parents[2]
needs_library = pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
REAL = [
    "n42/ba133_source_640s_20100317.n42",
    "n42/background_20100317.n42",
    "nai-generic/VABCD_M001_Cs137.n42",
    "nai-generic/VABCD_M001_Bgnd.n42",
]


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} in ../shared/data")
    return path.read_bytes()


@pytest.fixture(scope="module")
def reader():
    if not installed():
        pytest.skip("sandiaspecutils is not installed")
    reader = SpectrumReader()
    yield reader
    reader.close()


def assert_same(ours, theirs):
    assert len(ours.measurements) == len(theirs.measurements)
    for one, other in zip(ours.measurements, theirs.measurements, strict=True):
        assert one.class_code == other.class_code
        assert one.start_utc_ns == other.start_utc_ns
        assert one.occupied == other.occupied
        assert one.real_s == pytest.approx(other.real_s)
        assert (one.speed_m_s or 0) == pytest.approx(other.speed_m_s or 0)
        assert one.faults == other.faults
        assert _neutrons(one) == _neutrons(other)
        for spectrum, twin in zip(one.spectra, other.spectra, strict=True):
            assert spectrum.detector == twin.detector
            assert spectrum.live_s == pytest.approx(twin.live_s)
            assert np.array_equal(spectrum.counts, twin.counts)
            channels = spectrum.counts.size
            edges, others = spectrum.calibration.edges(channels), twin.calibration.edges(channels)
            assert np.allclose(edges, others, rtol=1e-5, atol=1e-3)


def _neutrons(one):
    return sum(sum(gross.counts) for gross in one.gross if gross.detector in {"N1", "neutron"})


@pytest.mark.parametrize("name", REAL)
def test_library_and_plain_reader_agree_on_real_files(reader, name):
    data = real(name)
    assert_same(reader.read(data), n42.read(data))


@pytest.mark.parametrize("slices", [1, 12])
def test_what_we_write_reads_the_same_with_the_library(reader, slices):
    written = a_pass(slices=slices)
    read = reader.read(n42.write(written))
    assert_same(read, written)
    assert read.measurements[-1].start_utc_ns - read.measurements[1].start_utc_ns == (
        (slices - 1) * 100_000_000
    )
    assert {one.kind for one in read.detectors if one.category == "Gamma"} == {"NaI"}


def test_edges_that_are_no_polynomial_come_through(reader):
    edges = np.linspace(2, 1500, 65, dtype=np.float32) ** 1.3
    spectrum = n42.Spectrum(
        detector="D1",
        live_s=1.0,
        counts=np.arange(64, dtype=np.uint32),
        calibration=n42.Calibration(edges_kev=edges),
    )
    one = n42.Measurement(
        class_code="Foreground", start_utc_ns=10**18, real_s=1.0, spectra=(spectrum,)
    )
    document = n42.Document(instrument=n42.Instrument(), detectors=(), measurements=(one,))
    assert_same(reader.read(n42.write(document)), document)


def test_documents_without_spectra_are_read_all_the_same(reader):
    read = reader.read(n42.write(portal_of_panels(3)))
    assert [len(one.gross) for one in read.measurements] == [4, 4, 4]


def test_local_times_become_utc(reader):
    data = n42.write(a_pass(slices=1)).replace(b"Z</StartDateTime>", b"-06:00</StartDateTime>")
    early = n42.read(n42.write(a_pass(slices=1))).measurements[0].start_utc_ns
    assert reader.read(data).measurements[0].start_utc_ns == early + 6 * 3600 * 10**9


def test_sums_that_the_device_has_made_are_no_measurements(reader):
    written = a_pass(slices=2)
    data = n42.write(written)
    begin = data.rindex(b"<RadMeasurement ")
    last = data[begin : data.index(b"</RadMeasurement>", begin)]
    last = last[: last.index(b"<RadItemState")]  # which sums have none of
    derived = (
        last.replace(b"<RadMeasurement ", b"<DerivedData ")
        .replace(b'"Sample', b'"Derived')
        .replace(b'"Spectrum', b'"Sum')
        .replace(b'"Gross', b'"Total')
    )
    data = data.replace(b"<AnalysisResults", derived + b"</DerivedData><AnalysisResults", 1)
    assert_same(reader.read(data), written)
    assert_same(n42.read(data), written)


def test_a_raddata_uri_is_read(reader):
    read = reader.read(real("nai-2x4x16/Cs137_Shielded.txt"))
    (spectrum,) = read.measurements[0].spectra
    assert spectrum.counts.shape == (1024,)
    assert spectrum.live_s == 1800.0


@pytest.mark.parametrize(
    ("data", "suffix", "reason"),
    [
        (b"<!DOCTYPE a><RadInstrumentData/>", "", "has-dtd"),
        (b"no xml", "", "not-xml"),
        (b"no pcf", ".pcf", "unreadable"),
        (b"RADDATA://G0/nothing", "", "unreadable"),
    ],
)
def test_what_cannot_be_read_is_told(reader, data, suffix, reason):
    assert reader.read(data, suffix).reason == reason


def test_a_file_that_is_too_large_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "MAX_DOCUMENT_BYTES", 10)
    assert SpectrumReader().read(b"<" * 11).reason == "too-large"


def test_without_the_library_n42_is_read_and_the_rest_says_what_it_needs():
    reader = SpectrumReader(use_library=False)
    written = a_pass()
    assert_same(reader.read(n42.write(written)), written)
    told = reader.read(b"x", ".PCF")
    assert told.reason == "needs-library"
    assert "sandiaspecutils" in told.text
    assert reader.child_pids == []


def test_the_parser_is_told_by_the_beginning_and_the_name():
    assert parser_of(b"RADDATA://G0/", ".txt") == "Uri"
    assert parser_of(b"", ".CHN") == "Chn"
    assert parser_of(b"<?xml", ".n42") == ""


@needs_library
def test_a_crash_costs_one_file():
    reader = SpectrumReader()
    try:
        data = n42.write(a_pass())
        assert isinstance(reader.read(data), n42.Document)
        os.kill(*reader.child_pids, signal.SIGKILL)
        assert reader.read(data).reason == "reader-ended"
        assert isinstance(reader.read(data), n42.Document)
    finally:
        reader.close()


@needs_library
def test_a_file_on_which_the_child_hangs_ends_it(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "PATIENCE", 0.3)
    reader = SpectrumReader(least_s=1.0)
    try:
        data = n42.write(a_pass())
        reader.read(data)
        (stopped,) = reader.child_pids
        os.kill(stopped, signal.SIGSTOP)
        began = time.monotonic()
        assert reader.read(data).reason == "reader-ended"
        assert time.monotonic() - began < 10
        assert not Path(f"/proc/{stopped}").exists()
        monkeypatch.undo()
        assert isinstance(reader.read(data), n42.Document)
    finally:
        reader.close()


@needs_library
def test_a_small_file_that_keeps_the_child_busy_soon_ends_it(monkeypatch):
    reader = SpectrumReader(least_s=0.05)
    try:
        data = n42.write(a_pass(slices=400, channels=1024))
        monkeypatch.setattr(spectrum_reader, "SECONDS_PER_BYTE", 0.0)
        monkeypatch.setattr(spectrum_reader, "SECONDS_PER_SPECTRUM", 0.0)
        assert isinstance(reader.read(n42.write(a_pass(slices=1))), n42.Document)  # a cold start
        began = time.monotonic()
        assert reader.read(data).reason == "reader-ended"
        assert time.monotonic() - began < spectrum_reader.LEAST_S + 5.0  # as a busy machine has it
    finally:
        reader.close()


@needs_library
def test_the_most_memory_is_of_all_children():
    reader = SpectrumReader()
    assert reader.child_peak_mb == 0
    reader.read(n42.write(a_pass()))
    most = reader.child_peak_mb
    assert most > 10
    os.kill(*reader.child_pids, signal.SIGKILL)
    reader.read(n42.write(a_pass()))
    assert reader.child_pids == []
    assert reader.child_peak_mb > 10
    reader.read(b"no pcf", ".pcf")
    reader.close()
    assert reader.child_peak_mb >= most / 2


@needs_library
def test_several_threads_may_read():
    reader = SpectrumReader()
    read = {}

    def work(number):
        document = reader.read(n42.write(a_pass(slices=number, channels=16)))
        read[number] = len(document.measurements)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.close()
    assert read == {number: number + 1 for number in range(1, 9)}


@needs_library
def test_a_document_that_holds_up_its_child_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "PATIENCE", 60.0)
    reader = SpectrumReader()
    data = n42.write(a_pass(slices=2, channels=16))
    read = []
    try:
        assert isinstance(reader.read(data), n42.Document)
        (stuck,) = reader.child_pids
        os.kill(stuck, signal.SIGSTOP)
        other = threading.Thread(target=lambda: read.append(reader.read(data)))
        other.start()
        wait_until(lambda: reader._idle == reader._children[:1])
        for _ in range(5):
            assert isinstance(reader.read(data), n42.Document)
        assert len(reader.child_pids) == 2
        assert other.is_alive()
        os.kill(stuck, signal.SIGKILL)
        other.join(10)
        assert [one.reason for one in read] == ["reader-ended"]
    finally:
        reader.close()
    assert reader.child_pids == []


@needs_library
def test_two_documents_that_hold_up_both_children_hold_up_no_third(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "PATIENCE", 60.0)
    reader = SpectrumReader()
    written = a_pass(slices=2, channels=16)
    data, stuck = n42.write(written), []
    try:
        with both_stopped(reader):
            for _ in range(2):
                stuck.append(threading.Thread(target=reader.read, args=(data,)))
                stuck[-1].start()
            wait_until(lambda: not reader._idle)
            for _ in range(3):
                began = time.monotonic()
                assert_same(reader.read(data), written)
                assert reader.read(b"x", ".pcf").reason == "reader-busy"
                assert time.monotonic() - began < 2 * spectrum_reader.WAIT_S + 5.0
            assert not reader._waiting
            assert all(thread.is_alive() for thread in stuck)
        for thread in stuck:
            thread.join(10)
        assert reader._idle
        assert isinstance(reader.read(data), n42.Document)
        assert reader.read(b"x", ".pcf").reason == "unreadable"
    finally:
        reader.close()


@needs_library
def test_what_is_too_large_for_our_own_reader_is_not_read_while_all_are_busy(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "MOST_BYTES_WITHOUT", 100)
    monkeypatch.setattr(spectrum_reader, "WAIT_S", 0.01)
    reader = SpectrumReader(children=1)
    with reader._lent():
        assert reader.read(n42.write(a_pass(slices=1))).reason == "reader-busy"
    reader.close()


def wait_until(what):
    for _ in range(2000):
        if what():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to it")


def test_children_are_lent_in_the_order_of_asking(monkeypatch):
    monkeypatch.setattr(spectrum_reader, "WAIT_S", 30.0)
    reader = SpectrumReader(children=1)
    served = []

    def ask(name):
        with reader._lent():
            served.append(name)

    threads = []
    with reader._lent():
        for name in "abcde":
            threads.append(threading.Thread(target=ask, args=(name,)))
            threads[-1].start()
            wait_until(lambda: len(reader._waiting) == len(threads))
    for thread in threads:
        thread.join(10)
    assert served == [*"abcde"]
    assert reader._idle == reader._children


@needs_library
def test_a_child_that_reads_while_all_are_ended_ends_afterwards():
    reader = SpectrumReader()
    reader.read(n42.write(a_pass(slices=1)))
    with reader._lent():
        reader.close()
        assert len(reader.child_pids) == 1
    assert reader.child_pids == []


@needs_library
def test_the_child_ends_with_its_parent_however_that_ends():
    code = (
        "import os, signal, sys\n"
        "sys.path[:0] = [sys.argv[1]]\n"
        "from drivers.spectrum_reader import shared_reader\n"
        "shared_reader().read(b'x', '.pcf')\n"
        "print(*shared_reader().child_pids, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], capture_output=True, check=False, text=True
    )
    assert ended.returncode == -signal.SIGKILL
    child = Path(f"/proc/{int(ended.stdout)}")
    for _ in range(500):
        if not child.exists() or "(zombie)" in (child / "status").read_text():
            return
        time.sleep(0.01)
    raise AssertionError("the child has outlived its parent")


def test_closing_twice_is_no_mistake_and_the_next_file_is_read():
    reader = SpectrumReader()
    reader.close()
    reader.close()
    read = reader.read(n42.write(a_pass()))
    reader.close()
    assert isinstance(read, n42.Document)
