"""What a side is not told, it sees that it is not told, and can check it once it is."""

import hashlib
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import load_config
from edge.delivery.outbox import Outbox
from edge.delivery.release import Release, Rule, read_secret, release_of
from edge.delivery.rows import Attachment, Row
from edge.delivery.withholding import EMPTY, INNER, check_revealed, reveal
from edge.errors import ConfigError
from edge.protocol import topics
from edge.protocol.contract import (
    AlertMessage,
    ContributionMessage,
    EvidenceMessage,
    ExplanationMessage,
    HandlingMessage,
    InfoBlock,
)
from edge.protocol.messages import decode_alert, encode

SITE, SECRET = "mariposa", b"s" * 32
FILES = {"pass.n42": "application/xml", "scan.png": "image/png"}


def listed(name):
    digest = hashlib.sha256(name.encode()).hexdigest()
    return EvidenceMessage(name=name, media_type=FILES[name], sha256=digest, bytes=len(name))


def alert(seq=1, **changes):
    return AlertMessage(
        **{
            "id": "01JD",
            "revision": seq,
            "seq": seq,
            "epoch": "E",
            "site": SITE,
            "lane": "nb-01",
            "zone": None,
            "direction": "northbound",
            "status": "Actual",
            "msg_type": "Alert",
            "event": "RAD_THREAT",
            "level": 4,
            "probability": 0.993,
            "urgency": "Immediate",
            "severity": "Severe",
            "certainty": "Likely",
            "onset": "2026-11-21T18:03:11.200000Z",
            "updated": "2026-11-21T18:03:19.400000Z",
            "explanations": [ExplanationMessage(name="threat-source", probability=0.993)],
            "contributions": [
                ContributionMessage(
                    source="rpm-nb-01", kind="gamma.profile", explanation="threat-source",
                    nats=1e-07, age_s=0.2, capped=False, facts={"width_m": 2.4, "sigma": 11.2},
                )
            ],
            "silent": ["geo-nb-01"],
            "down": [],
            "info": [
                InfoBlock(
                    language="es-MX", headline="Fuente", description="Sigma 11,2 ñ", instruction="."
                )
            ],
            "evidence": [listed(name) for name in FILES],
            "config_digest": "d",
            "software": "garita",
            **changes,
        }
    )  # fmt: skip


def row_of(message, *, files=(), cleared=False):
    payload = encode(message)
    root = topics.root(message.status == "Exercise")
    return Row(
        seq=message.seq,
        epoch=message.epoch,
        exercise=message.status == "Exercise",
        topic=topics.alert_topic(root, SITE, message.lane or "site"),
        payload=payload,
        active_topic=topics.active_topic(root, SITE, message.lane or "site", message.id),
        active_payload=b"" if cleared else payload,
        level=message.level,
        created_utc_ns=message.seq,
        properties=(("trigger", "rpm-nb-01@1"), ("received_utc_ns", "5")),
        attachments=tuple(
            Attachment(
                n=n,
                topic=topics.evidence_topic(root, SITE, message.id, n),
                name=name,
                media_type=FILES[name],
                sha256=listed(name).sha256,
                payload=name.encode(),
            )
            for n, name in enumerate(files, 1)
        ),
    )


def told(rule, message=None, **options):
    row = Release({"south": [rule]}, SECRET).released(row_of(message or alert(), **options))
    return row.told_to("south")


def test_without_rules_both_sides_get_the_same_bytes():
    row = row_of(alert(), files=FILES)
    assert Release({"north": [], "south": []}, SECRET).released(row) == row
    assert row.digests(["north", "south"])["north"] == hashlib.sha256(row.payload).hexdigest()


fields = st.sampled_from(sorted({*EMPTY, *INNER} - {"event", "certainty"}))


@settings(max_examples=60)
@given(
    names=st.lists(fields, max_size=4, unique=True),
    evidence=st.sampled_from([(), ("image/png",), ("pass.n42",)]),
    everything=st.booleans(),
    handled=st.booleans(),
)
def test_what_is_withheld_is_named_checkable_and_the_rest_unchanged(
    names, evidence, everything, handled
):
    message = alert(handling=HandlingMessage(own_level=2)) if handled else alert()
    rule = Rule(name="r", fields=tuple(names), evidence=frozenset(evidence), everything=everything)
    release = Release({"south": [rule]}, SECRET)
    whole = row_of(message, files=FILES)
    row = release.released(whole)
    less = row.told_to("south")
    assert row.told_to("north") == whole
    assert release.variants(whole) == list(row.variants)  # the same alert, the same bytes
    after = decode_alert(less.payload)  # it is an alert all the same
    if less.payload == whole.payload:
        assert not (evidence or everything or set(names) - {"handling"})
        return
    before, seen = msgspec.json.decode(whole.payload), msgspec.json.decode(less.payload)
    for name, entry in seen["withheld"].items():
        value = reveal(whole.payload, less.payload, name)
        salt = release.salt("E", 1, name)
        assert entry["rule"] == "r"
        assert check_revealed(less.payload, name, value, salt)
        assert not check_revealed(less.payload, name, value + b" ", salt)
        assert not check_revealed(less.payload, name, value, bytes(16))
    touched = {INNER[name][0] if name in INNER else name for name in seen["withheld"]}
    assert {k: v for k, v in before.items() if k not in touched} == {
        k: v for k, v in seen.items() if k not in {*touched, "withheld"}
    }
    assert set(names) <= seen["withheld"].keys() | (set() if handled else {"handling"}) | (
        {"facts", "description"}
    )
    kept = {each.sha256 for each in less.attachments}
    assert kept == {each.sha256 for each in after.evidence}


