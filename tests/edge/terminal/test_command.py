"""`garita command` against a real broker, and a checkpoint's publisher and asking behind it."""

import json
import threading
import time

import pytest

from edge import cli
from edge.delivery.hooks import Hooks
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings
from edge.station.asking import Asking
from edge.terminal.command import message_of
from edge.together.vouching import Vouching
from edge.trust.keys import Keyring, make_signer

HOUR_NS = 3600 * 10**9


@pytest.fixture
def keys(tmp_path):
    now_utc_ns = time.time_ns()
    said = {"not_before_utc_ns": now_utc_ns - HOUR_NS, "not_after_utc_ns": now_utc_ns + HOUR_NS}
    return {
        side: make_signer(tmp_path / f"{side}.pem", owner=side, role="centre", **said)
        for side in ("north", "south")
    }


@pytest.fixture
def checkpoint(mosquitto, tmp_path, keys, until):
    """The northern side of one that believes both centres' keys; the arguments to ask it."""
    broker = mosquitto()
    outbox = Outbox(tmp_path / "outbox.db", ["north", "south"])
    keyring = Keyring([one.public for one in keys.values()])
    asking = Asking(
        site="mariposa",
        places=["nb-01"],
        sensors=["rpm-1"],
        ask=lambda asked, trigger: [],
        active=lambda: {"01JD8"},
        answer=lambda command, payload: publisher.publish_live(
            command.response_topic, payload, correlation=command.correlation
        ),
        now_utc_ns=time.time_ns,
        vouch=Vouching(keyring, time.time_ns),
    )
    settings = SideSettings(name="north", host="127.0.0.1", port=broker.port)

    def hand_over(command):
        # Live messages give way to whatever waits to be written, be it the command's own PUBACK.
        threading.Timer(0.1, asking.take, [command]).start()

    publisher = Publisher(settings, outbox, site="mariposa", hooks=Hooks(command=hand_over))
    publisher.start()
    until(lambda: publisher.status().connected)
    yield ["command", "--side", "north", "--url", broker.url, "--site", "mariposa"]
    publisher.stop()
    outbox.close()


def answered(capsys):
    """The answer that was printed last; the checkpoint's own log may stand before it."""
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_signed_command_is_carried_out_and_the_answer_printed(checkpoint, tmp_path, capsys):
    signed = [*checkpoint, "--signing-key", str(tmp_path / "north.pem")]
    assert cli.main([*signed, "ack", "01JD8"]) == 0
    answer = answered(capsys)
    assert (answer["accepted"], answer["state"]["stage"]) == (True, "acknowledged")
    assert cli.main([*signed, "ack", "01JD8"]) == 1
    assert answered(capsys)["refusal"] == "already"
    assert cli.main([*signed, "adjudicate", "01JD8", "code=INNOCENT_NORM"]) == 0


def test_who_signs_nothing_or_for_another_is_refused(checkpoint, tmp_path, capsys):
    assert cli.main([*checkpoint, "ack", "01JD8"]) == 1
    assert answered(capsys)["refusal"] == "unsigned"
    assert (
        cli.main([*checkpoint, "--signing-key", str(tmp_path / "south.pem"), "ack", "01JD8"]) == 1
    )
    assert answered(capsys)["refusal"] == "wrong-owner"


def test_where_nobody_listens_it_says_so(mosquitto, free_port, capsys):
    asked = ["command", "--side", "north", "--site", "nogales", "ack", "1", "--url"]
    assert cli.main([*asked, mosquitto().url]) == 4
    assert "no checkpoint of that name" in capsys.readouterr().err
    assert cli.main([*asked, f"mqtt://127.0.0.1:{free_port()}"]) == 4
    assert "Connection refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["akc", "1"], "there is no 'akc'"),
        (["ack"], "missing required field `alert`"),
        (["adjudicate", "1", "code=GUILTY"], "code"),
        (["resend", "from=0"], "from"),
    ],
)
def test_what_is_no_command_is_wrong_usage(words, says, capsys):
    asked = ["command", "--side", "north", "--site", "mariposa", "--url", "mqtt://127.0.0.1:1"]
    assert cli.main([*asked, *words]) == 2
    assert says in capsys.readouterr().err


def test_a_key_that_cannot_be_used_is_told(tmp_path, capsys):
    asked = ["command", "--side", "north", "--site", "mariposa", "--url", "mqtt://127.0.0.1:1"]
    assert cli.main([*asked, "--signing-key", str(tmp_path / "none.pem"), "ack", "1"]) == 3
    assert "none.p" in capsys.readouterr().err


def test_fields_are_given_by_name_and_numbers_are_numbers():
    assert message_of("record", ["from=7", "to=9"]).from_ == 7
    assert message_of("hand-over", ["01JD8", "step=offered", "to=south"]).alert == "01JD8"
