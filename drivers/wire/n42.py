"""N42, the standard form of spectra in homeland security (ANSI N42.42, IEC 62755).

The document model, a writer of N42-2012 and a plain reader of the core of 2012 and 2006.
"""

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
    calibration_of,
)
from drivers.wire.n42_read import read
from drivers.wire.n42_write import NAMESPACE, write

__all__ = [
    "NAMESPACE",
    "UNKNOWN_CALIBRATION",
    "Alarm",
    "Analysis",
    "Calibration",
    "Detector",
    "Document",
    "Fault",
    "Gross",
    "Instrument",
    "Measurement",
    "Nuclide",
    "Spectrum",
    "calibration_of",
    "read",
    "write",
]
