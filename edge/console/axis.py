"""One vehicle's pass, or one walk past the ground sensors, on one axis of time.

Everything is read from the alert's own files of evidence: what the page draws is what a centre
can open, and nothing that a side is not told gets here.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.miniseed import MiniSeedDecoder, MiniSeedRecord
from drivers.wire.n42_model import Document, Measurement
from drivers.wire.n42_read import read
from edge.protocol.messages import rfc3339
from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS

MOST_POINTS = 1_000
"""Of a trace: least and greatest of each piece, two for each of a page's columns."""
WINDOW_S = 0.5
ROWS = 48
"""Of a spectrogram, up to `MOST_HZ`."""
COLUMNS = 300
MOST_HZ = 60.0
RANGE_DB = 40.0
BEFORE_S = 10.0
"""A clip begins that long before its event, where it had room for it."""
FULL_CLIP_S = 69.0
LEAD_IN_S = RadiationPolicy().lead_in_s

Floats = NDArray[np.float64]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a portal, slice by slice."""

    sensor: str
    kind: str
    """`gamma` or `neutron`."""
    t_s: list[float]
    """Middle of each slice, from the axis' zero on."""
    cps: list[float]
    background_cps: float | None


class Spectrogram(msgspec.Struct, frozen=True, kw_only=True):
    """How loud it is by time and frequency, 0 to 255 for the last 40 dB."""

    rows: int
    """From 0 Hz up."""
    columns: int
    hz_step: float
    begin_s: float
    step_s: float
    levels: bytes
    """rows x columns, row by row."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What one ground sensor felt, raw counts without their mean."""

    sensor: str
    channel: str
    rate_hz: float
    begin_s: float
    step_s: float
    low: list[float]
    high: list[float]
    spectrogram: Spectrogram | None
    footfalls_s: list[float]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place along the vehicle that a sensor speaks of."""

    sensor: str
    kind: str
    position_m: float
    from_m: float
    to_m: float


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    zero: str
    """RFC 3339; where a portal saw it, when the vehicle's front came."""
    speed_m_s: float | None
    """Of the vehicle: metres along it are this times the seconds."""
    series: list[Series]
    traces: list[Trace]
    marks: list[Mark]
    silent: list[str]
    down: list[str]


def axis_of(payload: bytes, file: Callable[[str], bytes]) -> Axis:
    """The axis of an alert. `file`: the bytes of a file of evidence by its digest."""
    alert = msgspec.json.decode(payload)
    onset_ns = _utc_ns(alert["onset"])
    passes: list[Document] = []
    clips: list[list[MiniSeedRecord]] = []
    for one in alert.get("evidence", ()):
        if re.fullmatch(r"pass(-\d+)?\.n42", one["name"]):
            document = read(file(one["sha256"]))
            if isinstance(document, Document):
                passes.append(document)
        elif re.fullmatch(r"clip(-\d+)?\.mseed", one["name"]):
            clips.append(_records(file(one["sha256"])))
    contributions = alert.get("contributions", ())
    fronts = [front for one in passes if (front := _front_ns(one)) is not None]
    zero_ns = min(fronts, default=onset_ns)
    return Axis(
        zero=rfc3339(zero_ns),
        speed_m_s=next(filter(None, map(_speed_m_s, passes)), None),
        series=[each for one in passes for each in _series(one, zero_ns)],
        traces=[each for one in clips for each in _traces(one, zero_ns, contributions)],
        marks=list(_marks(contributions)),
        silent=list(alert.get("silent", ())),
        down=list(alert.get("down", ())),
    )


# --- portals ------------------------------------------------------------------------------


def _slices(document: Document) -> list[Measurement]:
    """The foreground in order of time; what says no time is no slice."""
    found = [
        one
        for one in document.measurements
        if one.class_code == "Foreground" and one.start_utc_ns is not None and 0 < one.real_s < 5.0
    ]
    return sorted(found, key=lambda one: one.start_utc_ns or 0)


