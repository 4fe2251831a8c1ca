"""How fast the frames of an AnyShake Explorer come, and which belong together."""

import numpy as np
import pytest

from drivers.seismic_anyshake_heard import Heard, rate_of_arrivals, rate_of_times, same_form
from drivers.wire.anyshake import AnyShakePacket
from fusion.types import SECOND_NS


def heard(number, *, rate_hz=100, burst_ns=1, version=2):
    packet = AnyShakePacket(version=version, counts=np.zeros((3, 5), np.int32))
    time_ns = round(number * 5 * SECOND_NS / rate_hz)
    return Heard(packet, -(-time_ns // burst_ns) * burst_ns, time_ns)


@pytest.mark.parametrize("rate_hz", [50, 100, 200, 250])
def test_the_least_step_tells_the_rate_whatever_was_lost(rate_hz):
    frames = [heard(number, rate_hz=rate_hz) for number in range(30) if number % 4]
    assert rate_of_times(frames) == pytest.approx(rate_hz)


@pytest.mark.parametrize("burst_ms", [1, 16, 100])
def test_arrivals_in_bursts_tell_the_rate(burst_ms):
    frames = [heard(number, rate_hz=250, burst_ns=burst_ms * 1_000_000) for number in range(400)]
    assert rate_of_arrivals(frames) == pytest.approx(250, rel=0.01)


def test_arrivals_that_came_at_once_tell_nothing():
    assert rate_of_arrivals([heard(0), heard(0), heard(0)]) == 0.0


def test_frames_of_two_versions_do_not_belong_together():
    assert same_form(heard(0), heard(1))
    assert not same_form(heard(0), heard(1, version=1))
