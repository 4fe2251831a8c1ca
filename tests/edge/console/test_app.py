"""Who may do what by the console's interface, and what comes of it."""

import hashlib
import json

import pytest

from edge.console import line
from edge.console.acting import VERBS
from edge.console.guard import HEADERS, Bucket
from edge.console.people import RIGHTS, ROLES
from edge.console.routes import API, CHANGES, ROUTES
from edge.delivery.release import Release, Rule
from edge.protocol.commands import AnswerMessage
from edge.protocol.messages import encode
from edge.record.entries import Draft
from tests.edge.console.conftest import PASSWORD
from tests.edge.delivery.test_release import SECRET, alert

ACCEPTED = encode(AnswerMessage(site="mariposa", verb="ack", accepted=True))
BODIES = {
    "shelve": {"until": "2026-11-24T06:00:00Z", "reason": "works", "event": "PERSON"},
    "unshelve": {"event": "PERSON"},
    "adjudicate": {"alert": "A1", "code": "INNOCENT_NORM"},
    "assist": {"what": "canine", "alert": "A1"},
    "hand-over": {"alert": "A1", "step": "offered", "to": "north"},
}
EVERY = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


def ask(client, route, **options):
    """A request that a route would take, whoever asks."""
    path = (
        route.path.replace("{alert}", "A1")
        .replace("{language}", "en-US")
        .replace("{sha256}", hashlib.sha256(b"pass.n42").hexdigest())
    )
    body = None
    if route.name == "log_in":
        body = {"login": "operator", "password": PASSWORD}
    elif route.name == "write":
        body = {"text": "The driver has papers of the hospital."}
    elif route.name == "speak":
        body = {"language": "es-MX"}
    elif route.path.startswith("/acts/"):
        body = BODIES.get(route.path.removeprefix("/acts/"), {"alert": "A1"})
    if route.name == "events":  # it would not end
        path += "?last=x"
    return client.request(route.method, API + path, json=body, **options)


@pytest.mark.parametrize("route", EVERY)
def test_nobody_gets_anything_without_having_logged_in(station, route):
    station.answer = ACCEPTED
    station.commit()
    station.feed.look()
    answer = ask(station.client(), route)
    if route.needs is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 401
        assert station.asked == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", EVERY)
def test_each_role_does_what_it_may_and_no_more(station, route, role):
    station.answer = ACCEPTED
    station.commit()
    station.feed.look()
    answer = ask(station.client(role), route)
    if route.needs is None or route.needs in RIGHTS[role]:
        assert answer.status_code not in {401, 403}
        assert answer.status_code < 500
    else:
        assert answer.status_code == 403
        assert answer.json()["type"] == "garita:rights"
        assert station.asked == []


@pytest.mark.parametrize("route", [one for one in EVERY if one.values[0].changes])
def test_what_changes_something_takes_the_pages_token(station, route):
    if route.needs is None:
        return
    role = next(role for role in ROLES if route.needs in RIGHTS[role])
    for token in ("", "x", "x" * 43):
        client = station.client(role)
        client.headers[CHANGES] = token
        answer = ask(client, route)
        assert (answer.status_code, answer.json()["type"]) == (403, "garita:csrf")
    assert station.asked == []


@pytest.mark.parametrize("route", EVERY)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_no_page_of_another_changes_anything(station, route, headers):
    if not route.changes:
        return
    answer = ask(station.client("supervisor"), route, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "garita:origin")


def test_another_name_for_this_host_is_refused(station):
    answer = station.client("operator").get(f"{API}/alerts", headers={"host": "rebound.example"})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "path", ["/", f"{API}/alerts", f"{API}/nothing", "/in/x", f"{API}/words/xx"]
)
def test_every_answer_has_its_headers(station, path):
    answer = station.client().get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def test_a_password_lets_in_and_a_wrong_one_waits(station):
    client = station.client()
    said = {"login": "operator", "password": PASSWORD}
    answer = client.post(f"{API}/session", json=said)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert client.get(f"{API}/session").json()["role"] == "operator"
    wrong = [
        station.client().post(f"{API}/session", json=said | {"password": "x" * 12}).status_code
        for _ in range(7)
    ]
    assert wrong == [401] * 5 + [429] * 2
    assert station.client().post(f"{API}/session", json=said).status_code == 429


