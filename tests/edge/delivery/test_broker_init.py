import pytest

from edge.cli import main
from edge.delivery.broker_files import host_and_port


def init(folder, *words):
    sites = [] if "--site" in words else ["--site", "mariposa"]
    return main(["broker", "init", "--side", "north", "--out", str(folder), *sites, *words])


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_there_is_kept_and_a_new_site_gets_its_certificate(tmp_path, capfd):
    assert init(tmp_path) == 0
    before = contents(tmp_path)
    assert init(tmp_path, "--site", "mariposa", "--site", "otay") == 0
    after = contents(tmp_path)
    assert {path: after[path] for path in before} == before
    assert {path.name for path in after.keys() - before.keys()} == {"otay.pem", "otay.key"}
    assert "access-list  kept, though it would differ" in capfd.readouterr().out


def test_force_writes_texts_again_and_never_keys_or_certificates(tmp_path):
    assert init(tmp_path) == 0
    before = contents(tmp_path)
    assert init(tmp_path, "--site", "mariposa", "--site", "otay", "--port", "9883", "--force") == 0
    after = contents(tmp_path)
    changed = {path.name for path in before if after[path] != before[path]}
    assert changed == {"access-list", "mosquitto.conf", "README.txt"}
    assert "user otay\n" in (tmp_path / "access-list").read_text()
    assert "listener 9883\n" in (tmp_path / "mosquitto.conf").read_text()


def test_the_form_for_2_1_has_nothing_that_2_1_deprecates(tmp_path):
    assert init(tmp_path, "--mosquitto", "2.1") == 0
    keys = [line.split(" ")[0] for line in (tmp_path / "mosquitto.conf").read_text().splitlines()]
    assert not {"acl_file", "password_file", "per_listener_settings", "allow_anonymous"} & {*keys}
    assert keys.index("global_plugin") + 1 == keys.index("plugin_opt_acl_file")
    assert keys.index("listener") + 1 == keys.index("listener_allow_anonymous")


@pytest.mark.parametrize(
    "words",
    [
        ["--site", "ops"],
        ["--site", "Mariposa"],
        ["--site", "mariposa\nuser x"],
        ["--bridge-to", "nowhere"],
        ["--bridge-to", "a b:8883"],
        ["--bridge-to", "south.example:8883", "--bridge-from"],
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, words, capfd):
    assert init(tmp_path / "new", *words) == 2
    assert capfd.readouterr().err.startswith("garita broker init: ")
    assert not (tmp_path / "new").exists()


def test_the_read_me_names_every_file(tmp_path):
    assert init(tmp_path, "--bridge-from") == 0
    text = (tmp_path / "README.txt").read_text()
    for path in tmp_path.rglob("*.pem"):
        assert str(path.relative_to(tmp_path)) in text
    assert "access-list" in text
    assert "mosquitto -c" in text


def test_certificates_are_listed_and_those_that_end_soon_renewed(tmp_path, capfd):
    assert init(tmp_path, "--days", "10") == 0
    assert main(["broker", "renew", str(tmp_path), "--within-days", "5"]) == 0
    said = capfd.readouterr()
    assert "nothing ends within 5 days" in said.err
    authority = (tmp_path / "certificates" / "ca.pem").read_bytes()
    assert main(["broker", "renew", str(tmp_path)]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 4
    assert main(["broker", "ls", str(tmp_path)]) == 0
    listed = dict(line.split()[::2][:2] for line in capfd.readouterr().out.splitlines())
    assert set(listed) == {"broker", "mariposa", "centre", "console", "ca"}
    assert {days for name, days in listed.items() if name != "ca"} == {"364"}
    assert (tmp_path / "certificates" / "ca.pem").read_bytes() == authority


def test_an_authority_near_its_end_is_renewed_with_its_key(tmp_path):
    assert init(tmp_path) == 0
    key = (tmp_path / "certificates" / "ca.key").read_bytes()
    assert main(["broker", "renew", str(tmp_path), "--within-days", "3700"]) == 0
    assert (tmp_path / "certificates" / "ca.key").read_bytes() == key


def test_a_folder_without_certificates_says_so(tmp_path, capfd):
    assert main(["broker", "ls", str(tmp_path)]) == 2
    assert "no certificates here" in capfd.readouterr().err


def test_an_address_has_a_host_and_a_port():
    assert host_and_port("south.example:8883") == ("south.example", 8883)
