"""What a start tells the common record of what both sides have agreed on."""

import pytest

from edge.config import load_policy
from edge.errors import ConfigError
from edge.record.entries import Draft, decode
from edge.record.record import Record
from edge.station.agreed import hold_to_agreed
from edge.trust import keys
from tests.edge.trust.test_governance import HOUR_NS, NOW, Site


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def record(site):
    made = Record(site.folder / "run" / "record.db", site="demo", now_utc_ns=lambda: NOW)
    yield made
    made.close()


def start(site, record, at=NOW):
    config = site.config()
    return hold_to_agreed(config, load_policy(config.policy), record, at_utc_ns=at)


def entered(record):
    return [decode(data) for data in record.entries(0, 100)]


def test_a_site_without_keyring_is_not_governed(site, record):
    site.document["keys"] = {}
    site.release()
    assert start(site, record) == (None, [], [])
    assert not (site.folder / "run" / "governance.json").exists()


def test_a_start_that_changes_nothing_enters_nothing(site, record):
    _, [adopted], _ = start(site, record)
    assert adopted.facts["outcome"] == "adopted"
    record.append([adopted])
    ring, drafts, _ = start(site, record)
    assert ring.keys == keys.read_keyring(site.folder / "keyring.json").keys
    assert drafts == []
    assert record.size == 1


def test_what_both_have_signed_is_told_with_their_keys(site, record):
    start(site, record)
    site.release()
    site.propose()
    _, [draft], _ = start(site, record)
    assert draft.kind == "change"
    assert draft.facts["what"] == ["release"]
    assert draft.facts["signers"] == [one.key_id for one in site.officers]


def test_an_attempt_is_entered_once_however_often_it_is_started(site, record):
    start(site, record)
    site.release()
    for _ in range(3):
        with pytest.raises(ConfigError, match="garita change sign") as refused:
            start(site, record)
    assert refused.value.mistakes[0].key == "sides"
    assert [one.facts["why"] for one in entered(record)] == ["unsigned"]
    site.propose(site.officers[1])
    with pytest.raises(ConfigError, match="an officer of north has to sign it"):
        start(site, record)
    assert [one.facts["why"] for one in entered(record)] == ["unsigned", "not-both"]
    record.append([Draft(kind="stop", facts={})])
    with pytest.raises(ConfigError):
        start(site, record, NOW + HOUR_NS)
    kinds = [one.kind for one in entered(record)]
    assert kinds == ["change-refused", "change-refused", "stop", "change-refused"]


def test_a_keyring_left_out_does_not_do_away_with_both_sides(site, record):
    start(site, record)
    site.document["keys"] = {}
    site.release()
    with pytest.raises(ConfigError) as refused:
        start(site, record)
    assert refused.value.mistakes[0].key == "sides, keys.keyring"
    assert entered(record)[0].facts["what"] == ["release", "keys"]


def test_a_keyring_that_cannot_be_read_says_so(site, record):
    start(site, record)
    (site.folder / "keyring.json").write_text("{")
    with pytest.raises(ConfigError, match="it cannot be seen whether both sides agree"):
        start(site, record)


def test_what_a_crash_kept_from_the_record_is_entered_at_the_next_start(site, record):
    _, [adopted], _ = start(site, record)
    assert start(site, record).drafts == [adopted]
    record.append([Draft(kind="start", facts={}), adopted])
    assert start(site, record).drafts == []
    site.release()
    site.propose()
    _, [approved], _ = start(site, record)  # and then it is killed
    assert start(site, record).drafts == [approved]
    assert approved.facts["outcome"] == "approved"
    record.append([approved])
    assert start(site, record).drafts == []


def test_a_record_begun_anew_is_told_what_is_in_force(site, record):
    _, [adopted], _ = start(site, record)
    record.append([adopted])
    anew = Record(site.folder / "anew.db", site="demo", now_utc_ns=lambda: NOW)
    assert start(site, anew).drafts == [adopted]
    anew.close()


def test_keys_that_have_all_ended_are_a_trouble_until_both_have_signed_again(site, record):
    site.officers = [site.officer(side, "-short", days=10) for side in ("north", "south")]
    keys.write_keyring(site.folder / "keyring.json", [one.public for one in site.officers])
    assert start(site, record).troubles == []
    later = NOW + 11 * 24 * HOUR_NS
    (ended,) = start(site, record, later).troubles
    assert "every officer's key of north and south has ended" in ended
    site.officers = [site.officer(side, "-new") for side in ("north", "south")]
    keys.write_keyring(site.folder / "keyring.json", [one.public for one in site.officers])
    _, [draft], [trouble] = start(site, record, later)
    assert (draft.facts["outcome"], draft.facts["signers"]) == ("lapsed", [])
    assert "changed while not both sides could sign" in trouble
    site.release()
    site.propose(at=later)
    assert start(site, record, later).troubles == []
