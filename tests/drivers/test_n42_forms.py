"""Forms that are learned from a document, or put together from parts of several."""

import dataclasses

import numpy as np

from drivers import n42_forms
from drivers.n42_apart import Taker
from drivers.n42_forms import Parts, learned
from drivers.n42_table import table_of
from drivers.wire import n42
from tests.drivers.n42_seconds import a_second, coming


def taken_of(document):
    data = n42.write(document)
    return Taker().take(data), n42.read(data)


def add(parts, document):
    taken, read = taken_of(document)
    parts.add(taken, learned(taken, read))


def places(form):
    """Its items but for what no two documents share."""
    return [dataclasses.replace(item, calibrations=()) for item in form.items]


def of_many_sorts(slices, *, first=0):
    """Each slice has another sort of detector, by its name."""
    document = a_second(slices=slices, channels=12)

    def renamed(spectra, number):
        return tuple(
            dataclasses.replace(one, detector=f"{one.detector}-{number:05}") for one in spectra
        )

    return dataclasses.replace(
        document,
        measurements=tuple(
            dataclasses.replace(one, spectra=renamed(one.spectra, number))
            for number, one in enumerate(document.measurements, first)
        ),
    )


def test_what_is_learned_says_what_the_document_says():
    taken, read = taken_of(a_second(speed=2.2))
    form = learned(taken, read)
    table = table_of(form, taken)
    assert table.speeds_m_s == [2.2] * 4
    assert [item.occupied for item in form.items] == [True] * 4
    rows = [one.counts for measured in read.measurements for one in measured.spectra]
    assert np.array_equal(table.counts, rows)


def test_a_document_that_the_long_way_reads_otherwise_is_not_learned():
    taken, read = taken_of(a_second())
    first, *rest = read.measurements
    other = dataclasses.replace(first, real_s=0.2)
    assert learned(taken, dataclasses.replace(read, measurements=(other, *rest))) is None


def test_a_form_is_put_together_from_parts_of_others():
    parts = Parts()
    add(parts, a_second(occupied=False))
    add(parts, a_second())
    add(parts, coming(0, 1))
    for place in range(4):
        taken, read = taken_of(coming(1, place))
        form = parts.form_of(taken)
        assert table_of(form, taken).speeds_m_s[place] == 2.2
        assert places(form) == places(learned(taken, read))


def test_no_more_parts_are_kept_than_there_may_be(monkeypatch):
    monkeypatch.setattr(n42_forms, "PARTS_KEPT", 8)
    parts = Parts()
    for first in range(0, 60, 3):
        add(parts, of_many_sorts(3, first=first))
        assert len(parts._parts) <= 8
        assert len(parts._wholes) <= 8


def test_a_document_of_too_many_parts_takes_nobody_elses_place(monkeypatch):
    monkeypatch.setattr(n42_forms, "PARTS_KEPT", 8)
    parts = Parts()
    add(parts, a_second())
    kept = dict(parts._parts)
    assert kept
    add(parts, of_many_sorts(9))
    assert parts._parts == kept
    assert parts.form_of(taken_of(a_second(1))[0]) is not None


def test_a_long_document_of_few_parts_is_kept(monkeypatch):
    monkeypatch.setattr(n42_forms, "PARTS_KEPT", 8)
    parts = Parts()
    add(parts, a_second(slices=40))
    assert len(parts._parts) == 1
    assert parts.form_of(taken_of(a_second(1, slices=40))[0]) is not None
