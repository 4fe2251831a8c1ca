"""The operator's console in a real browser, against the running demo."""

import os
import re
import signal
import time
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest

from edge.console.acting import VERBS
from edge.text.catalogue import catalogue
from tests.e2e.console_page import (
    CHROMIUM,
    FLAGS,
    ROOT,
    RunningDemo,
    asked,
    needs_browser,
    over,
    until,
)

pytestmark = [needs_browser, pytest.mark.timeout(240)]
SHOTS = os.environ.get("GARITA_SHOTS")
"""A folder: the README's pictures are made by these tests."""
PASSWORD = "correct horse battery"
VIEWS = ("watch", "track", "health", "report")
STALE_S = 3.0


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = RunningDemo(tmp_path_factory.mktemp("demo"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def cookies(browser, demo):
    """What the one-time link gives, once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.link)
    page.wait_for_selector(".watch")
    found = context.cookies()
    context.close()
    return found


@pytest.fixture
def page(browser, demo, cookies):
    shown = over(browser, demo, cookies, locale="en-US")
    shown.wait_for_selector(".row", timeout=60_000)
    yield shown
    assert shown.problems == []
    shown.context.close()


def shot(page, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def ids(page):
    return {one["id"] for one in asked(page, "/alerts?limit=1000")["alerts"]}


def other_side(demo, me):
    """A centre of the other side."""
    side = "south" if me == "north" else "north"
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    answers = []
    client.on_message = lambda _client, _data, message: answers.append(message.payload)
    client.connect("127.0.0.1", demo.ports[f"{side}_port"])
    client.subscribe(f"garita-exercise/v1/+/answer/{side}/#", qos=1)
    client.loop_start()
    return side, client, answers


def test_alerts_appear_by_themselves_and_two_keys_answer_one(page, demo):
    first = page.locator(".row").count()
    until(lambda: page.locator(".row").count() > first, 60, "another alert")
    until(lambda: page.locator(".row.open").count(), 60, "an alert that nobody has answered")
    page.keyboard.press("n")
    chosen = page.locator(".row.chosen")
    until(chosen.count, 5)
    alert = chosen.get_attribute("id").removeprefix("row-")
    shot(page, "watch")
    page.keyboard.press("a")
    until(lambda: "acknowledged" in page.locator(f"#row-{alert} .stage").inner_text(), 10)
    me = asked(page, "/session")
    side, client, answers = other_side(demo, me["side"])
    site = me["site"]
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.ResponseTopic = f"garita-exercise/v1/{site}/answer/{side}/1"
    client.publish(
        f"garita-exercise/v1/{site}/cmd/dispatch",
        msgspec.json.encode({"alert": alert}), 1, properties=properties,
    )  # fmt: skip
    answer = msgspec.json.decode(until(lambda: answers, 20, "an answer to the other side")[0])
    assert [(one["stage"], one["by"].split("/")[0]) for one in answer["state"]["steps"]] == [
        ("acknowledged", me["side"]),
        ("dispatched", side),
    ]
    # And what the other side did is on this page, without anybody asking for it.
    stage = page.locator(f"#row-{alert} .stage")
    until(lambda: f"dispatched · {side}" in stage.inner_text(), 10)
    client.disconnect()
    client.loop_stop()


def test_the_list_stays_under_the_pointer(page):
    box = page.locator(".list").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    before = [one.get_attribute("id") for one in page.locator(".row").all()[:3]]
    known = ids(page)
    until(lambda: ids(page) - known, 60, "another alert")
    until(lambda: page.locator(".late").count(), 10, "word of it")
    assert [one.get_attribute("id") for one in page.locator(".row").all()[:3]] == before
    page.mouse.move(box["x"] + 200, 5)  # the pointer leaves, and the list is in order again
    until(lambda: not page.locator(".late").count(), 5)


def test_both_languages_without_a_reload(page):
    keys = {"act_ack", "view_watch", "only_open", "health_state", "report_span"}
    loaded = page.evaluate("performance.timeOrigin")
    texts = {}
    for language in ("en-US", "es-MX"):
        if page.evaluate("document.documentElement.lang") != language:
            page.keyboard.press("l")
        until(lambda language=language: page.evaluate("document.documentElement.lang") == language)
        words = catalogue(language).tables["console"]
        for view in VIEWS:
            page.evaluate(f"location.hash = '#/{view}'")
            heading = page.locator(f"[aria-label='{words[f'view_{view}']}']")
            until(heading.count, 10, f"{view} in {language}")
            shown = page.locator("body").inner_text()
            assert not [key for key in keys if key in shown]
            assert not re.findall(r"\b(?:act|done|view|key|health|report)_\w+", shown)
            texts[language, view] = shown
    assert all(texts["en-US", view] != texts["es-MX", view] for view in VIEWS)
    page.keyboard.press("l")
    assert page.evaluate("performance.timeOrigin") == loaded


def test_a_drill_is_taken_for_nothing_else(page):
    assert "EXERCISE / EJERCICIO" in page.locator(".row .drill-tag").first.inner_text()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.wait_for_selector(".transit")
    border = page.locator(".station.drill")
    assert border.count() == 1
    assert "repeating-linear-gradient" in border.evaluate("e => getComputedStyle(e).borderImage")
    shot(page, "transit")


def test_every_key_is_on_the_map(page):
    page.keyboard.press("?")
    dialog = page.locator("[role=dialog]")
    until(dialog.count, 5)
    shown = {one.inner_text().strip() for one in dialog.locator("kbd").all()}
    assert {"?", "n", "a", "j", "k", "Enter", "/", "w", "t", "h", "r", "m", "l", "c"} <= shown
    page.keyboard.press("Escape")
    until(lambda: not dialog.count(), 5)


def test_dark_by_default_and_light_is_kept(page):
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("c")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.reload()
    page.wait_for_selector(".row")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.keyboard.press("c")


def test_sound_begins_with_the_shift_and_stops_with_the_answer(page):
    page.evaluate(
        "() => { const start = OscillatorNode.prototype.start; window.rung = 0;"
        " OscillatorNode.prototype.start = function (...a)"
        " { window.rung++; start.apply(this, a); }; }"
    )
    assert page.locator(".banner").count() == 1
    page.locator(".banner button").click()
    until(lambda: page.locator(".row.open").count(), 60)
    until(lambda: page.evaluate("window.rung"), 40, "a tone")


@pytest.mark.parametrize("role", ["operator", "supervisor", "engineer", "auditor"])
def test_each_role_logs_in_and_is_offered_what_it_may(browser, demo, cookies, role):
    login = f"{role}-1"
    demo.add(login, role, PASSWORD)
    shown = over(browser, demo, [], locale="es-MX")
    shown.wait_for_selector("form")
    shown.fill("[name=login]", login)
    shown.fill("[name=password]", "wrong password")
    shown.keyboard.press("Enter")
    until(lambda: shown.locator("[role=alert]").inner_text().strip(), 10)
    shown.fill("[name=password]", PASSWORD)
    shown.keyboard.press("Enter")
    shown.wait_for_selector(".row", timeout=30_000)
    acts = asked(shown, "/session")["acts"]
    alert = next(iter(ids(shown)))
    shown.evaluate(f"location.hash = '#/transit/{alert}'")
    shown.wait_for_selector(".transit .columns")
    offered = shown.locator(".acts button, .acts select, .shelve button").count()
    assert bool(offered) == ("acknowledge" in acts)
    assert bool(shown.locator(".shelve").count()) == ("shelve" in acts)
    me = asked(shown, "/session")
    headers = {"content-type": "application/json", "x-garita-csrf": me["csrf"]}
    for verb, right in VERBS.items():
        where = f"alerts/{alert}/notes" if verb == "note" else f"acts/{verb}"
        if right not in acts:
            refused = shown.context.request.post(
                f"{demo.url}api/v1/{where}", data=f'{{"alert": "{alert}"}}', headers=headers
            )
            assert (refused.status, refused.json()["type"]) == (403, "garita:rights"), verb
            assert "Traceback" not in refused.text()
    forged = headers | {"x-garita-csrf": "forged"}
    answer = shown.context.request.post(f"{demo.url}api/v1/acts/ack", data="{}", headers=forged)
    assert answer.status == 403
    shown.context.close()


def banner(page):
    return page.evaluate("document.querySelector('.banner.bad')?.innerText ?? ''")


def has_all(page):
    """Every alert there is has its place in the list, which draws the rows that are seen."""
    rows = "Math.round((document.querySelector('.whole')?.offsetHeight ?? 0) / 104)"

    def same():
        page.keyboard.press("n")  # in order now, also under the cursor
        return page.evaluate(rows) == len(ids(page))

    until(same, 15, "all alerts in the list")


def test_a_dead_line_shows_within_three_seconds_and_loses_nothing(page, demo):
    loaded, known = page.evaluate("performance.timeOrigin"), ids(page)
    url = f"http://127.0.0.1:{demo.where.port}/api/v1/alerts?limit=1000"
    began = time.monotonic()
    demo.line.become("frozen")  # nothing closes: only silence tells
    until(lambda: banner(page), 10, "the banner")
    assert time.monotonic() - began < STALE_S
    until(lambda: {one["id"] for one in page.context.request.get(url).json()["alerts"]} - known, 90)
    demo.line.become("open")
    demo.line.cut(politely=False)
    until(lambda: not banner(page), 15, "the end of the banner")
    assert page.evaluate("performance.timeOrigin") == loaded
    page.keyboard.press("w")
    has_all(page)
    assert ids(page) > known


def test_a_service_that_is_frozen_shows_within_three_seconds(page, demo):
    pid = demo.service_pid()
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: banner(page), 10, "the banner")
        took_s = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert took_s < STALE_S
    until(lambda: not banner(page), 15, "the end of the banner")


def test_a_console_that_is_killed_comes_back_and_delivery_does_not_notice(page, demo):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    heard = []
    client.on_message = lambda _client, _data, message: heard.append(
        msgspec.json.decode(message.payload)["seq"]
    )
    client.connect("127.0.0.1", demo.ports["north_port"])
    client.subscribe("garita-exercise/v1/+/+/alert", qos=1)
    client.loop_start()
    loaded = page.evaluate("performance.timeOrigin")
    pid = demo.console_pid()
    os.kill(pid, signal.SIGKILL)
    until(lambda: demo.console_pid() not in (None, pid), 30, "another console")
    until(lambda: len(heard) >= 2, 90, "alerts at the broker")
    # The page is watching again by itself: without a word for 2.5 s it would say so.
    until(lambda: not banner(page), 10, "the end of the banner")
    ends = time.monotonic() + 4.0
    while time.monotonic() < ends:
        assert not banner(page)
        time.sleep(0.1)
    has_all(page)
    assert heard == list(range(heard[0], heard[0] + len(heard)))
    assert page.evaluate("performance.timeOrigin") == loaded
    client.disconnect()
    client.loop_stop()


def test_the_probe_reads_what_the_scan_was_made_of(page):
    scans = until(
        lambda: [
            (one["id"], found["scans"][0])
            for one in asked(page, "/alerts?limit=1000")["alerts"]
            if one["evidence"]
            and (found := asked(page, f"/alerts/{one['id']}/scans"))["scans"]
            and found["scans"][0]["boxes"]
            and found["scans"][0]["whole"]  # kept a moment after the alert went out
        ],
        120,
        "a scan with something in it",
    )
    alert, scan = scans[0]
    about = asked(page, f"/scans/{scan['sha256']}/about")
    raw = page.context.request.get(
        f"{page.url.split('#')[0]}api/v1/scans/{scan['sha256']}/planes/high"
    ).body()
    page.evaluate(f"location.hash = '#/xray/{alert}'")
    page.wait_for_selector("html[data-scan-ms]", state="attached", timeout=20_000)
    page.wait_for_selector(".xray canvas")
    assert page.locator("[data-box]").count() == len(scan["boxes"])
    canvas = page.locator(".xray canvas").bounding_box()
    page.mouse.move(canvas["x"] + canvas["width"] * 0.6, canvas["y"] + canvas["height"] * 0.5)
    page.keyboard.press("ArrowRight")
    shot(page, "xray")
    told = float(page.locator(".probe").get_attribute("data-transmission"))
    # The same by hand, from the bytes of the plane.
    scale = min(canvas["width"] / about["columns"], canvas["height"] / about["rows"])
    column = int(about["columns"] / 2 + canvas["width"] * 0.1 / scale) + 1
    row = int(about["rows"] / 2)
    plane = about["planes"][0]
    values = []
    for y in range(row - 4, row + 5):
        for x in range(column - 4, column + 5):
            at = 2 * (y * about["columns"] + x)
            counts = int.from_bytes(raw[at : at + 2], "little") - plane["dark"][y]
            light = plane["air_counts"] * plane["gain"][y] * plane["pulse"][x]
            if light:
                values.append(counts / light)
    assert min(values) * 0.9 <= told <= max(values) * 1.1
    for key in "p" * 4 + "gibe":
        page.keyboard.press(key)
    assert page.locator(".probe").inner_text().strip()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_any_view(browser, demo, cookies, theme):
    axe = (ROOT / "edge/console/web/node_modules/axe-core/axe.min.js").read_text("utf-8")
    nobody = over(browser, demo, [], bypass_csp=True)
    somebody = over(browser, demo, cookies, bypass_csp=True)
    somebody.wait_for_selector(".row")
    alert = next(
        one["id"] for one in asked(somebody, "/alerts?limit=1000")["alerts"] if one["evidence"]
    )
    nobody.wait_for_selector("form")
    found = {"log-in": violations(nobody, axe, theme)}
    for view in (*VIEWS, f"transit/{alert}", f"xray/{alert}"):
        somebody.evaluate(f"location.hash = '#/{view}'")
        somebody.wait_for_selector(f".{view.split('/')[0]}")
        somebody.wait_for_timeout(400)
        found[view] = violations(somebody, axe, theme)
        if theme == "dark" and view in ("track", "health", "report"):
            shot(somebody, view)
    somebody.keyboard.press("?")
    somebody.wait_for_selector("[role=dialog]")
    found["keys"] = violations(somebody, axe, theme)
    nobody.context.close()
    somebody.context.close()
    assert {view: each for view, each in found.items() if each} == {}


def violations(page, axe, theme):
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    if not page.evaluate("typeof window.axe === 'object'"):
        page.add_script_tag(content=axe)
    options = "{resultTypes: ['violations'], rules: {'target-size': {enabled: true}}}"
    result = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{one['id']}: {node['target'][0]}: {node['failureSummary'][:160]}"
        for one in result["violations"]
        for node in one["nodes"][:2]
    ]
