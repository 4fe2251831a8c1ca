"""The benches themselves: that they count what they say, in a short form."""

from random import Random

import pytest

from drivers.wire.malformed import Malformed
from drivers.wire.tsa import TsaDecoder
from edge.cli import main
from edge.study import bench_decoders, bench_load
from edge.study.bench import BENCHES


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(bench_decoders, "TOTAL_BYTES", 50_000)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["tsa", "datacast", "bundle"])
def test_every_decoder_stands_hostile_bytes(number):
    codec = bench_decoders.codecs(seed=2)[number]
    figures = {one.name: one for one in bench_decoders.attack(codec, Random(2))}
    assert len(figures) == 6
    assert [name for name, one in figures.items() if one.reached is False] == []


def test_a_decoder_that_raises_is_counted():
    class Raising(TsaDecoder):
        def feed(self, data):
            if b"GX" in data:
                raise ValueError("GX")
            return super().feed(data)

    codec = bench_decoders.codecs(seed=2)[0]
    broken = bench_decoders.Codec("tsa", Raising, (b"GX,1\r\n",), codec.limit_bytes)
    figures = {one.name: one for one in bench_decoders.attack(broken, Random(2))}
    assert figures["tsa.exceptions"].value > 0
    assert figures["tsa.exceptions"].reached is False


def test_a_reader_that_refuses_is_counted():
    def read(data: bytes) -> Malformed:
        return Malformed("no", "")

    figures = {
        one.name: one for one in bench_decoders.attack_reader("x", read, (b"abc" * 99,), Random(2))
    }
    assert figures["x.exceptions"].value == 0
    assert figures["x.refused"].value > 100


def test_latency_is_from_the_send_that_completed_the_triggers_bytes():
    sent = {"rpm-1": [(32, 1_000_000), (64, 2_000_000)], "xray-1": [(10, 1_000_000)]}
    assert bench_load.latency_ms(sent, "rpm-1@40", 5_000_000) == ("rpm-1", 3.0)
    assert bench_load.latency_ms(sent, "rpm-1@32", 5_000_000) == ("rpm-1", 4.0)
    assert bench_load.latency_ms(sent, "rpm-1@65", 5_000_000) is None
    assert bench_load.latency_ms(sent, "xray-1@9999", 5_000_000) == ("xray-1", 4.0)
    assert bench_load.latency_ms(sent, "tick", 5_000_000) is None


def test_an_unknown_bench_is_told_with_those_that_there_are(capfd):
    assert main(["bench", "nonsense"]) == 2
    said = capfd.readouterr().err
    assert all(name in said for name in BENCHES)


def test_a_bench_speaks_json(capfd):
    assert main(["bench", "decoders", "--json"]) == 0
    assert '"tsa.exceptions"' in capfd.readouterr().out


def test_the_help_names_every_bench(capfd):
    assert main(["bench", "--help"]) == 0
    said = capfd.readouterr().out
    assert all(name in said for name in BENCHES)
