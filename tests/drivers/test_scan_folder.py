"""The watched folder: what is taken, when, and where it goes."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from drivers.scan_filing import MAX_KEPT_SETS
from drivers.scan_folder import WORK_DIRECTORY, ScanFolder
from drivers.wire import bundle
from drivers.xray import XrayPlanesConfig, scan_sets

CONFIG = XrayPlanesConfig(id="xray-1", lane="nb-01", url="folder:/scans", planes="composite")


class Inbox:
    """A folder with a scanner on one side and Garita on the other."""

    def __init__(self, path, config=CONFIG):
        self.path = path
        self.config = config
        self.refused = []
        self.folder = self.restart()

    def restart(self):
        self.folder = ScanFolder(
            inbox=self.path,
            work=self.path / WORK_DIRECTORY,
            group=lambda names: scan_sets(names, self.config),
            stale_polls=5,
            retry_polls=10,
            refuse=lambda one: self.refused.append((one.reason, one.text)),
        )
        return self.folder

    def write(self, scan, content=b"picture"):
        (self.path / f"{scan}.jpg").write_bytes(content)
        (self.path / f"{scan}.json").write_bytes(json.dumps({"scan_id": scan}).encode())

    def poll(self, times):
        """The polls' results that are sets."""
        return [taken for taken in (self.folder.poll() for _ in range(times)) if taken]

    def left(self):
        return sorted(path.name for path in self.path.iterdir() if path.name != WORK_DIRECTORY)

    def filed(self, where):
        return sorted((self.path / WORK_DIRECTORY / where).iterdir())


@pytest.fixture
def inbox(tmp_path):
    return Inbox(tmp_path)


def files_of(data):
    (one,) = bundle.BundleDecoder().feed(data)
    return dict(one.files)


def test_a_complete_set_is_taken_at_the_second_poll_that_finds_it_unchanged(inbox):
    inbox.write("a")
    assert inbox.folder.poll() is None
    taken = inbox.folder.poll()
    assert files_of(taken.data) == {"a.jpg": b"picture", "a.json": b'{"scan_id": "a"}'}
    assert inbox.poll(5) == []


def test_a_file_that_still_grows_is_waited_for(inbox):
    inbox.write("a")
    inbox.folder.poll()
    with (inbox.path / "a.jpg").open("ab") as file:
        file.write(b" and more")
    assert inbox.folder.poll() is None
    assert files_of(inbox.folder.poll().data)["a.jpg"] == b"picture and more"


def test_a_file_under_its_copiers_name_is_not_read(inbox):
    inbox.write("a")
    (inbox.path / "a.jpg").rename(inbox.path / "a.jpg.part")
    assert inbox.poll(4) == []
    (inbox.path / "a.jpg.part").rename(inbox.path / "a.jpg")
    assert len(inbox.poll(2)) == 1


