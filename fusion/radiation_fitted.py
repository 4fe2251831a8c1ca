"""Fitted numbers, as written by `garita calibrate portals --out FILE.py`."""

from collections.abc import Mapping

PROVENANCE: Mapping[str, str] = {
    "rpm-tsa": (
        "8500 nothing, 700 norm, 400 medical, 800 threat-source and "
        "shielded-source on tsa-portal/2, seeds "
        "10000-16999 30000-30999, 2026-11-22"
    ),
    "rpm-n42": "340 passes of all causes on n42-portal/1, seeds 20000-23999, 2026-11-22",
}
PROFILE_SLOPE = 0.945
PROFILE_OFFSET = 6.8519
PROFILE_FULL_NATS = 20.0
PROFILE_MISSED_NATS = -4.3708
SHAPE_FLOOR_NATS = 6.0
SHAPE_SHARE = 0.05
CAB_M = 3.5
PROFILE_BIAS: Mapping[str, float] = {
    "norm": 0.6315,
    "medical": -1.1002,
    "threat-source": 0.175,
    "shielded-source": 0.2937,
}
PROFILE_SHAPE: Mapping[str, float] = {
    "norm": -4.0169,
    "medical": 0.2086,
    "threat-source": 1.9213,
    "shielded-source": 1.887,
}
PROFILE_CAB: Mapping[str, float] = {
    "norm": -2.8787,
    "medical": 3.8951,
    "threat-source": -0.1421,
    "shielded-source": -0.8744,
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
NEUTRON_OFFSET = 4.9427
NEUTRON_FULL_NATS = 20.0
DIP_SLOPE = 0.5
DIP_LEAST_SIGMA = 2.0
