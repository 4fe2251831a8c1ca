import msgspec
import pytest

from edge.protocol.messages import BirthMessage, HealthMessage, SideHealth, StateMessage
from edge.sensors.sources import SourceStatus
from edge.station.documents import Documents, roots
from fusion.types import SECOND_NS, Origin
from tests.edge.rehearsed import START_NS, small_config

SIDE = SideHealth(side="north", connected=True, outbox_depth=0, oldest_age_s=None)


@pytest.fixture
def documents(tmp_path):
    return Documents(
        small_config(tmp_path),
        epoch="01JC",
        first_seq=7,
        started_utc_ns=START_NS,
        digest="ab" * 32,
    )


def statuses(**changed):
    return [
        SourceStatus(sensor_id=name, origin=Origin.SENSOR, **changed)
        for name in ("rpm-1", "geo-1", "geo-2", "xray-1")
    ]


def test_the_birth_names_everything_with_its_place_and_origin(documents):
    origins = dict.fromkeys(("rpm-1", "geo-1", "xray-1"), Origin.SENSOR)
    payload = documents.birth(origins | {"geo-2": Origin.SIMULATOR})
    birth = msgspec.json.decode(payload, type=BirthMessage)
    assert (birth.epoch, birth.first_seq) == ("01JC", 7)
    assert [(one.id, one.place, one.origin) for one in birth.sensors] == [
        ("rpm-1", "nb-01", "sensor"),
        ("geo-1", "fence", "sensor"),
        ("geo-2", "fence", "simulator"),
        ("xray-1", "nb-01", "sensor"),
    ]


@pytest.mark.parametrize("state", ["init", "ready", "disconnected", "lost"])
def test_the_state_is_one_of_four_words(documents, state):
    said = msgspec.json.decode(documents.state(state, START_NS), type=StateMessage)
    assert (said.state, said.epoch) == (state, "01JC")


def test_the_health_of_a_place_is_that_of_its_sensors_and_of_both_sides(documents):
    known = statuses(up=True, last_sample_utc_ns=START_NS - 2 * SECOND_NS)
    payload = documents.health("fence", known, [SIDE], START_NS)
    health = msgspec.json.decode(payload, type=HealthMessage)
    assert [one.id for one in health.sensors] == ["geo-1", "geo-2"]
    assert {one.last_sample_age_s for one in health.sensors} == {2.0}
    assert health.sides == [SIDE]


def test_a_sensor_that_never_spoke_has_no_age(documents):
    known = statuses(reason="no connection")
    payload = documents.health("nb-01", known, [], START_NS)
    health = msgspec.json.decode(payload, type=HealthMessage)
    assert [(one.last_sample_age_s, one.text) for one in health.sensors] == [
        (None, "no connection"),
        (None, "no connection"),
    ]


def test_places_are_named_once_in_the_order_of_the_configuration(documents):
    assert documents.places() == ["nb-01", "fence"]
    assert [one.sensor_id for one in documents.at("fence", statuses())] == ["geo-1", "geo-2"]


@pytest.mark.parametrize(
    ("origins", "below"),
    [
        ([Origin.SENSOR], ("garita/v1",)),
        ([Origin.SIMULATOR], ("garita-exercise/v1",)),
        ([Origin.SIMULATOR, Origin.SENSOR], ("garita/v1", "garita-exercise/v1")),
    ],
)
def test_a_site_shows_itself_where_its_alerts_go(origins, below):
    assert roots(origins) == below
