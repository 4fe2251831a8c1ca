from edge.text import LANGUAGES
from edge.text.catalogue import catalogue
from fusion.evidence import CALIBRATIONS, RADIATION
from fusion.policy import ScoringPolicy
from fusion.types import Event, Family, Level, Origin


def test_every_code_that_the_engine_can_say_has_a_word():
    kinds = {*CALIBRATIONS, *RADIATION, *ScoringPolicy().caps_nats, "prior"}
    for language in LANGUAGES:
        tables = catalogue(language).tables
        assert kinds <= set(tables["reason"])
        assert set(Event) <= set(tables["event"])
        assert set(ScoringPolicy().priors_nats) <= set(tables["explanation"])
        assert {str(int(level)) for level in Level} == set(tables["level"])
        assert set(Family) == set(tables["family"])
        assert set(Origin) == set(tables["origin"])
