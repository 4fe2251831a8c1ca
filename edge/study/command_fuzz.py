"""Command messages as anybody might send them: honest, not to be believed, or malformed."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Literal

import msgspec

from edge.delivery.hooks import Command
from edge.protocol import topics
from edge.protocol.commands import COMMANDS
from edge.station.asking import MAX_BYTES
from edge.study.bench_mutations import mutated
from edge.study.command_site import SIDES, SITE, CommandSite, valid_payloads
from edge.trust.signatures import FRESH_S

Kind = Literal["honest", "unbelieved", "malformed"]

POOL = 400  # commands that are signed once and harmed often
TAKEN = 500  # honest ones of late, to be replayed
LATEST_S = 1e7
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 2**53, 2**64 - 1, -(2**63), 1e308, "", " ", "\x00", "A" * 500,
    "á\U0001f69a", [], [[]], {}, {"": {}}, "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59", "north",
)  # fmt: skip
HUGE = (
    b" " * 1_000_000,
    b"[" * 1_000_000,
    b'{"a":' * 200_000,
    b'"' + b"x" * 300_000 + b'"',
    b'{"alert":"' + b"1" * 65_000 + b'"}',
)
DEEP = tuple(
    opening * depth + closing * depth
    for depth in (50, 500, 1_300)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'{"alert":', b"}"))
)
WORDS = ("", " ", "0", "A" * 88, "=" * 88, "\x00", "é", "x" * 60_000, "2026-11-21", "-1")


class Fuzz:
    """A seeded stream of them."""

    def __init__(self, site: CommandSite, random: Random) -> None:
        self._site = site
        self._random = random
        self._payloads = valid_payloads(site)
        self._pool: list[Command] = []
        self._taken: deque[Command] = deque(maxlen=TAKEN)
        self._forms: tuple[tuple[int, Callable[[], tuple[Kind, Command]]], ...] = (
            (5, self._honest),
            (15, self._unsigned),
            (25, self._altered),
            (10, self._properties),
            (8, self._replayed),
            (6, self._stranger),
            (4, self._stale),
            (2, self._huge),
            (25, self._malformed),
        )
        self.renew()

    def renew(self) -> None:
        """Other alerts come, and what was signed grows stale."""
        self._site.other_alerts()
        self._payloads = valid_payloads(self._site)
        self._pool = [self._signed() for _ in range(POOL)]

    def __iter__(self) -> Iterator[tuple[Kind, Command]]:
        """Without an end."""
        weights = [weight for weight, _ in self._forms]
        forms = [form for _, form in self._forms]
        while True:
            (form,) = self._random.choices(forms, weights)
            yield form()

    def _signed(self, payload: bytes | None = None) -> Command:
        verb, valid = self._random.choice(self._payloads)
        side = self._random.choice(SIDES)
        return self._site.signed(side, topic_of(verb), valid if payload is None else payload)

    def _honest(self) -> tuple[Kind, Command]:
        self._site.worse(self._random.choice(list(self._site.alerts)))
        command = self._signed()
        self._taken.append(command)
        return "honest", command

    def _unsigned(self) -> tuple[Kind, Command]:
        command = replace(self._random.choice(self._pool), user_properties=())
        if self._random.random() < 0.5:
            command = replace(command, payload=mutated(command.payload, self._random))
        return "unbelieved", command

    def _altered(self) -> tuple[Kind, Command]:
        random, command = self._random, self._random.choice(self._pool)
        form = random.randrange(6)
        if form <= 1:
            payload = mutated(command.payload, random)
            changed = replace(command, payload=payload)
        elif form == 2:
            verb = random.choice([*COMMANDS, "config", "", "#", "ack/ack"])
            root = random.choice((topics.ROOT, topics.EXERCISE_ROOT, "garita/v2", ""))
            site = random.choice((SITE, "nogales", "", "+"))
            changed = replace(command, topic=f"{root}/{site}/cmd/{verb}")
        elif form == 3:
            changed = replace(command, side=SIDES[command.side == SIDES[0]])
        elif form == 4:
            changed = replace(command, correlation=random.randbytes(random.randrange(40)))
        else:
            changed = replace(
                command, response_topic=command.response_topic + random.choice("0/é#")
            )
        if changed == command:
            changed = replace(changed, retained=True)
        return "unbelieved", changed

    def _properties(self) -> tuple[Kind, Command]:
        random, command = self._random, self._random.choice(self._pool)
        properties = list(command.user_properties)
        at = random.randrange(len(properties))
        name, value = properties[at]
        form = random.randrange(6)
        if form == 0:
            properties[at] = (name, random.choice(WORDS))
        elif form == 1:
            del properties[at]
        elif form == 2:
            properties.append((name, random.choice((value, *WORDS))))
        elif form == 3:
            # Not the last digits: of those of base64 not every bit counts.
            where = random.randrange(min(len(value), 80))
            sign = "A" if value[where] != "A" else "B"
            properties[at] = (name, value[:where] + sign + value[where + 1 :])
        elif form == 4:
            properties = [(name, "x" * 1_000)] * 200 + properties
        else:
            other = random.choice(self._pool)
            properties[at] = other.user_properties[at]
            if other.user_properties[at] == (name, value):
                del properties[at]
        return "unbelieved", replace(command, user_properties=tuple(properties))

    def _replayed(self) -> tuple[Kind, Command]:
        if not self._taken:
            return self._unsigned()
        command = self._random.choice(self._taken)
        return "unbelieved", replace(command, retained=self._random.random() < 0.1)

    def _stranger(self) -> tuple[Kind, Command]:
        by = self._random.choice(list(self._site.strangers.values()))
        verb, payload = self._random.choice(self._payloads)
        return "unbelieved", self._site.signed("north", topic_of(verb), payload, by=by)

    def _stale(self) -> tuple[Kind, Command]:
        late_s = self._random.uniform(FRESH_S + 1, LATEST_S) * self._random.choice((-1, 1))
        verb, payload = self._random.choice(self._payloads)
        side = self._random.choice(SIDES)
        return "unbelieved", self._site.signed(side, topic_of(verb), payload, late_s=late_s)

    def _huge(self) -> tuple[Kind, Command]:
        command = replace(self._random.choice(self._pool), payload=self._random.choice(HUGE))
        return "malformed", command

    def _malformed(self) -> tuple[Kind, Command]:
        random = self._random
        verb, valid = random.choice(self._payloads)
        form = random.randrange(6)
        if form <= 1:
            payload = mutated(valid, random)
        elif form == 2:
            payload = random.choice(DEEP)
        elif form == 3:
            payload = random.randbytes(random.randrange(200))
        else:
            asked = msgspec.json.decode(valid)
            name = random.choice([*asked, "schema", "for", ""])
            asked[name] = random.choice(VALUES)
            payload = msgspec.json.encode(asked)
        if form == 5:
            verb = random.choice(list(COMMANDS))
        command = self._site.signed(random.choice(SIDES), topic_of(verb), payload)
        return "honest" if understood(verb, payload) else "malformed", command


def topic_of(verb: str) -> str:
    """Where it is asked."""
    return f"{topics.ROOT}/{SITE}/cmd/{verb}"


def understood(verb: str, payload: bytes) -> bool:
    """Whether it is a command, however it came about."""
    try:
        msgspec.json.decode(payload, type=COMMANDS[verb])
    except ValueError:
        return False
    return len(payload) <= MAX_BYTES
