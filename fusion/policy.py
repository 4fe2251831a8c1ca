"""Every threshold of the engine, each with its reason.

The values are the defaults of `configs/policy.yaml`; the docstring after a field is the
reason that the file shows.
"""

from dataclasses import dataclass, field

from fusion.alarm_policy import AlarmPolicy
from fusion.association_policy import AssociationPolicy
from fusion.counts_policy import CountsPolicy
from fusion.evidence_calibration import EvidenceCalibration
from fusion.handling_policy import HandlingPolicy
from fusion.radiation import RadiationPolicy
from fusion.radiation_calibration import RadiationCalibration
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.scoring_policy import ScoringPolicy
from fusion.seismic import SeismicPolicy
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.verdict import IdentifyPolicy
from fusion.xray import XrayPolicy

__all__ = ["AlarmPolicy", "AssociationPolicy", "HandlingPolicy", "Policy", "ScoringPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All thresholds of one site."""

    radiation: RadiationPolicy = field(default_factory=RadiationPolicy)
    spectra: SpectraPolicy = field(default_factory=SpectraPolicy)
    identify: IdentifyPolicy = field(default_factory=IdentifyPolicy)
    radiation_evidence: RadiationCalibration = field(default_factory=RadiationCalibration)
    evidence: EvidenceCalibration = field(default_factory=EvidenceCalibration)
    seismic: SeismicPolicy = field(default_factory=SeismicPolicy)
    xray: XrayPolicy = field(default_factory=XrayPolicy)
    scanner: ScannerPolicy = field(default_factory=ScannerPolicy)
    association: AssociationPolicy = field(default_factory=AssociationPolicy)
    scoring: ScoringPolicy = field(default_factory=ScoringPolicy)
    alarms: AlarmPolicy = field(default_factory=AlarmPolicy)
    handling: HandlingPolicy = field(default_factory=HandlingPolicy)
    counts: CountsPolicy = field(default_factory=CountsPolicy)