def test_who_leaves_or_has_changed_roles_is_out(station):
    client = station.client("supervisor")
    assert client.get(f"{API}/session").status_code == 200
    station.people.put("supervisor", "auditor", PASSWORD, replace=True)
    assert client.get(f"{API}/session").status_code == 401
    client = station.client("operator")
    assert client.delete(f"{API}/session").status_code == 204
    assert client.get(f"{API}/session").status_code == 401


def test_a_link_lets_in_once(station):
    token = station.sessions.link(station.people.of("engineer"))
    client = station.client(follow_redirects=False)
    assert client.get(f"/in/{token}").status_code == 303
    assert client.get(f"{API}/session").json()["role"] == "engineer"
    assert station.client().get(f"/in/{token}").status_code == 410


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"note"}))
def test_an_act_is_the_command_that_a_centre_would_send(station, verb):
    station.answer = ACCEPTED
    body = BODIES.get(verb, {"alert": "A1"})
    answer = station.client("supervisor").post(f"{API}/acts/{verb}?exercise=true", json=body)
    assert answer.status_code == 200
    (asked,) = station.asked
    assert asked.topic == f"garita-exercise/v1/mariposa/cmd/{verb}"
    assert body.items() <= json.loads(asked.payload).items()


def test_a_note_stays_here_and_its_digest_is_entered(station):
    station.answer = ACCEPTED
    station.commit()
    station.feed.look()
    path, text = f"{API}/alerts/A1/notes", "Papeles del hospital: I-131, ayer."
    client = station.client("operator")
    assert client.post(f"{path}?exercise=true", json={"text": text}).status_code == 200
    (asked,) = station.asked
    (kept,) = client.get(path).json()["notes"]
    assert kept["note"]["text"] == text
    assert kept["note"]["login"] == kept["note"]["role"] == "operator"
    assert json.loads(asked.payload)["note_sha256"] == kept["sha256"]
    assert asked.topic == "garita-exercise/v1/mariposa/cmd/note"
    assert b"hospital" not in asked.payload
    assert client.post(f"{API}/alerts/A2/notes", json={"text": text}).status_code == 404
    assert client.post(path, json={"text": ""}).status_code == 422
    assert client.post(path, json={"text": "x" * 2_001}).status_code == 422
    assert len(station.asked) == 1


def test_a_refused_act_says_why(station):
    refused = AnswerMessage(site="mariposa", verb="ack", accepted=False, refusal="already")
    station.answer = encode(refused)
    answer = station.client("operator").post(f"{API}/acts/ack", json={"alert": "A1"})
    assert (answer.status_code, answer.json()["refusal"]) == (409, "already")


