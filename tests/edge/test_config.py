"""Configurations: what is read, and what is told of one that is wrong."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from drivers.catalog import KINDS
from edge.config import (
    checkpoint_of,
    config_digest,
    json_schema,
    kind_of,
    load_config,
)
from edge.errors import ConfigError
from fusion.types import DetectorSpec, Family, Origin

ROOT = Path(__file__).parents[2]
CONFIGS = [
    ROOT / "configs" / f"{name}.yaml" for name in ("demo", "checkpoint", "reference", "crossing")
]

GOOD = """\
site: {id: mariposa}
sides:
  north: {}
  south: {broker: "mqtts://ops.example:8883", keeps_cursor: true}
lanes:
  - {id: nb-01, direction: northbound}
  - {id: sb-01, direction: southbound}
zones:
  - {id: fence}
sensors:
  - {id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "tcp://10.0.0.1:1600"}
  - {id: geo-1, kind: shake-udp, zone: fence, url: "udp://0.0.0.0:8888"}
  - {id: xray-1, kind: xray-planes, lane: nb-01, url: "folder:scans"}
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "site.yaml"
        path.write_text(text)
        return load_config(path)

    return load_text


@pytest.fixture
def mistakes(load):
    def mistakes_of(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        return caught.value.mistakes

    return mistakes_of


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


# --- what is right ---------------------------------------------------------------------


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_examples_are_right(path):
    config = load_config(path)
    assert checkpoint_of(config).site == config.site.id


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_examples_pass_the_exported_schema(path):
    data = YAML(typ="safe").load(path.read_text())
    validator = jsonschema.Draft202012Validator(json_schema())
    assert [error.message for error in validator.iter_errors(data)] == []
    # The schema is one that refuses: each key that nobody knows is an error.
    for part in (data, data["site"], *data["sides"].values(), *data["lanes"], *data["sensors"]):
        assert validator.is_valid(data)
        part["unheard-of"] = 1
        assert not validator.is_valid(data)
        del part["unheard-of"]


def test_a_short_file_gets_its_defaults(load, tmp_path):
    config = load(GOOD)
    north, south = config.sides["north"], config.sides["south"]
    assert (north.auto, str(north.address)) == (True, "mqtt://127.0.0.1:18831")
    assert (south.auto, str(south.address), south.port) == (False, "mqtts://ops.example:8883", None)
    assert north.languages == ["en-US", "es-MX"]
    assert (config.http.host, config.http.port) == ("127.0.0.1", 8088)
    assert config.state_dir == tmp_path / "run"
    assert config.recording is None


def test_the_second_auto_broker_has_its_own_port(load):
    config = load(changed('{broker: "mqtts://ops.example:8883", keeps_cursor: true}', "{}"))
    assert config.sides["south"].port == 18832


def test_a_detector_without_keys_is_the_usual_one(load):
    checkpoint = checkpoint_of(load(changed("rpm-tsa,", "rpm-n42, detector: {},")))
    assert checkpoint.sensors[0].detector == DetectorSpec()


def test_paths_are_relative_to_the_file(load, tmp_path):
    text = GOOD + "state_dir: ../state\npolicy: policy.yaml\nrecording: {dir: /srv/rec}\n"
    config = load(text)
    assert config.state_dir == tmp_path.parent / "state"
    assert config.policy == tmp_path / "policy.yaml"
    assert config.recording.dir == Path("/srv/rec")
    assert config.sensor("xray-1").url == f"folder:{tmp_path}/scans"


def test_sensors_are_of_the_class_that_their_driver_brings(load):
    config = load(GOOD)
    for sensor in config.sensors:
        assert type(sensor) is KINDS[kind_of(sensor)].config


def test_the_checkpoint_is_what_the_engine_needs(load):
    text = changed('url: "udp://0.0.0.0:8888"', 'url: "udp://0.0.0.0:8888", silent_after_s: 2')
    checkpoint = checkpoint_of(load(text), origins={"rpm-1": Origin.SIMULATOR})
    rpm, geo, xray = checkpoint.sensors
    assert (rpm.family, rpm.place, rpm.origin) == (Family.RADIATION, "nb-01", Origin.SIMULATOR)
    assert (geo.place, geo.silent_after_ms, geo.origin) == ("fence", 2000, Origin.SENSOR)
    assert rpm.silent_after_ms == 1000 * KINDS["rpm-tsa"].config.default_silent_after_s
    assert xray.silent_after_ms == 0
    assert [lane.heading_deg for lane in checkpoint.lanes] == [0.0, 180.0]
    assert checkpoint.zones[0].zone_id == "fence"


def test_a_password_is_read_from_its_file_or_variable(load, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("hunter2\r\nnot this\n")
    monkeypatch.setenv("SOUTH_PASSWORD", "swordfish")
    text = changed("keeps_cursor: true", "username: me, password_file: secret")
    assert load(text).sides["south"].password() == "hunter2"
    text = changed("keeps_cursor: true", "username: me, password_env: SOUTH_PASSWORD")
    assert load(text).sides["south"].password() == "swordfish"


# --- the digest ------------------------------------------------------------------------


def test_the_digest_is_the_same_on_another_machine(tmp_path):
    digests = set()
    for name in ("here", "there"):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "site.yaml").write_text(GOOD)
        digests.add(config_digest(load_config(directory / "site.yaml")))
    (digest,) = digests
    assert len(bytes.fromhex(digest)) == 32


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tcp://10.0.0.1:1600", "tcp://10.0.0.2:1600"),
        ("site:", "state_dir: /elsewhere\nsite:"),
        ("keeps_cursor: true", "username: me, password_env: X"),
    ],
    ids=["address", "folder", "credentials"],
)
def test_the_digest_leaves_out_what_shapes_no_alert(load, old, new):
    assert config_digest(load(changed(old, new))) == config_digest(load(GOOD))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{id: mariposa}", "{id: nogales}"),
        ("keeps_cursor: true", "languages: [es-MX]"),
        ("{id: fence}", "{id: fence, side: east}"),
        ("direction: northbound", "direction: northbound, scan_offset_s: [1, 2]"),
        ("kind: rpm-tsa", "kind: rpm-tsa, panel_distance_m: 3"),
    ],
)
def test_the_digest_changes_with_what_shapes_an_alert(load, old, new):
    assert config_digest(load(changed(old, new))) != config_digest(load(GOOD))


