"""The report in a real browser: it asks for nothing, shows text as text, and is for everybody."""

from __future__ import annotations

import base64
import importlib
import importlib.util
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from buildfolders import (
    PAYLOAD,
    accept,
    brief,
    document,
    fill,
    manifest,
    metric,
    near,
    proof,
    reject,
    repeat,
    taught,
)
from corpus import report

WORDS = "harbour lamp ledger orchard kettle bridge violin parcel".split()
WIDTHS = (360, 768, 1440)
HUGE = "unbreakable" * 400
RTL = "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"
ODD = f"{PAYLOAD} \" ' ` & <!-- ]]> {RTL} {HUGE} javascript:alert(1) \x00\x1b[31m"
CONTRAST = """
const lamp = (c) => (c / 255 <= .03928 ? c / 255 / 12.92 : ((c / 255 + .055) / 1.055) ** 2.4);
const read = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const light = (c) => .2126 * lamp(c[0]) + .7152 * lamp(c[1]) + .0722 * lamp(c[2]);
const behind = (at) => {
  for (; at; at = at.parentElement) {
    const c = read(getComputedStyle(at).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c;
  }
  return [255, 255, 255];
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Map();
for (let node; (node = walk.nextNode());) {
  const at = node.parentElement, style = getComputedStyle(at);
  if (!node.data.trim() || !at.checkVisibility() || at.closest("svg, script, .skip")) continue;
  const [a, b] = [light(read(style.color)), light(behind(at))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  const where = `${at.tagName}.${at.className}`;
  if (ratio < 4.5) seen.set(where, `${ratio.toFixed(2)} ${node.data.slice(0, 40)}`);
}
return [...seen].map(([k, v]) => `${k}: ${v}`);
"""
STOPS = """
return [...document.querySelectorAll("a[href], summary, select, input, button, [tabindex='0']")]
  .filter((at) => at.checkVisibility({ visibilityProperty: true })).length;
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Chromium for all tests; without one they are skipped, or fail where CI wants one."""
    wanted = bool(os.environ.get("CORPUS_REQUIRE_BROWSER"))
    here = wanted or importlib.util.find_spec("selenium")
    room = importlib.import_module("browser") if here else None
    why = room.missing() if room else "selenium is not installed"
    assert not (wanted and why), why
    if why:
        pytest.skip(why)
    found = room.Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def folder(where: Path, text: str, number: int = 16, **more: object) -> Path:
    """A build in which everything that a model or a user wrote is ``text``, or near it."""
    topics = [f"{WORDS[n % 5]} {WORDS[n % 3 + 5]} {WORDS[n % 7]}" for n in range(number)]
    said = [f"On a grey Tuesday Elara {n} {text} {topics[n]} w{n} w{n}" for n in range(number)]
    rows = [document(n, said[n], facets={"a thing": text}) for n in range(number)]
    turns = [{"role": role, "content": text} for role in ("system", "user", "assistant")]
    rows[4] = {key: v for key, v in rows[4].items() if key != "text"} | {"messages": turns}
    shared = [proof("on a grey tuesday elara", "d1", "d2"), proof(text, "d3")]
    fill(
        where,
        briefs=[brief(n, principle=text) for n in range(number + 2)],
        documents=rows,
        reviews=[reject(n, text) if n % 5 == 3 else accept(n) for n in range(number)],
        duplicates=[repeat(2, 1), repeat(6, 1, text[:20])],
        scores=[
            metric("shared_ngram", evidence=shared, low=0.2, high=0.3),
            metric("names", gate="warn", evidence=[proof("Elara", "d1")]),
            metric("names", scope="stream stories", gate="pass"),
            metric("opening", gate="pass", note=text),
        ],
        likeness=[near(1, 4, text), near(4, 5, text[:30])],
        loop=[taught(1, bans=[text, "so"]), taught(2, bans=[text], stopped=[f"kind {text}"])],
    )
    marks = {"prose": {"judge": 4.5, "blind": 3.0, "gap": 1.5, "error": 0.25}}
    given = manifest(
        notes=[text],
        judge={"both": 20, "marks": marks},
        guard={"mode": "drop", "held_out": 0, "found": {"evaluation_framing": 0}},
        seq_len=512,
        dropped=[{"trainer": text, "format": "jsonl", "tokens": 90, "lost": 9, "what": text}],
        by_kind={"essay": {"tokens": 900}, "short_story": {"tokens": 400}},
        **more,
    )
    other = report.collect(where, given)
    return report.write(where, given, other=other, other_name=text[:60])


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("plain"), "a quiet sentence about a pier")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(
        tmp_path_factory.mktemp("hostile"), ODD, constitution={"name": ODD, "sections": []}
    )


