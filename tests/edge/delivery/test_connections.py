"""Which errors of the outbox's file pass by themselves, on real files and a really full disk."""

import sqlite3

import pytest

from edge.delivery.connections import Connections
from edge.delivery.outbox_file import OutboxError


@pytest.fixture
def file(tmp_path):
    connections = Connections(tmp_path / "outbox.db")
    yield connections
    connections.close()


def test_a_mistake_in_what_is_written_is_not_taken_for_a_full_disk(file):
    with (
        pytest.raises(sqlite3.IntegrityError),
        file.writing(file.notes) as connection,
    ):
        connection.executemany("INSERT INTO owed VALUES ('north', ?)", [(1,), (1,)])
    assert file.trouble == ""
    with file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM owed").fetchone() == (0,)


@pytest.mark.parametrize("statement", ["SELECT nonsense", "SELECT * FROM nothing"])
def test_a_mistake_in_a_question_is_one_too(file, statement):
    with pytest.raises(sqlite3.OperationalError), file.reading() as connection:
        connection.execute(statement)


def test_a_full_disk_is_named_and_passes(small_disk):
    file = Connections(small_disk / "outbox.db")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as taken, pytest.raises(OSError, match="No space"):
        while True:
            taken.write(bytes(4096))
    with pytest.raises(OutboxError, match="is full"), file.writing(file.notes) as connection:
        connection.execute("INSERT INTO owed VALUES ('north', 1)")
    assert file.trouble == "disk full"
    filler.unlink()
    with file.writing(file.notes) as connection:
        connection.execute("INSERT INTO owed VALUES ('north', 1)")
    assert file.trouble == ""
    file.close()


def test_a_file_that_another_process_writes_is_waited_for_and_named(file, tmp_path):
    file.notes.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxError, match="locked"), file.writing(file.notes):
        pass
    assert file.trouble == "held by another process"
    other.close()


def test_a_closed_file_says_so(file):
    file.close()
    with pytest.raises(OutboxError, match="closed"), file.writing(file.notes):
        pass
    with pytest.raises(OutboxError, match="closed"), file.reading():
        pass
