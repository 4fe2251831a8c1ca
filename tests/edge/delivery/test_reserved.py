from hypothesis import given
from hypothesis import strategies as st

from edge.delivery.release import Rule, applies, fields_of
from edge.delivery.reserved import TELLING, of_rules
from edge.delivery.withholding import EMPTY

PLACES = {"nb-01": "northbound", "sb-01": "southbound", "fence": None, "site": None}


def test_a_direction_that_is_kept_back_reserves_its_lanes():
    rule = Rule(name="arms", directions=frozenset({"southbound"}), fields=("direction",))
    assert of_rules([rule], PLACES) == {"sb-01"}


def test_a_rule_without_conditions_reserves_every_place():
    assert of_rules([Rule(name="r", fields=("facts",))], PLACES) == set(PLACES)
    assert of_rules([Rule(name="r", everything=True)], PLACES) == set(PLACES)


def test_pictures_and_words_that_are_kept_back_reserve_nothing():
    rules = [Rule(name="r", evidence=frozenset({"image/png"})), Rule(name="s", fields=("down",))]
    assert of_rules(rules, PLACES) == set()
    assert of_rules([], PLACES) == set()


class _Head:
    def __init__(self, place, direction):
        self.event, self.level, self.status = "PERSON", 4, "Actual"
        self.lane = place if PLACES.get(place) else None
        self.zone = None if self.lane else place
        self.direction = direction


rules = st.builds(
    Rule,
    name=st.just("r"),
    directions=st.frozensets(st.sampled_from(["northbound", "southbound", "north", "west"])),
    places=st.frozensets(st.sampled_from(list(PLACES))),
    levels=st.frozensets(st.sampled_from([3, 4])),
    fields=st.lists(st.sampled_from(list(EMPTY)), max_size=3).map(tuple),
    everything=st.booleans(),
)


@given(rules, st.sampled_from(list(PLACES)), st.sampled_from(["north", "west", None]))
def test_where_a_rule_keeps_back_what_needles_tell_there_are_no_needles(rule, place, way):
    head = _Head(place, PLACES[place] or way)
    if applies(rule, head) and TELLING & fields_of([rule]).keys():
        assert place in of_rules([rule], PLACES)
