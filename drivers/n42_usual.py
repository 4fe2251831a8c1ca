"""N42 documents of a form that was read before: nothing but their numbers is read again.

A portal pushes a document each second, a hundred tags and 65 kB that differ in their numbers
alone. The first of a form is read as every document is, and once more in the short way; only
where both say the same, the short way reads the next. A document is of the same form if it is
the same bytes but for the numbers, so whatever the long way refuses (entities, depth, ...) is
refused here as well.
"""

from collections.abc import Callable
from hashlib import blake2b

from drivers.n42_apart import Taken, Taker
from drivers.n42_forms import Parts, learned
from drivers.n42_table import Form, StrangeError, Table, UnseenError, table_of
from drivers.wire import n42
from drivers.wire.malformed import Malformed

Read = Callable[[bytes], n42.Document | Malformed]

FORMS = 256  # that are remembered; a portal has one for each place of a vehicle's coming and going
STRANGERS = 64  # forms that never came again, after which no more are learned


class UsualDocuments:
    """Reads the documents of one device, one at a time; `read` is the long way."""

    def __init__(self, read: Read) -> None:
        self._long = read
        self._taker = Taker()
        self._forms: dict[bytes, Form | None] = {}
        self._parts = Parts()
        self._last: tuple[bytes, bytes, Form | None] = (b"", b"", None)
        """Head and skeleton of the latest: the next is mostly of the same form."""
        self._learned = self._known = 0

    def read(self, data: bytes) -> n42.Document | Table | Malformed:
        """As the long way reads it; a `Table` where that was not needed."""
        if self._learned - self._known > STRANGERS:
            return self._long(data)
        taken = self._taker.take(data)
        if taken is None:
            return self._long(data)
        head, skeleton, form = self._last
        if form is None or taken.skeleton != skeleton or taken.head != head:
            key = _key(taken)
            if key not in self._forms:
                form = self._parts.form_of(taken)
                if form is None:
                    return self._learn(taken, None, data)
                self._keep(key, form)
            form = self._forms[key]
            if form is None:
                return self._long(data)
            self._last = taken.head, taken.skeleton, form
        try:
            table = table_of(form, taken)
        except StrangeError as strange:
            unseen = isinstance(strange, UnseenError)
            return self._learn(taken, form, data) if unseen else self._long(data)
        self._known += 1
        return table

    def _learn(self, taken: Taken, before: Form | None, data: bytes) -> n42.Document | Malformed:
        """Read it in the long way; `before` is the form that it was taken for, if it was."""
        document = self._long(data)
        form = learned(taken, document, before)
        self._learned += 1
        if form is not None:
            self._parts.add(taken, form)
        if form is not None or before is None:
            self._keep(_key(taken), form)
            self._last = b"", b"", None
        return document

    def _keep(self, key: bytes, form: Form | None) -> None:
        if len(self._forms) >= FORMS:
            self._forms.clear()
        self._forms[key] = form


def _key(taken: Taken) -> bytes:
    digest = blake2b(taken.head, digest_size=16)
    digest.update(taken.skeleton)
    return digest.digest()
