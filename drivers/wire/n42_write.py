"""Writes N42-2012 documents: valid against the schema, the same bytes for the same content.

The schema is NIST's n42.xsd, namespace 2011; its elements come in a fixed order.
"""

import hashlib
import math
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drivers.wire.n42_model import Detector, Document, Gross, Measurement, Spectrum
from drivers.wire.n42_parts import (
    CREATOR,
    analysis_lines,
    detector_lines,
    fault_line,
    instrument_lines,
)
from drivers.wire.n42_text import channel_data, decimal, duration, tag, time_text

NAMESPACE = "http://physics.nist.gov/N42/2011/N42"
CLASS_CODES = frozenset(
    ["Foreground", "Background", "Calibration", "IntrinsicActivity", "NotSpecified"]
)
SHORTEST_S = 1e-9  # the schema wants real times above zero
# The schema forbids edges below 0 keV; so they keep their order.
FLOOR_STEP_KEV = np.float32(1e-6)
OCCUPIED = "<OccupancyIndicator>true</OccupancyIndicator>\n"
VACANT = "<OccupancyIndicator>false</OccupancyIndicator>\n"
_PLAIN_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


def write(document: Document) -> bytes:
    """The document as UTF-8 XML.

    The UUID derives from the content, and there is no time but the measurements' own, so the
    same document is the same bytes. Codes that the schema does not know become `Other` or
    `NotSpecified`, a name without a detector gets one of kind `Other`.
    """
    names = _Names(document)
    cards = names.cards
    body = [tag("Remark", remark) for remark in document.remarks]
    body.append(tag("RadInstrumentDataCreatorName", CREATOR))
    body += instrument_lines(document.instrument)
    for detector in cards:
        body += detector_lines(detector, names.ids[detector.name])
    if document.item or any(one.speed_m_s is not None for one in document.measurements):
        body.append('<RadItemInformation id="item">')
        body += [tag("RadItemDescription", document.item)] if document.item else []
        body.append("</RadItemInformation>\n")
    texts = channel_data([s.counts for one in document.measurements for s in one.spectra])
    calibrations = _Calibrations()
    measured: list[str] = []
    at = 0
    for number, one in enumerate(document.measurements, start=1):
        piece = texts[at : at + len(one.spectra)]
        measured += _measurement(one, number, piece, names, calibrations)
        at += len(one.spectra)
    body += calibrations.lines + measured
    for number, analysis in enumerate(document.analyses, start=1):
        body += analysis_lines(analysis, number, names.ids, len(document.measurements))
    content = "".join(body).encode()
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<RadInstrumentData xmlns="',
            NAMESPACE.encode(),
            b'" n42DocUUID="',
            _uuid(content).encode(),
            b'"',
            _dated(document),
            b">\n",
            content,
            b"</RadInstrumentData>\n",
        )
    )


class _Names:
    """Detectors' names as XML ids. Readers know a detector by its id, so it stays the name."""

    def __init__(self, document: Document) -> None:
        known = {detector.name: detector for detector in document.detectors}
        for one in document.measurements:
            for spectrum in one.spectra:
                if spectrum.detector not in known:
                    known[spectrum.detector] = Detector(name=spectrum.detector)
            for gross in one.gross:
                if gross.detector not in known:
                    known[gross.detector] = Detector(name=gross.detector)
        if not known:  # the schema wants one
            known["none"] = Detector(name="none", category="Other")
        self.cards = list(known.values())
        self.ids: dict[str, str] = {}
        # Ids are unique in a document; ours end in a digit or are reserved words.
        taken = {"instrument", "item"}
        for number, name in enumerate(known, start=1):
            plain = _PLAIN_ID.fullmatch(name) and not _ours(name) and name not in taken
            ident = name if plain else f"detector-{number}"
            taken.add(ident)
            self.ids[name] = ident


def _ours(name: str) -> bool:
    return re.fullmatch(r"(detector-|Sample|Spectrum|Gross|cal-|analysis-).*", name) is not None


@dataclass(slots=True)
class _Calibrations:
    """Every distinct one once."""

    lines: list[str] = field(default_factory=list)
    _ids: dict[object, str] = field(default_factory=dict)
    _seen: dict[int, str] = field(default_factory=dict)
    """By identity: comparing edges for each spectrum would cost more than writing it."""
    _references: dict[tuple[str, int], str] = field(default_factory=dict)

    def references(self, spectrum: Spectrum, names: _Names) -> str:
        """The attributes that name a spectrum's detector and calibration."""
        key = spectrum.detector, id(spectrum.calibration)
        known = self._references.get(key)
        if known is None:
            known = self._references[key] = (
                f' radDetectorInformationReference="{names.ids[spectrum.detector]}"'
                f' energyCalibrationReference="{self.ident(spectrum)}"'
            )
        return known

    def ident(self, spectrum: Spectrum) -> str:
        calibration = spectrum.calibration
        if (known := self._seen.get(id(calibration))) is not None:
            return known
        edges = calibration.edges_kev
        if edges is None and any(calibration.coefficients[3:]):
            # The schema has room for three, so the edges must be told one by one.
            edges = calibration.edges(spectrum.counts.size)
        key = calibration.coefficients if edges is None else edges.tobytes()
        ident = self._ids.get(key)
        if ident is None:
            ident = self._ids[key] = f"cal-{len(self._ids) + 1}"
            self.lines.append(_calibration(calibration.coefficients, edges, ident))
        self._seen[id(calibration)] = ident
        return ident


