"""What a side gets in place of a row, as the outbox keeps it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from edge.delivery.rows import ActiveTopic, Row, Variant

ROW_OF_SIDE = (
    "row.seq, epoch, exercise, coalesce(v.topic, row.topic), coalesce(v.payload, row.payload),"
    " coalesce(v.active_topic, row.active_topic), coalesce(v.active_payload, row.active_payload),"
    " level, created_utc_ns, coalesce(v.properties, row.properties)"
    " FROM row LEFT JOIN variant AS v ON v.seq = row.seq AND v.side = ?"
)
"""A side's row, in the order of `rows.COLUMNS`; the first value is the side."""
IS_WITHHELD = (
    "EXISTS (SELECT 1 FROM variant AS v, json_each(v.withheld) AS each"
    " WHERE v.seq = ? AND v.side = ? AND each.value = n)"
)
"""Whether file `n` of a row is withheld from a side."""


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Put down what sides get in place of these rows, and on their retained topics."""
    connection.executemany(
        "INSERT INTO variant VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                row.seq, v.side, v.topic, v.payload, v.active_topic, v.active_payload,
                json.dumps(v.properties), json.dumps(v.withheld), json.dumps(v.rules),
            )
            for row in rows
            for v in row.variants
        ],
    )  # fmt: skip
    for row in rows:
        if not row.active_topic:
            continue
        connection.execute("DELETE FROM active_variant WHERE topic = ?", (row.active_topic,))
        connection.executemany(
            "INSERT INTO active_variant VALUES (?, ?, ?, ?)",
            [(row.active_topic, v.side, v.active_topic, v.active_payload) for v in row.variants],
        )


def active_topics(connection: sqlite3.Connection, side: str | None) -> list[ActiveTopic]:
    """The last word on every retained topic, oldest first, as a side gets it; None: the whole."""
    found: Iterable[tuple[str, bytes, int]] = connection.execute(
        "SELECT coalesce(v.side_topic, active.topic), coalesce(v.payload, active.payload), seq"
        " FROM active LEFT JOIN active_variant AS v ON v.topic = active.topic AND v.side = ?"
        " ORDER BY seq",
        (side,),
    )
    return [ActiveTopic(topic=t, payload=p, seq=s) for t, p, s in found]


def of_row(connection: sqlite3.Connection, seq: int) -> tuple[Variant, ...]:
    """What sides get in place of a row."""
    found = connection.execute(
        "SELECT side, topic, payload, active_topic, active_payload, properties, withheld, rules"
        " FROM variant WHERE seq = ? ORDER BY side",
        (seq,),
    )
    return tuple(
        Variant(
            side=side, topic=topic, payload=payload, active_topic=active_topic,
            active_payload=active_payload,
            properties=tuple((key, value) for key, value in json.loads(properties)),
            withheld=tuple(json.loads(withheld)), rules=tuple(json.loads(rules)),
        )
        for side, topic, payload, active_topic, active_payload, properties, withheld, rules in found
    )  # fmt: skip
