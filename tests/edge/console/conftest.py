import time

import msgspec
import pytest
from starlette.testclient import TestClient

from edge.console import line
from edge.console.acting import Acting
from edge.console.app import Console, application
from edge.console.feed import Feed
from edge.console.notes import NOTES_FILE, Notes
from edge.console.people import ROLES, People
from edge.console.routes import CHANGES
from edge.console.scans import Pictures
from edge.console.sessions import Sessions
from edge.console.site import Site
from edge.console.static import Pages
from edge.delivery.outbox import Outbox
from edge.record.record import RECORD_FILE, Record
from tests.edge.delivery.test_release import alert, row_of

PASSWORD = "correct horse battery"
HOST = "console.example"


class Station:
    """What the service would write, and the console that reads it."""

    def __init__(self, folder):
        self.folder = folder
        self.outbox = Outbox(folder / "outbox.db", ["north", "south"], epoch="E")
        self.record = Record(folder / RECORD_FILE, site="mariposa", now_utc_ns=time.time_ns)
        self.asked = []
        """Lines that went to the service."""
        self.there = True
        self.feed = Feed(folder, "south")
        self.people = People(folder / "people.json")
        self.sessions = Sessions()
        self.console = Console(
            site=Site(site="mariposa", side="south"),
            feed=self.feed,
            people=self.people,
            sessions=self.sessions,
            acting=Acting(site="mariposa", side="south", signer=None, send=self._send),
            pages=Pages(folder / "page"),
            notes=Notes(folder / NOTES_FILE),
            pictures=Pictures(folder / "scans"),
            hosts=frozenset({HOST}),
        )
        self.answer = b""
        """What the service says to the next command; nothing where empty."""

    def commit(self, number=1, release=None, **changes):
        """The next alerts, as the service commits them."""
        made = []
        for seq in range(self.outbox.last_seq + 1, self.outbox.last_seq + 1 + number):
            message = alert(seq=seq, **{"id": f"A{seq}", "revision": 1, **changes})
            row = row_of(message, files=[one.name for one in message.evidence])
            made.append(row if release is None else release.released(row))
        self.outbox.commit(made)
        return made

    def enter(self, *drafts):
        self.record.append(drafts)

    def client(self, role=None, **options):
        client = TestClient(
            application(self.console), base_url=f"http://{HOST}", raise_server_exceptions=False,
            **options,
        )  # fmt: skip
        if role is None:
            return client
        person = self.people.of(role)
        assert person is not None
        token, session = self.sessions.begin(person)
        client.cookies.set("garita", token)
        client.headers[CHANGES] = session.csrf
        return client

    def close(self):
        self.feed.close()
        self.outbox.close()
        self.record.close()

    def _send(self, data):
        if not self.there:
            return False
        asked = line.read_ask(data)
        self.asked.append(asked)
        if self.answer:
            told = line.Answer(number=asked.number, data=msgspec.Raw(self.answer))
            self.console.acting.answered(told)
        return True


@pytest.fixture(scope="session")
def everybody(tmp_path_factory):
    """One person of each role; hashing is slow by design."""
    path = tmp_path_factory.mktemp("people") / "people.json"
    people = People(path)
    for role in ROLES:
        people.put(role, role, PASSWORD)
    return path.read_bytes()


@pytest.fixture
def station(tmp_path, everybody):
    (tmp_path / "people.json").write_bytes(everybody)
    made = Station(tmp_path)
    yield made
    made.close()
