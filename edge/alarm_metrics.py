"""Metrics of the operator's load: what rings, against what a person can answer.

Set by the pipeline once a second; the limits of each are in the README's table.
"""

from prometheus_client import Counter, Gauge

from edge.metrics import REGISTRY
from fusion.budget import Budget
from fusion.desk import DeskState
from fusion.types import SECOND_NS

MOST_NAMED = 10  # series; who has more stale alerts than that looks at the count
TOP_SOURCES = 10

PER_HOUR = Gauge(
    "garita_operator_alerts_last_hour",
    "Alerts of level 2 or more that rang within the last hour, for each operator.",
    registry=REGISTRY,
)
PER_WINDOW = Gauge(
    "garita_operator_alerts_last_10_minutes",
    "Alerts of level 2 or more that rang within the last 10 minutes, for each operator.",
    registry=REGISTRY,
)
LOAD = Gauge(
    "garita_operator_load_ratio",
    "Alerts of the last hour for each operator, over what one person can answer.",
    registry=REGISTRY,
)
IN_FLOOD = Gauge(
    "garita_flood",
    "1 from 10 rings for each operator within 10 minutes until there are fewer than 5, else 0.",
    registry=REGISTRY,
)
FLOOD_SHARE = Gauge(
    "garita_flood_time_ratio",
    "Share of the time since start that was flood.",
    registry=REGISTRY,
)
GROUPS = Gauge(
    "garita_alert_groups",
    "Groups that a flood has made and that are not over.",
    registry=REGISTRY,
)
FOLDED = Gauge(
    "garita_folded_alerts",
    "Active alerts that are told in the log because a group tells of them.",
    registry=REGISTRY,
)
SHELVED = Gauge(
    "garita_shelved_entries",
    "What operators and the configuration have shelved now.",
    registry=REGISTRY,
)
SHELVINGS = Counter(
    "garita_shelvings",
    "What happened to shelvings since start: shelved, ended, expired, refused.",
    ["what"],
    registry=REGISTRY,
)
CHATTERING = Gauge(
    "garita_chattering_alerts",
    "Active alerts that rang three times within 60 s and have not been quiet since.",
    registry=REGISTRY,
)
STALE = Gauge(
    "garita_stale_alerts",
    "Alerts that have been active for more than 24 hours.",
    registry=REGISTRY,
)
STALE_AGE = Gauge(
    "garita_stale_alert_age_seconds",
    "From the onset of a stale alert to now; the ten that were told first.",
    ["alert", "event", "place"],
    registry=REGISTRY,
)
PRIORITY = Gauge(
    "garita_alert_priority_ratio",
    "Share of low (level 2), medium (3) and high (4) among what rang since start.",
    ["priority"],
    registry=REGISTRY,
)
TOP_SOURCE = Gauge(
    "garita_top_sources_ratio",
    "Share of what rang since start that the ten loudest sources have.",
    registry=REGISTRY,
)
REALARMS = Gauge(
    "garita_realarms",
    "Alerts that were told again since start because nobody had answered them.",
    registry=REGISTRY,
)


def shelving(what: str) -> None:
    """Count something that happened on the shelf."""
    SHELVINGS.labels(what).inc()


def take(desk: DeskState, budget: Budget, per_hour: float, now_utc_ns: int) -> None:
    """Take over how the desk looks, and what rang; `per_hour`: what one person can answer."""
    PER_HOUR.set(budget.per_hour)
    PER_WINDOW.set(budget.per_window)
    LOAD.set(budget.per_hour / per_hour)
    IN_FLOOD.set(budget.in_flood)
    FLOOD_SHARE.set(budget.flood_share)
    GROUPS.set(desk.groups)
    FOLDED.set(desk.folded)
    SHELVED.set(len(desk.shelved))
    CHATTERING.set(desk.chattering)
    for name, share in budget.mix.items():
        PRIORITY.labels(name).set(share)
    TOP_SOURCE.set(budget.top_share(TOP_SOURCES))
    REALARMS.set(budget.realarms)
    _name_stale(desk, now_utc_ns)


def _name_stale(desk: DeskState, now_utc_ns: int) -> None:
    STALE.set(len(desk.stale))
    STALE_AGE.clear()  # those that are over have no age any more
    for alert in desk.stale[:MOST_NAMED]:
        age_s = (now_utc_ns - alert.onset_utc_ns) / SECOND_NS
        place = alert.lane or alert.zone or "site"
        STALE_AGE.labels(alert.alert_id, alert.event.value, place).set(age_s)
