"""A checkpoint that takes signed commands, all in one process and in simulated time: for attacks.

The real asking, vouching, engine and shelf; what they would send or keep is counted.
"""

import hashlib
from dataclasses import dataclass, replace
from itertools import count

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.config import Config, checkpoint_of, load_policy
from edge.delivery.hooks import Command
from edge.protocol import topics
from edge.protocol.commands import ResendMessage
from edge.protocol.messages import rfc3339
from edge.record.entries import Draft
from edge.recordings.asked import Asked
from edge.station.asking import Asking
from edge.station.resending import Coming
from edge.together.vouching import Vouching
from edge.trust.keys import Keyring, PublicKey, Role, Signer, raw_of
from edge.trust.signatures import command_properties
from fusion.engine import Engine
from fusion.shelving import ShelfEntry
from fusion.types import SECOND_NS, Alert, Origin

SITE = "mariposa"
SIDES = ("north", "south")
START_NS = 1_795_000_000 * SECOND_NS
YEAR_NS = 366 * 86_400 * SECOND_NS
RESPONSE = f"{topics.ROOT}/{SITE}/answer/1"
SENSORS = 8  # that nobody hears: each is an alert
KEPT = 3_000  # entries of the record


@dataclass(frozen=True, slots=True)
class State:
    """What no bad command may change."""

    handled: int
    asked: int
    entered: int
    resent: int


class CommandSite:
    """One checkpoint, and the keys of both centres."""

    def __init__(self) -> None:
        self.now_utc_ns = START_NS
        self._count = count()
        config = _config()
        origins = dict.fromkeys((one.id for one in config.sensors), Origin.SENSOR)
        self.engine = Engine(checkpoint_of(config, origins), load_policy(None))
        for _ in range(300):
            self.now_utc_ns += SECOND_NS // 10
            self.engine.tick(self.now_utc_ns)
        self.engine.take_entries()
        self.keys = {side: signer(side) for side in SIDES}
        self.strangers = {
            "unknown-key": signer("north"),
            "wrong-role": signer("north", role="officer"),
            "expired": signer("north", ended=True),
        }
        believed = [*self.keys.values(), self.strangers["wrong-role"], self.strangers["expired"]]
        keyring = Keyring([one.public for one in believed])
        self.answer = b""
        """The last one."""
        self._entry = b'{"schema":"garita.entry/1"}' * 12
        self._asked = self._resent = self.entered = self.refusals = 0
        self._handled = 0
        self._alerts = count(1)
        self.alerts: dict[str, Alert] = {}
        """What is active."""
        self.other_alerts()
        self.asking = Asking(
            site=SITE,
            places=[one.id for one in config.lanes],
            sensors=[one.id for one in config.sensors],
            ask=self._ask,
            active=lambda: self.alerts,
            answer=self._keep_answer,
            now_utc_ns=lambda: self.now_utc_ns,
            sides=SIDES,
            vouch=Vouching(keyring, lambda: self.now_utc_ns),
            record=self._record,
            look=self.alerts.get,
            entries=lambda first, to: [self._entry] * max(0, min(to, KEPT) - first),
            resend=self._resend,
        )
        self._last = self.asking.handling

    def passes_ms(self, milliseconds: int) -> None:
        """Time passes, here alone."""
        self.now_utc_ns += milliseconds * 1_000_000

    def other_alerts(self) -> None:
        """All that are active end, and as many new ones come."""
        self.alerts.clear()
        for alert in self.engine.active:
            name = f"{next(self._alerts):08d}"
            self.alerts[name] = replace(alert, alert_id=name)

    def worse(self, alert_id: str) -> None:
        """An alert has another revision, to be answered again."""
        alert = self.alerts[alert_id]
        self.alerts[alert_id] = replace(alert, revision=alert.revision + 1)

    def signed(
        self, side: str, topic: str, payload: bytes, *, by: Signer | None = None, late_s: float = 0
    ) -> Command:
        """A command as a centre sends it, or as one that is not believed would."""
        correlation = next(self._count).to_bytes(16)
        properties = command_properties(
            by or self.keys[side],
            topic=topic,
            payload=payload,
            issued_utc_ns=self.now_utc_ns - int(late_s * SECOND_NS),
            correlation=correlation,
            response_topic=RESPONSE,
        )
        return Command(
            side=side,
            topic=topic,
            payload=payload,
            response_topic=RESPONSE,
            correlation=correlation,
            user_properties=tuple(properties),
        )

    @property
    def state(self) -> State:
        """Cheap to compare: each part counts its changes."""
        if self.asking.handling is not self._last:
            self._last, self._handled = self.asking.handling, self._handled + 1
        return State(self._handled, self._asked, self.entered, self._resent)

    def digest(self) -> str:
        """SHA-256 of the state itself: every active alert's case, every shelving."""
        cases = [self.asking.handling.of(alert_id).told() for alert_id in self.alerts]
        cases_kept = len(self.asking.handling.cases)
        shelved = [msgspec.to_builtins(one) for one in self.engine.desk.shelved]
        return hashlib.sha256(msgspec.json.encode([cases, cases_kept, shelved])).hexdigest()

    def _ask(self, asked: Asked, trigger: str) -> list[ShelfEntry]:
        self._asked += 1
        self.engine.feed(asked)
        return self.engine.take_entries()

    def _keep_answer(self, command: Command, payload: bytes) -> None:
        self.answer = payload

    def _record(self, draft: Draft) -> None:
        if draft.kind == "refused":
            self.refusals += 1
        else:
            self.entered += 1

    def _resend(self, side: str, message: ResendMessage) -> Coming:
        self._resent += 1
        return Coming(count=0)


