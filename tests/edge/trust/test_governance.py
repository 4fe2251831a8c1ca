import json
import shutil
from pathlib import Path

import pytest

from edge import cli
from edge.config import load_config, load_policy
from edge.errors import ConfigError
from edge.protocol.messages import rfc3339, utc_ns
from edge.settings.lines import read_yaml
from edge.trust import changes, keys
from edge.trust.governance import STATE_FILE, Governance

DEMO = Path(__file__).parents[3] / "configs" / "demo.yaml"
NOW = utc_ns("2026-11-23T12:00:00.000000Z")
HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


class Site:
    """A configuration file that is edited, its state, and the officers of both sides."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "site.yaml"
        self.document = read_yaml(DEMO).data
        self.document["state_dir"] = str(folder / "run")
        self.document["keys"] = {"keyring": str(folder / "keyring.json")}
        self.document.pop("policy", None)
        self.officers = [self.officer("north"), self.officer("south")]
        keys.write_keyring(folder / "keyring.json", [one.public for one in self.officers])
        self.changes = folder / "run" / "changes"
        self.changes.mkdir(parents=True)

    def officer(self, owner, name=""):
        return keys.make_signer(
            self.folder / f"{owner}-officer{name}.pem",
            owner=owner,
            role="officer",
            not_before_utc_ns=NOW - DAY_NS,
            not_after_utc_ns=NOW + 9_000 * DAY_NS,
        )

    def config(self):
        self.file.write_text(json.dumps(self.document, default=str))
        return load_config(self.file)

    def check(self, at=NOW):
        config = self.config()
        state = Governance(config.state_dir)
        return state.check(config, load_policy(config.policy), at_utc_ns=at, file="site.yaml")

    def propose(self, *signers, at=NOW, name="change.json"):
        config = self.config()
        change = Governance(config.state_dir).proposal(
            config,
            load_policy(config.policy),
            reason="works",
            at_utc_ns=at,
            not_after=at + 7 * DAY_NS,
        )
        envelope = changes.new_envelope(change)
        for signer in signers or self.officers:
            changes.sign(envelope, signer)
        changes.write_change(self.changes / name, envelope)

    def threshold(self, text):
        (self.folder / "policy.yaml").write_text(text)
        self.document["policy"] = str(self.folder / "policy.yaml")

    def inhibit(self, hours):
        until = rfc3339(NOW + hours * HOUR_NS)
        self.document["inhibits"] = [{"event": "PERSON", "until": until, "reason": "works"}]

    def release(self):
        side = self.document["sides"]["south"]
        side["release"] = [{"name": "less", "fields": ["evidence"]}]


@pytest.fixture
def site(tmp_path):
    found = Site(tmp_path)
    assert found.check().outcome == "adopted"
    assert found.check().outcome == "ok"
    return found


def test_a_release_rule_needs_both_sides_and_is_then_in_force(site):
    site.release()
    refused = site.check()
    assert (refused.outcome, refused.what) == ("refused", ("release",))
    assert "garita change new --config site.yaml" in refused.why
    site.propose(site.officers[0])
    assert "an officer of south has to sign it" in site.check().why
    site.propose()
    approved = site.check()
    assert approved.outcome == "approved"
    assert approved.signers == tuple(one.key_id for one in site.officers)
    assert site.check().outcome == "ok"


def test_a_change_is_taken_once(site):
    site.release()
    site.propose(name="1.json")
    assert site.check().outcome == "approved"
    side = site.document["sides"]["south"]
    rules = side.pop("release")
    site.propose(name="2.json")
    assert site.check().outcome == "approved"
    side["release"] = rules
    assert "replayed" in site.check().why


def test_what_was_not_asked_for_is_refused_with_what_was(site):
    site.release()
    site.propose()
    site.inhibit(30)
    refused = site.check()
    assert (refused.outcome, refused.what) == ("refused", ("inhibits", "release"))
    assert "other-after" in refused.why


def test_an_inhibit_of_a_shift_needs_nobody_and_a_longer_one_both(site):
    site.inhibit(8)
    assert site.check().outcome == "ok"
    site.inhibit(30)
    assert site.check().what == ("inhibits",)
    site.propose()
    assert site.check(NOW + HOUR_NS).outcome == "approved"
    assert site.check(NOW + 29 * HOUR_NS).outcome == "ok"
    site.document.pop("inhibits")
    assert site.check(NOW + 29 * HOUR_NS).outcome == "refused"
    assert site.check(NOW + 31 * HOUR_NS).outcome == "ok"


def test_a_keyring_is_followed_by_the_word_of_the_one_before(site):
    own = [site.officer("north", "-mine"), site.officer("south", "-mine")]
    keys.write_keyring(site.folder / "keyring.json", [one.public for one in own])
    site.propose(*own)
    refused = site.check()
    assert refused.what == ("keys",)
    assert "unknown-key" in refused.why
    site.propose()
    assert site.check().outcome == "approved"


def test_a_keyring_that_is_taken_away_is_refused(site):
    site.document["keys"] = {}
    assert site.check().what == ("keys",)
    assert site.check().outcome == "refused"


def test_a_clock_that_is_off_by_a_day_changes_nothing_by_itself(site):
    site.release()
    site.propose()
    assert "not-yet-valid" in site.check(NOW - DAY_NS).why
    assert site.check(NOW + DAY_NS).outcome == "approved"
    assert site.check(NOW - DAY_NS).outcome == "ok"


def test_without_officers_changes_are_taken_and_told(tmp_path):
    site = Site(tmp_path)
    site.document["keys"] = {}
    assert site.check().outcome == "adopted"
    site.release()
    assert site.check().outcome == "unwatched"
    assert site.check().outcome == "ok"


def test_a_state_that_cannot_be_read_is_no_first_start(site):
    (site.folder / "run" / STATE_FILE).write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        site.check()


def test_a_change_by_the_commands(site, capsys):
    site.release()
    site.config()
    out, ring = site.folder / "change.json", site.folder / "keyring.json"
    new = ["change", "new", "--config", str(site.file), "--out", str(out), "--reason", "works"]
    assert cli.main(new) == 0
    assert cli.main(new) == 2
    assert cli.main(["change", "show", str(out), "--keyring", str(ring)]) == 1
    for side in ("north", "south"):
        key = str(site.folder / f"{side}-officer.pem")
        assert cli.main(["change", "sign", str(out), "--key", key]) == 0
    assert cli.main(["change", "sign", str(out), "--key", key]) == 2
    capsys.readouterr()
    assert cli.main(["change", "show", str(out), "--keyring", str(ring)]) == 0
    assert "approved by north" in capsys.readouterr().out
    made_utc_ns = utc_ns(changes.change_of(changes.read_change(out)).created)
    shutil.copy(out, site.changes)
    assert site.check(made_utc_ns).outcome == "approved"
