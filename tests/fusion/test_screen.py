"""What the screen lets through, beside asking everything of every detection."""

from hypothesis import given
from hypothesis import strategies as st

from fusion.fuser import Fuser
from fusion.judge import Judge
from fusion.policy import Policy
from fusion.types import SECOND_NS
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, dense, gamma, heard, occupancy, steps

POLICY = Policy()


class AllUp:
    """Sensors of which none is down."""

    def up(self, sensor_id):
        return sensor_id != ""

    def steps(self, sensor_id, end_utc_ns):
        return None


class Thorough(Judge):
    """Makes every claim in full, whether anybody is told of it or not."""

    def transit(self, transit, known=None):
        return super().transit(transit)

    def track(self, track, said=None, known=None):
        return super().track(track, said)


def thorough():
    fuser = Fuser(CHECKPOINT, POLICY, AllUp())
    fuser._judge = Thorough(CHECKPOINT, POLICY, AllUp())
    return fuser


def passes(number):
    """What a portal and a scanner may say of one vehicle."""
    return st.one_of(
        st.builds(lambda: [occupancy(float(number))]),
        st.builds(lambda s: [occupancy(float(number), number + s)], st.floats(2.0, 9.0)),
        st.builds(
            lambda s, p, e, over: [gamma(s, point=p, extended=e, over_range=over)],
            st.floats(-3.0, 30.0),
            st.floats(0.0, 40.0),
            st.floats(0.0, 40.0),
            st.booleans(),
        ),
        st.builds(lambda m, s: [dense(m, s)], st.floats(0.0, 18.0), st.floats(3.0, 20.0)),
    )


ground = st.one_of(
    st.builds(
        lambda sensor, at, share, final: [steps(sensor, at, share, final=final)],
        st.sampled_from(("geo-1", "geo-2", "geo-3")),
        st.floats(3.0, 60.0),
        st.floats(0.0, 1.0),
        st.booleans(),
    ),
    st.builds(
        lambda sensor, at, name: [heard(sensor, at - 4.0, at + 4.0, at, name=name)],
        st.sampled_from(("geo-1", "geo-2", "geo-3")),
        st.floats(5.0, 60.0),
        st.sampled_from(("person", "vehicle", "animal")),
    ),
)
days = st.lists(st.one_of(passes(0), passes(20), ground, st.just(None)), max_size=25)


@given(day=days)
def test_no_alert_is_lost_or_changed_by_not_asking_what_cannot_be_told(day):
    screened, asking = Fuser(CHECKPOINT, POLICY, AllUp()), thorough()
    now = START_UTC_NS
    for moment in day:
        if moment is None:
            now += 5 * SECOND_NS
            assert screened.tick(now, []) == asking.tick(now, [])
        else:
            assert screened.take(moment) == asking.take(moment)
    for _ in range(3):
        now += 60 * SECOND_NS
        assert screened.tick(now, []) == asking.tick(now, [])


def test_what_is_known_is_told_in_full_and_not_before():
    judge = Judge(CHECKPOINT, POLICY, AllUp())
    fuser = Fuser(CHECKPOINT, POLICY, AllUp())
    fuser.tick(START_UTC_NS, [])
    fuser.take([occupancy(0.0)])
    (alert,) = fuser.take([gamma(20.0, point=40.0, extended=5.0)])
    assert alert.contributions
    (transit,) = fuser._lanes["nb-01"].transits
    (light,), (full,) = judge.transit(transit, lambda key: True), judge.transit(transit)
    assert light.contributions == ()
    assert light.full == full
    assert (light.event, light.level, light.facts) == (full.event, full.level, full.facts)


def test_what_cannot_be_told_is_not_asked():
    judge = Judge(CHECKPOINT, POLICY, AllUp())
    fuser = Fuser(CHECKPOINT, POLICY, AllUp())
    fuser.tick(START_UTC_NS, [])
    fuser.take([occupancy(0.0)])
    fuser.take([gamma(2.0, point=0.5, extended=0.3)])
    (transit,) = fuser._lanes["nb-01"].transits
    assert [claim.level for claim in judge.transit(transit)] == [None]
    assert judge.transit(transit, lambda key: False) == []
    assert len(judge.transit(transit, lambda key: True)) == 1


def test_what_is_told_already_is_asked():
    judge = Judge(CHECKPOINT, POLICY, AllUp())
    fuser = Fuser(CHECKPOINT, POLICY, AllUp())
    fuser.tick(START_UTC_NS, [])
    fuser.take([occupancy(0.0)])
    fuser.take([gamma(20.0, point=40.0, extended=5.0)])
    (transit,) = fuser._lanes["nb-01"].transits
    (claim,) = judge.transit(transit, lambda key: False)
    assert claim.level is not None
