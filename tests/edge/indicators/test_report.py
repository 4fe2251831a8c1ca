import csv
import io

import pytest

from edge import cli
from edge.indicators.report import window_of
from edge.indicators.source import SourceError, read
from edge.indicators.tables import safe
from edge.record.entries import Draft, encode
from edge.record.record import Record
from tests.edge.indicators.month import DECEMBER, NOVEMBER, SECOND, november


@pytest.fixture
def lines(tmp_path):
    """The month as exported lines."""
    path = tmp_path / "november.jsonl"
    path.write_bytes(b"".join(encode(entry) + b"\n" for entry in november()))
    return path


@pytest.fixture
def record(tmp_path):
    """The month as a record, in the state folder of a service."""
    folder = tmp_path / "state"
    kept = Record(folder / "record.db", site="mariposa", now_utc_ns=lambda: NOVEMBER)
    kept.append_bytes([encode(entry) for entry in november()])
    yield kept
    kept.close()


def report(*arguments):
    return cli.main(["report", "--from", "2026-11-01", "--to", "2026-11-30", *map(str, arguments)])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_record_state_and_lines_give_the_same_bytes(lines, record, tmp_path):
    for name, source in (
        ("a", ("--record", record.path)),
        ("b", ("--state", record.path.parent)),
        ("c", ("--entries", lines)),
    ):
        assert report(*source, "--out", tmp_path / name) == 0
    made = contents(tmp_path / "a")
    assert made == contents(tmp_path / "b") == contents(tmp_path / "c")
    assert record.root().hex().encode() in made["report.es-MX.html"]


def test_the_files_are_named_on_stdout(lines, tmp_path, capsys):
    assert report("--entries", lines, "--out", tmp_path / "out", "--language", "es-MX") == 0
    named = capsys.readouterr().out.split()
    assert sorted(named) == sorted(str(path) for path in (tmp_path / "out").iterdir())
    assert not any("en-US" in name for name in named)
    assert b"report.en-US" not in (tmp_path / "out" / "report.es-MX.html").read_bytes()


def test_the_record_that_is_counted_is_not_changed(record, tmp_path):
    before = record.path.read_bytes()
    assert report("--record", record.path, "--out", tmp_path / "out") == 0
    assert record.path.read_bytes() == before


def test_a_service_may_go_on_entering_meanwhile(record, tmp_path):
    assert report("--record", record.path, "--out", tmp_path / "out") == 0
    record.append([Draft(kind="stop", facts={"clean": True})])
    assert read(record.path).origin.size == len(november()) + 1


def test_another_record_has_another_root(lines):
    whole = read(lines).origin
    lines.write_bytes(lines.read_bytes().replace(b"no-patrol", b"no-patral"))
    assert read(lines).origin.root != whole.root


def test_a_part_of_a_record_says_that_it_is_one(lines, tmp_path):
    lines.write_bytes(b"".join(lines.read_bytes().splitlines(keepends=True)[5:]))
    assert read(lines).origin.root == ""
    assert report("--entries", lines, "--out", tmp_path / "out") == 0
    text = (tmp_path / "out" / "report.en-US.html").read_text("utf-8")
    assert "Counted from entries 5 to 64 of the record; it is not whole" in text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}\n", "line 1 is no entry"),
        (b"\xff\n", "line 1 is no entry"),
        (b"x" * 2_000_000, "line 1 is longer than any entry"),
        (b"SQLite format 3\x00garbage", "record"),
    ],
)
def test_what_is_no_record_is_refused(data, said, tmp_path, capsys):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert report("--entries", path, "--out", tmp_path / "out") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_two_sites_are_not_mixed(lines):
    lines.write_bytes(
        lines.read_bytes().replace(b'"site":"mariposa","index":9', b'"site":"b","index":9')
    )
    with pytest.raises(SourceError, match="line 10 is of b, the first of mariposa"):
        read(lines)


def test_a_missing_file_is_told(tmp_path, capsys):
    assert report("--record", tmp_path / "none", "--out", tmp_path / "out") == 2
    assert "none" in capsys.readouterr().err


def test_an_empty_file_gives_a_page_that_says_so(tmp_path, capsys):
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    assert report("--entries", path, "--out", tmp_path / "out") == 0
    assert "Nothing was counted" in capsys.readouterr().err


def test_a_last_day_is_in_the_window_and_a_last_time_is_not():
    whole = window_of("2026-11-01", "2026-11-30")
    assert (whole.from_utc_ns, whole.to_utc_ns) == (NOVEMBER, DECEMBER)
    shift = window_of("2026-11-01T06:00:00-07:00", "2026-11-01T13:00:01Z")
    assert shift.length_ns == SECOND


@pytest.mark.parametrize("end", ["2026-10-31", "yesterday", "2026-11-01T00:00:00", "2026-13-01"])
def test_what_is_no_window_is_refused(end):
    with pytest.raises(ValueError, match=end):
        window_of("2026-11-01", end)


def test_tables_are_of_both_languages_and_every_line_is_as_long(lines, tmp_path):
    assert report("--entries", lines, "--out", tmp_path / "out") == 0
    for name in ("figures.csv", "entries.csv"):
        data = (tmp_path / "out" / name).read_bytes()
        assert data.count(b"\r\n") == data.count(b"\n")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert len({len(row) for row in rows}) == 1
    figures = list(csv.DictReader((tmp_path / "out" / "figures.csv").open(newline="")))
    alone = [row for row in figures if row["table"] == "precision" and row["row"] == "RAD_INNOCENT"]
    assert {row["value"] for row in alone if row["unit"] == "1"} == {""}
    assert "sin dictamen" in {row["shown es-MX"] for row in alone}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1"]
)
def test_no_spreadsheet_runs_what_others_wrote(text):
    assert safe(text).startswith("'")


def test_a_plain_text_stays_as_it_is():
    assert safe("nb-01 · 2,5") == "nb-01 · 2,5"