def test_the_digest_changes_with_the_policy(load, tmp_path):
    (tmp_path / "policy.yaml").write_text(
        "alarms: {deadband_nats: {value: 2.5, why: we want fewer}}\n"
    )
    assert config_digest(load(GOOD + "policy: policy.yaml\n")) != config_digest(load(GOOD))


# --- what is wrong ---------------------------------------------------------------------

MISTAKES = [
    ("unknown key", "{id: mariposa}", "{id: mariposa, nmes: {}}", 1, "site.nmes", "names"),
    ("bad name", "{id: mariposa}", "{id: Mariposa MX}", 1, "site.id", "mariposa-mx"),
    ("missing key", "{id: mariposa}", "{}", 1, "site.id", "add `id:`"),
    ("unknown side", "  north: {}", "  nort: {}", 3, "sides.nort", "north"),
    ("port", "  north: {}", "  north: {port: 70000}", 3, "sides.north.port", "18831"),
    ("language", "{}", "{languages: [en-UK]}", 3, "sides.north.languages[0]", "en-US"),
    ("no mqtt", "mqtts://ops.example:8883", "tcp://a:1", 4, "sides.south.broker", "mqtt://"),
    ("in URL", "mqtts://ops.", "mqtts://me:hunter2@ops.", 4, "sides.south.broker", "mqtt"),
    ("secret", "keeps_cursor: true", "password: hunter2", 4, "sides.south.password", "_file"),
    ("no TLS", "  north: {}", "  north: {tls: {}}", 3, "sides.north.tls", "remove"),
    ("no key", "keeps_cursor: true", "tls: {cert: a}", 4, "sides.south.tls", "both"),
    ("no user", "keeps_cursor: true", "password_env: X", 4, "sides.south.password_env", "user"),
    ("two ports", 'ops.example:8883"', 'ops.example:8883", port: 1', 4, "sides.south.port", "URL"),
    ("direction", "southbound", "south", 7, "lanes[1].direction", "southbound"),
    ("same id", "{id: fence}", "{id: nb-01}", 9, "zones[0].id", "own id"),
    ("kind", "rpm-tsa", "rpm-tas", 11, "sensors[0].kind", "rpm-tsa"),
    ("no kind", " kind: rpm-tsa,", "", 11, "sensors[0]", "rpm-tsa"),
    ("no lane", "kind: rpm-tsa, lane: nb-01", "kind: rpm-tsa", 11, "sensors[0]", "lane"),
    ("which lane", "rpm-tsa, lane: nb-01", "rpm-tsa, lane: nb-1", 11, "sensors[0].lane", "nb-01"),
    ("both", "zone: fence", "zone: fence, lane: nb-01", 12, "sensors[1].zone", "one of the two"),
    ("scheme", "tcp://10.0.0.1:1600", "tpc://10.0.0.1:1600", 11, "sensors[0].url", "tcp://"),
    ("form", "udp://0.0.0.0:8888", "/dev/ttyUSB0", 12, "sensors[1].url", "udp://"),
    ("no port", "tcp://10.0.0.1:1600", "tcp://10.0.0.1", 11, "sensors[0].url", "tcp://"),
    ("name", "id: geo-1", "id: Geo_1", 12, "sensors[1].id", "rename"),
    ("sensor key", "kind: rpm-tsa", "kind: rpm-tsa, bauds: 1", 11, "sensors[0].bauds", "baud"),
    ("detector", "rpm-tsa,", "rpm-n42,", 11, "sensors[0]", "`detector: {material: NaI}`"),
    (
        "no detector",
        "rpm-tsa,",
        "rpm-n42, detector: null,",
        11,
        "sensors[0].detector",
        "`detector: {material: NaI}`",
    ),
    ("number", "kind: rpm-tsa", "kind: rpm-tsa, timeout_s: x", 11, "sensors[0].timeout_s", "value"),
]


