"""What has to fit together across a configuration file.

These look at the plain data, not at the model: a file with a mistake in its shape still has
its other mistakes told in the same run. Whatever has the wrong shape is passed over here.
"""

import re
from collections.abc import Callable, Iterator

from drivers.address import Address
from drivers.base import SensorConfig
from drivers.catalog import KINDS
from edge.errors import Mistake
from edge.settings.addresses import FORMS, broker_address, sensor_address
from edge.settings.inhibits import check_inhibits
from edge.settings.lines import Document, KeyPath, dotted
from edge.settings.mend import did_you_mean, shown
from edge.settings.model import AUTO_PORTS, HTTP_PORT
from edge.settings.release import check_release

NAME = re.compile(r"[a-z0-9-]{1,32}")
ANY_HOST = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound


def cross_check(document: Document) -> list[Mistake]:
    """Every mistake that no key shows by itself."""
    checks: tuple[Callable[[Document], Iterator[Mistake]], ...] = (
        _unique_ids,
        _sensor_ids,
        _places,
        _also_lanes,
        _sensor_urls,
        _sensor_keys,
        _shared_urls,
        _brokers,
        _ports,
        _offsets,
        check_inhibits,
        check_release,
    )
    return [mistake for check in checks for mistake in check(document)]


def _mistake(document: Document, path: KeyPath, message: str, mend: str) -> Mistake:
    return Mistake(
        line=document.line(path),
        key=dotted(path),
        value=shown(document.at(path), str(path[-1])),
        message=message,
        mend=mend,
    )


def _mappings(document: Document, key: str) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    """The items of a list, or the values of a mapping, that are mappings themselves."""
    found = document.at((key,))
    items = enumerate(found) if isinstance(found, list) else ()
    pairs = found.items() if isinstance(found, dict) else items
    for part, item in pairs:
        if isinstance(item, dict):
            yield (key, part), item


def _ids(document: Document, key: str) -> list[str]:
    return [str(item["id"]) for _, item in _mappings(document, key) if "id" in item]


def _unique_ids(document: Document) -> Iterator[Mistake]:
    first: dict[tuple[str, str], int | None] = {}
    for key in ("lanes", "zones", "sensors"):
        # Lanes and zones are both a level of the topic tree, so they share their names.
        room = "sensors" if key == "sensors" else "places"
        for path, item in _mappings(document, key):
            if (name := item.get("id")) is None:
                continue
            at = (*path, "id")
            if (room, str(name)) in first:
                line = first[room, str(name)]
                message = f"another one has this id (line {line})"
                yield _mistake(document, at, message, "give every one its own id")
            else:
                first[room, str(name)] = document.line(at)


def _sensor_ids(document: Document) -> Iterator[Mistake]:
    for path, sensor in _mappings(document, "sensors"):
        name = sensor.get("id")
        if isinstance(name, str) and not NAME.fullmatch(name):
            yield _mistake(
                document,
                (*path, "id"),
                "only small letters, digits and hyphens, 1 to 32 of them",
                "rename it, such as rpm-nb-01",
            )


def _places(document: Document) -> Iterator[Mistake]:
    for path, sensor in _mappings(document, "sensors"):
        given = [key for key in ("lane", "zone") if sensor.get(key) is not None]
        if not given:
            message = "a sensor watches a lane or a zone"
            yield _mistake(document, path, message, "add `lane:` or `zone:` with its id")
        elif len(given) > 1:
            message = "a sensor has a lane or a zone, not both"
            yield _mistake(document, (*path, "zone"), message, "remove one of the two")
        for key in given:
            known = _ids(document, f"{key}s")
            if sensor[key] not in known:
                mend = did_you_mean(str(sensor[key]), known) if known else f"add it to `{key}s:`"
                yield _mistake(document, (*path, key), f"there is no such {key}", mend)


def _also_lanes(document: Document) -> Iterator[Mistake]:
    known = _ids(document, "lanes")
    for path, sensor in _mappings(document, "sensors"):
        more = sensor.get("also_lanes")
        if not isinstance(more, list) or not more:
            continue
        if sensor.get("lane") is None:
            message = "further lanes of a scanner that has none itself"
            yield _mistake(document, (*path, "also_lanes"), message, "add `lane:` with the first")
        for number, lane in enumerate(more):
            at = (*path, "also_lanes", number)
            if lane in (sensor.get("lane"), *more[:number]):
                yield _mistake(document, at, "this lane is named twice", "name every lane once")
            elif lane not in known:
                mend = did_you_mean(str(lane), known) if known else "add it to `lanes:`"
                yield _mistake(document, at, "there is no such lane", mend)


def _sensor_urls(document: Document) -> Iterator[Mistake]:
    for path, sensor in _mappings(document, "sensors"):
        url, kind = sensor.get("url"), sensor.get("kind")
        if not isinstance(url, str):
            continue
        forms = KINDS[kind].config.url_forms if kind in KINDS else SensorConfig.url_forms
        mend = f"write it like {' or '.join(FORMS[form] for form in forms)}"
        try:
            address = sensor_address(url)
        except ValueError as error:
            yield _mistake(document, (*path, "url"), str(error), mend)
            continue
        if address.form not in forms:
            message = f"{kind} is not read over {address.form}"
            yield _mistake(document, (*path, "url"), message, mend)


