from types import SimpleNamespace

import numpy as np
import pytest

from fusion.scans.beam import GROUPS, LAYERS_G_CM2, beam_of
from fusion.scans.object_material import object_material
from fusion.scans.policy import XrayPolicy

BEAM = beam_of((6.0, 4.0))
GEOMETRY = SimpleNamespace(cell_x_m=0.064, cell_y_m=0.064, cell_m2=0.064**2)
SHAPE = (30, 50)
PART = np.zeros(SHAPE, bool)
PART[12:20, 20:28] = True


def planes(goods_g_cm2, group, own_g_cm2, light=0.02):
    """A thing of one group in organic goods of which it displaces a twentieth.

    light  that comes from what is around
    """
    made = []
    for which in (0, 1):
        left = goods_g_cm2 * (1.0 - 0.05 * PART)
        values = np.where(
            PART,
            np.interp(own_g_cm2, LAYERS_G_CM2, BEAM.behind(left[15, 22], group)[which]),
            np.interp(0.0, LAYERS_G_CM2, BEAM.behind(goods_g_cm2, group)[which]),
        )
        values += np.random.default_rng(which).normal(0.0, 0.002, SHAPE)
        made.append(
            SimpleNamespace(
                values=values,
                load=np.ones(SHAPE, bool),
                opaque=values > 8.3,
                stray=light * np.exp(values),
            )
        )
    return tuple(made)


def told(pair):
    return object_material(pair, PART, GEOMETRY, BEAM, XrayPolicy(), cell_noise=0.0015)


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_block_in_goods_is_of_its_group(group):
    assert told(planes(40.0, group, 50.0))[0] == GROUPS[group]


def test_where_scattered_light_decides_nothing_is_resolved():
    name, share = told(planes(105.0, 1, 40.0, light=0.5))
    assert name == "unresolved"
    assert share < 0.9


def test_what_lets_nothing_through_is_dense_only_where_it_is_small():
    pair = planes(40.0, 3, 400.0)
    assert told(pair) == ("dense", XrayPolicy().opaque_material_share)
    assert told(planes(130.0, 3, 100.0)) == ("unresolved", 0.0)


def test_too_thin_a_thing_and_a_single_plane_say_nothing():
    assert told(planes(40.0, 2, 2.0)) == ("", 0.0)
    assert told((planes(40.0, 2, 50.0)[0], None)) == ("", 0.0)