def test_without_the_service_an_act_is_not_taken_for_done(station):
    station.there = False
    answer = station.client("operator").post(f"{API}/acts/ack", json={"alert": "A1"})
    assert (answer.status_code, answer.json()["type"]) == (503, "garita:not-answered")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"alert":""}', b'{"alert":"A1","x":1}', b"\xff", b"9" * 5000]
)
def test_what_is_no_command_is_refused_and_not_sent(station, body):
    answer = station.client("operator").post(
        f"{API}/acts/ack", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert station.asked == []


def test_more_than_a_command_can_have_is_cut_off(station):
    answer = station.client("operator").post(f"{API}/acts/ack", content=b"x" * 20_000)
    assert answer.status_code == 413


def test_the_list_is_paged_and_never_changes_its_order(station):
    station.commit(25)
    station.feed.look()
    client = station.client("operator")
    first = client.get(f"{API}/alerts?limit=10").json()
    assert [one["id"] for one in first["alerts"]] == [f"A{n}" for n in range(25, 15, -1)]
    assert first["more"]
    message = alert(seq=26, id="A3", revision=2, msg_type="Update")
    station.commit(1, id="A3", revision=2, msg_type="Update")
    station.feed.look()
    seen, before = [], None
    while True:
        page = client.get(f"{API}/alerts?limit=10" + (f"&before={before}" if before else "")).json()
        seen += page["alerts"]
        if not page["more"]:
            break
        before = seen[-1]["first_seq"]
    assert [one["id"] for one in seen] == [f"A{n}" for n in range(25, 0, -1)]
    assert next(one for one in seen if one["id"] == "A3")["revision"] == message.revision


def test_an_alert_is_told_in_the_bytes_that_were_sent(station):
    (row,) = station.commit()
    station.feed.look()
    answer = station.client("auditor").get(f"{API}/alerts/A1")
    assert row.payload in answer.content
    assert answer.json()["revisions"] == [1]


def test_what_is_withheld_from_the_side_is_withheld_here(station):
    rule = Rule(name="ours", fields=frozenset({"contributions"}), evidence=frozenset({"pass.n42"}))
    station.commit(release=Release({"south": [rule]}, SECRET))
    station.feed.look()
    client = station.client("supervisor")
    told = client.get(f"{API}/alerts/A1").json()["alert"]
    assert told["contributions"] == []
    assert "ours" in json.dumps(told["withheld"])
    digest = hashlib.sha256(b"pass.n42").hexdigest()
    assert client.get(f"{API}/evidence/{digest}").status_code == 404
    other = hashlib.sha256(b"scan.png").hexdigest()
    assert client.get(f"{API}/evidence/{other}").content == b"scan.png"


def test_a_file_comes_whole_or_in_parts_and_with_its_digest(station):
    station.commit()
    station.feed.look()
    client, digest = station.client("operator"), hashlib.sha256(b"pass.n42").hexdigest()
    whole = client.get(f"{API}/evidence/{digest}")
    assert whole.content == b"pass.n42"
    assert whole.headers["etag"] == f'"{digest}"'
    part = client.get(f"{API}/evidence/{digest}", headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"pass.n42"[2:5])
    assert part.headers["content-range"] == "bytes 2-4/8"
    none = client.get(f"{API}/evidence/{digest}", headers={"range": "bytes=8-"})
    assert none.status_code == 416


@pytest.mark.parametrize("digest", ["../outbox.db", "x", "A" * 64, "0" * 64, "%2e%2e%2f"])
def test_no_other_file_can_be_asked_for(station, digest):
    for kind in ("evidence", "scans"):
        assert station.client("engineer").get(f"{API}/{kind}/{digest}").status_code == 404


def test_how_both_sides_stand_is_told_from_the_record(station):
    station.commit()
    station.enter(Draft(kind="ack", by="north", facts={"alert": "A1", "revision": 1}))
    station.feed.look()
    page = station.client("operator").get(f"{API}/alerts").json()
    (case,) = page["cases"]
    assert (case["case"]["alert"], case["case"]["stage"]) == ("A1", "acknowledged")
    assert case["case"]["steps"][0]["by"] == "north"


def test_the_document_names_every_route(station):
    document = station.client().get(f"{API}/openapi.json").json()
    named = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert named == {(route.method, API + route.path) for route in ROUTES}
    assert document["paths"][f"{API}/acts/shelve"]["post"]["x-roles"] == ["supervisor"]


def test_no_trace_of_a_failure_leaves(station, monkeypatch):
    monkeypatch.setattr(station.feed, "alerts", lambda **_: 1 // 0)
    answer = station.client("operator").get(f"{API}/alerts")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text and "Traceback" not in answer.text
    assert answer.json()["type"] == "garita:failed"


def test_requests_without_end_are_slowed_down():
    clock = iter(range(1_000))
    bucket = Bucket(per_s=0.5, burst=3.0, monotonic=lambda: float(next(clock)))
    assert [bucket.take("a") for _ in range(9)] == [True] * 5 + [False, True, False, True]
    assert bucket.take("b")


def test_a_line_that_is_none_is_told(station):
    with pytest.raises(line.Unread):
        line.read_ask(b"{}")
    with pytest.raises(line.Unread):
        line.read_told(b"x" * (line.MAX_LINE_BYTES + 1))
