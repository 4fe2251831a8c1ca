# ruff: noqa: PLR0917 - fixtures come by position
"""`garita centre` as a process: what it prints, believes and refuses, and how it ends."""

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.delivery.centre_command import json_line, line
from edge.delivery.centre_store import Arrival, CentreStore
from edge.delivery.publisher import Publisher
from edge.delivery.release import Release, Rule
from edge.delivery.rows import ORIGIN, Mark
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.trust.keys import write_keyring
from tests.edge.delivery.test_release import SECRET, alert, row_of
from tests.edge.delivery.test_seals import EDGE, KEYRING

ROOT = Path(__file__).parents[3]
STATE = topics.ops_state_topic(topics.ROOT, "north")


@pytest.fixture
def garita_centre(tmp_path):
    """Starts the command; every process is ended."""
    started = []

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "edge", "centre", *arguments],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_it_prints_what_it_verified_and_stored_and_ends_calmly(
    mosquitto, outbox, until, tmp_path, garita_centre, listen
):
    broker, ring, store = mosquitto(), tmp_path / "ring.json", tmp_path / "north.db"
    write_keyring(ring, KEYRING.keys)
    heard = listen(broker.port, STATE)
    process = garita_centre(
        "--side", "north", "--url", broker.url, "--store", str(store), "--keyring", str(ring),
        "--json",
    )  # fmt: skip
    until(lambda: [m for m in heard.got if b"true" in m.payload])
    forged = row_of(alert(1, epoch=outbox.epoch, msg_type="Cancel"))
    heard.client.publish(forged.topic, forged.payload, 1).wait_for_publish(30)
    settings = SideSettings(name="north", host="127.0.0.1", port=broker.port, keeps_cursor=True)
    north = Publisher(settings, outbox, site="mariposa", signer=EDGE)
    files = ("pass.n42", "scan.png")
    outbox.commit([row_of(alert(seq, epoch=outbox.epoch), files=files) for seq in (1, 2)])
    north.start()
    try:
        printed = [json.loads(process.stdout.readline()) for _ in range(2)]
    finally:
        north.stop()
    assert [(each["seq"], each["alert"]["msg_type"]) for each in printed] == [
        (1, "Alert"),
        (2, "Alert"),
    ]
    assert printed[0]["key"] == EDGE.key_id
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert '"refused": {"misnumbered": 1}' in told
    with closing(CentreStore(store)) as held:
        assert [mark.seq for mark, _ in held.stored("mariposa")] == [1, 2]
        assert len(held.evidence("mariposa")) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--side", "north", "--url", "http://x"], 3),
        (["--side", "north", "--url", "mqtt://127.0.0.1:1", "--keyring", "/nowhere"], 3),
        (["--side", "north", "--url", "mqtt://127.0.0.1:1", "--store", "/dev/null/x"], 3),
        (["--side", "east", "--url", "mqtt://127.0.0.1:1"], 2),
    ],
)
def test_what_cannot_be_used_is_said_at_once(garita_centre, arguments, code):
    process = garita_centre(*arguments)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert (arguments[1] if code == 2 else arguments[-1]) in told


def arrival(payload, topic="garita/v1/mariposa/nb-01/alert"):
    mark = Mark(epoch="E", seq=1)
    return Arrival(site="mariposa", mark=mark, after=ORIGIN, topic=topic, payload=payload)


def test_a_person_reads_what_is_told_and_that_something_is_not():
    whole = row_of(alert())
    told = line(arrival(whole.payload), False, "es-MX")
    assert told == "2026-11-21T18:03:19Z  mariposa/nb-01  #1  CRÍTICA  Fuente"
    rules = {"south": [Rule(name="quiet", fields=("facts",))]}
    less = Release(rules, SECRET).released(whole).told_to("south")
    assert line(arrival(less.payload), True, "en-US").endswith(
        "Fuente  (withheld by quiet: description, facts)  (ahead of a backlog)"
    )
    assert line(arrival(b"{}"), False, "en-US").endswith("unreadable")
    assert json.loads(json_line(arrival(b"\xff"), True))["alert"] is None
