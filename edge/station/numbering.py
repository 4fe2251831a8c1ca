"""Alerts get their number and their bytes: the same code for the live service and for replay."""

from collections.abc import Iterable, Sequence

import structlog

from edge import metrics
from edge.protocol.messages import encode_alert
from fusion.types import Alert

log = structlog.get_logger()


class Numbering:
    """Counts the alerts of one boot without gaps and writes their messages."""

    def __init__(
        self, *, first_seq: int, epoch: str, config_digest: str, languages: Sequence[str]
    ) -> None:
        self.next_seq = first_seq
        self.epoch = epoch
        self._config_digest = config_digest
        self._languages = tuple(languages)

    def write(self, alert: Alert) -> tuple[int, bytes] | None:
        """The alert's sequence number and message.

        None, and the number is not used, where the alert holds what the contract cannot say:
        a mistake in Garita, which must cost this one revision and not the stream.
        """
        seq = self.next_seq
        try:
            payload = encode_alert(
                alert,
                seq=seq,
                epoch=self.epoch,
                config_digest=self._config_digest,
                languages=self._languages,
            )
        except (ValueError, LookupError):
            log.exception("alert cannot be written", alert=alert.alert_id, code=alert.event.value)
            metrics.dropped("outbox", "unwritable")
            return None
        self.next_seq = seq + 1
        return seq, payload


def union_of_languages(sides: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Every language that a side reads, in the order of first mention.

    Both brokers carry the same bytes, so an alert has the words of both countries.
    """
    return tuple(dict.fromkeys(language for side in sides for language in side))
