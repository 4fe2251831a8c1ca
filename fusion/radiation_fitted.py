"""Fitted numbers, as written by `garita calibrate portals --out FILE.py`."""

from collections.abc import Mapping

PROVENANCE: Mapping[str, str] = {
    "rpm-tsa": (
        "4000 nothing, 500 norm, 400 medical, 291 threat-source, 709 shielded-source on tsa-"
        "portal/2, seeds 100000-100088 101000-101011 102000-102008 103000-103019 "
        "104000-104004, 2026-11-22"
    ),
    "rpm-n42": (
        "140 nothing, 280 norm, 49 medical, 31 threat-source, 53 shielded-source; spectra "
        "told 0 nothing, 24 norm, 38 medical, 14 threat-source, 43 shielded-source on "
        "n42-portal/1, seeds 105000-105003 106000-106007 107000-107000 108000-108001, "
        "2026-11-22"
    ),
}
PROFILE_SLOPE = 1.0
PROFILE_OFFSET = 6.7167
PROFILE_FULL_NATS = 20.0
PROFILE_MISSED_NATS = -3.7672
SHAPE_FLOOR_NATS = 6.0
SHAPE_SHARE = 0.05
CAB_M = 3.5
CAB_SHARE: Mapping[str, float] = {
    "norm": 0.02,
    "medical": 0.98,
    "threat-source": 0.2,
    "shielded-source": 0.2,
}
PROFILE_POINT = 0.2359
PROFILE_SHAPE = 5.9311
ON_LOAD_OFFSET = 6.5
SPECTRUM_SLOPE = 0.346
SPECTRUM_OFFSET = 6.0819
SPECTRUM_FULL_NATS = 40.0
SPECTRUM_GROSS_SLOPE = 0.346
SPECTRUM_GROSS_OFFSET = 2.4791
SPECTRUM_CATEGORY = 0.4716
SPECTRUM_MOST_NATS = 12.0
SPECTRUM_POINT = -0.5775
SPECTRUM_SHAPE = 0.8387
NEUTRON_SLOPE = 1.0
NEUTRON_OFFSET = 4.8734
NEUTRON_FULL_NATS = 20.0
NEUTRON_BESIDE_OFFSET = 2.0
DIP_SLOPE = 0.5
DIP_LEAST_SIGMA = 2.0
