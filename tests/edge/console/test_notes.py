import hashlib

import pytest

from edge.console.notes import Notes, NotesError

SAID = {"time": "2026-11-02T18:00:00Z", "login": "ana", "role": "operator"}


def test_notes_are_there_after_a_restart_with_the_same_digests(tmp_path):
    notes = Notes(tmp_path / "notes.jsonl")
    kept = [notes.keep(alert=alert, text=f"{alert} ñ", **SAID) for alert in ("A", "B", "A")]
    again = Notes(tmp_path / "notes.jsonl")
    assert again.of("A") == [kept[0], kept[2]]
    assert again.of("B") == [kept[1]]
    assert again.of("C") == []
    lines = (tmp_path / "notes.jsonl").read_bytes().splitlines()
    assert [hashlib.sha256(line).hexdigest() for line in lines] == [one.sha256 for one in kept]


def test_the_same_text_twice_has_two_digests(tmp_path):
    notes = Notes(tmp_path / "notes.jsonl")
    one, other = (notes.keep(alert="A", text="nothing", **SAID) for _ in range(2))
    assert one.sha256 != other.sha256


@pytest.mark.parametrize("rest", [b'{"schema":"garita.no', b"garbage\n", b"\xff\xfe\n\n"])
def test_a_line_that_is_none_costs_no_other(tmp_path, rest):
    path = tmp_path / "notes.jsonl"
    first = Notes(path).keep(alert="A", text="before", **SAID)
    with path.open("ab") as file:
        file.write(rest)
    notes = Notes(path)
    second = notes.keep(alert="A", text="after", **SAID)
    assert Notes(path).of("A") == [first, second]


def test_only_its_owner_reads_the_file(tmp_path):
    Notes(tmp_path / "notes.jsonl").keep(alert="A", text="x", **SAID)
    assert (tmp_path / "notes.jsonl").stat().st_mode & 0o077 == 0


def test_what_cannot_be_written_is_said(tmp_path):
    with pytest.raises(NotesError, match=str(tmp_path)):
        Notes(tmp_path / "gone" / "notes.jsonl").keep(alert="A", text="x", **SAID)
