import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.protocol.messages import decode_alert
from edge.terminal.board import Entry
from edge.terminal.evidence import EvidenceFolder, FileCame
from edge.terminal.stream import Wording

ROOT = Path(__file__).parents[3]
TOPIC = "garita-exercise/v1/mariposa/evidence/01JD3M8A7Q0123456789ABCDEF/2"
DATA = b"not really a picture"
SHA256 = hashlib.sha256(DATA).hexdigest()


def came(**changes):
    return FileCame(
        **{"topic": TOPIC, "payload": DATA, "name": "pass.png", "sha256": SHA256} | changes
    )


def test_a_file_is_kept_in_its_alert_s_folder_once(tmp_path):
    folder = EvidenceFolder(tmp_path)
    notice = folder.take(came())
    path = tmp_path / "mariposa" / "01JD3M8A7Q0123456789ABCDEF" / "2-pass.png"
    assert notice.name == "evidence_kept"
    assert notice.facts == {"alert": "01JD3M8A7Q0123456789ABCDEF", "file": "2-pass.png"}
    assert path.read_bytes() == DATA
    assert folder.take(came()) is None  # the other side's copy


def test_a_file_that_is_not_what_it_says_is_told_and_not_kept(tmp_path):
    notice = EvidenceFolder(tmp_path).take(came(sha256="0" * 64))
    assert notice.name == "evidence_damaged"
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a/b", "", "\0", "é" * 300])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    assert EvidenceFolder(tmp_path / "in").take(came(name=name)).name == "evidence_kept"
    assert [path.parent.parent.parent for path in tmp_path.rglob("2-*")] == [tmp_path / "in"]


def test_the_stream_names_an_alert_s_files_in_both_languages():
    golden = json.loads((ROOT / "tests/golden/messages/alert.json").read_bytes())
    files = [
        {"name": "pass.n42", "media_type": "application/xml", "sha256": SHA256, "bytes": 63879}
    ]
    payload = json.dumps(golden | {"evidence": files}).encode()
    shown = Entry(
        message=decode_alert(payload), payload=payload, exercise=False, sides=("north",),
        already_active=False,
    )  # fmt: skip
    assert "pass.n42 (63 kB)" in Wording("en-US").evidence(shown)
    assert Wording("es-MX").evidence(shown).startswith("Evidencia: ")


def test_watch_keeps_the_files_of_a_real_broker(mosquitto, tmp_path, until):
    broker = mosquitto()
    watching = subprocess.Popen(
        [sys.executable, "-m", "edge", "watch", broker.url, "--evidence", tmp_path, "--for", "60s"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert any("connected" in line for line in watching.stdout)
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [("name", "pass.png"), ("sha256", SHA256)]
        kept = tmp_path / "mariposa" / "01JD3M8A7Q0123456789ABCDEF" / "2-pass.png"

        def published():  # again until the viewer has subscribed, which it does not tell
            client.publish(TOPIC, DATA, 1, properties=properties).wait_for_publish(10)
            return kept.exists()

        until(published)
        client.disconnect()
        client.loop_stop()
        assert any("01JD3M8A7Q0123456789ABCDEF/2-pass.png" in line for line in watching.stdout)
        assert kept.read_bytes() == DATA
    finally:
        watching.terminate()
        watching.communicate(timeout=60)
