"""Alerts about a load that a scan showed."""

from fusion.types import Contribution, Event, Level
from tests.edge.evidence.alerts import alert
from tests.fusion.scan_records import FACTS


def scan_alert(*records, rings=(0,), level=Level.WARNING, facts=FACTS, more=(), **changes):
    """`rings`: which of the regions speak for it."""
    dense = [
        Contribution(
            source="xray-1", kind="xray.dense", explanation="contraband-anomaly", nats=7.0 - index,
            age_s=0.0, capped=False,
            facts={"position_m": 14.3, "homogeneity": 0.8, **facts["regions"][index]},
        )
        for index in rings
    ]  # fmt: skip
    told = {
        "event": Event.CARGO_ANOMALY,
        "contributions": (*dense, *more),
        "explanations": (("contraband-anomaly", 0.97), ("nothing", 0.03)),
        "facts": {"explanation": "contraband-anomaly", **(dense[0].facts if dense else {})},
    }
    return alert(*records, level=level, **(told | changes))
