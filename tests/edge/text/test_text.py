import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import text
from edge.text.catalogue import Catalogue, catalogue, clean
from edge.text.render import render
from edge.text.why import EXPLANATIONS, reason_text, reasons
from fusion.types import Alert, Contribution, Event, Level, Phase

LONGEST_NAME = "a" * 32

FACTS = {
    "silence.scan": {"homogeneity": 0.7, "unpenetrated": 0.0},
    "silence.steps": {"of": LONGEST_NAME, "away_m": 15.0, "share": 0.98},
    "prior": {},
    "gamma.profile": {
        "gamma_sigma": 11.2,
        "extent": "point",
        "width_m": 2.4,
        "position_m": 6.1,
        "position": 0.34,
        "net_cps": 900.0,
        "background_cps": 300.0,
        "suppression": 0.12,
        "over_range": False,
        "cab": False,
    },
    "gamma.spectrum": {
        "gamma_sigma": 14.0,
        "category": "industrial",
        "nuclides": (("Cs-137", 0.99),),
        "nuclide": "Cs-137",
        "position_m": 6.1,
        "position": 0.34,
        "over_range": False,
        "cab": False,
    },
    "gamma.dip": {"dip_sigma": 5.2, "position_m": 9.0, "width_m": 1.8},
    "neutron.counts": {"neutron_sigma": 6.0, "counts": 12, "expected": 1.6, "position_m": 6.0},
    "portal.occupancy": {"opened": False, "duration_s": 8.2, "speed_m_s": 2.2, "length_m": 18.0},
    "seismic.event": {"class": "person", "cadence_hz": 1.9, "ratio": 12.0, "kurtosis": 9.0},
    "track.motion": {"direction": "north", "speed_m_s": 1.4, "sensors": ("geo-01", "geo-02")},
    "xray.scan": {"fill": 0.71, "empty": False},
    "xray.emptiness": {"empty": False, "empty_nats": -9.0, "fill": 0.31, "declared": "empty"},
    "xray.dense": {
        "position_m": 9.0,
        "bottom_m": 0.2,
        "top_m": 0.6,
        "excess_g_cm2": 80.0,
        "sigma": 12.0,
        "material": "dense",
        "homogeneity": 0.9,
    },
    "xray.mismatch": {"declared": "08", "what": "material", "papers_nats": 2.5},
    "xray.change": {"change_kg": 60.0, "position_m": 9.2, "alike": 0.93},
    "xray.unpenetrated": {"share": 0.22, "position_m": 9.0},
    "health.tamper": {"active": True, "code": "tamper", "text": ""},
    "health.fault": {"active": True, "code": "gamma-high", "text": ""},
    "health.drift": {
        "active": True,
        "code": "drift-source",
        "value": "air_noise",
        "was": 1.01,
        "now": 1.32,
        "unit": "percent",
    },
    "health.test-piece": {
        "active": True,
        "code": "test-piece",
        "value": "wire_air_mm",
        "now": 4.1,
        "limit": 2.0,
        "unit": "mm",
    },
    "health.miscount": {"active": True, "own": 3, "expected": 11, "window_min": 15.0},
    "health.silent": {"active": True, "silent_s": 15.0, "text": "timeout"},
    "fusion.shielding": {"position_m": 9.0, "apart_m": 0.4, "length_m": 18.0},
    "fusion.bulk-norm": {"homogeneity": 0.93},
    "fusion.bypass": {"vehicle_nats": 3.0, "seen_by": "geo-01"},
    "fusion.drop-off": {"after_s": 4.0},
    "fusion.pick-up": {"before_s": 6.0, "sensor": "geo-01", "on_foot_nats": 2.5},
    "fusion.blinded": {"sensor": "rpm-nb-01", "what": "tamper", "before_s": 4.0},
    "fusion.hydrogenous": {"position_m": 9.0, "metal": False, "mass_t": 8.0},
    "fusion.count-mismatch": {"portal_count": 3, "other_count": 5},
}
KIND = {
    Event.RAD_THREAT: "gamma.profile",
    Event.RAD_INNOCENT: "gamma.profile",
    Event.RAD_OVERRANGE: "gamma.profile",
    Event.SHIELDED_SOURCE: "fusion.shielding",
    Event.CARGO_ANOMALY: "xray.dense",
    Event.CARGO_MISMATCH: "xray.emptiness",
    Event.CARGO_UNPENETRATED: "xray.unpenetrated",
    Event.PORTAL_BYPASS: "fusion.bypass",
    Event.DROP_OFF: "fusion.drop-off",
    Event.SENSOR_TAMPER: "health.tamper",
    Event.SENSOR_FAULT: "health.fault",
    Event.SENSOR_SILENT: "health.silent",
}


def contribution(kind, explanation, nats=6.0, source="rpm-nb-01", facts=None):
    return Contribution(
        source=source,
        kind=kind,
        explanation=explanation,
        nats=nats,
        age_s=0.0,
        capped=False,
        facts=FACTS[kind] if facts is None else facts,
    )


