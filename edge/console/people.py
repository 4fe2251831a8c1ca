"""Who may use the console, in which role, and what each role may do.

Names and passwords stay in one file of the checkpoint (`people.json`); the common record and the
centres see the role alone. A password is kept as Argon2id (RFC 9106) with the library's defaults.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Meta

PEOPLE_FILE = "people.json"
MIN_PASSWORD = 12
"""Characters; longer is what makes a password strong (NIST SP 800-63B, 5.1.1)."""
MAX_PASSWORD = 128  # what is hashed costs time: nobody types more
MAX_PEOPLE = 200

Role = Literal["operator", "supervisor", "engineer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
Act = Literal[
    "see",
    "acknowledge",
    "note",
    "refer",
    "dispatch",
    "on-scene",
    "adjudicate",
    "assist",
    "hand-over",
    "shelve",
    "replay",
    "report",
]
ACTS: tuple[Act, ...] = get_args(Act)
_LANE: frozenset[Act] = frozenset(
    {"see", "acknowledge", "note", "refer", "dispatch", "on-scene", "adjudicate", "assist"}
)
RIGHTS: Mapping[Role, frozenset[Act]] = {
    "operator": _LANE,
    "supervisor": _LANE | {"hand-over", "shelve", "report"},
    "engineer": frozenset({"see", "replay", "report"}),
    "auditor": frozenset({"see", "report"}),
}
"""Who decides about a vehicle neither tunes nor audits, and the other way round."""

Login = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,31}$")]
Language = Literal["en-US", "es-MX"]

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))


class PeopleError(Exception):
    """The file cannot be read, or what is asked of it cannot be; the message says what to do."""


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may log in."""

    login: Login
    role: Role
    password: str
    """Its Argon2id hash."""
    language: Language = "en-US"


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal["garita.people/1"] = "garita.people/1"
    people: list[Person]


class People:
    """Everybody who may log in, as the file has it now."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before it is asked for."""
        self.path = path
        self._read_at: tuple[int, int] | None = None
        self._known: dict[str, Person] = {}

    def all(self) -> list[Person]:
        """In the order of their logins. PeopleError."""
        self._look()
        return [self._known[login] for login in sorted(self._known)]

    def of(self, login: str) -> Person | None:
        """One of them. PeopleError."""
        self._look()
        return self._known.get(login)

    def check(self, login: str, password: str) -> Person | None:
        """Whose password it is. Takes as long for a login that nobody has. PeopleError."""
        person = self.of(login)
        if len(password) > MAX_PASSWORD:
            return None
        try:
            _HASHER.verify(_NOBODY if person is None else person.password, password)
        except (VerificationError, InvalidHashError):
            return None
        return person

    def put(
        self,
        login: str,
        role: str,
        password: str,
        *,
        language: str = "en-US",
        replace: bool = False,
    ) -> Person:
        """Add somebody, or change one. PeopleError where the words cannot be."""
        self._look()
        if (login in self._known) is not replace:
            known = "there is nobody of that login" if replace else "somebody has that login"
            raise PeopleError(f"{login}: {known}")
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise PeopleError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        if len(self._known) >= MAX_PEOPLE and not replace:
            raise PeopleError(f"there are {MAX_PEOPLE} already")
        hashed = _HASHER.hash(password)
        said = {"login": login, "role": role, "password": hashed, "language": language}
        try:
            person = msgspec.convert(said, Person)
        except msgspec.ValidationError as error:
            raise PeopleError(f"{login[:40]}: {error}") from None
        self._write(self._known | {login: person})
        return person

    def remove(self, login: str) -> None:
        """They may not log in any more. PeopleError."""
        self._look()
        if login not in self._known:
            raise PeopleError(f"{login}: there is nobody of that login")
        self._write({name: one for name, one in self._known.items() if name != login})

    def _look(self) -> None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._known, self._read_at = {}, None
            return
        except OSError as error:
            raise PeopleError(f"{self.path}: cannot be read ({error})") from error
        seen = stat.st_mtime_ns, stat.st_ino
        if seen == self._read_at:
            return
        try:
            file = msgspec.json.decode(self.path.read_bytes(), type=_File)
        except (OSError, ValueError) as error:
            raise PeopleError(f"{self.path}: cannot be read ({error})") from error
        self._known = {one.login: one for one in file.people}
        self._read_at = seen

    def _write(self, people: Mapping[str, Person]) -> None:
        data = msgspec.json.encode(_File(people=[people[login] for login in sorted(people)]))
        part = self.path.with_name(self.path.name + ".part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_bytes(msgspec.json.format(data) + b"\n")
            part.replace(self.path)
        except OSError as error:
            raise PeopleError(f"{self.path}: cannot be written ({error})") from error
        self._known = dict(people)
        self._read_at = None
