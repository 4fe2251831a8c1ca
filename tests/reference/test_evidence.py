"""The weighing of an incident's evidence beside its slow twin, `fusion.score.score`."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.cells import FIRST_SLOTS, Cell, Layout
from fusion.cells_batch import Cells
from fusion.kernels import evidence as kernel
from fusion.score import score
from fusion.scoring_policy import ScoringPolicy
from fusion.types import SECOND_NS, Detection, Family, Origin

EXACT = 1e-12
START_UTC_NS = 1_790_000_000 * SECOND_NS
NOW_UTC_NS = START_UTC_NS + 300 * SECOND_NS
QUESTIONS = {"moves": ("person", "group", "vehicle"), "radiates": ("norm", "threat-source")}
TOLD_AS = {"person": "somebody", "group": "somebody", "vehicle": "vehicle", "threat-source": "rad"}
LINES = {"somebody": 0.4, "vehicle": 0.5, "rad": 0.05}
POLICY = ScoringPolicy(
    priors_nats={name: -2.0 - i for i, name in enumerate(sum(QUESTIONS.values(), ()))},
    caps_nats={"seismic.event": 3.5, "gamma.profile": 14.0, "fusion.bypass": 6.0},
    group_rho={"radiation": 0.3, "seismic": 0.5},
    pair_rho={"gamma.profile+seismic.event": 0.11, "fusion.bypass+seismic.event": 0.73},
    decay_s={"seismic.event": 120.0},
)
LAYOUT = Layout.of(QUESTIONS, TOLD_AS, LINES, POLICY)
PRIORS = LAYOUT.priors(POLICY.priors_nats)
HEARD = Detection(
    sensor_id="geo-1",
    family=Family.SEISMIC,
    origin=Origin.SENSOR,
    kind="seismic.event",
    start_utc_ns=START_UTC_NS,
    end_utc_ns=NOW_UTC_NS,
    facts={},
)
PLACES_M = {"geo-1": 0.0, "geo-2": 7.3, "geo-3": 15.1, "geo-4": 61.7}

nats = st.floats(-20.0, 20.0) | st.sampled_from((0.0, 1.0, -1.0))
detections = st.builds(
    lambda sensor, kind, end_s, said: Detection(
        sensor_id=sensor,
        family=Family.SEISMIC if sensor.startswith("geo") else Family.RADIATION,
        origin=Origin.SENSOR,
        kind=kind,
        start_utc_ns=START_UTC_NS,
        end_utc_ns=START_UTC_NS + int(end_s * SECOND_NS),
        facts={},
        nats=said,
    ),
    st.sampled_from((*PLACES_M, "geo-unplaced", "portal", "fusion")),
    st.sampled_from(sorted(POLICY.caps_nats)),
    st.floats(0.0, 310.0),
    st.dictionaries(st.sampled_from((*LAYOUT.names, "else")), nats, max_size=5),
)
incidents = st.lists(
    st.tuples(detections, st.sampled_from((1.0, 0.5)) | st.floats(0.0, 1.0)), max_size=12
)


def by_place(one, other):
    """As of ground sensors: falls with the way from one to the other."""
    if one == other or not {one, other} <= PLACES_M.keys():
        return None
    return 0.3 + 0.5 * math.exp(-abs(PLACES_M[one] - PLACES_M[other]) / 15.0)


def told(result, name):
    """Explanations that go by one name, and how probable they are together."""
    return math.fsum(p for e, p in result.explanations if TOLD_AS.get(e) == name)


@pytest.mark.parametrize("correlation", (None, by_place), ids=("alike", "pairs"))
@given(rows=incidents)
def test_the_kernel_scores_as_its_twin(rows, correlation):
    cell = Cell(LAYOUT, PRIORS, correlation)
    cell.hold(rows)
    bits = cell.worth_telling(NOW_UTC_NS)
    for number, (question, names) in enumerate(QUESTIONS.items()):
        expected = score(rows, names, NOW_UTC_NS, POLICY, correlation)
        shares, got = dict(expected.explanations), cell.score(question)
        for name in names:
            assert got.nats[name] == pytest.approx(expected.nats[name], abs=EXACT, rel=EXACT)
        assert dict(got.explanations) == pytest.approx(shares, abs=EXACT)
        over = [told(expected, name) - LINES[name] for name in LINES]
        if max(over) >= 0.0:
            assert bits >> number & 1, question
        elif max(over) < -1e-6:
            assert not bits >> number & 1, question


@given(rows=incidents)
def test_each_row_of_the_kernel_is_a_row_of_the_table(rows):
    cell = Cell(LAYOUT, PRIORS)
    cell.hold(rows)
    cell.worth_telling(NOW_UTC_NS)
    speaking = [row for row in rows if row[0].nats]
    for names in QUESTIONS.values():
        expected = {
            (c.source, c.kind, c.explanation): c.nats
            for c in score(rows, names, NOW_UTC_NS, POLICY).contributions
        }
        for name in names:
            for (detection, _), said in zip(
                speaking, cell.weighed[:, LAYOUT.columns[name]], strict=True
            ):
                key = detection.sensor_id, detection.kind, name
                if said:
                    assert said == pytest.approx(expected.pop(key), abs=EXACT, rel=EXACT)
        assert all(nats == 0.0 for (source, _, _), nats in expected.items() if source != "prior")


faint = st.lists(
    st.tuples(
        st.builds(
            replace,
            detections,
            nats=st.dictionaries(st.sampled_from(LAYOUT.names), st.floats(-9.0, 2.5), max_size=3),
        ),
        st.floats(0.0, 1.0),
    ),
    max_size=4,
)


@pytest.mark.parametrize("correlation", (None, by_place), ids=("alike", "pairs"))
@given(rows=faint)
def test_nothing_is_too_faint_to_be_weighed_that_could_be_told(rows, correlation):
    cell, weighed = Cell(LAYOUT, PRIORS, correlation), Cell(LAYOUT, PRIORS, correlation)
    cell.hold(rows)
    bits = cell.worth_telling(NOW_UTC_NS)
    assert bits == weighed._weigh([row for row in rows if row[0].nats], NOW_UTC_NS)
    for question in QUESTIONS:
        assert cell.score(question) == weighed.score(question)
    assert np.array_equal(cell.weighed, weighed.weighed)


def test_what_cannot_reach_its_line_is_not_weighed(monkeypatch):
    asked = []
    screen = kernel.screen
    monkeypatch.setattr(kernel, "screen", lambda *told: asked.append(told) or screen(*told))
    cell = Cell(LAYOUT, PRIORS)
    # A person at -2 nats and a group at -3 are somebody with 0.4 at 1.28 nats more.
    for nats, count in ((1.2, 0), (1.3, 1), (-5.0, 1)):
        one = replace(HEARD, nats={"person": nats, "animal": 9.0})
        cell.hold([(one, 1.0)])
        assert cell.worth_telling(NOW_UTC_NS) == 0
        assert len(asked) == count
    cell.score("moves")
    assert len(asked) == 2


def test_where_sensors_contradict_one_another_nothing_is_too_faint():
    policy = replace(POLICY, group_rho={"seismic": -0.4})
    leads = Layout.of(QUESTIONS, TOLD_AS, LINES, policy).leads_nats(PRIORS)
    assert set(leads.values()) == {-math.inf}


@given(first=incidents, second=incidents)
def test_a_cell_that_held_something_else_before_makes_no_difference(first, second):
    used, fresh = Cell(LAYOUT, PRIORS, by_place), Cell(LAYOUT, PRIORS, by_place)
    used.hold(first)
    used.worth_telling(NOW_UTC_NS)
    for cell in (used, fresh):
        cell.hold(second)
        cell.worth_telling(NOW_UTC_NS)
    for question in QUESTIONS:
        now, then = used.score(question), fresh.score(question)
        assert now.nats == pytest.approx(then.nats, abs=EXACT, rel=EXACT)
        assert dict(now.explanations) == pytest.approx(dict(then.explanations), abs=EXACT)


@given(reports=st.lists(st.tuples(st.integers(0, 3), detections), max_size=30))
def test_many_cells_at_once_are_as_each_by_itself(reports):
    try:
        got = Cells(LAYOUT, cells=4).take(reports, PRIORS)
    except ValueError:
        voices = {(cell, d.sensor_id, d.kind) for cell, d in reports}
        assert max(sum(v[0] == cell for v in voices) for cell in range(4)) > FIRST_SLOTS
        return
    known: dict[int, dict[tuple[str, str], Detection]] = {}
    latest = dict.fromkeys(range(4), 0)
    for (cell, detection), shares in zip(reports, got, strict=True):
        mine = known.setdefault(cell, {})
        mine[detection.sensor_id, detection.kind] = detection
        # Time begins with the first report of all.
        latest[cell] = max(latest[cell], detection.end_utc_ns, reports[0][1].end_utc_ns)
        rows = [(each, 1.0) for each in mine.values()]
        for names in QUESTIONS.values():
            expected = dict(score(rows, names, latest[cell], POLICY).explanations)
            for name in names:
                assert shares[LAYOUT.columns[name]] == pytest.approx(expected[name], abs=EXACT)


def test_a_layout_takes_each_explanation_once():
    with pytest.raises(ValueError, match="twice"):
        Layout.of({"one": ("person",), "two": ("person",)}, TOLD_AS, LINES, POLICY)


def test_a_cell_knows_its_place():
    one = Detection(
        sensor_id="portal",
        family=Family.RADIATION,
        origin=Origin.SENSOR,
        kind="gamma.profile",
        start_utc_ns=0,
        end_utc_ns=0,
        facts={},
    )
    with pytest.raises(IndexError, match="cell 2 of 2"):
        Cells(LAYOUT, cells=2).take([(2, one)], PRIORS)


def test_what_nobody_can_be_told_is_never_worth_telling():
    layout = Layout.of({"only": ("weather",)}, {}, {}, POLICY)
    shares, lines = np.array([1.0]), layout.lines
    assert kernel.worth(shares, layout.questions, layout.kin, lines) == 0
