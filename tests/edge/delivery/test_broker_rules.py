import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.broker_rules import (
    RESERVED,
    SIDES,
    access_list,
    carried,
    checked_site,
    other,
    principals,
)

names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True).filter(lambda name: name not in RESERVED)
sites = st.lists(names, min_size=1, max_size=3, unique=True)


def meet(one, two):
    """Whether a topic exists that both filters match."""
    for first, second in itertools.zip_longest(one.split("/"), two.split("/")):
        if "#" in {first, second}:
            return True
        if None in {first, second} or (first != second and "+" not in {first, second}):
            return False
    return True


def rights(who, access):
    return [right.topic for right in who.rights if right.access == access]


@settings(max_examples=30)
@given(side=st.sampled_from(SIDES), sites=sites)
def test_no_two_may_say_the_same_but_a_bridge_what_its_sites_say(side, sites):
    who = principals(side, sites, bridged=True)
    bridge = f"bridge-{other(side)}"
    for one, two in itertools.combinations(who, 2):
        for first, second in itertools.product(rights(one, "write"), rights(two, "write")):
            if meet(first, second):
                assert bridge in {one.name, two.name}
                assert {one.name, two.name} - {bridge} <= set(sites)


@settings(max_examples=30)
@given(side=st.sampled_from(SIDES), sites=sites)
def test_who_reads_only_says_nothing_and_a_centre_says_nothing_of_the_other_side(side, sites):
    for who in principals(side, sites, bridged=True):
        if who.name == "console":
            assert rights(who, "write") == []
        if who.name == "centre":
            assert not any(f"/ops/{other(side)}/" in topic for topic in rights(who, "write"))
            assert not any("+" in topic or "#" in topic for topic in rights(who, "write"))


@settings(max_examples=30)
@given(side=st.sampled_from(SIDES), sites=sites)
def test_each_line_of_the_list_has_a_reason_and_no_pattern(side, sites):
    lines = access_list(side, principals(side, sites, bridged=True)).splitlines()
    for before, line in itertools.pairwise(lines):
        assert "%" not in line
        if line.startswith("topic "):
            assert before.startswith("# ")
        assert line == "" or line.startswith(("# ", "user ", "topic read g", "topic write g"))


@settings(max_examples=30)
@given(sites=sites)
def test_what_a_bridge_carries_it_does_not_fetch(sites):
    outward, inward = carried("north", sites)
    assert not any(
        meet(mine, theirs) for (mine, _), (theirs, _) in itertools.product(outward, inward)
    )
    bridge = principals("south", sites, bridged=True)[-1]
    assert bridge.name == "bridge-north"
    assert rights(bridge, "write") == [topic for topic, _ in outward]
    assert rights(bridge, "read") == [topic for topic, _ in inward]


@pytest.mark.parametrize(
    "name",
    ["", "Mariposa", "a/b", "#", "+", "%u", "a\nuser b", "a b", "é", "x" * 33, *sorted(RESERVED)],
)
def test_a_name_that_would_be_more_than_a_site_is_refused(name):
    with pytest.raises(ValueError, match=r"is no name for a topic|cannot be called"):
        checked_site(name)
    with pytest.raises(ValueError, match=r"is no name for a topic|cannot be called"):
        principals("north", [name])


def test_a_side_is_north_or_south():
    with pytest.raises(ValueError, match="'west' is no side"):
        principals("west", ["mariposa"])