def alert(event, *, explanation=None, rows=None, **changes):
    explanation = explanation or EXPLANATIONS[event][0]
    if rows is None:
        rows = (
            contribution(KIND.get(event, "seismic.event"), explanation, 6.0),
            contribution("track.motion", explanation, 1.5, "geo-02"),
            contribution("prior", explanation, -5.0, "prior"),
        )
    fields = {
        "alert_id": "01JD8Q3M6Z5T0V9XKQ2A7B4C1E",
        "revision": 1,
        "phase": Phase.NEW,
        "event": event,
        "level": Level.WARNING,
        "probability": 0.9,
        "site": "mariposa",
        "lane": "nb-01",
        "zone": None,
        "direction": "northbound",
        "exercise": True,
        "onset_utc_ns": 0,
        "updated_utc_ns": 0,
        "explanations": ((explanation, 0.9), ("nothing", 0.1)),
        "contributions": rows,
        "score_nats": 0.0,
        "silent": (),
        "down": (),
        "facts": {"sensor": LONGEST_NAME} if event.startswith("SENSOR_") else {},
    }
    return Alert(**fields | changes)


def cases():
    for event in Event:
        for explanation in EXPLANATIONS[event]:
            for level in Level:
                yield event, explanation, level


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("probability", [0.3, 0.95])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("case", [*cases()])
def test_every_code_and_level_has_words(language, probability, phase, case):
    event, explanation, level = case
    one = alert(
        event,
        explanation=explanation,
        level=level,
        phase=phase,
        probability=probability,
        silent=tuple(LONGEST_NAME for _ in range(9)),
        down=("geo-01",),
    )
    info = render(one, language)
    assert 7 <= len(info.headline) <= 80
    assert 40 <= len(info.description) <= 700
    assert 10 <= len(info.instruction) <= 160
    for part in info:
        assert not re.search(r"[{}\[\]]|\s\s|\bNone\b|\bnan\b", part), part
        assert part == part.strip()


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("event", Event)
def test_words_do_without_any_fact(language, event):
    explanation = EXPLANATIONS[event][0]
    rows = tuple(contribution(kind, explanation, facts={}) for kind in FACTS if kind != "prior")
    bare = alert(event, rows=rows, facts={})
    for part in render(bare, language):
        assert len(part) > 5
        assert not re.search(r"[{}\[\]]|\s\s| [,.:]", part), part


@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("kind", FACTS)
def test_every_subset_of_facts_gives_a_clean_reason(language, kind):
    names = sorted(FACTS[kind])
    for left_out in [None, *names]:
        facts = {name: FACTS[kind][name] for name in names if name != left_out}
        reason = reason_text(contribution(kind, "x", facts=facts), language)
        assert 4 < len(reason) <= 160
        assert not re.search(r"[{}\[\]]|\s\s| [,.:]|\bNone\b|\bnan\b", reason), reason


@pytest.mark.parametrize("language", text.LANGUAGES)
def test_every_variant_of_a_reason_is_reached_and_reads_clean(language):
    for kind, variants in catalogue(language).tables["reason"].items():
        told = set()
        for key in variants:
            name, _, value = key.partition("=")
            change = (
                {} if key == "text" else {name: {"true": True, "false": False}.get(value, value)}
            )
            plain = {n: f for n, f in FACTS[kind].items() if n != name or key == "text"}
            if key == "text":
                plain = {n: f for n, f in plain.items() if f"{n}=" not in " ".join(variants)}
            reason = reason_text(contribution(kind, "x", facts=plain | change), language)
            assert not re.search(r"[{}\[\]]|\s\s| [,.:]|\bNone\b|\bnan\b", reason), reason
            told.add(reason)
        # A portal's point profile reads like one of unknown extent.
        assert len(told) >= len(variants) - ("extent=point" in variants)


def keys(table, path=()):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from keys(value, (*path, key))
        else:
            yield (*path, key)


def facts_of(template):
    return sorted(re.findall(r"\{[^{}]*\}", template))


def test_catalogues_have_the_same_keys():
    english, spanish = (catalogue(language).tables for language in text.LANGUAGES)
    assert list(keys(english)) == list(keys(spanish))


def test_both_languages_say_the_same_facts():
    english, spanish = (catalogue(language) for language in text.LANGUAGES)
    for path in keys(english.tables):
        assert facts_of(english.text(*path)) == facts_of(spanish.text(*path)), path


def test_the_example_of_the_design_reads_as_a_person_would_say_it():
    row = contribution("gamma.profile", "threat-source", facts=FACTS["gamma.profile"])
    assert reason_text(row, "en-US") == (
        "gamma 11 σ above this lane's background, in the middle third, 6.1 m behind the front"
    )
    assert reason_text(row, "es-MX") == (
        "gamma 11 σ sobre el fondo de este carril, en el tercio central, a 6.1 m del frente"
    )