def _calibration(
    coefficients: tuple[float, ...], edges_kev: NDArray[np.float32] | None, ident: str
) -> str:
    if edges_kev is None or not edges_kev.size:
        # None known: zeroes, which readers take as no calibration.
        three = (*(() if edges_kev is not None else coefficients[:3]), 0.0, 0.0, 0.0)[:3]
        what = tag("CoefficientValues", " ".join(map(decimal, three)))
    else:
        floor = np.arange(edges_kev.size, dtype=np.float32) * FLOOR_STEP_KEV
        # The shortest text of a float32 reads back as the same float32.
        shortest = (
            np.format_float_positional(edge, unique=True, trim="-")
            for edge in np.maximum(edges_kev, floor)
        )
        what = tag("EnergyBoundaryValues", " ".join(shortest))
    return f'<EnergyCalibration id="{ident}">{what.rstrip()}</EnergyCalibration>\n'


def _measurement(
    one: Measurement, number: int, texts: list[str], names: _Names, calibrations: _Calibrations
) -> list[str]:
    code = one.class_code if one.class_code in CLASS_CODES else "NotSpecified"
    start = time_text(one.start_utc_ns or 0)
    real_s = max(one.real_s, SHORTEST_S) if math.isfinite(one.real_s) else SHORTEST_S
    parts = [f'<RadMeasurement id="Sample{number}">\n']
    parts += [tag("Remark", remark) for remark in one.remarks]
    parts.append(
        f"<MeasurementClassCode>{code}</MeasurementClassCode>"
        f"<StartDateTime>{start}</StartDateTime>"
        f"<RealTimeDuration>{duration(real_s)}</RealTimeDuration>\n"
    )
    for index, (spectrum, text) in enumerate(zip(one.spectra, texts, strict=True), start=1):
        parts.append(
            f'<Spectrum id="Spectrum{number}-{index}"{calibrations.references(spectrum, names)}>'
            f"<LiveTimeDuration>{duration(spectrum.live_s)}</LiveTimeDuration>{text}</Spectrum>\n"
        )
    for index, gross in enumerate(one.gross, start=1):
        parts.append(_gross(gross, f"{number}-{index}", names))
    parts += _states(one, names)
    if one.occupied is not None:
        parts.append(OCCUPIED if one.occupied else VACANT)
    parts.append("</RadMeasurement>\n")
    return parts


def _gross(gross: Gross, ident: str, names: _Names) -> str:
    counts = " ".join(decimal(max(count, 0.0)) for count in gross.counts)
    return (
        f'<GrossCounts id="Gross{ident}"'
        f' radDetectorInformationReference="{names.ids[gross.detector]}">'
        f"<LiveTimeDuration>{duration(gross.live_s)}</LiveTimeDuration>"
        f"<CountData>{counts}</CountData></GrossCounts>\n"
    )


def _states(one: Measurement, names: _Names) -> list[str]:
    """Faults of the instrument and of detectors, and the speed of what is measured."""
    parts = _faults(one, names) if one.faults else []
    if one.speed_m_s is not None:
        parts.append(
            '<RadItemState radItemInformationReference="item"><StateVector>'
            f'<SpeedValue units="m/s">{decimal(one.speed_m_s)}</SpeedValue>'
            "</StateVector></RadItemState>\n"
        )
    return parts


def _faults(one: Measurement, names: _Names) -> list[str]:
    parts = []
    of_instrument = [fault for fault in one.faults if fault.detector not in names.ids]
    if of_instrument:
        parts.append('<RadInstrumentState radInstrumentInformationReference="instrument">')
        parts += [*map(fault_line, of_instrument), "</RadInstrumentState>\n"]
    for name, ident in names.ids.items():
        of_detector = [fault for fault in one.faults if fault.detector == name]
        if of_detector:
            parts.append(f'<RadDetectorState radDetectorInformationReference="{ident}">')
            parts += [*map(fault_line, of_detector), "</RadDetectorState>\n"]
    return parts


def _dated(document: Document) -> bytes:
    times = [one.start_utc_ns for one in document.measurements if one.start_utc_ns]
    return f' n42DocDateTime="{time_text(min(times))}"'.encode() if times else b""


def _uuid(content: bytes) -> str:
    digest = bytearray(hashlib.blake2b(content, digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 0x80  # version 8, RFC 9562: from content, by our own rule
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