def test_what_was_understood_is_filed_as_done_and_leaves_the_inbox(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder.settle(taken, "")
    assert inbox.left() == []
    (done,) = inbox.filed("done")
    assert sorted(path.name for path in done.iterdir()) == ["a.jpg", "a.json"]
    assert (done / "a.jpg").read_bytes() == b"picture"


def test_what_was_not_is_put_aside_with_its_reason(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder.settle(taken, "truncated")
    assert inbox.left() == []
    (aside,) = inbox.filed("quarantine")
    assert (aside / "reason.txt").read_text() == "truncated\n"
    assert (aside / "a.jpg").read_bytes() == b"picture"


def test_what_was_put_aside_may_come_again(inbox):
    for _ in range(2):
        inbox.write("a")
        (taken,) = inbox.poll(2)
        inbox.folder.settle(taken, "truncated")
    assert inbox.refused == []


@pytest.mark.parametrize("restarted", [False, True])
def test_the_same_content_is_read_once_also_after_a_restart(inbox, restarted):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder.settle(taken, "")
    if restarted:
        inbox.restart()
    inbox.write("a")
    assert inbox.poll(4) == []
    assert inbox.refused == [("duplicate", "a")]
    assert inbox.left() == []
    (aside,) = inbox.filed("quarantine")
    assert (aside / "reason.txt").read_text() == "duplicate\n"


def test_a_crash_before_the_set_was_settled_reads_it_again(inbox):
    inbox.write("a")
    (first,) = inbox.poll(2)
    inbox.restart()
    (second,) = inbox.poll(2)
    assert first.data == second.data


def test_a_crash_between_remembering_and_filing_files_the_set_and_reads_it_no_more(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder._filing._ledger.add(taken.digest, taken.fingerprint)
    inbox.restart()
    assert inbox.poll(4) == []
    assert (inbox.left(), inbox.refused, inbox.filed("quarantine")) == ([], [], [])
    (done,) = inbox.filed("done")
    assert (done / "a.jpg").read_bytes() == b"picture"


def test_a_spoilt_ledger_is_begun_afresh(inbox):
    ledger = inbox.path / WORK_DIRECTORY / "ledger.json"
    for spoilt in ("", "[1, 2", '{"a": 1}', '[["x", 5]]', "\udcff"):
        ledger.write_bytes(spoilt.encode("utf-8", "surrogateescape"))
        inbox.restart()
    inbox.write("a")
    assert len(inbox.poll(2)) == 1


def test_a_file_too_large_is_put_aside_without_being_read(inbox):
    inbox.write("a")
    with (inbox.path / "a.jpg").open("r+b") as file:
        file.truncate(bundle.MAX_BUNDLE_BYTES + 1)  # sparse: reading it would take the memory
    inbox.write("b")
    (taken,) = inbox.poll(2)
    assert taken.name == "b"
    assert inbox.refused == [("too-large", "a.jpg, a.json")]
    (aside,) = inbox.filed("quarantine")
    assert (aside / "a.jpg").stat().st_size == bundle.MAX_BUNDLE_BYTES + 1
    assert inbox.left() == ["b.jpg", "b.json"]


def test_a_name_that_a_bundle_cannot_carry_is_put_aside(inbox):
    inbox.write('a"b')
    assert inbox.poll(3) == []
    assert [reason for reason, _ in inbox.refused] == ["bad-name"]
    assert inbox.left() == []


def test_a_set_that_stays_incomplete_is_handed_over_as_it_is(inbox):
    (inbox.path / "a.jpg").write_bytes(b"picture")
    assert inbox.poll(4) == []
    (taken,) = inbox.poll(1)
    assert files_of(taken.data) == {"a.jpg": b"picture"}


def test_a_link_is_not_followed(inbox, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_bytes(b"not a scan")
    (inbox.path / "a.jpg").symlink_to(secret)
    (inbox.path / "a.json").write_bytes(b"{}")
    (taken,) = inbox.poll(6)
    assert "a.jpg" not in files_of(taken.data)
    assert secret.read_bytes() == b"not a scan"
    (aside,) = inbox.filed("quarantine")
    assert (aside / "a.jpg").is_symlink()


def test_a_new_scan_under_an_old_name_is_not_deleted_with_the_old_one(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.write("a", b"another picture")
    inbox.folder.settle(taken, "")
    (done,) = inbox.filed("done")
    assert (done / "a.jpg").read_bytes() == b"picture"  # what was judged, not what came later
    (second,) = inbox.poll(2) + inbox.poll(2)
    assert files_of(second.data)["a.jpg"] == b"another picture"


def test_scans_are_read_in_the_order_in_which_they_were_written(inbox):
    for scan in ("c", "a", "b"):
        inbox.write(scan, scan.encode())
    names = []
    for taken in inbox.poll(6):
        names.append(taken.name)
        inbox.folder.settle(taken, "")
    assert names == ["c", "a", "b"]


def test_what_was_filed_never_fills_the_disk(inbox):
    for number in range(MAX_KEPT_SETS + 3):
        place = inbox.path / WORK_DIRECTORY / "done" / f"old-{number}"
        place.mkdir()
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder.settle(taken, "")
    done = inbox.filed("done")
    assert len(done) == MAX_KEPT_SETS
    assert any(path.name.startswith("a-") for path in done)


def test_a_folder_that_is_gone_is_an_error_of_the_disk(inbox):
    inbox.path.rename(Path(f"{inbox.path}-away"))
    with pytest.raises(FileNotFoundError):
        inbox.folder.poll()


PLANES = XrayPlanesConfig(id="xray-1", lane="nb-01", url="folder:/scans", planes="single")


def test_the_longest_name_costs_its_own_set_only(tmp_path):
    inbox = Inbox(tmp_path, PLANES)
    long = "L" * 246 + "_high.png"
    (inbox.path / long).write_bytes(b"picture")
    (inbox.path / "b_high.png").write_bytes(b"picture")
    (inbox.path / "b.json").write_bytes(b"{}")
    assert [taken.name for taken in inbox.poll(6)] == ["b"]
    assert [reason for reason, _ in inbox.refused] == ["bad-name"]
    (aside,) = inbox.filed("quarantine")
    assert (aside / long).read_bytes() == b"picture"
    assert len(aside.name) < 100


@pytest.mark.parametrize("name", ["\N{SNOWMAN}" * 60, "a b\nc", "a..", "a" * 180])
def test_a_set_is_filed_under_a_short_plain_name(inbox, name):
    inbox.write(name)
    for taken in inbox.poll(2):
        inbox.folder.settle(taken, "")
    assert inbox.left() == []
    (place,) = inbox.filed("done") + inbox.filed("quarantine")
    assert place.name.isascii()
    assert place.name.isprintable()
    assert len(place.name) < 100


@pytest.mark.parametrize("name", [".", ".."])
def test_a_set_called_like_a_way_out_is_put_aside(tmp_path, name):
    config = XrayPlanesConfig(
        id="x", url="folder:/s", planes="single", high=("scan_*_h.tif",), sidecar=("scan_*.json",)
    )
    inbox = Inbox(tmp_path, config)
    (inbox.path / f"scan_{name}_h.tif").write_bytes(b"picture")
    (inbox.path / f"scan_{name}.json").write_bytes(b"{}")
    assert inbox.poll(6) == []
    assert [reason for reason, _ in inbox.refused] == ["bad-name"]
    (aside,) = inbox.filed("quarantine")
    assert (aside / f"scan_{name}_h.tif").exists()
    assert inbox.left() == []


def test_a_set_that_cannot_be_filed_is_told_and_the_next_one_is_read(inbox):
    inbox.write("a")
    inbox.write("b")
    (taken,) = inbox.poll(2)
    done = inbox.path / WORK_DIRECTORY / "done"
    done.rmdir()
    done.write_bytes(b"")  # nothing can be filed below a file
    inbox.folder.settle(taken, "")
    assert [reason for reason, _ in inbox.refused] == ["not-filed"]
    assert inbox.refused[0][1].startswith("Not a directory: a")
    assert [taken.name for taken in inbox.poll(4)] == ["b"]


@pytest.fixture
def spoilt(monkeypatch):
    """Names of files that the disk does not give out for now."""
    names = set()
    real_open = os.open

    def open_or_fail(path, *rest, **keys):
        if Path(path).name in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real_open(path, *rest, **keys)

    monkeypatch.setattr(os, "open", open_or_fail)
    return names


def test_what_could_not_be_read_is_told_once_and_tried_again(inbox, spoilt):
    inbox.write("a")
    inbox.write("b")
    spoilt.add("a.jpg")
    assert [taken.name for taken in inbox.poll(2)] == ["b"]
    assert inbox.refused == [("unreadable", "Input/output error: a")]
    assert inbox.poll(9) == []
    inbox.poll(20)
    assert len(inbox.refused) == 1
    spoilt.clear()
    (taken,) = inbox.poll(10)
    assert files_of(taken.data)["a.jpg"] == b"picture"


def test_a_set_that_grows_while_it_is_read_is_nothing_to_speak_of(inbox, monkeypatch):
    inbox.write("a")
    inbox.poll(1)
    real_open = os.open

    def grow_then_open(path, *rest, **keys):
        monkeypatch.setattr(os, "open", real_open)
        with (inbox.path / "a.jpg").open("ab") as file:
            file.write(b" and more")
        return real_open(path, *rest, **keys)

    monkeypatch.setattr(os, "open", grow_then_open)
    assert inbox.poll(1) == []
    (taken,) = inbox.poll(2)
    assert files_of(taken.data)["a.jpg"] == b"picture and more"
    assert inbox.refused == []


@pytest.mark.parametrize("kind", ["symlink", "fifo"])
def test_a_file_exchanged_after_it_was_looked_at_is_not_opened(inbox, monkeypatch, kind):
    inbox.write("a")
    inbox.poll(1)
    real_open = os.open

    def exchange_then_open(path, *rest, **keys):
        monkeypatch.setattr(os, "open", real_open)
        (inbox.path / "a.jpg").unlink()
        if kind == "fifo":
            os.mkfifo(inbox.path / "a.jpg")  # opened without care it waits for a writer for ever
        else:
            (inbox.path / "a.jpg").symlink_to("/proc/version")
        return real_open(path, *rest, **keys)

    monkeypatch.setattr(os, "open", exchange_then_open)
    assert inbox.poll(2) == []
    assert "not-a-file" in [reason for reason, _ in inbox.refused]


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder"])
def test_what_is_no_file_is_told_once_and_moved_aside(inbox, kind):
    plane = inbox.path / "a.jpg"
    {"symlink": lambda: plane.symlink_to("/dev/zero"), "fifo": lambda: os.mkfifo(plane)}.get(
        kind, plane.mkdir
    )()
    (inbox.path / "other").mkdir()  # under no plane's name: somebody else's
    assert inbox.poll(6) == []
    assert inbox.refused == [("not-a-file", "a.jpg")]
    assert inbox.left() == ["other"]
    (aside,) = inbox.filed("quarantine")
    assert sorted(path.name for path in aside.iterdir()) == ["a.jpg", "reason.txt"]


def test_the_bundle_carries_the_digests_that_were_made_in_reading(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    (one,) = bundle.BundleDecoder().feed(taken.data)
    expected = [hashlib.sha256(content).hexdigest() for _, content in one.files]
    assert list(one.digests) == expected
