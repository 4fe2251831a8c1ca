"""Replay's way into recorded spectrum files."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drivers.n42_files import N42File
from drivers.n42_samples import CONTINUED
from drivers.radiation_n42 import N42Config, N42Driver
from drivers.spectrum_reader import installed
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_frames import FrameDecoder, encode
from fusion.types import OccupancySample, Origin, SpectrumSample
from tests.drivers.n42_documents import START_UTC_NS, STEP_NS, a_pass

DATA = Path(__file__).parents[3] / "shared" / "data"


def driver():
    return N42Driver(N42Config(id="srpm-1", lane="nb-01", url="folder:."), Origin.REPLAY)


def replayed(data, name="pass.n42"):
    to = driver()
    return [one for at, frame in N42File().chunks(data, name) for one in to.feed(frame, at)]


@pytest.mark.parametrize(
    ("name", "head", "known"),
    [
        ("a.n42", n42.write(a_pass(slices=1))[:4096], True),
        ("a.bin", encode(n42.write(a_pass(slices=1)))[:4096], True),
        ("a", b'<?xml version="1.0"?>\n<x:N42InstrumentData xmlns:x="y">', True),
        ("a", '<?xml version="1.0" encoding="UTF-16"?><RadInstrumentData>'.encode("utf-16"), True),
        ("a.txt", b"RADDATA://G0/1000/abc", True),
        ("a.PCF", b"\x01\x00", True),
        ("a.xml", b"<scan/>", False),
        ("a.csv", b"GB,000257,000257,000251,000267\r\n", False),
        ("a.n42", b"", False),
    ],
)
def test_files_are_known_by_their_beginning_or_their_name(name, head, known):
    assert N42File().recognise(name, head) is known


@pytest.mark.parametrize("name", ["ba133_source_640s_20100317.n42", "background_20100317.n42"])
def test_the_real_portals_files_are_replayed(name):
    path = DATA / "n42" / name
    if not path.exists():
        pytest.skip(f"no {name} in ../shared/data")
    assert N42File().recognise(name, path.read_bytes()[:4096])
    opened, spectra, closed = replayed(path.read_bytes(), name)
    assert isinstance(opened, OccupancySample)
    assert isinstance(spectra, SpectrumSample)
    assert (closed.opened, closed.counter) == (False, opened.counter)
    assert spectra.counts.shape == (8, 16_384)
    assert spectra.edges_kev.shape == (8, 16_385)
    assert spectra.detector_type == "HPGe"


def test_a_record_comes_second_by_second_and_is_the_same():
    written = a_pass(slices=25)
    data = n42.write(written)
    chunks = list(N42File().chunks(data, "pass.n42"))
    assert [at for at, _ in chunks] == [START_UTC_NS + n * STEP_NS for n in (10, 20, 25)]
    pieces = [n42.read(one) for _, frame in chunks for one in FrameDecoder().feed(frame)]
    assert [CONTINUED in piece.remarks for piece in pieces] == [True, True, False]
    whole = driver().feed(encode(data), START_UTC_NS + 25 * STEP_NS)
    told = replayed(data)
    spectra, others = (
        [one for one in found if isinstance(one, SpectrumSample)] for found in (told, whole)
    )
    assert len(spectra) == len(others) == 26
    for one, other in zip(spectra, others, strict=True):
        assert np.array_equal(one.counts, other.counts)
        assert np.array_equal(one.edges_kev, other.edges_kev)
        assert (one.start_utc_ns, one.live_s, one.neutron_counts, one.occupied) == (
            other.start_utc_ns,
            other.live_s,
            other.neutron_counts,
            other.occupied,
        )
    assert [one.opened for one in told if isinstance(one, OccupancySample)] == [True, False]


def test_a_capture_of_pushed_documents_is_replayed():
    capture = b"".join(
        encode(n42.write(replace(a_pass(), measurements=(one,))))
        for one in a_pass(slices=3).measurements[1:]
    )
    spectra = [one for one in replayed(capture) if isinstance(one, SpectrumSample)]
    assert [one.start_utc_ns for one in spectra] == [START_UTC_NS + n * STEP_NS for n in range(3)]


def test_a_file_without_a_time_begins_at_none():
    one = replace(a_pass(slices=1).measurements[1], start_utc_ns=None)
    data = n42.write(replace(a_pass(), measurements=(one,)))
    data = re.sub(b"<StartDateTime>.*?</StartDateTime>", b"", data)
    assert [at for at, _ in N42File().chunks(data)] == [0]
    (spectra,) = [one for one in replayed(data) if isinstance(one, SpectrumSample)]
    assert spectra.start_utc_ns == 0


def test_a_uri_is_replayed():
    path = DATA / "nai-2x4x16" / "Cs137_Unshielded.txt"
    if not installed() or not path.exists():
        pytest.skip("needs sandiaspecutils and ../shared/data")
    (spectra,) = replayed(path.read_bytes(), path.name)
    assert spectra.counts.shape == (1, 1024)
    assert spectra.edges_kev[0, 1] == pytest.approx(3.0, rel=0.2)


@pytest.mark.parametrize("data", [b"", b"<N42InstrumentData>", b"\x02\x03", b"RADDATA://x"])
def test_what_cannot_be_read_is_told_by_the_driver(data):
    assert all(isinstance(one, Malformed) for one in replayed(data))
