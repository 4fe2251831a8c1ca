"""Who is told what: each side's release rules, and the digests that stand for what is withheld.

Without rules both sides get everything, in the same bytes. A rule withholds fields, files or all
of the alerts that it is about; a side that gets less always sees that it does, by which rule, and
a salted digest with which it can check the value should it ever be told. The salts follow from a
secret of the site, so nothing of this is random: the same alert gives the same bytes.

What is never withheld, so that nobody is kept from knowing that something happened: schema, id,
revision, seq, epoch, site, status, msg_type, level, urgency, severity, onset, updated,
config_digest and software.

Some fields tell others in other words, and go with them (`withholding.IMPLIED`). Where an alert's
place is withheld its messages go to the place `withheld`. What was told stays told: an alert whose
first revision told its place tells it to the end, and the other way round; and a file that was
withheld once is named by no later revision.
"""

import hmac
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.delivery.rows import Row, Variant
from edge.delivery.withholding import EMPTY, IMPLIED, INNER, PLACE_TELLERS, Listed, less
from edge.errors import ConfigError, Mistake
from edge.protocol import topics

if TYPE_CHECKING:
    from edge.config import Config
    from edge.settings.model import ReleaseRule

TRIGGER_TELLERS = frozenset({"lane", "contributions"})
"""The user property `trigger` names a sensor, and goes with these."""
EARLIER = "earlier"
"""Named as the rule where the one that once withheld an alert's place is no longer there."""
MAX_REMEMBERED = 1_000  # as many as the engine remembers: some days of alerts
SALT_BYTES = 16
SECRET_BYTES = 32
SALTS_FILE = "release-salts"
"""Of the site's secret, below `state_dir`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is withheld of which alerts. Conditions that are empty are no conditions."""

    name: str
    events: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    levels: frozenset[int] = frozenset()
    exercise: bool | None = None
    places: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    evidence: frozenset[str] = frozenset()
    """Names and media types of files."""
    everything: bool = False


class _Head(msgspec.Struct, frozen=True):
    """What the rules look at."""

    id: str
    seq: int
    epoch: str
    site: str
    lane: str | None
    zone: str | None
    direction: str | None
    status: str
    event: str
    level: int
    evidence: list[Listed]


@dataclass(slots=True)
class _Told:
    """What a side has been told of an alert."""

    place_rule: str
    """The rule that withholds its place; empty: the place is told."""
    files: dict[str, str] = field(default_factory=dict)
    """Withheld files by digest, and the rule that withholds each."""


_head = msgspec.json.Decoder(_Head)


class Release:
    """The rules of every side. Not for several threads at once."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]], secret: bytes) -> None:
        self._rules = {side: tuple(each) for side, each in rules.items() if each}
        self._secret = secret
        self._told: OrderedDict[str, dict[str, _Told]] = OrderedDict()

    def variants(self, row: Row, *, hidden: Mapping[str, bool] | None = None) -> list[Variant]:
        """For each side that gets less of the row than the whole, what it gets.

        hidden  by side, whether what it was told of the alert before hid its place, where that
                was another boot's
        """
        if not self._rules:
            return []
        head = _head.decode(row.payload)
        told = self._told.setdefault(head.id, {})
        self._told.move_to_end(head.id)
        if len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
        made = []
        for side, rules in self._rules.items():
            fitting = [rule for rule in rules if applies(rule, head)]
            withheld = fields_of(fitting)
            if side not in told:
                told[side] = _Told(place_rule=_place_rule(withheld, (hidden or {}).get(side)))
            _keep_place(withheld, told[side].place_rule)
            _keep_files(told[side].files, fitting, head, withheld.get("evidence"))
            known = told[side].files
            files = {e.sha256: known[e.sha256] for e in head.evidence if e.sha256 in known}
            if withheld or files:
                made.append(self._variant(side, row, head, withheld, files))
        return made

    def released(self, row: Row, *, hidden: Mapping[str, bool] | None = None) -> Row:
        """The row with what each side gets of it."""
        return replace(row, variants=tuple(self.variants(row, hidden=hidden)))

    def _variant(
        self, side: str, row: Row, head: _Head, withheld: dict[str, str], files: dict[str, str]
    ) -> Variant:
        salt = partial(self.salt, head.epoch, head.seq)
        payload = less(row.payload, withheld, files, salt)
        active = row.active_payload
        if active:
            active = payload if active == row.payload else less(active, withheld, files, salt)
        topic, active_topic = row.topic, row.active_topic
        if "lane" in withheld:
            root = topics.root(row.exercise)
            topic = topics.alert_topic(root, head.site, topics.WITHHELD)
            if active_topic:
                active_topic = topics.active_topic(root, head.site, topics.WITHHELD, head.id)
        properties = row.properties
        if TRIGGER_TELLERS & withheld.keys():
            properties = tuple(each for each in properties if each[0] != "trigger")
        return Variant(
            side=side,
            topic=topic,
            payload=payload,
            active_topic=active_topic,
            active_payload=active,
            properties=properties,
            withheld=tuple(each.n for each in row.attachments if each.sha256 in files),
            rules=tuple(sorted({*withheld.values(), *files.values()})),
        )

    def salt(self, epoch: str, seq: int, name: str) -> bytes:
        """What must be told with a field's value for it to be checked."""
        told = f"{epoch}/{seq}/{name}".encode()
        return hmac.digest(self._secret, told, "sha256")[:SALT_BYTES]


