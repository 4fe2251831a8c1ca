"""The short form of the attack, and that it counts what it says."""

from random import Random

import pytest

from drivers.spectrum_reader import SpectrumReader, installed
from drivers.wire.malformed import Malformed
from edge.study import bench_hostile


@pytest.mark.parametrize("use_library", [False, True])
def test_mutated_documents_raise_nothing_and_are_accounted_for(use_library):
    if use_library and not installed():
        pytest.skip("sandiaspecutils is not installed")
    reader = SpectrumReader(use_library=use_library)
    read = bench_hostile._all_of_it(reader)
    try:
        found = bench_hostile.attack("n42", read, bench_hostile.samples(), Random(3), 400)
    finally:
        reader.close()
    assert [one.name for one in found if one.reached is False] == []
    figures = {one.name: one.value for one in found}
    assert figures["n42.read"] > 50
    assert figures["n42.not-xml"] > 50


@pytest.mark.parametrize("use_library", [False, True])
def test_large_documents_raise_nothing_either(use_library):
    if use_library and not installed():
        pytest.skip("sandiaspecutils is not installed")
    reader = SpectrumReader(use_library=use_library)
    try:
        found = bench_hostile.attack_large("n42", reader, 3, 6)
    finally:
        reader.close()
    assert [one.name for one in found if one.reached is False] == []


def test_a_peak_that_nobody_saw_is_missed():
    reader = SpectrumReader()
    assert bench_hostile.peak("x", reader, 100).reached is False


def test_clean_documents_are_read():
    read = bench_hostile._all_of_it(SpectrumReader(use_library=False))
    for document in bench_hostile.samples():
        assert [one for one in read(document) if isinstance(one, Malformed)] == []


def test_a_reader_that_raises_or_says_nothing_is_counted():
    def raises(data):
        raise ValueError(data[:1])

    for read, name in ((raises, "x.exceptions"), (lambda data: [], "x.unaccounted")):
        found = bench_hostile.attack("x", read, (b"<a>1</a>",), Random(1), 10)
        (figure,) = [one for one in found if one.name == name]
        assert (figure.value, figure.reached) == (10, False)
