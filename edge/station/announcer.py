"""Keeps the retained documents of the site current on both brokers."""

import asyncio
from collections.abc import Callable, Sequence

from edge.delivery.happenings import Document
from edge.protocol import topics
from edge.sensors.sources import SourceStatus
from edge.station.documents import Documents
from edge.station.outlets import Outlets

LOOK_S = 1.0  # a link that was cut is on the screens within a second or two
REPEAT_LOOKS = 10  # ages and depths move all the time; every ten seconds is current enough


class Announcer:
    """Birth and state once, the health of every place when it changes and now and then."""

    def __init__(
        self,
        *,
        site: str,
        roots: Sequence[str],
        documents: Documents,
        outlets: Outlets,
        statuses: Callable[[], Sequence[SourceStatus]],
        now_utc_ns: Callable[[], int],
    ) -> None:
        self._site = site
        self._roots = roots
        self._documents = documents
        self._outlets = outlets
        self._statuses = statuses
        self._now_utc_ns = now_utc_ns
        self._told: dict[str, object] = {}
        self._looks = 0

    def connect(self) -> None:
        """Start to deliver, with a will that says `lost` and a goodbye."""
        will = self._documents.state("lost", self._now_utc_ns())
        topic = topics.state_topic(self._roots[0], self._site)
        # A connection has one will. The second root, of a site with stand-ins among its
        # sensors, is told of a goodbye only.
        self._outlets.connect(
            Document(topic=topic, payload=will),
            lambda: Document(
                topic=topic,
                payload=self._documents.state("disconnected", self._now_utc_ns()),
            ),
        )

    def tell(self, state: str) -> None:
        """What the site consists of, and its state: `init`, `ready` or `disconnected`."""
        origins = {status.sensor_id: status.origin for status in self._statuses()}
        birth = self._documents.birth(origins)
        payload = self._documents.state(state, self._now_utc_ns())
        for root in self._roots:
            self._outlets.publish_state(topics.birth_topic(root, self._site), birth)
            self._outlets.publish_state(topics.state_topic(root, self._site), payload)

    def health(self) -> None:
        """The places whose sensors or sides changed; all of them every ten looks."""
        all_of_them = self._looks % REPEAT_LOOKS == 0
        self._looks += 1
        statuses, now_utc_ns = self._statuses(), self._now_utc_ns()
        sides = self._outlets.health(now_utc_ns)
        connected = [(side.connected, side.text) for side in sides]
        for place in self._documents.places():
            links = [(one.up, one.reason) for one in self._documents.at(place, statuses)]
            if not all_of_them and self._told.get(place) == (links, connected):
                continue
            self._told[place] = (links, connected)
            reserved = [name for name, them in self._outlets.reserved.items() if place in them]
            others = [name for name in self._outlets.reserved if name not in reserved]
            for readers, ages in ((others, True), (reserved, False)):
                if not readers:
                    continue
                payload = self._documents.health(place, statuses, sides, now_utc_ns, ages=ages)
                for root in self._roots:
                    topic = topics.health_topic(root, self._site, place)
                    self._outlets.publish_state(topic, payload, readers)

    async def run(self) -> None:
        """Tell the health until cancelled."""
        while True:
            self.health()
            await asyncio.sleep(LOOK_S)
