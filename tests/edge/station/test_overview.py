from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec

from edge.delivery.expiry import Expiry
from edge.health import Readiness
from edge.station.overview import FILES_EVERY_S, Overlooking
from fusion.shelving import Shelving
from fusion.types import SECOND_NS

NOW_NS = int(datetime(2026, 11, 2, 18, tzinfo=UTC).timestamp()) * SECOND_NS
SHELVING = Shelving(
    event="ANIMAL", sensor_id="", place="east-fence", by="south/supervisor", reason="grazing",
    since_utc_ns=NOW_NS, until_utc_ns=NOW_NS + 3600 * SECOND_NS, standing=False, exercise=True,
)  # fmt: skip


class Pipeline:
    limit_per_h = 6.0
    shelved = (SHELVING,)
    budget = SimpleNamespace(per_hour=2.5, in_flood=False, flood_share=0.001)


def overlooking(tmp_path, **changes):
    asked = {
        "readiness": lambda: Readiness(reasons=["starting"]),
        "offset_ns": lambda: -2_000_000,
        "pipeline": lambda: None,
        "expiries": lambda now_utc_ns: {},
        "sides": lambda: [SimpleNamespace(side="north", connected=False)],
    }
    return Overlooking(SimpleNamespace(state_dir=tmp_path), **(asked | changes))


def test_before_anything_runs_it_says_so(tmp_path):
    seen = overlooking(tmp_path).look(NOW_NS)
    assert (seen.ready, seen.reasons, seen.clock_offset_s) == (False, ["starting"], -0.002)
    assert [(one.side, one.connected) for one in seen.sides] == [("north", False)]
    assert (seen.shelved, seen.rung, seen.certificates) == ([], None, [])
    assert 0 < seen.disk.free_bytes <= seen.disk.total_bytes


def test_what_is_shelved_and_what_rang_is_told_as_the_page_reads_it(tmp_path):
    seen = overlooking(tmp_path, pipeline=Pipeline).look(NOW_NS)
    told = msgspec.json.decode(msgspec.json.encode(seen))
    assert told["shelved"] == [
        {
            "event": "ANIMAL", "sensor": "", "place": "east-fence", "by": "south/supervisor",
            "reason": "grazing", "until": "2026-11-02T19:00:00.000000Z", "inhibit": False,
            "exercise": True,
        }
    ]  # fmt: skip
    assert told["rung"] == {
        "per_h": 2.5,
        "limit_per_h": 6.0,
        "in_flood": False,
        "flood_ratio": 0.001,
    }


def test_certificates_are_read_now_and_then(tmp_path):
    read = []

    def expiries(now_utc_ns):
        read.append(now_utc_ns)
        own = Expiry(what="own", path=tmp_path, left_s=86_400.0)
        return {"north": [own], "south": [Expiry(what="ca", path=tmp_path, left_s=None)]}

    now_s = [100.0]
    looking = overlooking(tmp_path, expiries=expiries, monotonic=lambda: now_s[0])
    seen = [looking.look(NOW_NS) for _ in range(3)]
    assert len(read) == 1
    assert [(one.side, one.what, one.left_s) for one in seen[-1].certificates] == [
        ("north", "own", 86_400.0),
        ("south", "ca", None),
    ]
    now_s[0] += FILES_EVERY_S
    looking.look(NOW_NS)
    assert len(read) == 2


def test_a_disk_that_is_gone_is_not_told(tmp_path):
    assert overlooking(tmp_path / "gone").look(NOW_NS).disk is None
