"""The pack about scanners' self-checks, on as little as shows that it works."""

from edge.study.packs import xray_quality
from fusion.scans.scanner_policy import ScannerPolicy

SEED = 400_001


def test_a_fault_is_noticed_with_the_third_scan(monkeypatch):
    monkeypatch.setattr(xray_quality, "LEARNED", 8)
    monkeypatch.setattr(xray_quality, "LOOKED", 3)
    fault = xray_quality.FAULTS["lines lost on the way"]
    assert xray_quality.noticed_after(fault, 12, SEED) == 3
    assert xray_quality.noticed_after(fault, 1, SEED) is None


def test_every_limit_has_a_fault_and_every_fault_a_size_beyond_it():
    causes = {fault.cause for fault in xray_quality.FAULTS.values()}
    assert causes == {"source", "detector", "lines", "focus", "speed"}
    assert all(fault.sizes == tuple(fault.sizes) for fault in xray_quality.FAULTS.values())


def test_the_piece_is_scored_for_every_scanner(monkeypatch):
    monkeypatch.setattr(xray_quality, "PIECES", 1)
    for name, scanner in xray_quality.SETTINGS.items():
        scores, passed = xray_quality._scored(scanner, [SEED])
        assert set(scores) == set(ScannerPolicy().test_piece_limits), name
        assert len(passed) == 1
