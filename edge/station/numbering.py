"""Alerts get their number, their files and their bytes: the same code live and in replay."""

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

import structlog

from edge import metrics
from edge.evidence.files import Evidence, EvidenceFile, EvidenceMaker
from edge.protocol.messages import encode_alert
from fusion.types import Alert

log = structlog.get_logger()


class Written(NamedTuple):
    """One revision of an alert, ready to be sent."""

    seq: int
    payload: bytes
    files: tuple[EvidenceFile, ...]
    """To be sent before it."""


class Numbering:
    """Counts the alerts of one boot without gaps and writes their messages."""

    def __init__(
        self, *, first_seq: int, epoch: str, config_digest: str, languages: Sequence[str]
    ) -> None:
        self.next_seq = first_seq
        self.epoch = epoch
        self._config_digest = config_digest
        self._languages = tuple(languages)
        self._evidence = EvidenceMaker()

    def write(self, alert: Alert) -> Written | None:
        """The alert's sequence number, message and files.

        None, and the number is not used, where the alert holds what the contract cannot say:
        a mistake in Garita, which must cost this one revision and not the stream.
        """
        seq = self.next_seq
        evidence = self._files(alert)
        try:
            payload = encode_alert(
                alert,
                seq=seq,
                epoch=self.epoch,
                config_digest=self._config_digest,
                languages=self._languages,
                evidence=evidence.listed,
            )
        except (ValueError, LookupError):
            log.exception("alert cannot be written", alert=alert.alert_id, code=alert.event.value)
            metrics.dropped("outbox", "unwritable")
            return None
        self.next_seq = seq + 1
        self._evidence.keep(alert.alert_id, evidence)
        return Written(seq, payload, evidence.new)

    def _files(self, alert: Alert) -> Evidence:
        began = perf_counter()
        try:
            evidence = self._evidence.of(alert)
        # Whatever is odd about a record, the alert itself must go out.
        except Exception:
            log.exception("evidence cannot be made", alert=alert.alert_id)
            metrics.dropped("evidence", "unwritable")
            return Evidence()
        if evidence.new:
            metrics.STAGE_EVIDENCE.observe(perf_counter() - began)
        return evidence


def union_of_languages(sides: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Every language that a side reads, in the order of first mention.

    Both brokers carry the same bytes, so an alert has the words of both countries.
    """
    return tuple(dict.fromkeys(language for side in sides for language in side))
