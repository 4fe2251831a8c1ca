# ruff: noqa: PLR0917 - fixtures come by position
import json
from dataclasses import replace

import pytest

from edge import cli
from edge.delivery.again import Wanted
from edge.delivery.outbox import Outbox
from edge.delivery.outbox_view import looking
from edge.delivery.rows import Mark, Variant
from tests.edge.delivery.test_again import with_file
from tests.edge.delivery.test_centre import centre, held, online

__all__ = ["centre", "held"]


def withheld(row, side):
    return replace(
        row,
        variants=(
            Variant(
                side=side,
                topic=row.topic,
                payload=b'{"seq": %d, "withheld": {"lane": "rule"}}' % row.seq,
                active_topic="",
                active_payload=b"",
                rules=("rule",),
            ),
        ),
    )


def says(capfd, *words):
    code = cli.main(["outbox", *words])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_side_s_backlog_cursor_and_dead_letters_are_told_beside_a_running_service(
    outbox, make_rows, tmp_path, capfd
):
    outbox.commit(make_rows(30))
    outbox.store_cursor("north", 10)
    outbox.dead_letter("south", 7, "too long")
    capfd.readouterr()
    code, out, _ = says(capfd, "ls", "--state", str(tmp_path), "--json")
    north, south = [json.loads(line) for line in out.splitlines()]
    assert (code, north["waiting"], north["cursor"]["seq"], north["dead_letters"]) == (
        0,
        20,
        10,
        [],
    )
    assert north["oldest_age_s"] > 0
    letter = south["dead_letters"][0]
    assert (letter["seq"], letter["reason"], letter["asked_again"]) == (7, "too long", False)
    code, out, _ = says(capfd, "ls", "--state", str(tmp_path), "--side", "south")
    assert (code, out.splitlines()[0].split(",")[0]) == (0, "south: 29 waiting")
    assert "7 alert" in out and "too long" in out


def test_what_cannot_be_looked_at_is_told(outbox, tmp_path, capfd):
    code, _, err = says(capfd, "ls", "--state", str(tmp_path / "none"))
    assert (code, "there is none" in err) == (2, True)
    code, _, err = says(capfd, "retry", "--state", str(tmp_path), "--side", "east")
    assert (code, "there are north, south" in err) == (2, True)
    code, _, err = says(capfd, "retry", "--state", str(tmp_path), "--side", "north", "--seq", "3")
    assert (code, "no dead letter 3" in err) == (1, True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/outbox.db").write_bytes(b"no database" * 1000)
    code, _, err = says(capfd, "ls", "--state", str(tmp_path / "bad"))
    assert (code, "cannot be read" in err) == (2, True)


def test_a_side_s_alerts_are_taken_out_as_that_side_gets_them(outbox, make_rows, tmp_path, capfd):
    rows = make_rows(700)
    outbox.commit([withheld(row, "south") if row.seq == 20 else row for row in rows])
    base = ["export", "--state", str(tmp_path), "--from", "15", "--to", "600"]
    code, south, err = says(capfd, *base, "--side", "south")
    lines = [json.loads(line) for line in south.splitlines()]
    assert (code, [one["seq"] for one in lines]) == (0, list(range(15, 601)))
    assert lines[5]["withheld"] == {"lane": "rule"}
    assert "586 alerts as south gets them" in err
    _, north, _ = says(capfd, *base, "--side", "north")
    assert "withheld" not in north
    code, out, err = says(
        capfd, "export", "--state", str(tmp_path), "--side", "north", "--from", "701"
    )
    assert (code, out) == (1, "")


def test_an_outbox_on_a_medium_that_cannot_be_written_is_read_all_the_same(
    outbox, make_rows, tmp_path
):
    outbox.commit(make_rows(3))
    outbox.close()
    (tmp_path / "outbox.db-shm").mkdir()  # for root nothing else is not writable
    with looking(tmp_path / "outbox.db") as view:
        assert view.last_seq == 3
        assert [one.cursor for one in view.sides()] == [Mark(epoch="", seq=0)] * 2


@pytest.mark.parametrize("running", [True, False])
def test_dead_letters_are_tried_again_by_the_service_that_runs_or_that_starts(
    outbox, publisher, mosquitto, make_rows, until, tmp_path, capfd, centre, held, listen, running
):
    broker = mosquitto()
    heard = listen(broker.port, "garita/v1/ops/#")
    centre(broker.port)
    until(lambda: online(heard))
    rows = make_rows(12)
    outbox.commit([with_file(row) if row.seq == 6 else row for row in rows])
    for seq in (5, 6, 9):
        outbox.dead_letter("north", seq, "refused by the broker: 0x87")
    outbox.dead_letter("north", 6, "refused by the broker: 0x87", part="evidence/1")
    if running:
        publisher(broker.port, cursor=True)
        until(lambda: outbox.cursor("north").seq == 12)
    ask = ["retry", "--state", str(tmp_path), "--side", "north"]
    assert says(capfd, *ask, "--seq", "9")[0] == 0
    code, _, err = says(capfd, *ask)
    assert (code, "3 of north will be tried again" in err) == (0, True)
    if not running:
        assert outbox.count_dead("north") == 4  # they stay until the broker has taken them
        publisher(broker.port, cursor=True)
    until(lambda: outbox.count_dead("north") == 0)

    def stored():
        with held() as store:
            return {mark.seq for mark, _ in store.stored("mariposa")}, store.evidence("mariposa")

    until(lambda: len(stored()[0]) == 12 and len(stored()[1]) == 1)
    with held() as store:
        assert (store.gaps("mariposa"), store.cursors()["mariposa"].seq) == ([], 12)


def test_a_dead_letter_that_is_refused_again_stays_and_says_why(
    outbox, publisher, fake_broker, make_rows, until, tmp_path, capfd
):
    broker = fake_broker()
    outbox.commit(make_rows(3))
    outbox.dead_letter("north", 2, "too long")
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0 and north.status().in_flight == 0)
    broker.reason = 0x99
    says(capfd, "retry", "--state", str(tmp_path), "--side", "north")
    until(lambda: outbox.retries("north") == [] and outbox.dead_letters()[0].reason[:4] == "0x99")
    assert outbox.count_dead("north") == 1


