from typing import get_args

import pytest

from drivers.catalog import KINDS
from fusion.seismic_presets import PRESETS
from fusion.types import Family, SeismicPreset

GROUND = [name for name, row in KINDS.items() if row.config.family is Family.SEISMIC]


def test_every_preset_can_be_asked_for():
    assert set(get_args(SeismicPreset)) == set(PRESETS)


@pytest.mark.parametrize("kind", GROUND)
def test_every_ground_sensor_listens_for_footsteps_where_nothing_is_said(kind):
    preset = KINDS[kind].config.__dataclass_fields__["preset"]
    assert preset.default == next(iter(PRESETS)) == "footsteps"
