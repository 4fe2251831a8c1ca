"""A plain reader of the core of N42-2012 and N42-2006: expat and nothing else.

For machines without `sandiaspecutils`, for documents that hold no spectra (which that library
refuses), and as the twin it is tested against.
"""

from drivers.wire import n42_read_2006, n42_read_2012
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.n42_model import Document
from drivers.wire.n42_nodes import Unreadable, build


def read(data: bytes) -> Document | Malformed:
    """The document; Malformed says why it cannot be read.

    Reasons, besides those of `n42_nodes.build`: `bad-value` for a number, a time or a reference
    that is none, `too-large`, `no-measurement`.
    """
    root = build(data)
    if isinstance(root, Malformed):
        return root
    try:
        if root.name == "RadInstrumentData":
            document = n42_read_2012.document(root)
        else:
            document = n42_read_2006.document(root)
    except Unreadable as error:
        return malformed(error.reason, str(error).encode("ascii", "backslashreplace"))
    if not document.measurements:
        return malformed("no-measurement", data)
    return document
