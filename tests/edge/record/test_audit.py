import json
import shutil
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.cli import main
from edge.record import merkle
from edge.record.audit import audit
from edge.record.carried import export, read_carried
from edge.record.entries import Draft, decode, encode
from edge.record.record import Record
from edge.record.sequence import Sequences
from edge.record.witness import Mirror, site_key
from edge.trust import keys
from edge.trust.keys import Keyring, write_keyring

NOW = 1_795_000_000 * 10**9
YEAR_NS = 365 * 86_400 * 10**9


def make(folder, owner, role):
    return keys.make_signer(
        folder / f"{owner.replace('/', '-')}.pem",
        owner=owner,
        role=role,
        not_before_utc_ns=NOW,
        not_after_utc_ns=NOW + YEAR_NS,
    )


def start(epoch, first_seq):
    return Draft(kind="start", facts={"epoch": epoch, "first_seq": first_seq})


def alert(epoch, seq, level=3):
    return Draft(kind="alert", place="nb-01", facts={"epoch": epoch, "seq": seq, "level": level})


def ack(number):
    return Draft(kind="ack", by="north/supervisor", facts={"alert": f"a{number}"})


class Site:
    """A record, who signs it, and the north's copy that has vouched for it."""

    def __init__(self, folder, drafts=()):
        self.folder = folder
        self.edge, self.north = (
            make(folder, "edge/mariposa", "edge"),
            make(folder, "north", "centre"),
        )
        self.keyring = Keyring([self.edge.public, self.north.public])
        self.path = folder / "record.db"
        self.record = Record(self.path, site="mariposa", now_utc_ns=lambda: NOW)
        self.copy = Record(folder / "copy.db", site="mariposa", now_utc_ns=lambda: NOW)
        self.mirror = Mirror(self.copy, "north", [site_key("mariposa", self.edge.public.raw)])
        self.grow(drafts)

    def grow(self, drafts):
        self.record.append(drafts)
        told = str(self.record.signed_checkpoint(self.edge))
        wanted = self.mirror.wanted(told)
        self.mirror.take(told, self.record.entries(wanted.start, len(wanted)))
        vouched = str(self.mirror.cosign(told, self.north, NOW + 10**9))
        self.record.store_witness("north", self.record.size, NOW + 10**9, vouched)

    def export(self, name="stick"):
        export(self.path, self.folder / name, self.keyring)
        return self.folder / name

    def close(self):
        self.record.close()
        self.copy.close()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path, [start("e1", 1), alert("e1", 1), ack(1), alert("e1", 2), ack(2)])
    yield made
    made.close()


def wrong(path, keyring=None, against=()):
    found = audit(read_carried(path), keyring, [read_carried(one) for one in against])
    return [one for one in found if one.kind == "wrong"]


def texts(path, keyring=None, against=()):
    found = audit(read_carried(path), keyring, [read_carried(one) for one in against])
    return [f"{one.kind}: {one.text}" for one in found]


def write_entries(stick, lines):
    for path in (stick / "entries").glob("*.jsonl"):
        path.unlink()
    (stick / "entries" / "000000000000.jsonl").write_bytes(b"".join(one + b"\n" for one in lines))


def write_hashes(stick, lines):
    told = "".join(merkle.leaf_hash(one).hex() + "\n" for one in lines)
    (stick / "hashes" / "000000000000.txt").write_text(told)


def test_an_honest_record_is_proven_on_a_stick_and_in_both_files(site):
    stick = site.export()
    assert texts(stick, site.keyring) == [
        "proven: 5 entries of mariposa, each as it was signed and at its place",
        "proven: checkpoint: its 5 entries are the first 5 of these",
        "proven: north: its 5 entries are the first 5 of these",
        f"proven: checkpoint: signed by edge/mariposa with key {site.edge.key_id}",
        f"proven: north: signed by edge/mariposa with key {site.edge.key_id}",
        "proven: north vouched for the first 5 on 2026-11-18T11:06:41.000000Z",
        "proven: 2 alerts, their numbers without a gap",
        "open: south vouches for nothing of it here",
        "open: nothing here can show what happened and was never entered",
    ]
    assert wrong(site.path, site.keyring) == []
    assert wrong(site.folder / "copy.db", site.keyring) == []


def test_a_stick_says_in_both_languages_what_it_is(site):
    text = (site.export() / "README.txt").read_text()
    assert "5 entries" in text
    assert "5 asientos" in text


def test_what_is_not_signed_yet_stays_behind_and_is_told(site):
    site.record.append([ack(3)])
    assert "open: 1 newer entries that nobody has signed yet" in texts(site.path, site.keyring)
    assert wrong(site.export(), site.keyring) == []


def test_an_older_copy_is_a_part_of_it(site):
    older = site.export("older")
    site.grow([alert("e1", 3)])
    newer = site.export("newer")
    found = texts(newer, site.keyring, [older])
    assert f"proven: {older} has the same first 5 entries" in found
    assert wrong(newer, site.keyring, [older, older / "checkpoint.txt"]) == []
    assert wrong(older, site.keyring, [newer]) == []


