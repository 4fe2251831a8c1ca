"""From `./garita demo` to an alert on both brokers, as a newcomer sees it on a second run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.delivery.broker import ending_with_parent
from edge.protocol import topics
from edge.study.figures import Figure, Options, at_most
from edge.study.ports import free_ports

GIVE_UP_S = 120.0
ROOT = Path(__file__).parents[2]


def run(options: Options) -> list[Figure]:
    """Start the demo on free ports, `--times` times; the slowest counts."""
    times = options.times or 2
    waits = []
    for number in range(times):
        options.say(f"first-alert: run {number + 1} of {times}")
        waits.append(first_alert_s())
    how = f"slowest of {times} runs, from the command to an alert seen by a subscriber on each side"
    return [at_most("demo.first_alert", max(waits), 10, "s", how)]


def first_alert_s() -> float:
    """Seconds until a subscriber of each side has an alert. TimeoutError where none comes."""
    ports = free_ports(3)
    names = ("--north-port", "--south-port", "--http-port")
    options = [text for pair in zip(names, map(str, ports), strict=True) for text in pair]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [
            *ending_with_parent(),
            sys.executable,
            "-P",
            "-m",
            "edge",
            "demo",
            "--for",
            "60s",
            *options,
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    heard: dict[int, float] = {}
    clients = [_listen(port, heard) for port in ports[:2]]
    try:
        while len(heard) < len(clients):
            if time.monotonic() - began > GIVE_UP_S or process.poll() is not None:
                raise TimeoutError("no alert on both brokers")
            time.sleep(0.02)
        return max(heard.values()) - began
    finally:
        for client in clients:
            client.loop_stop()
        process.terminate()
        process.wait(15)


def _listen(port: int, heard: dict[int, float]) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    def on_message(*_: object) -> None:
        heard.setdefault(port, time.monotonic())

    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe(
        f"{topics.EXERCISE_ROOT}/+/+/alert", qos=1
    )
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    return client
