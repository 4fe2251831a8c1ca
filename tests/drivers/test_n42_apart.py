"""Documents taken apart: what of them is number, text and the rest."""

import numpy as np

from drivers import n42_apart
from drivers.n42_apart import ROW, TEXT, Taker
from drivers.wire import n42
from tests.drivers.n42_seconds import a_second


def test_numbers_texts_and_remarks_are_apart_from_the_rest():
    document = a_second(slices=2, channels=12)
    data = n42.write(document)
    taken = Taker().take(data)
    rows = [one.counts for measured in document.measurements for one in measured.spectra]
    assert taken.row_ends.tolist() == [12 * number for number in range(1, len(rows) + 1)]
    assert np.array_equal(taken.values, np.concatenate(rows))
    assert taken.skeleton.count(ROW) == len(rows)
    assert taken.skeleton.count(TEXT) == len(taken.texts)
    assert taken.remarks == document.remarks
    assert taken.texts[1] == b"PT0.1S"


def test_two_documents_of_a_form_differ_in_nothing_else():
    taker = Taker()
    one, other = (taker.take(n42.write(a_second(number))) for number in (1, 2))
    assert (one.head, one.skeleton) == (other.head, other.skeleton)
    assert one.remarks != other.remarks
    assert one.texts != other.texts


def test_what_is_larger_than_any_push_or_has_no_numbers_is_not_taken(monkeypatch):
    data = n42.write(a_second(slices=1))
    assert Taker().take(b"<RadInstrumentData/>") is None
    assert Taker().take(data.replace(b"ChannelData", b"ChannelDatum")) is None
    monkeypatch.setattr(n42_apart, "MOST_BYTES", len(data) - 1)
    assert Taker().take(data) is None
    monkeypatch.undo()
    assert Taker().take(data) is not None


def test_more_rows_than_there_is_room_for_are_not_taken_and_the_next_is(monkeypatch):
    monkeypatch.setattr(n42_apart, "MOST_ROWS", 3)
    taker = Taker()
    assert taker.take(n42.write(a_second(slices=2))) is None
    assert taker.take(n42.write(a_second(slices=1))).row_ends.size == 3