@pytest.mark.parametrize("row", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_with_line_key_and_mend(mistakes, row):
    _, old, new, line, key, mend = row
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    told = [one for one in mistakes(text) if one.key == key]
    assert [(one.line, one.key) for one in told] == [(line, key)]
    assert mend in told[0].mend
    assert told[0].message


@pytest.mark.parametrize("row", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_one_mistake_is_told_once(mistakes, row):
    _, old, new, *_ = row
    told = mistakes(GOOD.replace(old, new, 1))
    keys = [one.key for one in told]
    assert len(keys) == len(set(keys))
    assert "hunter2" not in str(told)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(mistakes):
    text = GOOD
    for old, new in (
        ("{id: mariposa}", "{id: Mariposa}"),
        ("{}", "{port: 0}"),
        ("southbound", "sout"),
        ("kind: rpm-tsa", "kind: rpm-tsa, colour: red"),
        ("udp://0.0.0.0:8888", "udp://0.0.0.0"),
    ):
        text = text.replace(old, new, 1)
    told = mistakes(text)
    assert [(one.line, one.key) for one in told] == [
        (1, "site.id"),
        (3, "sides.north.port"),
        (7, "lanes[1].direction"),
        (11, "sensors[0].colour"),
        (12, "sensors[1].url"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "is_mistake"),
    [
        ("udp://0.0.0.0:9", "udp://127.0.0.1:9", True),
        ("udp://127.0.0.2:9", "udp://127.0.0.1:9", False),
        ("udp://0.0.0.0:9", "udp://0.0.0.0:9", True),
        ("udp://0.0.0.0:9", "udp://0.0.0.0:10", False),
    ],
)
def test_two_sensors_cannot_be_read_from_one_address(load, first, second, is_mistake):
    text = changed("udp://0.0.0.0:8888", first) + (
        f'  - {{id: geo-2, kind: shake-udp, zone: fence, url: "{second}"}}\n'
    )
    if not is_mistake:
        assert load(text)
        return
    with pytest.raises(ConfigError, match=r"geo-1.*line 12.*already read"):
        load(text)


@pytest.mark.parametrize(
    ("first", "second", "is_mistake"),
    [
        ("sender: 10.0.0.1", "sender: 10.0.0.2", False),
        ("sender: 10.0.0.1", "sender: 10.0.0.1", True),
        ("sender: 10.0.0.1", "rate_hz: 100", True),
        ("sender: shake.local", "sender: 10.0.0.2", True),
    ],
)
def test_stations_on_one_port_are_told_apart_by_their_senders(load, first, second, is_mistake):
    address = 'url: "udp://0.0.0.0:8888"'
    text = changed(address, f"{address}, {first}") + (
        f"  - {{id: geo-2, kind: shake-udp, zone: fence, {address}, {second}}}\n"
    )
    if not is_mistake:
        assert load(text)
        return
    with pytest.raises(ConfigError):
        load(text)


@pytest.mark.parametrize(
    ("streams", "is_mistake"),
    [("AM_R24FA:EHZ", False), ("AM_R24FA:EHN", True), ("AM.R24FA", True), ("", True)],
)
def test_stations_of_one_seedlink_server_are_told_apart_by_their_streams(load, streams, is_mistake):
    row = '  - {{id: {}, kind: seedlink, zone: fence, url: "tcp://10.0.0.9:18000"{}}}\n'
    second = f', streams: "{streams}"' if streams else ""
    text = GOOD + row.format("sl-1", ', streams: "AM_R24FA:EHN"') + row.format("sl-2", second)
    if not is_mistake:
        assert load(text)
        return
    with pytest.raises(ConfigError):
        load(text)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (
            "shake-udp, zone: fence",
            "shake-udp, zone: fence, silent_after_s: .inf",
            "sensors[1].silent_after_s",
        ),
        (
            "shake-udp, zone: fence",
            "shake-udp, zone: fence, silent_after_s: 86401",
            "sensors[1].silent_after_s",
        ),
        (
            "shake-udp, zone: fence",
            "shake-udp, zone: fence, position_m: [.nan, 0]",
            "sensors[1].position_m[0]",
        ),
        (
            "shake-udp, zone: fence",
            "shake-udp, zone: fence, counts_per_m_s: .inf",
            "sensors[1].counts_per_m_s",
        ),
        ("rpm-tsa, lane: nb-01", "rpm-tsa, lane: nb-01, timeout_s: .nan", "sensors[0].timeout_s"),
        (
            "{id: nb-01, direction: northbound}",
            "{id: nb-01, direction: northbound, portal_m: [0, -.inf]}",
            "lanes[0].portal_m[1]",
        ),
        (
            "{id: nb-01, direction: northbound}",
            "{id: nb-01, direction: northbound, scan_offset_s: [0, 1e999]}",
            "lanes[0].scan_offset_s[1]",
        ),
        (
            "{id: nb-01, direction: northbound}",
            "{id: nb-01, direction: northbound, heading_deg: .nan}",
            "lanes[0].heading_deg",
        ),
        ("sensors:", "recording: {dir: rec, max_gb: .inf}\nsensors:", "recording.max_gb"),
    ],
)
def test_a_number_that_is_none_is_a_mistake(mistakes, old, new, key):
    (mistake,) = mistakes(changed(old, new))
    assert mistake.key == key
    assert mistake.line


