"""Each principal and each topic, tried on a broker that runs on what `garita broker init` wrote.

The broker's word is not taken for it: what counts is what reaches somebody who hears everything.
"""

import contextlib

import pytest

from edge.delivery.broker import find_mosquitto
from edge.delivery.broker_files import CERTIFICATES
from edge.delivery.certificates import Authority
from edge.protocol.commands import COMMANDS
from tests.e2e.brokers import DAY, SITES, Client, init, running
from tests.ports import free_port

REAL, DRILL = "garita/v1", "garita-exercise/v1"
PROBE = "probe"  # hears and says everything; only the tests give anybody such rights
EVERYTHING = f"\nuser {PROBE}\ntopic readwrite #\ntopic read $SYS/#\n"

SAID = (
    "state", "birth", "nb-01/alert", "nb-01/active/01JD", "nb-01/health", "nb-01/live/seismic",
    "east/live/gamma", "evidence/01JD/1", "answer/1", "answer/north/0a1b", "record/checkpoint",
)  # fmt: skip
"""What the edge of a site may say below its name."""
ASKED = tuple(f"cmd/{verb}" for verb in COMMANDS)
NOBODY = (
    "cmd/alert", "cmd/health", "cmd/no-such-verb", "cmd/ack/more", "record", "record/secret",
    "state/more", "alert", "evidence/01JD", "evidence/01JD/1/2", "evidence/other/check/rights",
    "nb-01/alert/more", "nb-01",
)  # fmt: skip
"""Below a site's name, and nobody's but for an edge's own place called `cmd`."""
OPS = (
    "state",
    *(f"{what}/{site}" for what in ("cursor", "cosignature") for site in (*SITES, "elsewhere")),
    "cursor",
    "more",
)
TOPICS = (
    *(
        f"{root}/{site}/{leaf}"
        for root in (REAL, DRILL)
        for site in (*SITES, "elsewhere", "centre")
        for leaf in (*SAID, *ASKED, *NOBODY)
    ),
    *(
        f"{root}/ops/{side}/{leaf}"
        for root in (REAL, DRILL)
        for side in ("north", "south")
        for leaf in OPS
    ),
    f"{REAL}/mariposa/evidence/probe/check/rights",
    f"{REAL}/all", "garita/v2/mariposa/state", "garita", "/garita/v1/mariposa/state", "plain",
)  # fmt: skip
STRANGERS = ("#", "+", "%u", "Mariposa", "mariposa ", "ops", "nobody", "bridge-north")
PRINCIPALS = (*SITES, "centre", "console", "bridge-south", *STRANGERS)


def may_write(who, topic):
    """The rule again, in other words than the program's: who may say what on the north's broker."""
    root, name, leaf = parted(topic)
    if who in SITES:
        own = name == who and (leaf in {*SAID, "cmd/alert", "cmd/health"} and bool(root))
        return own or topic == f"{REAL}/{who}/evidence/probe/check/rights"
    ops = [f"{what}/{site}" for what in ("cursor", "cosignature") for site in SITES]
    if who == "centre":
        asks = name in SITES and leaf in ASKED and bool(root)
        return asks or topic in {f"{REAL}/ops/north/{each}" for each in ("state", *ops)}
    if who == "bridge-south":
        live = "/live/" in topic  # stays where it is: a bridge would store it
        says = name in SITES and leaf in {*SAID, "cmd/alert", "cmd/health"} and bool(root)
        return (says and not live) or topic in {
            f"{REAL}/ops/south/{each}" for each in ("state", *ops)
        }
    return False


def may_read(who, topic):
    """Who may hear what on the north's broker."""
    root, name, leaf = parted(topic)
    ops = [f"{what}/{site}" for what in ("cursor", "cosignature") for site in SITES]
    if who in SITES:
        asked = name == who and leaf.startswith("cmd/") and bool(root)
        own = [f"{REAL}/ops/north/{each}/{who}" for each in ("cursor", "cosignature")]
        return asked or topic in {*own, f"{REAL}/ops/north/state"}
    if who in {"centre", "console"}:
        return bool(root)
    if who == "bridge-south":
        asked = name in SITES and leaf in ASKED and bool(root)
        return asked or topic in {f"{REAL}/ops/north/{each}" for each in ("state", *ops)}
    return False


