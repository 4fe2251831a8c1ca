import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edge.protocol import topics

names = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32)


def test_the_tree_is_that_of_the_contract():
    real = topics.root(False)
    assert topics.alert_topic(real, "mariposa", "nb-01") == "garita/v1/mariposa/nb-01/alert"
    assert (
        topics.active_topic(topics.root(True), "mariposa", "nb-01", "01JD")
        == "garita-exercise/v1/mariposa/nb-01/active/01JD"
    )
    assert topics.state_topic(real, "mariposa") == "garita/v1/mariposa/state"
    assert topics.birth_topic(real, "mariposa") == "garita/v1/mariposa/birth"
    assert topics.health_topic(real, "mariposa", "z-1") == "garita/v1/mariposa/z-1/health"
    assert (
        topics.live_topic(real, "mariposa", "z-1", "trace") == "garita/v1/mariposa/z-1/live/trace"
    )
    assert topics.cursor_topic(real, "north", "mariposa") == "garita/v1/ops/north/cursor/mariposa"
    assert topics.ops_state_topic(real, "north") == "garita/v1/ops/north/state"
    assert topics.command_filter(real, "mariposa") == "garita/v1/mariposa/cmd/#"


@given(exercise=st.booleans(), site=names, place=names)
def test_an_alert_topic_reads_back_as_written(exercise, site, place):
    topic = topics.alert_topic(topics.root(exercise), site, place)
    assert topics.parse_alert_topic(topic) == topics.AlertTopic(
        exercise=exercise, site=site, place=place
    )


@pytest.mark.parametrize(
    "name", ["", "a/b", "+", "#", "Nb-01", "a" * 33, "ñ", "a b", "nb-01\n", "\x00", "\uff11"]
)
def test_a_name_that_could_break_out_of_its_level_is_refused(name):
    with pytest.raises(ValueError, match="use 1 to 32 of a-z, 0-9 and -"):
        topics.alert_topic(topics.ROOT, "mariposa", name)
    with pytest.raises(ValueError, match="use 1 to 32 of a-z, 0-9 and -"):
        topics.cursor_topic(topics.ROOT, name, "mariposa")


@pytest.mark.parametrize("alert_id", ["", "a/b", "#", "x" * 65])
def test_an_alert_id_stays_one_level(alert_id):
    with pytest.raises(ValueError, match="no alert id"):
        topics.active_topic(topics.ROOT, "mariposa", "nb-01", alert_id)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "garita/v1/mariposa/state",
        "garita/v1/mariposa/nb-01/active/x",
        "garita/v1/mariposa/nb-01/alert/more",
        "garita/v2/mariposa/nb-01/alert",
        "garita/v1//nb-01/alert",
        "other/garita/v1/mariposa/nb-01/alert",
    ],
)
def test_other_topics_are_not_alert_streams(topic):
    assert topics.parse_alert_topic(topic) is None


@pytest.mark.parametrize("root", [topics.ROOT, topics.EXERCISE_ROOT])
def test_a_file_s_topic_is_read_back(root):
    topic = topics.evidence_topic(root, "mariposa", "01JD3M8A7Q0123456789ABCDEF", 12)
    assert topics.parse_evidence_topic(topic) == topics.EvidenceTopic(
        exercise=root == topics.EXERCISE_ROOT,
        site="mariposa",
        alert_id="01JD3M8A7Q0123456789ABCDEF",
        n=12,
    )
    assert topics.parse_alert_topic(topic) is None


@pytest.mark.parametrize(
    "topic",
    [
        "garita/v1/mariposa/evidence/A/0",
        "garita/v1/mariposa/evidence/A/x",
        "garita/v1/mariposa/evidence/A",
        "garita/v1/mariposa/evidence/A/1/2",
        "garita/v1/mariposa/evidence/../1",
        "garita/v1/evidence/active/A",
        "other/v1/mariposa/evidence/A/1",
    ],
)
def test_what_is_no_file_s_topic_is_none(topic):
    assert topics.parse_evidence_topic(topic) is None


def test_a_file_without_a_number_has_no_topic():
    for alert_id, n in (("A", 0), ("A/B", 1), ("", 1)):
        with pytest.raises(ValueError, match="evidence"):
            topics.evidence_topic(topics.ROOT, "mariposa", alert_id, n)


def test_asking_for_the_right_to_write_files_reaches_nobody_who_reads_them():
    topic = topics.evidence_probe_topic(topics.ROOT, "mariposa")
    assert topics.parse_evidence_topic(topic) is None
    assert not topic_matches_sub(topics.evidence_filter(topics.ROOT), topic)
    assert topic_matches_sub(f"{topics.ROOT}/mariposa/evidence/#", topic)
