"""Sensors that are dead, stuck or half a second off, from the samples of a day that was well."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from edge.study.tapes import Spoil
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Sample,
    ScanFinding,
    WaveformSample,
)

SKEW_NS = SECOND_NS // 2
DEAD, STUCK, SKEWED = "dead", "stuck", "0.5 s off"


def dead(sensor_id: str, from_utc_ns: int) -> Spoil:
    """Nothing comes of it any more."""

    def spoilt(utc_ns: int, sample: Sample) -> Iterable[Sample]:
        gone = sample.sensor_id == sensor_id and utc_ns >= from_utc_ns
        return () if gone else (sample,)

    return spoilt


def skewed(sensor_id: str, from_utc_ns: int) -> Spoil:
    """Its clock is half a second late."""

    def spoilt(utc_ns: int, sample: Sample) -> Iterable[Sample]:
        if sample.sensor_id != sensor_id or utc_ns < from_utc_ns:
            return (sample,)
        return (replace(sample, start_utc_ns=sample.start_utc_ns + SKEW_NS),)

    return spoilt


def stuck(sensor_id: str, from_utc_ns: int) -> Spoil:
    """It goes on sending what it measured last; a portal's beam still tells who is there."""
    last: dict[str, Sample] = {}

    def spoilt(utc_ns: int, sample: Sample) -> Iterable[Sample]:
        if sample.sensor_id != sensor_id or isinstance(sample, OccupancySample):
            return (sample,)
        name = _channel(sample)
        if utc_ns < from_utc_ns or name not in last:
            last[name] = sample
            return (sample,)
        return (_again(sample, last[name]),)

    return spoilt


SPOILS = {DEAD: dead, STUCK: stuck, SKEWED: skewed}


def _channel(sample: Sample) -> str:
    """What is measured: portals have four, a ground sensor one for each axis."""
    detail = ""
    if isinstance(sample, CountSample | BackgroundSample):
        detail = sample.radiation
    elif isinstance(sample, WaveformSample):
        detail = sample.channel
    return f"{type(sample).__name__}/{detail}"


def _again(sample: Sample, last: Sample) -> Sample:
    if isinstance(sample, CountSample) and isinstance(last, CountSample):
        return replace(sample, counts=last.counts)
    if isinstance(sample, BackgroundSample) and isinstance(last, BackgroundSample):
        return replace(sample, rate_cps=last.rate_cps)
    if isinstance(sample, WaveformSample) and isinstance(last, WaveformSample):
        return replace(sample, counts=np.full_like(sample.counts, last.counts[-1]))
    if isinstance(sample, ScanFinding) and isinstance(last, ScanFinding):
        return replace(last, start_utc_ns=sample.start_utc_ns, scan_id=sample.scan_id)
    return sample
