from random import Random

from drivers.wire.malformed import Malformed
from drivers.wire.tsa import TsaDecoder
from edge.study import bench_mutations
from edge.study.bench_mutations import mutate, mutated

LINES = (b"GB,000257,000257,000251,000267\r\n", b"GS,000052,000052,000052,000052\r\n")


class Raising:
    def feed(self, data):
        raise ValueError(data)


class Forgetful:
    """Reads clean lines, and says nothing of the others."""

    def feed(self, data):
        return [one for one in TsaDecoder().feed(b"\n" + data) if not isinstance(one, Malformed)]


def figures(make, monkeypatch):
    monkeypatch.setattr(bench_mutations, "CASES", 300)
    found = mutate("x", make, LINES, Random(1), b"\n")
    return {one.name: one.value for one in found}


def test_every_mutated_line_is_read_or_told(monkeypatch):
    found = figures(TsaDecoder, monkeypatch)
    assert (found["x.mutated.exceptions"], found["x.mutated.unaccounted"]) == (0, 0)
    assert found["x.mutated.bad-fields"] > 0


def test_what_vanishes_or_raises_shows(monkeypatch):
    assert figures(Forgetful, monkeypatch)["x.mutated.unaccounted"] > 0
    monkeypatch.setattr(Raising, "feed", lambda self, data: [] if data == LINES[0] else 1 / 0)
    assert figures(Raising, monkeypatch)["x.mutated.exceptions"] > 0


def test_a_mutation_is_the_same_for_the_same_seed():
    assert [mutated(LINES[0], Random(5)) for _ in range(3)] == [mutated(LINES[0], Random(5))] * 3
