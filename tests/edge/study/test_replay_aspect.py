"""A live day with an Aspect portal: alerts, recording, replay; and over the real wire."""

import asyncio
import contextlib
import time
from dataclasses import replace

import msgspec

from drivers.radiation_aspect_config import AspectConfig
from edge.probing.sensors import ask
from edge.sensors.sources import Source
from edge.study.player import Player
from edge.study.replay import days
from fusion.types import CountSample, OccupancySample
from simulators.scenario import Fault
from simulators.serve import open_stage
from tests.contract.scenarios import DEVICE, small_day
from tests.edge import rehearsed


def lines(inputs, **options):
    return [line for each in days(list(inputs), None) for line in Player(each, **options).lines()]


def aspect_day(directory, monkeypatch):
    scenario = rehearsed.small_scenario()
    places = tuple(
        replace(place, kind="rpm-aspect") if place.kind == "rpm-tsa" else place
        for place in scenario.sensors
    )
    faults = tuple(
        Fault(sensor_id="rpm-1", kind=kind, start_s=start_s, end_s=start_s + 5.0)
        for kind, start_s in (("tamper", 60.0), ("power", 70.0))
    )
    scenario = replace(scenario, sensors=places, faults=faults)
    sensors = tuple(
        sensor | {"kind": "rpm-aspect"} if sensor["kind"] == "rpm-tsa" else sensor
        for sensor in rehearsed.SENSORS
    )
    monkeypatch.setattr(rehearsed, "SENSORS", sensors)
    monkeypatch.setattr(rehearsed, "small_scenario", lambda seed: scenario)
    return rehearsed.live_day(directory)


def test_a_live_day_is_told_and_replays_to_the_very_bytes(tmp_path, monkeypatch):
    day = aspect_day(tmp_path, monkeypatch)
    live = [row.payload + b"\n" for row in day.rows]
    alerts = [msgspec.json.decode(line) for line in live]
    events = {alert["event"] for alert in alerts}
    assert {"RAD_THREAT", "SENSOR_TAMPER", "SENSOR_FAULT"} <= events
    assert lines([day.recording], as_recorded=True) == live
    detections = [msgspec.json.decode(line) for line in lines([day.recording], show="detections")]
    last = {one["start"]: one for one in detections if one["kind"] == "gamma.profile"}
    clean, hot = (one["facts"]["gamma_sigma"] for one in last.values())
    assert clean < 4.0 < hot


class SteadyLoop(asyncio.SelectorEventLoop):
    """A loop whose time stands still while the machine does: a simulated day never jumps in it."""

    LONGEST_S = 0.05

    def __init__(self):
        self._seen_s, self._now_s = time.monotonic(), 0.0
        super().__init__()

    def time(self):
        seen_s = time.monotonic()
        self._now_s += min(seen_s - self._seen_s, self.LONGEST_S)
        self._seen_s = seen_s
        return self._now_s


def served(check):
    """Run `check(config)` against a simulated portal on a real port."""

    async def serve():
        day = small_day("rpm-aspect")
        async with await open_stage(day, {DEVICE: "tcp://127.0.0.1:0"}, speed=20.0) as stage:
            playing = asyncio.create_task(stage.run())
            config = AspectConfig(
                id=DEVICE,
                lane="nb-01",
                url=stage.addresses[DEVICE],
                poll_s=0.02,
                busy_poll_s=0.02,
            )
            try:
                await check(config)
            finally:
                playing.cancel()
                await asyncio.wait([playing])

    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        runner.run(asyncio.wait_for(serve(), 30))


def test_the_services_source_reads_a_vehicle_over_the_wire():
    samples = []

    async def check(config):
        source = Source(
            config,
            now_utc_ns=lambda: round(asyncio.get_running_loop().time() * 20e9),
            record=lambda *raw: None,
            deliver=lambda sensor_id, more, at_ns, trigger: samples.extend(more),
        )
        await source.start()
        assert source.status.up
        running = asyncio.create_task(source.run())
        while [one.opened for one in samples if isinstance(one, OccupancySample)] != [True, False]:
            await asyncio.sleep(0.01)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    served(check)
    assert sum(sum(one.counts) for one in samples if isinstance(one, CountSample)) > 5_000


def test_garita_check_asks_the_portal_and_not_only_its_port():
    async def check(config):
        verdict = await asyncio.to_thread(ask, config)
        assert (verdict.status, "answered in" in verdict.text) == ("ok", True)
        async with await asyncio.start_server(lambda r, w: r.read(), "127.0.0.1", 0) as mute:
            url = f"tcp://127.0.0.1:{mute.sockets[0].getsockname()[1]}"
            silent = replace(config, url=url, timeout_s=0.3, unit=1)
            verdict = await asyncio.to_thread(ask, silent)
            assert verdict.status == "fail"
            assert "no answer to any request" in verdict.text
            assert url in verdict.text

    served(check)
