"""Who may write and read what on a side's broker: the access list, each right with its reason.

Names of certificates are the users, written out one by one: with a pattern such as `%u` a
certificate whose name is odd would choose its own rights. What nobody is given is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.protocol import topics
from edge.protocol.commands import COMMANDS

SIDES = ("north", "south")
CENTRE = "centre"
CONSOLE = "console"
BROKER = "broker"
RESERVED = frozenset({CENTRE, CONSOLE, BROKER, "ca", "ops", *(f"bridge-{side}" for side in SIDES)})
"""No site may be called so: it would be another principal, or the centres' branch of the tree."""
ROOTS = (topics.ROOT, topics.EXERCISE_ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One line of an access list."""

    access: Literal["read", "write"]
    topic: str
    """A topic filter below which nothing else is allowed."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who connects: the common name of a client's certificate, and what it may do."""

    name: str
    what: str
    rights: tuple[Right, ...]


def checked_site(site: str) -> str:
    """The name itself. ValueError unless a site's edge can have it as its certificate's name."""
    if topics.checked(site) in RESERVED:
        raise ValueError(f"a site cannot be called {site}: that name means something else here")
    return site


def other(side: str) -> str:
    """The partner's side."""
    north, south = SIDES
    return south if side == north else north


def principals(
    side: str, sites: Sequence[str], *, bridged: bool = False, consoles: Sequence[str] = (CONSOLE,)
) -> tuple[Principal, ...]:
    """Everybody who has rights on a side's broker.

    bridged   the other side's broker may bring its sites' messages here

    ValueError where a name cannot be one.
    """
    if side not in SIDES:
        raise ValueError(f"{side!r} is no side: north or south")
    for site in sites:
        checked_site(site)
    return (
        *(edge(side, site) for site in sites),
        centre(side, sites),
        *(_console(topics.checked(name)) for name in consoles),
        *([_bridge(side, sites)] if bridged else []),
    )


def edge(side: str, site: str) -> Principal:
    """The edge of a site: it says what its own site says, and hears what is for it."""
    rights: list[Right] = []
    for root in ROOTS:
        rights += [Right(access="write", topic=topic, why=why) for topic, why in said(root, site)]
        rights += [
            Right(
                access="write",
                topic=f"{root}/{site}/+/live/+",
                why="live data, never stored; also how `garita check` asks whether we may write",
            ),
            Right(
                access="read",
                topic=topics.command_filter(root, site),
                why="what the centres ask of it, verbs that it does not know among it",
            ),
        ]
    ops = f"{topics.ROOT}/ops/{side}"
    return Principal(
        name=site,
        what=f"the edge of the site {site}",
        rights=(
            *rights,
            Right(
                access="write",
                topic=topics.evidence_probe_topic(topics.ROOT, site),
                why="how `garita check` asks whether files may be written; nobody hears it",
            ),
            Right(
                access="read",
                topic=topics.cursor_topic(topics.ROOT, side, site),
                why="what the centre has stored: an alert is done when it says so",
            ),
            Right(
                access="read",
                topic=topics.ops_state_topic(topics.ROOT, side),
                why="whether the centre is there",
            ),
            Right(
                access="read",
                topic=f"{ops}/cosignature/{site}",
                why="that this side vouches for the common record",
            ),
        ),
    )


def said(root: str, site: str) -> list[tuple[str, str]]:
    """What a site says that is worth keeping, with the reason: filter, why."""
    own = f"{root}/{site}"
    return [
        (topics.state_topic(root, site), "its state, and its will"),
        (topics.birth_topic(root, site), "what it is and which sensors it has"),
        (f"{own}/+/alert", "the stream of alerts of a lane or zone"),
        (f"{own}/+/active/+", "alerts that are active, and their clearing"),
        (f"{own}/+/health", "how the sensors of a lane or zone are"),
        (topics.evidence_filter(root, site), "the files of alerts"),
        (f"{own}/answer/#", "answers to commands"),
        (f"{own}/record/checkpoint", "where the common record stands, signed"),
    ]


def asked(site: str) -> list[tuple[str, str]]:
    """What a centre may ask of a site: topic, why.

    Verb by verb: with `cmd/+` it could say `cmd/alert`, which readers of `+/+/alert` would
    take for an alert of a lane called cmd.
    """
    return [
        (f"{root}/{site}/cmd/{verb}", f"asks the site: {verb}")
        for root in ROOTS
        for verb in COMMANDS
    ]


def centre(side: str, sites: Sequence[str]) -> Principal:
    """A side's operations centre: it hears everything, and speaks as itself only."""
    reads = [
        Right(access="read", topic=f"{root}/#", why="everything that this side is told")
        for root in ROOTS
    ]
    ops = f"{topics.ROOT}/ops/{side}"
    state = Right(
        access="write",
        topic=topics.ops_state_topic(topics.ROOT, side),
        why="its own state, and its will",
    )
    writes = [
        Right(access="write", topic=topic, why=why)
        for site in sites
        for topic, why in (
            (topics.cursor_topic(topics.ROOT, side, site), "up to where it has stored the alerts"),
            (f"{ops}/cosignature/{site}", "that it vouches for the common record"),
            *asked(site),
        )
    ]
    return Principal(
        name=CENTRE,
        what=f"the operations centre of the {side} side",
        rights=(*reads, state, *writes),
    )


def _console(name: str) -> Principal:
    return Principal(
        name=name,
        what="a screen that reads, and says nothing",
        rights=tuple(
            Right(access="read", topic=f"{root}/#", why="everything that this side is told")
            for root in ROOTS
        ),
    )


def _bridge(side: str, sites: Sequence[str]) -> Principal:
    """The other side's broker as a client of this one; see `carried` for the same from its end."""
    outward, inward = carried(other(side), sites)
    return Principal(
        name=f"bridge-{other(side)}",
        what=f"the broker of the {other(side)} side, which brings what its sites say",
        rights=(
            *(Right(access="write", topic=topic, why=why) for topic, why in outward),
            *(Right(access="read", topic=topic, why=why) for topic, why in inward),
        ),
    )


def carried(side: str, sites: Sequence[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What a side's broker carries to the other side's, and what it fetches: (filter, why).

    No topic is matched by both lists, so what was carried is not carried back. Two bridges
    between the same brokers would do that; `BrokerPlan` refuses the second.
    """
    outward = [each for site in sites for root in ROOTS for each in said(root, site)]
    inward = [each for site in sites for each in asked(site)]
    for mine, theirs in ((side, outward), (other(side), inward)):
        ops = f"{topics.ROOT}/ops/{mine}"
        theirs.append((f"{ops}/state", "whether that centre is there"))
        for site in sites:
            theirs.append((f"{ops}/cursor/{site}", "up to where that centre has stored"))
            theirs.append((f"{ops}/cosignature/{site}", "that it vouches for the common record"))
    return outward, inward


def access_list(side: str, who: Sequence[Principal]) -> str:
    """The file that Mosquitto reads."""
    lines = [
        f"# Who may write and read what on the broker of the {side} side; written by",
        "# `garita broker init`. A user is the common name of a client's certificate.",
        "# What does not stand here is refused.",
    ]
    for principal in who:
        lines += ["", f"# {principal.name}: {principal.what}", f"user {principal.name}"]
        for right in principal.rights:
            lines += [f"# {right.why}", f"topic {right.access} {right.topic}"]
    return "\n".join(lines) + "\n"