def parted(topic):
    """Root, name and the rest; `""` for the root of topics that are not ours."""
    for root in (REAL, DRILL):
        if topic.startswith(f"{root}/"):
            name, _, leaf = topic.removeprefix(f"{root}/").partition("/")
            return root, name, leaf
    return "", "", ""


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    """Folder and port of the north's broker, with a probe that hears all."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    folder, port = tmp_path_factory.mktemp("north"), free_port()
    init(folder, "north", port, "--bridge-from")
    authority = Authority(folder / CERTIFICATES, valid_for=None)
    for name in (PROBE, *(each for each in STRANGERS if each != "bridge-south")):
        authority.issue(name, valid_for=DAY)
    rules = folder / "access-list"
    rules.write_text(rules.read_text() + EVERYTHING)
    with running(folder, port):
        yield folder, port


@pytest.fixture
def client():
    with contextlib.ExitStack() as stack:

        def connect(where, name, **options):
            made = Client(*where, name, **options)
            stack.callback(made.close)
            return made

        yield connect


@pytest.mark.parametrize("retain", [False, True], ids=["once", "retained"])
def test_whoever_says_what_is_not_theirs_is_not_heard(north, client, until, retain):
    probe = client(north, PROBE)
    probe.listen("#")
    wrong = {}
    for who in PRINCIPALS:
        speaker = client(north, who)
        token = f"{who} {retain}".encode()
        reasons = speaker.say(TOPICS, token, retain=retain)
        allowed = {topic for topic in TOPICS if may_write(who, topic)}
        probe.say(["end"], token)
        until(lambda token=token: "end" in probe.topics(token))
        heard = probe.topics(token) - {"end"}
        taken = {topic for topic, reason in reasons.items() if reason < 0x80}
        wrong[who] = (heard ^ allowed) | (taken ^ allowed)
    assert wrong == {who: set() for who in PRINCIPALS}
    assert sum(may_write(who, topic) for who in PRINCIPALS for topic in TOPICS) > 100


@pytest.mark.parametrize(
    "filters", [("#",), TOPICS, ("+/+/#", "$share/all/#")], ids=["all", "each", "odd"]
)
@pytest.mark.parametrize("retain", [False, True], ids=["once", "retained"])
def test_whoever_listens_hears_only_what_is_for_them(north, client, until, retain, filters):
    probe = client(north, PROBE)
    token = f"{retain} {len(filters)}".encode()
    listeners = {} if retain else {who: client(north, who) for who in PRINCIPALS}
    for each in listeners.values():
        each.listen(*filters)
    assert set(probe.say(TOPICS, token, retain=retain).values()) <= {0, 0x10}
    if retain:  # who comes later is told what was kept
        listeners = {who: client(north, who) for who in PRINCIPALS}
        for each in listeners.values():
            each.listen(*[each for each in filters if not each.startswith("$share")])
    allowed = {who: {t for t in TOPICS if may_read(who, t)} for who in PRINCIPALS}
    until(lambda: all(listeners[who].topics(token) >= allowed[who] for who in PRINCIPALS))
    # What is forbidden had its chance before what is said last; everybody hears that in order.
    probe.say([f"{REAL}/mariposa/cmd/ack", f"{REAL}/otay/cmd/ack"], b"last" + token)
    until(
        lambda: all(
            one.topics(b"last" + token) or not allowed[who] for who, one in listeners.items()
        )
    )
    assert {who: one.topics(token) for who, one in listeners.items()} == allowed


def test_nobody_hears_how_the_broker_is(north, client, until):
    probe = client(north, PROBE)
    probe.listen("$SYS/#")
    listeners = [client(north, who) for who in PRINCIPALS]
    for each in listeners:
        each.listen("$SYS/#", "$SYS/broker/version")
    until(lambda: probe.heard)
    assert [each.heard for each in listeners] == [[]] * len(PRINCIPALS)


def test_a_will_has_no_more_rights_than_who_leaves_it(north, client, until):
    probe = client(north, PROBE)
    probe.listen("#")
    own, foreign = f"{REAL}/mariposa/state", f"{REAL}/otay/state"
    for who, topic in (("otay", own), ("console", own), ("centre", foreign), ("nobody", own)):
        client(north, who, will=topic).vanish()
    client(north, "mariposa", will=own).vanish()
    until(lambda: probe.topics(b"will"))
    assert [each.topic for each in probe.heard if each.payload == b"will"] == [own]
