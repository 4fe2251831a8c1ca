"""What a configuration inhibits: of something, for a while, with a reason, and never a source."""

from datetime import UTC, datetime, timedelta

import pytest

from edge import cli
from edge.config import config_digest, load_config
from edge.errors import ConfigError
from edge.settings.inhibits import check_times, moment
from edge.settings.lines import read_yaml
from edge.station.inhibits import standing, utc_ns_of
from fusion.types import SECOND_NS

SITE = """\
site: {id: mariposa}
sides: {north: {broker: auto, port: 18831}}
lanes: [{id: nb-01, direction: northbound}]
sensors: [{id: rpm-1, kind: rpm-tsa, lane: nb-01, url: "tcp://127.0.0.1:1"}]
"""
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GOOD = "{place: nb-01, until: 2026-12-01T06:00:00Z, reason: new fence}"


@pytest.fixture
def written(tmp_path):
    def write(*inhibits: str):
        path = tmp_path / "site.yaml"
        items = "".join(f"  - {one}\n" for one in inhibits)
        path.write_text(SITE + (f"inhibits:\n{items}" if inhibits else ""))
        return path

    return write


def mistakes(path):
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [(one.line, one.key) for one in caught.value.mistakes]


def test_what_is_right_becomes_a_sample_of_the_same_scope_until_the_same_time(written):
    also = "{event: PERSON, sensor: rpm-1, until: 2026-12-01T07:00:00+01:00, reason: x}"
    place, event = standing(load_config(written(GOOD, also)), 5)
    assert (place.place, place.start_utc_ns) == ("nb-01", 5)
    assert (place.by, place.reason, place.standing) == ("config", "new fence", True)
    assert (event.event, event.sensor_id) == ("PERSON", "rpm-1")
    until = utc_ns_of(datetime(2026, 12, 1, 6, 0, tzinfo=UTC))
    assert place.until_utc_ns == event.until_utc_ns == until


@pytest.mark.parametrize(
    ("inhibit", "key"),
    [
        ("{until: 2026-12-01T06:00:00Z, reason: x}", "inhibits[0]"),
        ("{place: nb-02, until: 2026-12-01T06:00:00Z, reason: x}", "inhibits[0].place"),
        ("{sensor: rpm-2, until: 2026-12-01T06:00:00Z, reason: x}", "inhibits[0].sensor"),
        ("{event: PERSONS, until: 2026-12-01T06:00:00Z, reason: x}", "inhibits[0].event"),
        ("{event: RAD_THREAT, until: 2026-12-01T06:00:00Z, reason: x}", "inhibits[0].event"),
        ("{place: nb-01, until: 2026-12-01T06:00:00Z}", "inhibits[0].reason"),
        ("{place: nb-01, until: 2026-12-01T06:00:00Z, reason: ' '}", "inhibits[0].reason"),
        ("{place: nb-01, reason: x}", "inhibits[0].until"),
        ("{place: nb-01, until: 2026-12-01T06:00:00, reason: x}", "inhibits[0].until"),
        ("{place: nb-01, until: soon, reason: x}", "inhibits[0].until"),
    ],
)
def test_every_mistake_is_told_with_its_line(written, inhibit, key):
    assert mistakes(written(inhibit)) == [(6, key)]


def test_check_tells_what_has_expired_and_what_is_for_too_long(written, capsys):
    late = (datetime.now(UTC) + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = written(
        "{place: nb-01, until: 2020-12-01T06:00:00Z, reason: x}",
        f"{{place: nb-01, until: {late}, reason: x}}",
        "{place: nb-02, until: 2020-12-01T06:00:00Z, reason: x}",
    )
    assert cli.main(["check", str(path)]) == 3
    assert ": 4 mistakes" in capsys.readouterr().out, "all of them at once"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert load_config(path).inhibits, "a service that starts again must not fail of it"
    assert cli.main(["check", str(path)]) == 3
    shown = capsys.readouterr().out
    assert "line 6: inhibits[0].until" in shown
    assert "it has expired" in shown
    assert "line 7: inhibits[1].until" in shown
    assert "more than 30 days" in shown


def test_at_its_time_it_has_expired(written):
    document = read_yaml(written(GOOD))
    until = moment("2026-12-01T06:00:00Z")
    assert list(check_times(document, NOW)) == []
    assert list(check_times(document, until - timedelta(seconds=1))) == []
    (told,) = check_times(document, until)
    assert (told.line, told.key) == (6, "inhibits[0].until")


def test_a_configuration_without_any_has_the_digest_that_it_had(written):
    without = config_digest(load_config(written()))
    assert config_digest(load_config(written(GOOD))) != without


@pytest.mark.parametrize(
    ("text", "utc_ns"),
    [
        ("1970-01-01T00:00:01+00:00", SECOND_NS),
        ("1970-01-01T01:00:00.000001+01:00", 1000),
        ("2026-11-22T12:00:00Z", int(NOW.timestamp()) * SECOND_NS),
    ],
)
def test_a_time_becomes_nanoseconds_without_rounding(text, utc_ns):
    assert utc_ns_of(moment(text)) == utc_ns
