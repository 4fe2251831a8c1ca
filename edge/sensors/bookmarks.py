"""How far a sensor's data were dealt with, kept where the service keeps its state."""

from pathlib import Path

import structlog

log = structlog.get_logger()


class Note:
    """For as long as the process lives."""

    def __init__(self) -> None:
        self._note = ""

    def get(self) -> str:
        """What was put last."""
        return self._note

    def put(self, note: str) -> None:
        """Keep this instead."""
        self._note = note


class FileBookmark:
    """A line in a file of its own, replaced as a whole. Never raises: a bookmark that cannot be
    kept costs a repetition after the next start, and no sensor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._note: str | None = None
        self._refused = False

    def get(self) -> str:
        """What was put last; `""` where nothing was, or where it cannot be read."""
        if self._note is None:
            try:
                self._note = self._path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self._note = ""
        return self._note

    def put(self, note: str) -> None:
        """Keep this instead."""
        self._note = note
        unfinished = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Not synchronised: after a power cut the last records come once more, no worse.
            unfinished.write_text(f"{note}\n", encoding="utf-8")
            unfinished.replace(self._path)
        except OSError as error:
            if not self._refused:
                log.warning("bookmark not kept", file=str(self._path), why=str(error))
            self._refused = True
