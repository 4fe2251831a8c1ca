from edge.study import bench_record
from edge.study.figures import Options


def test_every_change_of_a_small_record_is_found(monkeypatch):
    monkeypatch.setattr(bench_record, "ENTRIES", 240)
    monkeypatch.setattr(bench_record, "PROOFS", 20)
    said = []
    figures = bench_record.run(Options(seed=3, times=48, say=said.append))
    found = {one.name: one for one in figures}
    for change in bench_record.CHANGES:
        assert found[f"record.{change}"].value == 12
        assert found[f"record.{change}"].reached
    assert found["record.honest"].value == 0
    assert found["record.named"].value >= 24  # all of who mends nothing
    assert said
