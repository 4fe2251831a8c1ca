import hashlib
from dataclasses import replace

from edge.evidence.files import EvidenceMaker
from edge.protocol.messages import encode
from fusion.types import Level, Phase
from tests.edge.evidence.alerts import alert, ground_alert
from tests.fusion.pass_records import pass_record
from tests.fusion.wave_records import wave_record


def told(maker, revision):
    evidence = maker.of(revision)
    maker.keep(revision.alert_id, evidence)
    return evidence


def names(messages):
    return [message.name for message in messages]


def test_an_alert_of_level_two_names_its_two_files_with_their_digests():
    made = EvidenceMaker().of(alert(pass_record(), level=Level.ADVISORY))
    assert names(made.listed) == ["pass.n42", "pass.png"]
    assert [(file.n, file.message) for file in made.new] == [*enumerate(made.listed, start=1)]
    for file in made.new:
        assert file.message.sha256 == hashlib.sha256(file.data).hexdigest()
        assert file.message.bytes == len(file.data)
    assert b'"sha256"' in encode(made.listed[0])


def test_no_radiation_evidence_and_no_more_than_a_log_entry_carry_nothing():
    maker = EvidenceMaker()
    assert maker.of(alert()).listed == ()
    assert maker.of(alert(pass_record(), level=Level.LOG)).listed == ()


def test_a_revision_without_new_counts_names_the_same_files_and_sends_none():
    maker = EvidenceMaker()
    first = told(maker, alert(pass_record()))
    again = maker.of(alert(pass_record(), revision=2))
    assert again.listed == first.listed
    assert again.new == ()


def test_what_was_not_kept_has_not_been_told():
    maker = EvidenceMaker()
    first = maker.of(alert(pass_record()))
    again = maker.of(alert(pass_record(), revision=2))
    assert names(again.listed) == names(first.listed)
    assert [file.n for file in again.new] == [1, 2]


def test_new_counts_are_new_files_and_go_on_counting():
    maker = EvidenceMaker()
    first = told(maker, alert(pass_record(scans=30, closed=False)))
    second = told(maker, alert(pass_record(scans=50), revision=2))
    assert [file.n for file in second.new] == [3, 4]
    assert names(second.listed) == ["pass.n42", "pass.png"]
    assert {m.sha256 for m in first.listed}.isdisjoint(m.sha256 for m in second.listed)
    over = told(maker, alert(pass_record(scans=50), revision=3, phase=Phase.CLEAR))
    assert over.listed == second.listed
    assert over.new == ()


def test_a_second_portal_has_files_of_its_own():
    other = replace(pass_record(seed=2), sensor_id="rpm-2")
    made = EvidenceMaker().of(alert(pass_record(), other))
    assert names(made.listed) == ["pass.n42", "pass.png", "pass-2.n42", "pass-2.png"]
    assert [file.n for file in made.new] == [1, 2, 3, 4]


def test_the_same_alerts_make_the_same_bytes():
    records = [pass_record(scans=30, closed=False), pass_record()]

    def run():
        maker = EvidenceMaker()
        made = [told(maker, alert(r, revision=n + 1)) for n, r in enumerate(records)]
        return [file.data for each in made for file in each.new]

    assert run() == run()


def test_an_alert_of_the_ground_names_a_clip_and_a_picture_of_each_station():
    stations = [wave_record(sensor_id=f"geo-{n}", seconds=5.0) for n in (3, 1)]
    made = EvidenceMaker().of(ground_alert(*stations, level=Level.ADVISORY))
    assert names(made.listed) == ["clip.mseed", "clip.png", "clip-2.mseed", "clip-2.png"]
    assert [m.media_type for m in made.listed[:2]] == ["application/vnd.fdsn.mseed", "image/png"]
    for file in made.new:
        assert file.message.sha256 == hashlib.sha256(file.data).hexdigest()


def test_stations_of_a_line_give_way_to_those_that_say_more():
    maker = EvidenceMaker()
    near, far, next_ = (wave_record(sensor_id=f"geo-{n}", seconds=5.0) for n in (1, 2, 3))
    told(maker, ground_alert(near, far))
    second = told(maker, ground_alert(next_, far, revision=2))
    assert names(second.listed) == ["clip-2.mseed", "clip-2.png", "clip-3.mseed", "clip-3.png"]
    assert [file.n for file in second.new] == [5, 6]
    again = told(maker, ground_alert(near, revision=3))
    assert names(again.listed) == ["clip.mseed", "clip.png"]
    assert again.new == ()
    over = maker.of(ground_alert(near, revision=4, phase=Phase.CLEAR))
    assert over.listed == again.listed


def test_what_was_shelved_or_folded_keeps_its_files_for_whoever_looks_later():
    quiet = alert(pass_record(), level=Level.LOG, facts={"group": "01JD", "own_level": 3})
    assert names(EvidenceMaker().of(quiet).listed) == ["pass.n42", "pass.png"]
