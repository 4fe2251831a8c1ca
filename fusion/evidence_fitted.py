"""Fitted numbers, as written by `garita calibrate PACK --out FILE.py`."""

from collections.abc import Mapping

PROVENANCE: Mapping[str, str] = {
    "seismic.event": "by hand",
    "xray.emptiness": "by hand",
    "xray.dense": (
        "400 contraband-anomaly, 400 nothing on xray-planes 2, loads, seeds 100000-100399, "
        "garita 0.1.0, 2026-11-22"
    ),
    "ground_rho": "by hand",
    "pair_rho": (
        "gamma.profile+neutron.counts -0.00 [-0.06, 0.06] of 1139 on tsa-portal/2, smuggling,"
        " seeds 100000-100002, garita 0.1.0, 2026-11-22"
    ),
}
FOOT_SLOPE = 1.0
FOOT_OFFSET = 0.45
FOOT_CLEAR_NATS = 1.75
FOOT_CLEAR_FROM = 1.6
FOOT_CLEAR_WIDTH = 0.4
FOOT_UNSURE_NATS = 0.5
FOOT_MOST_NATS = 3.5
GROUND_SLOPE = 1.0
GROUND_OFFSET = 0.0
SHARE_REST = 0.02
EMPTINESS_SLOPE = 1.0
EMPTINESS_OFFSET = 0.0
EMPTINESS_FULL_NATS = 20.0
DENSE_SLOPE = 0.6828
DENSE_OFFSET = 2.9506
DENSE_LEAST_NATS = -0.8023
DENSE_OTHER_SHARE = 0.7
DENSE_SHIELD_NATS = 3.0
MISMATCH_SLOPE = 1.0
CHANGE_NATS = 1.0
CHANGE_KG = 20.0
CHANGE_MOST_NATS = 2.5
OPAQUE_NATS = 25.0
OPAQUE_FROM = 0.05
GROUND_RHO = (0.8, 0.3, 15.0)
PAIR_RHO: Mapping[str, float] = {
    "gamma.profile+neutron.counts": 0.0117,
}
