"""policy.yaml: thresholds with their reasons."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from edge.errors import ConfigError
from edge.settings.policy_file import load_policy, policy_text, reasons
from fusion.policy import Policy
from fusion.types import Event

POLICY_FILE = Path(__file__).parents[3] / "configs" / "policy.yaml"


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return load_policy(path)

    return load_text


def test_without_a_file_the_defaults_hold():
    assert load_policy(None) == Policy()


def test_the_file_in_the_repository_lists_every_threshold_with_a_reason():
    written = YAML(typ="safe").load(POLICY_FILE.read_text())
    for section in fields(Policy):
        thresholds = fields(getattr(Policy(), section.name))
        assert list(written[section.name]) == [threshold.name for threshold in thresholds]
        for threshold in thresholds:
            why = written[section.name][threshold.name]["why"]
            assert len(why.split()) >= 3, f"{section.name}.{threshold.name} has no reason"


def test_the_file_in_the_repository_holds_the_defaults():
    assert load_policy(POLICY_FILE) == Policy(), "run: python -m edge.settings.policy_file"


def test_what_is_written_is_read_as_the_same_values(load):
    assert load(policy_text()) == Policy()


def test_a_changed_value_keeps_the_others(load):
    policy = load("alarms:\n  deadband_nats: {value: 2, why: fewer repeats}\n")
    assert policy == replace(Policy(), alarms=replace(Policy().alarms, deadband_nats=2.0))


def test_one_entry_of_a_table_keeps_the_others(load):
    policy = load(
        "scoring:\n  priors_nats: {value: {norm: -2}, why: a quarry next door}\n"
        "alarms:\n  level_lines: {value: {PERSON: [0.1, 0.2, 0.3]}, why: a busy path}\n"
    )
    assert policy.scoring.priors_nats == {**Policy().scoring.priors_nats, "norm": -2.0}
    assert policy.alarms.level_lines[Event.PERSON] == (0.1, 0.2, 0.3)
    assert policy.alarms.level_lines[Event.GROUP] == Policy().alarms.level_lines[Event.GROUP]


@pytest.mark.parametrize(
    ("text", "line", "key", "mend"),
    [
        ("alrams: {}\n", 1, "alrams", "alarms"),
        ("alarms:\n  deadband: {value: 1, why: x}\n", 2, "alarms.deadband", "deadband_nats"),
        ("alarms:\n  deadband_nats: 3\n", 2, "alarms.deadband_nats", "value: ..., why: ..."),
        ("alarms:\n  deadband_nats: {value: 3}\n", 2, "alarms.deadband_nats", "why:"),
        ("alarms:\n  deadband_nats: {value: 3, why: ''}\n", 2, "alarms.deadband_nats", "why:"),
        ("alarms:\n  deadband_nats: {why: x}\n", 2, "alarms.deadband_nats", "value:"),
        (
            "alarms:\n  deadband_nats: {vaule: 3, value: 2, why: x}\n",
            2,
            "alarms.deadband_nats.vaule",
            "value",
        ),
        (
            "alarms:\n  deadband_nats:\n    value: many\n    why: x\n",
            3,
            "alarms.deadband_nats.value",
            "the default is 1.0",
        ),
        (
            "alarms:\n  deadband_nats: {value: .nan, why: x}\n",
            2,
            "alarms.deadband_nats.value",
            "default",
        ),
        (
            "scoring:\n  priors_nats:\n    value: {nrom: -2}\n    why: x\n",
            3,
            "scoring.priors_nats.value",
            "norm",
        ),
        (
            "alarms:\n  level_lines: {value: {PERSON: [0.1]}, why: x}\n",
            2,
            "alarms.level_lines.value",
            "default",
        ),
        (
            "radiation:\n  panel_shadow_sd: {value: 0, why: x}\n",
            2,
            "radiation.panel_shadow_sd.value",
            "a small one",
        ),
        (
            "identify:\n  offset_sd_kev: {value: -1, why: x}\n",
            2,
            "identify.offset_sd_kev.value",
            "a small one",
        ),
        (
            "alarms:\n  on_delay_s: {value: {radiation: 1.5}, why: x}\n",
            1,
            "alarms",
            "a pass is over",
        ),
        (
            "scoring:\n  place_priors_nats: {value: {nb-02: {nrom: 1}}, why: x}\n",
            2,
            "scoring.place_priors_nats.value.nb-02.nrom",
            "norm",
        ),
        (
            f"scoring:\n  hour_priors_nats: {{value: {{norm: {[0.5] * 23}}}, why: x}}\n",
            2,
            "scoring.hour_priors_nats.value.norm",
            "midnight",
        ),
        (
            f"scoring:\n  hour_priors_nats: {{value: {{cow: {[0.5] * 24}}}, why: x}}\n",
            2,
            "scoring.hour_priors_nats.value.cow",
            "norm",
        ),
        (
            "evidence:\n  dense_slope: {value: -0.5, why: x}\n",
            2,
            "evidence.dense_slope.value",
            "speak against",
        ),
        ("alarms: 3\n", 1, "alarms", "thresholds"),
        ("- alarms\n", 1, "", "policy.yaml"),
    ],
)
def test_a_mistake_is_told_with_its_line(load, text, line, key, mend):
    with pytest.raises(ConfigError) as caught:
        load(text)
    (told,) = caught.value.mistakes
    assert (told.line, told.key) == (line, key)
    assert mend in told.mend


def test_all_mistakes_are_told_at_once(load):
    text = "alarms:\n  a: {}\n  deadband_nats: {value: x, why: y}\nb: {}\n"
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert [mistake.line for mistake in caught.value.mistakes] == [2, 3, 4]


def test_what_a_lane_and_an_hour_add_to_priors_is_read(load):
    policy = load(
        "scoring:\n  place_priors_nats: {value: {nb-02: {norm: 1}}, why: a quarry next door}\n"
        f"  hour_priors_nats: {{value: {{medical: {[0.0] * 23 + [1]}}}, why: a night clinic}}\n"
    )
    assert policy.scoring.place_priors_nats == {"nb-02": {"norm": 1.0}}
    assert policy.scoring.hour_priors_nats["medical"][23] == 1.0


def test_a_prior_of_a_lane_that_is_not_there_is_told_where_the_lanes_are_known(tmp_path):
    path = tmp_path / "policy.yaml"
    text = "scoring:\n  place_priors_nats:\n    why: a quarry\n    value:\n      nb-2: {norm: 1}\n"
    path.write_text(text)
    load_policy(path)
    with pytest.raises(ConfigError) as caught:
        load_policy(path, ["nb-02", "east-fence"])
    (told,) = caught.value.mistakes
    assert (told.line, told.key) == (5, "scoring.place_priors_nats.value.nb-2")
    assert "nb-02" in told.mend


@dataclass(frozen=True)
class Thresholds:
    """Of nothing."""

    first: float = 1.0
    """Because one
    is the least."""
    second: float = 2.0


def test_the_docstring_after_a_field_is_its_reason():
    assert reasons(Thresholds) == {"first": "Because one is the least."}