def _sensor_keys(document: Document) -> Iterator[Mistake]:
    for path, sensor in _mappings(document, "sensors"):
        kind = sensor.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            continue
        needed = KINDS[kind].config.configured_keys
        for key, example in needed.items():
            if sensor.get(key) is None:
                at = (*path, key) if key in sensor else path
                message = f"{kind} needs to know its {key} before the first data come"
                yield _mistake(document, at, message, f"add `{key}:`, {example}")


def _shared_urls(document: Document) -> Iterator[Mistake]:
    seen: list[tuple[Address, dict[str, object], int | None]] = []
    for path, sensor in _mappings(document, "sensors"):
        try:
            address = sensor_address(str(sensor.get("url")))
        except ValueError:
            continue  # told by _sensor_urls
        at = (*path, "url")
        for other, owner, line in seen:
            if _same(address, other) and not _told_apart(sensor, owner):
                message = f"{owner.get('id', '?')} (line {line}) is already read from there"
                yield _mistake(document, at, message, "give each sensor its own address")
                break
        seen.append((address, sensor, document.line(at)))


def _told_apart(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two sensors may share an address: streams of a server, stations by their senders."""
    if one.get("kind") == other.get("kind") == "seedlink":
        return one.get("streams") != other.get("streams")
    senders = one.get("sender"), other.get("sender")
    return all(senders) and senders[0] != senders[1]


def _same(one: Address, other: Address) -> bool:
    if one.form == other.form == "udp":
        hosts = {one.host, other.host}
        return one.port == other.port and (len(hosts) == 1 or bool(hosts & ANY_HOST))
    return one == other


def _brokers(document: Document) -> Iterator[Mistake]:
    for path, side in _mappings(document, "sides"):
        broker, at = side.get("broker", "auto"), (*path, "broker")
        if not isinstance(broker, str):
            continue
        if broker == "auto":
            for key in ("tls", "username", "password_file", "password_env"):
                if side.get(key) is not None:
                    message = "a broker started by `auto` has no access rules"
                    yield _mistake(document, (*path, key), message, "remove it, or give a URL")
            continue
        try:
            address = broker_address(broker)
        except ValueError as error:
            mend = "write auto, mqtt://host:1883 or mqtts://host:8883"
            yield _mistake(document, at, str(error), mend)
            continue
        yield from _broker_keys(document, path, side, tls=address.tls)


def _broker_keys(
    document: Document, path: KeyPath, side: dict[str, object], *, tls: bool
) -> Iterator[Mistake]:
    if side.get("port") is not None:
        message = "only a broker started by `auto` takes its port from here"
        yield _mistake(document, (*path, "port"), message, "put the port into the URL")
    if side.get("tls") is not None and not tls:
        message = "an mqtt:// broker is reached without TLS"
        yield _mistake(document, (*path, "tls"), message, "write mqtts://, or remove tls")
    files = side.get("tls")
    if isinstance(files, dict) and ("cert" in files) != ("key" in files):
        message = "a client certificate needs its key, and the other way round"
        yield _mistake(document, (*path, "tls"), message, "give both `cert:` and `key:`, or none")
    secrets = [key for key in ("password_file", "password_env") if side.get(key) is not None]
    if len(secrets) > 1:
        yield _mistake(
            document, (*path, secrets[1]), "the password is given twice", "remove one of the two"
        )
    if secrets and side.get("username") is None:
        message = "a password needs a user name"
        yield _mistake(document, (*path, secrets[0]), message, "add `username:`")


def _ports(document: Document) -> Iterator[Mistake]:
    http = document.at(("http", "port"))
    taken: dict[int, str] = {}
    for path, side in _mappings(document, "sides"):
        name = str(path[-1])
        if side.get("broker", "auto") != "auto":
            continue
        port = side.get("port") or AUTO_PORTS.get(name)
        if not isinstance(port, int):
            continue
        if port in taken:
            message = f"port {port} is also that of {taken[port]}"
            yield _mistake(document, (*path, "port"), message, "give each its own port")
        taken.setdefault(port, f"the {name} broker")
    port = HTTP_PORT if http is None else http
    if isinstance(port, int) and port in taken:
        message = f"port {port} is also that of {taken[port]}"
        yield _mistake(document, ("http", "port"), message, "give each its own port")


def _offsets(document: Document) -> Iterator[Mistake]:
    for path, lane in _mappings(document, "lanes"):
        match lane.get("scan_offset_s"):
            case [int() | float() as first, int() | float() as last] if first > last:
                yield _mistake(
                    document,
                    (*path, "scan_offset_s"),
                    f"the earliest start ({first} s) is after the latest ({last} s)",
                    "write the earlier one first",
                )