def test_all_of_an_alert_leaves_that_there_is_one():
    row = told(Rule(name="quiet", everything=True), files=FILES)
    message = decode_alert(row.payload)
    assert (message.id, message.seq, message.level, message.event) == ("01JD", 1, 4, "WITHHELD")
    assert (message.lane, message.probability, message.info) == (None, None, [])
    assert row.topic == f"garita/v1/{SITE}/withheld/alert"
    assert row.active_topic == f"garita/v1/{SITE}/withheld/active/01JD"
    assert not row.attachments
    for secret in (b"nb-01", b"RAD", b"rpm", b"0.993", b"n42"):
        assert secret not in row.payload
    assert dict(row.properties) == {"received_utc_ns": "5"}


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"events": frozenset({"RAD_THREAT"})}, True),
        ({"events": frozenset({"PERSON"})}, False),
        ({"directions": frozenset({"northbound"})}, True),
        ({"directions": frozenset({"southbound"})}, False),
        ({"levels": frozenset({3, 4})}, True),
        ({"levels": frozenset({1})}, False),
        ({"exercise": True}, False),
        ({"exercise": False}, True),
        ({"places": frozenset({"nb-01", "x"})}, True),
        ({"places": frozenset({"x"})}, False),
    ],
)
def test_a_rule_is_about_what_its_conditions_say(condition, fits):
    row = told(Rule(name="r", fields=("facts",), **condition))
    assert ("withheld" in msgspec.json.decode(row.payload)) is fits


def test_a_description_goes_with_what_it_tells():
    message = decode_alert(told(Rule(name="r", fields=("facts",))).payload)
    assert (message.contributions[0].facts, message.contributions[0].nats) == ({}, 1e-07)
    assert (message.info[0].headline, message.info[0].description) == ("Fuente", "")


def test_what_was_told_stays_told_and_what_was_withheld_is_never_listed():
    rule = Rule(name="r", levels=frozenset({2}), fields=("lane",))
    release = Release({"south": [rule]}, SECRET)

    def place(seq, level, **changes):
        row = release.released(row_of(alert(seq, level=level, **changes), files=FILES))
        return row.told_to("south").topic.split("/")[3], decode_alert(row.told_to("south").payload)

    assert [place(1, 4)[0], place(2, 2)[0]] == ["nb-01", "nb-01"]
    first, later = place(3, 2, id="other"), place(4, 4, id="other")
    assert (first[0], later[0], later[1].lane) == ("withheld", "withheld", None)
    pictures = Rule(name="p", levels=frozenset({2}), evidence=frozenset({"image/png"}))
    release = Release({"south": [pictures]}, SECRET)
    assert [e.name for e in place(1, 2)[1].evidence] == ["pass.n42"]
    assert [e.name for e in place(2, 4)[1].evidence] == ["pass.n42"]


def test_the_outbox_gives_each_side_its_own(tmp_path):
    rules = [Rule(name="lane", fields=("lane",)), Rule(name="r", evidence=frozenset({"image/png"}))]
    release = Release({"south": rules}, SECRET)
    whole = row_of(alert(), files=FILES)
    row = release.released(whole)
    box = Outbox(tmp_path / "outbox.db", ["north", "south"])
    box.commit([row])
    (north,), (south,) = box.pending("north", 0, 9), box.pending("south", 0, 9)
    assert north == replace(whole, attachments=())
    assert south == replace(row.told_to("south"), attachments=())
    assert [each.name for each in box.attachments("north", 1)] == list(FILES)
    assert box.attachments("south", 1) == []
    assert [each.topic for each in box.active_topics("south")] == [south.active_topic]
    assert [each.topic for each in box.active_topics()] == [whole.active_topic]
    over = release.released(row_of(alert(2, msg_type="Cancel"), cleared=True))
    box.commit([over])
    (cleared,) = box.active_topics("south")
    assert (cleared.topic, cleared.payload) == (south.active_topic, b"")
    box.close()


SITE_FILE = """\
site: {id: mariposa}
state_dir: state
sides:
  north: {broker: auto, port: 18831}
  south:
    broker: auto
    release: [%s]
lanes: [{id: nb-01, direction: northbound}]
sensors: [{id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "tcp://127.0.0.1:1"}]
"""


def test_rules_come_from_the_configuration_and_their_secret_is_made_once(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(SITE_FILE % "{name: facts, levels: [4], places: [nb-01], fields: [facts]}")
    config = load_config(path)
    first, again = release_of(config), release_of(config)
    assert first.released(row_of(alert())) == again.released(row_of(alert()))
    assert [each.side for each in first.variants(row_of(alert()))] == ["south"]
    made = tmp_path / "state" / "release-salts"
    assert made.stat().st_mode & 0o077 == 0
    assert len(read_secret(made)) == 32
    made.unlink()
    made.mkdir()
    with pytest.raises(ConfigError):
        release_of(config)


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("{name: r}", "sides.south.release[0]"),
        ("{name: r, fields: [lanes]}", "sides.south.release[0].fields[0]"),
        ("{name: r, fields: [facts], events: [RADS]}", "sides.south.release[0].events[0]"),
        ("{name: r, fields: [facts], places: [nb-02]}", "sides.south.release[0].places[0]"),
        ("{name: r, all: true}, {name: r, all: true}", "sides.south.release[1].name"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path, rule, key):
    path = tmp_path / "site.yaml"
    path.write_text(SITE_FILE % rule)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert [each.key for each in caught.value.mistakes] == [key]
