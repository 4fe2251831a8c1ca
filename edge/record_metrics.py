"""Metrics of the common record, and of the keys that vouch for it."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from edge.delivery.expiry import KeyExpiry
from edge.metrics import REGISTRY

ENTRIES = Gauge(
    "garita_record_entries",
    "Entries in the common record.",
    registry=REGISTRY,
)
WAITING = Gauge(
    "garita_record_waiting",
    "Entries that wait because the common record cannot be written; 0 while it can.",
    registry=REGISTRY,
)
LOST = Counter(
    "garita_record_lost",
    "Entries that were given up because the common record could not be written for long.",
    registry=REGISTRY,
)
APPEND = Histogram(
    "garita_record_append_seconds",
    "Time to enter one entry into the common record, of those that were entered together.",
    buckets=(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.05),
    registry=REGISTRY,
)
UNWITNESSED = Gauge(
    "garita_unwitnessed_age_seconds",
    "Age of the oldest entry that a side's centre has not vouched for; 0 when it has for all.",
    ["side"],
    registry=REGISTRY,
)
KEY_EXPIRES = Gauge(
    "garita_key_expires_seconds",
    "Seconds until a signing key ends, negative once it has: what this checkpoint signs with, and "
    "of each side and role the key of the keyring that lasts longest.",
    ["key", "owner", "role"],
    registry=REGISTRY,
)


def take_keys(expiries: Iterable[KeyExpiry]) -> None:
    """Take over how long keys last; called at scrape time."""
    KEY_EXPIRES.clear()  # a key that has a successor is nobody's concern any more
    for one in expiries:
        KEY_EXPIRES.labels(one.key.key_id, one.key.owner, one.key.role).set(one.left_s)