def signer(side: str, *, role: Role = "centre", ended: bool = False) -> Signer:
    """A key for this process."""
    private = Ed25519PrivateKey.generate()
    until_utc_ns = START_NS - SECOND_NS if ended else START_NS + YEAR_NS
    public = PublicKey(
        owner=side,
        role=role,
        raw=raw_of(private.public_key()),
        not_before_utc_ns=START_NS - YEAR_NS,
        not_after_utc_ns=until_utc_ns,
    )
    return Signer(private, public)


def valid_payloads(site: CommandSite) -> list[tuple[str, bytes]]:
    """(verb, payload) of every command, as a centre would send it."""
    until = rfc3339(site.now_utc_ns + 3600 * SECOND_NS)
    said: list[tuple[str, dict[str, object]]] = [
        ("assist", {"what": "canine"}),
        ("record", {"from": 7, "to": 9}),
        ("resend", {"from": 1041, "to": 1050}),
        ("shelve", {"until": until, "reason": "new cable", "place": "nb-01"}),
        ("unshelve", {"place": "nb-01"}),
    ]
    for alert in site.alerts:
        said += [
            ("ack", {"alert": alert}),
            ("dispatch", {"alert": alert}),
            ("on-scene", {"alert": alert}),
            ("adjudicate", {"alert": alert, "code": "SENSOR_FAULT", "confirm": "search"}),
            ("note", {"alert": alert, "note_sha256": "0f" * 32}),
            ("assist", {"alert": alert, "what": "officers"}),
            ("hand-over", {"alert": alert, "step": "offered", "to": "south"}),
            ("hand-over", {"alert": alert, "step": "declined", "to": "south"}),
        ]
    return [(verb, msgspec.json.encode(one)) for verb, one in said]


def _config() -> Config:
    return Config.model_validate(
        {
            "site": {"id": SITE},
            "sides": {side: {} for side in SIDES},
            "lanes": [{"id": f"nb-0{n}", "direction": "northbound"} for n in range(1, SENSORS + 1)],
            "sensors": [
                {
                    "id": f"rpm-{n}",
                    "kind": "rpm-tsa",
                    "lane": f"nb-0{n}",
                    "url": f"tcp://127.0.0.1:{n}",
                }
                for n in range(1, SENSORS + 1)
            ],
        }
    )
