import json
import re
from argparse import Namespace
from pathlib import Path

import jsonschema
import msgspec
import pytest

from edge.protocol import schema, topics
from edge.protocol.commands import (
    COMMANDS,
    AckMessage,
    AdjudicateMessage,
    AnswerMessage,
    AssistMessage,
    CaseMessage,
    DispatchMessage,
    HandOverMessage,
    HelpMessage,
    NoteMessage,
    OfferMessage,
    OnSceneMessage,
    RecordMessage,
    RecordRequestMessage,
    ResendMessage,
    ShelveMessage,
    StepMessage,
    UnshelveMessage,
    VerdictMessage,
)
from edge.protocol.contract import (
    MESSAGES,
    BirthMessage,
    CursorMessage,
    HealthMessage,
    LaneMessage,
    LiveMessage,
    OpsStateMessage,
    SensorHealth,
    SensorMessage,
    SideHealth,
    StateMessage,
    ZoneMessage,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"
NOW = "2026-11-21T18:03:11.200000Z"
SENSOR = {"id": "rpm-nb-01", "kind": "rpm-tsa", "family": "radiation", "origin": "simulator"}
SAMPLES = {
    "birth": BirthMessage(
        site="mariposa",
        names={"en-US": "Mariposa", "es-MX": "Mariposa"},
        epoch="01JC",
        first_seq=1042,
        started=NOW,
        lanes=[LaneMessage(id="nb-01", direction="northbound")],
        zones=[ZoneMessage(id="fence-east", side="east of lane 4")],
        sensors=[SensorMessage(**SENSOR, place="nb-01")],
        schemas=["garita.alert/1"],
        config_digest="c0ffee",
        software="garita 0.1.0",
    ),
    "state": StateMessage(site="mariposa", epoch="01JC", state="ready", updated=NOW),
    "health": HealthMessage(
        site="mariposa",
        place="nb-01",
        epoch="01JC",
        updated=NOW,
        sensors=[SensorHealth(**SENSOR, up=True, last_sample_age_s=0.2)],
        sides=[SideHealth(side="north", connected=True, outbox_depth=0, oldest_age_s=None)],
    ),
    "live": LiveMessage(
        site="mariposa",
        place="nb-01",
        sensor="rpm-nb-01",
        kind="gamma",
        origin="sensor",
        time=NOW,
        values={"counts": [1.0, 2.0], "sum": 3.0},
    ),
    "cursor": CursorMessage(side="north", site="mariposa", seq=7, updated=NOW),
    "ops-state": OpsStateMessage(side="north", online=True, updated=NOW),
    "shelve": ShelveMessage(until=NOW, reason="new fence", place="nb-01"),
    "unshelve": UnshelveMessage(place="nb-01"),
    "ack": AckMessage(alert="01JD8"),
    "dispatch": DispatchMessage(alert="01JD8"),
    "on-scene": OnSceneMessage(alert="01JD8"),
    "adjudicate": AdjudicateMessage(
        alert="01JD8", code="INNOCENT_MEDICAL", confirm="spectrum", nuclide="Tc-99m"
    ),
    "note": NoteMessage(alert="01JD8", note_sha256="0f" * 32),
    "assist": AssistMessage(what="spectroscopist"),
    "hand-over": HandOverMessage(alert="01JD8", step="offered", to="south"),
    "record-request": RecordRequestMessage(from_=7, to=9),
    "resend": ResendMessage(from_=1041, to=1050, epoch="01JC"),
    "record": RecordMessage(site="mariposa", from_=7, entries=[b"{}", b"[]"]),
    "answer": AnswerMessage(
        site="mariposa",
        verb="ack",
        accepted=False,
        refusal="already",
        state=CaseMessage(
            alert="01JD8",
            stage="adjudicated",
            owner="south",
            steps=[StepMessage(stage="acknowledged", by="north", key="n1")],
            verdicts=[VerdictMessage(code="UNRESOLVED", by="south", key="s1")],
            assists=[HelpMessage(what="canine", by="south")],
            hand_over=OfferMessage(step="accepted", by="north", to="south", until=NOW),
        ),
    ),
}
NAMES = {
    "site": "mariposa",
    "place": "nb-01",
    "id": "01JD8",
    "kind": "gamma",
    "side": "north",
    "n": "7",
}


def validator(name):
    document = schema.documents()[f"{name}.schema.json"]
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_of_every_message_validates(name):
    validator(name).validate(json.loads(msgspec.json.encode(SAMPLES[name])))


@pytest.mark.parametrize("golden", ["alert", "exercise", "clear"])
def test_golden_alerts_validate(golden):
    validator("alert").validate(json.loads((GOLDEN / f"{golden}.json").read_bytes()))


def test_a_golden_detection_validates():
    validator("detection").validate(json.loads((GOLDEN / "detection.json").read_bytes()))


@pytest.mark.parametrize(
    "change", [{"level": 7}, {"site": "No Name"}, {"onset": "now"}, {"status": "Real"}]
)
def test_what_the_decoder_refuses_the_schema_refuses(change):
    alert = json.loads((GOLDEN / "alert.json").read_bytes()) | change
    with pytest.raises(jsonschema.ValidationError):
        validator("alert").validate(alert)


def test_every_schema_names_its_dialect_and_every_message_has_one():
    documents = schema.documents()
    for name, document in documents.items():
        if name.endswith(".schema.json"):
            assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {f"{schema.short_name(each)}.schema.json" for each in MESSAGES} <= set(documents)
    jsonschema.Draft202012Validator.check_schema(documents["config.schema.json"])


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document, reference):
    assert reference.startswith("#/")
    for key in reference.removeprefix("#/").split("/"):
        document = document[key]
    return document


