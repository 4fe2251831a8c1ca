"""Whose command it is, by its signature: the key is of the very side that it came from."""

from collections.abc import Callable

from edge.delivery.hooks import Command
from edge.together.people import Author, Refusal
from edge.trust.keys import Keyring, Refused
from edge.trust.seen_notes import SeenNotes
from edge.trust.signatures import SeenSignatures, verify_command


class Vouching:
    """Believes commands that a key of the keyring has signed, each once and while it is fresh."""

    def __init__(
        self, keyring: Keyring, now_utc_ns: Callable[[], int], notes: SeenNotes | None = None
    ) -> None:
        """`notes`: which were taken before a restart."""
        self.keyring = keyring
        """Whom it believes; may be replaced when keys change."""
        self._now_utc_ns = now_utc_ns
        self._seen = SeenSignatures(notes=notes)

    def __call__(self, command: Command) -> Author | Refusal:
        """Who signed it, or why it is not believed."""
        try:
            key = verify_command(
                self.keyring,
                command.user_properties,
                topic=command.topic,
                payload=command.payload,
                correlation=command.correlation,
                response_topic=command.response_topic,
                owner=command.side,
                at_utc_ns=self._now_utc_ns(),
                seen=self._seen,
            )
        except Refused as refused:
            return Refusal(why=refused.code, text=refused.text)
        except UnicodeEncodeError:  # a topic that no broker would carry
            return Refusal(why="bad-signature", text="a topic that is no UTF-8")
        return Author(side=command.side, key=key.key_id)
