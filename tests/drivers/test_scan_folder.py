"""The watched folder: what is taken, when, and where it goes."""

import json
from pathlib import Path

import pytest

from drivers.scan_folder import MAX_KEPT_SETS, WORK_DIRECTORY, ScanFolder
from drivers.wire import bundle
from drivers.xray import XrayPlanesConfig, scan_sets

CONFIG = XrayPlanesConfig(id="xray-1", lane="nb-01", url="folder:/scans", planes="composite")


class Inbox:
    """A folder with a scanner on one side and Garita on the other."""

    def __init__(self, path):
        self.path = path
        self.refused = []
        self.folder = self.restart()

    def restart(self):
        self.folder = ScanFolder(
            inbox=self.path,
            work=self.path / WORK_DIRECTORY,
            group=lambda names: scan_sets(names, CONFIG),
            stale_polls=5,
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
    assert inbox.filed("store") == []


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


def test_a_crash_between_remembering_and_filing_ends_with_an_empty_inbox(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.folder._ledger.add(taken.digest, taken.fingerprint)
    inbox.restart()
    assert inbox.poll(4) == []
    assert (inbox.left(), inbox.refused, inbox.filed("quarantine")) == ([], [], [])


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
    for taken in inbox.poll(6):
        assert "a.jpg" not in files_of(taken.data)
    assert secret.read_bytes() == b"not a scan"


def test_a_new_scan_under_an_old_name_is_not_deleted_with_the_old_one(inbox):
    inbox.write("a")
    (taken,) = inbox.poll(2)
    inbox.write("a", b"another picture")
    inbox.folder.settle(taken, "")
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
