"""What a ground sensor listens for reaches the engine from every kind of replay."""

from pathlib import Path

import pytest

from drivers.seismic_shake_config import ShakeConfig
from edge.config import checkpoint_of, load_config
from edge.study.day import ReplayError
from edge.study.device_files import find
from edge.study.devices import day

CONFIG = """\
site: {id: mariposa}
sides: {north: {}, south: {}}
zones: [{id: ef}]
sensors: [{id: geo-ef-01, kind: shake-udp, zone: ef, url: "udp://127.0.0.1:8888"}]
"""
PACKET = b"{'EHZ', 1580372810.000, 1, 2, 3}\n"


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "geo-ef-01.txt"
    path.write_bytes(PACKET)
    return path


def _config(tmp_path: Path, more=""):
    path = tmp_path / "site.yaml"
    path.write_text(CONFIG.replace('8888"}', f'8888"{more}}}'))
    return load_config(path)


def test_footsteps_are_what_it_listens_for_by_itself(capture):
    assert [spec.preset for spec in day(find([capture]), None, []).checkpoint.sensors] == [
        "footsteps"
    ]
    assert ShakeConfig(id="a", url="udp://a:1").preset == "footsteps"


def test_a_setting_reaches_the_engine_with_and_without_a_configuration(capture, tmp_path):
    settings = [("preset", "earthquake")]
    for config in (None, _config(tmp_path)):
        made = day(find([capture]), config, settings)
        assert [spec.preset for spec in made.checkpoint.sensors] == ["earthquake"]


def test_a_configuration_reaches_the_engine(tmp_path):
    config = _config(tmp_path, ", preset: earthquake")
    assert checkpoint_of(config).sensors[0].preset == "earthquake"


def test_an_unknown_preset_is_refused(capture):
    with pytest.raises(ReplayError, match="preset"):
        day(find([capture]), None, [("preset", "dancing")])
