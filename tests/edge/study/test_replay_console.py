"""A replayed day on the console: the same routes, plainly a drill, and nothing can be done."""

import http.client
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.study.day import ReplayError
from edge.study.replay_console import ReplayConsole, layout_of
from fusion.types import Checkpoint, Family, LaneSpec, SensorSpec, ZoneSpec
from tests.edge.delivery.test_release import alert, row_of

SITE = Checkpoint(
    site="mariposa",
    sensors=(
        SensorSpec(
            sensor_id="rpm-1", family=Family.RADIATION, place="nb-01", position_m=(3.0, 4.0)
        ),
    ),
    lanes=(LaneSpec(lane_id="nb-01", direction="northbound"),),
    zones=(ZoneSpec(zone_id="fence", side="east"),),
)


class Browser:
    def __init__(self, link):
        self.where = urlsplit(link)
        answer = self.ask("GET", self.where.path)
        assert answer.status == 303
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=10)
        if cookie := getattr(self, "cookie", ""):
            headers["cookie"] = cookie
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.data = answer.read()
        connection.close()
        return answer

    def get(self, path):
        answer = self.ask("GET", f"/api/v1{path}")
        assert answer.status == 200, answer.data
        return json.loads(answer.data)


class Told:
    records = ()


def test_a_day_is_shown_read_only_and_as_a_drill():
    with ReplayConsole(SITE, 0) as console:
        for seq in (1, 2):
            console.take(row_of(alert(seq=seq, id=f"A{seq}", revision=1)), Told)
        console.settle()
        browser = Browser(console.link)
        assert browser.get("/site")["replay"] is True
        assert browser.get("/site")["layout"] == layout_of(SITE)
        assert [one["id"] for one in browser.get("/alerts")["alerts"]] == ["A2", "A1"]
        me = browser.get("/session")
        assert (me["role"], me["acts"]) == ("auditor", ["report", "see"])
        acked = browser.ask(
            "POST", "/api/v1/acts/ack", b'{"alert":"A1"}',
            **{"content-type": "application/json", "x-garita-csrf": me["csrf"]},
        )  # fmt: skip
        assert acked.status == 403
        folder, pid = console._folder.name, console._process.pid
    assert not Path(folder).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_port_that_is_taken_is_named():
    with ReplayConsole(SITE, 0) as first:
        port = urlsplit(first.link).port
        with pytest.raises(ReplayError, match=str(port)):
            ReplayConsole(SITE, port).__enter__()