def _front_ns(document: Document) -> int | None:
    """When the front broke the beam. A portal that only counts keeps what came before that and
    sends it with the pass (`RadiationPolicy.lead_in_s`); a spectroscopic one does not."""
    slices = [one for one in _slices(document) if one.occupied] or _slices(document)
    if not slices:
        return None
    first = slices[0]
    channels = max((each.counts.size for each in first.spectra), default=1)
    lead_in_s = LEAD_IN_S + first.real_s / 2 if channels == 1 else 0.0
    return (first.start_utc_ns or 0) + round(lead_in_s * SECOND_NS)


def _speed_m_s(document: Document) -> float | None:
    return next((one.speed_m_s for one in _slices(document) if one.speed_m_s), None)


def _series(document: Document, zero_ns: int) -> Iterator[Series]:
    sensor = document.instrument.serial
    slices = _slices(document)
    behind = [one for one in document.measurements if one.class_code == "Background"]
    for kind, counted in (("gamma", _gamma), ("neutron", _neutrons)):
        rates = [(one, found) for one in slices if (found := counted(one)) is not None]
        if not rates:
            continue
        known = [found for one in behind if (found := counted(one)) is not None]
        middles = [
            ((one.start_utc_ns or 0) - zero_ns) / SECOND_NS + one.real_s / 2 for one, _ in rates
        ]
        yield Series(
            sensor=sensor,
            kind=kind,
            t_s=[round(each, 4) for each in middles],
            cps=[round(found, 2) for _, found in rates],
            background_cps=round(known[-1], 2) if known else None,
        )


def _gamma(one: Measurement) -> float | None:
    """Counts per second of all panels together; None where there is none."""
    rates = [each.counts.sum() / each.live_s for each in one.spectra if each.live_s > 0]
    rates += [
        sum(each.counts) / each.live_s
        for each in one.gross
        if each.live_s > 0 and not _is_neutron(each.detector)
    ]
    return float(sum(rates)) if rates else None


def _neutrons(one: Measurement) -> float | None:
    rates = [
        sum(each.counts) / each.live_s
        for each in one.gross
        if each.live_s > 0 and _is_neutron(each.detector)
    ]
    return float(sum(rates)) if rates else None


def _is_neutron(detector: str) -> bool:
    return detector.lower().startswith("neutron")


# --- ground sensors -----------------------------------------------------------------------


def _records(data: bytes) -> list[MiniSeedRecord]:
    try:
        decoder = MiniSeedDecoder()
    except ImportError:  # the extra `seismic` is not installed
        return []
    found = [*decoder.feed(data), *decoder.end()]
    return [one for one in found if isinstance(one, MiniSeedRecord) and one.count]


