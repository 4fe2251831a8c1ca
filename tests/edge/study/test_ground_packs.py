from pathlib import Path

import cv2
import pytest

from edge.study.ground_chain import Heard, Rung
from edge.study.ground_passes import pass_by
from edge.study.packs import PACKS, PackError, Settings
from edge.study.packs import ground_classes as classes
from edge.study.packs import ground_quiet as quiet
from edge.study.packs import ground_real as real
from edge.study.packs import ground_shake as shake
from edge.study.packs import ground_walkers as walkers
from fusion.types import SECOND_NS, Detection, Family, Origin

DATA = Path(__file__).parents[4] / "shared" / "data"
SCENE = pass_by(4_100)
START_NS = SCENE.scenario.start_utc_ns


def event(name, from_s, to_s):
    return Detection(
        sensor_id="geo",
        family=Family.SEISMIC,
        origin=Origin.SIMULATOR,
        kind="seismic.event",
        start_utc_ns=START_NS + round(from_s * SECOND_NS),
        end_utc_ns=START_NS + round(to_s * SECOND_NS),
        facts={"class": name, "cadence_hz": 1.8},
    )


def settings(said, **more):
    return Settings(
        **{"seed": 4_200, "number": 2, "data": None, "pictures": None, "say": said.append} | more
    )


def test_every_ground_pack_can_be_named():
    assert {name for name in PACKS if name.startswith("ground-")} >= {
        "ground-walkers",
        "ground-quiet",
        "ground-classes",
        "ground-lines",
        "ground-real",
        "ground-shake",
    }


def test_the_longest_event_while_the_source_was_about_names_it():
    said = Heard(SCENE.scenario)
    said.detections = [
        event("weather", 10.0, 40.0),
        event("vehicle", 61.0, 64.0),
        event("person", 66.0, 90.0),
    ]
    assert classes.longest(SCENE, said, Heard(SCENE.scenario)).facts["class"] == "person"


def test_an_event_that_is_there_without_the_source_is_not_of_it():
    said, without = Heard(SCENE.scenario), Heard(SCENE.scenario)
    said.detections = [event("weather", 61.0, 100.0)]
    without.detections = [event("weather", 58.0, 90.0)]
    assert classes.longest(SCENE, said, without) is None
    without.detections = [event("weather", 58.0, 70.0)]
    assert classes.longest(SCENE, said, without) is not None


def test_the_confusion_matrix_has_a_row_for_every_class():
    lines = classes.table({("person", "person"): 7, ("person", "group"): 2})
    assert len(lines) == 1 + len(classes.CLASSES)
    assert lines[1].split()[:4] == ["person", "7", "2", "."]
    assert lines[1].endswith("of 9")


def test_a_false_alert_is_counted_once_a_day_and_sensor():
    class Told:
        alert_id, level = "a", 2

    Told.event = next(iter(quiet.ON_FOOT))
    tally = quiet.Tally()
    said = Heard(SCENE.scenario)
    said.alerts = [Rung(Told(), 5.0), Rung(Told(), 9.0)]
    assert tally.take(said) == [5.0]
    tally.take(Heard(SCENE.scenario))
    figure = tally.figure("false", "here", 1.0)
    assert figure.value == pytest.approx(12.0)
    assert figure.interval[0] < 12.0 < figure.interval[1]
    assert figure.reached is False


def test_an_alert_before_the_walker_came_is_not_of_the_walker():
    class Told:
        alert_id, level = "a", 2

    Told.event = next(iter(walkers.ON_FOOT))
    said = Heard(SCENE.scenario)
    said.alerts = [Rung(Told(), SCENE.from_s - 1.0)]
    assert walkers.first_rung(SCENE, said) is None
    said.alerts = [Rung(Told(), SCENE.from_s + 1.0)]
    assert walkers.first_rung(SCENE, said).at_s == SCENE.from_s + 1.0


def test_packs_draw_what_they_counted(tmp_path):
    said = []
    one = settings(said, pictures=tmp_path)
    told = {("person", "person"): 3, ("weather", "vehicle"): 1}
    (tmp_path / "confusion.png").write_bytes(classes.confusion("", classes.CLASSES, told, ""))
    (tmp_path / "walkers.png").write_bytes(walkers.chart({"to 5 m": [True, False]}))
    quiet.draw(one, {"wind": quiet.Tally(hours=4, false=1)})
    for name in ("confusion", "walkers", "ground-quiet"):
        assert cv2.imread(str(tmp_path / f"{name}.png")).shape[0] > 60


def test_walkers_are_counted_by_gait_and_told_one_by_one():
    said = []
    figures = walkers.measure(settings(said, number=1))
    names = [figure.name for figure in figures]
    assert names[0] == "walkers told"
    assert any(name.startswith("running") for name in names)
    assert figures[0].goal == ">= 0.95"
    assert said


@pytest.mark.skipif(not (DATA / "shake").is_dir(), reason="the real capture is not here")
def test_the_real_shake_tells_of_no_person():
    figures = {one.name: one for one in shake.measure(settings([], data=DATA))}
    assert figures["persons told by the footstep preset"].value == 0.0


def test_without_its_recordings_a_pack_says_what_it_needs(monkeypatch):
    with pytest.raises(PackError, match="--data"):
        shake.measure(settings([]))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PackError, match="obspy"):
        real.measure(settings([]))
