"""A side's broker as a person makes it: `garita broker init`, then Mosquitto on its files."""

import contextlib
import datetime
import os
import socket
import ssl
import subprocess

from edge.cli import main
from edge.delivery.broker import ending_with_parent, find_mosquitto
from edge.delivery.broker_files import CERTIFICATES

DAY = datetime.timedelta(days=1)
SITES = ("mariposa", "otay")


def context(folder, name):
    files = folder / CERTIFICATES
    made = ssl.create_default_context(cafile=files / "ca.pem")
    if name:
        made.load_cert_chain(files / f"{name}.pem", files / f"{name}.key")
    return made


def init(folder, side, port, *options, sites=SITES):
    """What a person would type."""
    user = ["--user", "root"] if os.geteuid() == 0 else []
    named = [word for site in sites for word in ("--site", site)]
    words = ["broker", "init", "--side", side, *named, "--out", str(folder), "--port", str(port)]
    assert main([*words, *user, *options]) == 0


@contextlib.contextmanager
def running(folder, port):
    """The broker of a folder, started as its README.txt says."""
    command = [find_mosquitto(), "-c", str(folder / "mosquitto.conf")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([*ending_with_parent(), *command], stderr=log, stdout=log)
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
        assert process.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        process.terminate()
        process.wait(10)