def _traces(
    records: list[MiniSeedRecord], zero_ns: int, contributions: list[dict[str, Any]]
) -> Iterator[Trace]:
    channels: dict[tuple[str, str], list[MiniSeedRecord]] = {}
    for one in records:
        channels.setdefault((one.station, one.channel), []).append(one)
    for (station, channel), those in channels.items():
        first = min(those, key=lambda one: one.start_utc_ns)
        samples = _joined(those, first)
        sensor, falls_s = _told_of(station, contributions)
        begin_s = (first.start_utc_ns - zero_ns) / SECOND_NS
        long_s = samples.size / first.rate_hz
        event_s = begin_s + (BEFORE_S if BEFORE_S < long_s < FULL_CLIP_S else 0.0)
        step = max(1, -(-samples.size // MOST_POINTS))
        low, high = _envelope(samples, step)
        known = BEFORE_S < long_s < FULL_CLIP_S
        yield Trace(
            sensor=sensor or station,
            channel=channel,
            rate_hz=first.rate_hz,
            begin_s=round(begin_s, 4),
            step_s=step / first.rate_hz,
            low=low,
            high=high,
            spectrogram=_spectrogram(samples, first.rate_hz, begin_s),
            footfalls_s=[round(event_s + each, 3) for each in falls_s] if known else [],
        )


def _joined(records: list[MiniSeedRecord], first: MiniSeedRecord) -> Floats:
    """Samples at their places, NaN in the gaps, without their mean."""
    places = [
        round((one.start_utc_ns - first.start_utc_ns) * first.rate_hz / SECOND_NS)
        for one in records
    ]
    longest = max(place + one.count for place, one in zip(places, records, strict=True))
    samples = np.full(min(longest, 400_000), np.nan)
    for place, one in zip(places, records, strict=True):
        room = max(0, samples.size - place)
        samples[place : place + one.count] = np.asarray(one.values, np.float64)[:room]
    return np.asarray(samples - np.nanmean(samples), np.float64)


def _envelope(samples: Floats, step: int) -> tuple[list[float], list[float]]:
    size = samples.size // step * step
    pieces = np.nan_to_num(samples[:size]).reshape(-1, step)
    return pieces.min(axis=1).round(1).tolist(), pieces.max(axis=1).round(1).tolist()


def _spectrogram(samples: Floats, rate_hz: float, begin_s: float) -> Spectrogram | None:
    window = int(rate_hz * WINDOW_S)
    if samples.size < 2 * window or window < 16:
        return None
    hop = max(1, (samples.size - window) // COLUMNS)
    starts = np.arange(0, samples.size - window + 1, hop)[:COLUMNS]
    pieces = np.nan_to_num(samples)[starts[:, None] + np.arange(window)]
    power = np.abs(np.fft.rfft(pieces * np.hanning(window), axis=1)) ** 2
    hz = np.fft.rfftfreq(window, 1 / rate_hz)
    hz_step = min(MOST_HZ, rate_hz / 2) / ROWS
    rows = np.minimum((hz / hz_step).astype(int), ROWS)
    summed = np.zeros((ROWS + 1, starts.size))
    np.add.at(summed, rows, power.T)
    decibels = 10.0 * np.log10(summed[:ROWS] + 1e-9)
    levels = (decibels - decibels.max()) / RANGE_DB + 1.0
    return Spectrogram(
        rows=ROWS,
        columns=int(starts.size),
        hz_step=hz_step,
        begin_s=round(begin_s + WINDOW_S / 2, 4),
        step_s=hop / rate_hz,
        levels=(levels.clip(0.0, 1.0) * 255).astype(np.uint8).tobytes(),
    )


def _told_of(station: str, contributions: list[dict[str, Any]]) -> tuple[str, list[float]]:
    """The sensor whose station code this is, and its footfalls from the event's start on."""
    for one in contributions:
        source = str(one.get("source", ""))
        code = re.sub("[^A-Z0-9]", "", source.upper())[-5:]
        if code and code == station.upper():
            falls = one.get("facts", {}).get("footfalls_s", ())
            return source, [float(each) for each in falls if isinstance(each, int | float)]
    return "", []


# --- what speaks of the same place --------------------------------------------------------


def _marks(contributions: list[dict[str, Any]]) -> Iterator[Mark]:
    seen: set[tuple[str, str, float]] = set()
    for one in contributions:
        facts = one.get("facts", {})
        position = facts.get("position_m")
        if not isinstance(position, int | float) or "place_m" in facts:
            continue  # of a track: along the sensors, not along a vehicle
        key = (str(one.get("source", "")), str(one.get("kind", "")), float(position))
        if key in seen:
            continue
        seen.add(key)
        half = float(facts.get("width_m") or 0.0) / 2
        yield Mark(
            sensor=key[0],
            kind=key[1],
            position_m=key[2],
            from_m=float(facts.get("from_m", position - half)),
            to_m=float(facts.get("to_m", position + half)),
        )


def _utc_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * SECOND_NS + moment.microsecond * 1000
