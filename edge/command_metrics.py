"""Metrics of what the centres ask."""

from prometheus_client import Counter

from edge.metrics import REGISTRY

COMMANDS = Counter(
    "garita_commands",
    "Commands of a side since start: carried out, or refused and why.",
    ["side", "came"],
    registry=REGISTRY,
)


def command(side: str, refusal: str) -> None:
    """One command; refusal  its code, empty where it was carried out."""
    COMMANDS.labels(side, refusal or "accepted").inc()
