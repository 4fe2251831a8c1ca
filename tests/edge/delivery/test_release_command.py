import json

import msgspec
import pytest

from edge.cli import main
from edge.config import load_config
from edge.delivery.release import Rule, release_of
from edge.delivery.release_words import Asked, explain, lines
from edge.delivery.rows import Row
from edge.protocol import topics
from edge.protocol.contract import AlertMessage, EvidenceMessage, ExplanationMessage, InfoBlock
from edge.protocol.messages import encode

SALTS = b"s" * 32
FILES = (("a.n42", "application/xml", "a"), ("b.png", "image/png", "b"))
RULES = """
      - name: arms-south
        directions: [southbound]
        levels: [3, 4]
        fields: [probability]
      - name: pictures
        evidence: [image/png]
"""


@pytest.fixture
def site(tmp_path):
    """A configuration whose south side is told less, and the site's secret."""
    config = tmp_path / "site.yaml"
    config.write_text(
        f"""
site:
  id: mariposa
state_dir: {tmp_path / "state"}
sides:
  north: {{broker: "mqtt://127.0.0.1:1"}}
  south:
    broker: "mqtt://127.0.0.1:2"
    release:{RULES}
lanes:
  - {{id: nb-01, direction: northbound}}
  - {{id: sb-01, direction: southbound}}
sensors:
  - {{id: rpm-sb-01, kind: rpm-tsa, lane: sb-01, url: "tcp://127.0.0.1:1"}}
"""
    )
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "release-salts").write_bytes(SALTS)
    return config


def alert(**changes):
    values = {
        "id": "01JD", "revision": 1, "seq": 7, "epoch": "E", "site": "mariposa", "lane": "sb-01",
        "zone": None, "direction": "southbound", "status": "Actual", "msg_type": "Alert",
        "event": "CARGO_ANOMALY", "level": 3, "probability": 0.9, "urgency": "Expected",
        "severity": "Severe", "certainty": "Likely", "onset": "2026-11-21T18:03:11.200000Z",
        "updated": "2026-11-21T18:03:19.400000Z", "explanations": [], "contributions": [],
        "silent": [], "down": [],
        "info": [InfoBlock(language="es-MX", headline="H", description="ñ", instruction="I")],
        "evidence": [
            EvidenceMessage(name=name, media_type=kind, sha256=digit * 64, bytes=1)
            for name, kind, digit in FILES
        ],
        "config_digest": "d", "software": "garita",
    }  # fmt: skip
    return encode(AlertMessage(**values | changes))


def told_to_south(config, whole):
    topic = topics.alert_topic(topics.ROOT, "mariposa", "sb-01")
    row = Row(
        seq=7, epoch="E", exercise=False, topic=topic, payload=whole, active_topic="",
        active_payload=b"", level=3, created_utc_ns=1,
    )  # fmt: skip
    (variant,) = release_of(load_config(config)).variants(row)
    return variant.payload


def test_each_side_is_explained_with_rule_and_reason(site, capsys):
    asked = ["--event", "CARGO_ANOMALY", "--lane", "sb-01", "--level", "3"]
    assert main(["release", "explain", "--config", str(site), *asked]) == 0
    north, south, *fields = capsys.readouterr().out.splitlines()
    assert north == "north: everything, in the same bytes"
    assert south.startswith("south: not told")
    because = "rule arms-south, since direction is southbound and level is 3 or 4"
    assert fields[0] == f"  probability   {because}"
    assert f"  description   {because}; it would tell probability in other words" in fields
    assert fields[-1] == "  files image/png rule pictures"


def test_an_alert_at_hand_is_explained_as_it_is_released(site, capsys, tmp_path):
    whole = alert()
    (tmp_path / "whole.json").write_bytes(whole)
    asked = ["--side", "south", "--json", "--alert", str(tmp_path / "whole.json")]
    assert main(["release", "explain", "--config", str(site), *asked]) == 0
    found = json.loads(capsys.readouterr().out)
    named = {one["field"].removeprefix("file "): one["rule"] for one in found["withheld"]}
    told = json.loads(told_to_south(site, whole))
    assert named.pop("b.png") == told["withheld"].pop("evidence")["rule"]
    assert named == {name: one["rule"] for name, one in told["withheld"].items()}


def test_what_is_not_said_is_what_it_depends_on():
    rule = Rule(name="r", events=frozenset({"PERSON"}), levels=frozenset({4}), fields=("silent",))
    (one,) = explain([rule], Asked(level=4))
    assert (one.because, one.depends) == ("level is 4", "event is PERSON")
    assert lines("south", [one])[1].endswith("since level is 4; only where event is PERSON")
    assert explain([rule], Asked(level=3)) == []


def test_a_rule_that_surely_applies_is_named_before_one_that_may():
    may = Rule(name="may", levels=frozenset({4}), fields=("event",))
    sure = Rule(name="sure", fields=("event",))
    assert [one.rule for one in explain([may, sure], Asked())] == ["sure"]


@pytest.mark.parametrize("field", ["probability", "explanations", "description", "evidence"])
def test_a_partner_checks_what_is_told_later(site, tmp_path, capsys, field):
    whole = alert()
    (tmp_path / "whole.json").write_bytes(whole)
    told = told_to_south(site, whole)
    # As a centre prints it, among others.
    shown = msgspec.json.encode({"seq": 7, "alert": msgspec.Raw(told)})
    other = msgspec.json.encode({"seq": 6, "alert": msgspec.Raw(alert(seq=6))})
    (tmp_path / "told.jsonl").write_bytes(other + b"\n" + shown + b"\n")
    tell = ["release", "tell", str(tmp_path / "whole.json"), "--field", field]
    tell += ["--config", str(site), "--told", str(tmp_path / "told.jsonl")]
    assert main(tell) == 0
    disclosed = capsys.readouterr().out
    (tmp_path / "disclosed.json").write_text(disclosed)
    check = ["release", "check", str(tmp_path / "told.jsonl"), str(tmp_path / "disclosed.json")]
    assert main(check) == 0
    assert f"{field} is what rule" in capsys.readouterr().out
    changed = json.loads(disclosed)
    changed["value"] = '"northbound"'
    (tmp_path / "disclosed.json").write_text(json.dumps(changed))
    assert main(check) == 1
    assert "is NOT what rule" in capsys.readouterr().out


def test_files_that_cannot_be_used_are_told(site, tmp_path, capsys):
    whole, told = tmp_path / "whole.json", tmp_path / "told.json"
    whole.write_bytes(alert())
    told.write_bytes(
        told_to_south(site, alert(explanations=[ExplanationMessage(name="norm", probability=0.5)]))
    )
    tell = ["release", "tell", str(whole), "--config", str(site), "--field"]
    assert main([*tell, "level"]) == 2
    assert "never withheld" in capsys.readouterr().err
    assert main([*tell, "explanations", "--told", str(told)]) == 2
    assert "withholds another explanations" in capsys.readouterr().err
    assert main(["release", "explain", "--config", str(site), "--alert", str(told)]) == 2
    assert "not whole itself" in capsys.readouterr().err
    assert main(["release", "explain", "--config", str(site), "--lane", "xx-99"]) == 2
    assert "no lane 'xx-99'" in capsys.readouterr().err
    assert main(["release", "check", str(told), str(whole)]) == 2
