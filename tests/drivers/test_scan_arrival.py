"""When a scan's files are all there: by what they say, however they come."""

import asyncio
import json

import cv2
import numpy as np
import pytest

from drivers.base import SensorUnavailable
from drivers.dated_folder import DatedFolders
from drivers.folder import POLL_S, SHORT_S, STEADY_S, open_folder
from drivers.scan_folder import WORK_DIRECTORY, ScanFolder
from drivers.wire import bundle
from drivers.xray import XrayPlanesConfig, is_whole, scan_sets
from tests.drivers.test_scan_folder import files_of

PICTURE = np.random.default_rng(1).integers(1, 65_536, (40, 60)).astype(np.uint16)
TIFF = cv2.imencode(".tiff", PICTURE, (cv2.IMWRITE_TIFF_COMPRESSION, 1))[1].tobytes()
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()
JPEG = cv2.imencode(".jpg", (PICTURE >> 8).astype(np.uint8))[1].tobytes()
SHORT, STEADY, STALE = 40, 10, 60


def config(**keys):
    return XrayPlanesConfig(id="x", lane="l", url="folder:/x", **{"planes": "single", **keys})


def watch(path, told=None, few=256):
    told = told or config()
    return ScanFolder(
        inbox=path,
        work=path / WORK_DIRECTORY,
        group=lambda names: scan_sets(names, told),
        stale_polls=STALE,
        retry_polls=10,
        refuse=lambda one: None,
        whole=lambda name, data: is_whole(name, data, told),
        steady_polls=STEADY,
        short_polls=SHORT,
        few_entries=few,
    )


def polls_until_taken(folder, most=200):
    for count in range(1, most):
        if (taken := folder.poll()) is not None:
            return count, taken
    raise AssertionError("never taken")


def sidecar(path, scan="a"):
    (path / f"{scan}.json").write_bytes(json.dumps({"scan_id": scan}).encode())


@pytest.mark.parametrize(("end", "data"), [("tiff", TIFF), ("png", PNG)])
def test_a_file_that_says_it_is_whole_is_taken_at_the_second_poll(tmp_path, end, data):
    (tmp_path / f"a_high.{end}").write_bytes(data)
    sidecar(tmp_path)
    count, taken = polls_until_taken(watch(tmp_path))
    assert count == 2
    assert files_of(taken.data)[f"a_high.{end}"] == data


@pytest.mark.parametrize(("end", "data"), [("tiff", TIFF), ("png", PNG)])
def test_a_copy_in_bursts_with_long_pauses_comes_whole(tmp_path, end, data):
    folder = watch(tmp_path)
    sidecar(tmp_path)
    step = len(data) // 5 + 1
    with (tmp_path / f"a_high.{end}").open("wb", buffering=0) as file:
        for at in range(0, len(data) - step, step):
            file.write(data[at : at + step])
            assert [folder.poll() for _ in range(SHORT - 2)] == [None] * (SHORT - 2)
        file.write(data[at + step :])
    count, taken = polls_until_taken(folder)
    assert count <= 10
    assert files_of(taken.data)[f"a_high.{end}"] == data
    assert not list((tmp_path / WORK_DIRECTORY / "quarantine").iterdir())


def test_a_file_whose_size_is_set_before_it_is_filled_is_waited_for(tmp_path):
    folder = watch(tmp_path)
    sidecar(tmp_path)
    place = tmp_path / "a_high.tiff"
    place.write_bytes(TIFF[:3000].ljust(len(TIFF), b"\0"))
    assert [folder.poll() for _ in range(SHORT - 2)] == [None] * (SHORT - 2)
    place.write_bytes(TIFF)
    _, taken = polls_until_taken(folder)
    assert files_of(taken.data)["a_high.tiff"] == TIFF


def test_a_copy_that_was_given_up_is_handed_over_as_it_is(tmp_path):
    (tmp_path / "a_high.tiff").write_bytes(TIFF[:900])
    sidecar(tmp_path)
    count, _ = polls_until_taken(watch(tmp_path))
    assert SHORT <= count <= 2 * SHORT


