"""Who may use the console."""

from pathlib import Path

import pytest

from edge.console.people import MIN_PASSWORD, RIGHTS, ROLES, People, PeopleError

GOOD = "correct horse battery"


def test_a_password_is_believed_and_no_other(tmp_path: Path) -> None:
    people = People(tmp_path / "people.json")
    people.put("ana.r", "operator", GOOD)
    assert (found := people.check("ana.r", GOOD)) is not None
    assert found.role == "operator"
    for wrong in ("", GOOD[:-1], GOOD + " ", GOOD.upper(), "x" * 1_000_000):
        assert people.check("ana.r", wrong) is None
    assert people.check("nobody", GOOD) is None


def test_the_file_has_no_password_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    People(path).put("ana", "auditor", GOOD)
    assert GOOD not in path.read_text()
    assert "$argon2id$" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_change_of_the_file_is_seen_at_once(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    here, there = People(path), People(path)
    here.put("ana", "operator", GOOD)
    assert there.of("ana") is not None
    here.put("ana", "supervisor", GOOD, replace=True)
    assert (ana := there.of("ana")) is not None and ana.role == "supervisor"
    here.remove("ana")
    assert there.all() == []


@pytest.mark.parametrize(
    ("login", "role", "password", "why"),
    [
        ("ana", "operator", "x" * (MIN_PASSWORD - 1), "12 to 128"),
        ("ana", "operator", "x" * 129, "12 to 128"),
        ("ana", "admin", GOOD, "admin"),
        ("Ana R", "operator", GOOD, "regex"),
        ("", "operator", GOOD, "regex"),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(
    tmp_path: Path, login: str, role: str, password: str, why: str
) -> None:
    people = People(tmp_path / "people.json")
    with pytest.raises(PeopleError, match=why):
        people.put(login, role, password)
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_added_twice_nor_changed_who_is_not_there(tmp_path: Path) -> None:
    people = People(tmp_path / "people.json")
    people.put("ana", "operator", GOOD)
    with pytest.raises(PeopleError, match="somebody has that login"):
        people.put("ana", "auditor", GOOD)
    with pytest.raises(PeopleError, match="nobody of that login"):
        people.put("eva", "auditor", GOOD, replace=True)


@pytest.mark.parametrize("text", ["", "{", '{"schema":"garita.people/1","people":[{"login":"a"}]}'])
def test_a_damaged_file_lets_nobody_in_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.json"
    path.write_text(text)
    with pytest.raises(PeopleError, match="cannot be read"):
        People(path).check("a", GOOD)
    assert path.read_text() == text


def test_who_decides_about_a_vehicle_neither_tunes_nor_audits() -> None:
    assert set(RIGHTS) == set(ROLES)
    for role in ("engineer", "auditor"):
        assert not RIGHTS[role] & {"acknowledge", "adjudicate", "shelve", "refer", "hand-over"}
    assert "shelve" not in RIGHTS["operator"]