def test_reasons_are_ranked_and_their_shares_are_of_what_speaks_for_the_event():
    rows = (
        contribution("gamma.profile", "threat-source", 7.2),
        contribution("neutron.counts", "threat-source", 2.0),
        contribution("xray.dense", "threat-source", 0.8),
        contribution("fusion.bulk-norm", "threat-source", -2.0),
        contribution("prior", "threat-source", -7.5),
        contribution("gamma.profile", "norm", 9.9),
    )
    told = reasons(alert(Event.RAD_THREAT, rows=rows), "en-US", 3)
    assert [round(reason.share, 2) for reason in told] == [0.72, 0.2, 0.08]
    assert told[0].text.startswith("gamma 11 ")


def test_motion_that_was_taken_for_something_else_says_so():
    row = contribution("seismic.event", "person", facts={"class": "digging", "ratio": 12.0})
    assert reason_text(row, "en-US") == (
        "ground motion that may be footsteps of one person, 12 times the quiet level"
    )


def test_sensors_that_say_the_same_are_one_reason():
    rows = tuple(
        contribution("seismic.event", "person", nats, source)
        for source, nats in (("geo-01", 2.0), ("geo-02", 3.0), ("geo-03", 1.0))
    )
    told = reasons(alert(Event.PERSON, rows=rows), "en-US", 3)
    assert len(told) == 1
    assert told[0].share == pytest.approx(1.0)
    assert told[0].text.endswith("(3 sensors)")


def test_the_description_names_the_two_strongest_reasons_and_a_lonely_source():
    rows = (
        contribution("gamma.profile", "threat-source", 7.2),
        contribution("neutron.counts", "threat-source", 2.0),
        contribution("xray.dense", "threat-source", 0.8),
    )
    description = render(alert(Event.RAD_THREAT, rows=rows), "en-US").description
    assert "(72 %)" in description
    assert "(20 %)" in description
    assert "(8 %)" not in description
    assert "One source only." in description
    two = (*rows[:1], contribution("xray.dense", "threat-source", 2.0, source="xray-01"))
    assert "One source only." not in render(alert(Event.RAD_THREAT, rows=two), "en-US").description


def test_of_two_lawful_causes_the_one_with_the_higher_score_is_told():
    rows = (
        contribution("gamma.profile", "norm", 9.0),
        contribution("prior", "norm", -3.5, "prior"),
        contribution("gamma.profile", "medical", 10.0),
        contribution("prior", "medical", -5.5, "prior"),
    )
    assert "Naturally" in render(alert(Event.RAD_INNOCENT, rows=rows), "en-US").headline


def test_where_a_track_goes_is_in_the_headline():
    headline = render(alert(Event.PERSON), "en-US").headline
    assert headline == "EXERCISE: Person on foot, heading north"


def test_a_sensor_event_names_the_sensor():
    one = alert(Event.SENSOR_SILENT, facts={"source": "geo-wd-03", "silent_s": 16.0})
    assert render(one, "es-MX").headline == "SIMULACRO: Sensor sin señal: geo-wd-03"


def test_a_lawful_cause_is_told_by_its_name():
    patient = alert(Event.RAD_INNOCENT, explanation="medical")
    assert "patient" in render(patient, "en-US").headline
    assert "paciente" in render(patient, "es-MX").headline
    assert "Naturally" in render(alert(Event.RAD_INNOCENT, explanation="norm"), "en-US").headline


@given(st.text(max_size=80))
def test_no_fact_can_break_a_line_or_a_template(noise):
    one = alert(Event.SENSOR_FAULT, facts={"sensor": noise, "code": noise})
    for language in text.LANGUAGES:
        info = render(one, language)
        assert len(info.headline) <= 120
        assert clean(" ".join(info)) == " ".join(info)


def test_a_fact_of_the_wrong_type_drops_its_clause():
    row = contribution("gamma.profile", "x", facts={"gamma_sigma": "much", "width_m": None})
    assert reason_text(row, "en-US") == "gamma above this lane's background"


def test_a_kind_that_nobody_has_translated_still_has_a_reason():
    row = contribution("gamma.profile", "x", facts={})
    other = Contribution(**{n: getattr(row, n) for n in row.__slots__} | {"kind": "thermal.spot"})
    assert reason_text(other, "en-US") == "thermal.spot from rpm-nb-01"


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="en-US, es-MX"):
        render(alert(Event.PERSON), "fr-FR")


def test_a_template_takes_the_first_fact_and_drops_a_clause_without_its_facts():
    texts = Catalogue("xx", {"fruit": {"a": "apple"}})
    template = "one[ {n|m:.1f}][ and {x}][, {f:@fruit}][, {s:pct}]"
    assert texts.fill(template, {"m": 2, "f": "a", "s": 0.5}) == "one 2.0, apple, 50 %"
    assert texts.fill(template, {"n": float("inf"), "f": "kiwi"}) == "one, kiwi"
