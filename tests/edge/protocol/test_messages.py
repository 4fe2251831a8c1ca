import json
import math
import re
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol import messages
from edge.protocol.messages import (
    CursorMessage,
    certainty,
    check_name,
    decode_alert,
    encode,
    encode_alert,
    encode_detection,
    plain,
    rfc3339,
    utc_ns,
)
from fusion.types import Alert, Contribution, Detection, Event, Family, Level, Origin, Phase

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "messages"
BOTH = ("en-US", "es-MX")


def contribution(source="rpm-nb-01", kind="gamma.profile", nats=7.9, **facts):
    return Contribution(
        source=source,
        kind=kind,
        explanation="threat-source",
        nats=nats,
        age_s=0.2,
        capped=False,
        facts=facts,
    )


def alert(**changes):
    rows = (
        contribution(extent="point", gamma_sigma=11.2, position=0.61, position_m=9.6, width_m=2.4),
        contribution("prior", "prior", -7.5),
        contribution(kind="neutron.counts", nats=1.9, neutron_sigma=3.1, counts=7, expected=1.52),
    )
    fields = {
        "alert_id": "01JD8Q3M6Z5T0V9XKQ2A7B4C1E",
        "revision": 2,
        "phase": Phase.UPDATE,
        "event": Event.RAD_THREAT,
        "level": Level.CRITICAL,
        "probability": 0.9930001,
        "site": "mariposa",
        "lane": "nb-01",
        "zone": None,
        "direction": "northbound",
        "exercise": False,
        "onset_utc_ns": 1_795_284_191_200_000_000,
        "updated_utc_ns": 1_795_284_199_400_000_999,
        "explanations": (("threat-source", 0.993), ("norm", 0.006), ("nothing", 0.001)),
        "contributions": rows,
        "score_nats": math.fsum(row.nats for row in rows),
        "silent": ("geo-nb-01",),
        "down": (),
    }
    return Alert(**fields | changes)


def encoded(one, **changes):
    fields = {"seq": 1041, "epoch": "01JC0000000000000000000000", "config_digest": "c0ffee"}
    return encode_alert(one, **fields | {"languages": BOTH} | changes)


DETECTION = Detection(
    sensor_id="rpm-nb-01",
    family=Family.RADIATION,
    origin=Origin.SENSOR,
    kind="gamma.profile",
    start_utc_ns=1_795_284_191_200_000_000,
    end_utc_ns=1_795_284_199_400_000_000,
    facts={"gamma_sigma": 11.2, "category": "unknown", "nuclides": (("Cs-137", 0.97),)},
    nats={"threat-source": 7.9, "norm": 1.2},
)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("alert", encoded(alert())),
        ("exercise", encoded(alert(exercise=True, phase=Phase.NEW, revision=1))),
        ("clear", encoded(alert(phase=Phase.CLEAR, level=Level.LOG, revision=3))),
        ("detection", encode_detection(DETECTION)),
    ],
)
def test_bytes_are_those_of_the_golden_file(name, payload):
    golden = GOLDEN / f"{name}.json"
    assert payload == golden.read_bytes().rstrip(b"\n")


def test_the_fields_are_those_of_the_contract_in_its_order():
    contract = [
        *("schema", "id", "revision", "seq", "epoch", "site", "lane", "zone", "direction"),
        *("status", "msg_type", "event", "level", "probability"),
        *("urgency", "severity", "certainty", "onset", "updated"),
        *("explanations", "contributions", "silent", "down", "info", "evidence"),
        *("config_digest", "software"),
    ]
    message = json.loads(encoded(alert()))
    assert list(message) == contract
    assert list(message["contributions"][0]) == (
        ["source", "kind", "explanation", "nats", "age_s", "capped", "facts"]
    )
    assert list(message["info"][0]) == ["language", "headline", "description", "instruction"]
    assert list(json.loads(encode_detection(DETECTION))) == (
        ["sensor", "family", "kind", "start", "end", "nats", "facts"]
    )


@pytest.mark.parametrize(
    ("phase", "level", "words"),
    [
        (Phase.NEW, Level.CRITICAL, ("Alert", "Immediate", "Severe")),
        (Phase.NEW, Level.WARNING, ("Alert", "Expected", "Moderate")),
        (Phase.UPDATE, Level.ADVISORY, ("Update", "Future", "Minor")),
        (Phase.UPDATE, Level.LOG, ("Update", "Unknown", "Unknown")),
        (Phase.CLEAR, Level.CRITICAL, ("Cancel", "Past", "Severe")),
    ],
)
def test_phase_and_level_become_the_words_of_cap(phase, level, words):
    message = decode_alert(encoded(alert(phase=phase, level=level)))
    assert (message.msg_type, message.urgency, message.severity) == words


