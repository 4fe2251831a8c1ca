"""pynetdicom as Garita wants it: who is taken, with what, and how patiently."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from drivers.dicos_config import XrayDicosConfig
from drivers.wire import dicos

MAX_ASSOCIATIONS = 4  # a scanner has one or two
STALLED_S = 15.0  # a sender that has stopped within a message
GREETING_S = 5.0  # from the connection to what the sender wants
IDLE_S = 300.0  # scans come every few minutes; who has been silent for longer connects anew


def entity_of(config: XrayDicosConfig, taken: Callable[[], list[Any]]) -> Any:  # noqa: ANN401
    """An entity to start a server with. ImportError without pynetdicom.

    taken  who has an association now
    """
    from pynetdicom import AE  # noqa: PLC0415 - 290 ms for those who need it
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # noqa: PLC0415

    class Entity(AE):
        """One that counts who has an association, and not who has only connected."""

        @property
        def active_associations(self) -> list[Any]:
            return [*taken(), threading.current_thread()]

    _register()
    entity = Entity(ae_title=config.ae_title or "GARITA")
    entity.require_called_aet = bool(config.ae_title)
    entity.require_calling_aet = list(config.callers)
    entity.maximum_pdu_size = 0  # in as few pieces as the sender likes
    entity.maximum_associations = MAX_ASSOCIATIONS
    entity.network_timeout = IDLE_S
    entity.acse_timeout, entity.dimse_timeout = GREETING_S, STALLED_S
    entity.add_supported_context(Verification)
    for uid in (*dicos.SOP_CLASSES, *dicos.PARTS):
        entity.add_supported_context(uid, [*dicos.PLAIN, *dicos.PACKED])
    return entity


def _register() -> None:
    """Tell pynetdicom of DICOS's storage classes, without which an association is aborted."""
    from pynetdicom.service_class import StorageServiceClass  # noqa: PLC0415 - as above
    from pynetdicom.sop_class import register_uid  # noqa: PLC0415

    # What they would say is said by us, once and with the sensor's name.
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for uid, keyword in {**dicos.SOP_CLASSES, **dicos.PARTS}.items():
        register_uid(uid, keyword, StorageServiceClass)
