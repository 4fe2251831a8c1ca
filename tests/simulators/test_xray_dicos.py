import io
from dataclasses import replace

import numpy as np
import pytest

from drivers.dicos_config import XrayDicosConfig
from drivers.wire import bundle
from drivers.xray_dicos import XrayDicosDriver
from fusion.types import Origin
from simulators.catalog import KINDS
from tests.contract.scenarios import DEVICE, small_day

pydicom = pytest.importorskip("pydicom")


def first_scan(*options):
    """The files of the small day's scan."""
    day = small_day("xray-dicos")
    (place,) = day.sensors
    day = replace(day, sensors=(replace(place, options=(*place.options, *options)),))
    data = KINDS["xray-dicos"].build(day, DEVICE).step(60_000)
    return data, [content for _, content in KINDS["xray-dicos"].files(bundle.split(data)[0])]


def small_day_scan(data):
    config = XrayDicosConfig(id=DEVICE, lane="nb-01", url="folder:/")
    (scan,) = XrayDicosDriver(config, Origin.SENSOR).feed(data, 2_000_000_000_000_000_000)
    return scan


def test_high_and_low_are_the_planes_that_another_scanner_would_write_as_pictures():
    data, files = first_scan()
    read = [pydicom.dcmread(io.BytesIO(file)) for file in files]
    assert [one.ImageType[2] for one in read] == ["HIGH_ENERGY", "LOW_ENERGY"]
    assert [one.KVP for one in read] == [6000, 4000]
    assert read[0].StudyInstanceUID == read[1].StudyInstanceUID
    scan = small_day_scan(data)
    np.testing.assert_array_equal(scan.high, read[0].pixel_array)
    np.testing.assert_array_equal(scan.low, read[1].pixel_array)
    assert scan.pitch_x_mm == 40.0


def test_a_projected_threat_and_another_scanner_are_told():
    data, files = first_scan(("tip_type", "FTI"), ("scanner", "other"))
    read = pydicom.dcmread(io.BytesIO(files[0]))
    assert (read.TIPType, read.KVP) == ("FTI", 9000)
    scan = small_day_scan(data)
    assert (scan.origin, scan.energies_mev) == (Origin.SIMULATOR, (9.0, 6.0))
