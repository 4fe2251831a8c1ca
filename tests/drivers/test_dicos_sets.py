import asyncio
from dataclasses import replace

import numpy as np
import pytest

from drivers import dicos_header
from drivers.base import SensorUnavailable
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_sets import DicosSets
from drivers.transports import open_transport
from drivers.wire import dicos
from drivers.xray_dicos import XrayDicosDriver
from fusion.types import Origin
from tests.drivers.dicos_files import SCAN, high, low, packed, plane, single

pytest.importorskip("pydicom")


def grouped(folder, planes="auto"):
    """(files, complete) of every set of the folder."""
    sets = DicosSets(folder, planes)([path.name for path in folder.iterdir()])
    return sorted((one.names, one.complete) for one in sets)


def test_headers_and_not_names_say_what_goes_together(tmp_path):
    (tmp_path / "7.dcs").write_bytes(low())
    (tmp_path / "8.dcm").write_bytes(single(scan=replace(SCAN, scan_id="s")))
    (tmp_path / "9.DCS").write_bytes(high())
    (tmp_path / "a.dcs").write_bytes(high(scan=replace(SCAN, scan_id="other")))
    (tmp_path / "notes.txt").write_bytes(high())
    (tmp_path / ".b.dcs.tmp").write_bytes(high())
    assert grouped(tmp_path) == [
        (("7.dcs", "9.DCS"), True), (("8.dcm",), True), (("a.dcs",), False),
    ]  # fmt: skip
    assert (("7.dcs",), True) in grouped(tmp_path, "single")


def test_planes_that_do_not_say_which_they_are_wait_where_there_are_to_be_two(tmp_path):
    (tmp_path / "a.dcs").write_bytes(high(characteristics=""))
    assert grouped(tmp_path) == [(("a.dcs",), True)]
    assert grouped(tmp_path, "dual") == [(("a.dcs",), False)]
    (tmp_path / "b.dcs").write_bytes(low(characteristics=""))
    assert grouped(tmp_path, "dual") == [(("a.dcs", "b.dcs"), True)]


@pytest.mark.parametrize("size", [0, 100, 700, 2000, len(single()) - 1])
def test_a_file_that_is_shorter_than_it_says_is_waited_for(tmp_path, size):
    (tmp_path / "a.dcs").write_bytes(single()[:size])
    known = DicosSets(tmp_path, "auto")
    assert [one.complete for one in known(["a.dcs"])] == [False]
    (tmp_path / "a.dcs").write_bytes(single())
    assert [one.complete for one in known(["a.dcs"])] == [True]


def test_what_is_no_dicos_is_handed_over_as_it_is(tmp_path):
    (tmp_path / "a.dcs").write_bytes(b"\xff" * 5000)
    assert grouped(tmp_path) == [(("a.dcs",), True)]


def test_a_file_that_goes_while_we_look_is_no_scan(tmp_path):
    assert DicosSets(tmp_path, "auto")(["gone.dcs"]) == []


def test_a_folder_is_read_and_filed(tmp_path):
    async def check():
        config = XrayDicosConfig(id="x", lane="l", url=f"folder:{tmp_path}")
        told = []
        transport = await open_transport(config, refuse=told.append)
        try:
            (tmp_path / "1.dcs").write_bytes(high())
            reading = asyncio.create_task(transport.read())
            assert not (await asyncio.wait([reading], timeout=0.3))[0]
            (tmp_path / "2.dcs").write_bytes(low())
            (scan,) = XrayDicosDriver(config, Origin.SENSOR).feed(await reading, 0)
            np.testing.assert_array_equal(scan.low, plane(2))
            await transport.settle("")
        finally:
            await transport.close()
        assert told == []
        assert sorted(path.name for path in tmp_path.glob(".garita/done/*/*")) == ["1.dcs", "2.dcs"]

    asyncio.run(asyncio.wait_for(check(), 20))


def test_without_pydicom_it_is_said_what_is_needed_before_any_scan_is_touched(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(dicos_header, "installed", lambda: False)
    config = XrayDicosConfig(id="xray-1", lane="l", url=f"folder:{tmp_path}")
    with pytest.raises(SensorUnavailable, match=r"xray-1: .*garita\[dicos\]"):
        asyncio.run(open_transport(config))


def test_a_packed_file_that_is_cut_is_waited_for(tmp_path):
    made = packed(single(), "RLELossless", tmp_path)
    assert [dicos.is_whole(made[:size]) for size in (100, 700, len(made) - 1)] == [False] * 3
    assert dicos.is_whole(made) is True
    assert dicos.is_whole(b"\xff" * 5000) is None