def test_a_record_that_was_rewritten_and_signed_again_is_not_the_older_one(tmp_path, site):
    older = site.export("older")
    (tmp_path / "again").mkdir()
    again = Record(tmp_path / "again" / "record.db", site="mariposa", now_utc_ns=lambda: NOW)
    lines = site.record.entries()
    lines[2] = lines[2].replace(b"a1", b"a9")
    again.append_bytes(lines)
    again.signed_checkpoint(site.edge)
    again.close()
    stick = tmp_path / "stick"
    export(tmp_path / "again" / "record.db", stick, None)
    assert wrong(stick, site.keyring) == []
    found = wrong(stick, site.keyring, [older])
    assert {one.index for one in found} == {None, 2}
    assert any("there are two, signed both" in one.text for one in found)
    assert wrong(stick, site.keyring, [older / "checkpoint.txt"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_entry_edited_removed_moved_or_inserted_is_found_and_named(site, data):
    stick = site.folder / "stick"
    if not stick.exists():
        site.export()
    lines = site.record.entries()
    at = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["edited", "rewritten", "removed", "moved", "inserted"]))
    match how:
        case "edited":
            place = data.draw(st.integers(0, len(lines[at]) - 1))
            bit = 1 << data.draw(st.integers(0, 7))
            changed = bytearray(lines[at])
            changed[place] ^= bit
            lines[at] = bytes(changed)
        case "rewritten":
            one = decode(lines[at])
            lines[at] = encode(type(one)(**{**_fields(one), "facts": {"alert": "other"}}))
        case "removed":
            del lines[at]
        case "moved":
            to = data.draw(st.integers(0, len(lines) - 1).filter(lambda n: n != at))
            lines.insert(to, lines.pop(at))
            at = min(at, to)
        case _:
            lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
    if data.draw(st.booleans()):  # with places that fit
        lines = [_placed(line, n) for n, line in enumerate(lines)]
    write_entries(stick, lines)
    found = wrong(stick, site.keyring)
    first = next(
        (n for n, pair in enumerate(zip(lines, site.record.entries(), strict=False))
         if pair[0] != pair[1]), min(len(lines), site.record.size))  # fmt: skip
    assert found[0].index == first
    hashes = (stick / "hashes" / "000000000000.txt").read_bytes()
    write_hashes(stick, lines)
    assert wrong(stick, site.keyring)
    (stick / "hashes" / "000000000000.txt").write_bytes(hashes)


def _fields(one):
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _placed(line, n):
    try:
        one = decode(line)
    except ValueError:
        return line
    return line if encode(one) != line else encode(type(one)(**{**_fields(one), "index": n}))


@pytest.mark.parametrize(
    ("name", "harm", "told"),
    [
        ("checkpoint.txt", lambda text: "", "signatures"),
        ("checkpoint.txt", lambda text: text.replace("\n5\n", "\n4\n"), "checkpoint"),
        ("cosignatures/north.txt", lambda text: text.replace("\n5\n", "\n4\n"), "north"),
        ("hashes/000000000000.txt", lambda text: text[65:], "hashes"),
        ("hashes/000000000000.txt", lambda text: "zz" + text[2:], "hashes"),
    ],
)
def test_what_stands_beside_the_entries_cannot_be_changed_either(site, name, harm, told):
    path = site.export() / name
    path.write_text(harm(path.read_text()))
    found = wrong(site.folder / "stick", site.keyring)
    assert any(told in one.text for one in found)


def test_the_keys_of_somebody_else_sign_nothing(site, tmp_path):
    (tmp_path / "other").mkdir()
    other = Keyring([make(tmp_path / "other", "edge/mariposa", "edge").public])
    found = wrong(site.export(), other)
    assert "no key of edge/mariposa in the keyring has signed it" in found[0].text
    north = make(tmp_path / "other", "north", "centre").public
    assert "open: north vouches for nothing of it here" in texts(
        site.folder / "stick", Keyring([site.edge.public, north])
    )


def test_a_stick_with_its_own_keys_says_that_they_are_its_own(site):
    stick = site.export()
    assert any("compare them with your own" in one for one in texts(stick))
    (stick / "keys.json").unlink()
    assert any("who signed: there is no keyring" in one for one in texts(stick))


def test_a_file_that_was_edited_is_found_although_it_opens(site):
    site.record._connection.execute(
        "UPDATE entry SET data = ? WHERE number = 3", (site.record.entries(4, 1)[0],)
    )
    site.record._connection.commit()
    assert [one.index for one in wrong(site.path, site.keyring)][:1] == [3]
    site.record._connection.execute("DELETE FROM entry WHERE number = 1")
    site.record._connection.commit()
    assert [one.index for one in wrong(site.path, site.keyring)][:1] == [1]


# --- numbers of alerts -----------------------------------------------------------------------