def unfold(browser: Any) -> None:
    browser.js("for (const at of document.querySelectorAll('details')) at.open = true;")


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_the_page_asks_for_nothing_and_the_console_stays_silent(
    browser: Any, name: str, request: pytest.FixtureRequest
) -> None:
    page: Path = request.getfixturevalue(name)
    browser.open(page)
    unfold(browser)
    assert browser.requests() == [page.as_uri()]
    assert browser.complaints() == []


def test_what_gets_into_the_page_all_the_same_neither_runs_nor_loads(
    browser: Any, plain: Path
) -> None:
    broken = plain.with_name("broken.html")
    inside = "<script>window.ran = 1</script><img src='https://127.0.0.1:9/x' onerror='ran = 2'>"
    broken.write_text(plain.read_text("utf-8").replace("<main", f"{inside}<main"), "utf-8")
    browser.open(broken)
    assert browser.js("return window.ran === undefined")
    assert browser.requests()[1:] == ["https://127.0.0.1:9/x"]  # tried, so the witness sees it
    assert len([said for said in browser.complaints() if "Content Security Policy" in said]) == 3


def test_hostile_text_stays_text(browser: Any, hostile: Path) -> None:
    browser.open(hostile)
    assert browser.js("return document.querySelectorAll('img, iframe, object, base').length") == 0
    assert browser.js("return document.scripts.length") == 2  # ours, and its data
    assert "<img src=x onerror=alert(1)>" in browser.js(
        "return document.querySelector('h1').textContent"
    )
    assert browser.js("return document.body.textContent").count("alert('x')") > 20


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_nothing_is_wider_than_the_window(
    browser: Any, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    browser.open(request.getfixturevalue(name), width=width)
    unfold(browser)
    assert browser.js("return innerWidth") == width
    edge = "const all = document.documentElement; return all.scrollWidth - all.clientWidth"
    assert browser.js(edge) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_all_text_stands_out_from_what_is_behind_it(
    browser: Any, plain: Path, scheme: str, width: int
) -> None:
    browser.open(plain, scheme=scheme, width=width)
    unfold(browser)
    assert browser.js(CONTRAST) == []


def test_the_dark_page_is_dark(browser: Any, plain: Path) -> None:
    shades = []
    for scheme in ("light", "dark"):
        browser.open(plain, scheme=scheme)
        shades.append(browser.js("return getComputedStyle(document.body).backgroundColor"))
    bright = [sum(map(int, shade[4:-1].split(","))) for shade in shades]
    assert bright[0] > 700
    assert bright[1] < 120


def test_the_keyboard_reaches_every_control_in_order(browser: Any, plain: Path) -> None:
    browser.open(plain)
    wanted = browser.js(STOPS)
    places = []
    for _ in range(wanted):
        browser.press("Tab", 9)
        places.append(
            browser.js("""
            const all = [...document.querySelectorAll("*")];
            const at = document.activeElement;
            return [all.indexOf(at), at.tagName, getComputedStyle(at).outlineStyle];""")
        )
    numbers = [number for number, *_ in places]
    assert numbers == sorted(set(numbers))
    assert {"A", "SUMMARY", "SELECT", "INPUT", "BUTTON", "DIV"} == {tag for _, tag, _ in places}
    assert {outline for *_, outline in places} == {"solid"}


def test_every_control_has_a_name(browser: Any, plain: Path) -> None:
    browser.open(plain)
    unfold(browser)
    nodes = browser.tell("Accessibility.getFullAXTree")["nodes"]
    focusable = [
        node
        for node in nodes
        if any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", ()))
    ]
    nameless = [n for n in focusable if not n.get("name", {}).get("value")]
    assert len(focusable) > 60
    assert {n["role"]["value"] for n in nameless} <= {"main", "generic"}


def test_headings_form_a_tree_and_landmarks_stand(browser: Any, plain: Path) -> None:
    browser.open(plain)
    levels = browser.js(
        "return [...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    roles = {n["role"]["value"] for n in browser.tell("Accessibility.getFullAXTree")["nodes"]}
    assert {"banner", "navigation", "main", "contentinfo", "region"} <= roles


def test_a_link_to_evidence_opens_what_it_is_folded_into(browser: Any, plain: Path) -> None:
    browser.open(plain)
    browser.js("location.hash = 'd-d1'")
    shown = browser.js("return document.getElementById('d-d1').checkVisibility()")
    marked = browser.js("return document.querySelector('#d-d1 mark').textContent")
    assert (shown, marked) == (True, "On a grey Tuesday Elara")
    assert browser.js("return document.activeElement.tagName") == "SUMMARY"


def test_the_reading_room_is_filtered_by_kind_and_by_word(browser: Any, plain: Path) -> None:
    browser.open(plain)
    browser.js("""
        const set = (by, value) => {
          const at = document.querySelector(`[data-by=${by}]`);
          at.value = value;
          at.dispatchEvent(new Event("input", { bubbles: true }));
        };
        set("kind", "essay");
        set("text", "W7 W7");""")
    shown = "return [...document.querySelectorAll('.room > .doc')].filter((d) => !d.hidden).length"
    assert browser.js(shown) == 1
    assert browser.js("return document.querySelector('.find p').textContent").startswith("1 of ")


def test_the_map_is_walked_by_arrow_keys_and_says_where_it_is(browser: Any, plain: Path) -> None:
    browser.open(plain)
    browser.js("document.querySelector('[data-map]').focus()")
    said = "return document.querySelector('.here').textContent"
    places = {browser.js(said)}
    for key, code in (
        ("ArrowRight", 39),
        ("ArrowUp", 38),
        ("ArrowLeft", 37),
        ("ArrowDown", 40),
    ) * 2:
        browser.press(key, code)
        places.add(browser.js(said))
    assert len(places) > 2
    assert all("documents, essay" in place or "stories, short_story" in place for place in places)


def test_a_kind_is_brought_out_on_the_map(browser: Any, plain: Path) -> None:
    browser.open(plain)
    browser.js("""
        const pick = document.querySelector("[data-pick]");
        pick.value = [...pick.options].find((o) => o.text === "short_story").value;
        pick.dispatchEvent(new Event("input", { bubbles: true }));""")
    drawn = browser.js(
        "return document.querySelector('.lit').getAttribute('d').split('M').length - 1"
    )
    assert drawn > 0
    assert browser.js("return document.querySelector('.here').textContent").startswith(
        f"{drawn} of"
    )


def test_without_its_script_everything_can_still_be_read(browser: Any, plain: Path) -> None:
    browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(plain)
        found = browser.tell("DOM.getDocument", depth=0)["root"]["nodeId"]
        forms = browser.tell("DOM.querySelectorAll", nodeId=found, selector="form:not([hidden])")
        docs = browser.tell("DOM.querySelectorAll", nodeId=found, selector=".room > details.doc")
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", value=False)
    assert forms["nodeIds"] == []
    assert len(docs["nodeIds"]) > 5


def test_it_prints_on_white_paper_without_controls(browser: Any, plain: Path) -> None:
    browser.open(plain, media="print", scheme="dark")
    paper = browser.js("return getComputedStyle(document.body).backgroundColor")
    controls = browser.js("""return [...document.querySelectorAll("nav, form, .skip")]
        .filter((at) => at.checkVisibility()).length""")
    sheet = base64.b64decode(browser.tell("Page.printToPDF", printBackground=True)["data"])
    assert (paper, controls) == ("rgb(255, 255, 255)", 0)
    assert sheet[:5] == b"%PDF-"
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") > 2