@given(st.floats(0, 1))
def test_nothing_is_observed_before_a_person_confirmed_it(probability):
    assert certainty(probability) in {"Likely", "Possible", "Unlikely"}
    assert (certainty(probability) == "Likely") == (probability > 0.5)


def test_evidence_from_a_simulator_is_an_exercise_in_status_and_headline():
    message = decode_alert(encoded(alert(exercise=True)))
    assert message.status == "Exercise"
    assert [info.headline.split(":")[0] for info in message.info] == ["EXERCISE", "SIMULACRO"]
    assert decode_alert(encoded(alert())).status == "Actual"


@given(st.lists(st.floats(-15, 15), min_size=1, max_size=30))
def test_prior_and_contributions_still_add_to_the_score(nats):
    rows = tuple(contribution(nats=each) for each in nats)
    message = decode_alert(encoded(alert(contributions=rows)))
    assert abs(sum(row.nats for row in message.contributions) - math.fsum(nats)) < 1e-9


def test_the_order_of_facts_does_not_show_in_the_bytes():
    one = contribution(a=1, b={"y": 1.0, "x": 2.0})
    other = contribution(b={"x": 2.0, "y": 1.0}, a=1)
    assert encoded(alert(contributions=(one,))) == encoded(alert(contributions=(other,)))


def test_facts_that_json_cannot_hold_become_null_and_numpy_becomes_plain():
    facts = {"nan": math.nan, "inf": math.inf, "n": np.int64(3), "x": np.float32(0.5)}
    assert plain(facts) == {"inf": None, "n": 3, "nan": None, "x": 0.5}
    assert plain((1, ("a", True), None)) == [1, ["a", True], None]
    assert plain(11.200000000000003) == 11.2


@given(st.integers(0, 4_102_444_800_000_000_000))
def test_times_are_exact_to_the_microsecond(at_utc_ns):
    text = rfc3339(at_utc_ns)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert utc_ns(text) == at_utc_ns // 1000 * 1000


def test_a_time_is_rounded_down_and_never_into_the_next_second():
    assert rfc3339(1_795_284_199_999_999_999) == "2026-11-21T18:03:19.999999Z"


@pytest.mark.parametrize("name", ["", "Nb-01", "nb 01", "nb/01", "nb+", "#", "a" * 33, "nb-01\n"])
def test_a_name_that_no_topic_can_hold_is_refused(name):
    with pytest.raises(ValueError, match="site"):
        check_name(name, "site")
    with pytest.raises(ValueError, match="lane"):
        encoded(alert(lane=name))


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: m | {"level": 5},
        lambda m: m | {"probability": 1.2},
        lambda m: m | {"schema": "garita.alert/2"},
        lambda m: m | {"site": "../x"},
        lambda m: m | {"status": "Real"},
        lambda m: m | {"onset": "yesterday"},
        lambda m: {key: value for key, value in m.items() if key != "epoch"},
    ],
)
def test_an_alert_against_the_contract_is_not_read(damage):
    message = json.loads(encoded(alert()))
    with pytest.raises(ValueError):
        decode_alert(json.dumps(damage(message)).encode())


def test_a_reader_ignores_what_a_later_edge_adds():
    message = json.loads(encoded(alert())) | {"later": 1}
    assert decode_alert(json.dumps(message).encode()).seq == 1041


def test_a_cursor_is_read_strictly():
    cursor = CursorMessage(side="north", site="mariposa", seq=7, updated=rfc3339(0))
    assert msgspec.json.decode(encode(cursor), type=CursorMessage) == cursor
    extra = json.loads(encode(cursor)) | {"sequence": 9}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(extra).encode(), type=CursorMessage)


@given(st.binary(max_size=200))
def test_garbage_is_no_alert_and_nothing_worse(data):
    with pytest.raises(ValueError):
        decode_alert(data)


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"{project['name']} {project['version']}" == messages.SOFTWARE


def test_every_schema_name_belongs_to_a_message():
    named = {
        each.__struct_defaults__[0]
        for each in messages.MESSAGES
        if "schema" in each.__struct_fields__
    }
    assert named == set(messages.SCHEMAS)