def gaps(site_drafts):
    sequences = Sequences()
    for n, one in enumerate(site_drafts):
        made = {"site": "mariposa", "index": n, "time": "2026-11-23T05:00:00.000000Z"}
        fields = {**_fields(one), **made, "schema": "garita.entry/1"}
        sequences.take(decode(json.dumps(fields).encode()))
    return list(sequences.wrong())


def test_numbers_may_go_on_in_the_next_boot_and_come_late():
    assert gaps([start("e1", 1), alert("e1", 1), start("e2", 3), alert("e1", 2)]) == []
    assert gaps([alert("e1", 7), alert("e1", 8)]) == []
    assert gaps([start("e1", 5), start("e2", 1), alert("e2", 1)]) == []
    # Left over from before, and numbered by the next boot ahead of its start.
    assert gaps([start("e1", 1), alert("e1", 1), alert("e2", 2), start("e2", 3)]) == []


@pytest.mark.parametrize(
    ("drafts", "missing", "at"),
    [
        ([start("e1", 1), alert("e1", 1), alert("e1", 4)], "2 alerts", 2),
        ([start("e1", 1), alert("e1", 2)], "1 alerts", 1),
        ([start("e1", 1), alert("e1", 1), start("e2", 4), alert("e2", 4)], "2 alerts", 2),
        ([start("e1", 1), start("e2", 2**62)], f"{2**62 - 1:,} alerts", 1),
    ],
)
def test_a_number_that_was_never_entered_is_told(drafts, missing, at):
    ((text, index),) = gaps(drafts)
    assert text.startswith(missing)
    assert index == at


def test_an_alert_may_be_entered_twice_but_not_in_two_ways():
    assert gaps([alert("e1", 1), alert("e1", 1)]) == []
    ((text, index),) = gaps([alert("e1", 1), alert("e1", 1, level=1)])
    assert "another way" in text
    assert index == 1


# --- the command -----------------------------------------------------------------------------


def test_the_command_carries_proves_and_lists(site, tmp_path, capsys):
    ring, stick = tmp_path / "ring.json", tmp_path / "usb"
    write_keyring(ring, site.keyring.keys)
    assert main(["audit", "export", "--state", str(tmp_path), "--keys", str(ring), str(stick)]) == 0
    assert main(["audit", "verify", str(stick), "--keys", str(ring)]) == 0
    assert capsys.readouterr().out.endswith("nothing is wrong\n")
    assert main(["audit", "ls", str(stick), "--from", "2026-11-18"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["index"] for line in listed] == [0, 1, 2, 3, 4]
    assert main(["audit", "ls", str(stick), "--to", "2026-11-18"]) == 0
    assert capsys.readouterr().out == ""
    lines = site.record.entries()
    write_entries(stick, [lines[0], lines[2], lines[1], *lines[3:]])
    assert main(["audit", "verify", str(stick), "--keys", str(ring)]) == 1
    assert "the first wrong entry is 1\n" in capsys.readouterr().out
    assert main(["audit", "verify", str(stick), "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[0])["kind"] == "wrong"


def test_the_command_says_what_it_cannot_do(site, tmp_path, capsys):
    assert main(["audit", "verify", str(tmp_path / "nowhere")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["audit", "verify", str(tmp_path / "empty")]) == 2
    assert "holds no record" in capsys.readouterr().err
    stick = site.export()
    assert main(["audit", "export", "--record", str(site.path), str(stick)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["audit", "ls", str(stick), "--from", "yesterday"]) == 2
    unsigned = Record(tmp_path / "new.db", site="lukeville", now_utc_ns=lambda: NOW)
    unsigned.close()
    assert main(["audit", "export", "--record", str(tmp_path / "new.db"), str(tmp_path / "x")]) == 2
    assert main(["audit", "verify", str(tmp_path / "new.db")]) == 1
    (tmp_path / "garbage.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert main(["audit", "verify", str(tmp_path / "garbage.db")]) == 1


def test_a_person_gets_a_table_in_which_no_entry_moves_the_cursor(site, monkeypatch, capsys):
    site.record.append([Draft(kind="assist", by="north", facts={"what": "\x1b[2J[red]officers"})])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["audit", "ls", str(site.path)]) == 0
    told = capsys.readouterr().out
    assert "what=?[2J[red]officers" in told.replace("\n", "")
    assert "supervisor" in told


def test_a_long_record_is_split_into_files_that_follow_each_other(site, monkeypatch):
    monkeypatch.setattr("edge.record.carried.FILE_ENTRIES", 2)
    stick = site.export()
    names = sorted(path.name for path in (stick / "entries").iterdir())
    assert names == ["000000000000.jsonl", "000000000002.jsonl", "000000000004.jsonl"]
    assert wrong(stick, site.keyring) == []
    for first, second in pairwise(names):
        again = site.folder / "again"
        shutil.copytree(stick, again)
        (again / "entries" / first).rename(again / "entries" / "x")
        (again / "entries" / second).rename(again / "entries" / first)
        (again / "entries" / "x").rename(again / "entries" / second)
        assert wrong(again, site.keyring)
        shutil.rmtree(again)
