"""`garita check`: the file first, then the world."""

import socket
from argparse import Namespace

import pytest

from edge import cli
from edge.probing import check
from edge.probing.run import Finding
from tests.ports import free_port

FIVE_MISTAKES = """\
site:
  id: Mariposa
sides:
  north: {broker: auto, prot: 18831}
lanes:
  - {id: nb-01, direction: north}
sensors:
  - {id: rpm-1, kind: rpm-tsa, lane: nb-02, url: "tcp://10.0.0.1:1600"}
  - {id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "tcp://10.0.0.2:1600"}
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "site.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def ports():
    """Two free ports."""
    return free_port(), free_port()


def test_five_mistakes_are_five_reported_each_with_line_and_mend(written, capsys):
    path = written(FIVE_MISTAKES)
    assert cli.main(["check", str(path)]) == 3
    shown = capsys.readouterr().out
    assert shown.startswith(f"{path}: 5 mistakes\n")
    blocks = shown.split("\n\n")[1:]
    heads = [block.splitlines()[0] for block in blocks]
    assert heads == [
        "line 2: site.id = Mariposa",
        "line 4: sides.north.prot = 18831",
        "line 6: lanes[0].direction = north",
        "line 8: sensors[0].lane = nb-02",
        "line 9: sensors[1].id = rpm-1",
    ]
    assert all("    mend: " in block for block in blocks)


def test_a_mistake_in_the_policy_is_one_of_the_config(written, tmp_path, capsys):
    (tmp_path / "policy.yaml").write_text("alarms: {deadband_nats: {value: x, why: y}}\n")
    text = FIVE_MISTAKES.replace("Mariposa", "mariposa").replace("prot", "port")
    text = text.replace("north}", "northbound}").replace("nb-02", "nb-01")
    text = text.replace(
        '- {id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "tcp://10.0.0.2:1600"}\n', ""
    )
    path = written("policy: policy.yaml\n" + text.rstrip(" -") + "\n")
    assert check.main(Namespace(file=path)) == 3
    shown = capsys.readouterr().out
    assert "policy.yaml: 1 mistake\n" in shown
    assert "alarms.deadband_nats.value = x" in shown


def site(ports, url, more=""):
    broker, http = ports
    return f"""\
site: {{id: mariposa}}
sides: {{north: {{broker: auto, port: {broker}}}}}
http: {{port: {http}}}
lanes: [{{id: nb-01, direction: northbound}}]
sensors: [{{id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "{url}", timeout_s: 5{more}}}]
"""


def test_all_that_answers_is_shown_in_words(written, ports, capsys):
    with socket.create_server(("127.0.0.1", 0)) as portal:
        path = written(site(ports, f"tcp://127.0.0.1:{portal.getsockname()[1]}"))
        code = check.main(Namespace(file=path))
    shown = capsys.readouterr().out
    assert code == 0, shown
    lines = [line.split() for line in shown.splitlines()]
    assert f"{path}: no mistakes" in shown
    assert ["ok", "rpm-1"] in [words[:2] for words in lines]
    assert ["ok", "http"] in [words[:2] for words in lines]
    assert "0 fail" in shown


def test_a_sensor_that_does_not_answer_is_exit_code_5(written, ports, capsys):
    assert check.main(Namespace(file=written(site(ports, "/dev/garita-none")))) == 5
    assert "fail  rpm-1" in capsys.readouterr().out


def test_a_broker_that_cannot_be_started_is_exit_code_4(written, ports, capsys):
    path = written(site(ports, "/dev/garita-none"))
    with socket.create_server(("127.0.0.1", ports[0])):
        assert check.main(Namespace(file=path)) == 4
    assert "fail  north" in capsys.readouterr().out


def test_a_port_that_is_taken_is_exit_code_3(written, ports, capsys):
    path = written(site(ports, "/dev/garita-none", ", fallback: simulator"))
    with socket.create_server(("127.0.0.1", ports[1])):
        assert check.main(Namespace(file=path)) == 3
    shown = capsys.readouterr().out
    assert "warn  rpm-1" in shown
    assert "fail  http" in shown


@pytest.mark.parametrize(
    ("failed", "code"),
    [((), 0), (("machine",), 3), (("sensor", "machine"), 5), (("broker", "sensor"), 4)],
)
def test_the_exit_code_names_the_worst(failed, code):
    findings = [
        Finding(group=group, name="x", status="fail" if group in failed else "warn", text="")
        for group in ("sensor", "broker", "machine")
    ]
    assert check.exit_code(findings) == code
