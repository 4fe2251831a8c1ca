"""What happens on the shelf, as entries."""

import pytest

from edge.together.shelf import shelf_draft
from fusion.shelving import ShelfEntry, Shelving


def shelving(**more):
    values = {
        "event": "ANIMAL",
        "sensor_id": "",
        "place": "fence",
        "by": "north",
        "reason": "cattle",
        "since_utc_ns": 0,
        "until_utc_ns": 3600 * 10**9,
    }
    return Shelving(**values | more)


@pytest.mark.parametrize(
    ("what", "standing", "kind", "by"),
    [
        ("shelved", False, "shelve", "north"),
        ("ended", False, "unshelve", "north"),
        ("expired", False, "shelf-expired", "edge"),
        ("shelved", True, "inhibit", "edge"),
        ("expired", True, "shelf-expired", "edge"),
    ],
)
def test_each_is_an_entry_by_who_did_it(what, standing, kind, by):
    draft = shelf_draft(ShelfEntry(what=what, shelving=shelving(standing=standing)), "k1")
    assert (draft.kind, draft.by, draft.place) == (kind, by, "fence")
    assert draft.key == ("k1" if by == "north" else "")
    assert draft.facts == {
        "event": "ANIMAL",
        "sensor": "",
        "place": "fence",
        "until": "1970-01-01T01:00:00.000000Z",
        "reason": "cattle",
    }


def test_a_refusal_is_told_where_it_was_asked():
    assert shelf_draft(ShelfEntry(what="refused", shelving=shelving(), refusal="source")) is None
