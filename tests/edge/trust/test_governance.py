import json
import shutil
from pathlib import Path

import pytest
from msgspec import structs

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

    def officer(self, owner, name="", days=9_000):
        return keys.make_signer(
            self.folder / f"{owner}-officer{name}.pem",
            owner=owner,
            role="officer",
            not_before_utc_ns=NOW - DAY_NS,
            not_after_utc_ns=NOW + days * DAY_NS,
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


def test_officers_see_what_they_sign_value_by_value(site, capsys):
    site.threshold("alarms: {deadband_nats: {value: 3.5, why: works}}")
    site.release()
    site.inhibit(30)
    site.config()
    out = site.folder / "change.json"
    new = ["change", "new", "--config", str(site.file), "--out", str(out), "--reason", "works"]
    assert cli.main(new) == 0
    assert cli.main(["change", "show", str(out)]) == 0
    told = capsys.readouterr().out
    assert "  thresholds alarms.deadband_nats: 1.0 -> 3.5\n" in told
    assert '  release south.1.less: none -> {"fields":["evidence"]}\n' in told
    assert "  inhibits {" in told and told.count(" -> ") == 4  # and the digest
    key = str(site.folder / "south-officer.pem")
    assert cli.main(["change", "sign", str(out), "--key", key]) == 0
    assert "alarms.deadband_nats: 1.0 -> 3.5" in capsys.readouterr().err


def test_an_officer_checks_the_own_copy_of_the_configuration(site, capsys):
    site.threshold("alarms: {deadband_nats: {value: 3.5, why: works}}")
    site.config()
    out = site.folder / "change.json"
    new = ["change", "new", "--config", str(site.file), "--out", str(out), "--reason", "works"]
    assert cli.main(new) == 0
    copy = site.folder / "copy.yaml"
    site.document["state_dir"] = str(site.folder / "elsewhere")
    copy.write_text(json.dumps(site.document, default=str))
    show = ["change", "show", str(out), "--config", str(copy)]
    assert cli.main(show) == 0
    assert "would bring just this" in capsys.readouterr().out
    site.threshold("alarms: {deadband_nats: {value: 3.6, why: works}}")
    assert cli.main(show) == 1
    assert "would bring something else" in capsys.readouterr().out


def test_a_change_that_tells_of_other_values_is_refused(site):
    site.threshold("alarms: {deadband_nats: {value: 3.5, why: works}}")
    config = site.config()
    change = Governance(config.state_dir).proposal(
        config, load_policy(config.policy), reason="works", at_utc_ns=NOW, not_after=NOW + DAY_NS
    )
    (told,) = change.differences
    for others in ([], [structs.replace(told, after="1.1")]):
        envelope = changes.new_envelope(structs.replace(change, differences=others))
        for signer in site.officers:
            changes.sign(envelope, signer)
        changes.write_change(site.changes / "change.json", envelope)
        assert "other-words" in site.check().why


def test_a_refusal_tells_what_differs_and_that_garita_was_updated(site):
    site.threshold("alarms: {deadband_nats: {value: 3.5, why: works}}")
    assert "thresholds alarms.deadband_nats: 1.0 -> 3.5" in site.check().why
    assert "another default" not in site.check().why
    state = site.folder / "run" / STATE_FILE
    written = json.loads(state.read_text())
    state.write_text(json.dumps(written | {"software": "garita 0.0.9"}))
    assert "garita 0.0.9 was agreed on, this is garita" in site.check().why
    assert site.check().outcome == "refused"


def test_a_state_of_an_earlier_version_learns_its_words(site):
    state = site.folder / "run" / STATE_FILE
    written = json.loads(state.read_text())
    for name in ("texts", "software", "entry", "entry_after"):
        del written[name]
    state.write_text(json.dumps(written))
    site.release()
    assert "release : " in site.check().why  # by digest alone
    site.document["sides"]["south"].pop("release")
    assert site.check().outcome == "ok"
    site.release()
    assert "release south.1.less: none" in site.check().why


def rekeyed(site, *sides):
    """The keyring with new officers of these sides in place of the old ones."""
    new = [site.officer(side, "-new") for side in sides]
    kept = [one for one in site.officers if one.public.owner not in sides]
    site.officers = sorted([*kept, *new], key=lambda one: one.public.owner)
    ring = [one.public for one in site.officers]
    keys.write_keyring(site.folder / "keyring.json", ring)


@pytest.fixture
def short(tmp_path):
    """A site whose south officer has a key for ten days, the north one for longer."""

    def make(north_days):
        site = Site(tmp_path)
        for one in tmp_path.glob("*-officer.pem"):
            one.unlink()
        site.officers = [site.officer("north", "-a", north_days), site.officer("south", "-a", 10)]
        keys.write_keyring(tmp_path / "keyring.json", [one.public for one in site.officers])
        assert site.check().outcome == "adopted"
        return site

    return make


def test_where_one_sides_officers_have_ended_the_other_changes_the_keyring_alone(short):
    site, later = short(100), NOW + 11 * DAY_NS
    north = site.officers[0]
    rekeyed(site, "south")
    assert site.check().outcome == "refused"  # not as long as south can sign
    refused = site.check(later)
    assert "officer's key of south has ended" in refused.why
    site.propose(north, at=later)
    assert site.check().outcome == "refused"
    taken = site.check(later)
    assert (taken.outcome, taken.what, taken.signers) == ("lapsed", ("keys",), (north.key_id,))
    site.release()
    assert site.check(later).outcome == "refused"
    site.propose(*site.officers, at=later)
    assert site.check(later).outcome == "approved"


def test_where_nobody_can_sign_only_the_keyring_is_taken_and_only_with_officers(short):
    site, later = short(10), NOW + 11 * DAY_NS
    ring = (site.folder / "keyring.json").read_bytes()
    keys.write_keyring(site.folder / "keyring.json", [])
    assert site.check(later).outcome == "refused"
    (site.folder / "keyring.json").write_bytes(ring)
    site.release()
    assert site.check(later).outcome == "refused"
    rekeyed(site, "north", "south")
    assert site.check(later).outcome == "refused"  # the rule as well
    site.document["sides"]["south"].pop("release")
    assert site.check(later).outcome == "lapsed"
    assert site.check(later).outcome == "ok"
