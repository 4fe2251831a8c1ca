"""How much less a dense place says where others of the load stand out like it."""

import pytest

from fusion.scans.policy import XrayPolicy
from fusion.scans.regions import crowd_sigma

POLICY = XrayPolicy(
    region_faint_from=4.0, region_faint_sigma=0.3, region_crowd_from=6.0, region_crowd_sigma=1.7
)


@pytest.mark.parametrize(
    ("sigmas", "less"),
    [
        ([], 0.0),
        ([3.9], 0.0),
        ([12.0], 0.0),
        ([12.0, 3.9], 0.0),
        ([12.0, 4.0], 0.3),
        ([12.0, 5.9, 4.0], 0.6),
        ([12.0, 6.0], 2.0),
        ([12.0, 6.0, 6.0, 4.0], 0.9 + 3.4),
    ],
)
def test_each_other_place_takes_some_off_and_each_strong_one_far_more(sigmas, less):
    assert crowd_sigma(sigmas, POLICY) == pytest.approx(less)
    assert crowd_sigma(reversed(sigmas), POLICY) == pytest.approx(less)


def test_one_more_place_never_makes_the_others_surer():
    policy = XrayPolicy()
    for more in (3.0, 4.5, 6.5, 20.0):
        assert crowd_sigma([9.0, 5.0, more], policy) >= crowd_sigma([9.0, 5.0], policy)
