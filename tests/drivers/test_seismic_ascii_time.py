"""What a column of times means."""

import numpy as np
import pytest

from drivers.seismic_ascii_time import understand


@pytest.mark.parametrize("rate_hz", [100, 250, 333, 495, 526, 700, 750])
def test_whole_milliseconds_tell_the_rate(rate_hz):
    column = understand(np.round(np.arange(256) * 1000 / rate_hz), None)
    assert column is not None
    assert (column.rate_hz, column.steady, column.unit_ns) == (rate_hz, True, 1e6)


@pytest.mark.parametrize("packet", [50, 125, 500])
def test_times_of_packets_tell_the_rate_and_no_more(packet):
    column = understand(np.arange(19_800) // packet * packet / 495, None)
    assert column is not None
    assert (column.rate_hz, column.steady) == (495, False)


def test_a_gap_does_not_change_the_rate():
    times = np.arange(3000) / 250
    times[1800:] += 7.0
    column = understand(times, None)
    assert column is not None
    assert (column.rate_hz, column.steady) == (250, True)


@pytest.mark.parametrize("times", [[1.0], [5.0] * 40, np.arange(40)[::-1]])
def test_what_does_not_run_on_is_no_time(times):
    assert understand(np.array(times, float), 250) is None
