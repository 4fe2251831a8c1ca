"""What a site may not ask for: that a source is hidden, or that nobody is there to hear."""

from dataclasses import replace

import pytest

from fusion.handling_policy import HandlingPolicy
from fusion.types import Event

POLICY = HandlingPolicy()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"operators": 0}, "one at least"),
        ({"flood_singles": 9}, "left for groups"),
        ({"flood_alerts": 4}, "left for groups"),
        ({"shelve_max_entries": 30}, "fewer than 30"),
        ({"shelve_max_level": 4}, "always told"),
        ({"never_shelved": (Event.RAD_THREAT,)}, "sources must be among them"),
        ({"never_folded": {Event.RAD_THREAT: 3}}, "rings from level 2"),
    ],
)
def test_a_limit_that_would_hide_a_source_or_everything_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(POLICY, **change)


def test_every_event_has_a_level_from_which_it_rings_for_itself():
    assert set(POLICY.never_folded) == set(Event)
    assert all(2 <= level <= 4 for level in POLICY.never_folded.values())
