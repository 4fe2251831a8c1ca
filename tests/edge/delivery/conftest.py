import contextlib
import socket
import struct
import threading

import pytest

from edge.delivery import hold
from edge.delivery.outbox import Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings
from edge.protocol import topics

SITE = "mariposa"


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", ["north", "south"])
    yield box
    box.close()


@pytest.fixture
def publisher(outbox, until):
    """Makes publishers for a port and starts them; every one is stopped."""
    made = []

    def start(port, *, side="north", cursor=False, box=outbox, hooks=None, will=None, **settings):
        values = {"keepalive_s": 5, "ack_timeout_s": 5.0, **settings}
        side_settings = SideSettings(
            name=side, host="127.0.0.1", port=port, keeps_cursor=cursor, **values
        )
        made.append(Publisher(side_settings, box, site=SITE, hooks=hooks, will=will))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()
    for each in made:
        until(
            lambda name=f"publisher-{each.side}": (
                not [t for t in threading.enumerate() if t.name == name]
            )
        )


@pytest.fixture
def make_rows(outbox):
    """Makes the next rows of an outbox; commits nothing."""

    def make(count, *, box=outbox, place="nb-01", clear=False):
        first = box.last_seq + 1
        return [_row(box, seq, place, clear) for seq in range(first, first + count)]

    return make


def _row(box, seq, place, clear):
    exercise = seq % 3 == 0
    root = topics.root(exercise)
    payload = b'{"seq": %d}' % seq
    return Row(
        seq=seq,
        epoch=box.epoch,
        exercise=exercise,
        topic=topics.alert_topic(root, SITE, place),
        payload=payload,
        active_topic=topics.active_topic(root, SITE, place, f"A{seq}"),
        active_payload=b"" if clear else payload,
        level=3,
        created_utc_ns=seq,
        properties=(("trigger", "rpm-nb-01"),),
    )


class Attempts:
    """Every try with what a broker has refused: soon, and held back while a test wants it."""

    def __init__(self, due, until):
        self._due = due
        self._until = until
        self._steps = None
        """(acknowledgements, messages in flight) at each step of the side since it is held back."""
        self._side = None

    def due(self, held, now_s):
        steps = self._steps  # once: the block may end meanwhile
        if steps is None:
            return self._due(held, now_s)
        status = self._side.status()
        steps.append((sum(status.pubacks.values()), status.in_flight))
        return False

    @contextlib.contextmanager
    def held_back(self, side):
        """From the end of the try that is under way; the next comes after the block."""
        self._side, self._steps = side, []
        # A whole step in which nothing was sent: nothing comes back, and nothing is in flight.
        self._until(lambda: _quiet(self._steps[-2:]))
        try:
            yield
        finally:
            self._steps = None


def _quiet(steps):
    return len(steps) == 2 and steps[0] == steps[1] and steps[1][1] == 0


@pytest.fixture
def attempts(monkeypatch, until):
    """What a broker refuses is tried again soon, and only between blocks of `held_back`."""
    monkeypatch.setattr(hold, "FIRST_S", 0.2)
    made = Attempts(hold.Hold.due, until)

    def due(held, now_s):
        return made.due(held, now_s)

    monkeypatch.setattr(hold.Hold, "due", due)
    return made


class FakeBroker:
    """A server that speaks just enough MQTT 5 to say what no real broker can be made to say.

    It acknowledges a publish only while `answering`, and keeps for every connection what it
    got and how much of it was ever unacknowledged at once.
    """

    def __init__(self, *, receive_maximum=None, maximum_packet=None, answering=True, reason=0):
        self.answering = answering
        self.reason = reason
        """What every publish is answered with."""
        self.connections = []
        """One list of (packet id, dup, topic) per connection."""
        self.ahead = []
        """Topics of the alerts that came with QoS 0."""
        self.most_open = 0
        self._properties = b""
        if receive_maximum:
            self._properties += b"\x21" + struct.pack(">H", receive_maximum)
        if maximum_packet:
            self._properties += b"\x27" + struct.pack(">I", maximum_packet)
        self._open = []
        self._socket = None
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def answer(self, count=None):
        """Acknowledge what is open, from now on or only so many."""
        with self._lock:
            self.answering = count is None
            for mid in self._open[:count]:
                self._socket.sendall(b"\x40\x03" + struct.pack(">HB", mid, self.reason))
            del self._open[:count]

    def cut(self):
        """Drop the connection."""
        with self._lock:
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with contextlib.suppress(OSError):
            self.cut()
        self._thread.join(5)

    def _serve(self):
        while True:
            try:
                self._socket, _ = self._server.accept()
            except OSError:
                return
            self._open, got = [], []
            self.connections.append(got)
            with self._socket, contextlib.suppress(OSError, EOFError):
                stream = self._socket.makefile("rb")
                while True:
                    self._packet(*_read(stream), got)

    def _packet(self, head, body, got):
        reply = b""
        if head >> 4 == 1:
            content = b"\x00\x00" + bytes([len(self._properties)]) + self._properties
            reply = b"\x20" + bytes([len(content)]) + content
        elif head >> 4 == 8:
            reply = b"\x90\x05" + body[:2] + b"\x00\x01\x01"
        elif head >> 4 == 12:
            reply = b"\xd0\x00"
        elif head >> 4 == 3 and head & 6:
            size = struct.unpack(">H", body[:2])[0]
            mid = struct.unpack(">H", body[2 + size : 4 + size])[0]
            with self._lock:
                got.append((mid, bool(head & 8), body[2 : 2 + size].decode()))
                self._open.append(mid)
                self.most_open = max(self.most_open, len(self._open))
            if self.answering:
                self.answer()
        elif head >> 4 == 3:
            size = struct.unpack(">H", body[:2])[0]
            topic = body[2 : 2 + size].decode()
            self.ahead += [topic] if topic.endswith("/alert") else []
        if reply:
            self._socket.sendall(reply)


def _read(stream):
    head = stream.read(1)
    if not head:
        raise EOFError
    length = shift = 0
    while True:
        byte = stream.read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return head[0], stream.read(length)


@pytest.fixture
def fake_broker():
    """Makes brokers that say what a real one cannot be made to say; every one is closed."""
    made = []

    def make(**options):
        made.append(FakeBroker(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


class Listener:
    """A subscriber of its own, apart from the code under test."""

    def __init__(self, port, *filters, client_id="listener"):
        from paho.mqtt import client as mqtt  # noqa: PLC0415 - only where it is used

        self.got = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        ready = threading.Event()
        self.client.on_message = lambda client, userdata, message: self.got.append(message)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([(each, 1) for each in filters])
        self.client.loop_start()
        assert ready.wait(30)

    def numbers(self, suffix="/alert"):
        """Sequence numbers of the alerts that came, in order."""
        return [
            int(dict(message.properties.UserProperty)["seq"])
            for message in self.got
            if message.topic.endswith(suffix)
        ]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def listen():
    """Makes subscribers; every one is disconnected."""
    made = []

    def make(port, *filters, **options):
        made.append(Listener(port, *(filters or ["#"]), **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
