"""Frames of an AnyShake Explorer as they came: which belong together, and how fast they come."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from drivers.wire.anyshake import OLD_SAMPLES, AnyShakePacket, layout_of
from drivers.wire.malformed import Malformed
from fusion.types import SECOND_NS


class Heard(NamedTuple):
    """A packet, when its last byte came, and where in the device's own time it begins."""

    packet: AnyShakePacket
    arrived_ns: int
    """Arrival less the time on the wire."""
    time_ns: int
    """By the device's clock, from nowhere in particular."""


def same_form(one: Heard, other: Heard) -> bool:
    """Whether both are of one version and layout."""
    before, after = one.packet, other.packet
    if before.version != after.version or before.counts.shape != after.counts.shape:
        return False
    return before.version != 3 or layout_of(before.config) == layout_of(after.config)


def refused(heard: Heard) -> Malformed:
    """What is told of a frame that fits to no other."""
    return Malformed("time", f"version {heard.packet.version}, {heard.packet.time_ms} ms")


def rate_of_times(waiting: list[Heard]) -> float:
    """Samples per second by the least time between two frames; others have lost some."""
    least_ns = min(after.time_ns - before.time_ns for before, after in pairwise(waiting))
    return OLD_SAMPLES * SECOND_NS / least_ns


def rate_of_arrivals(waiting: list[Heard]) -> float:
    """Samples per second by least squares through the last frame of each burst; 0: unknown."""
    last = {one.arrived_ns: number * OLD_SAMPLES for number, one in enumerate(waiting)}
    if waiting[-2].arrived_ns != waiting[-1].arrived_ns:
        del last[waiting[-1].arrived_ns]  # its burst has just begun
    times = np.array(list(last), np.int64)
    seconds = (times - times[0]) / SECOND_NS
    seconds -= seconds.mean()
    counts = np.array(list(last.values()), float)
    square = float((seconds * seconds).sum())
    return float((seconds * counts).sum()) / square if square else 0.0
