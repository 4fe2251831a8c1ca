from edge import cli
from edge.protocol.messages import utc_ns
from edge.trust import keys, keys_command

NOW = utc_ns("2026-11-23T12:00:00.000000Z")
DAY_NS = 86_400 * 10**9


def run(*arguments):
    return cli.main(["keys", *map(str, arguments)])


def test_a_key_is_made_listed_and_added_and_never_made_twice(tmp_path, capsys):
    assert run("make", "--out", tmp_path, "--owner", "north", "--role", "centre") == 0
    made = keys.read_signer(tmp_path / "north-centre.pem")
    assert run("make", "--out", tmp_path, "--owner", "north", "--role", "centre") == 2
    assert "never overwritten" in capsys.readouterr().err
    assert keys.read_signer(tmp_path / "north-centre.pem").public == made.public
    ring = tmp_path / "keyring.json"
    for _ in range(2):
        assert run("add", ring, tmp_path / "north-centre.pub.json") == 0
    assert keys.read_keyring(ring).keys == (made.public,)
    for path in (ring, tmp_path, tmp_path / "north-centre.pem"):
        capsys.readouterr()
        assert run("ls", path) == 0
        out = capsys.readouterr().out
        assert out.count(made.key_id) == 1
        assert "364" in out
        assert "soon" not in out


def test_a_key_that_ends_soon_says_so(tmp_path, capsys):
    made = run("make", "--out", tmp_path, "--owner", "edge/a", "--role", "edge", "--days", "29")
    assert made == 0
    assert run("ls", tmp_path / "edge-a.pem") == 0
    assert "ends soon: garita keys rotate" in capsys.readouterr().out


def test_a_side_may_have_two_officers(tmp_path, capsys):
    officer = ("make", "--out", tmp_path, "--owner", "north", "--role", "officer")
    assert run(*officer) == 0
    assert run(*officer, "--name", "north-officer-night") == 0
    for name in ("../north", "", ".hidden", "a/b"):
        assert run(*officer, "--name", name) == 2
    capsys.readouterr()
    paths = [tmp_path / f"{name}.pem" for name in ("north-officer", "north-officer-night")]
    assert run("ls", *paths, tmp_path) == 0
    out = capsys.readouterr().out
    assert [out.count(keys.read_signer(path).key_id) for path in paths] == [1, 1]
    assert "\x1b" not in out


def test_a_successor_can_be_made_before_there_is_a_keyring(tmp_path):
    assert run("make", "--out", tmp_path, "--owner", "south", "--role", "centre") == 0
    assert run("rotate", tmp_path / "south-centre.pem") == 0
    assert keys.read_signer(tmp_path / "south-centre-2.pem").public.owner == "south"
    assert not (tmp_path / "keyring.json").exists()


def test_an_owner_that_does_not_fit_its_role_is_refused(tmp_path, capsys):
    assert run("make", "--out", tmp_path, "--owner", "north", "--role", "edge") == 2
    assert run("make", "--out", tmp_path, "--owner", "east", "--role", "centre") == 2
    assert list(tmp_path.iterdir()) == []
    assert "does not fit" in capsys.readouterr().err


def test_a_key_that_was_lost_is_followed_and_both_are_valid_for_a_while(tmp_path):
    path, ring = tmp_path / "south-centre.pem", tmp_path / "keyring.json"
    old = keys.make_signer(
        path,
        owner="south",
        role="centre",
        not_before_utc_ns=NOW - DAY_NS,
        not_after_utc_ns=NOW + 100 * DAY_NS,
    )
    keys.write_keyring(ring, [old.public])
    path.unlink()
    place, new = keys_command.rotate(path, ring, days=365, overlap_days=7, now_utc_ns=NOW)
    assert place.name == "south-centre-2.pem"
    assert keys.read_signer(place).public == new.public
    read = keys.read_keyring(ring)
    for signer, days in ((old, (-1, 6)), (new, (0, 364))):
        for day in days:
            at = NOW + day * DAY_NS
            read.verify(signer.key_id, b"x", signer.sign(b"x"), at_utc_ns=at, role="centre")
    left = keys_command.expires_s(read.keys, NOW)
    assert left == {old.key_id: 7 * 86_400.0, new.key_id: 365 * 86_400.0}
    again, _ = keys_command.rotate(place, ring, days=365, overlap_days=7, now_utc_ns=NOW)
    assert again.name == "south-centre-3.pem"
    assert len(keys.read_keyring(ring).keys) == 3
