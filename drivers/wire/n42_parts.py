"""The parts of an N42-2012 document that carry no counts: who measured, what was concluded."""

from collections.abc import Mapping

from drivers.wire.n42_model import (
    DETECTOR_KINDS,
    Alarm,
    Analysis,
    Detector,
    Fault,
    Instrument,
    Nuclide,
)
from drivers.wire.n42_text import decimal, non_blank, percent, tag, time_text

CREATOR = "Garita"
INSTRUMENT_CLASSES = frozenset(
    (
        "Backpack",
        "Dosimeter",
        "Electronic Personal Emergency Radiation Detector",
        "Mobile System",
        "Network Area Monitor",
        "Neutron Handheld",
        "Personal Radiation Detector",
        "Radionuclide Identifier",
        "Portal Monitor",
        "Spectroscopic Portal Monitor",
        "Spectroscopic Personal Radiation Detector",
        "Gamma Handheld",
        "Transportable System",
        "Other",
    )
)  # fmt: skip
ALARM_CATEGORIES = frozenset(["Neutron", "Gamma", "Alpha", "Beta", "Isotope", "Other"])
SEVERITIES = frozenset(["Fatal", "Error", "Warning"])


def instrument_lines(instrument: Instrument) -> list[str]:
    """RadInstrumentInformation."""
    known = instrument.class_code in INSTRUMENT_CLASSES
    parts = [
        '<RadInstrumentInformation id="instrument">\n',
        tag("RadInstrumentManufacturerName", non_blank(instrument.manufacturer)),
    ]
    if instrument.serial:
        parts.append(tag("RadInstrumentIdentifier", non_blank(instrument.serial)))
    parts.append(tag("RadInstrumentModelName", non_blank(instrument.model)))
    if instrument.description:
        parts.append(tag("RadInstrumentDescription", instrument.description))
    parts.append(tag("RadInstrumentClassCode", instrument.class_code if known else "Other"))
    for component, version in instrument.versions or (("Software", "unknown"),):
        parts += [
            "<RadInstrumentVersion>",
            tag("RadInstrumentComponentName", non_blank(component)),
            tag("RadInstrumentComponentVersion", non_blank(version)),
            "</RadInstrumentVersion>\n",
        ]
    return [*parts, "</RadInstrumentInformation>\n"]


def detector_lines(detector: Detector, ident: str) -> list[str]:
    """RadDetectorInformation."""
    kind = detector.kind if detector.kind in DETECTOR_KINDS else "Other"
    category = detector.category if detector.category in {"Gamma", "Neutron"} else "Other"
    parts = [
        f'<RadDetectorInformation id="{ident}">',
        tag("RadDetectorName", detector.name),
        tag("RadDetectorCategoryCode", category),
        tag("RadDetectorKindCode", kind),
    ]
    if detector.description:
        parts.append(tag("RadDetectorDescription", detector.description))
    sizes = {
        "Length": detector.length_cm,
        "Width": detector.width_cm,
        "Depth": detector.depth_cm,
    }
    parts += [
        f'<RadDetector{side}Value units="cm">{decimal(size)}</RadDetector{side}Value>'
        for side, size in sizes.items()
        if size is not None and size > 0
    ]
    return [*parts, "</RadDetectorInformation>\n"]


def analysis_lines(
    analysis: Analysis, number: int, ids: Mapping[str, str], measurements: int
) -> list[str]:
    """AnalysisResults of all measurements.

    ids           detectors' XML ids by their names
    measurements  how many the document has; they are called Sample1, Sample2, ...
    """
    references = " ".join(f"Sample{index + 1}" for index in range(measurements))
    parts = [f'<AnalysisResults id="analysis-{number}"']
    parts.append(f' radMeasurementReferences="{references}">\n' if references else ">\n")
    if analysis.utc_ns is not None:
        parts.append(tag("AnalysisStartDateTime", time_text(analysis.utc_ns)))
    parts += [
        tag("AnalysisAlgorithmName", non_blank(analysis.algorithm)),
        tag("AnalysisAlgorithmCreatorName", CREATOR),
        "<AnalysisAlgorithmVersion>",
        tag("AnalysisAlgorithmComponentName", "main"),
        tag("AnalysisAlgorithmComponentVersion", non_blank(analysis.version)),
        "</AnalysisAlgorithmVersion>\n",
    ]
    for name, value in analysis.settings:
        parts += [
            "<AnalysisAlgorithmSetting>",
            tag("AnalysisAlgorithmSettingName", non_blank(name)),
            tag("AnalysisAlgorithmSettingValue", non_blank(value)),
            tag("AnalysisAlgorithmSettingUnits", "unit-less"),
            "</AnalysisAlgorithmSetting>\n",
        ]
    parts.append(tag("AnalysisResultStatusCode", "Success"))
    if analysis.confidence is not None:
        parts.append(tag("AnalysisConfidenceValue", percent(analysis.confidence)))
    if analysis.description:
        parts.append(tag("AnalysisResultDescription", analysis.description))
    parts += [_alarm(alarm, ids) for alarm in analysis.alarms]
    if analysis.nuclides:
        parts += ["<NuclideAnalysisResults>\n", *map(_nuclide, analysis.nuclides)]
        parts.append("</NuclideAnalysisResults>\n")
    parts += [*map(fault_line, analysis.faults), "</AnalysisResults>\n"]
    return parts


def _alarm(alarm: Alarm, ids: Mapping[str, str]) -> str:
    category = alarm.category if alarm.category in ALARM_CATEGORIES else "Other"
    named = [ids[name] for name in alarm.detectors if name in ids]
    references = " ".join(named or ids.values())
    parts = [f'<RadAlarm radDetectorInformationReferences="{references}">']
    if alarm.utc_ns is not None:
        parts.append(tag("RadAlarmDateTime", time_text(alarm.utc_ns)))
    parts.append(tag("RadAlarmCategoryCode", category))
    if alarm.description:
        parts.append(tag("RadAlarmDescription", alarm.description))
    return "".join((*parts, "</RadAlarm>\n"))


def _nuclide(nuclide: Nuclide) -> str:
    parts = [
        "<Nuclide><NuclideIdentifiedIndicator>true</NuclideIdentifiedIndicator>",
        tag("NuclideName", non_blank(nuclide.name)),
        tag("NuclideIDConfidenceValue", percent(nuclide.confidence)),
    ]
    if nuclide.category:
        parts.append(tag("NuclideCategoryDescription", nuclide.category))
    return "".join((*parts, "</Nuclide>\n"))


def fault_line(fault: Fault) -> str:
    """Fault, of the instrument or of a detector."""
    severity = fault.severity if fault.severity in SEVERITIES else "Warning"
    return (
        f"<Fault>{tag('FaultCodeValue', fault.code)}"
        f"{tag('FaultDescription', fault.description)}"
        f"{tag('FaultSeverityCode', severity)}</Fault>\n"
    )