def test_a_sidecar_half_written_is_waited_for(tmp_path):
    folder = watch(tmp_path)
    (tmp_path / "a_high.tiff").write_bytes(TIFF)
    (tmp_path / "a.json").write_bytes(b'{"scan_id": "a"')
    assert [folder.poll() for _ in range(20)] == [None] * 20
    sidecar(tmp_path)
    assert polls_until_taken(folder)[0] <= 10


def test_a_raw_plane_is_whole_when_its_size_is_right(tmp_path):
    told = config(raw_header_bytes=8, raw_width_at=0, raw_height_at=4)
    head = np.array([60, 40], "<u4").tobytes()
    folder = watch(tmp_path, told)
    sidecar(tmp_path)
    (tmp_path / "a_high.raw").write_bytes(head + PICTURE.tobytes()[:-2])
    assert [folder.poll() for _ in range(20)] == [None] * 20
    (tmp_path / "a_high.raw").write_bytes(head + PICTURE.tobytes())
    assert polls_until_taken(folder)[0] <= 10


def test_a_raw_plane_that_does_not_say_its_size_has_to_stand_still(tmp_path):
    told = config(raw_width=60)
    (tmp_path / "a_high.raw").write_bytes(PICTURE.tobytes())
    sidecar(tmp_path)
    count, _ = polls_until_taken(watch(tmp_path, told))
    assert STEADY <= count <= 2 * STEADY


def test_the_waits_are_long_enough_for_a_poor_link():
    assert POLL_S <= 0.02
    assert STEADY_S >= 0.3
    assert SHORT_S >= 10.0


def test_a_folder_full_of_what_was_judged_costs_little_and_hides_nothing(tmp_path):
    told = config(planes="composite", leave=True)
    folder = watch(tmp_path, told, few=0)
    for number in range(50):
        (tmp_path / f"{number:03}.jpg").write_bytes(b"no picture %03d" % number)
        sidecar(tmp_path, f"{number:03}")
    for _ in range(50):
        polls_until_taken(folder)
    looks = []
    folder._group, group = lambda names: looks.append(len(names)) or group(names), folder._group
    for _ in range(20):
        folder.poll()
    assert max(looks[5:], default=0) == 0  # nothing is looked at again
    (tmp_path / "new.jpg").write_bytes(JPEG)
    sidecar(tmp_path, "new")
    count, taken = polls_until_taken(folder)
    assert (count, taken.name) == (2, "new")


# --- folders by day --------------------------------------------------------------------------


def day(root, name, *scans, terminal="port-1"):
    path = root / terminal / name[:6] / name
    path.mkdir(parents=True, exist_ok=True)
    for scan in scans:
        (path / f"{scan}.jpg").write_bytes(JPEG + scan.encode())
        (path / f"{scan}.xml").write_bytes(f"<s><id>{scan}</id></s>".encode())
    return path


async def opened(root, **keys):
    told = XrayPlanesConfig(
        **{"id": "x", "lane": "l", "url": f"folder:{root}", "planes": "composite"},
        folders="dated",
        timeout_s=1.0,
        **keys,
    )
    transport = await open_folder(told, str(root), patient=False, refuse=lambda one: None)
    return transport._folder


@pytest.fixture
def dated(tmp_path):
    return lambda root=tmp_path, **keys: asyncio.run(opened(root, **keys))


def taken_by(folders, polls=4):
    """Names of the scans that are ready, each settled."""
    found = []
    for _ in range(polls):
        while (taken := folders.poll()) is not None:
            found.append(taken.name)
            folders.settle(taken, "")
    return found


def test_the_latest_days_of_every_terminal_are_watched(tmp_path, dated):
    for terminal in ("port-1", "port-2"):
        for name in ("20260930", "20261030", "20261031", "20261101"):
            day(tmp_path, name, f"{terminal}-{name}", terminal=terminal)
    found = taken_by(dated(), polls=12)
    assert sorted(found) == [
        f"port-{n}-{name}" for n in (1, 2) for name in ("20261030", "20261031", "20261101")
    ]
    assert [path.name for path in (tmp_path / "port-1/202610/20261031").iterdir()] == []
    assert len(list((tmp_path / WORK_DIRECTORY / "done").iterdir())) == 6
    assert len(list((tmp_path / "port-1/202609/20260930").iterdir())) == 2


