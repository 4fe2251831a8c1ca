"""Two centres on the same alerts: one history, whoever was first, told from the record alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.commands import (
    AckMessage,
    AdjudicateMessage,
    AssistMessage,
    DispatchMessage,
    HandOverMessage,
    NoteMessage,
    OnSceneMessage,
)
from edge.protocol.messages import encode, rfc3339
from edge.record import entries
from edge.record.entries import CODES, Draft, Entry
from edge.together import cases
from edge.together.handling import MAX_NOTES, MAX_VERDICTS, OFFER_S, apply, replay, tick
from edge.together.people import About, Author, Refusal
from fusion.types import SECOND_NS

AT_NS = 1_795_000_000 * SECOND_NS
NORTH = Author(side="north", role="supervisor", key="n1")
SOUTH = Author(side="south", key="s1")


class Site:
    """The checkpoint: applies commands one after the other and keeps the record."""

    def __init__(self):
        self.state, self.record, self.now_utc_ns = cases.Handling(), [], AT_NS

    def asks(self, by, command, **about):
        self.state, came = apply(self.state, command, by, self.now_utc_ns, About(**about))
        if isinstance(came, Draft):
            self._enter(came)
            return ""
        return came.why

    def passes_s(self, seconds):
        self.now_utc_ns += seconds * SECOND_NS
        self.state, drafts = tick(self.state, self.now_utc_ns)
        for draft in drafts:
            self._enter(draft)

    def _enter(self, draft):
        entry = Entry(
            site="mariposa",
            index=len(self.record),
            time=rfc3339(self.now_utc_ns + 7_000),  # a little later than it was decided
            kind=draft.kind,
            by=draft.by,
            key=draft.key,
            place=draft.place,
            facts=draft.facts,
        )
        self.record.append(entries.encode(entry))

    def case(self, alert="A"):
        return self.state.of(alert)


def mirrored(record):
    """What a centre makes of its copy of the record."""
    return replay(entries.decode(data) for data in record)


@pytest.fixture
def site():
    return Site()


def test_the_first_wins_and_the_second_is_told_how_it_stands(site):
    assert site.asks(NORTH, AckMessage(alert="A")) == ""
    _, refusal = apply(site.state, AckMessage(alert="A"), SOUTH, AT_NS)
    assert refusal == Refusal(why="already", text="acknowledged, north's")
    assert len(site.record) == 1


def test_each_stage_may_be_left_out_and_none_is_gone_back_to(site):
    assert site.asks(SOUTH, OnSceneMessage(alert="A")) == ""
    assert site.case().stage == "on-scene"
    assert site.asks(NORTH, DispatchMessage(alert="A")) == "back"
    assert site.asks(NORTH, AckMessage(alert="A")) == "already"
    assert site.asks(NORTH, OnSceneMessage(alert="A")) == "already"
    assert site.asks(NORTH, AdjudicateMessage(alert="A", code="UNRESOLVED")) == ""
    told = site.case().told()
    assert [(step.stage, step.by, step.key) for step in told.steps] == [
        ("on-scene", "south", "s1"),
        ("adjudicated", "north/supervisor", "n1"),
    ]
    assert (told.stage, told.owner) == ("adjudicated", "south")


def test_what_has_changed_since_is_acknowledged_anew(site):
    assert site.asks(NORTH, AckMessage(alert="A"), revision=2, place="nb-01") == ""
    assert site.asks(SOUTH, AckMessage(alert="A"), revision=2) == "already"
    assert site.asks(NORTH, DispatchMessage(alert="A"), revision=2) == ""
    assert site.asks(SOUTH, AckMessage(alert="A"), revision=3) == ""
    assert (site.case().stage, site.case().place) == ("dispatched", "nb-01")
    assert site.asks(NORTH, AckMessage(alert="A"), revision=3) == "already"


def test_the_last_verdict_holds_and_each_is_kept(site):
    innocent = AdjudicateMessage(alert="A", code="INNOCENT_NORM")
    assert site.asks(NORTH, innocent) == ""
    assert site.asks(NORTH, innocent) == "already"
    threat = AdjudicateMessage(
        alert="A", code="CONFIRMED_THREAT", confirm="spectrum", nuclide="Cs-137", instrument="X/7"
    )
    assert site.asks(SOUTH, threat) == ""
    assert site.asks(NORTH, innocent) == "", "whoever disagrees says so again"
    verdicts = site.case().verdicts
    assert [(one.code, one.by) for one in verdicts] == [
        ("INNOCENT_NORM", "north/supervisor"),
        ("CONFIRMED_THREAT", "south"),
        ("INNOCENT_NORM", "north/supervisor"),
    ]
    assert (verdicts[1].confirm, verdicts[1].nuclide) == ("spectrum", "Cs-137")


def test_notes_are_counted_and_change_no_stage(site):
    first, second = (NoteMessage(alert="A", note_sha256=digit * 64) for digit in "01")
    assert site.asks(NORTH, first) == site.asks(SOUTH, first) == ""
    assert site.asks(NORTH, first) == "already"
    assert site.asks(SOUTH, second) == ""
    told = site.case().told()
    assert [(one.sha256[0], one.by) for one in told.notes] == [
        ("0", "north/supervisor"),
        ("0", "south"),
        ("1", "south"),
    ]
    assert (told.stage, told.owner) == ("new", "")
    came = [
        site.asks(NORTH, NoteMessage(alert="A", note_sha256=f"{number:064x}"))
        for number in range(2, MAX_NOTES + 2)
    ]
    assert came == [""] * (MAX_NOTES - 3) + ["too-many"] * 3


def test_verdicts_of_one_alert_come_to_an_end(site):
    came = [
        site.asks(NORTH, AdjudicateMessage(alert="A", code=CODES[number % 3]))
        for number in range(MAX_VERDICTS + 2)
    ]
    assert came == [""] * MAX_VERDICTS + ["too-many"] * 2


def offered(alert="A", to="south"):
    return HandOverMessage(alert=alert, step="offered", to=to)


def answered(step, to="south", code=""):
    return HandOverMessage(alert="A", step=step, to=to, code=code)


def test_until_it_is_accepted_the_alert_is_the_offerers(site):
    assert site.asks(NORTH, offered()) == ""
    assert site.case().owner == "north"
    assert site.asks(SOUTH, answered("accepted")) == ""
    assert site.case().owner == "south"
    assert site.asks(SOUTH, answered("accepted")) == "already"
    assert site.asks(NORTH, answered("closed")) == ""
    assert site.asks(SOUTH, answered("closed")) == "already"
    assert site.asks(SOUTH, offered(to="north")) == "", "and may be given back"


def test_to_decline_is_an_answer(site):
    site.asks(NORTH, AckMessage(alert="A"))
    site.asks(NORTH, offered())
    assert site.asks(SOUTH, answered("declined", code="no-officers")) == ""
    told = site.case().told()
    assert (told.owner, told.hand_over.step, told.hand_over.code) == (
        "north", "declined", "no-officers",
    )  # fmt: skip
    assert site.asks(SOUTH, answered("accepted")) == "not-offered"
    assert site.asks(NORTH, offered()) == "", "and it may be offered again"


def test_an_offer_that_nobody_answers_expires(site):
    site.asks(NORTH, offered())
    site.passes_s(OFFER_S - 1)
    assert site.case().offer.step == "offered"
    site.now_utc_ns += SECOND_NS
    assert site.asks(SOUTH, answered("accepted")) == "over", "also where no tick has told it yet"
    site.passes_s(0)
    assert (site.case().offer.step, site.case().owner) == ("expired", "north")
    assert entries.decode(site.record[-1]).by == "edge"
    site.passes_s(10 * OFFER_S)
    assert len(site.record) == 2


@pytest.mark.parametrize(
    ("by", "command", "why"),
    [
        (SOUTH, offered(to="north"), "not-owner"),
        (NORTH, offered(to="north"), "to-itself"),
        (SOUTH, answered("accepted"), "not-offered"),
        (NORTH, answered("closed"), "not-offered"),
    ],
)
def test_who_may_not_is_refused(site, by, command, why):
    site.asks(NORTH, AckMessage(alert="A"))
    assert site.asks(by, command) == why


def test_nobody_answers_for_the_other(site):
    site.asks(NORTH, offered())
    assert site.asks(NORTH, answered("accepted")) == "not-owner"
    assert site.asks(NORTH, answered("closed")) == "still-offered"
    assert site.asks(NORTH, offered()) == "already"


def test_help_is_asked_for_once_by_each(site):
    canine = AssistMessage(alert="A", what="canine")
    assert [site.asks(NORTH, canine), site.asks(NORTH, canine), site.asks(SOUTH, canine)] == [
        "", "already", "",
    ]  # fmt: skip
    assert site.case().stage == "new", "to ask for help answers nothing"
    assert site.asks(NORTH, AssistMessage(what="officers")) == ""
    assert list(site.state.cases) == ["A"], "what is of no alert is in the record alone"


def test_no_more_is_remembered_than_is_said(site, monkeypatch):
    monkeypatch.setattr(cases, "MAX_CASES", 3)
    for alert in ("A", "B", "C"):
        site.asks(NORTH, AckMessage(alert=alert))
    site.asks(SOUTH, DispatchMessage(alert="A"))
    site.asks(NORTH, AckMessage(alert="D"))
    assert list(site.state.cases) == ["C", "A", "D"], "what was touched longest ago is forgotten"
    assert mirrored(site.record) == site.state


@pytest.mark.parametrize("kind", sorted(cases.KINDS))
@pytest.mark.parametrize("facts", [{}, {"alert": 7}, {"alert": ""}, {"alert": "A", "to": "x"}])
def test_an_entry_that_says_nothing_is_passed_over(kind, facts):
    before = cases.Handling()
    after = cases.take(before, Draft(kind=kind, facts=facts))
    assert after == before or cases.STAGE_OF.get(kind) == after.of("A").stage


alerts = st.sampled_from(["A", "B"])
sides = st.sampled_from(["north", "south"])
commands = st.one_of(
    st.builds(AckMessage, alert=alerts),
    st.builds(DispatchMessage, alert=alerts),
    st.builds(OnSceneMessage, alert=alerts),
    st.builds(AdjudicateMessage, alert=alerts, code=st.sampled_from(CODES)),
    st.builds(AssistMessage, alert=alerts, what=st.sampled_from(entries.ASSIST)),
    st.builds(
        HandOverMessage,
        alert=alerts,
        step=st.sampled_from(["offered", "accepted", "declined", "closed"]),
        to=sides,
        code=st.sampled_from(["", "no-officers"]),
    ),
)
doings = st.lists(
    st.tuples(st.sampled_from([NORTH, SOUTH]), commands, st.integers(1, 3))
    | st.integers(1, 2 * OFFER_S),
    max_size=30,
)


@given(doings=doings)
def test_whoever_reads_the_record_has_the_state_that_the_checkpoint_answers_with(doings):
    site = Site()
    for doing in doings:
        if isinstance(doing, int):
            site.passes_s(doing)
        else:
            by, command, revision = doing
            site.asks(by, command, revision=revision, place="nb-01")
        north, south = mirrored(site.record), mirrored(list(site.record))
        assert north == south == site.state
        for alert in "AB":
            assert encode(north.of(alert).told()) == encode(site.case(alert).told())


@given(doings=doings)
def test_no_alert_goes_back_and_none_changes_hands_unasked(doings):
    site = Site()
    for doing in doings:
        before = {alert: site.case(alert) for alert in "AB"}
        if isinstance(doing, int):
            site.passes_s(doing)
            by = None
        else:
            by, command, revision = doing
            site.asks(by, command, revision=revision)
        for alert, was in before.items():
            now = site.case(alert)
            assert cases.RANK[now.stage] >= cases.RANK[was.stage]
            assert now.verdicts[: len(was.verdicts)] == was.verdicts
            if was.owner and now.owner != was.owner:
                assert (was.offer.step, was.offer.to) == ("offered", now.owner)
                assert by.side == now.owner


@given(north=st.lists(commands, max_size=5), south=st.lists(commands, max_size=5), data=st.data())
def test_what_two_centres_ask_at_once_comes_to_one_history(north, south, data):
    site, left = Site(), {NORTH: list(north), SOUTH: list(south)}
    while left[NORTH] or left[SOUTH]:
        by = data.draw(st.sampled_from([one for one in (NORTH, SOUTH) if left[one]]))
        site.asks(by, left[by].pop(0))
    firsts = {}
    for entry in map(entries.decode, site.record):
        if entry.kind in {"dispatch", "on-scene"}:
            assert firsts.setdefault((entry.kind, entry.facts["alert"]), entry.by) == entry.by
    assert mirrored(site.record) == site.state
    assert len(firsts) == sum(
        entries.decode(data).kind in {"dispatch", "on-scene"} for data in site.record
    )
