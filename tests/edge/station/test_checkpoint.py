"""Where heavy reading is done, so that one sensor cannot hold up another."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import paho.mqtt.client as mqtt
import pytest
from structlog.testing import capture_logs

from drivers import spectrum_reader
from drivers.radiation_n42 import N42Driver
from drivers.spectrum_reader import installed, shared_reader
from drivers.wire import n42
from drivers.wire.n42_frames import encode
from edge.station.checkpoint import CheckpointService
from fusion.types import Origin, SpectrumSample
from tests.drivers.n42_documents import a_pass, both_stopped
from tests.edge.rehearsed import SENSORS, small_config
from tests.ports import free_port


def portal(number):
    return {
        "id": f"srpm-{number}",
        "kind": "rpm-n42",
        "lane": "nb-01",
        "url": f"tcp://127.0.0.1:{number}",
        "detector": {},
    }


@pytest.mark.skipif(not installed(), reason="sandiaspecutils is not installed")
def test_documents_that_take_for_ever_hold_up_neither_scans_nor_other_portals(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(spectrum_reader, "PATIENCE", 60.0)
    sensors = [*SENSORS, *map(portal, (1, 2, 3))]
    service = CheckpointService(small_config(tmp_path, sensors=sensors))
    work = {config.id: service._work_of(config) for config in service.config.sensors}
    drivers = {
        config.id: N42Driver(config, Origin.SENSOR)
        for config in service.config.sensors
        if config.kind == "rpm-n42"
    }
    pushed = encode(n42.write(a_pass(slices=2, channels=16)))

    def told(name):
        return work[name](lambda: drivers[name].feed(pushed, 0))

    async def check():
        with both_stopped(shared_reader()):
            held = [asyncio.create_task(told(name)) for name in ("srpm-1", "srpm-2")]
            while shared_reader()._idle:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):  # they are stopped until it is through
                samples = await told("srpm-3")
                assert await work["xray-1"](list) == []
            assert sum(isinstance(one, SpectrumSample) for one in samples) == 3
            assert not any(task.done() for task in held)
        for read in await asyncio.gather(*held):
            assert [one.reason for one in read] == ["reader-ended"]

    try:
        asyncio.run(check())
    finally:
        shared_reader().close()


class Centre:
    """A centre that asks, and keeps what it was answered."""

    def __init__(self, port):
        self.answers = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = lambda client, data, message: self.answers.append(message)
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("garita/v1/mariposa/answer/#", qos=1)
        self.client.loop_start()

    async def ask(self, verb, what):
        properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
        properties.ResponseTopic = "garita/v1/mariposa/answer/7"
        properties.CorrelationData = verb.encode()
        topic, payload = f"garita/v1/mariposa/cmd/{verb}", msgspec.json.encode(what)
        async with asyncio.timeout(20):
            while True:
                self.client.publish(topic, payload, 1, properties=properties)
                await asyncio.sleep(0.3)  # it may not have subscribed yet; twice is as once
                for message in self.answers:
                    if message.properties.CorrelationData == verb.encode():
                        return msgspec.json.decode(message.payload)


def test_a_command_of_a_centre_is_carried_out_and_answered_and_the_inhibits_are_asked_first(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(CheckpointService, "_warm_up", lambda service: None)
    (tmp_path / "scans").mkdir()
    until = datetime.now(UTC) + timedelta(hours=1)
    scanner = SENSORS[3] | {"url": f"folder:{tmp_path / 'scans'}"}
    sides = {"north": {"port": free_port()}, "south": {"port": free_port()}}
    more = {
        "sides": sides,
        "sensors": [scanner],
        "http": {"port": free_port()},
        "inhibits": [{"event": "ANIMAL", "until": until, "reason": "grazing"}],
    }
    shelve = {"until": until.isoformat(), "reason": "new fence", "place": "fence"}

    async def check():
        ready = asyncio.Event()
        service = CheckpointService(small_config(tmp_path, **more), ready=ready.set)
        task = asyncio.create_task(service.run())
        async with asyncio.timeout(60):
            await ready.wait()
        centre = Centre(sides["north"]["port"])
        try:
            return [
                await centre.ask("shelve", shelve),
                await centre.ask("unshelve", {"place": "nb-01"}),
            ]
        finally:
            centre.client.disconnect()
            centre.client.loop_stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with capture_logs() as logs:
        shelved, unknown = asyncio.run(check())
    assert shelved["accepted"]
    assert (unknown["accepted"], unknown["refusal"]) == (False, "unknown")
    said = [one for one in logs if one["event"] == "alerts shelved"]
    assert [(one["by"], one["code"], one["place"]) for one in said[:2]] == [
        ("config", "ANIMAL", "any"),
        ("north", "any", "fence"),
    ]