def test_every_reference_of_the_asyncapi_document_resolves():
    document = schema.asyncapi()
    found = list(references(document))
    assert len(found) > 20
    for reference in found:
        assert resolve(document, reference)


def test_asyncapi_has_the_shape_that_its_version_asks_for():
    document = schema.asyncapi()
    assert document["asyncapi"].startswith("3.")
    assert {"title", "version"} <= set(document["info"])
    for server in document["servers"].values():
        assert {"host", "protocol"} <= set(server)
    for channel in document["channels"].values():
        assert sorted(re.findall(r"{(\w+)}", channel["address"])) == sorted(channel["parameters"])
    spoken = set()
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = resolve(document, operation["channel"]["$ref"])
        for message in operation["messages"]:
            assert resolve(document, message["$ref"]) in channel["messages"].values()
        spoken.add(operation["channel"]["$ref"].removeprefix("#/channels/"))
    assert spoken == set(document["channels"])


def test_addresses_are_those_that_the_edge_publishes_to():
    channels = schema.asyncapi()["channels"]
    addresses = {name: each["address"].format(**NAMES) for name, each in channels.items()}
    site, place, root = NAMES["site"], NAMES["place"], topics.ROOT
    expected = {
        "cursor": topics.cursor_topic(root, NAMES["side"], site),
        "opsState": topics.ops_state_topic(root, NAMES["side"]),
    }
    for suffix, base in (("", root), ("Exercise", topics.EXERCISE_ROOT)):
        expected[f"state{suffix}"] = topics.state_topic(base, site)
        expected[f"birth{suffix}"] = topics.birth_topic(base, site)
        expected[f"health{suffix}"] = topics.health_topic(base, site, place)
        expected[f"alert{suffix}"] = topics.alert_topic(base, site, place)
        expected[f"active{suffix}"] = topics.active_topic(base, site, place, NAMES["id"])
        expected[f"evidence{suffix}"] = topics.evidence_topic(base, site, NAMES["id"], 7)
        for verb in COMMANDS:
            expected[f"{verb}{suffix}"] = topics.command_filter(base, site).replace("#", verb)
        expected[f"live{suffix}"] = topics.live_topic(base, site, place, NAMES["kind"])
    assert addresses == expected


def test_out_writes_one_file_each(tmp_path, capsys):
    assert schema.main(Namespace(out=tmp_path / "schemas")) == 0
    written = {path.name: json.loads(path.read_bytes()) for path in tmp_path.glob("*/*")}
    assert written == schema.documents()
    assert capsys.readouterr().out == ""


def test_without_out_everything_is_one_object_on_stdout(capsys):
    assert schema.main(Namespace(out=None)) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(schema.documents())
