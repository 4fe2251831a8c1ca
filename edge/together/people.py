"""Who asks and of what, as the state machines are told it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who asks: a centre, in a role, with a key. Never a person."""

    side: str
    role: str = ""
    key: str = ""

    @property
    def by(self) -> str:
        """As an entry names it."""
        return f"{self.side}/{self.role}" if self.role else self.side


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the checkpoint knows of the alert at this moment."""

    revision: int = 0
    """What has changed since it was answered may be acknowledged again."""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that changes nothing, and why."""

    why: str
    text: str = ""
