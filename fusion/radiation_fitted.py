"""Fitted numbers, as written by `garita calibrate portals --out FILE.py`."""

from collections.abc import Mapping

PROVENANCE: Mapping[str, str] = {
    "rpm-tsa": (
        "4000 nothing, 500 norm, 400 medical, 291 threat-source, 709 shielded-source on tsa-"
        "portal/2, seeds 100000-100088 101000-101011 102000-102008 103000-103019 "
        "104000-104004, 2026-11-22"
    ),
    "rpm-n42": (
        "300 nothing, 600 norm, 105 medical, 69 threat-source, 111 shielded-source; spectra "
        "told 0 nothing, 59 norm, 83 medical, 35 threat-source, 82 shielded-source on "
        "n42-portal/1, seeds 105000-105006 106000-106014 107000-107002 108000-108003, "
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
SPECTRUM_SLOPE = 0.3381
SPECTRUM_OFFSET = 6.2085
SPECTRUM_FULL_NATS = 40.0
SPECTRUM_GROSS_SLOPE = 0.3381
SPECTRUM_GROSS_OFFSET = 2.4759
SPECTRUM_GROSS_POINT = 1.0
SPECTRUM_GROSS_FLOOR_NATS = 45.0
SPECTRUM_CATEGORY = 0.5018
SPECTRUM_MOST_NATS = 12.0
SPECTRUM_POINT = -0.957
SPECTRUM_SHAPE = 0.5076
NEUTRON_SLOPE = 1.0
NEUTRON_OFFSET = 4.8734
NEUTRON_FULL_NATS = 20.0
NEUTRON_BESIDE_OFFSET = 2.0
DIP_SLOPE = 0.5
DIP_LEAST_SIGMA = 2.0