def applies(rule: Rule, head: _Head) -> bool:
    """Whether a rule is about an alert."""
    return (
        (not rule.events or head.event in rule.events)
        and (not rule.directions or head.direction in rule.directions)
        and (not rule.levels or head.level in rule.levels)
        and (rule.exercise is None or rule.exercise == (head.status == "Exercise"))
        and (not rule.places or bool(rule.places & {head.lane, head.zone}))
    )


def fields_of(rules: Iterable[Rule]) -> dict[str, str]:
    """What these rules withhold, with what implies it, and the first rule that says so."""
    found: dict[str, str] = {}
    for rule in rules:
        for name in tuple(EMPTY) if rule.everything else rule.fields:
            for each in (name, *IMPLIED.get(name, ())):
                found.setdefault(each, rule.name)
    for name, (outer, _) in INNER.items():
        if outer in found:
            found.pop(name, None)
    return found


def _place_rule(withheld: Mapping[str, str], hidden: bool | None) -> str:
    """Which rule withholds the place of an alert that was `hidden` in an earlier boot, or not."""
    rule = withheld.get("lane", "")
    if hidden is None:
        return rule
    return (rule or EARLIER) if hidden else ""


def _keep_place(withheld: dict[str, str], place_rule: str) -> None:
    if not place_rule:
        withheld.pop("lane", None)
        withheld.pop("zone", None)
        return
    for name in PLACE_TELLERS:
        withheld.setdefault(name, place_rule)
    for name, (outer, _) in INNER.items():
        if outer in withheld:
            withheld.pop(name, None)


def _keep_files(
    files: dict[str, str], rules: Iterable[Rule], head: _Head, by_field: str | None
) -> None:
    for each in head.evidence:
        if by_field is not None:
            files.setdefault(each.sha256, by_field)
        for rule in rules:
            if {each.name, each.media_type} & rule.evidence:
                files.setdefault(each.sha256, rule.name)


# --- from the configuration -----------------------------------------------------------------


def rule_of(rule: "ReleaseRule") -> Rule:
    """A rule as the configuration says it."""
    return Rule(
        name=rule.name,
        events=frozenset(rule.events),
        directions=frozenset(rule.directions),
        levels=frozenset(rule.levels),
        exercise=rule.exercise,
        places=frozenset(rule.places),
        fields=tuple(rule.fields),
        evidence=frozenset(rule.evidence),
        everything=rule.all,
    )


def release_of(config: "Config") -> Release:
    """The rules of a configuration. ConfigError where its secret cannot be had."""
    rules: dict[str, list[Rule]] = {
        name: [rule_of(each) for each in side.release] for name, side in config.sides.items()
    }
    if not any(rules.values()):
        return Release({}, b"")
    path = config.keys.release_secret_file or config.state_dir / SALTS_FILE
    try:
        secret = read_secret(path)
    except OSError as error:
        mistake = Mistake(
            line=None,
            key="keys.release_secret_file",
            value=str(path),
            message=f"the secret cannot be read ({error.strerror})",
            mend="let the user that Garita runs as read it",
        )
        raise ConfigError("keys", [mistake]) from error
    return Release(rules, secret)


def read_secret(path: Path) -> bytes:
    """The site's secret for salts, made where there is none. OSError where neither can be done."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        secret = os.urandom(SECRET_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        return secret
