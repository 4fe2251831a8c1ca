"""Fitted numbers, as written by `garita calibrate portals --out FILE.py`."""

from collections.abc import Mapping

PROVENANCE: Mapping[str, str] = {
    "rpm-tsa": (
        "4000 nothing, 500 norm, 400 medical, 291 threat-source, 709 shielded-source on tsa-"
        "portal/2, seeds 100000-100088 101000-101011 102000-102008 103000-103019 "
        "104000-104004, 2026-11-22"
    ),
    "rpm-n42": ("seeds 20000-23010 on n42-portal/1"),
}
PROFILE_SLOPE = 0.9336
PROFILE_OFFSET = 6.3494
PROFILE_FULL_NATS = 20.0
PROFILE_MISSED_NATS = -3.8483
SHAPE_FLOOR_NATS = 6.0
SHAPE_SHARE = 0.05
CAB_M = 3.5
PROFILE_BIAS: Mapping[str, float] = {
    "norm": 0.6591,
    "medical": -1.2427,
    "threat-source": 0.2467,
    "shielded-source": 0.3369,
}
PROFILE_SHAPE: Mapping[str, float] = {
    "norm": -3.6977,
    "medical": 0.4432,
    "threat-source": 1.6447,
    "shielded-source": 1.6098,
}
PROFILE_CAB: Mapping[str, float] = {
    "norm": -2.814,
    "medical": 3.4885,
    "threat-source": -0.1723,
    "shielded-source": -0.5022,
}
SPECTRUM_SLOPE = 0.3518
SPECTRUM_OFFSET = 5.9308
SPECTRUM_FULL_NATS = 40.0
SPECTRUM_GROSS_SLOPE = 0.3518
SPECTRUM_GROSS_OFFSET = 2.3998
SPECTRUM_CATEGORY = 0.3278
SPECTRUM_MOST_NATS = 12.0
SPECTRUM_BIAS: Mapping[str, float] = {
    "norm": -1.3928,
    "medical": 0.1618,
    "threat-source": 0.6231,
    "shielded-source": 0.6079,
}
SPECTRUM_SHAPE: Mapping[str, float] = {
    "norm": -2.1036,
    "medical": 0.3273,
    "threat-source": 0.2615,
    "shielded-source": 1.5148,
}
SPECTRUM_CAB: Mapping[str, float] = {
    "norm": 0.9272,
    "medical": 0.6864,
    "threat-source": -0.4388,
    "shielded-source": -1.1748,
}
NEUTRON_SLOPE = 1.0
NEUTRON_OFFSET = 4.8734
NEUTRON_FULL_NATS = 20.0
DIP_SLOPE = 0.5
DIP_LEAST_SIGMA = 2.0
