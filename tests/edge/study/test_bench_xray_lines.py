import numpy as np
import pytest

from edge.study.bench_xray_lines import START_NS, frames, reference
from tests.drivers.test_xray_lines import driver, scans


@pytest.fixture
def planes():
    draw = np.random.default_rng(1).integers(1, 65_536, (2, 7, 90))
    return draw.astype(np.uint16)


def test_what_is_played_is_one_whole_scan(planes):
    stream, last = frames(5, *planes)
    reader = driver()
    assert scans(reader.feed(stream, START_NS)) == []
    (scan,) = scans(reader.feed(last, START_NS))
    assert np.array_equal(scan.high, planes[0])
    assert not scan.partial


def test_the_reference_sees_every_line_of_both_energies(planes):
    seen = reference(b"".join(frames(5, *planes)))
    assert len(seen) == 180
    assert np.array_equal(seen[1], planes[1][:, 0])
    stream, last = frames(5, *planes)
    with pytest.raises(RuntimeError):
        reference(stream[:-1] + bytes([stream[-1] ^ 1]) + last)