def test_a_new_day_and_a_new_terminal_are_found(tmp_path, dated):
    day(tmp_path, "20261031", "a")
    folders = dated(days=1)
    assert taken_by(folders) == ["a"]
    day(tmp_path, "20261101", "b")
    day(tmp_path, "20261101", "c", terminal="port-2")
    assert sorted(taken_by(folders, 8)) == ["b", "c"]


def test_the_folder_may_be_a_terminal_itself(tmp_path, dated):
    day(tmp_path, "20261101", "a", terminal=".")
    assert taken_by(dated()) == ["a"]


def test_an_archive_is_left_as_it_is_and_read_once(tmp_path, dated):
    path = day(tmp_path, "20261101", "a", "b")
    before = sorted(one.name for one in path.iterdir())
    folders = dated(leave=True)
    assert sorted(taken_by(folders)) == ["a", "b"]
    assert taken_by(dated(leave=True)) == []  # nor after a start of the service
    (taken,) = [one for one in [day(tmp_path, "20261101", "c")] for one in taken_by(folders)]
    assert taken == "c"
    assert sorted(one.name for one in path.iterdir()) == sorted([*before, "c.jpg", "c.xml"])


def test_an_archive_that_cannot_be_written_is_remembered_elsewhere(tmp_path, dated):
    archive, work = tmp_path / "archive", tmp_path / "work"
    day(archive, "20261101", "a")
    before = sorted(archive.rglob("*"))
    keys = {"leave": True, "work": str(work)}
    assert taken_by(dated(archive, **keys)) == ["a"]
    assert taken_by(dated(archive, **keys)) == []  # nor after a start of the service
    assert sorted(archive.rglob("*")) == before
    assert (work / "x" / "ledger.json").exists()


def test_where_nothing_can_be_remembered_it_is_said_what_to_set(tmp_path, dated):
    day(tmp_path, "20261101", "a")
    (tmp_path / WORK_DIRECTORY).write_text("in the way")  # as a share that is read-only
    with pytest.raises(SensorUnavailable, match=r'set "leave: true" and "work:" to a folder'):
        dated(leave=True)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"work": "/var/lib/garita"}, "only with leave"),
        ({"energies_mev": (4.0, 6.0)}, "the high plane's comes first"),
        ({"pages": ("low",)}, "none of them is the high plane"),
        ({"high": ("*.tif",), "low": ("*.tif",)}, "both are"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys, why):
    with pytest.raises(ValueError, match=why):
        config(**keys)


def test_links_and_other_folders_are_not_followed(tmp_path, dated):
    outside = tmp_path.parent / "outside"
    day(outside, "20261101", "secret")
    (tmp_path / "port-1").symlink_to(outside / "port-1")
    (tmp_path / "port-2/202611").mkdir(parents=True)
    (tmp_path / "port-2/202611/20261101").symlink_to(outside / "port-1/202611/20261101")
    day(tmp_path, "20261102", terminal="port-3")
    (tmp_path / "port-3/202611/2026110").mkdir()
    folders = dated()
    assert isinstance(folders, DatedFolders)
    assert taken_by(folders) == []


def test_a_day_that_is_cleared_away_is_forgotten(tmp_path, dated):
    path = day(tmp_path, "20261101")
    folders = dated()
    path.rmdir()
    day(tmp_path, "20261102", "a")
    assert taken_by(folders) == ["a"]


def test_the_bundle_of_a_dated_scan_has_bare_names(tmp_path, dated):
    day(tmp_path, "20261101", "a")
    folders = dated()
    folders.poll()
    (one,) = bundle.BundleDecoder().feed(folders.poll().data)
    assert [name for name, _ in one.files] == ["a.jpg", "a.xml"]
