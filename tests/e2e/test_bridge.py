"""Two brokers with a bridge, both on what `garita broker init` wrote: once each way, no loops."""

import contextlib
import shutil
from collections import Counter

import pytest

from edge.delivery.broker import find_mosquitto
from edge.delivery.broker_files import BRIDGE, CERTIFICATES
from edge.delivery.broker_rules import ROOTS, carried
from tests.e2e.brokers import Client, init, running
from tests.ports import free_port

SITE = "mariposa"
ALERT = f"garita/v1/{SITE}/nb-01/alert"
DRILL = f"garita-exercise/v1/{SITE}/nb-01/alert"
CURSOR = f"garita/v1/ops/south/cursor/{SITE}"
ANSWER = f"garita/v1/{SITE}/answer/south/1"


@pytest.fixture
def two(tmp_path):
    """North's and south's folder and port; the north carries its site's messages south."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    north, south = (tmp_path / "north", free_port()), (tmp_path / "south", free_port())
    init(*_first(south, "south"), "--bridge-from", sites=[SITE])
    init(*_first(north, "north"), "--bridge-to", f"127.0.0.1:{south[1]}", sites=[SITE])
    (north[0] / BRIDGE).mkdir()
    for name in ("ca.pem", "bridge-north.pem", "bridge-north.key"):
        shutil.copy(south[0] / CERTIFICATES / name, north[0] / BRIDGE / name)
    return north, south


def _first(where, side):
    folder, port = where
    return folder, side, port


@pytest.fixture
def client():
    with contextlib.ExitStack() as stack:

        def connect(where, name, **options):
            made = Client(*where, name, **options)
            stack.callback(made.close)
            return made

        yield connect


def payloads(listener, topic):
    return Counter(each.payload for each in listener.heard if each.topic == topic)


def test_what_a_site_says_arrives_on_the_other_side_once_and_what_is_asked_comes_back(
    two, client, until
):
    north, south = two
    with running(*south), running(*north):
        edge, centres = client(north, SITE), [client(each, "centre") for each in two]
        for each in centres:
            each.listen("garita/v1/#", "garita-exercise/v1/#")
        edge.listen(f"garita/v1/{SITE}/cmd/#")
        edge.say([f"garita/v1/{SITE}/state"], b"up", retain=True)
        until(lambda: payloads(centres[1], f"garita/v1/{SITE}/state"))
        wanted = Counter({b"%d" % number: 1 for number in range(100)})
        for number in wanted:
            edge.say([ALERT, DRILL], number)
        ask = f"garita/v1/{SITE}/cmd/ack"
        centres[1].say([ask, CURSOR], b"from the south")
        until(lambda: payloads(edge, ask))
        edge.say([ANSWER], b"done")
        for each in centres:
            until(lambda each=each: payloads(each, ANSWER))
            assert payloads(each, ALERT) == payloads(each, DRILL) == wanted
            assert payloads(each, ask) == payloads(each, CURSOR) == Counter([b"from the south"])
            assert payloads(each, ANSWER) == Counter([b"done"])
        assert payloads(edge, ask) == Counter([b"from the south"])


def test_what_was_said_while_the_other_broker_was_down_arrives_once_it_is_back(two, client, until):
    north, south = two
    with running(*south), running(*north):
        edge, centre = client(north, SITE), client(south, "centre")
        edge.say([f"garita/v1/{SITE}/state"], b"up", retain=True)
        centre.listen("garita/v1/#")
        until(lambda: payloads(centre, f"garita/v1/{SITE}/state"))
        centre.close()
    with running(*north):
        edge = client(north, SITE)
        wanted = Counter({b"%d" % number: 1 for number in range(100)})
        for number in wanted:
            edge.say([ALERT], number)
        with running(*south):
            centre = client(south, "centre")
            centre.listen("garita/v1/#")
            until(lambda: sum(payloads(centre, ALERT).values()) >= 100)
            edge.say([ANSWER], b"last")
            until(lambda: payloads(centre, ANSWER))
            assert payloads(centre, ALERT) == wanted


def test_no_topic_is_carried_both_ways():
    for site in (SITE, "otay"):
        outward, inward = carried("north", [site])
        back_out, back_in = carried("south", [site])
        assert not {topic for topic, _ in outward} & {topic for topic, _ in inward}
        both = {topic for topic, _ in (*outward, *inward, *back_out, *back_in)}
        assert all(topic.startswith(ROOTS) for topic in both)