def test_ports_on_this_machine_may_not_collide(mistakes):
    (told,) = mistakes(changed("{}", "{port: 8088}"))
    assert (told.key, told.line) == ("http.port", 1)
    text = changed("{}", "{port: 18832}").replace(
        '{broker: "mqtts://ops.example:8883", keeps_cursor: true}', "{}"
    )
    (told,) = mistakes(text)
    assert "the north broker" in told.message


def test_an_interval_that_ends_before_it_begins_is_a_mistake(mistakes):
    text = changed("direction: northbound", "direction: northbound, scan_offset_s: [9, 3]")
    (told,) = mistakes(text)
    assert told.key == "lanes[0].scan_offset_s"


def test_at_least_one_side_and_one_sensor_are_needed(mistakes):
    told = mistakes("site: {id: a}\nsides: {}\nsensors: []\n")
    assert [one.key for one in told] == ["sides", "sensors"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "just words\n", "42\n"])
def test_a_file_that_is_no_mapping_is_told_as_one_mistake(mistakes, text):
    (told,) = mistakes(text)
    assert "site:" in told.mend


@pytest.mark.parametrize(
    "text",
    [
        "site: 3\nsides: 4\nlanes: 5\nzones: {a: b}\nsensors: 6\n",
        "site: [1]\nsides: [north]\nlanes: [1, [2]]\nzones: null\nsensors: [null, 3, {id: 4}]\n",
        "sides: {north: {broker: 3, port: x, tls: 7}}\nsensors: [{kind: [], url: 3, lane: {}}]\n",
        "lanes: [{id: [a], scan_offset_s: x}]\nsensors: [{id: {a: 1}, lane: [x], zone: 3}]\n",
    ],
)
def test_shapes_that_make_no_sense_are_mistakes_and_never_a_crash(mistakes, text):
    assert all(one.message for one in mistakes(text))


def test_the_schema_is_json_and_knows_every_kind():
    schema = json.loads(json.dumps(json_schema()))
    assert set(schema["properties"]["sensors"]["items"]["discriminator"]["mapping"]) == set(KINDS)
    assert schema["$defs"]["Side"]["properties"]["keeps_cursor"]["description"]


def test_a_scanner_may_serve_several_lanes(load):
    config = load(
        changed('lane: nb-01, url: "folder', 'lane: nb-01, also_lanes: [sb-01], url: "folder')
    )
    (scanner,) = (one for one in checkpoint_of(config).sensors if one.sensor_id == "xray-1")
    assert (scanner.place, scanner.also) == ("nb-01", ("sb-01",))


def test_every_lane_of_a_shared_scanner_is_one_that_there_is_and_named_once(mistakes):
    lanes = 'lane: nb-01, also_lanes: [sb-02, nb-01, sb-01, sb-01], url: "folder'
    told = mistakes(changed('lane: nb-01, url: "folder', lanes))
    assert [(one.key, one.message) for one in told] == [
        ("sensors[2].also_lanes[0]", "there is no such lane"),
        ("sensors[2].also_lanes[1]", "this lane is named twice"),
        ("sensors[2].also_lanes[3]", "this lane is named twice"),
    ]
    assert "sb-01" in told[0].mend
    told = mistakes(
        changed('lane: nb-01, url: "folder', 'zone: fence, also_lanes: [sb-01], url: "folder')
    )
    assert "add `lane:`" in told[0].mend
