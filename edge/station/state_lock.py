"""One service at a time in a state folder: two would number their alerts alike, and lose them."""

import fcntl
import os
from pathlib import Path

from edge.errors import ConfigError, Mistake

LOCK_FILE = "garita.lock"


class StateLock:
    """Holds a folder until released; the kernel releases it when the process ends, however."""

    def __init__(self, directory: Path) -> None:
        """Take the folder, made where there is none.

        ConfigError where another process has it, with that process's number, or where it
        cannot be made or locked.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _refused(
                directory,
                f"cannot be made ({error.strerror})",
                "create it for the user that Garita runs as, or name another folder",
            ) from error
        try:
            # Not lockf: its locks go when any other descriptor of the file is closed.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            # The number is only for the message; who holds the lock is the kernel's to say.
            pid = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise _refused(
                directory,
                f"is in use by pid {pid}",
                "end that service, or give this one a state_dir of its own",
            ) from error
        except OSError as error:
            os.close(self._file)
            raise _refused(
                directory,
                f"cannot be locked ({error.strerror})",
                "name a folder on a local disk",
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let others have it. The file stays: removing it would let two hold it at once."""
        os.close(self._file)


def _refused(directory: Path, message: str, mend: str) -> ConfigError:
    mistake = Mistake(line=None, key="state_dir", value=str(directory), message=message, mend=mend)
    return ConfigError("state", [mistake])
