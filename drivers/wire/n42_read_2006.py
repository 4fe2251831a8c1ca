"""N42-2006 documents from their nodes: the core that portals write, and bare spectra.

A portal writes one DetectorData for each slice, or one SampleNumber; detectors are named in
each spectrum. Other forms of 2006 (several spectra by reference, peaks) need the library.
"""

from dataclasses import dataclass, field

from drivers.wire.n42_model import (
    UNKNOWN_CALIBRATION,
    Calibration,
    Detector,
    Document,
    Gross,
    Instrument,
    Measurement,
    Spectrum,
)
from drivers.wire.n42_nodes import (
    Channels,
    Node,
    Unreadable,
    decimals,
    kind_in,
    seconds,
    speed_m_s,
    truth,
    utc_ns,
)

CLASSES = {
    "Item": "Foreground",
    "Unknown": "NotSpecified",
    "Background": "Background",
    "Calibration": "Calibration",
    "Stabilization": "Calibration",
    "IntrinsicActivity": "IntrinsicActivity",
}
NEUTRON = "neutron"
"""What neutron counts are called, which have no detector's name in this version."""


@dataclass(slots=True)
class _Reading:
    """What is gathered while one document is read."""

    channels: Channels = field(default_factory=Channels)
    detectors: dict[str, Detector] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    """By their text, so that spectra share them."""


def document(root: Node) -> Document:
    """The document. Unreadable where a value is not what it has to be."""
    reading = _Reading()
    measurements: list[Measurement] = []
    for measured in root.below("Measurement"):
        measurements += _measurements(measured, reading)
    information = next(root.below("InstrumentInformation"), Node("", {}))
    return Document(
        instrument=Instrument(
            manufacturer=information.say("Manufacturer"),
            model=information.say("InstrumentModel"),
            serial=information.say("InstrumentID"),
            class_code=information.say("InstrumentType"),
        ),
        detectors=tuple(reading.detectors.values()),
        measurements=tuple(measurements),
        remarks=tuple(one.text.strip() for one in root.below("Remark") if one.text.strip()),
        form="N42-2006",
    )


def _measurements(measured: Node, reading: _Reading) -> list[Measurement]:
    found: list[Measurement] = []
    for data in measured.all("DetectorData"):
        by_sample: dict[str, list[Node]] = {}
        for spectrum in data.below("Spectrum"):
            by_sample.setdefault(spectrum.attributes.get("SampleNumber", ""), []).append(spectrum)
        neutrons = list(data.below("CountDoseData", "GrossCounts"))
        for spectra in by_sample.values() or [[]]:
            found += _measurement(data, spectra, neutrons, reading)
            neutrons = []
    for spectrum in measured.all("Spectrum"):
        found += _measurement(measured, [spectrum], [], reading)
    return found


def _measurement(
    data: Node, spectra: list[Node], neutrons: list[Node], reading: _Reading
) -> list[Measurement]:
    if not spectra and not neutrons:
        return []
    first = spectra[0] if spectra else Node("", {})
    started = utc_ns(first.say("StartTime") or data.say("StartTime"))
    longest_s = max((seconds(one.say("RealTime")) for one in spectra), default=0.0)
    real_s = longest_s or seconds(data.say("SampleRealTime"))
    gross = tuple(gross for one in neutrons if (gross := _neutrons(one, real_s)))
    if gross:
        reading.detectors.setdefault(NEUTRON, Detector(name=NEUTRON, category="Neutron"))
    return [
        Measurement(
            class_code=CLASSES.get(first.say("SourceType"), "NotSpecified"),
            start_utc_ns=started,
            real_s=real_s,
            spectra=tuple(_spectrum(one, real_s, reading) for one in spectra),
            gross=gross,
            occupied=truth(data.say("Occupied")),
            speed_m_s=speed_m_s(data.one("Speed")) or None,
        )
    ]


def _spectrum(node: Node, real_s: float, reading: _Reading) -> Spectrum:
    data = node.one("ChannelData")
    if data is None:
        raise Unreadable("bad-value", "a spectrum without channels")
    name = node.attributes.get("Detector", "")
    if name not in reading.detectors:
        described = node.say("DetectorType")
        reading.detectors[name] = Detector(
            name=name, kind=kind_in(described), description=described
        )
    return Spectrum(
        detector=name,
        live_s=seconds(node.say("LiveTime")) or seconds(node.say("RealTime")) or real_s,
        counts=reading.channels.read(data),
        calibration=_calibration(node, reading),
    )


def _calibration(spectrum: Node, reading: _Reading) -> Calibration:
    for node in spectrum.all("Calibration"):
        equation = node.one("Equation")
        known = equation is not None and equation.attributes.get("Model", "") == "Polynomial"
        if node.attributes.get("Type") != "Energy" or equation is None or not known:
            continue
        text = equation.say("Coefficients")
        if text not in reading.calibrations:
            coefficients = tuple(decimals(text).tolist())
            reading.calibrations[text] = (
                Calibration(coefficients=coefficients) if any(coefficients) else UNKNOWN_CALIBRATION
            )
        return reading.calibrations[text]
    return UNKNOWN_CALIBRATION


def _neutrons(node: Node, real_s: float) -> Gross | None:
    if node.attributes.get("DetectorType", "Neutron") != "Neutron":
        return None
    text = node.say("Counts") or node.say("GrossCountData")
    if not text:
        return None
    live_s = seconds(node.say("SampleLiveTime")) or seconds(node.say("LiveTime")) or real_s
    return Gross(detector=NEUTRON, live_s=live_s, counts=tuple(decimals(text).tolist()))
