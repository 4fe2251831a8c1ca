"""N42-2012 documents from their nodes: the elements that `n42_write` writes, from any writer."""

from drivers.wire.n42_model import (
    UNKNOWN_CALIBRATION,
    Alarm,
    Analysis,
    Calibration,
    Detector,
    Document,
    Fault,
    Gross,
    Instrument,
    Measurement,
    Nuclide,
    Spectrum,
)
from drivers.wire.n42_nodes import (
    Channels,
    Node,
    Unreadable,
    decimal,
    decimals,
    kind_in,
    seconds,
    speed_m_s,
    truth,
    utc_ns,
)


def document(root: Node) -> Document:
    """The document. Unreadable where a value is not what it has to be.

    A detector is known by its XML id, as other readers have it.
    """
    calibrations = {
        node.attributes.get("id", ""): _calibration(node) for node in root.all("EnergyCalibration")
    }
    channels = Channels()
    return Document(
        instrument=_instrument(root.one("RadInstrumentInformation") or Node("", {})),
        detectors=tuple(map(_detector, root.all("RadDetectorInformation"))),
        measurements=tuple(
            _measurement(node, calibrations, channels) for node in root.below("RadMeasurement")
        ),
        analyses=tuple(map(_analysis, root.all("AnalysisResults"))),
        remarks=_remarks(root),
        item=root.say("RadItemInformation", "RadItemDescription"),
    )


def _calibration(node: Node) -> Calibration:
    if text := node.say("EnergyBoundaryValues"):
        return Calibration(edges_kev=decimals(text).astype("float32"))
    coefficients = tuple(decimals(node.say("CoefficientValues")).tolist())
    return Calibration(coefficients=coefficients) if any(coefficients) else UNKNOWN_CALIBRATION


def _instrument(node: Node) -> Instrument:
    return Instrument(
        manufacturer=node.say("RadInstrumentManufacturerName"),
        model=node.say("RadInstrumentModelName"),
        serial=node.say("RadInstrumentIdentifier"),
        class_code=node.say("RadInstrumentClassCode"),
        description=node.say("RadInstrumentDescription"),
        versions=tuple(
            (one.say("RadInstrumentComponentName"), one.say("RadInstrumentComponentVersion"))
            for one in node.all("RadInstrumentVersion")
        ),
    )


def _detector(node: Node) -> Detector:
    description = node.say("RadDetectorDescription")
    kind = node.say("RadDetectorKindCode")
    return Detector(
        name=node.attributes.get("id", ""),
        kind=kind if kind not in {"", "Other"} else kind_in(description),
        category=node.say("RadDetectorCategoryCode"),
        description=description,
        length_cm=_size(node, "Length"),
        width_cm=_size(node, "Width"),
        depth_cm=_size(node, "Depth"),
    )


def _size(node: Node, side: str) -> float | None:
    text = node.say(f"RadDetector{side}Value")
    return decimal(text) if text else None


def _measurement(
    node: Node, calibrations: dict[str, Calibration], channels: Channels
) -> Measurement:
    state = node.one("RadItemState", "StateVector", "SpeedValue")
    return Measurement(
        class_code=node.say("MeasurementClassCode") or "NotSpecified",
        start_utc_ns=utc_ns(node.say("StartDateTime")),
        real_s=seconds(node.say("RealTimeDuration")),
        spectra=tuple(_spectrum(one, calibrations, channels) for one in node.all("Spectrum")),
        gross=tuple(_gross(one) for one in node.all("GrossCounts")),
        occupied=truth(node.say("OccupancyIndicator")),
        speed_m_s=speed_m_s(state) or None,
        faults=_faults(node),
        remarks=_remarks(node),
    )


def _spectrum(node: Node, calibrations: dict[str, Calibration], channels: Channels) -> Spectrum:
    data = node.one("ChannelData")
    if data is None:
        raise Unreadable("bad-value", "a spectrum without channels")
    reference = node.attributes.get("energyCalibrationReference", "")
    return Spectrum(
        detector=node.attributes.get("radDetectorInformationReference", ""),
        live_s=seconds(node.say("LiveTimeDuration")),
        counts=channels.read(data),
        calibration=calibrations.get(reference, UNKNOWN_CALIBRATION),
    )


def _gross(node: Node) -> Gross:
    text = node.say("CountData") or node.say("TotalCountData")
    return Gross(
        detector=node.attributes.get("radDetectorInformationReference", ""),
        live_s=seconds(node.say("LiveTimeDuration")),
        counts=tuple(decimals(text).tolist()),
    )


def _faults(node: Node) -> tuple[Fault, ...]:
    states = [*node.all("RadInstrumentState"), *node.all("RadDetectorState")]
    return tuple(
        _fault(fault, state.attributes.get("radDetectorInformationReference", ""))
        for state in states
        for fault in state.all("Fault")
    )


def _fault(node: Node, detector: str = "") -> Fault:
    return Fault(
        code=node.say("FaultCodeValue"),
        description=node.say("FaultDescription"),
        severity=node.say("FaultSeverityCode"),
        detector=detector,
    )


def _analysis(node: Node) -> Analysis:
    confidence = node.say("AnalysisConfidenceValue")
    return Analysis(
        algorithm=node.say("AnalysisAlgorithmName"),
        version=node.say("AnalysisAlgorithmVersion", "AnalysisAlgorithmComponentVersion"),
        description=node.say("AnalysisResultDescription"),
        utc_ns=utc_ns(node.say("AnalysisStartDateTime")),
        confidence=decimal(confidence) / 100 if confidence else None,
        settings=tuple(
            (one.say("AnalysisAlgorithmSettingName"), one.say("AnalysisAlgorithmSettingValue"))
            for one in node.all("AnalysisAlgorithmSetting")
        ),
        alarms=tuple(map(_alarm, node.all("RadAlarm"))),
        nuclides=tuple(
            map(_nuclide, (node.one("NuclideAnalysisResults") or Node("", {})).all("Nuclide"))
        ),
        faults=tuple(map(_fault, node.all("Fault"))),
    )


def _alarm(node: Node) -> Alarm:
    return Alarm(
        category=node.say("RadAlarmCategoryCode"),
        description=node.say("RadAlarmDescription"),
        utc_ns=utc_ns(node.say("RadAlarmDateTime")),
        detectors=tuple(node.attributes.get("radDetectorInformationReferences", "").split()),
    )


def _nuclide(node: Node) -> Nuclide:
    confidence = node.say("NuclideIDConfidenceValue")
    return Nuclide(
        name=node.say("NuclideName"),
        confidence=decimal(confidence) / 100 if confidence else 0.0,
        category=node.say("NuclideCategoryDescription"),
    )


def _remarks(node: Node) -> tuple[str, ...]:
    return tuple(one.text.strip() for one in node.all("Remark"))
