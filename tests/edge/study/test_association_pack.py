import pytest

from edge.study.crossings import Mix, stream
from edge.study.packs import PACKS, Settings
from edge.study.packs.association import aligned, measure, nearest


def right(found) -> float:
    return sum(found) / len(found)


@pytest.mark.parametrize(
    "mix",
    [Mix(), Mix(close_share=0.5), Mix(lanes=2, per_h=25.0)],
    ids=["far apart", "back to back", "two lanes"],
)
def test_most_scans_are_paired_right_and_more_than_by_the_nearest_time(mix):
    occupancies, scans = stream(11, mix, 300)
    found = aligned(occupancies, scans, mix.lanes)
    assert len(found) == len(scans), "none is lost"
    assert right([one.right for one in found]) > 0.97
    assert right([one.right for one in found]) > right(nearest(occupancies, scans))


def test_who_is_called_sure_is_right():
    mix = Mix(lanes=2, per_h=25.0, close_share=0.3, skip_share=0.3, overtaking_share=0.02)
    sure = [one.right for one in aligned(*stream(12, mix, 400), 2) if one.sure > 0.95]
    assert right(sure) > 0.96


def test_the_pack_gives_each_mix_its_figures_with_intervals():
    settings = Settings(seed=500_000, number=60, data=None, pictures=None, say=lambda text: None)
    figures = measure(settings)
    assert "association" in PACKS
    assert {one.name.split(":")[0] for one in figures} >= {"far apart", "all at once"}
    for one in figures:
        assert one.interval is not None
        assert one.interval[0] <= one.value <= one.interval[1]
        assert "crossings/1" in one.how
