"""The table of commands: what each says of itself, and who handles it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from edge import arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One sub-command."""

    name: str
    handler: str
    """`module:function`; takes the arguments, returns an exit code."""
    summary: str
    description: str
    examples: str
    arguments: Callable[[argparse.ArgumentParser], None]


COMMANDS = (
    Command(
        name="demo",
        handler="edge.terminal.demo:main",
        summary="the whole thing with nothing attached: sensors, brokers, alerts",
        description="""\
Simulated sensors of every family speak their real wire protocols, two brokers start (one per
country), and the alerts of a scripted day appear in the terminal. All of it is an exercise and
goes only below the topic root garita-exercise/.""",
        examples="""\
  garita demo
  garita demo --for 60s --language es-MX
  mosquitto_sub -p 18831 -V mqttv5 -t 'garita-exercise/v1/#' -v   (in another terminal)
  curl http://127.0.0.1:8088/metrics""",
        arguments=arguments.demo_arguments,
    ),
    Command(
        name="run",
        handler="edge.service:main",
        summary="the service",
        description="""\
Reads the sensors of a configuration and publishes the alerts to both sides until SIGTERM or
Ctrl+C. An alert is on disk before it is sent; one broker that is down never delays the other.""",
        examples="""\
  garita run --config configs/checkpoint.yaml
  garita run --config configs/checkpoint.yaml --record /var/lib/garita/recordings""",
        arguments=arguments.run_arguments,
    ),
    Command(
        name="check",
        handler="edge.probing.check:main",
        summary="is a configuration right, and does everything it names answer?",
        description="""\
First the file: every mistake with its line, key, value and how to mend it. Where there is none,
the world: sensors, brokers, ports, clock and disk are probed, each with a time limit.
Exit code 3: the file is wrong. 4: a broker does not answer. 5: a sensor does not answer.""",
        examples="""\
  garita check configs/demo.yaml
  garita check /etc/garita/site.yaml && systemctl restart garita""",
        arguments=arguments.check_arguments,
    ),
    Command(
        name="replay",
        handler="edge.study.replay:main",
        summary="run recordings or device files through the same engine",
        description="""\
A Garita recording gives the same alerts as on the day, byte for byte. A recorded device file
(portal daily file, datacast capture, miniSEED, X-ray picture, ...) is recognised by its content.
JSON Lines on stdout, progress on stderr.
X-ray pictures need no configuration: TIFF, PNG, JPEG, BMP, PGM, WebP, DICOS, or raw pixels that
--set describes. 8 bits are taken for a display picture, more for a plane of counts; files called
x_high and x_low are one scan. With --show detections a table of each scan stands on stderr: what
was found, in words, and how sure it is; then each picture that could not be read, with why.
Exit code 2: not one picture could be read. 0 where at least one was, and stderr says how many.""",
        examples="""\
  garita replay run/recordings
  garita replay run/recordings --console
  garita replay monday.txt --show detections | jq .facts
  garita replay portal.dat --kind rpm-tsa --set panels=2 --config configs/checkpoint.yaml
  garita replay truck.jpg --show detections > truck.jsonl
  garita replay scan_high.tif scan_low.tif --show detections --set pitch_x_mm=5 --set pitch_y_mm=5
  garita replay plane.raw --kind xray-planes --set raw_width=2400 --set raw_header_bytes=64
  garita replay station.mseed --show detections --set preset=earthquake
  garita replay log.csv --kind ascii-serial --set rate_hz=250 --set columns=time,counts""",
        arguments=arguments.replay_arguments,
    ),
    Command(
        name="record",
        handler="edge.service:record_main",
        summary="keep the raw bytes of every sensor, decide nothing",
        description="""\
Reads the sensors of a configuration and keeps what they send as MCAP files, for `garita replay`.
Nothing is published. To record beside the service, use `garita run --record DIR`.""",
        examples="""\
  garita record --config configs/checkpoint.yaml --out monday""",
        arguments=arguments.record_arguments,
    ),
    Command(
        name="simulate",
        handler="edge.terminal.simulate:main",
        summary="the simulated sensors on their own, recorded or live",
        description="""\
A scenario and a seed give the same bytes every time, with the truth beside them. With --out
they become files; with --serve they answer on TCP, UDP and in folders like the real devices.""",
        examples="""\
  garita simulate --scenario demo --out day1
  garita simulate --scenario demo --seed 7 --serve --base-port 20000""",
        arguments=arguments.simulate_arguments,
    ),
    Command(
        name="watch",
        handler="edge.terminal.watch:main",
        summary="an operator's view of the alerts of any broker",
        description="""\
Shows the alert stream as a person works from it: time, lane, level, headline, and the strongest
reasons with their share.""",
        examples="""\
  garita watch mqtt://127.0.0.1:18831
  garita watch mqtts://ops.example.org --language es-MX --site mariposa""",
        arguments=arguments.watch_arguments,
    ),
    Command(
        name="centre",
        handler="edge.delivery.centre_command:main",
        summary="a small centre: stores one side's alerts, verified and in order",
        description="""\
Subscribes to a side's broker, believes what the keyring's keys have signed, stores each alert with
its files in SQLite once it has the one before, and says "stored up to seq N" in its cursor. Prints
each stored alert; with --json as JSON Lines, to be piped on. What a backlog would delay is shown at
once and stored in its turn. It goes on until SIGTERM, through any loss of the broker.
--forward starts a program with what was stored and not handed on yet as JSON Lines on its stdin;
its exit code 0 says that it has taken them, else they come again. No shell reads the command.""",
        examples="""\
  garita centre --side south --url mqtt://127.0.0.1:18832 --language es-MX
  garita centre --side north --url mqtts://broker.example --ca ca.pem --cert ops.pem \\
      --key ops.key --keyring keyring.json --store /var/lib/garita/north.db --json
  garita centre --side north --url mqtt://127.0.0.1:18831 --quiet \\
      --forward 'curl --fail --silent -T - http://127.0.0.1:9000/alerts'""",
        arguments=arguments.centre_arguments,
    ),
    Command(
        name="command",
        handler="edge.terminal.command:main",
        summary="what a centre asks of a checkpoint: acknowledge, dispatch, adjudicate, ...",
        description="""\
Signs one command, sends it and prints the answer as JSON. Verbs: ack, dispatch, on-scene,
adjudicate, assist, hand-over, shelve, unshelve, record, resend; the fields of each are in
`garita schema`. A bare field is the alert's id.
Exit code 0: carried out. 1: refused, and the answer says why. 4: no broker, or no answer.""",
        examples="""\
  garita command --url mqtt://127.0.0.1:18831 --side north --site mariposa --exercise ack 01JD8
  garita command --url mqtts://broker.example --side south --site mariposa \\
      --signing-key south.pem adjudicate 01JD8 code=INNOCENT_NORM confirm=spectrum""",
        arguments=arguments.command_arguments,
    ),
    Command(
        name="report",
        handler="edge.indicators.report:main",
        summary="what the alerts of a month came to, as pages and tables in both languages",
        description="""\
Counts the entries of the common record: alerts by event, level and direction, what they turned out
to be, how fast each side answered, how long sensors and sides worked. Every figure links to the
entries that it was counted from; two copies of one record give the same bytes. Days and times are
UTC; the day of --to is in the window, a time of --to is not.
Exit code 2: the record cannot be read.""",
        examples="""\
  garita report --from 2026-11-01 --to 2026-11-30 --state /var/lib/garita
  garita report --from 2026-11-23T06:00:00Z --to 2026-11-23T14:00:00Z --record copy.db --out shift
  garita report --from 2026-11-01 --to 2026-11-30 --entries record.jsonl --language es-MX""",
        arguments=arguments.report_arguments,
    ),
    Command(
        name="broker",
        handler="edge.delivery.broker_init:main",
        summary="a side's Mosquitto with TLS 1.3, certificates and access rules",
        description="""\
init writes what a side's broker needs: mosquitto.conf, an access list with a reason for each right,
an authority and the certificates of broker, sites, centre and console, and a README.txt that says
how to start it. What is there is kept. renew makes new certificates before the old ones end; ls
says whose there are and until when. Exit code 2: a name or a folder cannot be used.""",
        examples="""\
  garita broker init --side north --site mariposa --host mqtt.north.example --out north
  garita broker init --side south --site mariposa --out south --mosquitto 2.1
  garita broker ls north
  garita broker renew north --within-days 30""",
        arguments=arguments.broker_arguments,
    ),
    Command(
        name="keys",
        handler="edge.trust.keys_command:main",
        summary="keys that sign alerts, commands and changes: make, list, rotate, add",
        description="""\
A private key is a file that only its owner may read, and is never overwritten; the .pub.json beside
it goes into the keyrings of all others. rotate makes a successor and lets the keyring believe both
for a while; the old private key may be lost. Exit code 2: a file or a name cannot be used.""",
        examples="""\
  garita keys make --out keys --owner north --role centre
  garita keys make --out keys --owner edge/mariposa --role edge --days 730
  garita keys add keyring.json keys/*.pub.json
  garita keys ls keyring.json
  garita keys rotate keys/north-centre.pem --keyring keyring.json --overlap-days 14""",
        arguments=arguments.keys_arguments,
    ),
    Command(
        name="console",
        handler="edge.console.command:main",
        summary="who may use the operator's console, and its page",
        description="""\
The console is served by `garita run` where the configuration has a `console:` section. People log
in with a password that is kept as an Argon2id hash; the common record sees roles, never people.
A change counts at once, also for who is logged in.""",
        examples="""\
  garita console add ana --role operator --language es-MX --config configs/checkpoint.yaml
  garita console ls --config configs/checkpoint.yaml
  garita console build""",
        arguments=arguments.console_arguments,
    ),
    Command(
        name="change",
        handler="edge.trust.change_command:main",
        summary="what only both sides together may change: ask for it, sign it, show it",
        description="""\
Thresholds, inhibits longer than a shift, release rules and the keyring change only with the
signatures of an officer of each side (DSSE). `new` compares a configuration with what is in force
below its state_dir; `sign` and `show` tell it value by value, old -> new. The signed file goes
into the folder changes/ there. Where every officer's key of a side has ended, the keyring alone
changes by the other side's word, and by nobody's where neither can sign: entered as lapsed.
Exit code 1: `show` finds that not both have signed, or that your copy is something else. 2: a file
cannot be used.""",
        examples="""\
  garita change new --config site.yaml --out change.json --reason "gamma threshold to 5 sigma"
  garita change sign change.json --key keys/north-officer.pem
  garita change show change.json --keyring keyring.json --config my-copy.yaml""",
        arguments=arguments.change_arguments,
    ),
    Command(
        name="release",
        handler="edge.delivery.release_command:main",
        summary="what each side is told of an alert and why not more; told later, and checked",
        description="""\
explain says for an alert, at hand or thought of, which fields and files each side is not told, by
which rule, and what of the alert the rule is about. tell writes a withheld value with its salt, for
the partner; check is the partner's: whether that is what its alert withheld. An alert's FILE is one
document, or lines of `garita outbox export` or `garita centre --json` where its number is known.
Exit code 1: it is another value. 2: a file cannot be used.""",
        examples="""\
  garita release explain --config site.yaml --event RAD_THREAT --lane nb-01 --level 4
  garita release explain --config site.yaml --side south --alert alert.json --json
  garita release tell whole.json --field event --config site.yaml > event.json
  garita release check told.json event.json""",
        arguments=arguments.release_arguments,
    ),
    Command(
        name="audit",
        handler="edge.record.audit_command:main",
        summary="carry the common record away, prove it offline, list it",
        description="""\
`export` writes what is signed of a record as plain text, for a USB stick: entries, hashes, signed
checkpoint, cosignatures, keys. `verify` needs no network: it proves that each entry is as it was
signed and at its place, who vouches for it, that alerts are numbered without a gap, that an older
copy is a part of it; and says what is open. Use your own keyring: keys that came along prove
nothing. `ls` lists entries.
Exit code 1: something is wrong, the first wrong entry is named.""",
        examples="""\
  garita audit export --state /var/lib/garita --keys keyring.json /media/usb/mariposa
  garita audit verify /media/usb/mariposa --keys keyring.json
  garita audit verify copy.db --keys keyring.json --against /media/usb/mariposa
  garita audit ls /media/usb/mariposa --from 2026-11-22 --to 2026-11-23 | jq .kind""",
        arguments=arguments.audit_arguments,
    ),
    Command(
        name="outbox",
        handler="edge.delivery.outbox_command:main",
        summary="what waits for a side and why; dead letters again, alerts as JSON Lines",
        description="""\
Works beside the running service. `ls` tells of each side how many alerts wait, how long, how far
its centre is, and its dead letters with their reasons. `retry` lets the service send dead letters
once more: they stay until the broker has taken them. `export` writes the alerts of a range as one
side gets them, what is withheld from it withheld.
Exit code 1: there is nothing like that. 2: the outbox cannot be read, or there is no such side.""",
        examples="""\
  garita outbox ls --state /var/lib/garita
  garita outbox retry --state /var/lib/garita --side south --seq 1041
  garita outbox export --state /var/lib/garita --side south --from 1000 --to 1100 | jq .event""",
        arguments=arguments.outbox_arguments,
    ),
    Command(
        name="schema",
        handler="edge.protocol.schema:main",
        summary="JSON Schema of every message and of the configuration, and AsyncAPI",
        description="Machine-readable descriptions of everything that Garita sends and reads.",
        examples="""\
  garita schema --out schemas""",
        arguments=arguments.schema_arguments,
    ),
    Command(
        name="templates",
        handler="edge.study.templates:main",
        summary="what nuclides look like to a spectroscopic detector: build, list, draw",
        description="""\
(Re)builds the library of a detector from line tables and our own response model, prints a line
per template, and writes or draws them on request.""",
        examples="""\
  garita templates
  garita templates --detector hpge --out templates
  garita templates --config configs/checkpoint.yaml --pictures pictures""",
        arguments=arguments.templates_arguments,
    ),
    Command(
        name="evaluate",
        handler="edge.study.evaluate:main",
        summary="detection, false alarms and identification on known truth",
        description="""\
Runs packs of simulated or recorded cases whose truth is known, and prints what was found with its
95 % interval. Seeds from 1000000 on are for reports: nothing was tuned on them.""",
        examples="""\
  garita evaluate                       (lists the packs)
  garita evaluate portal-clean --json
  garita evaluate spectra-generic --data recordings
  garita evaluate busy-day --number 2 --pictures out   (two hours of a crossing)""",
        arguments=arguments.evaluate_arguments,
    ),
    Command(
        name="calibrate",
        handler="edge.study.calibrate:main",
        summary="fit what detections are worth, on simulated days of known truth",
        description="""\
Plays days of known truth through simulators, drivers and detectors, and fits the nats that each
detection is worth for an explanation: a line with few numbers, never falling, free of how often
anything comes. `portals` fits those of radiation; a pack fits those of ground sensors and scanners
and how far sensors err together, and shows log loss and calibration error before and after on
seeds that it was not fitted on. What is too little to fit on is refused with exit code 2.

Only seeds below 1000000 are taken, reports never see them: a pack is fitted on 0-499999 and held
against 500000-999999. The same arguments give the same file; put it into a site's policy, or name
it as its `policy`, and `garita check` reads it.

  quiet-day, busy-day   hours of a whole checkpoint, a minute or two each
  smuggling             its scanned lanes, closely packed
  footpaths             its fences of ground sensors
  loads                 drawn loads before a scanner, with a dense thing and without""",
        examples="""\
  garita calibrate portals                               (a policy section on stdout)
  garita calibrate portals --out fusion/radiation_fitted.py   (the defaults of the engine)
  garita calibrate footpaths --number 8 --pictures pictures --out configs/calibration.yaml
  garita calibrate smuggling --only pair_rho --date 2026-11-22""",
        arguments=arguments.calibrate_arguments,
    ),
    Command(
        name="bench",
        handler="edge.study.bench:main",
        summary="speed of each stage against a named reference, measured in the same run",
        description="Every figure of the README, measured here and now.",
        examples="""\
  garita bench
  garita bench decoders stages --json
  garita bench kills --times 200 --seed 1""",
        arguments=arguments.bench_arguments,
    ),
    Command(
        name="test",
        handler="edge.cli:run_tests",
        summary="run every check (only as ./garita test in the source tree)",
        description="Installs what the tests need and runs every check that CI runs.",
        examples="",
        arguments=arguments.nothing_arguments,
    ),
)
