"""Alerts made by hand, with passes as their records."""

from dataclasses import replace

from fusion.types import SECOND_NS, Alert, Contribution, Event, Level, Phase
from tests.fusion.makers import START_UTC_NS

GAMMA = {
    "gamma_sigma": 31.2,
    "net_cps": 903.2,
    "suppression": 0.12,
    "position_m": 11.0,
    "width_m": 2.4,
    "category": "unknown",
}


def contribution(kind, facts, *, nats=8.0, source="rpm-1"):
    return Contribution(
        source=source, kind=kind, explanation="threat-source", nats=nats, age_s=0.0, capped=False,
        facts=facts,
    )  # fmt: skip


def alert(*records, revision=1, level=Level.CRITICAL, gamma=GAMMA, kind="gamma.profile", **more):
    built = Alert(
        alert_id="01JD3M8A7Q0123456789ABCDEF",
        revision=revision,
        phase=Phase.NEW if revision == 1 else Phase.UPDATE,
        event=Event.RAD_THREAT,
        level=level,
        probability=0.99,
        site="test",
        lane="nb-01",
        zone=None,
        direction="northbound",
        exercise=False,
        onset_utc_ns=START_UTC_NS,
        updated_utc_ns=START_UTC_NS + 9 * SECOND_NS,
        explanations=(("threat-source", 0.99), ("nothing", 0.01)),
        contributions=(
            contribution(kind, gamma),
            contribution("neutron.counts", {"neutron_sigma": 0.3, "counts": 5}, nats=-0.4),
        ),
        score_nats=8.0,
        silent=(),
        down=(),
        facts={"explanation": "threat-source", **gamma},
        records=records,
    )
    return replace(built, **more)


def ground_alert(*records, revision=1, level=Level.WARNING, facts=None, **more):
    """Somebody on foot, heard by the records' stations."""
    heard = [
        Contribution(
            source=record.sensor_id, kind="seismic.event", explanation="person", nats=6.0,
            age_s=0.0, capped=False, facts=record.facts if facts is None else facts,
        )
        for record in records
    ]  # fmt: skip
    told = {"lane": None, "zone": "east-field", "event": Event.PERSON, "direction": None}
    return alert(
        *records,
        revision=revision,
        level=level,
        explanations=(("person", 0.97), ("nothing", 0.03)),
        contributions=tuple(heard),
        facts={"explanation": "person"},
        **(told | more),
    )
