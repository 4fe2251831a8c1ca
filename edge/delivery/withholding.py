"""What stands in an alert's bytes in place of a withheld field, and how it is checked once told.

All of it works on the bytes as they are published: what is told stays as it was, byte for byte,
and a digest is of the value's own bytes in the whole alert, so no number is ever written anew.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping

import msgspec

from edge.protocol.contract import WithheldMessage

EMPTY: Mapping[str, bytes] = {
    "lane": b"null",
    "zone": b"null",
    "direction": b"null",
    "event": b'"WITHHELD"',
    "probability": b"null",
    "certainty": b'"Unknown"',
    "explanations": b"[]",
    "contributions": b"[]",
    "silent": b"[]",
    "down": b"[]",
    "info": b"[]",
    "evidence": b"[]",
    "handling": b"",
}
"""What stands in place of a field that is withheld; of `handling` nothing does."""
INNER: Mapping[str, tuple[str, bytes]] = {
    "facts": ("contributions", b"{}"),
    "description": ("info", b'""'),
}
"""A part of each item of a list, and what stands in its place."""
PLACE_TELLERS = ("lane", "zone", "info", "contributions", "silent", "down", "evidence", "handling")
IMPLIED: Mapping[str, tuple[str, ...]] = {
    "lane": PLACE_TELLERS,
    "zone": PLACE_TELLERS,
    "direction": PLACE_TELLERS,
    "probability": ("certainty", "explanations", "contributions", "description"),
    "explanations": ("description",),
    "contributions": ("description",),
    "facts": ("description",),
}
"""What tells a field in other words: names of sensors tell the lane, the birth document tells where
a lane leads, descriptions tell why."""


class Listed(msgspec.Struct, frozen=True):
    """A file, as an alert lists it."""

    name: str
    media_type: str
    sha256: str


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_item_fields = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_listed = msgspec.json.Decoder(list[Listed])
_withheld = msgspec.json.Decoder(dict[str, WithheldMessage])


def less(
    payload: bytes,
    withheld: Mapping[str, str],
    files: Mapping[str, str],
    salt: Callable[[str], bytes],
) -> bytes:
    """An alert without what is withheld of it, which stands in `withheld` as digests.

    withheld  fields, and the rule that withholds each
    files     digests of files that are not listed either, and the rule that withholds each
    salt      of a field
    """
    whole = _fields.decode(payload)
    by_rule = {name: rule for name, rule in withheld.items() if name in whole or name in INNER}
    told = dict(whole)
    values = {name: _value(whole, name) for name in by_rule}
    for name in by_rule:
        if name in INNER:
            outer = INNER[name][0]
            told[outer] = msgspec.Raw(_without(told, name))
        elif name == "handling":
            del told[name]
        else:
            told[name] = msgspec.Raw(EMPTY[name])
    kept_back = [each.sha256 for each in _listed.decode(whole["evidence"]) if each.sha256 in files]
    if kept_back and "evidence" not in by_rule:
        by_rule["evidence"] = files[kept_back[0]]
        values["evidence"] = _listing(whole["evidence"], files, those=True)
        told["evidence"] = msgspec.Raw(_listing(whole["evidence"], files, those=False))
    if not by_rule:
        return payload
    digests = {
        name: WithheldMessage(rule=by_rule[name], sha256=digest(salt(name), name, values[name]))
        for name in sorted(by_rule)
    }
    told["withheld"] = msgspec.Raw(msgspec.json.encode(digests))
    return msgspec.json.encode(told)


def _listing(listing: bytes, files: Iterable[str], *, those: bool) -> bytes:
    """Of the files that are listed only those that are withheld, or only the others."""
    withheld = set(files)
    chosen = [
        bytes(raw)
        for raw, each in zip(_items.decode(listing), _listed.decode(listing), strict=True)
        if (each.sha256 in withheld) is those
    ]
    return b"[" + b",".join(chosen) + b"]"


def _without(whole: Mapping[str, msgspec.Raw], name: str) -> bytes:
    outer, empty = INNER[name]
    items = _item_fields.decode(whole[outer])
    return msgspec.json.encode([{**item, name: msgspec.Raw(empty)} for item in items])


def _value(whole: Mapping[str, msgspec.Raw], name: str) -> bytes:
    if name not in INNER:
        return bytes(whole[name])
    items = _item_fields.decode(whole[INNER[name][0]])
    return b"[" + b",".join(bytes(item[name]) for item in items) + b"]"


# --- once something is told after all -------------------------------------------------------


def digest(salt: bytes, name: str, value: bytes) -> str:
    """What stands for a field's value in `withheld`."""
    return hashlib.sha256(salt + b"\0" + name.encode() + b"\0" + value).hexdigest()


def reveal(whole: bytes, told: bytes, name: str) -> bytes:
    """The value that `told` withholds of the alert `whole`: its JSON exactly as it stands there.

    Of `evidence` only what `told` does not list; of `facts` and `description` a list with that
    of each item. KeyError where there is no such field.
    """
    fields = _fields.decode(whole)
    if name != "evidence":
        return _value(fields, name)
    listed = {each.sha256 for each in _listed.decode(_fields.decode(told)[name])}
    return _listing(fields[name], listed, those=False)


def check_revealed(told: bytes, name: str, value: bytes, salt: bytes) -> bool:
    """Whether a value is what an alert withheld, given the salt that was told with it."""
    withheld = _fields.decode(told).get("withheld")
    if withheld is None:
        return False
    entry = _withheld.decode(withheld).get(name)
    return entry is not None and hmac.compare_digest(entry.sha256, digest(salt, name, value))
