"""The numbers of a document of a known form."""

import dataclasses

import numpy as np
import pytest

from drivers.n42_apart import Taker
from drivers.n42_forms import learned
from drivers.n42_table import StrangeError, material, table_of
from drivers.wire import n42
from tests.drivers.n42_documents import START_UTC_NS, STEP_NS
from tests.drivers.n42_seconds import NAMES, a_second


@pytest.fixture
def form():
    data = n42.write(a_second(0, live_s=0.125, speed=2.5))
    return learned(Taker().take(data), n42.read(data))


def table(form, document):
    return table_of(form, Taker().take(n42.write(document)))


def test_each_measurement_has_its_own_numbers(form):
    document = a_second(2, live_s=0.25, speed=3.5)
    found = table(form, document)
    starts = [START_UTC_NS + number * STEP_NS for number in range(8, 12)]
    assert found.starts_utc_ns == starts
    assert found.lives_s == [(0.25,) * 3] * 4
    assert found.speeds_m_s == [3.5] * 4
    assert found.neutrons == [one.gross[0].counts[0] for one in document.measurements]
    assert found.remarks[-2:] == document.remarks
    for one, measured in zip(form.items, document.measurements, strict=True):
        assert one.names == NAMES
        assert np.array_equal(found.counts_of(one), [each.counts for each in measured.spectra])


@pytest.mark.parametrize(
    "strange",
    [
        {"slices": 3},
        {"channels": 49},
        {"speed": 1234.5},
        {"live_s": 123456.5},
    ],
)
def test_what_is_unusual_is_left_to_the_long_way(form, strange):
    with pytest.raises(StrangeError):
        table(form, a_second(1, **{"live_s": 0.125, "speed": 2.5} | strange))


def test_times_that_do_not_go_on_are_left_to_the_long_way(form):
    document = a_second(1, live_s=0.125, speed=2.5)
    backwards = dataclasses.replace(document, measurements=document.measurements[::-1])
    with pytest.raises(StrangeError):
        table(form, backwards)


def test_a_material_is_told_where_all_are_of_one():
    assert material(["NaI", "", "NaI"]) == "NaI"
    assert material(["NaI", "HPGe"]) == ""
    assert material(["straw"]) == ""
