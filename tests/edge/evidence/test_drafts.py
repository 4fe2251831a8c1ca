import sys
from dataclasses import replace

from drivers.wire import miniseed
from edge.evidence.drafts import drafts, is_worth_files, seen
from tests.edge.evidence.alerts import ground_alert
from tests.fusion.pass_records import pass_record
from tests.fusion.wave_records import wave_record


def rounds(steps):
    """Of (seconds, keys), those at which files are made."""
    made, known = [], None
    for seconds, keys in steps:
        record = wave_record(seconds=seconds, **keys)
        if is_worth_files(record, known):
            made.append(seconds)
            known = seen(record)
    return made


def test_a_pass_is_worth_files_as_soon_as_more_was_measured():
    assert is_worth_files(pass_record(), None)
    assert not is_worth_files(pass_record(), seen(pass_record()))
    assert is_worth_files(pass_record(), seen(pass_record(scans=30)))


def test_an_event_that_is_told_every_second_is_drawn_a_few_times():
    steps = [(float(second), {}) for second in range(2, 61)]
    assert rounds(steps) == [2.0, 12.0, 22.0, 33.0, 50.0]


def test_the_end_of_an_event_is_worth_files_and_is_drawn_once():
    steps = [(2.0, {}), (4.0, {}), (5.0, {"final": True}), (5.0, {"final": True})]
    assert rounds(steps) == [2.0, 5.0]


def test_an_end_that_brings_nothing_is_not():
    assert rounds([(2.0, {}), (2.0, {"final": True})]) == [2.0]


def test_another_name_is_worth_files_once_it_has_lasted():
    names = ["person", "group"] * 30
    steps = [(2.0 + second, {"name": name}) for second, name in enumerate(names)]
    made = rounds(steps)
    assert made[:3] == [2.0, 7.0, 12.0]
    assert len(made) < 16


def test_another_event_is_worth_files_unless_it_is_the_next_moment():
    record = wave_record(seconds=8.0)
    other = replace(record, start_utc_ns=record.start_utc_ns + 6_000_000_000)
    assert not is_worth_files(other, seen(record))
    later = replace(other, end_utc_ns=record.end_utc_ns + 5_000_000_000)
    assert is_worth_files(later, seen(record))


def test_without_the_library_of_miniseed_there_is_the_picture_alone(monkeypatch):
    miniseed._library.cache_clear()
    monkeypatch.setitem(sys.modules, "pymseed", None)
    record = wave_record(seconds=3.0)
    assert [draft.name for draft in drafts(ground_alert(record), record, 0)] == ["clip.png"]
    assert [draft.name for draft in drafts(ground_alert(record), record, 1)] == ["clip-2.png"]
