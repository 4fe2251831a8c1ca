import pytest

from fusion.scans.manifest import goods_of, mismatches, plain_declared
from fusion.scans.policy import XrayPolicy

POLICY = XrayPolicy()


def found(declared, **changes):
    measured = {
        "empty_nats": -8.0,
        "load_g_cm2": 75.0,
        "materials": {"organic": 0.9},
        "homogeneity": 0.8,
    }
    return dict(mismatches(declared, **(measured | changes), policy=POLICY))


@pytest.mark.parametrize("declared", ["08", "0803.90", "10", "22"])
def test_fruit_that_looks_like_fruit_is_nothing_to_ask_about(declared):
    assert found(declared) == {}


def test_papers_without_a_chapter_are_held_against_nothing():
    assert goods_of("") is goods_of("n/a") is goods_of("empty") is goods_of("7") is None
    assert found("machine parts") == {}


def test_metal_where_fruit_is_declared_is_another_material():
    told = found("08", materials={"steel": 0.8, "organic": 0.1})
    assert set(told) == {"material"}
    assert told["material"] > 3.0


def test_what_is_far_too_heavy_or_light_is_told_by_its_density():
    assert found("94", load_g_cm2=400.0)["density"] > 3.0
    assert found("25", load_g_cm2=10.0)["density"] > 3.0


def test_no_trait_says_more_than_the_most():
    told = found("94", load_g_cm2=4000.0)
    assert told["density"] == POLICY.papers_most_nats


def test_nothing_in_the_box_and_something_in_it_are_each_told_against_their_papers():
    assert found("08", empty_nats=5.0) == {"nothing-seen": 5.0}
    assert found("empty") == {"declared-empty": 8.0}
    assert found("empty", empty_nats=5.0) == {}


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("empty container", "empty"),
        ("vacío", "empty"),
        ("VAZIO", "empty"),
        ("mt", "empty"),
        ("not empty", "not empty"),
        ("hs 8703.23", "870323"),
        ("hs8703", "8703"),
        ("801", "0801"),
        ("10", "10"),
        ("machine parts", "machine parts"),
        ("", ""),
    ],
)
def test_papers_are_read_as_people_write_them(said, means):
    assert plain_declared(said) == means


def test_every_chapter_that_goods_have_is_held_against_something():
    assert [c for c in range(1, 98) if goods_of(f"{c:02d}") is None] == []
