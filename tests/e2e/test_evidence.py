# ruff: noqa: PLR0917 - fixtures come by position
"""What a portal measured and a ground sensor heard, from their bytes to both countries' centres."""

import contextlib
import hashlib

import pytest

from edge.cli import main
from edge.delivery.centre import Centre
from edge.delivery.centre_store import CentreStore
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings
from edge.protocol.messages import decode_alert
from tests.edge.rehearsed import live_day

SITE = "mariposa"
N42, MINISEED, PNG = "application/xml", "application/vnd.fdsn.mseed", "image/png"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return live_day(tmp_path_factory.mktemp("live"))


@pytest.fixture
def running():
    with contextlib.ExitStack() as stack:

        def start(what):
            what.start()
            stack.callback(what.stop)
            return what

        yield start


def named(rows):
    """Digest and size of every file that an alert names."""
    found = {}
    for row in rows:
        message = decode_alert(row.payload)
        found |= {each.sha256: each.bytes for each in message.evidence}
        assert message.level >= 2 or not message.evidence
    return found


def test_each_alert_has_its_document_or_clip_and_a_picture_at_both_centres(
    day, secure_mosquitto, files_for, free_port, running, until, tmp_path
):
    outbox = Outbox(day.config.state_dir / "outbox.db", ["north", "south"])
    ports = {"north": secure_mosquitto("north").port, "south": free_port()}

    def centre(side):
        tls = files_for(side, "centre")
        settings = SideSettings(name=side, host="127.0.0.1", port=ports[side], tls=tls)
        running(Centre(settings, tmp_path / f"{side}.db"))

    for side, port in ports.items():
        edge = SideSettings(
            name=side, host="127.0.0.1", port=port, tls=files_for(side, SITE), keeps_cursor=True
        )
        running(Publisher(edge, outbox, site=SITE))
    centre("north")
    until(lambda: outbox.depth("north") == 0)
    assert outbox.depth("south") == len(day.rows)  # a broker that is not there yet
    secure_mosquitto("south", port=ports["south"])
    centre("south")
    until(lambda: outbox.depth("south") == 0, within_s=60)
    assert outbox.dead_letters() == []
    wanted = named(day.rows)
    assert len(wanted) >= 2
    for side in ports:
        store = CentreStore(tmp_path / f"{side}.db")
        files = store.evidence(SITE)
        store.close()
        assert {file.sha256: len(file.payload) for file in files} == wanted
        assert all(hashlib.sha256(file.payload).hexdigest() == file.sha256 for file in files)
        assert {file.media_type for file in files} == {N42, MINISEED, PNG}
    outbox.close()


def test_a_replay_makes_the_very_same_files(day, tmp_path, capfdbinary):
    made = tmp_path / "files"
    assert main(["replay", str(day.recording), "--as-recorded", "--evidence", str(made)]) == 0
    assert capfdbinary.readouterr().out == b"".join(row.payload + b"\n" for row in day.rows)
    files = [path.read_bytes() for path in sorted(made.rglob("*-*"))]
    assert {hashlib.sha256(each).hexdigest(): len(each) for each in files} == named(day.rows)
