import hashlib
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from structlog.testing import capture_logs

from edge.evidence.scans.planes import whole_name
from edge.station import whole_planes
from edge.station.whole_planes import DAY_S, Limits, WholePlanes
from tests.fusion.scan_records import pixels, scan_record

tifffile = pytest.importorskip("tifffile", reason="tifffile is what the planes are read with")
pytest.importorskip("imagecodecs", reason="imagecodecs unpacks Zstandard for tifffile")

LIMITS = Limits(max_bytes=10**9, max_age_s=DAY_S, keep_free_bytes=0)


@pytest.fixture
def kept(tmp_path):
    """Opens stores in one folder; ends them."""
    opened = []

    def open_(limits=LIMITS, later_s=0.0):
        opened.append(WholePlanes(tmp_path, limits, later_s=later_s))
        return opened[-1]

    yield open_
    for one in opened:
        one.close(5.0)


def scan(seed):
    made = pixels(30, 100, seed=seed)
    name = whole_name(made)
    return scan_record(made, whole=name), name


def alert_of(*records):
    return SimpleNamespace(records=records)


def names(folder):
    return sorted(path.name for path in folder.glob("*.tif"))


def test_a_scan_that_an_alert_named_is_kept_bit_by_bit(kept, tmp_path):
    store = kept()
    record, name = scan(1)
    store.put(record, name)
    assert store.wait(5.0)
    store.told(alert_of(record))
    assert store.wait(5.0)
    planes = tifffile.imread(tmp_path / "kept" / f"{name}.tif", key=[0, 1])
    assert (planes[0] == record.pixels.high).all()
    assert hashlib.sha256(np.ascontiguousarray(planes).tobytes()).hexdigest() == name
    assert names(tmp_path / "recent") == []


def test_the_alert_may_come_before_the_file(kept, tmp_path):
    store = kept(later_s=60.0)
    record, name = scan(1)
    store.put(record, name)
    store.told(alert_of(record))
    assert store.wait(5.0)
    assert names(tmp_path / "kept") == [f"{name}.tif"]


def test_what_no_alert_named_is_soon_forgotten(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_planes, "MAX_RECENT", 3)
    store = kept()
    made = [scan(seed) for seed in range(5)]
    for record, name in made:
        store.put(record, name)
        assert store.wait(5.0)
    assert names(tmp_path / "recent") == sorted(f"{name}.tif" for _, name in made[-3:])
    assert not (tmp_path / "kept").exists()


def test_pixels_do_not_pile_up_in_memory(kept):
    store = kept(later_s=60.0)
    for seed in range(5):
        store.put(*scan(seed))
    assert len(store._waiting) == whole_planes.MAX_WAITING


def test_the_oldest_go_where_there_is_too_much_or_they_are_too_old(kept, tmp_path):
    old = tmp_path / "kept" / f"{'0' * 64}.tif"
    old.parent.mkdir()
    old.write_bytes(b"old")
    os.utime(old, (time.time() - 2 * DAY_S,) * 2)
    record, name = scan(1)
    store = kept(Limits(max_bytes=12_000, max_age_s=DAY_S, keep_free_bytes=0))
    for record, name in (scan(1), scan(2)):
        store.put(record, name)
        store.told(alert_of(record))
        assert store.wait(5.0)
    assert names(tmp_path / "kept") == [f"{name}.tif"]


@pytest.mark.parametrize("folder", ["recent", "kept"])
def test_what_is_too_old_goes_though_no_scan_comes(kept, tmp_path, monkeypatch, until, folder):
    monkeypatch.setattr(whole_planes, "PRUNE_EACH_S", 0.01)
    kept()
    old = tmp_path / folder / f"{'0' * 64}.tif"
    old.parent.mkdir()
    old.write_bytes(b"old")
    os.utime(old, (time.time() - 2 * DAY_S,) * 2)
    until(lambda: not old.exists())


def test_a_full_disk_is_told_once_and_nothing_else_happens(kept, tmp_path):
    store = kept(Limits(max_bytes=10**9, max_age_s=DAY_S, keep_free_bytes=10**18))
    with capture_logs() as logs:
        for seed in range(2):
            record, name = scan(seed)
            store.put(record, name)
            store.told(alert_of(record))
            assert store.wait(5.0)
    assert names(tmp_path / "kept") == []
    assert [log["event"] for log in logs] == ["whole scans cannot be kept"]


def test_a_folder_that_cannot_be_written_hurts_nobody(tmp_path):
    (tmp_path / "scans").write_text("a file")
    store = WholePlanes(tmp_path / "scans", LIMITS, later_s=0.0)
    with capture_logs() as logs:
        store.put(*scan(1))
        assert store.wait(5.0)
    store.close(1.0)
    assert len(logs) == 1