def test_a_file_that_is_refused_again_stays_a_dead_letter_of_its_alert(
    outbox, publisher, fake_broker, make_rows, until, tmp_path, capfd
):
    broker = fake_broker()
    rows = make_rows(3)
    outbox.commit([with_file(row) if row.seq == 2 else row for row in rows])
    outbox.dead_letter("north", 2, "too long", part="evidence/1")
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0 and north.status().in_flight == 0)
    ask = ["retry", "--state", str(tmp_path), "--side", "north"]
    broker.reason = 0x99
    says(capfd, *ask)
    north.send_again(Wanted(first=1, last=3))  # both at once
    until(lambda: outbox.retries("north") == [] and outbox.count_dead("north") == 1)
    until(lambda: north.status().in_flight == 0)
    letter = outbox.dead_letters()[0]
    assert (letter.seq, letter.part, "0x99" in letter.reason) == (2, "evidence/1", True)
    broker.reason = 0
    says(capfd, *ask)
    until(lambda: outbox.count_dead("north") == 0 and outbox.retries("north") == [])
    assert sum("/evidence/" in topic for *_, topic in broker.connections[0]) == 2


def test_what_is_no_longer_kept_is_not_tried_again(outbox, make_rows, tmp_path, capfd):
    outbox.commit(make_rows(2))
    outbox.dead_letter("north", 1, "too long")
    with outbox._file.writing(outbox._file.notes) as connection:
        connection.execute("DELETE FROM row WHERE seq = 1")
    code, _, err = says(capfd, "retry", "--state", str(tmp_path), "--side", "north")
    assert (code, "1 dead letters of north cannot be tried again" in err) == (1, True)


def test_a_file_of_before_is_looked_at_without_changing_it(make_rows, tmp_path):
    box = Outbox(tmp_path / "outbox.db", ["north"])
    box.commit(make_rows(1, box=box))
    with box._file.writing(box._file.notes) as connection:
        connection.execute("DROP TABLE retry")
        connection.execute("PRAGMA user_version = 3")
    box.close()
    with looking(tmp_path / "outbox.db") as view:
        assert view.sides()[0].waiting == 1
